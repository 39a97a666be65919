/** As hexadecimal numbers, in the order of the classes. */
const COLOURS = `
  14171c 5a416e 5f23aa ffc8f0 007882 0ad2dc 0078b9 7d967d 00beff 00af87 9b73ff cdb964 4146c8 1e87ff d75fcd ff9b7d
  6e9b46 008255 e6f09b 7b4a2a 5f9bcd 375a46 1ed278 8296fa af000a aa9114 963ca5 91cd87 6469c3 a04b64 2d5573 00aa32
  696e23 91739b c86e9b 005f00 a0fae1 fa9100 beff5f fa5a41 00ffaf f2c7a5 b9b4ff fa64af 8cc800 d73c78 ff91b4 fa9bff
  91005f c3826e 0aa0aa 004b9b a5cddc 8c735a b95500 ffcd00 c8a5b9 b482d7 872332 5f0569 ebf5ff 552d32 463c00 372882
  fff519 00ffff c8d74b 008200 b4b49b 0023a0 824bd2 a5ffaa 645a5f 4be1b9 5a7396 cd5a5f b93291 73b9af 691446 d27dff
  c8dcbe 9196aa c87d1e 323c46 78559b 966400 fa6982 b40050 646ef5 78eb69 87c3ff af5adc 873c78 dc96d2 ffb964 a0b441
  557864 82ebff 691e00 fff5cd 0064d2 d23705 870082 d2d2ff 4b4b96 af5faf 194614 8787c8 ffb4b9 af9664 003c6e 784150
  6e328c 963200 eb6e0a d7c8cd a55f50 009beb dc9b5f 9169cd 5ab9d7 e1a500 a0afd7 69b950 5a8c96 e6b4ff 73af7d e67864
  878746 5f5528 b48296 cd2d46 e19196 ff7ddc 91d7b9 371ea5 500a82 00463c 8c646e 009b55 37917d 5082dc 5a8200 465a00
  cd9bff fad778 af413c cdb900 7d7d82 af96c8 d2ffcd 50286e ffdcd7 d255a0 28ffd7 b4e6a5 d7aa96 e6ff7d 73e696 a59187
  644bb4 50463c 373764 dc78c3 64aafa aa4b87 b9ebf0 6e0591 ffaadc 735a7d 325f9b 552850 a5af73 00643c 0091be 46c891
  005f64 a58cfa 5f3714 7d32af 5a8750 b946b9 50d7ff 466973 d7d291 19b9af 96d764 aa7846 377328 64a000 0541b9 ffeb64
  a56487 9bb4b9 872d55 d7b9e1 736eaa 6ea5b4 69e6dc afe12d 914641 be6e78 ff878c b93c64 691e2d 96a0e6 781969 6450d7
  143287 e64b64 c86e41 b47db4 00465a dc5f87 3c5ab9 505582 ff874b 00b96e 5f82be 373ca0 919b00 7d78e6 910041 0a698c
  b9eb7d fae1ff 19735f af146e 4b4b5f 00aad7 7d0000 9b501e 9669af b9cd73 a57873 553291 afc896 9b2d82 78d2dc d787e6
  8750b4 eb78aa 87f0be a5233c 46693c d7fff0 dc5a32 69694b 5aa591 ebdc00 e6a0be 5fd250 324128 c89637 917800 69326e
`;

/**
 * `#rrggbb` for each of 256 classes. The first 59 are chosen for the clothing classes: background near black, skin and hair
 * close to life, and the others, the most frequent first, each as far as can be from all before it (distance in OKLab, hue
 * and chroma weighted by 1.6; chroma at most 0.2). The rest go on in this way (lightness 0.35 to 0.97), so that however many
 * classes there are, theirs differ as much as can be.
 */
export const PALETTE: readonly string[] = COLOURS.trim()
  .split(/\s+/)
  .map((hex) => `#${hex}`);

/** `#rrggbb` of a class. Beyond the palette its colours, background's left out, come again. */
export const classColour = (label: number): string =>
  PALETTE[label < PALETTE.length ? label : 1 + ((label - 1) % (PALETTE.length - 1))];

/** Colours a mask: three bytes for each of its pixels. */
export function paintMask(mask: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(mask.length * 3);
  const colours = Array.from({ length: 256 }, (_, label) => Number.parseInt(classColour(label).slice(1), 16));
  mask.forEach((label, pixel) => {
    const colour = colours[label];
    rgb[3 * pixel] = colour >> 16;
    rgb[3 * pixel + 1] = (colour >> 8) & 0xff;
    rgb[3 * pixel + 2] = colour & 0xff;
  });
  return rgb;
}

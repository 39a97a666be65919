import { count } from "./data-error.ts";

/**
 * What was decided in reading a photo and its mask that the user may want otherwise. Each has its sentence, said once a
 * data set: of so many pairs, of which one is named.
 */
const SENTENCES = {
  greyPalette: (pairs, name) =>
    `${count(pairs, "mask")} (${name}, for one) ${be(pairs)} of palettes of greys in another order than their numbers: the ` +
    `greys that a viewer shows are taken for the classes. Were the indices meant, save as 8-bit grey PNGs that hold them.`,
  transparent: (pairs, name) =>
    `${count(pairs, "mask")} (${name}, for one) ${pairs === 1 ? "has" : "have"} transparent pixels of classes other than 0: ` +
    `the stored numbers are the classes, and transparency is passed over.`,
  lossy: (pairs, name) =>
    `${count(pairs, "mask")} (${name}, for one) ${be(pairs)} read from a lossy format as asked for: its noise is trained on ` +
    `as classes of its own.`,
  twelveBits: (pairs, name) =>
    `${count(pairs, "photo")} (${name}, for one) of 16 bits ${pairs === 1 ? "has" : "have"} no value above 4095: taken for 12 bits ` +
    `and brightened 16 times. ${pairs === 1 ? "Is it" : "Are they"} just dark, save as 8-bit PNG.`,
  turnedAlike: (pairs, name) =>
    `${count(pairs, "photo")} (${name}, for one) and the masks have the same EXIF orientation: both are turned upright.`,
  drawnUpright: (pairs, name) =>
    `${count(pairs, "photo")} (${name}, for one) ${be(pairs)} turned upright as EXIF says. By their size the masks, which have no ` +
    `EXIF orientation, lie on the upright photos.`,
  takenUpright: (pairs, name) =>
    `${count(pairs, "photo")} (${name}, for one) ${be(pairs)} turned upright as EXIF says, and the masks, which have no EXIF ` +
    `orientation and whose size does not tell, are taken to lie on the upright photos, as viewers show them. Were they drawn on ` +
    `the pixels as stored, take the orientation out of the photos.`,
  drawnAsStored: (pairs, name) =>
    `${count(pairs, "mask")} (${name}, for one) ${be(pairs)}, by size, drawn on the photo as stored, not as its EXIF orientation ` +
    `shows it: turned with the photo.`,
  maskTurned: (pairs, name) =>
    `${count(pairs, "mask")} (${name}, for one) ${pairs === 1 ? "has" : "have"} an EXIF orientation that is not the photo's: each ` +
    `of the two is turned as its own says.`,
} satisfies Record<string, (pairs: number, name: string) => string>;

export type Remark = keyof typeof SENTENCES;

const be = (pairs: number): string => (pairs === 1 ? "is" : "are");

/** What is to be said of a data set's pairs, each given with its name and the remarks made on it. */
export function sentencesOf(
  pairs: readonly (readonly [name: string, remarks: readonly Remark[]])[],
): string[] {
  return (Object.keys(SENTENCES) as Remark[]).flatMap((remark) => {
    const names = pairs.filter(([, remarks]) => remarks.includes(remark)).map(([name]) => name);
    return names.length === 0 ? [] : [SENTENCES[remark](names.length, names[0])];
  });
}

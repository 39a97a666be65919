import type { ClothingClass } from "../class-names.ts";

/** How cloth is printed or woven. */
export type Pattern = "plain" | "stripes" | "bars" | "checks" | "dots" | "flowers" | "knit" | "denim";

/** What a class of clothing is made of: its colours, and the patterns it comes in besides plain. */
export interface Look {
  colours: readonly string[];
  patterns: readonly Pattern[];
}

const look = (colours: string, ...patterns: Pattern[]): Look => ({ colours: colours.split(" "), patterns });

const LEATHER = "#3a2416 #6b3f1f #8a5a2f #1c1715 #5a1f1c";
const KNITTED = "#b9a58a #8c2f39 #d8d0c0 #3f5a4a #7a6f8c #c98a3a";

/**
 * The look of each class: distinct enough for a network to learn from colour and pattern as well as from place,
 * close enough for classes to be mistaken for one another as in life.
 */
export const LOOKS: Readonly<Record<Exclude<ClothingClass, "null" | "skin" | "hair">, Look>> = {
  accessories: look("#d9a520 #c0392b #2e86ab #e8e4da", "dots"),
  bag: look(`${LEATHER} #a83232 #c9a36a`, "checks"),
  belt: look("#2a1a10 #5b3218 #111111 #9c6b30"),
  blazer: look("#1d2433 #2c2c34 #44372f #6b6f78 #27323f", "checks"),
  blouse: look("#f1e9e4 #e8c7c8 #cfe0ea #f3e3b5 #b03a5b", "dots", "flowers"),
  bodysuit: look("#141416 #6d1a2d #e6e2dc"),
  boots: look("#2b1b12 #4a2d18 #151313 #7b5a3c"),
  bra: look("#f0d9d5 #151515 #b5274a"),
  bracelet: look("#d4af37 #c8ccd2 #3aa6a0"),
  cape: look("#6a1b2a #37474f #8d7b63 #2f3e2e", "checks"),
  cardigan: look(KNITTED, "knit"),
  clogs: look("#b98a55 #8f5f33 #d9b98a"),
  coat: look("#b08d5e #8f7757 #3b3a3c #6d6259 #7c2d2b #25303a", "checks"),
  dress: look("#c2264b #2a4d9b #e58ba6 #1f7a6c #7a3b8f #e0b13c #18181b", "flowers", "dots", "bars"),
  earrings: look("#e0b93f #dfe3e8"),
  flats: look("#b5445a #1b1b1d #c8a27c"),
  glasses: look("#1a1a1a #5b3a21"),
  gloves: look("#26201d #6b2320 #7a6a58"),
  hat: look("#2b2522 #a68a5b #7a1f2b #d9cbb0 #3c4a57"),
  heels: look("#b01030 #141414 #d8b08c"),
  hoodie: look("#7d8085 #2f3f5f #7a2a2f #3d5a45"),
  intimate: look("#f3e6e4 #2a1620 #d98ba0", "flowers"),
  jacket: look("#1a1a1c #4b3a2a #56603d #2f4a70", "denim"),
  jeans: look("#2d4470 #3f5f8f #6f8fb8 #23304d", "denim"),
  jumper: look("#5b7a3c #b5562b #2f5d73 #c7b299", "knit", "bars"),
  leggings: look("#161618 #2e2a33 #4b4b52"),
  loafers: look("#4b2a18 #2a1710 #7a4a25"),
  necklace: look("#d9b030 #e8e8ea #2b8a7a"),
  panties: look("#f0d9d5 #151515 #b5274a"),
  pants: look("#1f2022 #3a3f36 #8a7a5e #5a5d63 #b7a98c", "stripes"),
  pumps: look("#151517 #8e1a2e #c9a98a"),
  purse: look("#c2185b #e0b040 #24404f #8a2d2a #ddd3c3", "dots"),
  ring: look("#e5c34a #e6e9ee"),
  romper: look("#e07a5f #3d8f8a #f2cc8f #42508f", "flowers", "dots"),
  sandals: look("#a0703c #6f4a28 #d2ad7a"),
  scarf: look("#a52a3a #3a6f8f #d0a040 #777f88 #e2dccf", "checks", "bars"),
  shirt: look("#e9eef4 #7fa3cf #a33a36 #4a6b57 #c9d6e3", "checks", "stripes"),
  shoes: look("#1c1917 #4a3526 #7a746c #95392f"),
  shorts: look("#5f86b3 #c9b78f #e4e0d6 #44583f", "denim"),
  skirt: look("#1e1e22 #a6304a #d9a441 #3d6a8f #8a6a9a #cdb69a", "checks", "flowers"),
  sneakers: look("#f0f0f0 #d23a3a #2f5fb0 #e6d84a"),
  socks: look("#eeeeea #6f757c #a83a4a", "bars"),
  stockings: look("#2a2426 #5a4238 #6e2233"),
  suit: look("#20242e #33373f #4a4f58 #5d5348", "stripes"),
  sunglasses: look("#0d0d0f #1f1410"),
  sweater: look(KNITTED, "knit", "bars"),
  sweatshirt: look("#9a9da3 #b84a5a #2f4f7f #d7c24a"),
  swimwear: look("#1aa0b8 #e0457b #f0c030 #1f3f8f", "bars", "dots"),
  "t-shirt": look("#f2f2f0 #26262a #c8453c #3f7fbf #f0d34a", "bars"),
  tie: look("#7a1f2f #1f3560 #3f3f45 #b58a2a", "stripes"),
  tights: look("#18161a #3b2f5a #6a1f2b #4a5a50"),
  top: look("#e85d75 #14b8a6 #f5f0e6 #18181a #f4a340", "bars", "flowers"),
  vest: look("#4f5b4a #6a4a34 #2d2f36 #8a8f86", "checks"),
  wallet: look("#3a2014 #1a1413 #8a3a2a"),
  watch: look("#b9bec6 #2a2a2c #c9a23a"),
  wedges: look("#c39a63 #8a5f3a #4a3a30"),
};

export const SKIN_TONES = ["#f0cdb4", "#e3b391", "#cf9a74", "#a8734c", "#7a4d30", "#5a3825"] as const;
export const HAIR_COLOURS = [
  "#17120f",
  "#2b1a10",
  "#4a2d18",
  "#7a4d26",
  "#b98a4a",
  "#8a2f1a",
  "#6f6a66",
] as const;

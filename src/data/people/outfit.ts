import type { Random } from "../random.ts";
import type { Garment } from "./paint.ts";

/** What one person wears. Frequencies are those of street photos, with rare classes made less rare. */
export interface Outfit {
  legwear?: Garment;
  /** A garment of trunk and perhaps legs in one, instead of `top` and `bottom`. */
  onePiece?: Garment;
  top?: Garment;
  bottom?: Garment;
  outer?: Garment;
  shoes: Garment;
  extras: ReadonlySet<Garment>;
}

export function outfit(random: Random): Outfit {
  const kind = random.weighted({
    separates: 56,
    dress: 24,
    suit: 6,
    romper: 4,
    bodysuit: 3,
    beach: 4,
    underwear: 3,
  });
  const extras = new Set<Garment>();
  for (const [item, probability] of Object.entries(EXTRAS)) {
    if (random.chance(probability)) extras.add(item as Garment);
  }
  const shoes = random.weighted(SHOES);
  if (kind === "beach") {
    return { onePiece: "swimwear", shoes: random.pick(["sandals", "clogs", "flats"]), extras };
  }
  if (kind === "underwear") {
    return random.chance(0.5)
      ? { onePiece: "intimate", shoes, extras, legwear: random.pick(["stockings", "tights"]) }
      : { top: "bra", bottom: "panties", shoes, extras };
  }
  if (kind === "suit") {
    extras.delete("hat");
    if (random.chance(0.6)) extras.add("tie");
    return { onePiece: "suit", top: "shirt", shoes: random.pick(["shoes", "loafers"]), extras };
  }
  const outer = random.chance(0.42) ? { outer: random.weighted(OUTER) } : {};
  const legwear = random.chance(0.45) ? { legwear: random.weighted(LEGWEAR) } : {};
  if (kind !== "separates") return { onePiece: kind, ...outer, ...legwear, shoes, extras };
  const [top, bottom] = [random.weighted(TOPS), random.weighted(BOTTOMS)];
  if (top === "shirt" && random.chance(0.3)) extras.add("tie");
  return {
    top,
    bottom,
    ...outer,
    ...(bottom === "skirt" || bottom === "shorts" ? legwear : {}),
    shoes,
    extras,
  };
}

const TOPS = {
  ...{ blouse: 10, shirt: 9, "t-shirt": 7, sweater: 7, top: 6, jumper: 3, sweatshirt: 4, hoodie: 4 },
} as const;
const BOTTOMS = { pants: 11, jeans: 8, skirt: 9, shorts: 5, leggings: 4 } as const;
const OUTER = { coat: 9, blazer: 6, jacket: 6, vest: 4, cape: 3, cardigan: 4 } as const;
const LEGWEAR = { stockings: 3, tights: 3, socks: 4, leggings: 1 } as const;
const SHOES = {
  ...{
    shoes: 12,
    boots: 8,
    sandals: 5,
    sneakers: 5,
    pumps: 4,
    loafers: 4,
    heels: 4,
    flats: 3,
    wedges: 3,
    clogs: 3,
  },
} as const;
const EXTRAS: Readonly<Partial<Record<Garment, number>>> = {
  ...{
    bag: 0.4,
    purse: 0.16,
    wallet: 0.06,
    belt: 0.2,
    scarf: 0.12,
    hat: 0.16,
    sunglasses: 0.16,
    glasses: 0.1,
  },
  ...{
    necklace: 0.12,
    earrings: 0.12,
    bracelet: 0.15,
    watch: 0.12,
    ring: 0.1,
    gloves: 0.06,
    accessories: 0.15,
  },
};

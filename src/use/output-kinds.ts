export const OUTPUTS = ["mask", "overlay", "json"] as const;
/** A file that is made of each photo unless it is left out: its mask, the overlay, the JSON of its classes' shares. */
export type OutputKind = (typeof OUTPUTS)[number];

export const MASK_PNGS = ["grey", "indexed"] as const;
/** What a pixel of a mask's PNG holds, its class id, is to a viewer: a grey level, or a place in the palette of class colours. */
export type MaskPng = (typeof MASK_PNGS)[number];

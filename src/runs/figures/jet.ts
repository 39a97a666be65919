/** Where a channel's value bends: positions and values in 0…1, linear between. */
type Segments = readonly (readonly [position: number, value: number])[];

/** matplotlib's `_jet_data` (`matplotlib/_cm.py`). */
const RED: Segments = [
  [0, 0],
  [0.35, 0],
  [0.66, 1],
  [0.89, 1],
  [1, 0.5],
];
const GREEN: Segments = [
  [0, 0],
  [0.125, 0],
  [0.375, 1],
  [0.64, 1],
  [0.91, 0],
  [1, 0],
];
const BLUE: Segments = [
  [0, 0.5],
  [0.11, 1],
  [0.34, 1],
  [0.65, 0],
  [1, 0],
];

const ENTRIES = 256;

/**
 * A channel's bytes, rounded as matplotlib's `_create_lookup_table` and `Colormap(value, bytes=True)` do: the order of the
 * operations decides the last bit, and the bytes are cut off, not rounded.
 */
function channel(segments: Segments): number[] {
  const last = ENTRIES - 1;
  const ends = segments.map(([position]) => position * last);
  return Array.from({ length: ENTRIES }, (_, entry) => {
    const position = last * (entry * (1 / last));
    const next = Math.min(
      ends.length - 1,
      Math.max(
        1,
        ends.findIndex((end) => position <= end),
      ),
    );
    const [low, high] = [segments[next - 1][1], segments[next][1]];
    const way = (position - ends[next - 1]) / (ends[next] - ends[next - 1]);
    return Math.trunc((way * (high - low) + low) * 255);
  });
}

const [RED_BYTES, GREEN_BYTES, BLUE_BYTES] = [RED, GREEN, BLUE].map(channel);

/**
 * matplotlib's colour map `jet`, to the byte as `imshow` shows it: dark blue, blue, cyan, yellow, red, dark red. As there,
 * a table of 256 colours is looked up at `floor(value · 256)`, clipped.
 *
 * @param value in 0…1
 * @returns red, green and blue in 0…255
 */
export function jet(value: number): [number, number, number] {
  const entry = Math.min(ENTRIES - 1, Math.max(0, Math.floor(value * ENTRIES)));
  return [RED_BYTES[entry], GREEN_BYTES[entry], BLUE_BYTES[entry]];
}

/** The colour of a class where the colour map spans the classes 0 to `classes` − 1. */
export const jetClass = (label: number, classes: number): [number, number, number] =>
  jet(label / Math.max(1, classes - 1));

/** `#rrggbb` of a class. */
export const jetHex = (label: number, classes: number): string =>
  `#${jetClass(label, classes)
    .map((channel) => channel.toString(16).padStart(2, "0"))
    .join("")}`;

/** Colours a mask as `imshow(mask, cmap="jet", vmin=0, vmax=classes − 1)` does: three bytes for each of its pixels. */
export function jetMask(mask: Uint8Array, classes: number): Uint8Array {
  const colours = Array.from({ length: 256 }, (_, label) => jetClass(label, classes));
  const rgb = new Uint8Array(3 * mask.length);
  for (let pixel = 0; pixel < mask.length; pixel++) rgb.set(colours[mask[pixel]], 3 * pixel);
  return rgb;
}

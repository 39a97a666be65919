/**
 * @file The messages of a TensorBoard event file, written by hand after `event.proto`, `summary.proto`, `tensor.proto`
 * and `types.proto` of TensorBoard's `compat/proto`. A file holds a sequence of {@link event}s.
 */
import { bytesField, doubleField, floatField, intField, message, stringField } from "./protobuf.ts";
import type { Encoded } from "./protobuf.ts";

/** What an event says besides its time and step: one field of `Event`. */
export type EventContent = Encoded;

/** When an event happened. */
export interface EventTime {
  /** Seconds since 1970. */
  readonly wallTime: number;
  /** The run's step, a whole number of at most 64 bits. */
  readonly step: number | bigint;
}

/** `Event`. */
export const event = ({ wallTime, step }: EventTime, content: EventContent): Encoded =>
  message(doubleField(1, wallTime), intField(2, step), content);

/** What the first event of every file must be. */
export const fileVersion = (): EventContent => stringField(3, "brain.Event:2");

/**
 * `SessionLog` with status START: from here on the run is told anew from this event's step, so that TensorBoard drops
 * what files before this one say of this step and later ones.
 */
export const sessionStart = (): EventContent => bytesField(7, intField(1, 1));

/** `Summary` of some values. */
export const summary = (values: readonly SummaryValue[]): EventContent =>
  bytesField(5, message(...values.map((value) => bytesField(1, value))));

/** `Summary.Value`. */
export type SummaryValue = Encoded;

/** A number, for the page "Scalars"; a float of 32 bits, NaN and infinities included. */
export const scalar = (tag: string, value: number): SummaryValue =>
  message(stringField(1, tag), floatField(2, value));

/** A picture, for the page "Images": a whole PNG file. @throws Error when `png` is none. */
export function image(tag: string, png: Uint8Array): SummaryValue {
  const { width, height, channels } = pngHeader(tag, png);
  const picture = message(intField(1, height), intField(2, width), intField(3, channels), bytesField(4, png));
  return message(stringField(1, tag), bytesField(4, picture));
}

/** Markdown, for the page "Text": a string tensor without axes, and metadata that says whose it is. */
export function text(tag: string, markdown: string): SummaryValue {
  const DT_STRING = 7;
  const DATA_CLASS_TENSOR = 2;
  const tensor = message(intField(1, DT_STRING), bytesField(2, message()), stringField(8, markdown));
  const plugin = bytesField(1, stringField(1, "text"));
  const metadata = message(plugin, intField(4, DATA_CLASS_TENSOR));
  return message(stringField(1, tag), bytesField(8, tensor), bytesField(9, metadata));
}

/** Channels by PNG's colour type; a palette is shown as RGB. */
const PNG_CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };
const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

function pngHeader(tag: string, png: Uint8Array): { width: number; height: number; channels: number } {
  const channels = PNG_CHANNELS[png[25]];
  if (PNG_SIGNATURE.some((byte, i) => png[i] !== byte) || channels === undefined) {
    throw new Error(`The picture "${tag}" for TensorBoard is not a PNG file.`);
  }
  const view = new DataView(png.buffer, png.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20), channels };
}

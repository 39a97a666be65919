/** @file What is kept of autotuning from run to run: every measurement, as JSON. */
import type { Tile } from "../../kernels/tiling.ts";
import type { Finding, Measurement } from "./search.ts";

/** What measurements depend on beside the product: those of another adapter, driver or kernel say nothing. */
export interface AutotuneIdentity {
  readonly adapter: string;
  readonly driver: string;
  /** A digest of the kernels. */
  readonly kernels: string;
}

/** Findings by the name of their group. */
export type Findings = ReadonlyMap<string, Finding>;

const FORMAT = "bespoke tuning 1";

export function formatRecord(identity: AutotuneIdentity, findings: Findings): string {
  const products = Object.fromEntries([...findings].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ format: FORMAT, ...identity, products }, null, 1)}\n`;
}

/**
 * What a record holds.
 *
 * @returns or why it is of no use, as the end of a sentence.
 */
export function parseRecord(text: string, identity: AutotuneIdentity): Findings | string {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return "is damaged";
  }
  if (!isObject(record) || record.format !== FORMAT || !isObject(record.products))
    return "holds no measurements";
  if (record.adapter !== identity.adapter) return "is of another adapter";
  if (record.driver !== identity.driver) return "is of another driver";
  if (record.kernels !== identity.kernels) return "is of other kernels";
  const entries = Object.entries(record.products);
  return entries.every((entry): entry is [string, Finding] => isFinding(entry[1]))
    ? new Map(entries)
    : "is damaged";
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isFinding = (value: unknown): value is Finding =>
  isObject(value) &&
  isTile(value.winner) &&
  Array.isArray(value.measurements) &&
  value.measurements.length > 0 &&
  value.measurements.every(isMeasurement);

const isMeasurement = (value: unknown): value is Measurement =>
  isObject(value) &&
  isTile(value.tile) &&
  Array.isArray(value.milliseconds) &&
  value.milliseconds.every((time) => typeof time === "number") &&
  ["undefined", "string"].includes(typeof value.failure);

/** Whether a value from a file is a tile, of whatever product. */
export const isTile = (value: unknown): value is Tile =>
  isObject(value) &&
  [value.rows, value.columns, value.steps ?? 1, value.workgroups ?? 1].every(
    (extent) => Number.isInteger(extent) && Number(extent) > 0,
  );

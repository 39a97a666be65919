import type { Facts } from "../run-state.ts";

const NONE = "–";

/** Thousands apart. */
export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

export const fixed = (value: number | null | undefined, digits = 4): string =>
  value === null || value === undefined || !Number.isFinite(value) ? NONE : value.toFixed(digits);

export const percent = (share: number | null): string =>
  share === null ? NONE : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;

/** Three digits that matter: `0.812`, `12.3`, `1,234`. */
export function rate(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NONE;
  return value >= 100 ? whole(value) : value.toPrecision(value >= 10 ? 3 : 2);
}

/** `1 h 05 min`, `4 min 07 s`, `3 s`. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return NONE;
  const all = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${two(rest)} s` : `${rest} s`;
}

/** `98.1 MiB`. */
export function bytes(count: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10)));
  const value = count / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(value < 100 ? 1 : 0)} ${units[power]}`;
}

/** What a JSON file says, as rows of words; objects within it become rows of their own. */
export function factRows(facts: Facts, prefix = ""): [string, string][] {
  return Object.entries(facts).flatMap(([key, value]): [string, string][] => {
    const name = prefix + words(key);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      return factRows(value as Facts, `${name}: `);
    }
    if (/bytes$/i.test(key) && typeof value === "number")
      return [[name.replace(/ bytes$/, ""), bytes(value)]];
    // A command line is told as it was typed.
    if (key === "arguments" && Array.isArray(value)) return [[name, value.map(asText).join(" ")]];
    return [[name, asText(value)]];
  });
}

function asText(value: unknown): string {
  if (value === null || value === undefined || value === "") return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(asText).join(", ");
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `epochsFrozen`, `val_loss` → `epochs frozen`, `val loss`. */
const words = (key: string): string =>
  key
    .replaceAll("_", " ")
    .replaceAll(/[a-z\d](?=[A-Z])/g, "$& ")
    .toLowerCase();

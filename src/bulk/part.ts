import { BulkError } from "./bulk-error.ts";

/** One of several equal parts of the shards. */
export interface Part {
  /** Which, from 1. */
  readonly part: number;
  /** How many there are. */
  readonly of: number;
}

/** What a cluster's job knows of its place among others, in the order in which they are looked at. */
const INDICES = [
  { variable: "JOB_COMPLETION_INDEX", first: 0, mend: "" },
  { variable: "SLURM_ARRAY_TASK_ID", first: 1, mend: ": say --array=1-" },
] as const;

/**
 * Reads a part: `3/100`, the third of a hundred, or `auto/100`, the one that the environment says: `JOB_COMPLETION_INDEX` of a Kubernetes
 * Indexed Job, which counts from 0, or `SLURM_ARRAY_TASK_ID` of a Slurm array, which here counts from 1.
 *
 * @throws BulkError when it is none, or the environment says none.
 */
export function parsePart(text: string, env: NodeJS.ProcessEnv = process.env): Part {
  const [, which, parts] = /^(\d+|auto)\/(\d+)$/.exec(text.trim()) ?? [];
  const of = Number(parts);
  if (which === undefined || !(of >= 1))
    throw new BulkError(
      `--shard is a part and how many there are, such as 3/100 or auto/100 (it is ${JSON.stringify(text)}).`,
    );
  if (which !== "auto") return inRange(Number(which), of, `--shard ${text}`);
  for (const { variable, first, mend } of INDICES) {
    const value = env[variable];
    if (value === undefined || value === "") continue;
    const part = /^\d+$/.test(value) ? Number(value) + 1 - first : NaN;
    return inRange(part, of, `${variable} ${value}`, mend === "" ? "" : `${mend}${of}`);
  }
  throw new BulkError(
    `--shard ${text} takes the part from ${INDICES.map(({ variable }) => variable).join(" or ")}, and neither is set: say which part, such as ` +
      `1/${of}.`,
  );
}

function inRange(part: number, of: number, said: string, mend = ""): Part {
  if (part >= 1 && part <= of) return { part, of };
  throw new BulkError(`${said} is none of the parts 1 to ${of}${mend}.`);
}

/** Whether a shard is of a part: they take turns, so that a list's neighbours, which are alike, are shared out evenly. */
export const isOfPart = ({ index }: { readonly index: number }, { part, of }: Part): boolean =>
  index % of === part - 1;

import type { Gpu } from "../../gpu/gpu.ts";
import { matrixKernelsDigest } from "../../kernels/conv2d/digest.ts";
import { tileGroup } from "../../kernels/conv2d/tiles.ts";
import type { Tile, TileFor } from "../../kernels/tiling.ts";
import { kernelTarget } from "../kernel-target.ts";
import type { Goals } from "../plan.ts";
import { GpuTimer } from "./gpu-timer.ts";
import { productGroups } from "./products.ts";
import type { ProductGroup } from "./products.ts";
import { formatRecord, parseRecord } from "./record.ts";
import type { Findings, AutotuneIdentity } from "./record.ts";
import { gainOf, search } from "./search.ts";
import type { SearchOptions } from "./search.ts";

/** The tile of each group of products, by its name; plain data, good for keeping. */
export type TileChoices = Readonly<Record<string, Tile>>;

/** Where measurements are kept from run to run: one text. */
export interface AutotuneCache {
  /** Null when there is none. */
  read(): Promise<string | null>;
  write(text: string): Promise<void>;
}

export interface AutotuneOptions {
  /** Of the programs that will run. */
  readonly goals: readonly Goals[];
  readonly cache?: AutotuneCache;
  /** After so much time no other group of products is begun; those left out keep the default. 0 only asks the cache. */
  readonly seconds?: number;
  /** Ends the search between two groups. */
  readonly signal?: AbortSignal | undefined;
  /** Told in a sentence why a cache was not used. */
  readonly onWarning?: (sentence: string) => void;
}

export interface Autotuned {
  readonly choices: TileChoices;
  /** All that is known, by the name of the group: what the cache knew, and what was measured now. */
  readonly findings: Findings;
  /** Groups measured now, not found in the cache. */
  readonly measured: number;
  /** Of all groups, those that another tile than the default is quicker for. */
  readonly improved: number;
}

/** Where pipelines compile in milliseconds, and where they take seconds. */
const SECONDS = { hardware: 10, software: 300 } as const;

/**
 * Finds the quickest tiles for the matrix products of programs, by timing every one there is on `gpu`; what the cache knows
 * is not timed again. The choices are for programs that are compiled with `tileFor: tilesFrom(choices)`.
 *
 * @throws GpuError when the device fails or has no memory for it; the signal's reason.
 */
export async function autotune(
  gpu: Gpu,
  {
    goals,
    cache,
    seconds = SECONDS[gpu.isSoftware ? "software" : "hardware"],
    signal,
    onWarning,
  }: AutotuneOptions,
): Promise<Autotuned> {
  const target = kernelTarget(gpu);
  const { vendor, architecture, device, description } = gpu.info;
  const identity = {
    adapter: [vendor, architecture, device].join(" "),
    driver: description,
    kernels: await matrixKernelsDigest(target),
  };
  const measures = seconds > 0;
  const known = await readFindings(cache, identity, measures ? onWarning : undefined);
  const found: Findings = measures
    ? await measure(
        gpu,
        productGroups(goals, target, (name) => !known.has(name)),
        { seconds, signal },
      )
    : new Map();
  const findings = new Map([...known, ...found]);
  if (found.size > 0) await cache?.write(formatRecord(identity, findings));

  const choices = Object.fromEntries([...findings].map(([name, { winner }]) => [name, winner]));
  const improved = [...findings.values()].filter((finding) => gainOf(finding) > 1).length;
  return { choices, findings, measured: found.size, improved };
}

async function readFindings(
  cache: AutotuneCache | undefined,
  identity: AutotuneIdentity,
  onWarning: AutotuneOptions["onWarning"],
): Promise<Findings> {
  const text = (await cache?.read()) ?? null;
  if (text === null) return new Map();
  const record = parseRecord(text, identity);
  if (typeof record !== "string") return record;
  onWarning?.(`The file of measured tiles ${record}: measuring anew.`);
  return new Map();
}

async function measure(gpu: Gpu, groups: readonly ProductGroup[], options: SearchOptions): Promise<Findings> {
  if (groups.length === 0) return new Map();
  const works = groups.flatMap(({ candidates }) => candidates.map(({ work }) => work));
  const timer = await GpuTimer.create(gpu, works);
  try {
    return await search(groups, timer, options);
  } finally {
    timer.destroy();
  }
}

/** Chooses as `choices` say, and the default where they say nothing. */
export const tilesFrom =
  (choices: TileChoices): TileFor =>
  (request) =>
    choices[tileGroup(request)];

/**
 * @file Which adapter each of several ranks takes: by its place among the ranks of its host, in turn of the best ones there are. Dawn
 * opens an adapter by its name; where several have one name, all but one are kept out of Vulkan's sight before it is opened.
 */
import { bestAdapters } from "../../scripts/setup/adapter-choice.mjs";
import type { AdapterKind, FoundAdapter } from "../../scripts/setup/adapter-choice.mjs";
import { listAdapters, noAdapterSentence, openAdapter } from "./adapters.ts";
import { vulkanDevices } from "./vulkan-devices.ts";

/** What a rank tells the others of its adapter. */
export interface RankAdapter {
  readonly name: string;
  readonly kind: AdapterKind;
  /** Equal where two ranks of a host have the same device. */
  readonly device: string;
  /** How many of this name there are that the rank could not tell apart, itself included. */
  readonly alike: number;
}

/** Where a rank's adapter is among those there are. */
export interface AdapterPlace {
  readonly adapter: FoundAdapter;
  readonly kind: AdapterKind;
  /** Which of those with its name, from 0, and of how many. */
  readonly place: number;
  readonly alike: number;
}

/** The place of a rank among the ranks of its host, from 0. */
export const localRankOf = (hosts: readonly string[], rank: number): number =>
  hosts.slice(0, rank).filter((host) => host === hosts[rank]).length;

/**
 * The adapter of a rank. Ranks that wish for the same take, in turn, the best ones that are meant by it: `auto` or `hardware` one GPU after
 * the other, and from the first one on again where there are fewer.
 *
 * @param found in Dawn's order
 * @param wishes "auto", a kind, or a part of a name, of each rank of a host in turn
 * @returns null where there is none such.
 */
export function adapterOfRank(
  found: readonly FoundAdapter[],
  wishes: readonly string[],
  localRank: number,
): AdapterPlace | null {
  const wish = wishes[localRank % wishes.length];
  const best = bestAdapters([...found], wish);
  if (best.length === 0) return null;
  // The same GPU through another backend is not another GPU.
  const some = best.filter(({ adapter }) => adapter.backend === best[0].adapter.backend);
  const turn = Array.from({ length: localRank }, (_, i) => wishes[i % wishes.length]);
  const { adapter, kind } = some[turn.filter((other) => other === wish).length % some.length];
  const named = some.filter((other) => other.adapter.name === adapter.name);
  return {
    adapter,
    kind,
    place: named.findIndex((other) => other.adapter === adapter),
    alike: named.length,
  };
}

/**
 * Opens the adapter of a rank.
 *
 * @throws Error in one sentence when there is no such adapter.
 */
export async function openRankAdapter(
  wishes: readonly string[],
  localRank: number,
): Promise<{ readonly adapter: GPUAdapter; readonly told: RankAdapter }> {
  const found = await listAdapters();
  const chosen = adapterOfRank(found, wishes, localRank);
  if (chosen === null) throw new Error(noAdapterSentence(found, wishes[localRank % wishes.length]));
  const { name } = chosen.adapter;
  const alone = chosen.alike === 1 || (await keepOthersOutOfSight(name, chosen.place));
  const devices = (await vulkanDevices()) ?? [];
  const device = devices.find((other) => other.name === name);
  return {
    adapter: await openAdapter(name),
    told: { name, kind: chosen.kind, device: device?.uuid ?? name, alike: alone ? 1 : chosen.alike },
  };
}

/**
 * Has Vulkan show this process only one of several devices with a name. Mesa's layer for choosing a device does so for any driver; it comes
 * with Mesa's Vulkan drivers and reads `DRI_PRIME` whenever an instance is made.
 *
 * @returns whether it did.
 */
async function keepOthersOutOfSight(name: string, place: number): Promise<boolean> {
  const before = process.env.DRI_PRIME;
  const named = ((await vulkanDevices()) ?? []).filter((device) => device.name === name);
  // A driver that is installed twice shows each card twice. In an order that is the same in all processes.
  const cards = [...new Set(named.map(({ pci }) => pci))].sort();
  const wanted = cards[place % cards.length];
  // Somebody has chosen.
  if (before !== undefined || !wanted) return false;
  process.env.DRI_PRIME = `pci-${wanted.replace(/[:.]/g, "_")}!`;
  const left = (await vulkanDevices()) ?? [];
  if (left.length > 0 && left.every(({ pci }) => pci === wanted)) return true;
  delete process.env.DRI_PRIME;
  return false;
}

/**
 * What is to be said of the adapters of all ranks: which they are, and which ranks share one.
 *
 * @param hosts of each rank
 */
export function adapterSentences(adapters: readonly RankAdapter[], hosts: readonly string[]): string[] {
  const names = grouped(adapters.map(({ name, kind }) => `${name} (${kind})`));
  const sentences =
    names.size === 1
      ? [`Adapter: ${[...names.keys()][0]}`]
      : [...names].map(([name, ranks]) => `Adapter of ${ranksText(ranks)}: ${name}`);
  for (const ranks of grouped(adapters.map(({ device }, rank) => `${hosts[rank]} ${device}`)).values()) {
    if (ranks.length === 1) continue;
    const [first] = ranks;
    const { name, alike } = adapters[first];
    const why =
      alike === 1
        ? "there is no other one for them"
        : `it has ${alike} of this name, which cannot be told apart: docs/scale.md says how each rank is given its own`;
    sentences.push(`${capital(ranksText(ranks))} of ${hosts[first]} share ${name}: ${why}.`);
  }
  return sentences;
}

/** The ranks that have each value. */
function grouped(values: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [rank, value] of values.entries()) groups.set(value, [...(groups.get(value) ?? []), rank]);
  return groups;
}

/** `rank 3`, `ranks 0 and 1`, `ranks 0, 1 and 5`. */
function ranksText(ranks: readonly number[]): string {
  if (ranks.length === 1) return `rank ${ranks[0]}`;
  return `ranks ${ranks.slice(0, -1).join(", ")} and ${ranks.at(-1)}`;
}

const capital = (text: string): string => text[0].toUpperCase() + text.slice(1);

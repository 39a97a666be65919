import type { Gpu } from "../gpu/gpu.ts";
import { openDevice, openGpu } from "../adapter/open-gpu.ts";
import { adapterSentences, localRankOf, openRankAdapter } from "../adapter/rank-adapter.ts";
import type { RankAdapter } from "../adapter/rank-adapter.ts";
import { describeAdapter } from "../adapter/adapters.ts";
import { adapterList } from "../config/index.ts";
import type { TrainConfig } from "../config/index.ts";
import type { Communicator } from "../mpi/communicator.ts";
import { onAllRanks } from "../train/alike.ts";

/**
 * Opens the adapter that the settings name, or the best one; of several ranks each takes its own. Says which, and which ranks share
 * one.
 *
 * @throws Error in one sentence when there is no such adapter; GpuError when it hands out no device.
 */
export async function openTrainingGpu(
  { adapter, adapters }: Pick<TrainConfig, "adapter" | "adapters">,
  ranks: Communicator | undefined,
  say: (sentence: string) => void,
): Promise<Gpu> {
  // What set-up has chosen is one adapter for all.
  const wishes =
    adapters === null ? [adapter ?? (process.env.BESPOKE_ADAPTER || "auto")] : adapterList(adapters);
  if (!ranks) {
    const gpu = await openGpu(
      adapters === null ? (adapter === null ? {} : { adapter }) : { adapter: wishes[0] },
    );
    const { kind, name } = describeAdapter(gpu);
    say(`Adapter: ${name} (${kind})`);
    return gpu;
  }
  const { gpu, told } = await onAllRanks(ranks, async () => {
    const opened = await openRankAdapter(wishes, localRankOf(ranks.hosts, ranks.rank));
    return { gpu: await openDevice(opened.adapter), told: opened.told };
  });
  const all = await ranks.allGather("names of adapters", new TextEncoder().encode(JSON.stringify(told)));
  const adaptersOfAll = all.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as RankAdapter);
  adapterSentences(adaptersOfAll, ranks.hosts).forEach(say);
  return gpu;
}

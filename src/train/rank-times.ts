import type { Collectives } from "../mpi/collectives.ts";
import type { RankTimes } from "../runs/rank-times.ts";
import { gather } from "./alike.ts";
import type { ExchangeTimes } from "./phase/rank-exchange.ts";

/** How long each rank has been in collectives so far, and what of that the exchange of gradients was; asked for by all ranks. */
export async function rankTimes(
  ranks: Collectives,
  { exchangedMs, overlappedMs }: ExchangeTimes,
): Promise<RankTimes[]> {
  const own: RankTimes = {
    waited: ranks.waitedMs / 1000,
    exchanged: exchangedMs / 1000,
    overlapped: overlappedMs / 1000,
  };
  return (await gather(ranks, "comparison of waiting", own)) as RankTimes[];
}

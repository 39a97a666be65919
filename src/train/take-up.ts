import { differenceOfData, digestOfData, readDataRecord } from "../runs/data-record.ts";
import { RunError } from "../runs/run-error.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import type { Metadata } from "../weights/tensors.ts";
import { readCheckpoint } from "./checkpoint.ts";
import type { RunData } from "./run-data.ts";
import type { Resumed } from "./trainer-data.ts";

/**
 * Where a run stands, from its last checkpoint; undefined when it was killed before the first, and begins anew.
 *
 * @param data as it is now, read
 * @throws RunError when it is not what the run was begun with; WeightsError when the checkpoint cannot be read
 */
export async function takeUp(
  run: RunFolder,
  data: RunData,
  say: (sentence: string) => void,
): Promise<Resumed | undefined> {
  if (!(await run.holds(run.checkpoint("last")))) {
    say(`${run.path} has no checkpoint yet: beginning it anew`);
    return undefined;
  }
  const { state, values, metadata } = await readCheckpoint(run.checkpoint("last"));
  await refuseOtherData(run, data, metadata, say);
  say(`Taking up ${run.path} after step ${state.globalStep}, epoch ${state.epoch}`);
  return { state, values };
}

/** What a checkpoint says of the data, for `takeUp` to compare. */
export async function dataMetadata(data: RunData): Promise<Metadata> {
  const record = await data.record();
  return { data: data.fingerprint, ...(record && { data_contents: digestOfData(record) }) };
}

async function refuseOtherData(
  run: RunFolder,
  data: RunData,
  { data: names, data_contents: contents }: Metadata,
  say: (sentence: string) => void,
): Promise<void> {
  const now = await data.record();
  if (contents === undefined) {
    // Of drawn photos or by an earlier version.
    if (names !== data.fingerprint) throw otherData(run, "the names of the photos are not those there were");
    if (now !== null)
      say(`${run.path} does not know what its photos and masks held: only their names were compared`);
    return;
  }
  if (now === null) throw otherData(run, "it was begun with photos from a folder");
  if (digestOfData(now) === contents) return;
  const before = await readDataRecord(run.data);
  const known = before !== null && digestOfData(before) === contents;
  throw otherData(
    run,
    (known && differenceOfData(before, now)) || "its files do not hold what they held when it was begun",
  );
}

const otherData = ({ path }: RunFolder, difference: string): RunError =>
  new RunError(
    `${path} cannot go on with other data: ${difference}; put back what there was, give its folder with --data, or begin ` +
      `a new run.`,
  );

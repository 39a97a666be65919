import { printable } from "../files/printable.ts";
import { BulkError } from "./bulk-error.ts";
import { checkOutputs } from "./check-outputs.ts";
import { readManifest, settingsDifference } from "./manifest.ts";
import type { ShardManifest } from "./manifest.ts";
import { OUTPUTS_AS } from "./outputs-as.ts";
import type { OutputsAs } from "./outputs-as.ts";
import type { Places } from "./places.ts";

/** What a shard is to be done with. */
export interface Asked extends Pick<ShardManifest, "shard" | "settings"> {
  readonly outputsAs: OutputsAs;
}

/**
 * The manifest of a shard that is done, every output of which is there; null where there is none, or it is not whole and
 * has to be done again.
 *
 * @throws BulkError when it was done of other photos, with another model or with other settings.
 */
export async function doneBefore(
  places: Places,
  asked: Asked,
  signal?: AbortSignal,
): Promise<ShardManifest | null> {
  for (const as of OUTPUTS_AS) {
    const file = places.manifest[as];
    const found = await readManifest(file);
    if (found === "absent" || "torn" in found) continue;
    const { whole } = found;
    const difference =
      whole.shard !== asked.shard
        ? "of other photos"
        : as !== asked.outputsAs
          ? `as ${as}, not ${asked.outputsAs}`
          : settingsDifference(whole.settings, asked.settings);
    if (difference !== null) {
      throw new BulkError(
        `${file} says that the shard was done before, ${/^(of|as) /.test(difference) ? "" : "with "}${printable(difference)}: give another --out, or remove ` +
          "what is there of it.",
      );
    }
    if (whole.failures.some(({ passing }) => passing)) return null;
    const problems = await checkOutputs(whole, places, { quick: true, signal });
    return problems.length === 0 ? whole : null;
  }
  return null;
}

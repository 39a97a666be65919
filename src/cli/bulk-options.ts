import { resolve } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import type { BulkInputs } from "../bulk/shard.ts";
import { OUTPUTS_AS } from "../bulk/outputs-as.ts";
import type { OutputsAs } from "../bulk/outputs-as.ts";
import { MASK_PNGS } from "../use/mask-kinds.ts";
import type { MaskPng } from "../use/mask-kinds.ts";
import { OUTPUTS } from "../use/output-kinds.ts";
import type { OutputKind } from "../use/output-kinds.ts";
import { positive } from "./model-options.ts";
import { namesOf } from "./names-option.ts";
import { userPath } from "./user-path.ts";

/** Where many photos are, and how they are divided. */
export interface ShardsFlags {
  readonly list?: string;
  readonly images?: string;
  readonly tar?: readonly string[];
  readonly root?: string;
  readonly shardSize?: number;
  readonly outputsAs?: OutputsAs;
}

/** What is labelled in shards, and what comes of it. */
export interface BulkFlags extends ShardsFlags {
  readonly out: string;
  readonly outputs?: readonly OutputKind[];
  readonly maskPng?: MaskPng;
  readonly outlines?: "geojson";
  readonly logits?: boolean;
}

const OUTLINES = ["geojson"] as const;

/** @param command gets the flags of {@link ShardsFlags}. */
export function addShardsOptions(command: Command, images: string): Command {
  return command
    .addOption(
      new Option("--list <file>", "a file with the path or URL of a photo a line, or a listing of S3")
        .argParser(userPath)
        .conflicts(["images", "tar"]),
    )
    .addOption(new Option("--images <path>", images).argParser(userPath).conflicts("tar"))
    .option("--tar <files...>", "tar archives of photos, or patterns such as photos-{0000..0099}.tar")
    .option(
      "--root <folder|URL>",
      "what is relative in the list is relative to this; by default to the list's folder",
    )
    .option("--shard-size <photos>", "photos a shard (1000); an archive is one shard", positive)
    .addOption(
      new Option(
        "--outputs-as <kind>",
        "outputs of a shard as files in a folder (the default), or as one tar archive",
      ).choices(OUTPUTS_AS),
    );
}

/** @param command gets the flags of {@link BulkFlags}. */
export function addBulkOptions(command: Command): Command {
  return addShardsOptions(command, "a folder of photos and of folders of photos")
    .requiredOption("--out <folder>", "gets a folder of outputs, with a manifest, of each shard", userPath)
    .addOption(
      new Option(
        "--outputs <kinds>",
        `which files are made of each photo, with commas between: ${OUTPUTS.join(", ")}; all without it`,
      ).argParser(namesOf(OUTPUTS)),
    )
    .addOption(
      new Option("--mask-png <kind>", "masks as grey levels (the default) or places in a palette").choices(
        MASK_PNGS,
      ),
    )
    .addOption(new Option("--outlines <kind>", "write areas as polygons too").choices(OUTLINES))
    .option("--logits", "write the network's logits of each photo too");
}

/**
 * What the flags name.
 *
 * @throws Error when they name nothing.
 */
export function bulkInputs({ list, images, tar, root }: ShardsFlags): BulkInputs {
  if (root !== undefined && list === undefined)
    throw new Error("--root is of a list, and there is none: give --list too.");
  if (list !== undefined)
    return { list, root: root === undefined || isUrl(root) ? root : resolve(userPath(root)) };
  if (images !== undefined) return { folder: images };
  if (tar !== undefined) return { tars: tar.map(userPath) };
  throw new Error("There are no photos to be labelled: give --list, --images or --tar.");
}

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

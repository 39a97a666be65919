import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { rootName } from "./shard.ts";
import type { Shard } from "./shard.ts";

/** The name of a manifest that lies in the folder of its shard. */
export const MANIFEST = "manifest.json";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().min(0);

const fileSchema = z.strictObject({ name: z.string(), bytes: count, sha256 });

const sourceSchema = z.union([
  z.strictObject({ list: z.string(), root: z.string(), line: count, entries: count, sha256 }),
  z.strictObject({ tar: z.string(), bytes: count }),
]);

const settingsSchema = z.strictObject({
  model: sha256,
  image_size: z.union([z.string(), z.number()]),
  seen: z.string(),
  precision: z.string(),
  outputs: z.string(),
  mask_png: z.string(),
  geojson: z.boolean(),
  logits: z.boolean(),
});

const manifestSchema = z.strictObject({
  version: z.literal(1),
  shard: z.string(),
  source: sourceSchema,
  settings: settingsSchema,
  archive: fileSchema.nullable(),
  photos: z.array(
    z.strictObject({ photo: z.string(), line: count.optional(), outputs: z.array(fileSchema) }),
  ),
  failures: z.array(
    z.strictObject({ photo: z.string(), line: count.optional(), reason: z.string(), passing: z.boolean() }),
  ),
  passed_over: count,
  digest: sha256,
});

/** A file of a shard: its name in the shard's folder or archive, its bytes and their SHA-256. */
export type OutputFile = Readonly<z.infer<typeof fileSchema>>;

/**
 * What shapes the outputs of photos. `model` is the digest of the model's file; the rest is what `predict` says in a photo's JSON, and
 * its flags.
 */
export type ShardSettings = Readonly<z.infer<typeof settingsSchema>>;

/**
 * What was made of a shard: of which lines or archive, by which model and settings, every output with its digest, and what could not
 * be labelled and why. It holds no times, hosts or folders: made again it is the same to the byte.
 */
export type ShardManifest = Readonly<z.infer<typeof manifestSchema>>;

/** What a shard is made from, by content: names without their folders, so that it may be mounted elsewhere. */
export function sourceOf(shard: Shard): ShardManifest["source"] {
  if ("tar" in shard) return { tar: basename(shard.tar.path), bytes: shard.tar.bytes };
  const { path, root, line, entries, sha256 } = shard.list;
  return { list: basename(path), root: rootName(root), line, entries, sha256 };
}

/** A manifest without its digest and without what the outputs became. */
export type Worked = Omit<ShardManifest, "digest" | "archive">;

/** Adds the digest over everything else. */
export function sealed(manifest: Omit<ShardManifest, "digest">): ShardManifest {
  return { ...manifest, digest: digestOf(manifest) };
}

const digestOf = (manifest: object): string =>
  createHash("sha256").update(JSON.stringify(manifest)).digest("hex");

export const encodeManifest = (manifest: ShardManifest): Buffer =>
  Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);

/** What there is of a manifest: nothing, one that is not as it was written and why, or a whole one. */
export type ManifestFound = "absent" | { readonly torn: string } | { readonly whole: ShardManifest };

/** Reads a manifest and compares it with its digest. Throws nothing but what the file system does. */
export async function readManifest(file: string): Promise<ManifestFound> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return "absent";
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { torn: "it is no JSON" };
  }
  const result = manifestSchema.safeParse(value);
  if (!result.success) {
    const { path, message } = result.error.issues[0];
    return { torn: `${path.join(".") || "it"}: ${message}` };
  }
  const { digest, ...rest } = value as ShardManifest;
  return digestOf(rest) === digest
    ? { whole: result.data }
    : { torn: "its digest is not that of what it says" };
}

/** The first of some settings that differ, in words; null where all are the same. */
export function settingsDifference(then: ShardSettings, now: ShardSettings): string | null {
  for (const key of Object.keys(now) as (keyof ShardSettings)[])
    if (then[key] !== now[key])
      return key === "model" ? "another model" : `${key} ${then[key]}, not ${now[key]}`;
  return null;
}

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileError } from "../files/transfer.ts";
import type { Model } from "../use/model.ts";
import { sha256Of } from "./check-outputs.ts";

const known = new WeakMap<Model, Promise<string>>();

/** SHA-256 of a model's file, in hexadecimal digits; of a tfjs model, of its JSON and the files that it names. */
export function modelDigest(model: Model): Promise<string> {
  let digest = known.get(model);
  if (digest === undefined) known.set(model, (digest = digestOf(model.file)));
  return digest;
}

async function digestOf(path: string): Promise<string> {
  try {
    const file = (await stat(path)).isDirectory() ? join(path, "model.json") : path;
    if (!file.endsWith(".json")) return await sha256Of(file);
    const { weightsManifest = [] } = JSON.parse(await readFile(file, "utf8")) as {
      weightsManifest?: readonly { readonly paths: readonly string[] }[];
    };
    const hash = createHash("sha256").update(await sha256Of(file));
    for (const name of weightsManifest.flatMap(({ paths }) => paths))
      hash.update(await sha256Of(join(dirname(file), name)));
    return hash.digest("hex");
  } catch (error) {
    throw fileError(error, "read", path);
  }
}

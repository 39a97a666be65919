import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { clothingFolder, clothingMarker, weightsMarker, writeMarker } from "../../src/fetch/fetched.ts";
import { CLOTHING, weightsSource } from "../../src/fetch/sources.ts";
import { denseNet121, denseNet201 } from "../../src/layers/networks/densenet.ts";
import { folderOf } from "../data/folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** No test of the command may reach the network: here every request fails as it does offline. */
const offline = `globalThis.fetch = async () => {
  throw new TypeError("fetch failed", { cause: Object.assign(new Error("no such host"), { code: "ENOTFOUND" }) });
};`;

function run(...args: string[]) {
  const node = ["--import", "tsx", "--import", `data:text/javascript,${encodeURIComponent(offline)}`];
  return spawnSync(process.execPath, [...node, "src/cli/fetch.ts", ...args], {
    cwd: ROOT,
    env: { ...process.env, HTTPS_PROXY: "", https_proxy: "", ALL_PROXY: "", all_proxy: "" },
    encoding: "utf8",
    timeout: 60_000,
  });
}

test("offline: one sentence, exit 1, nothing written but empty folders", async () => {
  const folder = await folderOf();
  const { status, stderr } = run("--data-folder", join(folder, "d"), "--weights-folder", join(folder, "w"));
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^api\.github\.com cannot be reached \(ENOTFOUND\): go online and run the same command again, or download https:\S+\.zip elsewhere, unpack it here and give its folder with --data\.\n$/,
  );
  const weights = run("--only", "weights", "--weights-folder", join(folder, "w"));
  expect([weights.status, weights.stderr.split("\n")]).toMatchObject([1, { length: 2 }]);
  expect(weights.stderr).toMatch(/^storage\.googleapis\.com cannot be reached .* give it with --weights\.$/m);
});

test("says that all is there, without a request", async () => {
  const [usual, other] = [weightsSource(denseNet121), weightsSource(denseNet201, { top: true })];
  const folder = await folderOf({
    "clothing-co-parsing/photos/0001.jpg": "hi",
    [usual.name]: "weights",
    [other.name]: "weights",
  });
  const files = { "photos/0001.jpg": 2 };
  await writeMarker(clothingMarker(folder), { source: "s", version: CLOTHING.tree, files });
  for (const source of [usual, other]) {
    const weights = { [source.name]: 7 };
    await writeMarker(weightsMarker(folder, source), {
      source: "s",
      version: source.checksum!.hex,
      files: weights,
    });
  }
  const { status, stdout, stderr } = run("--data-folder", folder, "--weights-folder", folder);
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`The data set is already there; train with --data ${clothingFolder(folder)}.`);
  expect(stdout).toContain(
    `The weights are already there; train with --weights ${join(folder, usual.name)}.`,
  );
  const encoder = ["--encoder", "densenet201", "--top"];
  const only = run("--only", "weights", ...encoder, "--data-folder", "/nowhere", "--weights-folder", folder);
  expect([only.status, only.stdout.includes("Data set")]).toEqual([0, false]);
  expect(only.stdout).toContain(
    `Weights: DenseNet201 from storage.googleapis.com to ${join(folder, other.name)}`,
  );
  expect(only.stdout).toContain("The weights are already there");
});

test("an encoder that there is none of is refused", () => {
  const { status, stderr } = run("--encoder", "vgg16");
  expect(status).toBe(1);
  expect(stderr).toContain("Allowed choices are densenet121, densenet169, densenet201");
});

test("an unknown --only is refused", () => {
  const { status, stderr } = run("--only", "everything");
  expect(status).toBe(1);
  expect(stderr).toContain("Allowed choices are data, weights");
});

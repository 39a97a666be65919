import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { clothingFolder, clothingMarker, weightsMarker, writeMarker } from "../../src/fetch/fetched.ts";
import { CLOTHING, WEIGHTS } from "../../src/fetch/sources.ts";
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
  const folder = await folderOf({ "clothing-co-parsing/photos/0001.jpg": "hi", [WEIGHTS.name]: "weights" });
  const files = { "photos/0001.jpg": 2 };
  await writeMarker(clothingMarker(folder), { source: "s", version: CLOTHING.tree, files });
  const weights = { [WEIGHTS.name]: 7 };
  await writeMarker(weightsMarker(folder), { source: "s", version: WEIGHTS.checksum.hex, files: weights });
  const { status, stdout, stderr } = run("--data-folder", folder, "--weights-folder", folder);
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`The data set is already there; train with --data ${clothingFolder(folder)}.`);
  expect(stdout).toContain(
    `The weights are already there; train with --weights ${join(folder, WEIGHTS.name)}.`,
  );
  const only = run("--only", "weights", "--data-folder", "/nowhere", "--weights-folder", folder);
  expect([only.status, only.stdout.includes("Data set")]).toEqual([0, false]);
});

test("an unknown --only is refused", () => {
  const { status, stderr } = run("--only", "everything");
  expect(status).toBe(1);
  expect(stderr).toContain("Allowed choices are data, weights");
});

// `node scripts/check-publish.mjs`, which `npm publish` runs first: says what keeps this checkout from being published, so
// that nothing is by accident. CONTRIBUTING.md says how a version is made.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Everything that is to be put right first, a sentence each.
 *
 * @param {{ name: string, version: string, repository?: unknown }} manifest package.json
 * @param {string} changelog
 * @param {{ changes: string, tags: string[], inCi: boolean }} place what git has that is not committed, the tags of the
 *   commit, and whether this is a run of a CI service, which alone can sign where a package comes from
 * @returns {string[]}
 */
export function obstacles({ name, version, repository }, changelog, { changes, tags, inCi }) {
  return [
    name === "bespoke" && "the name belongs to another project: choose a scope (@…/bespoke)",
    !inCi && "publish from CI, which signs where the package comes from (publishConfig.provenance)",
    repository === undefined && "name the repository in package.json: provenance points there",
    changes.trim() !== "" && "commit or put away what git status shows",
    !tags.includes(`v${version}`) && `tag the commit v${version}`,
    !new RegExp(`^## \\[${version.replaceAll(".", "\\.")}\\] - \\d{4}-\\d\\d-\\d\\d$`, "m").test(changelog) &&
      `give CHANGELOG.md a heading "## [${version}] - <date>"`,
  ].filter((sentence) => sentence !== false);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("../", import.meta.url));
  const git = (/** @type {string[]} */ ...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" });
  const found = obstacles(
    JSON.parse(readFileSync(`${root}package.json`, "utf8")),
    readFileSync(`${root}CHANGELOG.md`, "utf8"),
    {
      changes: git("status", "--porcelain"),
      tags: git("tag", "--points-at", "HEAD").split("\n"),
      inCi: Boolean(process.env.ACTIONS_ID_TOKEN_REQUEST_URL ?? process.env.SIGSTORE_ID_TOKEN),
    },
  );
  for (const sentence of found) console.error(`bespoke is not published: ${sentence}.`);
  if (found.length > 0) process.exitCode = 1;
}

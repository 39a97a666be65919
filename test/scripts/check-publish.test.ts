import { expect, test } from "vitest";
import { obstacles } from "../../scripts/check-publish.mjs";

const manifest = { name: "@someone/bespoke", version: "1.2.0", repository: "there" };
const changelog = "# Changelog\n\n## [Unreleased]\n\n## [1.2.0] - 2027-01-31\n";
const place = { changes: "", tags: ["v1.2.0"], inCi: true };

test("nothing is published by accident", () => {
  expect(obstacles(manifest, changelog, place)).toEqual([]);
  const nowhere = { name: manifest.name, version: manifest.version };
  expect(obstacles(nowhere, changelog, place)).toEqual([expect.stringContaining("repository")]);
  expect(obstacles({ ...manifest, name: "bespoke" }, changelog, place)).toEqual([
    expect.stringContaining("another project"),
  ]);
  expect(obstacles(manifest, changelog, { ...place, inCi: false })).toEqual([expect.stringContaining("CI")]);
  expect(obstacles(manifest, changelog, { ...place, changes: " M x\n" })).toEqual([
    expect.stringContaining("git status"),
  ]);
  expect(obstacles(manifest, changelog, { ...place, tags: ["", "v1.1.0"] })).toEqual([
    "tag the commit v1.2.0",
  ]);
  expect(obstacles({ ...manifest, version: "1x2" }, changelog, { ...place, tags: ["v1x2"] })).toHaveLength(1);
  expect(obstacles(manifest, changelog.replace("1.2.0", "1x2x0"), place)).toEqual([
    expect.stringContaining("CHANGELOG"),
  ]);
});

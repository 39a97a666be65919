import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { difference, staleness } from "../../scripts/setup/modules.mjs";
import { isOffline, npmFailure } from "../../scripts/setup/npm.mjs";

const LINUX = { platform: "linux", arch: "x64" };
const LOCKED = {
  packages: {
    "": { optionalDependencies: { yaml: "2.0.0" } },
    "node_modules/zod": { version: "4.0.0" },
    "node_modules/yaml": { version: "2.0.0", optional: true },
    "node_modules/wasm-runtime": { version: "1.0.0", optional: true },
    "node_modules/esbuild-linux": { version: "1.0.0", optional: true, os: ["linux"], cpu: ["x64"] },
    "node_modules/esbuild-mac": { version: "1.0.0", optional: true, os: ["darwin"], cpu: ["arm64"] },
    "node_modules/sharp-musl": {
      version: "1.0.0",
      optional: true,
      os: ["linux"],
      cpu: ["x64"],
      libc: ["musl"],
    },
    "node_modules/a/node_modules/@b/c": { version: "2.0.0" },
  },
};

function installed(without: string[] = [], changed: Record<string, { version: string }> = {}) {
  const here = Object.entries(LOCKED.packages).filter(
    ([folder]) =>
      ![
        "",
        "node_modules/esbuild-mac",
        "node_modules/sharp-musl",
        "node_modules/wasm-runtime",
        ...without,
      ].includes(folder),
  );
  return { packages: { ...Object.fromEntries(here), ...changed } };
}

describe("difference", () => {
  test("none when all that this machine needs is there", () => {
    expect(difference(LOCKED, installed(), LINUX)).toBeNull();
  });

  test("a package that is missing, here or for this platform", () => {
    expect(difference(LOCKED, installed(["node_modules/zod"]), LINUX)).toBe("zod is missing");
    expect(difference(LOCKED, installed(["node_modules/a/node_modules/@b/c"]), LINUX)).toBe(
      "@b/c is missing",
    );
    expect(difference(LOCKED, installed(), { platform: "darwin", arch: "arm64" })).toBe(
      "esbuild-mac is missing",
    );
  });

  test("a module that people may install without", () => {
    expect(difference(LOCKED, installed(["node_modules/yaml"]), LINUX)).toBe("yaml is missing");
  });

  test("another version", () => {
    const old = installed([], { "node_modules/zod": { version: "3.0.0" } });
    expect(difference(LOCKED, old, LINUX)).toBe("zod is 3.0.0 and not 4.0.0");
  });
});

describe("staleness", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "bespoke-modules-"));
    writeFileSync(join(root, "package.json"), JSON.stringify({ dependencies: { zod: "4.0.0" } }));
    writeFileSync(
      join(root, "package-lock.json"),
      JSON.stringify({ packages: { "node_modules/zod": { version: "4.0.0" } } }),
    );
  });
  afterEach(() => rmSync(root, { recursive: true }));

  test("there are none, then those of npm itself are as good as set-up's", () => {
    expect(staleness(root)).toBe("there are none");
    mkdirSync(join(root, "node_modules"));
    expect(staleness(root)).toBe("there are none");
    cpSync(join(root, "package-lock.json"), join(root, "node_modules", ".package-lock.json"));
    expect(staleness(root)).toBeNull();
  });

  test("a module that somebody took away, optional or not", () => {
    for (const kind of ["dependencies", "optionalDependencies", "devDependencies"]) {
      writeFileSync(join(root, "package.json"), JSON.stringify({ [kind]: { zod: "4.0.0" } }));
      mkdirSync(join(root, "node_modules", "zod"), { recursive: true });
      writeFileSync(join(root, "node_modules", "zod", "package.json"), "{}");
      const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json")));
      const stamp = `${lock.digest("hex")} ${process.platform} ${process.arch}\n`;
      writeFileSync(join(root, "node_modules", ".bespoke-installed"), stamp);
      expect(staleness(root)).toBeNull();
      rmSync(join(root, "node_modules", "zod"), { recursive: true });
      expect(staleness(root)).toBe("zod is missing");
    }
  });

  test("a lock file that has moved on", () => {
    mkdirSync(join(root, "node_modules"));
    cpSync(join(root, "package-lock.json"), join(root, "node_modules", ".package-lock.json"));
    const lock = readFileSync(join(root, "package-lock.json"), "utf8");
    writeFileSync(join(root, "package-lock.json"), lock.replace("4.0.0", "4.1.0"));
    expect(staleness(root)).toBe("zod is 4.0.0 and not 4.1.0");
  });
});

describe("npmFailure", () => {
  const failed = (stderr: string) => ({ code: 1, signal: null, stdout: "", stderr, failure: null });

  test("says offline, denied, disagreeing and anything else", () => {
    const offline = failed("npm error code EAI_AGAIN\nnpm error request to https://x failed");
    expect(npmFailure(offline)).toMatch(/cannot reach its registry \(EAI_AGAIN\)/);
    expect(isOffline(offline)).toBe(true);
    const denied = failed("npm error code EACCES\nnpm error syscall mkdir");
    expect(npmFailure(denied)).toMatch(/may not write/);
    expect(isOffline(denied)).toBe(false);
    expect(npmFailure(failed("npm error code E404\nnpm error 404 Not Found"))).toContain('"404 Not Found"');
    expect(npmFailure({ ...failed(""), failure: new Error("spawn npm ENOENT") })).toMatch(
      /npm is not installed/,
    );
    expect(npmFailure(failed(""))).toBe("npm failed with exit code 1; put that right");
  });
});

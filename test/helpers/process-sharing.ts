import { readdirSync, readFileSync } from "node:fs";

/** What a file does not share with others: a device, modules that something stands in for, and what a process has once. */
const OWN =
  /useGpu|openGpu|useTint|vi\.(mock|doMock|stub|spyOn|useFakeTimers)|process\.(env|chdir|argv|exitCode|on)|globalThis|[cC]hromium|Worker|spawn|execFile|fork\(|[cC]ommand|run\w*Example|npmRun|train-process/;

/**
 * The files of tests that may run one after the other in one process: most of what such a file costs is to begin, and to import what
 * the one before it has imported.
 */
export function sharingFiles(): string[] {
  return readdirSync("test", { recursive: true, encoding: "utf8" })
    .map((name) => `test/${name.replaceAll("\\", "/")}`)
    .filter((name) => name.endsWith(".test.ts") && !OWN.test(readFileSync(name, "utf8")));
}

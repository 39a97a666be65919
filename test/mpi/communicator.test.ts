import { describe, expect, it } from "vitest";
import { runRanks, testMpi } from "../helpers/mpi.ts";

const mpi = await testMpi();
if ("reason" in mpi) console.warn(`Tests on several ranks are skipped: ${mpi.reason}`);

describe.skipIf("reason" in mpi)("ranks", () => {
  it.each([2, 3])("%i reduce, send and gather alike", { timeout: 60_000 }, async (count) => {
    const { code, stdout, stderr } = await runRanks(mpi, count, "collectives.ts");
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "right\n", stderr: "" });
  });

  it.skipIf(process.platform !== "linux")(
    "leave the heap as it is, whatever lies behind it",
    { timeout: 60_000 },
    async () => {
      const { code, stdout, stderr } = await runRanks(mpi, 2, "heap.ts");
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "right\n", stderr: "" });
    },
  );

  it("say what closed their way to mpiexec", { timeout: 60_000 }, async () => {
    const { code, stdout } = await runRanks(mpi, 2, "lost.ts");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^(A program between mpiexec and this rank has closed .*\bnpx\b.*\.\n){2}$/);
  });

  it.each(["busy", "stopped"])(
    "name the one that is missing, and end: %s",
    { timeout: 60_000 },
    async (how) => {
      const { code, stdout, stderr, seconds } = await runRanks(mpi, 3, "missing.ts", [how]);
      expect(code).not.toBe(0);
      expect(stdout).not.toContain("went on");
      expect(stderr).toMatch(
        /The all-reduce of step 7 was not done within 3 s\. Missing: rank 2 on \S+\. The run is ended on all ranks/,
      );
      expect(stderr.match(/Missing/g)).toHaveLength(1);
      expect(seconds).toBeLessThan(50);
    },
  );

  it("end with one that is killed", { timeout: 60_000 }, async () => {
    const { code, stdout } = await runRanks(mpi, 2, "missing.ts", ["killed"]);
    expect(code).not.toBe(0);
    expect(stdout).not.toContain("went on");
  });

  it(
    "that this process has started end with one that is killed, which it names",
    { timeout: 60_000 },
    async () => {
      const { code, stdout, stderr } = await runRanks(mpi, null, "missing.ts", ["killed"]);
      expect(code).not.toBe(0);
      expect(stdout).not.toContain("went on");
      expect(stderr.match(/^Rank .* was killed .*$/gm)).toEqual([
        expect.stringMatching(
          /^Rank 1 on \S+ was killed or has crashed at step 7\. The run is ended on all ranks; --resume goes on from the last checkpoint\.$/,
        ),
      ]);
    },
  );

  it("end with one that gives up, for what it says", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await runRanks(mpi, 2, "missing.ts", ["gives up"]);
    expect(code).not.toBe(0);
    expect(stdout).not.toContain("went on");
    expect(stderr).toMatch(/Rank 1 on \S+, at step 7: the device was lost\./);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { EXCEPTIONS, needless, violation } from "../../../bench/compile/budgets.ts";
import { FAMILIES } from "../../../bench/compile/families.ts";
import { labRows } from "../../../bench/compile/figures.ts";
import type { LabRow } from "../../../bench/compile/figures.ts";
import { compileFor } from "../../../bench/compile/lab.ts";
import { whatIsMissing } from "../../../bench/compile/layer.ts";
import { COLUMNS, mostTeraflops, pipelineTable } from "../../../bench/compile/report.ts";
import type { LabStep } from "../../../bench/compile/task.ts";
import { inTestAll, isQuick } from "../../helpers/quick.ts";

const missing = whatIsMissing();
if (missing !== null) console.warn(`No kernels are compiled for cards that are not there. ${missing}`);

const size = { imageSize: 128, batchSize: 64 };
const step = (phase: LabStep["phase"], precision: LabStep["precision"] = "f32"): LabStep => ({
  ...{ encoder: "densenet121", phase, precision },
});

describe.skipIf(missing !== null)("kernels compiled for a card that is not there", () => {
  const cases: [family: string, steps: LabStep[]][] = isQuick
    ? [["navi31", [step("frozen")]]]
    : [
        ["navi31", [step("frozen"), step("finetune"), step("frozen", "f16"), step("finetune", "f16")]],
        ["navi21", [step("frozen"), step("finetune")]],
      ];
  const rows = new Map<string, LabRow[]>();
  beforeAll(async () => {
    for (const [family, steps] of cases) {
      const { pipelines } = await compileFor(family, { ...size, steps });
      rows.set(family, labRows(pipelines, FAMILIES[family]));
    }
  }, 600_000);

  it.each(cases)("keep to the budgets on %s", (family) => {
    const broken = rows.get(family)!.flatMap((row) => {
      const sentence = violation(row);
      return sentence === null ? [] : [`${row.pipeline.label} ${sentence}`];
    });
    expect(broken).toEqual([]);
  });

  it.each(cases)("have a loop with a bound in every product on %s", (family) => {
    const products = rows.get(family)!.filter(({ pipeline }) => pipeline.product !== null);
    expect(products.length).toBeGreaterThan(10);
    for (const { pipeline, figures } of products) {
      const { loop } = figures!;
      expect([pipeline.label, loop === null]).toEqual([pipeline.label, false]);
      expect(loop!.fmasPerLane).toBeGreaterThanOrEqual(64);
      expect(loop!.ldsBytesPerFma).toBeGreaterThan(0);
      expect(loop!.bound).toBeGreaterThan(0.1);
      expect(loop!.bound).toBe(Math.min(loop!.issueBound, loop!.ldsBound));
    }
    const most = mostTeraflops(rows.get(family)!, FAMILIES[family])!;
    expect(most).toBeGreaterThan(1);
  });

  it("are told of pipeline by pipeline", () => {
    const [own] = rows.values();
    const lines = pipelineTable(own).split("\n");
    expect(lines).toHaveLength(own.length + 1);
    expect(lines[0].split(/\s{2,}/)).toHaveLength(15);
    expect(lines[1]).toMatch(/^conv2d_\w+ .* %$/);
    expect(COLUMNS).toContain("subgroups");
  });

  it.skipIf(isQuick)(inTestAll("need every exception that is made"), () => {
    expect(needless([...rows.values()].flat())).toEqual([]);
    expect(EXCEPTIONS.length).toBeGreaterThan(0);
  });

  it("refuses a card that the driver does not know, in a sentence", async () => {
    await expect(compileFor("navi99", { ...size, steps: [step("frozen")] })).rejects.toThrow(
      "navi99: the installed RADV does not know this card: install a newer mesa-vulkan-drivers.",
    );
  });
});

describe("what the lab needs", () => {
  it("is said in one sentence", () => {
    expect(whatIsMissing(null, "no-such-compiler")).toMatch(
      /^The compiler lab needs a C compiler and (Vulkan's headers and )?Mesa's RADV driver \(radeon_icd\.json\): install gcc and (libvulkan-dev and )?mesa-vulkan-drivers, 24\.1 or newer\.$/,
    );
  });
});

import { PRECISIONS } from "../../src/config/precision.ts";
import { ENCODER_NAMES } from "../../src/layers/networks/encoders.ts";
import { textTable } from "../../src/text-table.ts";
import { violation } from "./budgets.ts";
import { FAMILIES } from "./families.ts";
import { labRows } from "./figures.ts";
import { compileFor } from "./lab.ts";
import { mostTeraflops } from "./report.ts";
import type { LabRow } from "./figures.ts";
import { stepsOn } from "./task.ts";

/** Pipelines that spill vector registers, to memory, and scalar ones, to lanes of vector registers. */
const SPILLS = ["spilling", "scalars"];

/**
 * Compiles both phases on every encoder in every precision for each of `families`, and says for each what its pipelines came to
 * and which of them break a budget.
 *
 * @returns how many pipelines broke one.
 */
export async function sweep(
  families: readonly string[],
  size: { readonly imageSize: number; readonly batchSize: number },
  say: (text: string) => void,
): Promise<number> {
  const steps = stepsOn(ENCODER_NAMES);
  let broken = 0;
  for (const name of families) {
    const family = FAMILIES[name];
    const { adapter, pipelines } = await compileFor(name, { ...size, steps });
    const rows = labRows(pipelines, family);
    const lines = ENCODER_NAMES.flatMap((encoder) =>
      PRECISIONS.map((precision) => {
        const of = steps.flatMap((step, i) =>
          step.encoder === encoder && step.precision === precision ? [i] : [],
        );
        const own = rows.filter(({ pipeline }) => of.some((step) => pipeline.dispatches[step] > 0));
        const most = mostTeraflops(own, family, of);
        return [encoder, precision, ...summary(own), most === null ? "" : most.toFixed(1)];
      }),
    );
    say(`${name}: ${family.card}, compiled by ${adapter}; ${size.batchSize} photos of ${size.imageSize}²`);
    say(
      textTable(
        [["encoder", "", "pipelines", "failed", ...SPILLS, "subgroups", "wmma", "TFLOP/s at most"], ...lines],
        [2, 3, 4, 5, 6, 7, 8],
      ),
    );
    const sentences = new Map<string, number>();
    for (const row of rows) {
      const sentence = violation(row);
      if (sentence === null) continue;
      broken++;
      const named = `${row.pipeline.label} ${sentence}`;
      sentences.set(named, (sentences.get(named) ?? 0) + 1);
    }
    for (const [sentence, count] of sentences) say(`  ${count} × ${sentence}`);
    say("");
  }
  return broken;
}

function summary(rows: readonly LabRow[]): string[] {
  const compiled = rows.flatMap(({ figures }) => figures ?? []);
  return [
    String(rows.length),
    String(rows.length - compiled.length),
    String(compiled.filter(({ spills }) => spills > 0).length),
    String(compiled.filter(({ scalarSpills }) => scalarSpills > 0).length),
    String(Math.min(...compiled.map(({ subgroups }) => subgroups))),
    String(compiled.filter(({ loop }) => loop?.matrix).length),
  ];
}

import type { Command } from "commander";
import { convertCommand } from "./definitions/convert.ts";
import { dataCommand } from "./definitions/data.ts";
import { demoCommand } from "./definitions/demo.ts";
import { doctorCommand } from "./definitions/doctor.ts";
import { evalCommand } from "./definitions/eval.ts";
import { fetchCommand } from "./definitions/fetch.ts";
import { predictCommand } from "./definitions/predict.ts";
import { queueCommand } from "./definitions/queue.ts";
import { trainCommand } from "./definitions/train.ts";
import { tuneCommand } from "./definitions/tune.ts";
import { uiCommand } from "./definitions/ui.ts";
import { verifyCommand } from "./definitions/verify.ts";

/** One of the programs of `bespoke`. */
export interface Program {
  /** Under which words `bespoke --help` has it. */
  readonly group: string;
  readonly define: () => Command;
  /** Runs it on `process.argv`. Only here is imported what it does, and the modules that takes. */
  readonly run: () => Promise<unknown>;
}

const TRAINING = "Training:";
const USE = "Using a model:";
const DATA = "Photos and weights:";
const MACHINE = "This machine:";

/** All of them, by name, as `bespoke --help` lists them. */
export const PROGRAMS: ReadonlyMap<string, Program> = new Map(
  [
    { group: TRAINING, define: trainCommand, run: () => import("./train.ts") },
    { group: TRAINING, define: uiCommand, run: () => import("./ui.ts") },
    { group: USE, define: evalCommand, run: () => import("./eval.ts") },
    { group: USE, define: predictCommand, run: () => import("./predict.ts") },
    { group: USE, define: queueCommand, run: () => import("./queue.ts") },
    { group: USE, define: verifyCommand, run: () => import("./verify.ts") },
    { group: USE, define: demoCommand, run: () => import("./demo.ts") },
    { group: USE, define: convertCommand, run: () => import("./convert.ts") },
    { group: DATA, define: dataCommand, run: () => import("./data.ts") },
    { group: DATA, define: fetchCommand, run: () => import("./fetch.ts") },
    { group: MACHINE, define: doctorCommand, run: () => import("./doctor.ts") },
    { group: MACHINE, define: tuneCommand, run: () => import("./tune.ts") },
  ].map((program) => [program.define().name(), program]),
);

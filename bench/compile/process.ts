/** @file The process that opens a card which is not there and compiles for it; `lab.ts` starts it. */
import { rm } from "node:fs/promises";
import { openGpu } from "../../src/adapter/open-gpu.ts";
import { contributedTarget } from "../../src/graph/autotune/contribution.ts";
import { kernelTarget } from "../../src/graph/kernel-target.ts";
import { compileSteps } from "./compile-steps.ts";
import type { LabMessage, LabTask } from "./task.ts";

const say = (message: LabMessage): void => void process.send!(message);

process.once("message", (task: LabTask) => {
  void (async () => {
    try {
      const gpu = await openGpu({ adapter: "hardware" });
      say({ adapter: gpu.adapterName, target: contributedTarget(kernelTarget(gpu)) });
      // What opening it has compiled is no kernel of a step.
      await rm(process.env.COMPILE_RECORD!, { force: true });
      for await (const pipeline of compileSteps(gpu, task, process.env.COMPILE_RECORD!)) say({ pipeline });
      say({ done: true });
    } catch (error) {
      say({ failed: (error as Error).message });
    }
  })();
});

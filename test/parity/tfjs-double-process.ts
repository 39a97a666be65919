import type { TrainingTask } from "./tfjs-training.ts";

process.once("message", (task: TrainingTask) => {
  void (async () => {
    // As lists: a Float32Array from outside is none to the tfjs below.
    const image = Array.from(task.image);
    const variables = new Map([...task.variables].map(([name, values]) => [name, Array.from(values)]));
    globalThis.Float32Array = Float64Array as unknown as Float32ArrayConstructor;
    const { useTfjsCpuForTraining } = await import("./tfjs-backends.ts");
    const { trainWithTfjs } = await import("./tfjs-training.ts");
    await useTfjsCpuForTraining();
    process.send!(await trainWithTfjs({ ...task, image, variables }));
    process.disconnect();
  })();
});

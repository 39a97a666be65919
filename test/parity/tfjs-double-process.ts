import type { DoubleTask } from "./tfjs-double.ts";

process.once("message", ({ kind, task }: DoubleTask) => {
  void (async () => {
    // As lists: a Float32Array from outside is none to the tfjs below.
    const image = Array.from(task.image);
    const variables = new Map([...task.variables].map(([name, values]) => [name, Array.from(values)]));
    globalThis.Float32Array = Float64Array as unknown as Float32ArrayConstructor;
    const { useTfjsCpuForTraining } = await import("./tfjs-backends.ts");
    const { gradientsWithTfjs, trainWithTfjs } = await import("./tfjs-training.ts");
    await useTfjsCpuForTraining();
    const own = { image, variables };
    process.send!(
      kind === "training" ? trainWithTfjs({ ...task, ...own }) : gradientsWithTfjs({ ...task, ...own }),
    );
  })();
});

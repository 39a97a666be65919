import { describeAdapter } from "../adapter/adapters.ts";
import { DAWN_VERSION } from "../adapter/dawn-version.ts";
import { openGpu } from "../adapter/open-gpu.ts";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { printSize, toSize, sizeText } from "../image-size.ts";
import { formatContribution } from "../graph/autotune/contribution.ts";
import { vendorFamily } from "../graph/vendor-family.ts";
import { SHIPPED_TILES } from "../kernels/conv2d/shipped-tiles.ts";
import { encoderNamed } from "../layers/networks/encoders.ts";
import { sizeProblem } from "../layers/networks/image-size.ts";
import { refuseUnknownPrecision } from "../train/precision.ts";
import { describeTuned, tuneStep } from "../train/tune-step.ts";
import { makeFolderOfOutput } from "../use/output-folder.ts";
import { runCommand } from "./run-command.ts";
import { tuneCommand } from "./definitions/tune.ts";
import type { TuneFlags } from "./definitions/tune.ts";

const command = tuneCommand();

await runCommand(command, async (interrupted) => {
  const { encoder: name, precision, adapter, export: file, ...flags } = command.opts<TuneFlags>();
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const encoder = encoderNamed(name);
  const gpu = await openGpu(adapter === undefined ? {} : { adapter });
  try {
    const software = gpu.isSoftware;
    const { size = software ? 64 : 128, batch = software ? 2 : 64, seconds = software ? 300 : 60 } = flags;
    const problem = sizeProblem(encoder, toSize(size));
    if (problem !== null) throw new Error(`--size ${problem} (it is ${printSize(toSize(size))}).`);
    refuseUnknownPrecision(gpu, { precision });
    // A place that cannot be written to is told of before the work.
    if (file !== undefined) await makeFolderOfOutput(file, "--export");
    const family = vendorFamily(gpu);
    const { source } = SHIPPED_TILES[family];
    say(`Adapter: ${describeAdapter(gpu).name} (${family})`);
    say(`Default tiles: ${typeof source === "string" ? source : `from ${source.join(", ")}`}`);
    say(`Step: ${encoder.title}, ${batch} photos of ${sizeText(size)}, ${precision}`);
    const tuned = await tuneStep(gpu, {
      ...{ encoder, imageSize: size, batchSize: batch, precision, seconds },
      ...{ signal: interrupted, say },
    });
    say(`\n${describeTuned(tuned)}\n`);
    say(`Kept for training in ${tuned.path}`);
    if (file !== undefined) {
      if (tuned.products.length === 0) throw new Error("No product was timed: give more --seconds.");
      const contribution = {
        ...{ family, source: "card" as const, adapter: gpu.adapterName, driver: gpu.info.description },
        ...{ dawn: DAWN_VERSION, date: new Date().toISOString().slice(0, 10) },
        workload: `a fine-tuning step and its evaluation, ${encoder.name}, ${batch} photos of ${sizeText(size)}, ${precision}`,
        target: tuned.target,
        products: tuned.products,
      };
      await writeFileAtomically(file, [new TextEncoder().encode(formatContribution(contribution))]);
      say(`Written: ${file} (how to contribute it: CONTRIBUTING.md)`);
    }
  } finally {
    gpu.destroy();
  }
});

/** @file What is measured in one sitting on a machine with a GPU, the most valuable first. */

/** One process of a sitting. */
export interface Part {
  /** Of its log, and of the file it leaves. */
  readonly name: string;
  /** Seconds after which it is ended. */
  readonly limit: number;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface PartOptions {
  /** Where results go. */
  readonly out: string;
  readonly size: number;
  readonly batch: number;
  /** Steps timed. */
  readonly steps: number;
  /** Leaves out what a rehearsal on a software adapter cannot run. */
  readonly rehearsal: boolean;
}

export interface ArticleOptions extends Pick<PartOptions, "out" | "rehearsal"> {
  /** The folder of photos that pack.ts made. */
  readonly data: string;
  /** The file with the encoder's weights. */
  readonly encoder: string;
}

const PHASES = ["finetune", "frozen"] as const;
const PRECISIONS = ["f32", "f16"] as const;
/** Of bench/peers/pytorch_unet.py. */
const PYTORCH = ["eager-fp32", "eager-tf32", "amp-fp16", "compile-amp-fp16"] as const;

const node = (file: string, ...args: string[]): string[] => ["node", "--import", "tsx", file, ...args];

/** The training step beside its peers, the kernels beside the adapter's ceilings, the matrices beside their references. */
export function measurements({ out, size, batch, steps, rehearsal }: PartOptions): Part[] {
  const shape = ["--size", String(size), "--batch", String(batch)];
  const step = (name: string, ...args: string[]): string[] =>
    node("bench/step.ts", ...shape, "--json", `${out}/${name}.json`, ...args);
  const timed = ["--steps", String(steps), "--no-tfjs"];
  const ours = PHASES.flatMap((phase) =>
    PRECISIONS.map((precision): Part => {
      const name = `step-${phase}-${precision}`;
      return {
        name,
        limit: 75,
        command: step(name, ...timed, "--phase", phase, "--precision", precision),
      };
    }),
  );
  const peers = PYTORCH.map((precision): Part => {
    const name = `pytorch-${precision}`;
    const json = ["--json", `${out}/${name}.json`];
    const what = ["--phase", "finetune", "--precision", precision, "--format", "channels-last"];
    return {
      name,
      limit: precision.startsWith("compile") ? 100 : 40,
      command: [
        "python3",
        "bench/peers/pytorch_unet.py",
        ...shape,
        "--steps",
        String(steps),
        ...what,
        ...json,
      ],
    };
  });
  const parts: Part[] = [
    { name: "doctor", limit: 40, command: node("src/cli/doctor.ts", "--json") },
    ...ours,
    ...(rehearsal ? [] : peers),
    {
      name: "step-tfjs",
      limit: 60,
      command: step("step-tfjs", "--steps", "3", "--phase", "finetune", "--no-profile"),
    },
    {
      name: "kernels",
      limit: 60,
      command: node("bench/main.ts", ...shape, "--no-tfjs", "--json", `${out}/kernels.json`),
    },
    // Dawn's tests of every index, which kernels of ours do not need: what they cost.
    {
      name: "step-finetune-f32-without-robustness",
      limit: 60,
      command: step("step-finetune-f32-without-robustness", ...timed, "--phase", "finetune", "--no-profile"),
      env: { BESPOKE_DAWN_TOGGLES: "disable_robustness" },
    },
    {
      name: "matrices",
      limit: 90,
      command: ["node", "node_modules/vitest/vitest.mjs", "run", "matri"],
    },
  ];
  return rehearsal ? parts.filter(({ name }) => name !== "matrices") : parts;
}

/** The article's whole recipe on the real photos. */
export function articleRuns({ out, data, encoder, rehearsal }: ArticleOptions): Part[] {
  const short = rehearsal
    ? ["--preset", "quick", "--max-steps", "2", "--batch-size", "2"]
    : ["--preset", "article"];
  return PRECISIONS.map((precision): Part => {
    const name = `article-${precision}`;
    const what = ["--data", data, "--weights", encoder, "--precision", precision, "--out", `${out}/${name}`];
    return { name, limit: 170, command: node("src/cli/train.ts", ...short, ...what) };
  });
}

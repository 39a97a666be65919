/**
 * @file How fast `predict` labels photos, and which stage limits it: `npm run bench:predict -- --model runs/train-1 --images photos`.
 *
 * At a small and a large image size, says photos a second and, of each stage, the share of the time in which it worked. With `--against
 * FOLDER`, a checkout of another revision with its modules, the programs of both label the same photos in turns, as processes of their own;
 * what one photo takes, which is starting up and compiling, is taken off each. Files that are not the same are named: byte for byte, pictures
 * pixel for pixel.
 */
import { spawn } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { openGpu } from "../src/adapter/open-gpu.ts";
import { count } from "../src/data/data-error.ts";
import { sharp } from "../src/data/sharp.ts";
import { namesOf } from "../src/cli/names-option.ts";
import { makeFolder } from "../src/files/make-folder.ts";
import { sizeText } from "../src/image-size.ts";
import { FolderSink } from "../src/use/folder-sink.ts";
import { loadModel } from "../src/use/model.ts";
import { OUTPUTS } from "../src/use/output-kinds.ts";
import type { OutputKind } from "../src/use/output-kinds.ts";
import { photosToLabel } from "../src/use/predict-files.ts";
import { predictPhotos, STAGES } from "../src/use/predict.ts";
import type { PhotoToLabel } from "../src/use/predict.ts";
import { Predictor } from "../src/use/predictor.ts";
import { positive, run } from "./command.ts";

interface Options {
  readonly model: string;
  readonly images: string;
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly outputs: readonly OutputKind[];
  readonly against?: string;
}

const HERE = fileURLToPath(new URL("..", import.meta.url));

async function main(options: Options): Promise<void> {
  const temporary = await mkdtemp(join(tmpdir(), "bespoke-bench-predict-"));
  try {
    const { photos } = await photosToLabel(options.images, temporary);
    const gpu = await openGpu();
    console.log(
      `${gpu.adapterName}, ${availableParallelism()} cores, ${count(photos.length, "photo")}, files: ${options.outputs.join(", ")}`,
    );
    try {
      for (const size of options.sizes) await stages(gpu, photos, size, temporary, options);
    } finally {
      gpu.destroy();
    }
    if (options.against === undefined) return;
    for (const size of options.sizes) await pairs(photos, size, temporary, options);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Photos a second, and the stages' shares of the time. */
async function stages(
  gpu: Awaited<ReturnType<typeof openGpu>>,
  photos: readonly PhotoToLabel[],
  size: number,
  temporary: string,
  { model: path, outputs }: Options,
): Promise<void> {
  const model = await loadModel(path, { imageSize: { width: size, height: size } });
  const predictor = await Predictor.create(gpu, model);
  const out = join(temporary, "own");
  await makeFolder(out);
  try {
    // What is compiled, and read from disk, the first time.
    await predictPhotos(predictor, photos.slice(0, predictor.photosAtOnce), new FolderSink(out), { outputs });
    const { labelled, failed, seconds, stages } = await predictPhotos(
      predictor,
      photos,
      new FolderSink(out),
      {
        outputs,
      },
    );
    if (failed > 0) throw new Error(`${count(failed, "photo")} could not be labelled.`);
    const shares = STAGES.map((stage) => {
      const { worked, inHand } = stages[stage];
      const share = Math.round((100 * worked) / seconds);
      return `${stage} ${share} % (${((1000 * inHand) / labelled).toFixed(0)} ms a photo)`;
    });
    console.log(`${sizeText(size)}: ${(labelled / seconds).toFixed(2)} photos/s; ${shares.join(", ")}`);
  } finally {
    predictor.destroy();
  }
}

/** Whole programs, in turns. */
async function pairs(
  photos: readonly PhotoToLabel[],
  size: number,
  temporary: string,
  { model, images, rounds, outputs, against = HERE }: Options,
): Promise<void> {
  const one = join(temporary, `one-${size}`);
  await makeFolder(one);
  await copyFile(photos[0].photo, join(one, basename(photos[0].photo)));
  const measure = async (folder: string, name: string): Promise<Spent> => {
    const own = folder === HERE && outputs.length < OUTPUTS.length ? ["--outputs", outputs.join(",")] : [];
    const label = (from: string, to: string): Promise<Spent> =>
      predict(folder, [
        "--model",
        model,
        "--images",
        from,
        "--image-size",
        String(size),
        "--out",
        to,
        ...own,
      ]);
    const start = await label(one, join(temporary, `${name}-one`));
    const all = await label(images, join(temporary, name));
    return { wall: all.wall - start.wall, cpu: all.cpu - start.cpu };
  };
  const ratios: Spent[] = [];
  for (let round = 0; round < rounds; round++) {
    const other = await measure(against, "other");
    const own = await measure(HERE, "own");
    ratios.push({ wall: other.wall / own.wall, cpu: other.cpu / own.cpu });
    const rate = ({ wall }: Spent): string => `${((photos.length - 1) / wall).toFixed(2)} photos/s`;
    const last = ratios.at(-1)!;
    console.log(
      `${sizeText(size)}: ${rate(own)} beside ${rate(other)}, ${last.wall.toFixed(2)} times as fast, ` +
        `${last.cpu.toFixed(2)} times less processor time`,
    );
  }
  const middle = (what: keyof Spent): string => median(ratios.map((ratio) => ratio[what])).toFixed(2);
  console.log(`${sizeText(size)}: medians ${middle("wall")} and ${middle("cpu")}`);
  const differing = await differ(join(temporary, "own"), join(temporary, "other"));
  console.log(differing.length === 0 ? "The same files." : `Not the same: ${differing.join(", ")}`);
}

/** Seconds. */
interface Spent {
  readonly wall: number;
  readonly cpu: number;
}

async function predict(folder: string, args: readonly string[]): Promise<Spent> {
  const [begin, cpu] = [performance.now(), await childrenSeconds()];
  const child = spawn(process.execPath, ["scripts/launch.mjs", "src/cli/predict.ts", ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += String(chunk)));
  const code = await new Promise((resolve, reject) => child.on("close", resolve).on("error", reject));
  if (code !== 0) throw new Error(`predict in ${folder} ended with ${String(code)}: ${said}`);
  return { wall: (performance.now() - begin) / 1000, cpu: (await childrenSeconds()) - cpu };
}

/** Processor time of all processes that were started here and have ended (proc_pid_stat(5), fields 16 and 17); not a number where Linux is not. */
async function childrenSeconds(): Promise<number> {
  const stat = await readFile("/proc/self/stat", "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** The names of files that do not hold the same in both folders, of those in the first. */
async function differ(first: string, second: string): Promise<string[]> {
  const names = await readdir(first);
  const isOther = await Promise.all(
    names.map(async (name) => {
      const [a, b] = await Promise.all(
        [first, second].map((folder) => readFile(join(folder, name)).catch(() => null)),
      );
      if (a === null || b === null) return true;
      return !a.equals(b) && !(name.endsWith(".png") && (await pixelsOf(a)).equals(await pixelsOf(b)));
    }),
  );
  return names.filter((_, i) => isOther[i]);
}

const pixelsOf = (png: Buffer): Promise<Buffer> => sharp(png).raw().toBuffer();

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

function sizesOf(text: string): number[] {
  const sizes = text.split(",").map(Number);
  if (sizes.some((size) => !(size > 0 && size % 32 === 0)))
    throw new InvalidArgumentError(`"${text}" is not multiples of 32 with commas between.`);
  return sizes;
}

const command = new Command("bench:predict")
  .requiredOption("--model <path>", "a run, or the file of a model", (path: string) => resolve(path))
  .requiredOption("--images <folder>", "photos", (path: string) => resolve(path))
  .option("--sizes <pixels>", "image sizes, with commas between", sizesOf, [32, 256])
  .option("--outputs <kinds>", "files that are made", namesOf(OUTPUTS), [...OUTPUTS])
  .option("--against <folder>", "a checkout of another revision", (path: string) => resolve(path))
  .option("--rounds <n>", "pairs", positive, 3);
await run(command, main);

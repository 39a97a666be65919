/**
 * @file What a bare x86-64 Linux machine with a GPU lacks to run this project, in two folders that can be carried there:
 * `npm run bench:gpu:pack -- --data PATH --weights FILE`. See README.md.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, parse } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { resizeBilinear } from "../../src/data/resize.ts";
import { decodeMask } from "../../src/data/mask.ts";
import { decodePhoto } from "../../src/data/photo.ts";
import { sharp } from "../../src/data/sharp.ts";
import { formatBytes } from "../../src/text-table.ts";
import { run } from "../command.ts";

const HERE = dirname(fileURLToPath(import.meta.url));

/** Debian's packages of the Vulkan loader and of what NVIDIA's driver loads beside it. */
const LIBRARIES = ["libvulkan1", "libegl1", "libglvnd0", "libopengl0", "libgl1", "libglx0", "libgles2"];

/** Modules, and parts of them, that no measurement needs: other platforms' binaries, what checks and formats, sources. */
const LEFT_OUT = [
  ...["*/webgpu/dist/darwin*", "*/webgpu/dist/win32*", "*/webgpu/dist/linux-arm64"],
  ...["node_modules/@sparticuz", "node_modules/playwright*", "node_modules/.cache", "node_modules/.vite*"],
  ...["node_modules/typescript", "node_modules/*eslint*", "node_modules/onnxruntime*"],
  ...["node_modules/prettier", "node_modules/@types", "node_modules/zod/src"],
  ...["*.map", "*.d.ts", "*.d.mts", "*.d.cts", "*.md"],
];

/** Side that photos are resized to, the article's. */
const SIZE = 128;

interface Options {
  readonly to: string;
  readonly data?: string;
  readonly dataTo: string;
  readonly weights?: string;
}

async function main({ to, data, dataTo, weights }: Options): Promise<void> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error("Only an x86-64 Linux can pack what one needs: pack there.");
  mkdirSync(to, { recursive: true });
  shell(`xz -T0 -6 -c "$0" >"$1"`, process.execPath, join(to, "node.xz"));
  packLibraries(join(to, "lib.tar.xz"));
  packModules(join(to, "node_modules.tar.xz"));
  copyFileSync(join(HERE, "setup.sh"), join(to, "setup.sh"));
  say(to);
  if (data === undefined) return;
  await packPhotos(data, dataTo);
  if (weights !== undefined) copyFileSync(weights, join(dataTo, `encoder${extname(weights)}`));
  say(dataTo);
}

const shell = (command: string, ...values: string[]): string =>
  execFileSync("bash", ["-euo", "pipefail", "-c", command, ...values], { encoding: "utf8" });

/** The shared libraries alone, which need no installing. */
function packLibraries(file: string): void {
  const folder = mkdtempSync(join(tmpdir(), "bespoke-libraries-"));
  try {
    execFileSync("apt-get", ["download", ...LIBRARIES], { cwd: folder, stdio: "ignore" });
    shell(
      `cd "$0"; for package in *.deb; do dpkg -x "$package" out; done; cd out/usr/lib/x86_64-linux-gnu; tar cJf "$1" ./*.so*`,
      folder,
      join(process.cwd(), file),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function packModules(file: string): void {
  const pruned = LEFT_OUT.flatMap((pattern, i) => [...(i === 0 ? [] : ["-o"]), "-path", pattern]);
  const tfjs = ["-o", "-path", "*/@tensorflow/*/dist/*", "!", "-name", "*.node.js"];
  const kept = ["-prune", "-o", "(", "-type", "f", "-o", "-type", "l", ")", "-print"];
  const found = ["node_modules", "(", ...pruned, ...tfjs, ")", ...kept];
  shell(`find "\${@:1}" | tar c -T - | xz -T0 -6 >"$0"`, file, ...found);
}

/**
 * Photos and masks as a run at 128² would resize them: photos as JPEG of quality 97 without subsampling, within a grey level or
 * two, so that all of them are small enough to carry.
 */
async function packPhotos(from: string, to: string): Promise<void> {
  const size = { width: SIZE, height: SIZE };
  const raw = (channels: 1 | 3) => ({ raw: { ...size, channels } });
  for (const kind of ["images", "masks"]) mkdirSync(join(to, kind), { recursive: true });
  for (const name of readdirSync(join(from, "images"))) {
    const photo = await decodePhoto(join(from, "images", name));
    const pixels = Uint8Array.from(resizeBilinear(photo.pixels, photo, 3, size), Math.round);
    await sharp(pixels, raw(3))
      .jpeg({ quality: 97, chromaSubsampling: "4:4:4" })
      .toFile(join(to, "images", `${parse(name).name}.jpg`));
  }
  for (const name of readdirSync(join(from, "masks"))) {
    const mask = await decodeMask(join(from, "masks", name));
    const labels = Uint8Array.from(resizeBilinear(mask.labels, mask, 1, size));
    await sharp(labels, raw(1))
      .png({ compressionLevel: 9 })
      .toFile(join(to, "masks", `${parse(name).name}.png`));
  }
  for (const name of ["labels.csv", "LICENSE"])
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
}

function say(folder: string): void {
  const bytes = Number(shell(`du -sb "$0" | cut -f1`, folder));
  const files = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  console.log(`${basename(folder)}: ${formatBytes(bytes)} (${files.join(", ")})`);
}

const command = new Command("bench:gpu:pack")
  .description("Packs what a bare machine with a GPU lacks to measure this project; see bench/gpu/README.md.")
  .option("--to <folder>", "where Node, libraries and modules go", ".gpu")
  .option("--data <folder>", "photos and masks (images/, masks/, labels.csv) to pack at 128×128")
  .option("--data-to <folder>", "where they go", ".gpudata")
  .option("--weights <file>", "the encoder's weights, to go with them");

await run(command, main);

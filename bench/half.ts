/** @file What it takes the host to convert gradients to half precision and back, as `--wire f16` does: milliseconds of a core. */
import { cpus } from "node:os";
import { float16ToFloat32, float32ToFloat16 } from "../src/half-floats.ts";

const COUNT = 2 ** 24;
const RUNS = 5;

const numbers = Float32Array.from(
  { length: COUNT },
  (_, i) => Math.sin(0.37 * i) * Math.exp(-(i % 1000) / 80),
);

/** The least of several runs, in processor time: other work on the machine is not counted. */
function milliseconds(work: () => unknown): number {
  const times = Array.from({ length: RUNS }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...times);
}

let halves: Uint16Array = new Uint16Array();
const to = milliseconds(() => (halves = float32ToFloat16(numbers, 4096)));
const from = milliseconds(() => float16ToFloat32(halves));
console.log(`${cpus()[0].model}: 16 Mi numbers to f16 in ${to.toFixed(0)} ms, back in ${from.toFixed(0)} ms`);

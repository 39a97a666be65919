// An op with kernels of its own (silu.ts) in a small network that learns a sine.  npm run example -- own-kernel [steps]
import { adam, compile, glorotUniform, gradients, Graph, zeros } from "bespoke";
import type { Tensor } from "bespoke";
import { dense } from "bespoke/nn";
import { openGpu } from "bespoke/node";
import { meanSquaredError } from "./mean-squared-error.ts";
import { silu } from "./silu.ts";

const steps = Number(process.argv[2] ?? 600);
const POINTS = 128;
const HIDDEN = 32;

const graph = new Graph();
const layer = (x: Tensor, name: string, units: number): Tensor => {
  const kernel = graph.parameter(`${name}/kernel`, [x.shape[1], units], glorotUniform);
  return dense(x, kernel, graph.parameter(`${name}/bias`, [units], zeros));
};
const input = graph.input("x", [POINTS, 1]);
const hidden = silu(layer(silu(layer(input, "hidden_1", HIDDEN)), "hidden_2", HIDDEN));
const prediction = layer(hidden, "out", 1);
const loss = meanSquaredError(prediction, graph.input("y", [POINTS, 1]));
const updates = adam(gradients(loss), { learningRate: 0.01 });

const x = Float32Array.from({ length: POINTS }, (_, i) => (2 * Math.PI * (i - POINTS / 2)) / POINTS);
const y = x.map(Math.sin);

const gpu = await openGpu();
const program = await compile(gpu, { outputs: { loss, prediction }, updates });
for (let step = 1; step <= steps; step++) {
  const { loss } = await program.run({ x, y }, ["loss"]);
  if (step === 1 || step === steps || step % 100 === 0)
    console.log(`step ${step}: loss ${loss[0].toPrecision(3)}`);
}

const learned = await program.read("prediction");
console.log("\n     x    sin(x)  learned");
for (let i = 0; i < POINTS; i += POINTS / 8) {
  console.log([x[i], y[i], learned[i]].map((value) => value.toFixed(3).padStart(8)).join(" "));
}
gpu.destroy();

// Linear regression: finds the line y = 3x − 1 from noisy points.  npm run example -- regression [steps]
import { adam, compile, gradients, Graph, seededRandom, zeros } from "bespoke";
import { dense, meanSquaredError } from "bespoke/nn";
import { openGpu } from "bespoke/node";

const steps = Number(process.argv[2] ?? 300);
const random = seededRandom(0, "points");
const x = Float32Array.from({ length: 64 }, () => 2 * random() - 1);
const y = x.map((x) => 3 * x - 1 + 0.1 * (random() - 0.5));

const gpu = await openGpu();
const graph = new Graph();
const slope = graph.parameter("slope", [1, 1], zeros);
const intercept = graph.parameter("intercept", [1], zeros);
const line = dense(graph.input("x", [64, 1]), slope, intercept);
const loss = meanSquaredError(line, graph.input("y", [64, 1]));
const updates = adam(gradients(loss), { learningRate: 0.05 });
const program = await compile(gpu, { outputs: { loss, slope, intercept }, updates });

for (let step = 1; step <= steps; step++) {
  const { loss, slope, intercept } = await program.run({ x, y });
  if (step === 1 || step === steps || step % 50 === 0) {
    const [a, b] = [slope[0].toFixed(3), Math.abs(intercept[0]).toFixed(3)];
    console.log(`step ${step}: loss ${loss[0].toFixed(5)}, y = ${a}x ${intercept[0] < 0 ? "−" : "+"} ${b}`);
  }
}
gpu.destroy();

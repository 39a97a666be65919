import { adam, compile, Gpu, gradients, Graph, zeros } from "bespoke";
import { dense, meanSquaredError } from "bespoke/nn";

const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!);
const graph = new Graph();
const slope = graph.parameter("slope", [1, 1], zeros);
const intercept = graph.parameter("intercept", [1], zeros);
const line = dense(graph.input("x", [64, 1]), slope, intercept);
const loss = meanSquaredError(graph.input("y", [64, 1]), line);
const updates = adam(gradients(loss), { learningRate: 0.05 });
const step = await compile(gpu, { outputs: { loss, slope, intercept }, updates });
const x = Float32Array.from({ length: 64 }, (_, i) => i / 64);
for (let i = 0; i < 300; i++) console.log((await step.run({ x, y: x.map((x) => 3 * x - 1) })).loss[0]);

import { add, compile, Gpu, Graph } from "bespoke";

const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!);
const graph = new Graph();
const sum = add(graph.input("a", [3]), graph.input("b", [3]));
const program = await compile(gpu, { outputs: { sum } });
console.log((await program.run({ a: Float32Array.of(1, 2, 3), b: Float32Array.of(4, 5, 6) })).sum);

// A character transformer that learns a text and writes on.  npm run example -- transformer [steps] [text file]
import { adamw, clipByGlobalNorm, compile, gradients, Graph, seededRandom, Variables } from "bespoke";
import { sparseSoftmaxCrossEntropy } from "bespoke/nn";
import { openGpu } from "bespoke/node";
import { readFileSync } from "node:fs";
import { ALICE } from "./alice.ts";
import { transformer } from "./character-transformer.ts";

const steps = Number(process.argv[2] ?? 200);
const file = process.argv.at(3);
const [BATCH, LENGTH, WRITTEN] = [16, 64, 300];

const text = file === undefined ? ALICE : readFileSync(file, "utf8");
const characters = [...new Set(text)].sort();
const tokens = Uint32Array.from(text, (character) => characters.indexOf(character));
if (tokens.length <= LENGTH) throw new Error(`The text has to have more than ${LENGTH} characters.`);
// Kernels are quicker where channels come in fours; nothing is ever labelled with the tokens that are too many.
const vocabulary = 4 * Math.ceil(characters.length / 4);
const model = transformer({ vocabulary, length: LENGTH, channels: 128, heads: 4, blocks: 2 });

const gpu = await openGpu();
console.log(`Adapter: ${gpu.adapterName}`);
const variables = new Variables(gpu, { seed: 1 });

const training = new Graph();
const logits = model(training.input("tokens", [BATCH, LENGTH], "u32"), { training: true });
const loss = sparseSoftmaxCrossEntropy(logits, training.input("labels", [BATCH, LENGTH], "u32"));
const { gradients: clipped } = clipByGlobalNorm(gradients(loss), 1);
const updates = adamw(clipped, { learningRate: 2e-3, weightDecay: 0.01 });
const step = await compile(gpu, { outputs: { loss }, updates, variables });
console.log(`${characters.length} different characters; a step takes ${step.summary.dispatches} dispatches.`);

/** Pieces of the text that begin anywhere, and the character that follows each of theirs. */
function batch(number: number): { tokens: Uint32Array; labels: Uint32Array } {
  const random = seededRandom(number, "batch");
  const begins = Array.from({ length: BATCH }, () => Math.floor(random() * (tokens.length - LENGTH)));
  const pieces = (from: number): Uint32Array =>
    Uint32Array.from(begins.flatMap((begin) => [...tokens.subarray(begin + from, begin + from + LENGTH)]));
  return { tokens: pieces(0), labels: pieces(1) };
}

for (let number = 1; number <= steps; number++) {
  const { loss } = await step.run(batch(number));
  if (number === 1 || number === steps || number % 25 === 0)
    console.log(`step ${number}: loss ${loss[0].toFixed(4)}`);
}

// Another program over the same variables writes on, one character a run. What stands behind the last one is not looked at.
const writing = new Graph();
const next = model(writing.input("tokens", [1, LENGTH], "u32"));
const write = await compile(gpu, { outputs: { next }, variables });
const random = seededRandom(1, "writing");
const written = [...tokens.subarray(0, 16)];
while (written.length < WRITTEN) {
  const seen = written.slice(-LENGTH);
  const { next } = await write.run({ tokens: Uint32Array.from({ length: LENGTH }, (_, i) => seen[i] ?? 0) });
  written.push(draw(next.subarray((seen.length - 1) * vocabulary).subarray(0, characters.length), 0.7));
}
console.log(`\n${written.map((token) => characters[token]).join("")}`);
gpu.destroy();

/** A token by the softmax of its logits; a lower temperature takes the likely ones more often. */
function draw(logits: Float32Array, temperature: number): number {
  const largest = Math.max(...logits);
  const weights = Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
  let left = random() * weights.reduce((a, b) => a + b);
  return Math.max(
    0,
    weights.findIndex((weight) => (left -= weight) < 0),
  );
}

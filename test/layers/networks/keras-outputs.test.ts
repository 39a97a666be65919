import { describe, expect, it } from "vitest";
import { Graph } from "../../../src/graph/graph.ts";
import { compile } from "../../../src/graph/compile.ts";
import { softmax } from "../../../src/graph/ops/softmax.ts";
import { Variables } from "../../../src/graph/variables.ts";
import { encode } from "../../../src/layers/encoder.ts";
import type { Encoder } from "../../../src/layers/networks/encoder.ts";
import { ENCODERS } from "../../../src/layers/networks/encoders.ts";
import { useGpu } from "../../helpers/gpu.ts";
import { inTestAll, isQuick } from "../../helpers/quick.ts";
import { summaryError } from "../../helpers/tensor-summary.ts";
import type { TensorSummary } from "../../helpers/tensor-summary.ts";
import { drawnPhotos, drawnVariables } from "./drawn.ts";
import { kerasFixture } from "./keras-fixture.ts";

/** Of the largest number of a tensor. */
const LIMIT = 1e-5;
/** A deeper one of a kind that is there. */
const DEEPER = ["densenet169", "densenet201"];

const gpu = useGpu();

describe("an encoder's taps and top are Keras's", () => {
  for (const encoder of ENCODERS) {
    const left = isQuick && DEEPER.includes(encoder.name);
    it.skipIf(left)(left ? inTestAll(encoder.title) : encoder.title, async () => {
      const { gain, outputs } = await kerasFixture(encoder);
      const variables = new Variables(gpu(), {
        values: drawnVariables([...encoder.layers(), ...encoder.top()], gain),
      });
      try {
        const sizes = Object.keys(outputs).map(Number);
        for (const size of isQuick ? sizes.slice(0, 1) : sizes) {
          const errors = await errorsAt(encoder, variables, { size, expected: outputs[size] });
          expect(Object.keys(errors)).toHaveLength(7);
          for (const [name, error] of Object.entries(errors)) {
            expect(error, `${name} of a photo of ${size}×${size}`).toBeLessThan(LIMIT);
          }
        }
      } finally {
        variables.destroy();
      }
    });
  }
});

/** How far each tap, the logits and the probabilities are from Keras's. */
async function errorsAt(
  encoder: Encoder,
  variables: Variables,
  { size, expected }: { size: number; expected: Readonly<Record<string, TensorSummary>> },
): Promise<Record<string, number>> {
  const graph = new Graph();
  const image = graph.input("image", [1, size, size, 3]);
  const { taps, top } = encode(image, encoder, { training: false, trainable: false, top: true });
  const outputs = { ...taps, logits: top!, probabilities: softmax(top!) };
  const program = await compile(gpu(), { outputs, variables });
  try {
    const results = await program.run({
      image: drawnPhotos(size, { inside: encoder.preprocessing === "inside" }),
    });
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { shape }]) => [
        name,
        summaryError({ shape, values: results[name as keyof typeof results] }, expected[name]),
      ]),
    );
  } finally {
    program.destroy();
  }
}

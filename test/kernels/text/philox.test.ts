import { expect, it } from "vitest";
import { kernelTarget } from "../../../src/graph/kernel-target.ts";
import { perItemKernel } from "../../../src/kernels/text/per-item.ts";
import { philoxText } from "../../../src/kernels/text/philox.ts";
import { runKernels, useGpu } from "../../helpers/gpu.ts";
import { philox } from "../../helpers/philox.ts";

const gpu = useGpu();

/** Counter, key and words of Random123's `kat_vectors` for philox4x32-10. */
const KNOWN = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

it("philox gives the words that its authors publish", async () => {
  const kernel = perItemKernel(kernelTarget(gpu()), KNOWN.length, {
    label: "philox",
    read: { counter: "array<vec4u>", key: "array<vec2u>" },
    write: { words: "array<vec4u>" },
    functions: philoxText,
    body: "store_words(index, philox(load_counter(index), load_key(index)));",
  });
  const buffers = {
    counter: Uint32Array.from(KNOWN.flatMap(([counter]) => counter)),
    key: Uint32Array.from(KNOWN.flatMap(([, key]) => key)),
    words: 4 * KNOWN.length,
  };
  const { words } = await runKernels(gpu(), [kernel], buffers, ["words"]);
  const expected = KNOWN.flatMap(([, , words]) => words);
  expect([...new Uint32Array(words.buffer)]).toEqual(expected);
  // What other tests hold masks against.
  expect(KNOWN.flatMap(([counter, key]) => philox(counter, key))).toEqual(expected);
});

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { beforeAll, describe, expect, it } from "vitest";
import { recordTape } from "../../bench/tfjs-tape.ts";

beforeAll(() => tf.setBackend("cpu"));

describe("tfjs's backward pass alone", () => {
  const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => tf.relu(tf.add(tf.mul(x, w), tf.square(x)));

  it("gives the gradients of tf.grads, each time it is asked", () => {
    const [x, w] = [tf.tensor1d([1, -2, 3]), tf.tensor1d([0.5, -1, -4])];
    const dy = tf.tensor1d([1, 2, 3]);
    const tape = recordTape(() => f(x, w));
    expect(tape.shape).toEqual([3]);
    const expected = tf
      .grads(f)([x, w], dy)
      .map((gradient) => [...gradient.dataSync()]);
    for (let time = 0; time < 2; time++) {
      const found = tape.backward(dy, [x, w]).map((gradient) => [...gradient.dataSync()]);
      expect(found).toEqual(expected);
    }
    expect(expected).toEqual([[2.5, -10, 0], [1, -4, 0]]); // prettier-ignore
  });

  it("computes only what it is asked for and keeps nothing once disposed", () => {
    const [x, w] = [tf.tensor1d([1]), tf.tensor1d([2])];
    const before = tf.memory().numTensors;
    const tape = recordTape(() => f(x, w));
    const [dw] = tape.backward(x, [w]);
    expect([...dw.dataSync()]).toEqual([1]);
    expect(() => tape.backward(x, [tf.tensor1d([3])])).toThrow("does not depend on input 0");
    dw.dispose();
    tape.dispose();
    // The tensor asked about in vain.
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});

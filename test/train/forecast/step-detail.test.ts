import { expect, it } from "vitest";
import { describeSteps } from "../../../src/train/forecast/step-detail.ts";
import type { TrainerOptions } from "../../../src/train/trainer-options.ts";
import { useGpu } from "../../helpers/gpu.ts";

const gpu = useGpu();
const options = {
  ...{ batchSize: 2, imageSize: 32, classes: 5, momentum: 0.99, optimizer: "rmsprop", clipNorm: null },
  ...{ weighted: false, epochs: { frozen: 1, finetune: 0 } },
} as unknown as TrainerOptions;

it("says what a step runs and how long each kernel takes, and leaves nothing on the device", async () => {
  const before = gpu().bytes;
  const said: string[] = [];
  await describeSteps(gpu(), options, "kernels", (lines) => said.push(lines));
  const [planned, times] = said;
  expect(said).toHaveLength(2);
  expect(planned).toMatch(/^A step of 2 photos \(encoder frozen\):\n +op /);
  expect(planned).toMatch(/\d+ dispatches of \d+ pipelines bind .*; products of \S+ MFLOP\n/);
  if (gpu().features.has("timestamp-query")) {
    expect(times).toMatch(/^Kernels of a step \(encoder frozen\), mean of 3:\nop /);
    expect(times).toMatch(/\nconv2d +conv2d_forward +\d+ +[\d.]+ +[\d.]+ % +[\d.]+ +[\d.]+\n/);
  } else {
    expect(times).toMatch(/cannot time its kernels: it has no timestamp-query\.$/);
  }
  expect(gpu().bytes).toBe(before);
});

it("says where kernels cannot be timed, and times nothing where only the plan is asked for", async () => {
  const blind = new Proxy(gpu(), {
    get: (target, name) =>
      name === "features" ? new Set<string>() : (Reflect.get(target, name, target) as unknown),
  });
  const said: string[] = [];
  await describeSteps(blind, options, "kernels", (lines) => said.push(lines));
  expect(said[1]).toBe(`${gpu().adapterName} cannot time its kernels: it has no timestamp-query.`);
  await describeSteps(gpu(), options, "plan", (lines) => said.push(lines));
  expect(said).toHaveLength(3);
});

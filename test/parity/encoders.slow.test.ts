import { expect, it } from "vitest";
import { mobileNetV2 } from "../../src/layers/networks/mobilenet-v2.ts";
import { useGpu } from "../helpers/gpu.ts";
import { compareEncoderStep } from "./encoder-step.ts";
import { tableLines } from "./report.ts";

const gpu = useGpu();

// `npm run parity -- --only encoders` compares all of them; this one takes tfjs the least time.
it("a fine-tuning step on MobileNetV2 has tfjs's loss and gradients", async () => {
  const row = await compareEncoderStep(gpu(), mobileNetV2);
  expect(row.ok, tableLines([row]).join("\n")).toBe(true);
});

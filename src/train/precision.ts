import type { Gpu } from "../gpu/gpu.ts";
import { ConfigError } from "../config/index.ts";
import type { TrainConfig } from "../config/index.ts";
import { programLine } from "../files/package.ts";

/** @throws ConfigError when the adapter cannot store numbers as the configuration says. */
export function refuseUnknownPrecision(
  { features, adapterName }: Pick<Gpu, "features" | "adapterName">,
  { precision }: Pick<TrainConfig, "precision">,
): void {
  if (precision === "f32" || features.has("shader-f16")) return;
  throw new ConfigError(
    `--precision f16: ${adapterName} has no half-precision numbers (the WebGPU feature shader-f16): choose an adapter ` +
      `that has, with --adapter (\`${programLine("doctor")}\` lists them), or take --precision f32.`,
  );
}

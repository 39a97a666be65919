import { afterAll, beforeAll } from "vitest";
import { create, globals } from "webgpu";
import { withErrorScopes } from "../../src/gpu/error-scope.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";

/** What Dawn's compiler makes of a kernel. */
export interface Verdict {
  /** Errors and warnings, each with its line. */
  readonly messages: readonly string[];
  /** Why no pipeline can be made of it; null when one can. */
  readonly failure: string | null;
}

/**
 * Dawn's compiler without an adapter behind it, for the tests of one file: Dawn's null backend has every feature, computes
 * nothing, and says its subgroups have up to 128 lanes. Its limits are WebGPU's defaults.
 */
export function useTint(): (kernel: Kernel) => Promise<Verdict> {
  let device: GPUDevice | undefined;
  // Kept to the end of the process: Dawn does not survive that its instance is collected earlier.
  let dawn: GPU | undefined;
  beforeAll(async () => {
    Object.assign(globalThis, globals);
    dawn = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
    const adapter = (await dawn.requestAdapter())!;
    const wanted = ["shader-f16", "subgroups", "chromium-experimental-subgroup-matrix"];
    device = await adapter.requestDevice({ requiredFeatures: wanted as GPUFeatureName[] });
  });
  afterAll(() => device?.destroy());
  return async ({ wgsl }) => {
    // Errors are looked for in the messages.
    const { result: module } = withErrorScopes(device!, ["validation"], () =>
      device!.createShaderModule({ code: wgsl }),
    );
    const { messages } = await module.getCompilationInfo();
    let failure: string | null = null;
    try {
      await device!.createComputePipelineAsync({ layout: "auto", compute: { module } });
    } catch (error) {
      failure = (error as Error).message;
    }
    return { messages: messages.map(({ lineNum, message }) => `${lineNum}: ${message}`), failure };
  };
}

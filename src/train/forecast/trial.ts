import type { Gpu } from "../../gpu/gpu.ts";
import { compile } from "../../graph/compile.ts";
import type { CompileOptions } from "../../graph/compile.ts";
import type { Feeds, Program } from "../../graph/program.ts";
import { sizeOf } from "../../graph/shape.ts";
import { Variables } from "../../graph/variables.ts";

/** Compiles a program over variables of its own, gives it to `work` with zeros to feed it, and frees it all. */
export async function onTrial<T>(
  gpu: Gpu,
  options: Omit<CompileOptions, "variables">,
  work: (program: Program, feeds: Feeds) => Promise<T>,
): Promise<T> {
  const variables = new Variables(gpu);
  try {
    const program = await compile(gpu, { ...options, variables });
    try {
      const feeds = Object.fromEntries(
        program.plan.inputs.map(({ name, shape, dtype }) => [
          name,
          dtype === "f32" ? new Float32Array(sizeOf(shape)) : new Uint32Array(sizeOf(shape)),
        ]),
      );
      return await work(program, feeds);
    } finally {
      program.destroy();
    }
  } finally {
    variables.destroy();
  }
}

import type { PipelineCache } from "./pipelines.ts";
import { lanesAttribute, matrixDirectives, matrixTypes } from "./subgroup-matrix.ts";
import type { SubgroupMatrix } from "./subgroup-matrix.ts";

/** What the probe leaves where it has run at all. */
const RAN = 0x5eed;
/** Subgroups have at least so many lanes wherever there are matrices. */
const LEAST_LANES = 4;

/** The part of an open device that a probe needs. */
export interface Probed {
  readonly device: GPUDevice;
  readonly pipelines: Pick<PipelineCache, "get">;
  readonly waitFor: <T>(promise: Promise<T>) => Promise<T>;
  readonly compilesOnly: boolean;
}

/**
 * Multiplies two small matrices on the device, in one dispatch, and looks at what comes out: whether the driver takes such a
 * kernel, whether its sums are right, and how many lanes its subgroups have.
 *
 * @returns the matrix with the lanes that were found, or in a sentence why it is of no use.
 */
export async function probeMatrix(
  { device, pipelines, waitFor, compilesOnly }: Probed,
  matrix: SubgroupMatrix,
): Promise<SubgroupMatrix | string> {
  const label = "matrix probe";
  const source = { label, wgsl: probeText(matrix), bindings: [{ access: "read_write" as const }] };
  const compiled = await pipelines.get(source).catch((error: Error) => error);
  if (compiled instanceof Error) {
    const [sentence] = compiled.message.split("\nenable ");
    return `its driver refuses them (${sentence.replaceAll(/\s+/g, " ").trim()})`;
  }
  if (compilesOnly) return matrix.lanes > 0 ? matrix : "only a dispatch tells how many lanes a subgroup has";
  const { workgroupMultiple: invocations, rows, columns } = matrix;
  const bytes = 4 * (2 + (invocations / LEAST_LANES) * rows * columns);
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const found = device.createBuffer({ label, size: bytes, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ label, size: bytes, usage: MAP_READ | COPY_DST });
  try {
    const { pipeline, layout } = compiled;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    const entries = [{ binding: 0, resource: { buffer: found } }];
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(found, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await waitFor(staging.mapAsync(GPUMapMode.READ));
    return judge(matrix, staging.getMappedRange());
  } catch (error) {
    return `a kernel of them does not come to an end (${(error as Error).message.trim()})`;
  } finally {
    found.destroy();
    staging.destroy();
  }
}

/** What the numbers that a probe left say of `matrix`; see {@link probeMatrix}. */
export function judge(matrix: SubgroupMatrix, left: ArrayBuffer): SubgroupMatrix | string {
  const [ran, last] = new Uint32Array(left, 0, 2);
  if (ran !== RAN) return "it does not run a kernel of them";
  const { rows, columns, workgroupMultiple } = matrix;
  const subgroups = last + 1;
  const lanes = workgroupMultiple / subgroups;
  if (!Number.isInteger(lanes) || (matrix.lanes > 0 && lanes !== matrix.lanes))
    return `its subgroups have ${lanes} lanes, not the ${matrix.lanes || "whole number"} it says`;
  const sums = new Float32Array(left, 8);
  for (let s = 0; s < subgroups; s++)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const sum = sums[(s * rows + row) * columns + column];
        const right = expected(matrix, row, column);
        if (sum !== right) return `it computes them wrongly (${sum} for ${right})`;
      }
  return { ...matrix, lanes };
}

/** Small whole numbers, of which f16 sums hold every bit, and none of whose rows or columns are alike. */
const leftValue = (row: number, k: number): number => ((row * 5 + k * 3) % 13) - 6;
const rightValue = (k: number, column: number): number => ((k * 7 + column * 2) % 11) - 5;

/** An element of the product, both operands counted through in rows. */
export function expected({ depth }: Pick<SubgroupMatrix, "depth">, row: number, column: number): number {
  let sum = 0;
  for (let k = 0; k < depth; k++) sum += leftValue(row, k) * rightValue(k, column);
  return sum;
}

/** Every subgroup stores the whole product, for control flow has to be uniform. */
function probeText(matrix: SubgroupMatrix): string {
  const { component, rows, columns, depth, workgroupMultiple: invocations } = matrix;
  const types = matrixTypes(matrix);
  return /* wgsl */ `${matrixDirectives(matrix)}
struct Found { ran: u32, lastSubgroup: atomic<u32>, products: array<f32> }
@group(0) @binding(0) var<storage, read_write> found: Found;
var<workgroup> leftTile: array<${component}, ${rows * depth}>;
var<workgroup> rightTile: array<${component}, ${depth * columns}>;

@compute ${lanesAttribute(matrix)}@workgroup_size(${invocations})
fn main(@builtin(local_invocation_index) local: u32, @builtin(subgroup_id) subgroup: u32) {
  for (var i = local; i < ${rows * depth}u; i += ${invocations}u) {
    leftTile[i] = ${component}(i32((i / ${depth}u * 5u + i % ${depth}u * 3u) % 13u) - 6);
  }
  for (var i = local; i < ${depth * columns}u; i += ${invocations}u) {
    rightTile[i] = ${component}(i32((i / ${columns}u * 7u + i % ${columns}u * 2u) % 11u) - 5);
  }
  workgroupBarrier();
  let left = subgroupMatrixLoad<${types.left}, row_major>(&leftTile, 0u, ${depth}u);
  let right = subgroupMatrixLoad<${types.right}, row_major>(&rightTile, 0u, ${columns}u);
  var product: ${types.result};
  product = subgroupMatrixMultiplyAccumulate(left, right, product);
  subgroupMatrixStore<row_major>(&found.products, subgroup * ${rows * columns}u, product, ${columns}u);
  atomicMax(&found.lastSubgroup, subgroup);
  found.ran = ${RAN}u;
}`;
}

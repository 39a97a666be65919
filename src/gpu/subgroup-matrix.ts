/** A product of two matrices that a subgroup computes at once: `rows` × `depth` by `depth` × `columns`, added up in f32. */
export interface SubgroupMatrix {
  /** Type of the operands. */
  readonly component: "f16" | "f32";
  /** Rows of the left operand and of the result. */
  readonly rows: number;
  /** Columns of the right operand and of the result. */
  readonly columns: number;
  /** Columns of the left operand, rows of the right one. */
  readonly depth: number;
  /** Lanes of the subgroup. */
  readonly lanes: number;
  /** Whether a kernel has to ask for subgroups of so many lanes, since the adapter's may have another number. */
  readonly asksForLanes: boolean;
  /** What the invocations of a workgroup must be a multiple of: WebGPU asks for whole subgroups of the largest size. */
  readonly workgroupMultiple: number;
}

/** What adapters with `chromium-experimental-subgroup-matrix` tell of themselves; it is in no standard yet. */
export interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/**
 * The matrices that kernels can be made of on an adapter as it describes itself, or in a sentence why there are none: of f16
 * operands where it has them, else of f32 ones, the largest whose sums are f32. Where subgroups have several sizes, kernels ask
 * for the smallest, in which a tile is shared out most finely; where they cannot ask (Metal), `lanes` is 0: only a dispatch
 * can tell.
 */
export function offeredMatrix({
  features,
  info,
}: {
  readonly features: ReadonlySet<string>;
  readonly info: GPUAdapterInfo;
}): SubgroupMatrix | string {
  if (!features.has("subgroups")) return "the adapter has no subgroups (the feature subgroups)";
  if (!features.has("chromium-experimental-subgroup-matrix"))
    return "neither the driver nor this WebGPU offers matrices (the feature chromium-experimental-subgroup-matrix)";
  const { subgroupMatrixConfigs } = info as { subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };
  const all = [...(subgroupMatrixConfigs ?? [])];
  const halves = features.has("shader-f16");
  const [best] = all
    .filter(({ componentType: type }) => (halves && type === "f16") || type === "f32")
    .filter(({ resultComponentType }) => resultComponentType === "f32")
    .filter(({ M, N, K }) => [M, N, K].every((extent) => extent >= 8 && 16 % extent === 0))
    .sort((a, b) => rank(b) - rank(a));
  if (!best) {
    const offered = all.map(configText).join("; ") || "none at all";
    return `kernels need f16 or f32 operands, sums of f32 and extents of 8 or 16, and the adapter has ${offered}`;
  }
  const { subgroupMinSize: least = 0, subgroupMaxSize: most = 0 } = info;
  const asksForLanes = least !== most && features.has("subgroup-size-control");
  return {
    component: best.componentType as "f16" | "f32",
    ...{ rows: best.M, columns: best.N, depth: best.K },
    lanes: asksForLanes || least === most ? least : 0,
    asksForLanes,
    workgroupMultiple: asksForLanes ? least : most,
  };
}

/** f16 operands first, then the larger. */
const rank = ({ componentType, M, N, K }: SubgroupMatrixConfig): number =>
  M * N * K + (componentType === "f16" ? 1e6 : 0);

const configText = ({ componentType, resultComponentType, M, N, K }: SubgroupMatrixConfig): string =>
  `${componentType} into ${resultComponentType} ${M}×${N}×${K}`;

/** For people: `f16 into f32 16×16×16, in subgroups of 32 that kernels ask for`. */
export function describeMatrix(matrix: SubgroupMatrix): string {
  const { component, rows, columns, depth, lanes, asksForLanes } = matrix;
  const config = { componentType: component, resultComponentType: "f32", M: rows, N: columns, K: depth };
  return `${configText(config)}, in subgroups of ${lanes}${asksForLanes ? " that kernels ask for" : ""}`;
}

/** The types of a matrix product in WGSL, where extents are named columns first. */
export const matrixTypes = ({ component, rows, columns, depth }: SubgroupMatrix) => ({
  left: `subgroup_matrix_left<${component}, ${depth}, ${rows}>`,
  right: `subgroup_matrix_right<${component}, ${columns}, ${depth}>`,
  result: `subgroup_matrix_result<f32, ${columns}, ${rows}>`,
});

/** The directives of a kernel that multiplies such matrices. */
export const matrixDirectives = ({ component, asksForLanes }: SubgroupMatrix): string =>
  [
    ...(component === "f16" ? ["f16"] : []),
    "subgroups",
    "chromium_experimental_subgroup_matrix",
    ...(asksForLanes ? ["subgroup_size_control"] : []),
  ]
    .map((name) => `enable ${name};`)
    .join(" ");

/** The attribute of an entry point that multiplies such matrices; empty where subgroups have one size. */
export const lanesAttribute = ({ asksForLanes, lanes }: SubgroupMatrix): string =>
  asksForLanes ? `@subgroup_size(${lanes}) ` : "";

/**
 * @file The weights of a file put together to layers. The networks matched here have five kinds: convolutions (a kernel of
 * rank 4, perhaps a bias), depthwise ones, separable ones (two such kernels), batch norms (three vectors or four) and dense
 * layers (a kernel of rank 2 and a bias); what is none of them is left over. A depthwise one is known by the name of its
 * kernel or of its class, and where a file says neither, it passes for a convolution.
 */
import type { Layer, WeightRole } from "../../layers/networks/layer.ts";

/** What of a weight decides where it belongs. */
export interface NamedShape {
  /** In the file. */
  readonly name: string;
  readonly shape: readonly number[];
}

export type LayerKind = "convolution" | "depthwise" | "separable" | "normalization" | "dense";

/** A layer of the file. */
export interface SourceLayer {
  /** Without the folders of the format: `model/conv1/conv`, `functional/conv2d_12`. */
  readonly path: string;
  readonly kind: LayerKind;
  readonly weights: ReadonlyMap<WeightRole, NamedShape>;
}

export interface SourceLayers {
  /** In the order of the file. */
  readonly layers: readonly SourceLayer[];
  /** The weights that belong to none of them. */
  readonly others: readonly NamedShape[];
}

const NORMALIZATION = ["gamma", "beta", "moving_mean", "moving_variance"] as const;
const SEPARABLE = ["depthwise_kernel", "pointwise_kernel"] as const;
const ROLES: ReadonlySet<string> = new Set<WeightRole>(["kernel", "bias", ...SEPARABLE, ...NORMALIZATION]);
/** What Keras 3 calls the lists of layers in its files. */
const CONTAINERS = new Set(["layers", "_layer_checkpoint_dependencies"]);

/** @param weights of one file, in its order; names as the readers give them. */
export function sourceLayers(weights: Iterable<NamedShape>): SourceLayers {
  const groups = new Map<string, NamedShape[]>();
  for (const weight of weights) {
    const path = layerPath(weight.name);
    const group = groups.get(path);
    if (group === undefined) groups.set(path, [weight]);
    else group.push(weight);
  }
  const layers: SourceLayer[] = [];
  const others: NamedShape[] = [];
  for (const [path, members] of groups) {
    const byRole = rolesOf(members);
    const kind = byRole && (isDepthwise(path, members) ? "depthwise" : kindOf(byRole));
    if (byRole && kind) layers.push({ path, kind, weights: byRole });
    else others.push(...members);
  }
  return { layers, others };
}

/** `model/conv1/conv/kernel` → `model/conv1/conv`, `layers/functional/layers/conv2d/vars/0` → `functional/conv2d`. */
function layerPath(name: string): string {
  const parts = name.split("/");
  if (!isCounted(parts)) return parts.slice(0, -1).join("/");
  const layer = parts.slice(0, -2);
  return layer.filter((part, i) => i % 2 === 1 || !CONTAINERS.has(part)).join("/");
}

/** Keras 3 numbers a layer's weights: `…/vars/0`. */
function isCounted(parts: readonly string[]): boolean {
  return parts.at(-2) === "vars" && /^\d$/.test(parts.at(-1)!);
}

/**
 * What a weight of ours is called among those of a {@link SourceLayer}: Keras 2 and Keras 3 name the kernel of a depthwise
 * convolution differently, and here it is a `kernel`.
 */
export function sourceRole({ operation }: Layer, role: WeightRole): WeightRole {
  return operation.kind === "DepthwiseConv2D" && role === "depthwise_kernel" ? "kernel" : role;
}

/** A layer's weights by what they are; undefined where one of them is nothing that is known. */
function rolesOf(weights: readonly NamedShape[]): Map<WeightRole, NamedShape> | undefined {
  const counted = weights.some(({ name }) => isCounted(name.split("/")));
  const order = counted ? countedRoles(weights) : [];
  const byRole = new Map<WeightRole, NamedShape>();
  for (const weight of weights) {
    const last = weight.name.split("/").at(-1)!;
    const role = counted ? order[Number(last)] : last;
    if (role === undefined || !ROLES.has(role) || byRole.has(role as WeightRole)) return undefined;
    byRole.set(role as WeightRole, weight);
  }
  const depthwise = byRole.get("depthwise_kernel");
  if (depthwise !== undefined && !byRole.has("pointwise_kernel")) {
    byRole.delete("depthwise_kernel");
    byRole.set("kernel", depthwise);
  }
  return byRole;
}

function isDepthwise(path: string, weights: readonly NamedShape[]): boolean {
  const isOne = (name: string): boolean =>
    name.endsWith("/depthwise_kernel") ||
    (isCounted(name.split("/")) && /(^|\/)depthwise_conv2d(_\d+)?$/.test(path));
  const isKernel = ({ shape }: NamedShape): boolean => shape.length === 4;
  return weights.filter(isKernel).length === 1 && isOne(weights.find(isKernel)!.name);
}

/** What the weights of a layer that are only counted are, by their shapes. */
function countedRoles(weights: readonly NamedShape[]): readonly string[] {
  const ranks = weights.map(({ shape }) => shape.length);
  if (ranks.every((rank) => rank === 1)) return weights.length === 3 ? NORMALIZATION.slice(1) : NORMALIZATION;
  return ranks.filter((rank) => rank === 4).length === 2 ? [...SEPARABLE, "bias"] : ["kernel", "bias"];
}

function kindOf(byRole: ReadonlyMap<WeightRole, NamedShape>): LayerKind | undefined {
  const rank = (role: WeightRole): number | undefined => byRole.get(role)?.shape.length;
  const vectors = NORMALIZATION.filter((role) => rank(role) === 1);
  if (vectors.length === byRole.size && NORMALIZATION.slice(1).every((role) => byRole.has(role))) {
    return "normalization";
  }
  const kernels = byRole.size - (byRole.has("bias") ? 1 : 0);
  if ((rank("bias") ?? 1) !== 1) return undefined;
  if (kernels === 2 && SEPARABLE.every((role) => rank(role) === 4)) return "separable";
  if (kernels !== 1) return undefined;
  if (rank("kernel") === 4) return "convolution";
  return rank("kernel") === 2 && byRole.has("bias") ? "dense" : undefined;
}

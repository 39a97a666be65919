import type { Kernel, KernelTarget } from "../kernels/kernel.ts";
import type { Tensor } from "./graph.ts";
import type { Pattern } from "./pattern.ts";
import type { DType, TensorType } from "./shape.ts";

/**
 * @file What an op is: the types of its outputs, how it runs (a few kernels) and how its gradient is built (a few
 * other ops), together in one object. An op's file holds a function from tensors to tensors that calls
 * `graph.apply` with such an object; nothing else need know that the op exists.
 */
export interface Op {
  /** As the profiler, the plan and error messages call it, e.g. `conv2d`. */
  readonly name: string;
  /** What kind of work it is, for those who look at a plan. */
  readonly family?: OpFamily;
  readonly outputs: readonly TensorType[];
  /** Variables among the inputs that running the op changes in place (an optimizer's update, a moving average). */
  readonly updates?: readonly Tensor[];
  /** Of an op with `updates`: run it, without being asked, in every program that computes all it reads. */
  readonly automatic?: boolean;
  /** A few numbers put together, which count as computed where its inputs are. */
  readonly derived?: boolean;
  /**
   * Of an op without outputs, instead of `lower`: how it and the nodes next to it that are lowered by the same function
   * run together, in fewer dispatches than one by one. See {@link together}.
   */
  readonly together?: Together;
  /**
   * Inputs that the gradient takes for constants, or whose influence the gradients of others account for: what is behind
   * them gets no gradient through this op.
   */
  readonly constants?: readonly Tensor[];
  /**
   * Of an op whose only output is its only input, or a part of it: it has no `lower`, costs no dispatch and takes no
   * memory.
   */
  readonly identity?: boolean;
  /** Of an identity: the element of its input that its output begins with, a multiple of `STACK_ALIGNMENT`; 0 by default. */
  readonly begin?: number;
  /** Of an op whose output is one number everywhere, known when the graph is built: that number. */
  readonly constant?: number;
  /**
   * Of an op that can find the moments of its first output a channel while it makes it: which outputs they are. It lowers
   * to what finds them only where they are used. Their gradients become a part of the first output's before
   * `gradient` is asked.
   */
  readonly moments?: { readonly mean: number; readonly variance: number };
  /** What it is to the rewrites of `graph/fuse`. */
  readonly pattern?: Pattern;
  /** Tensors of other nodes that running it changes in place; only those rewrites make such ops. */
  readonly writes?: readonly Tensor[];
  /** Says which kernels compute `outputs`, once, when a program is compiled. */
  lower?(lowering: Lowering, outputs: readonly Tensor[]): void;
  /**
   * Builds the gradient of each input from the gradients of the outputs (`null` where an output has no influence on
   * the loss): one thunk an input, so that what nobody needs is never built; `null` for those of `constants`, and where an
   * input has no gradient, so that it is an error to ask for one. Absent when no input has one.
   */
  gradient?(dy: readonly (Tensor | null)[], outputs: readonly Tensor[]): (null | (() => Tensor))[];
}

/**
 * Kinds of work: convolutions and other matrix products; batch norms and their statistics; pooling and its opposite;
 * activations and sums; copies, casts and constants; the loss and what is read from the logits; what becomes of gradients.
 */
export type OpFamily =
  "convolution" | "normalization" | "pooling" | "elementwise" | "copy" | "loss" | "optimizer";

/** See {@link Op.together}. */
export interface Together {
  readonly item: unknown;
  readonly lower: (lowering: Lowering, items: readonly unknown[]) => void;
}

/** One item of those that `lower`, which must be the same function for all of them, runs together. */
export const together = <Item>(
  item: Item,
  lower: (lowering: Lowering, items: readonly Item[]) => void,
): Together => ({ item, lower: lower as Together["lower"] });

/** A buffer that lives only while one op runs. */
export interface Scratch {
  readonly scratch: number;
  readonly bytes: number;
  readonly dtype: DType;
}

/** Images `first` to `first + count - 1` of a batch. */
export interface BatchRange {
  readonly first: number;
  readonly count: number;
}

/** A part of a tensor along its first axis. */
export interface BatchSlice {
  readonly tensor: Tensor;
  readonly range: BatchRange;
}

/** What a kernel's binding can be bound to. */
export type Operand = Tensor | Scratch | BatchSlice;

/** A tensor, or what an op has in a buffer of its own for each range. */
export interface Sliceable extends TensorType {
  readonly name: string;
}

/** What an op is given to say how it runs. */
export interface Lowering {
  readonly target: KernelTarget;
  /** Adds a dispatch; `operands` names one operand for each of the kernel's bindings. */
  dispatch(kernel: Kernel, operands: Readonly<Record<string, Operand>>): void;
  /** A buffer of `bytes` bytes for the op's own use, of f32 by default; its contents are undefined at first. */
  scratch(bytes: number, dtype?: DType): Scratch;
  /**
   * Whether anything in the program reads `output`, one of the op's own: another op or the caller. One that nobody reads
   * need not be computed and, bound nowhere, takes no memory.
   */
  uses(output: Tensor): boolean;
  /**
   * Lays `output`, one of the op's own, over `input`, so that it takes no memory of its own; false where that may not be,
   * because something else still reads `input`. Where it is true the kernels bind `output` alone, which begins with the
   * numbers of `input`.
   */
  overwrites(input: Tensor, output: Tensor): boolean;
  /**
   * Cuts a batch so that no part of any of `tensors` (all with the batch as first axis) is larger than one binding
   * may be, and each part begins where the adapter lets a binding begin. One range when nothing needs cutting.
   *
   * @throws Error when a single image is already too large.
   */
  slices(tensors: readonly Sliceable[]): BatchRange[];
}

/** `tensor`'s part for one of {@link Lowering.slices}. */
export const slice = (tensor: Tensor, range: BatchRange): BatchSlice => ({ tensor, range });

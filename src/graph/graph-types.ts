/**
 * @file What a graph is made of: tensors, variables, ops and their nodes, and the graph itself. Each of these types names
 * others of them, so they share a file; those who use them import them from `graph.ts` and `op.ts`.
 */
import type { Kernel, KernelTarget, Uniform } from "../kernels/kernel.ts";
import type { Step } from "../kernels/text/value.ts";
import type { Initializer } from "./initializers.ts";
import type { DType, Shape, TensorType } from "./shape.ts";

/** A value of the graph: shape and dtype are known when it is made, its numbers only when a program runs. */
export interface Tensor<D extends DType = DType> extends TensorType<D> {
  /** The graph it belongs to; ops take tensors of one graph only. */
  readonly graph: Graph;
  /** Position in the order of creation; a node's inputs always come before its outputs. */
  readonly id: number;
  /** The name that an input or a variable was given, or that of the op and the number of its node, e.g. `conv2d_12`. */
  readonly name: string;
  /** What computes it; `null` for inputs and variables. */
  readonly node: Node | null;
  /** Set on tensors that live beyond one run. */
  readonly variable: Variable | null;
}

/** What makes a tensor a variable: it keeps its numbers between runs, and programs that name it share them. */
export interface Variable {
  /**
   * `parameter`: learned, `gradients` follows it. `frozen`: a parameter that is not, so nothing behind it costs a
   * backward pass. `state`: never a parameter (moving statistics, an optimizer's slots, the learning rate).
   */
  readonly role: "parameter" | "frozen" | "state";
  /**
   * What it belongs to, for those who treat some variables otherwise than others: `encoder`, `decoder` and `head` of the
   * U-Net, `optimizer`, `accumulator`, or what the layer's author calls it; null when nothing was said.
   */
  readonly group: string | null;
  /**
   * The named pieces that lie in it one after the other: one of its own name and shape, or of a stacked variable several.
   * Weight files and checkpoints know the pieces; the stack's own name is a label.
   */
  readonly parts: readonly VariablePart[];
  /** The element that each part begins with. */
  readonly begins: readonly number[];
  /** The variable of the same parts whose numbers it begins with, as they are when it is made; its initializers' without. */
  readonly copyOf?: Tensor | undefined;
}

/** What a variable is made with. */
export interface VariableOptions {
  /** See {@link Variable.group}. */
  readonly group?: string | null | undefined;
}

export interface SlotOptions extends VariableOptions, Pick<Variable, "copyOf"> {}

/** What a parameter is made with. */
export interface ParameterOptions extends VariableOptions {
  /** By default; `false` freezes it. */
  readonly trainable?: boolean;
}

/** A piece of a variable that has a name, a shape and first values of its own. */
export interface VariablePart {
  /** By which files, checkpoints and `Variables` know it. */
  readonly name: string;
  /** Its own, in the layout that the op which reads it takes, e.g. HWIO of a convolution's kernel. */
  readonly shape: Shape;
  /** What makes its first values. */
  readonly initializer: Initializer;
}

/** The outputs of an op that makes tensors of such types. */
export type OutputsOf<Types extends readonly TensorType[]> = {
  readonly [I in keyof Types]: Tensor<Types[I]["dtype"]>;
};

/** One application of an op. */
export interface Node<Types extends readonly TensorType[] = readonly TensorType[]> {
  /** The graph it is part of. */
  readonly graph: Graph;
  /** Position in the order of creation. */
  readonly index: number;
  /** What is applied. */
  readonly op: Op;
  /** Whether it is part of the backward pass that `gradients` adds. */
  readonly backward: boolean;
  /** What the op reads, in its order. */
  readonly inputs: readonly Tensor[];
  /** What the op makes, in its order: a tensor for each of its `outputs`. */
  readonly outputs: OutputsOf<Types>;
}

/**
 * A static graph, built once: inputs, variables and the ops between them, in an order in which they can run.
 * `gradients` adds the backward pass to the same graph; `compile` makes a program of what is asked for.
 */
export interface Graph {
  /** By name. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** A stacked variable once, by its own name; its `parts` have names of their own. */
  readonly variables: ReadonlyMap<string, Tensor<"f32">>;
  /** In the order in which they were made, which is one in which they can run. */
  readonly nodes: readonly Node[];
  /**
   * A tensor that is fed at each run under its name; f32 or u32, f32 by default. The op `cast` makes f16 of one.
   *
   * @throws Error when there is an input of that name, or an extent is not a whole number from 1.
   */
  input<D extends Exclude<DType, "f16"> = "f32">(name: string, shape: Shape, dtype?: D): Tensor<D>;
  /**
   * A learned tensor, f32; `trainable: false` freezes it. Asked for once more with the same shape, group and trainability it
   * is the same tensor: layers that name one variable share it.
   *
   * @throws Error when there is a variable of that name with another shape, group or role, or an extent is not a whole number
   *   from 1.
   */
  parameter(name: string, shape: Shape, initializer: Initializer, options?: ParameterOptions): Tensor<"f32">;
  /**
   * A tensor that lives beyond one run and is never learned, f32; asked for once more it is the same tensor.
   *
   * @throws Error as {@link parameter} does.
   */
  state(name: string, shape: Shape, initializer: Initializer, options?: VariableOptions): Tensor<"f32">;
  /**
   * Several learned tensors as one, f32 `[elements]`: what treats many parameters alike, an optimizer for example, takes
   * them in one go. Every part begins at a multiple of `STACK_ALIGNMENT`; the op `part` gives one of them. Files know
   * the parts only; `name` is what errors and plans call the whole.
   *
   * @throws Error when there is no part, or a part's name is taken.
   */
  stackedParameter(name: string, parts: readonly VariablePart[], options?: ParameterOptions): Tensor<"f32">;
  /**
   * {@link state}, stacked as {@link stackedParameter} is.
   *
   * @throws Error as {@link stackedParameter} does.
   */
  stackedState(name: string, parts: readonly VariablePart[], options?: VariableOptions): Tensor<"f32">;
  /**
   * A state that goes with a variable and has its shape, an optimizer's slot for example: `<name>/<suffix>`, and where the
   * variable is stacked a stack of `<part>/<suffix>`. See {@link Variable.copyOf}.
   *
   * @throws Error when `variable` is not one, or as {@link parameter} does.
   */
  slotOf(variable: Tensor, suffix: string, initializer: Initializer, options?: SlotOptions): Tensor<"f32">;
  /**
   * Adds a node and its output tensors; ops call it.
   *
   * @throws Error when one of `inputs` belongs to another graph, or an output would have an extent that is not a whole number
   *   from 1.
   */
  apply<const Types extends readonly TensorType[]>(op: Op<Types>, inputs: readonly Tensor[]): Node<Types>;
  /** The graph as a table: one line a tensor, with the op that makes it, its shape and type, and what it is made of. */
  print(): string;
  /** Calls `build`; the nodes that it adds are those of the backward pass. */
  addBackward<T>(build: () => T): T;
}

/**
 * What an op is: the types of its outputs, how it runs (a few kernels) and how its gradient is built (a few
 * other ops), together in one object. An op's file holds a function from tensors to tensors that calls
 * `graph.apply` with such an object; nothing else need know that the op exists.
 */
export interface Op<Types extends readonly TensorType[] = readonly TensorType[]> {
  /** As the profiler, the plan and error messages call it, e.g. `conv2d`. */
  readonly name: string;
  /** What kind of work it is, for those who look at a plan. */
  readonly family?: OpFamily;
  /** Shape and type of each tensor that it makes. */
  readonly outputs: Types;
  /** Variables among the inputs that running the op changes in place (an optimizer's update, a moving average). */
  readonly updates?: readonly Tensor[];
  /** Of an op with `updates`: it runs after all others that change variables, and reads what they have left. */
  readonly afterUpdates?: boolean;
  /** Of an op with `updates`: run it, without being asked, in every program that computes all it reads. */
  readonly automatic?: boolean;
  /** A few numbers put together, which count as computed where its inputs are. */
  readonly derived?: boolean;
  /**
   * Of an op without outputs, instead of `lower`: how it and the nodes next to it that are lowered by the same function
   * run together, in fewer dispatches than one by one. See `together`.
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
  /** Of an op with `begin`: makes the gradient of its input of those of parts that do not overlap, all in one go. */
  readonly joinParts?: (whole: Tensor, parts: readonly JoinedPart[]) => Tensor;
  /** Of an op whose output is one number everywhere, known when the graph is built: that number. */
  readonly constant?: number;
  /**
   * Of an op that can find the moments of its first output a channel while it makes it: which outputs they are. It lowers
   * to what finds them only where they are used. Their gradients become a part of the first output's, which `gradient` here
   * makes of them, before the op's is asked.
   */
  readonly moments?: MomentOutputs;
  /** Of an op that computes each number of its only output from those of its inputs at the same place: how. */
  readonly elementwise?: NumberFunction;
  /** Of an op that reads its only input number by number, so that it can make these itself: how it runs then. */
  readonly overFormula?: (lowering: Lowering, formula: Formula, outputs: readonly Tensor[]) => void;
  /** What it is to the rewrites of `graph/fuse`. */
  readonly pattern?: OpPatterns[keyof OpPatterns];
  /** What a program that has the op is rewritten by. An op brings it, so that no program is larger for the ops of others. */
  readonly rewriting?: Rewriting;
  /**
   * What the host is to do with the outputs, f32, when they have been computed and before anybody reads them (`RunOptions.onHost`). A
   * program ends a submission there. Without a host that does it they stay as computed.
   */
  readonly onHost?: string;
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

/** See {@link Op.moments}. */
export interface MomentOutputs {
  /** Number of the output that is the mean. */
  readonly mean: number;
  /** Number of the output that is the biased variance. */
  readonly variance: number;
  /** Of `output`, from the gradients of its mean and its variance, of which one may be null. */
  readonly gradient: (output: Tensor, mean: Tensor, dmean: Tensor | null, dvariance: Tensor | null) => Tensor;
}

/**
 * Kinds of work: convolutions and other matrix products; batch norms and their statistics; pooling and its opposite;
 * activations and sums; copies, casts and constants; the loss and what is read from the logits; what becomes of gradients.
 */
export type OpFamily =
  "convolution" | "normalization" | "pooling" | "elementwise" | "copy" | "loss" | "optimizer";

/** WGSL of a function of numbers, by variables of one letter, and what these are; see `kernels/text/value.ts`. */
export interface NumberFunction {
  /** A WGSL expression. */
  readonly text: string;
  /** Tensors are broadcast to the shape of the output. */
  readonly args: Readonly<Record<string, Tensor | Uniform>>;
}

/** Several of {@link NumberFunction}, one after the other: what each place of a tensor `shape` holds. */
export interface Formula {
  /** Of the tensor that it computes. */
  readonly shape: Shape;
  /** By the names that `steps` knows them by. */
  readonly sources: Readonly<Record<string, Tensor>>;
  /** The functions, in the order in which they are applied; the last one's value is the formula's. */
  readonly steps: readonly Step[];
}

/** A rewrite of what a program runs, several ops as one: it changes neither inputs nor outputs. See {@link Op.rewriting}. */
export interface Rewriting {
  /** Others that it does along with its own, and which are not done by themselves where it is. */
  readonly includes: readonly Rewriting[];
  /** `nodes` in an order in which they can run, of a program that gives `outputs`, rewritten. */
  run(nodes: readonly Node[], outputs: readonly Tensor[], target: KernelTarget): readonly Node[];
}

/** Numbers that go to a stack from element `begin` on. */
export interface JoinedPart {
  /** A multiple of `STACK_ALIGNMENT`. */
  readonly begin: number;
  /** They lie one after the other there, whatever the shape. */
  readonly values: Tensor;
}

/** See {@link Op.together}. */
export interface Together {
  /** What this node adds to the work. */
  readonly item: unknown;
  /** Runs all items whose nodes have this very function. */
  readonly lower: (lowering: Lowering, items: readonly unknown[]) => void;
}

/** What an op may be to the rewrites of `graph/fuse`; `graph/pattern.ts`, which needs the types here, adds to it. */
export interface OpPatterns {
  readonly none: never;
}

/** A buffer that lives only while one op runs. */
export interface Scratch {
  /** A number that tells it from others. */
  readonly scratch: number;
  /** Its size in bytes. */
  readonly bytes: number;
  /** What its elements are. */
  readonly dtype: DType;
}

/** Images `first` to `first + count - 1` of a batch. */
export interface BatchRange {
  /** Number of the first image, from 0. */
  readonly first: number;
  /** Number of images. */
  readonly count: number;
}

/** A part of a tensor along its first axis. */
export interface BatchSlice {
  /** The tensor it is a part of. */
  readonly tensor: Tensor;
  /** Its items along the first axis. */
  readonly range: BatchRange;
}

/** What a kernel's binding can be bound to. */
export type Operand = Tensor | Scratch | BatchSlice;

/** A tensor, or what an op has in a buffer of its own for each range. */
export interface Sliceable extends TensorType {
  /** What error messages call it. */
  readonly name: string;
}

/** One of the sums of {@link Lowering.sum}. */
export interface Summed {
  /** `[partialCount, count]`. */
  readonly partials: Operand;
  /** Extent of the axis that is summed over. */
  readonly partialCount: number;
  /** Elements of the result. */
  readonly count: number;
  /** `[count]`, f32. */
  readonly result: Operand;
}

/** What an op is given to say how it runs. */
export interface Lowering {
  /** What is known of the adapter. */
  readonly target: KernelTarget;
  /** Adds a dispatch; `operands` names one operand for each of the kernel's bindings. */
  dispatch(kernel: Kernel, operands: Readonly<Record<string, Operand>>): void;
  /** A buffer of `bytes` bytes for the op's own use, of f32 by default; its contents are undefined at first. */
  scratch(bytes: number, dtype?: DType): Scratch;
  /**
   * Sums matrices `partials` `[partialCount, count]` over their first axis, each to its `result`, f32. What is fused runs
   * together with the sums of other ops: later, but before anything reads a result or changes what is summed up.
   */
  sum(sums: readonly Summed[]): void;
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

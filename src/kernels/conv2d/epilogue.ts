/** @file Epilogues, which the graph chooses from, and what of them adds other tensors to the result. */
import type { Uniform } from "../kernel.ts";
import { activationText } from "../text/activation.ts";
import type { ActivationKind } from "../text/activation.ts";
import type { ChannelRange } from "../text/channel-range.ts";
import {
  activationGradientFunction,
  eachSum,
  joinedStore,
  momentsStore,
  normGradientStore,
  plainStore,
  rangeParams,
  vectorArray,
} from "./store.ts";
import type { ActivationGradient, NormGradient, Store } from "./store.ts";

/** What becomes of a product's result; each is a function of its own, so that a program carries those that it uses. */
export interface Epilogue {
  /** The store of a product's `channels` channels to the binding `name`. */
  store(name: string, channels: number): Store;
  /** What {@link momentsEpilogue} was given. */
  readonly moments?: { readonly range: ChannelRange; readonly firstPartial: number };
}

interface Added {
  readonly range: ChannelRange;
  readonly addends?: readonly ChannelRange[];
}

/** See {@link plainStore}, {@link addedStore} for `addends`, and {@link activatedStore}. */
export const plainEpilogue = ({
  range,
  addends,
  activation,
}: Added & { readonly activation?: ActivationKind | undefined }): Epilogue => ({
  store: (name, channels) =>
    addedStore(activatedStore(plainStore(name, channels, range), activation), addends),
});

/** See {@link joinedStore}: the first channels go to the binding that bears the result's name, the others to a second. */
export const joinedEpilogue = ([first, second]: readonly [number, number]): Epilogue => ({
  store: (name) => joinedStore({ name, channels: first }, { name: `${name}2`, channels: second }),
});

/** See {@link momentsStore}. */
export const momentsEpilogue = (range: ChannelRange, firstPartial: number): Epilogue => ({
  store: (name, channels) => momentsStore(name, channels, range, firstPartial),
  moments: { range, firstPartial },
});

/** See {@link normGradientStore}; `addends` are added before. */
export const normGradientEpilogue = ({ range, addends, ...gradient }: Added & NormGradient): Epilogue => ({
  store: (name) => addedStore(normGradientStore(name, range, gradient), addends),
});

/** See {@link activationGradientStore}; `addends` are added afterwards. */
export const activationGradientEpilogue = ({ range, ...gradient }: Added & ActivationGradient): Epilogue => ({
  store: (name) => activationGradientStore(name, range, gradient),
});

/** Activates the results, with what is added to them, before `store` has them. */
function activatedStore(store: Store, activation: ActivationKind = "linear"): Store {
  if (activation === "linear") return store;
  return {
    ...store,
    functions: /* wgsl */ `
fn activatedResult(before: vec4f) -> vec4f { return ${activationText(activation, "before", "vec4f")}; }
`,
    text: (tile) =>
      store.text({
        ...tile,
        eachRow: (text) => tile.eachRow((sum) => text((v) => `activatedResult(${sum(v)})`)),
      }),
  };
}

/** Adds the channels `addends` of the tensors `addend0`, `addend1` to the results before `store` has them; for those in fours. */
function addedStore(store: Store, addends: readonly ChannelRange[] = []): Store {
  if (addends.length === 0) return store;
  return {
    ...store,
    read: { ...store.read, ...addendBuffers(addends) },
    params: { ...store.params, ...addendParams(addends) },
    text: (tile) =>
      store.text({
        ...tile,
        eachRow: (text) =>
          tile.eachRow((sum) =>
            text((v) => {
              const quad = `min(${tile.column(v)}, params.channels - 4u) / 4u`;
              return `(${[sum(v), ...addends.map((_, i) => addendText(i, quad))].join(" + ")})`;
            }),
          ),
      }),
  };
}

const addendBuffers = (addends: readonly ChannelRange[]): Record<string, string> =>
  Object.fromEntries(addends.map((_, i) => [`addend${i}`, vectorArray]));

const addendParams = (addends: readonly ChannelRange[]): Record<string, Uniform> =>
  Object.assign({}, ...addends.map((range, i) => rangeParams(`addend${i}`, 4, range))) as Record<
    string,
    Uniform
  >;

const addendText = (i: number, quad: string): string =>
  `load_addend${i}(place * params.addend${i}Stride + params.addend${i}Begin + ${quad})`;

/** Stores r·activation'(`before`) of the result r, and `addends` added to that; its channels must be a multiple of 4. */
function activationGradientStore(
  name: string,
  range: ChannelRange,
  { before, activation, addends = [] }: ActivationGradient & { readonly addends?: readonly ChannelRange[] },
): Store {
  return {
    width: 4,
    read: { before: vectorArray, ...addendBuffers(addends) },
    write: { [name]: vectorArray },
    params: {
      ...rangeParams(name, 4, range),
      ...rangeParams("before", 4, before),
      ...addendParams(addends),
    },
    functions: activationGradientFunction(activation),
    partials: false,
    text: (tile) =>
      eachSum(
        tile,
        (v, sum) => `let quad${v} = ${tile.column(v)} / 4u;
      if (${tile.column(v)} < params.channels) {
        let before = load_before(place * params.beforeStride + params.beforeBegin + quad${v});
        let passed = ${[`activationGradient(before, ${sum})`, ...addends.map((_, i) => addendText(i, `quad${v}`))].join(" + ")};
        store_${name}(place * params.${name}Stride + params.${name}Begin + quad${v}, passed);
      }`,
      ),
  };
}

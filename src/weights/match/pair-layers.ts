/** @file Which layer of a model is which of ours, by what each does and reads. */
import { INPUT } from "../../layers/networks/layer.ts";
import type { Layer } from "../../layers/networks/layer.ts";
import { MODEL_INPUT, type ConfigLayer } from "./keras-config.ts";
import type { ReadOperation } from "./keras-operation.ts";
import { difference } from "./layer-difference.ts";
import { quote } from "./misfit.ts";
import { agreement, signatures, type Node, type Signatures } from "./signatures.ts";

/** A network of ours: all of its layers, and those that a model must have. */
export interface Ours {
  readonly all: readonly Layer[];
  readonly wanted: readonly Layer[];
}

/** A layer of a model. */
export interface Theirs {
  readonly layer: ConfigLayer;
  /** Undefined for what none of our layers does. */
  readonly read: ReadOperation | undefined;
}

/** Layers by what they do and read. */
type Index = ReadonlyMap<string, readonly Theirs[]>;

const key = (kind: string, inputs: readonly string[]): string => JSON.stringify([kind, ...inputs]);

function indexed(theirs: readonly Theirs[]): Index {
  const index = new Map<string, Theirs[]>();
  for (const each of theirs) {
    const at = key(each.read?.operation.kind ?? each.layer.className, each.layer.inputs);
    const same = index.get(at);
    if (same === undefined) index.set(at, [each]);
    else same.push(each);
  }
  return index;
}

interface Pairing {
  /** Our layer's name → theirs. */
  readonly pairs: Map<string, ConfigLayer>;
  /** A sentence for each of our layers that was not found. */
  readonly problems: string[];
}

/** Finds the wanted layers of ours in a model, from the photo on. */
export function pairLayers({ all, wanted }: Ours, theirs: readonly Theirs[]): Pairing {
  const index = indexed(theirs);
  const following = signatures(
    all.map(({ name, operation, inputs }): Node => ({ id: name, operation, inputs })),
    theirs.map(({ layer, read }): Node => ({
      id: layer.path,
      operation: read?.operation,
      inputs: layer.inputs,
    })),
  );
  const pairs = new Map<string, ConfigLayer>();
  /** Where the result of a layer of ours is in the model. */
  const places = new Map<string, string>([[INPUT, MODEL_INPUT]]);
  const taken = new Set<ConfigLayer>();
  const problems: string[] = [];
  for (const layer of wanted) {
    const inputs = layer.inputs.map((input) => places.get(input));
    const known = inputs.every((input) => input !== undefined);
    const candidates = known
      ? candidatesFor(layer, inputs, index).filter((each) => !taken.has(each.layer))
      : [];
    const fitting = candidates.filter(({ read }) => difference(layer, read) === undefined);
    const likeliest = likeliestOf(layer, fitting, following);
    if (likeliest.length === 1) {
      const { layer: found } = likeliest[0];
      pairs.set(layer.name, found);
      places.set(layer.name, found.path);
      taken.add(found);
    } else if (layer.operation.kind === "CenterCropOrPad" && known && candidates.length === 0) {
      // For photos of the model's size there was nothing to crop or pad.
      places.set(layer.name, inputs[0]);
    } else problems.push(problem(layer, candidates, likeliest));
  }
  return { pairs, problems };
}

function candidatesFor(
  { operation }: Layer,
  inputs: readonly (string | undefined)[],
  index: Index,
): readonly Theirs[] {
  const kinds = operation.kind === "CenterCropOrPad" ? ["Cropping2D", "ZeroPadding2D"] : [operation.kind];
  return kinds.flatMap((kind) => index.get(key(kind, inputs as string[])) ?? []);
}

/** Of layers that do the same with the same input, those whose results go the same way as ours the farthest. */
function likeliestOf(
  ours: Layer,
  fitting: readonly Theirs[],
  [here, there]: readonly Signatures[],
): readonly Theirs[] {
  if (fitting.length < 2) return fitting;
  const agreements = fitting.map(({ layer }) => agreement(here.get(ours.name)!, there.get(layer.path)!));
  const farthest = Math.max(...agreements);
  return fitting.filter((_, i) => agreements[i] === farthest);
}

function problem(ours: Layer, candidates: readonly Theirs[], fitting: readonly Theirs[]): string {
  if (fitting.length > 1) {
    const names = fitting.map(({ layer }) => quote(layer.path)).join(" and ");
    return `its layers ${names} do the same with the same input`;
  }
  if (candidates.length > 0) {
    const [{ layer, read }] = candidates;
    return `its layer ${quote(layer.path)} has another ${difference(ours, read)} than "${ours.name}"`;
  }
  const reads = ours.inputs.map((input) => `"${input}"`).join(" and ");
  return `it has no ${ours.operation.kind} in the place of "${ours.name}", which reads ${reads}`;
}

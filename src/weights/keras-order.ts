import type { Layer } from "../layers/networks/layer.ts";

/**
 * Layers as Keras lists those of a functional model (`model.layers`): what is farther from the results comes first, and of
 * what is equally far that which is met first on the way back from them. Its files have weights in this order
 * (`_map_graph_network` of `keras/src/engine/functional.py`).
 *
 * @param layers in an order in which they can run
 * @param outputs the layers whose results the model gives; what they do not need is left out
 */
export function kerasOrder<L extends Pick<Layer, "name" | "inputs">>(
  layers: readonly L[],
  outputs: readonly string[],
): L[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const met = new Map<string, number>();
  const pending = [...outputs].reverse();
  while (pending.length > 0) {
    const name = pending.pop()!;
    const layer = byName.get(name);
    if (layer === undefined || met.has(name)) continue;
    met.set(name, met.size);
    pending.push(...[...layer.inputs].reverse());
  }
  const needed = layers.filter(({ name }) => met.has(name));
  const depth = new Map<string, number>();
  for (const { name, inputs } of [...needed].reverse()) {
    const own = depth.get(name) ?? 0;
    depth.set(name, own);
    for (const input of inputs) depth.set(input, Math.max(depth.get(input) ?? 0, own + 1));
  }
  return needed.sort(
    (a, b) => depth.get(b.name)! - depth.get(a.name)! || met.get(a.name)! - met.get(b.name)!,
  );
}

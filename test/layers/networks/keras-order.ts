import type { Layer } from "../../../src/layers/networks/layer.ts";

/**
 * The layers in the order that a Keras model has: the farther from the model's end, the earlier, and among equals as a walk
 * from the end meets them that goes into each layer's inputs in turn. It follows from what the layers read alone.
 */
export function kerasOrder(layers: readonly Layer[]): Layer[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const met = new Map<Layer, number>();
  const walk = (layer: Layer): void => {
    if (met.has(layer)) return;
    met.set(layer, met.size);
    for (const input of layer.inputs) if (byName.has(input)) walk(byName.get(input)!);
  };
  walk(layers[layers.length - 1]);

  const depths = new Map<Layer, number>();
  for (const layer of [...layers].reverse()) {
    const depth = depths.get(layer) ?? 0;
    depths.set(layer, depth);
    for (const input of layer.inputs) {
      const read = byName.get(input);
      if (read) depths.set(read, Math.max(depths.get(read) ?? 0, depth + 1));
    }
  }
  return [...layers].sort((a, b) => depths.get(b)! - depths.get(a)! || met.get(a)! - met.get(b)!);
}

import type { ChannelRange } from "../../kernels/text/channel-range.ts";
import type { Graph, Node, Tensor } from "../graph.ts";
import type { TensorType } from "../shape.ts";

/** Where the channels of a tensor `[.., C]` lie: in `home` `[.., width]`, which may be the tensor itself, from `begin` on. */
export interface Place {
  readonly home: Tensor;
  readonly begin: number;
}

export const ownPlace = (tensor: Tensor): Place => ({ home: tensor, begin: 0 });

export const rangeOf = ({ home, begin }: Place): ChannelRange => ({
  width: home.shape[home.shape.length - 1],
  begin,
});

/** A tensor that no op of the graph makes: the rewritten plan's own, which several of its nodes write. */
export function planTensor(graph: Graph, name: string, type: TensorType): Tensor {
  const outputs: Tensor[] = [];
  const node: Node = {
    graph,
    index: -1,
    op: { name, outputs: [type] },
    backward: false,
    inputs: [],
    outputs,
  };
  outputs.push({ graph, id: -1, name, shape: [...type.shape], dtype: type.dtype, node, variable: null });
  return outputs[0];
}

/** The kinds of ops that are told apart by colour, each with the start of the names of its ops. */
const FAMILIES = [
  { name: "convolution", pattern: /^(conv2d(_transpose)?|matmul|dense)$/ },
  { name: "gradients of convolutions", pattern: /^(conv2d|matmul|dense)\w*_gradient/ },
  { name: "normalization", pattern: /^(batch_norm|moments|update_moving|channel)/ },
  { name: "pooling and upsampling", pattern: /^(max_pool|average_pool|upsample)/ },
  { name: "activations, sums, copies", pattern: /^(relu|add|bias|scale|concat|slice|fill)/ },
  { name: "loss and metrics", pattern: /^(sparse_softmax|softmax|accuracy|argmax)/ },
] as const;

export const FAMILY_NAMES: readonly string[] = [...FAMILIES.map(({ name }) => name), "other"];

/** The number, among {@link FAMILY_NAMES}, of the family an op belongs to. */
export function familyOf(op: string): number {
  const index = FAMILIES.findIndex(({ pattern }) => pattern.test(op));
  return index < 0 ? FAMILIES.length : index;
}

/** Written by `npm run bench:compile -- --bounds`: shares of a card's peak that kernels leave within reach. */
export const BOUNDS: {
  /** What it was written by, and whose compiler was asked. */
  readonly command: string;
  readonly driver: string;
  /** By card and then by `boundKey`. */
  readonly cards: Readonly<Record<string, Readonly<Record<string, number>> | undefined>>;
} = {
  command: "npm run bench:compile -- --bounds",
  driver: "radv: Mesa 25.0.7-2~bpo12+1",
  cards: {
    navi31: {
      "conv2d_backward_data matrix": 0.631,
      "conv2d_backward_data workgroup": 0.814,
      "conv2d_backward_weights matrix": 0.613,
      "conv2d_backward_weights workgroup": 0.74,
      "conv2d_forward matrix": 0.602,
      "conv2d_forward workgroup": 0.751,
      depthwise_conv2d_backward_data: 0.227,
      depthwise_conv2d_backward_weights: 0.314,
      depthwise_conv2d_forward: 0.256,
    },
    navi21: {
      "conv2d_backward_data workgroup": 0.873,
      "conv2d_backward_weights workgroup": 0.824,
      "conv2d_forward workgroup": 0.852,
      depthwise_conv2d_backward_data: 0.305,
      depthwise_conv2d_backward_weights: 0.399,
      depthwise_conv2d_forward: 0.336,
    },
  },
};

import { z } from "zod";
import { DECODERS } from "../../layers/networks/decoder.ts";
import { ENCODER_NAMES } from "../../layers/networks/encoders.ts";
import { choice, setting, text, whole } from "../setting.ts";
import { programLine } from "../../files/package.ts";

/** The network, and what it begins with. */
export const networkSettings = {
  weights: setting(
    "--weights PATH",
    "Network",
    "to begin with, an encoder or a whole network: a .safetensors, .h5 or .keras file, or a tfjs folder; of a network of other " +
      "classes the head starts anew; none for random ones",
    text().nullable(),
  ),
  encoder: setting(
    "--encoder NAME",
    "Network",
    "the network of keras.applications that reads the photos, pretrained on ImageNet once " +
      `\`${programLine("fetch", "--encoder", "NAME")}\` has brought its weights: docs/encoders.md`,
    choice(ENCODER_NAMES),
  ),
  decoder: setting(
    "--decoder KIND",
    "Network",
    "upsampling by transposed convolutions (pix2pix), or by nearest neighbour or bilinear interpolation and convolution",
    choice(DECODERS),
  ),
  headBias: setting(
    "--head-bias KIND",
    "Network",
    "what the last layer's bias begins with: zeros, or the logarithms of the frequencies of the classes in the training photos " +
      "(of their weights' share in the loss, with --class-weights), unless --weights has a head",
    choice(["zeros", "frequencies"]),
  ),
  freeze: setting(
    "--freeze PART",
    "Network",
    "what the first phase leaves as it is, statistics included: the encoder; with decoder the encoder and the decoder, so that " +
      "the head learns alone, as after --weights of other classes; with none nothing. The second phase trains everything",
    choice(["encoder", "decoder", "none"]),
  ),
  encoderStatistics: setting(
    "--encoder-statistics KIND",
    "Network",
    "by what the encoder's batch norms normalize while it is trained: batch, or moving: ImageNet's own, which then stay as they are " +
      "(Keras's training=False), for batches too small to have statistics worth the name",
    choice(["batch", "moving"]),
  ),
  bnMomentum: setting(
    "--bn-momentum M",
    "Network",
    "share of their moving statistics that all batch norms keep in a step, encoder and decoder; none for each layer's own, as " +
      "Keras has it (docs/encoders.md)",
    z
      .number({ error: "must be a number, or none" })
      .min(0, "must be at least 0")
      .lt(1, "must be below 1")
      .nullable(),
  ),
  bnReestimate: setting(
    "--bn-reestimate N",
    "Network",
    "before each validation, estimate the moving statistics of all batch norms that normalize by their batches anew, over N training " +
      "batches and with the weights as they are, averaged ones with --ema (precise batch norm: Wu & Johnson 2021); 0 keeps what they have " +
      "seen in passing",
    whole(0),
  ),
};

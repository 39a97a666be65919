// A variational autoencoder (Kingma, Welling 2013) that learns to draw digits.  npm run example -- autoencoder [steps]
import { adam, add, compile, exp, gradients, Graph, mean, multiply, randomNormal, scale } from "bespoke";
import { seededRandom, sigmoid, square, subtract, sum, Variables } from "bespoke";
import type { Tensor } from "bespoke";
import { conv2d, conv2dTranspose, dense, flatten, reshape, sequential } from "bespoke/layers";
import { binaryCrossentropy } from "bespoke/nn";
import { openGpu } from "bespoke/node";
import { digitText, drawDigits, SIZE } from "./digits.ts";

const steps = Number(process.argv[2] ?? 300);
const [BATCH, LATENT, DRAWN] = [64, 8, 4];
const PIXELS = SIZE * SIZE;
const relu = { activation: "relu", padding: "same" } as const;

const encoder = sequential(
  [conv2d(16, 3, { ...relu, strides: 2 }), conv2d(32, 3, { ...relu, strides: 2 }), flatten()],
  { name: "encoder" },
);
const meanOf = dense(LATENT, { name: "encoder/mean" });
const logVarianceOf = dense(LATENT, { name: "encoder/log_variance" });
/** From `[N, LATENT]` to logits of pixels `[N, 28, 28, 1]`. */
const decoder = sequential(
  [
    dense(7 * 7 * 32, { activation: "relu" }),
    reshape([7, 7, 32]),
    conv2dTranspose(16, 3, { ...relu, strides: 2 }),
    conv2dTranspose(16, 3, { ...relu, strides: 2 }),
    conv2d(1, 3, { padding: "same" }),
  ],
  { name: "decoder" },
);

/** How far normal distributions are from N(0, 1), in nats a sample (Kullback & Leibler): the mean over the batch. */
function divergence(mu: Tensor<"f32">, logVariance: Tensor<"f32">): Tensor<"f32"> {
  const each = subtract(add(square(mu), exp(logVariance)), add(logVariance, 1));
  return scale(mean(sum(each, { axis: -1 })), 0.5);
}

const gpu = await openGpu();
console.log(`Adapter: ${gpu.adapterName}`);
const variables = new Variables(gpu, { seed: 1 });

const training = new Graph();
const images = training.input("images", [BATCH, SIZE, SIZE, 1]);
const features = encoder(images);
const [mu, logVariance] = [meanOf(features), logVarianceOf(features)];
// Noise that is fed leaves a sample that the gradient goes through (the reparameterization trick).
const deviation = exp(multiply(logVariance, 0.5));
const sample = add(mu, multiply(deviation, training.input("noise", [BATCH, LATENT])));
const entropy = binaryCrossentropy(decoder(sample), images, { fromLogits: true });
// Of all pixels, not of their mean.
const reconstruction = scale(entropy, PIXELS);
const kl = divergence(mu, logVariance);
const loss = add(reconstruction, kl);
const updates = adam(gradients(loss), { learningRate: 2e-3 });
const step = await compile(gpu, { outputs: { loss, reconstruction, kl }, updates, variables });

const noise = (shape: number[], seed: number): Float32Array =>
  randomNormal(1)(shape, seededRandom(seed, "noise"));
for (let number = 1; number <= steps; number++) {
  const { images } = drawDigits(BATCH, number);
  const { loss, reconstruction, kl } = await step.run({ images, noise: noise([BATCH, LATENT], number) });
  if (number === 1 || number === steps || number % 50 === 0) {
    const parts = `reconstruction ${reconstruction[0].toFixed(1)} + divergence ${kl[0].toFixed(2)}`;
    console.log(`step ${number}: loss ${loss[0].toFixed(1)} = ${parts}`);
  }
}

// The decoder alone draws from numbers that no image has given it.
const drawing = new Graph();
const drawn = sigmoid(decoder(drawing.input("latent", [DRAWN, LATENT])));
const draw = await compile(gpu, { outputs: { drawn }, variables });
const pictures = (await draw.run({ latent: noise([DRAWN, LATENT], 0) })).drawn;
for (let i = 0; i < DRAWN; i++) console.log(digitText(pictures.subarray(i * PIXELS, (i + 1) * PIXELS)));
gpu.destroy();

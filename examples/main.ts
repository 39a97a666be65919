// npm run example -- <name> [steps]
const EXAMPLES = {
  regression: "a straight line through noisy points: the whole engine in a few lines",
  sequential: "a classifier of Keras layers in a row, in a dozen lines",
  mnist: "a small convolutional network that reads digits, generated ones or those of MNIST",
  autoencoder: "a variational autoencoder that learns to draw digits",
  transformer: "a character transformer that learns a text and writes on",
  "own-kernel": "an op with WGSL kernels of its own, in a network that learns a sine",
  unet: "the clothing U-Net on drawn people",
};

const [name] = process.argv.splice(2, 1);
if (name !== undefined && Object.hasOwn(EXAMPLES, name)) {
  await import(`./${name}.ts`);
} else {
  if (name !== undefined) console.error(`There is no example "${name}".`);
  console.error("npm run example -- <name> [steps], where <name> is one of:");
  for (const [name, what] of Object.entries(EXAMPLES)) console.error(`  ${name.padEnd(11)}  ${what}`);
  process.exitCode = 1;
}

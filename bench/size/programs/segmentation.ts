import { argmax, compile, Gpu, Graph } from "bespoke";
import { encoderNamed, unet } from "bespoke/networks";

const gpu = await Gpu.create((await navigator.gpu.requestAdapter())!);
const image = new Graph().input("image", [1, 128, 128, 3]);
const encoder = encoderNamed(new URL(location.href).searchParams.get("encoder") ?? "densenet121");
const logits = unet(image, { classes: 59, training: false, trainableEncoder: false, encoder });
const network = await compile(gpu, { outputs: { mask: argmax(logits) } });
console.log((await network.run({ image: new Float32Array(3 * 128 ** 2) })).mask);

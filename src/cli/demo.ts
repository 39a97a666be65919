import { sizeText } from "../image-size.ts";
import { serveDemo } from "../ui/serve-demo.ts";
import { runCommand } from "./run-command.ts";
import { demoCommand } from "./definitions/demo.ts";
import type { DemoFlags } from "./definitions/demo.ts";

const command = demoCommand();

await runCommand(command, async (interrupted) => {
  const { url, model, close } = await serveDemo({ ...command.opts<DemoFlags>(), keepAlive: true });
  const { name, imageSize, classNames } = model;
  process.stdout.write(
    `Model: ${name}, ${sizeText(imageSize)}, ${classNames.length} classes\n` +
      `The page: ${url} (in a browser with WebGPU: Chrome, Edge, Safari 26 or Firefox)\nCtrl-C ends it.\n`,
  );
  await new Promise<void>((resolve) =>
    interrupted.addEventListener("abort", () => resolve(), { once: true }),
  );
  await close();
});

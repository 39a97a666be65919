import { Command } from "commander";
import { sizeText } from "../image-size.ts";
import type { Size } from "../image-size.ts";
import { serveDemo } from "../ui/serve-demo.ts";
import { imageSize } from "./model-options.ts";
import { portNumber } from "./port.ts";
import { runCommand } from "./run-command.ts";
import { userModel } from "./user-path.ts";

interface DemoFlags {
  readonly model: string;
  readonly imageSize?: Size;
  readonly port?: number;
}

const command = new Command("demo")
  .description("Serves a page that labels photos in the browser, on this machine only, until Ctrl-C.")
  .requiredOption(
    "--model <path>",
    "the folder of a run (its best checkpoint), or a file of weights",
    userModel,
  )
  .option("--image-size <pixels|HxW>", "another size than the one the model was trained at", imageSize)
  .option("--port <port>", "0 for any free one; by default the first free one from 4650", portNumber);

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

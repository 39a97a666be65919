import { Command } from "commander";
import type { Size } from "../../image-size.ts";
import { imageSize } from "../model-options.ts";
import { portNumber } from "../port.ts";
import { userModel } from "../user-path.ts";

export interface DemoFlags {
  readonly model: string;
  readonly imageSize?: Size;
  readonly port?: number;
}

/** What `demo` takes and says of itself; `src/cli/demo.ts` is what it does. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("Serves a page that labels photos in the browser, on this machine only, until Ctrl-C.")
    .requiredOption(
      "--model <path>",
      "the folder of a run (its best checkpoint), or a file of weights",
      userModel,
    )
    .option("--image-size <pixels|HxW>", "another size than the one the model was trained at", imageSize)
    .option("--port <port>", "0 for any free one; by default the first free one from 4650", portNumber);
}

import { Command } from "commander";
import { portNumber } from "../port.ts";

/** What `ui` takes and says of itself; `src/cli/ui.ts` is what it does. */
export function uiCommand(): Command {
  return new Command("ui")
    .description("Serves the page of a run, finished or going on, on this machine only, until Ctrl-C.")
    .argument("<run>", "a run's folder, such as runs/train-1, or its name below runs")
    .option("--port <port>", "0 for any free one; by default the first free one from 4650", portNumber);
}

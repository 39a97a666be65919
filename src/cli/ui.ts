import { Command } from "commander";
import { RunFolder } from "../runs/run-folder.ts";
import { serveRun } from "../ui/serve-run.ts";
import { portNumber } from "./port.ts";
import { runCommand } from "./run-command.ts";
import { userModel } from "./user-path.ts";

const command = new Command("ui")
  .description("Serves the page of a run, finished or going on, on this machine only, until Ctrl-C.")
  .argument("<run>", "a run's folder, such as runs/train-1, or its name below runs")
  .option("--port <port>", "0 for any free one; by default the first free one from 4650", portNumber);

await runCommand(command, async (interrupted) => {
  const { port } = command.opts<{ port?: number }>();
  const { path } = await RunFolder.open(userModel(command.args[0]));
  const { url, close } = await serveRun({ folder: path, port, keepAlive: true });
  process.stdout.write(`The run's page: ${url}\nCtrl-C ends it.\n`);
  await new Promise<void>((resolve) =>
    interrupted.addEventListener("abort", () => resolve(), { once: true }),
  );
  await close();
});

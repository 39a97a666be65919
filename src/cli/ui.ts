import { Command, InvalidArgumentError } from "commander";
import { RunFolder } from "../train/run-folder.ts";
import { serveRun } from "../ui/serve-run.ts";
import { runCommand } from "./run-command.ts";

const portNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535 || text.trim() === "") {
    throw new InvalidArgumentError(`"${text}" is no port: give a whole number from 0 to 65535.`);
  }
  return value;
};

const command = new Command("ui")
  .description("Serves the page of a run, finished or going on, on this machine only, until Ctrl-C.")
  .argument("<run>", "a run's folder, such as runs/train-1, or its name below runs")
  .option("--port <port>", "0 for any free one; by default the first free one from 4650", portNumber);

await runCommand(command, async (interrupted) => {
  const { port } = command.opts<{ port?: number }>();
  const { path } = await RunFolder.open(command.args[0]);
  const { url, close } = await serveRun({ folder: path, port, keepAlive: true });
  process.stdout.write(`The run's page: ${url}\nCtrl-C ends it.\n`);
  await new Promise<void>((resolve) =>
    interrupted.addEventListener("abort", () => resolve(), { once: true }),
  );
  await close();
});

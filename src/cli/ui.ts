import { RunFolder } from "../runs/run-folder.ts";
import { serveRun } from "../ui/serve-run.ts";
import { runCommand } from "./run-command.ts";
import { userModel } from "./user-path.ts";
import { uiCommand } from "./definitions/ui.ts";

const command = uiCommand();

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

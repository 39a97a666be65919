import { findCheckpoint } from "../use/model.ts";
import { convertModel, type ConvertOptions } from "./convert-model.ts";
import { runCommand } from "./run-command.ts";
import { userModel, userPath } from "./user-path.ts";
import { convertCommand } from "./definitions/convert.ts";

const command = convertCommand();

await runCommand(command, async (interrupted) => {
  const from = userModel(command.args[0]);
  const to = userPath(command.args[1]);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const options = { ...command.opts<ConvertOptions>(), signal: interrupted };
  try {
    await convertModel(await findCheckpoint(from), to, options, say);
  } catch (error) {
    if (error === interrupted.reason) say("Stopped: nothing was written.");
    throw error;
  }
});

import { runCommand } from "./run-command.ts";
import { verifyCommand } from "./definitions/verify.ts";
import type { VerifyFlags } from "./definitions/verify.ts";
import { verifyOutputs } from "./verify-outputs.ts";

const command = verifyCommand();

await runCommand(command, (interrupted) => {
  const [out] = command.processedArgs as [string];
  return verifyOutputs(out, command.opts<VerifyFlags>(), interrupted);
});

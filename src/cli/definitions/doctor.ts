import { Command } from "commander";

/** What `doctor` takes and says of itself; `src/cli/doctor.ts` is what it does. */
export function doctorCommand(): Command {
  return new Command("doctor")
    .description("Tells which WebGPU adapter training would use on this machine, and whether it computes.")
    .option("--json", "print everything as JSON");
}

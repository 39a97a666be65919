import { fstatSync } from "node:fs";
import { MpiError } from "./mpi-error.ts";

/** MPI would end the process with what it says itself. @throws MpiError where what started the ranks cannot be talked to. */
export function refuseLostDescriptor(): void {
  const { PMI_FD } = process.env;
  if (!PMI_FD) return;
  try {
    if (fstatSync(Number(PMI_FD)).isSocket()) return;
  } catch {
    // It is closed.
  }
  throw new MpiError(
    `A program between mpiexec and this rank has closed what they talk by (PMI_FD), as npx and npm do: start ` +
      `node_modules/.bin/bespoke in place of npx bespoke.`,
  );
}

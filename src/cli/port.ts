import { InvalidArgumentError } from "commander";

/** Reads a flag's port. */
export function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535 || text.trim() === "") {
    throw new InvalidArgumentError(`"${text}" is no port: give a whole number from 0 to 65535.`);
  }
  return value;
}

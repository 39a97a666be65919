import { InvalidArgumentError } from "commander";

/** Reads a flag that is some of the `known` names, with commas; they come in the order in which they are known. */
export const namesOf =
  <Name extends string>(known: readonly Name[]) =>
  (text: string): Name[] => {
    const names = text.split(",").map((name) => name.trim());
    const unknown = names.find((name) => !known.some((other) => other === name));
    if (unknown !== undefined) throw new InvalidArgumentError(`"${unknown}" is none of ${known.join(", ")}.`);
    return known.filter((name) => names.includes(name));
  };

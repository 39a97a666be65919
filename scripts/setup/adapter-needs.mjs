/**
 * Whether a program needs an adapter, runs and tells where there is none, or has nothing to do with one.
 *
 * @typedef {"needed" | "optional" | "none"} AdapterNeed
 */

/**
 * Of each program of `bespoke`; package.json says the same of `npm run`.
 *
 * @type {Readonly<Record<string, AdapterNeed>>}
 */
export const ADAPTER_NEEDS = {
  train: "needed",
  eval: "needed",
  predict: "needed",
  tune: "needed",
  queue: "needed",
  doctor: "optional",
  verify: "none",
  data: "none",
  convert: "none",
  fetch: "none",
  ui: "none",
  demo: "none",
};

/**
 * Whether the program will say how it is used and do nothing.
 *
 * @param {readonly string[]} args
 */
function asksForHelp(args) {
  return args.some((argument) => ["--help", "-h", "--version"].includes(argument));
}

/**
 * Whether what is called has nothing to do with an adapter although its program has: where it only says how it is used, and
 * what is done with a queue besides working through it.
 *
 * @param {string | undefined} program
 * @param {string[]} args
 */
export function needsNone(program, args) {
  return asksForHelp(args) || (program === "queue" && args[0] !== "work");
}

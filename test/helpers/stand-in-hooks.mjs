/** @file Has other modules stand in for some of the sources; `*-register.mjs` say which. */

/** @type {{ ending: string, url: string }[]} How the name of a module ends, and what is imported in its place. */
const standIns = [];

/** @param {{ ending: string, url: string }} standIn */
export const initialize = (standIn) => void standIns.push(standIn);

/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  // What stands in may import the module itself.
  const found = standIns.find(
    ({ ending, url }) =>
      specifier.startsWith(".") && specifier.endsWith(ending) && !context.parentURL?.startsWith(url),
  );
  return nextResolve(found ? found.url : specifier, context);
}

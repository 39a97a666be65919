/** @file Has other modules stand in for some of the sources; `stand-ins.mjs` says which. */

/** @type {{ ending: string, url: string }[]} How the name of a module ends, and what is imported in its place. */
const standIns = [];

/** @param {{ ending: string, url: string }[]} some */
export const initialize = (some) => void standIns.push(...some);

/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  // What stands in may import the module itself.
  const found = standIns.find(
    ({ ending, url }) =>
      specifier.startsWith(".") && specifier.endsWith(ending) && !context.parentURL?.startsWith(url),
  );
  return nextResolve(found ? found.url : specifier, context);
}

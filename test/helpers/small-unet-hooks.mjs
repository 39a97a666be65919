const small = new URL("./small-unet-module.ts", import.meta.url).href;

/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, nextResolve) {
  const isUnet = specifier.startsWith(".") && specifier.endsWith("/layers/unet.ts");
  const isOwn = context.parentURL?.startsWith(small) ?? false;
  return nextResolve(isUnet && !isOwn ? small : specifier, context);
}

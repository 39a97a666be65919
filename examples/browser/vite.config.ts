import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Alias, UserConfig } from "vite";

/** In the checkout the package's entries mean its sources; where the package is installed they are what npm has put there. */
function sources(): Alias[] {
  const checkout = new URL("../../", import.meta.url);
  if (!existsSync(new URL("src/index.ts", checkout))) return [];
  const manifest = JSON.parse(readFileSync(new URL("package.json", checkout), "utf8")) as {
    exports: Record<string, { types?: string }>;
  };
  return Object.entries(manifest.exports).flatMap(([path, { types }]) => {
    if (types === undefined) return [];
    const source = new URL(types.replace("dist/", "").replace(/\.d\.ts$/, ".ts"), checkout);
    return [{ find: new RegExp(`^${path.replace(".", "bespoke")}$`), replacement: fileURLToPath(source) }];
  });
}

export default { build: { target: "es2022" }, resolve: { alias: sources() } } satisfies UserConfig;

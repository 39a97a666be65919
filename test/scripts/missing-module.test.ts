import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { missingModule } from "../../scripts/setup/missing-module.mjs";

const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

test("a module that was left out is named, with what installs it", () => {
  const { optionalDependencies } = createRequire(import.meta.url)("../../package.json") as {
    optionalDependencies: Record<string, string>;
  };
  const sentence = `npm install sharp@${optionalDependencies.sharp}`;
  const imported = failure("ERR_MODULE_NOT_FOUND", "Cannot find package 'sharp' imported from /x/y.js");
  const required = failure("MODULE_NOT_FOUND", "Cannot find module 'sharp'\nRequire stack:\n- /x/y.js");
  for (const error of [imported, required]) expect(missingModule(error)).toContain(sentence);
  const file = failure("MODULE_NOT_FOUND", "Cannot find module '@resvg/resvg-wasm/index_bg.wasm'");
  expect(missingModule(file)).toContain("npm install @resvg/resvg-wasm@");
});

test("what else fails is not explained away", async () => {
  const other = failure("ERR_MODULE_NOT_FOUND", "Cannot find package 'somebody-else' imported from /x/y.js");
  const own: unknown = await import(/* @vite-ignore */ `${"file:///no/such.mjs"}`).catch(
    (error: unknown) => error,
  );
  for (const error of [other, own, new Error("sharp"), null, undefined])
    expect(missingModule(error)).toBeNull();
});

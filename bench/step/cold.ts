/**
 * Keeps drivers from taking shaders that an earlier process compiled: Mesa's cache and NVIDIA's. Dawn in Node keeps none
 * of its own on disk.
 */
const NO_SHADER_CACHE: Readonly<Record<string, string>> = {
  MESA_SHADER_CACHE_DISABLE: "true",
  __GL_SHADER_DISK_CACHE: "0",
};

/** Whether no driver's cache of compiled shaders is in use. */
export const isCold = (env: NodeJS.ProcessEnv = process.env): boolean =>
  Object.entries(NO_SHADER_CACHE).every(([name, value]) => env[name] === value);

/** Leaves the drivers' caches out of this process; to be called before an adapter is looked for, when they are loaded. */
export function disableShaderCaches(env: NodeJS.ProcessEnv = process.env): void {
  Object.assign(env, NO_SHADER_CACHE);
}

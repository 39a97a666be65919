import { create, globals } from "webgpu";
import { Gpu } from "../gpu/gpu.ts";

const alive = new Set<unknown>();
export async function openGpu(): Promise<Gpu> {
  Object.assign(globalThis, globals);
  const gpu = create([]);
  alive.add(gpu);
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("no adapter");
  return Gpu.create(adapter);
}

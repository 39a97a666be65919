import { create, globals } from "webgpu";
import {
  adapterKind,
  chooseAdapter,
  NO_SUCH_ADAPTER,
  openedByName,
  parseAdapterList,
} from "../../scripts/setup/adapter-choice.mjs";
import type { AdapterKind, FoundAdapter } from "../../scripts/setup/adapter-choice.mjs";
import { programLine } from "../files/package.ts";

/**
 * What Dawn is created with. NVIDIA's f16 is hidden without the second toggle and the experimental features without the
 * first; other drivers are indifferent to both. Timestamps come in steps of 65 µs by default: that is for pages
 * that must not measure too well. Dawn's tests of every index (robustness) stay: they make a wrong one a wrong number, and not
 * another program's memory or a lost device. `BESPOKE_DAWN_TOGGLES=disable_robustness`, or others, is for measuring.
 */
const dawnToggles = (more = process.env.BESPOKE_DAWN_TOGGLES): string[] => [
  `enable-dawn-features=${["allow_unsafe_apis", "vulkan_enable_f16_on_nvidia", ...(more ? [more] : [])].join()}`,
  "disable-dawn-features=timestamp_quantization",
];

/** An adapter and what runs behind it. */
export interface AdapterDescription {
  /** The driver's name of it, or the driver's description where WebGPU tells no name. */
  name: string;
  /** As WebGPU's `GPUAdapterInfo` has it, e.g. `mesa`, `nvidia`; empty where it tells none. */
  vendor: string;
  /** As WebGPU's `GPUAdapterInfo` has it, e.g. `rdna-3`; empty where it tells none. */
  architecture: string;
  /** The driver and its version, where it tells. */
  driver: string;
  /** Whether the CPU does the work. */
  software: boolean;
  /** `hardware`, `lavapipe`, `swiftshader`, or `software` for any other that runs on the CPU. */
  kind: AdapterKind;
}

/**
 * Dawn's instances, kept to the end of the process: one that is collected while something made from it still waits for its
 * own finalisation takes the process down.
 */
const instances: GPU[] = [];

function createDawn(options: string[]): GPU {
  const dawn = create(options);
  instances.push(dawn);
  return dawn;
}

/** Every adapter that Dawn offers on this machine, in its order, which is another where power is to be saved. */
export async function listAdapters(
  powerPreference: GPUPowerPreference = "high-performance",
): Promise<FoundAdapter[]> {
  try {
    await createDawn([`adapter=${NO_SUCH_ADAPTER}`]).requestAdapter({ powerPreference });
    return [];
  } catch (error) {
    return parseAdapterList((error as Error).message);
  }
}

/**
 * Opens an adapter: by name, or the best one of a kind (hardware first, then lavapipe, then SwiftShader). Puts WebGPU's
 * globals (`GPUBufferUsage`, `GPUMapMode`, …) in scope.
 *
 * @param wanted "auto", a kind of adapter, or a part of an adapter's name
 * @throws Error in one sentence when there is no such adapter
 */
export async function openAdapter(wanted = "auto"): Promise<GPUAdapter> {
  Object.assign(globalThis, globals);
  const all = await listAdapters();
  const choice = chooseAdapter(all, wanted);
  if (choice === null) throw new Error(noAdapterSentence(all, wanted));
  const { name } = choice.adapter;
  const powerPreference = await preferenceFor(name, all);
  const adapter = await createDawn([...dawnToggles(), `adapter=${name}`]).requestAdapter({ powerPreference });
  if (adapter === null) throw new Error(noAdapterSentence([], wanted));
  return adapter;
}

/**
 * In which of its orders Dawn opens the adapter of exactly this name, and not one whose name begins with it.
 *
 * @param list all adapters in the order of a preference
 * @throws Error in one sentence when it does so in neither
 */
export async function preferenceFor(
  name: string,
  all: FoundAdapter[],
  list: typeof listAdapters = listAdapters,
): Promise<GPUPowerPreference> {
  const opened = openedByName(all, name);
  if (opened?.name === name) return "high-performance";
  if (openedByName(await list("low-power"), name)?.name === name) return "low-power";
  throw new Error(
    `Dawn opens "${opened?.name}" when it is asked for "${name}", whose name is a part of that: keep the other one from ` +
      `Vulkan, by VK_DRIVER_FILES or DRI_PRIME for example.`,
  );
}

/** The adapter that set-up chose for this process, else the one the user asks for, else "auto". */
export function wantedAdapter(env: NodeJS.ProcessEnv = process.env): string {
  return env.BESPOKE_CHOSEN_ADAPTER || env.BESPOKE_ADAPTER || "auto";
}

/** That there is no adapter such as is wanted, and what there is. */
export function noAdapterSentence(all: FoundAdapter[], wanted: string): string {
  if (all.length === 0) {
    return `No WebGPU adapter was found: run \`${programLine("doctor")}\`, which installs a software driver where it can and says what to do where it cannot.`;
  }
  const names = all.map(({ name }) => `"${name}"`).join(", ");
  return `No WebGPU adapter matches "${wanted}": this machine has ${names}.`;
}

/** Names an adapter, its driver and whether it is hardware, from what WebGPU tells of it. */
export function describeAdapter({ info }: Pick<GPUAdapter, "info">): AdapterDescription {
  const { vendor, architecture, description } = info;
  const device = info.device.replace(/-+$/, "");
  const named = adapterKind(`${device} ${architecture} ${description}`);
  const kind = named === "hardware" && info.isFallbackAdapter ? "software" : named;
  return {
    name: device || description || vendor || "unknown adapter",
    vendor,
    architecture,
    driver: description,
    software: kind !== "hardware",
    kind,
  };
}

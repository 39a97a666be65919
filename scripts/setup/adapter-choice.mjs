/**
 * What runs an adapter's work: a GPU, or the CPU through Mesa's lavapipe, Google's SwiftShader or another software driver.
 *
 * @typedef {"hardware" | "lavapipe" | "swiftshader" | "software"} AdapterKind
 *
 * @typedef {{ backend: string, name: string }} FoundAdapter
 */

/** From the best to the worst: measured, lavapipe is about four times as fast as SwiftShader. */
const PREFERENCE = /** @type {const} */ (["hardware", "lavapipe", "software", "swiftshader"]);

/** Asked for an adapter of this name, which none has, Dawn refuses and lists those there are: its only list of them. */
export const NO_SUCH_ADAPTER = "bespoke-lists-adapters";

/**
 * Which kind of adapter bears this name.
 *
 * @param {string} name as Vulkan, Metal or Direct3D gives it, such as "llvmpipe (LLVM 15.0.6, 256 bits)"
 * @returns {AdapterKind}
 */
export function adapterKind(name) {
  if (/llvmpipe|lavapipe/i.test(name)) return "lavapipe";
  if (/swiftshader/i.test(name)) return "swiftshader";
  return /basic render|\bWARP\b|software rasterizer/i.test(name) ? "software" : "hardware";
}

/**
 * Reads the adapters out of the error that Dawn throws for a name that none of them has.
 *
 * @param {string} message
 * @returns {FoundAdapter[]}
 */
export function parseAdapterList(message) {
  return [...message.matchAll(/^\s*\* backend: '(.*?)', name: '(.*)'\s*$/gm)].map(([, backend, name]) => ({
    backend: backend ?? "",
    name: name ?? "",
  }));
}

/**
 * Whether a wish for an adapter is (a part of) a name, and not "auto" or a kind.
 *
 * @param {string} wanted
 */
export function isAdapterName(wanted) {
  return wanted !== "auto" && !PREFERENCE.some((kind) => kind === wanted);
}

/**
 * Picks an adapter: of those that are wanted the first of the best kind, so a GPU always comes before a software driver. A
 * name that one has in full is no part of another's.
 *
 * @param {FoundAdapter[]} found in Dawn's order
 * @param {string} [wanted] "auto", a kind, or a part of an adapter's name
 * @returns {{ adapter: FoundAdapter, kind: AdapterKind, reason: string } | null} null when none is wanted
 */
export function chooseAdapter(found, wanted = "auto") {
  const [best] = bestAdapters(found, wanted);
  if (best === undefined) return null;
  return { ...best, reason: reasonFor(found, wanted, best) };
}

/**
 * All of the best kind among those that are wanted.
 *
 * @param {FoundAdapter[]} found in Dawn's order
 * @param {string} wanted "auto", a kind, or a part of an adapter's name
 */
export function bestAdapters(found, wanted) {
  const byKind = !isAdapterName(wanted);
  const name = wanted.toLowerCase();
  const inFull = !byKind && found.some((adapter) => adapter.name.toLowerCase() === name);
  const candidates = found
    .map((adapter) => ({ adapter, kind: adapterKind(adapter.name) }))
    .filter(({ adapter, kind }) => {
      if (wanted === "auto") return true;
      if (byKind) return kind === wanted;
      return inFull ? adapter.name.toLowerCase() === name : adapter.name.toLowerCase().includes(name);
    });
  for (const kind of PREFERENCE) {
    const best = candidates.filter((candidate) => candidate.kind === kind);
    if (best.length > 0) return best;
  }
  return [];
}

/**
 * @param {FoundAdapter[]} found
 * @param {string} wanted
 * @param {{ adapter: FoundAdapter, kind: AdapterKind }} best
 */
function reasonFor(found, wanted, { adapter, kind }) {
  const alike = found.filter(({ name }) => name === adapter.name).length;
  const why = whyChosen(found, wanted, kind);
  return alike === 1 ? why : `${why}; the first of ${alike} of this name: ${OUT_OF_SIGHT}`;
}

/** Dawn opens an adapter by its name, and so the first of those that share one. */
const OUT_OF_SIGHT =
  "for another, keep this one from Vulkan (VK_DRIVER_FILES names the drivers to look at, DRI_PRIME=pci-…! Mesa's one card)";

/**
 * Which adapter Dawn opens when it is asked for a name: the first in its order that has the name as a part of its own.
 *
 * @param {FoundAdapter[]} found in Dawn's order
 * @param {string} name
 */
export const openedByName = (found, name) => found.find((adapter) => adapter.name.includes(name)) ?? null;

/**
 * @param {FoundAdapter[]} found
 * @param {string} wanted
 * @param {AdapterKind} kind
 */
function whyChosen(found, wanted, kind) {
  if (wanted !== "auto") return `asked for as "${wanted}"`;
  if (found.length === 1) return "the only adapter";
  if (kind === "hardware") return "the first hardware adapter: a GPU comes before any software driver";
  return `no hardware adapter, and ${kind} comes first of the software drivers`;
}

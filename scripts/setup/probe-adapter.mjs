// Prints the adapters that Dawn finds, as JSON. A process of its own, because a driver is chosen by environment variables
// that must be set before Node starts, and because a broken driver may take its process down.
import { NO_SUCH_ADAPTER, parseAdapterList } from "./adapter-choice.mjs";

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

try {
  const { create } = await import("webgpu");
  /** @type {import("./adapter-choice.mjs").FoundAdapter[]} */
  let adapters = [];
  try {
    await create([`adapter=${NO_SUCH_ADAPTER}`]).requestAdapter({ powerPreference: "high-performance" });
  } catch (error) {
    adapters = parseAdapterList(messageOf(error));
  }
  console.log(JSON.stringify({ adapters }));
} catch (error) {
  console.log(JSON.stringify({ adapters: [], unloadable: messageOf(error) }));
}
// A driver's threads may outlive their work.
process.exit(0);

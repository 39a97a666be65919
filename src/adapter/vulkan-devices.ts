/**
 * @file What Vulkan tells of this machine's devices and Dawn does not: which of several with one name is which. Structures are those of
 * the Vulkan specification on a 64-bit machine.
 */
import type Koffi from "koffi";
import { loadKoffi } from "../load-koffi.ts";

/** A device as Vulkan sees it, in Vulkan's order. */
export interface VulkanDevice {
  /** The driver's name of it, which is Dawn's too. */
  readonly name: string;
  /** `VkPhysicalDeviceIDProperties::deviceUUID`, in hexadecimal: the same in every process of a machine. */
  readonly uuid: string;
  /** Its address on the PCI bus as Linux writes it, `0000:c1:00.0`; null where the driver tells none. */
  readonly pci: string | null;
}

const LOADER = "libvulkan.so.1";

const TYPE = {
  APPLICATION_INFO: 0,
  INSTANCE_CREATE_INFO: 1,
  PROPERTIES_2: 1_000_059_001,
  ID_PROPERTIES: 1_000_071_004,
  PCI_BUS_INFO_PROPERTIES: 1_000_212_000,
} as const;

/** Vulkan 1.1, which brought what is asked here. */
const API_VERSION = (1 << 22) | (1 << 12);
const MOST_DEVICES = 64;
const POINTER = 8;
const INSTANCE_INFO_BYTES = 64;
/** Where a structure's own members begin: behind its type, padding and the pointer to the next one. */
const MEMBERS = 16;
/** Left in place by a driver that does not know of PCI. */
const UNTOLD = 0xffffffff;

/** The devices that Vulkan shows to this process as its environment now is; null where there is no Vulkan to ask, as on macOS and Windows. */
export async function vulkanDevices(): Promise<VulkanDevice[] | null> {
  if (process.platform !== "linux") return null;
  try {
    return devicesOf(await loadKoffi());
  } catch {
    // No koffi, no loader, or one from before Vulkan 1.1.
    return null;
  }
}

function devicesOf(koffi: typeof Koffi): VulkanDevice[] {
  const library = koffi.load(LOADER);
  const createInstance = library.func("vkCreateInstance", "int", ["void *", "void *", "void *"]);
  const destroyInstance = library.func("vkDestroyInstance", "void", ["uintptr_t", "void *"]);
  const enumerate = library.func("vkEnumeratePhysicalDevices", "int", ["uintptr_t", "void *", "void *"]);
  const properties = library.func("vkGetPhysicalDeviceProperties2", "void", ["uintptr_t", "void *"]);

  // One behind the other: what is pointed to lives as long as what points to it.
  const info = Buffer.alloc(INSTANCE_INFO_BYTES + 48);
  info.writeUInt32LE(TYPE.INSTANCE_CREATE_INFO, 0);
  info.writeBigUInt64LE(koffi.address(info) + BigInt(INSTANCE_INFO_BYTES), 24);
  info.writeUInt32LE(TYPE.APPLICATION_INFO, INSTANCE_INFO_BYTES);
  info.writeUInt32LE(API_VERSION, INSTANCE_INFO_BYTES + 44);
  const instance = Buffer.alloc(POINTER);
  if (createInstance(info, null, instance) !== 0) return [];
  const handle = instance.readBigUInt64LE();
  try {
    const count = Buffer.alloc(4);
    count.writeUInt32LE(MOST_DEVICES);
    const devices = Buffer.alloc(MOST_DEVICES * POINTER);
    // 5 is VK_INCOMPLETE: there are more.
    if (![0, 5].includes(enumerate(handle, count, devices) as number)) return [];
    return Array.from({ length: count.readUInt32LE() }, (_, i) => {
      const pci = Buffer.alloc(32);
      pci.writeUInt32LE(TYPE.PCI_BUS_INFO_PROPERTIES, 0);
      pci.fill(0xff, MEMBERS);
      const id = Buffer.alloc(64);
      id.writeUInt32LE(TYPE.ID_PROPERTIES, 0);
      id.writeBigUInt64LE(koffi.address(pci), 8);
      const all = Buffer.alloc(1024);
      all.writeUInt32LE(TYPE.PROPERTIES_2, 0);
      all.writeBigUInt64LE(koffi.address(id), 8);
      properties(devices.readBigUInt64LE(i * POINTER), all);
      // Behind versions, vendor, device and type, five numbers of four bytes; 256 bytes at most.
      const name = all.toString("utf8", MEMBERS + 20, MEMBERS + 20 + 256).replace(/\0.*$/s, "");
      return { name, uuid: id.toString("hex", MEMBERS, MEMBERS + 16), pci: addressOf(pci) };
    });
  } finally {
    destroyInstance(handle, null);
  }
}

function addressOf(pci: Buffer): string | null {
  const [domain, bus, device, part] = [0, 4, 8, 12].map((place) => pci.readUInt32LE(MEMBERS + place));
  if (domain === UNTOLD) return null;
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${part}`;
}

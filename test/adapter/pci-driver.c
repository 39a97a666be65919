/* A Vulkan driver for tests: lavapipe, which says that it is a card on bus BUS of PCI, as a driver of hardware does.
   Built with -DBUS=1 -DLAVAPIPE='"/usr/lib/…/libvulkan_lvp.so"'. */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

typedef void (*function)(void);
typedef function (*get_address)(void *instance, const char *name);
struct structure {
  uint32_t type;
  struct structure *next;
};
struct extension {
  char name[256];
  uint32_t version;
};

enum { PCI_BUS_INFO = 1000212000, ID_PROPERTIES = 1000071004, VULKAN_1_1_PROPERTIES = 50 };

static void *library(void) {
  static void *loaded;
  if (!loaded) loaded = dlopen(LAVAPIPE, RTLD_NOW | RTLD_LOCAL);
  return loaded;
}

static void (*lavapipe_properties)(void *device, struct structure *all);
static int (*lavapipe_extensions)(void *device, const char *layer, uint32_t *count, struct extension *all);

static void properties(void *device, struct structure *all) {
  lavapipe_properties(device, all);
  for (struct structure *each = all; each; each = each->next) {
    void *members = each + 1;
    if (each->type == PCI_BUS_INFO) memcpy(members, (uint32_t[]){0, BUS, 0, 0}, 16);
    if (each->type == ID_PROPERTIES || each->type == VULKAN_1_1_PROPERTIES) *(uint8_t *)members = BUS;
  }
}

static int extensions(void *device, const char *layer, uint32_t *count, struct extension *all) {
  uint32_t own = *count - 1;
  const int result = lavapipe_extensions(device, layer, all ? &own : count, all);
  if (all) {
    strncpy(all[own].name, "VK_EXT_pci_bus_info", sizeof all[own].name);
    all[own].version = 2;
  }
  *count = (all ? own : *count) + 1;
  return result;
}

function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  const function own = ((get_address)dlsym(library(), "vk_icdGetInstanceProcAddr"))(instance, name);
  if (!own) return own;
  if (!strncmp(name, "vkGetPhysicalDeviceProperties2", 30)) {
    lavapipe_properties = (void (*)(void *, struct structure *))own;
    return (function)properties;
  }
  if (!strcmp(name, "vkEnumerateDeviceExtensionProperties")) {
    lavapipe_extensions = (int (*)(void *, const char *, uint32_t *, struct extension *))own;
    return (function)extensions;
  }
  return own;
}

int vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  const int result = ((int (*)(uint32_t *))dlsym(library(), "vk_icdNegotiateLoaderICDInterfaceVersion"))(version);
  /* From 4 on the loader asks for functions of devices elsewhere. */
  if (*version > 3) *version = 3;
  return result;
}

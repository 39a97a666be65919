/*
 * A Vulkan layer for drivers that can compile and cannot run: RADV compiles for an AMD card that is not there
 * (RADV_FORCE_FAMILY), but has nowhere to send work to. Under this layer commands and submissions do nothing, and all that
 * is waited for has happened already. Compute pipelines are made by the driver beneath, with its real compiler.
 *
 * What the compiler says of a pipeline is appended to the file that $COMPILE_RECORD names, one JSON object a line in the
 * order in which pipelines are made:
 *
 *     {"subgroupSize": 64, "statistics": {"VGPRs": 96, …}, "assembly": "BB0:\n\tv_mov_b32 …"}
 *
 * All of it comes from VK_KHR_pipeline_executable_properties, which is turned on here whether the application asks or not. Results
 * and timestamps of what "runs" mean nothing. There may be several instances and devices in a process, but all must be of
 * the same driver: only the latest one's functions are kept.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

/* The next layer's or the driver's own. */
static PFN_vkGetInstanceProcAddr next_instance_proc;
static PFN_vkGetDeviceProcAddr next_device_proc;
static PFN_vkCreateComputePipelines next_create_compute_pipelines;
static PFN_vkGetPipelineExecutablePropertiesKHR next_executable_properties;
static PFN_vkGetPipelineExecutableStatisticsKHR next_executable_statistics;
static PFN_vkGetPipelineExecutableInternalRepresentationsKHR next_internal_representations;
static VkInstance latest_instance;

/* Pipelines may be made on several threads. */
static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;

static void write_string(FILE *file, const char *text, size_t length) {
  fputc('"', file);
  for (size_t i = 0; i < length; i++) {
    const unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') fprintf(file, "\\%c", c);
    else if (c < 0x20) fprintf(file, "\\u%04x", c);
    else fputc(c, file);
  }
  fputc('"', file);
}

static void write_statistics(FILE *file, VkDevice device, const VkPipelineExecutableInfoKHR *executable) {
  uint32_t count = 0;
  next_executable_statistics(device, executable, &count, NULL);
  VkPipelineExecutableStatisticKHR *statistics = calloc(count, sizeof *statistics);
  for (uint32_t i = 0; i < count; i++) statistics[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
  next_executable_statistics(device, executable, &count, statistics);
  fputc('{', file);
  for (uint32_t i = 0; i < count; i++) {
    const VkPipelineExecutableStatisticKHR *one = &statistics[i];
    if (i > 0) fputc(',', file);
    write_string(file, one->name, strlen(one->name));
    switch (one->format) {
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR: fprintf(file, ":%g", one->value.f64); break;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR: fprintf(file, ":%s", one->value.b32 ? "true" : "false"); break;
    case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR: fprintf(file, ":%lld", (long long)one->value.i64); break;
    default: fprintf(file, ":%llu", (unsigned long long)one->value.u64);
    }
  }
  fputc('}', file);
  free(statistics);
}

/* The machine code as text; an empty string where the driver has none (a Mesa that was built without a disassembler). */
static void write_assembly(FILE *file, VkDevice device, const VkPipelineExecutableInfoKHR *executable) {
  uint32_t count = 0;
  next_internal_representations(device, executable, &count, NULL);
  VkPipelineExecutableInternalRepresentationKHR *texts = calloc(count, sizeof *texts);
  for (uint32_t i = 0; i < count; i++) texts[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR;
  /* The first call says how long each text is, the second one fills it in. */
  next_internal_representations(device, executable, &count, texts);
  for (uint32_t i = 0; i < count; i++) texts[i].pData = malloc(texts[i].dataSize);
  next_internal_representations(device, executable, &count, texts);
  const char *assembly = "";
  size_t length = 0;
  for (uint32_t i = 0; i < count; i++) {
    if (!texts[i].isText || strcmp(texts[i].name, "Assembly") != 0) continue;
    assembly = texts[i].pData;
    length = strnlen(assembly, texts[i].dataSize);
  }
  write_string(file, assembly, length);
  for (uint32_t i = 0; i < count; i++) free(texts[i].pData);
  free(texts);
}

static void record_pipeline(VkDevice device, VkPipeline pipeline) {
  const char *path = getenv("COMPILE_RECORD");
  if (path == NULL || next_executable_properties == NULL) return;
  const VkPipelineInfoKHR info = {VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, NULL, pipeline};
  /* A compute pipeline is one executable. */
  VkPipelineExecutablePropertiesKHR properties = {.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR};
  uint32_t count = 1;
  next_executable_properties(device, &info, &count, &properties);
  pthread_mutex_lock(&record_lock);
  FILE *file = fopen(path, "a");
  if (file != NULL && count > 0) {
    const VkPipelineExecutableInfoKHR executable = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, NULL, pipeline, 0};
    fprintf(file, "{\"subgroupSize\":%u,\"statistics\":", properties.subgroupSize);
    write_statistics(file, device, &executable);
    fputs(",\"assembly\":", file);
    write_assembly(file, device, &executable);
    fputs("}\n", file);
  }
  if (file != NULL) fclose(file);
  pthread_mutex_unlock(&record_lock);
}

static VKAPI_ATTR VkResult VKAPI_CALL create_compute_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count,
    const VkComputePipelineCreateInfo *infos, const VkAllocationCallbacks *allocator, VkPipeline *pipelines) {
  (void)cache; /* What comes out of a cache was not compiled and has nothing to tell. */
  VkComputePipelineCreateInfo *telling = malloc(count * sizeof *telling);
  memcpy(telling, infos, count * sizeof *telling);
  for (uint32_t i = 0; i < count; i++)
    telling[i].flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR | VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR;
  const VkResult result = next_create_compute_pipelines(device, VK_NULL_HANDLE, count, telling, allocator, pipelines);
  free(telling);
  if (result == VK_SUCCESS)
    for (uint32_t i = 0; i < count; i++) record_pipeline(device, pipelines[i]);
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *allocator,
    VkInstance *instance) {
  VkLayerInstanceCreateInfo *link = (VkLayerInstanceCreateInfo *)info->pNext;
  while (link != NULL && !(link->sType == VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO && link->function == VK_LAYER_LINK_INFO))
    link = (VkLayerInstanceCreateInfo *)link->pNext;
  if (link == NULL) return VK_ERROR_INITIALIZATION_FAILED;
  next_instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  const PFN_vkCreateInstance next_create = (PFN_vkCreateInstance)next_instance_proc(NULL, "vkCreateInstance");
  const VkResult result = next_create(info, allocator, instance);
  if (result == VK_SUCCESS) latest_instance = *instance;
  return result;
}

static VKAPI_ATTR VkResult VKAPI_CALL create_device(VkPhysicalDevice adapter, const VkDeviceCreateInfo *info,
    const VkAllocationCallbacks *allocator, VkDevice *device) {
  VkLayerDeviceCreateInfo *link = (VkLayerDeviceCreateInfo *)info->pNext;
  while (link != NULL && !(link->sType == VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO && link->function == VK_LAYER_LINK_INFO))
    link = (VkLayerDeviceCreateInfo *)link->pNext;
  if (link == NULL) return VK_ERROR_INITIALIZATION_FAILED;
  const PFN_vkGetInstanceProcAddr instance_proc = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
  next_device_proc = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
  link->u.pLayerInfo = link->u.pLayerInfo->pNext;
  const PFN_vkCreateDevice next_create = (PFN_vkCreateDevice)instance_proc(latest_instance, "vkCreateDevice");

  VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR telling = {
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR, (void *)info->pNext, VK_TRUE};
  const char **extensions = malloc((info->enabledExtensionCount + 1) * sizeof *extensions);
  memcpy(extensions, info->ppEnabledExtensionNames, info->enabledExtensionCount * sizeof *extensions);
  extensions[info->enabledExtensionCount] = VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME;
  VkDeviceCreateInfo wider = *info;
  wider.pNext = &telling;
  wider.enabledExtensionCount++;
  wider.ppEnabledExtensionNames = extensions;
  const VkResult result = next_create(adapter, &wider, allocator, device);
  free(extensions);
  if (result != VK_SUCCESS) return result;

  next_create_compute_pipelines = (PFN_vkCreateComputePipelines)next_device_proc(*device, "vkCreateComputePipelines");
  next_executable_properties =
      (PFN_vkGetPipelineExecutablePropertiesKHR)next_device_proc(*device, "vkGetPipelineExecutablePropertiesKHR");
  next_executable_statistics =
      (PFN_vkGetPipelineExecutableStatisticsKHR)next_device_proc(*device, "vkGetPipelineExecutableStatisticsKHR");
  next_internal_representations = (PFN_vkGetPipelineExecutableInternalRepresentationsKHR)next_device_proc(
      *device, "vkGetPipelineExecutableInternalRepresentationsKHR");
  return VK_SUCCESS;
}

/* In place of everything that would make the card work or wait for it. */
static VKAPI_ATTR VkResult VKAPI_CALL do_nothing(void) { return VK_SUCCESS; }

/* A timeline semaphore that has come to its end: whatever is waited for is over. */
static VKAPI_ATTR VkResult VKAPI_CALL semaphore_at_end(VkDevice device, VkSemaphore semaphore, uint64_t *value) {
  (void)device, (void)semaphore;
  *value = UINT64_MAX;
  return VK_SUCCESS;
}

static int starts_with(const char *name, const char *start) { return strncmp(name, start, strlen(start)) == 0; }

/* Whether a function records commands, submits them or waits for them. */
static int works_or_waits(const char *name) {
  static const char *const others[] = {"vkBeginCommandBuffer", "vkEndCommandBuffer", "vkResetCommandBuffer",
      "vkResetCommandPool", "vkGetFenceStatus", "vkWaitForFences", "vkResetFences", "vkQueueWaitIdle", "vkDeviceWaitIdle"};
  if (starts_with(name, "vkCmd") || starts_with(name, "vkQueueSubmit") || starts_with(name, "vkWaitSemaphores")) return 1;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (strcmp(name, others[i]) == 0) return 1;
  return 0;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_proc(VkDevice device, const char *name) {
  if (strcmp(name, "vkGetDeviceProcAddr") == 0) return (PFN_vkVoidFunction)device_proc;
  if (strcmp(name, "vkCreateComputePipelines") == 0) return (PFN_vkVoidFunction)create_compute_pipelines;
  if (starts_with(name, "vkGetSemaphoreCounterValue")) return (PFN_vkVoidFunction)semaphore_at_end;
  if (works_or_waits(name)) return (PFN_vkVoidFunction)do_nothing;
  return next_device_proc != NULL ? next_device_proc(device, name) : NULL;
}

static VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL instance_proc(VkInstance instance, const char *name) {
  if (strcmp(name, "vkGetInstanceProcAddr") == 0) return (PFN_vkVoidFunction)instance_proc;
  if (strcmp(name, "vkCreateInstance") == 0) return (PFN_vkVoidFunction)create_instance;
  if (strcmp(name, "vkCreateDevice") == 0) return (PFN_vkVoidFunction)create_device;
  if (works_or_waits(name)) return (PFN_vkVoidFunction)do_nothing;
  return next_instance_proc != NULL ? next_instance_proc(instance, name) : NULL;
}

/* Where the loader begins. */
__attribute__((visibility("default"))) VKAPI_ATTR VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(
    VkNegotiateLayerInterface *interface) {
  interface->loaderLayerInterfaceVersion = 2;
  interface->pfnGetInstanceProcAddr = instance_proc;
  interface->pfnGetDeviceProcAddr = device_proc;
  interface->pfnGetPhysicalDeviceProcAddr = NULL;
  return VK_SUCCESS;
}

# Source this on the machine with the GPU, in the project's folder: source .gpu/setup.sh
# Unpacks Node, the Vulkan loader and the modules beside itself (once), touches nothing of the system, and points the loader at
# NVIDIA's driver where that does not lie in a place where it is found.
_gpu=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -x "$_gpu/bin/node" ] || { mkdir -p "$_gpu/bin" && xz -dc "$_gpu/node.xz" >"$_gpu/bin/node" && chmod +x "$_gpu/bin/node"; }
[ -d "$_gpu/lib" ] || { mkdir -p "$_gpu/lib" && tar xJf "$_gpu/lib.tar.xz" -C "$_gpu/lib"; }
[ -d node_modules/webgpu ] || tar xJf "$_gpu/node_modules.tar.xz"
export PATH="$_gpu/bin:$PATH"
export LD_LIBRARY_PATH="$_gpu/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
_icd=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json
[ -z "${VK_DRIVER_FILES:-}" ] && [ -f "$_icd" ] && export VK_DRIVER_FILES=$_icd
_egl=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
[ -f "$_egl" ] && export __EGL_VENDOR_LIBRARY_FILENAMES=$_egl
node --version

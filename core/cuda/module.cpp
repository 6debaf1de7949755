// sonolux/core/cuda/module.cpp
#include <sonolux/core/cuda/device.hpp>
#include <sonolux/core/cuda/module.hpp>

#include <dlfcn.h>

namespace sonolux::cuda {

namespace {

constexpr const char* module_name = "libsonolux_cuda.so";

std::string folder_of_this_code() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&module_function), &info) == 0 || info.dli_fname == nullptr)
        return {};
    const std::string path = info.dli_fname;
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string(".") : path.substr(0, slash);
}

/// The module, which stays loaded: devices and kernels point into it. The loader keeps it: asking again is
/// cheap.
void* load_module() {
    std::string said;
    void* module = nullptr;
    const std::string folder = folder_of_this_code();
    for (const std::string& path :
         {folder + "/" + module_name, folder + "/../" SLX_LIBRARY_FOLDER "/" + module_name,
          std::string(module_name)}) {
        module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (module != nullptr) break;
        const char* why = dlerror();
        said += (said.empty() ? "" : "; ") + std::string(why != nullptr ? why : "no reason given");
    }
    if (module == nullptr)
        fail(Status::unsupported, "a CUDA device was asked for, and the module ", module_name,
             " cannot be loaded: ", said);
    const auto version = reinterpret_cast<decltype(&slx_cuda_version)>(dlsym(module, "slx_cuda_version"));
    const std::string found = version != nullptr ? version() : "unknown";
    if (found != SLX_VERSION) {
        dlclose(module);
        fail(Status::unsupported, module_name, " is of version ", found, ", and this is Sonolux ",
             SLX_VERSION, ": install the module that was built with it");
    }
    return module;
}

}  // namespace

void* module_function(const char* name) {
    void* function = dlsym(load_module(), name);
    require(function != nullptr, Status::unsupported, module_name, " has no function ", name,
            ": it was built from other sources of version ", SLX_VERSION);
    return function;
}

}  // namespace sonolux::cuda

namespace sonolux {

std::shared_ptr<CudaDevice> open_cuda_device(int index) {
    require(index >= 0, Status::invalid_argument, "index of a CUDA device must be at least 0, got ", index);
    CudaDevice* device = nullptr;
    cuda::Message message;
    cuda::require_ok(cuda::module_call<decltype(slx_cuda_open)>("slx_cuda_open")(index, &device, &message),
                     message);
    return std::shared_ptr<CudaDevice>(device);
}

namespace {

/// N of "cuda:N", 0 for "cuda", -1 for "cpu", and -2 for what is none of these.
int device_index(std::string_view word) noexcept {
    if (word == "cpu") return -1;
    if (word == "cuda") return 0;
    constexpr std::string_view numbered = "cuda:";
    if (!word.starts_with(numbered)) return -2;
    const std::string_view digits = word.substr(numbered.size());
    if (digits.empty() || digits.size() > 4) return -2;
    int index = 0;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') return -2;
        index = 10 * index + (digit - '0');
    }
    return index;
}

}  // namespace

bool names_device(std::string_view word) noexcept { return device_index(word) > -2; }

std::shared_ptr<CudaDevice> open_device(std::string_view name) {
    const int index = device_index(name);
    require(index > -2, Status::invalid_argument, "device must be cpu, cuda or cuda:N, got \"", name, "\"");
    return index < 0 ? nullptr : open_cuda_device(index);
}

}  // namespace sonolux

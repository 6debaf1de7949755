// sonolux/core/cuda/device_fft.cu
#include <dlfcn.h>

#include <algorithm>

#include <sonolux/core/cuda/device_fft.cuh>

namespace sonolux::cuda {

namespace {

constexpr int version = CUFFT_VERSION / 1000;  // of the library's name
static_assert(sizeof(Complex) == sizeof(cufftComplex));

template <class Function>
void find(void* library, const std::string& name, const char* symbol, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, symbol));
    require(function != nullptr, Status::unsupported, name, " has no function ", symbol);
}

void require_fft(cufftResult result, const char* call) {
    if (result == CUFFT_SUCCESS) return;
    throw Error(result == CUFFT_ALLOC_FAILED ? Status::out_of_memory : Status::device_error,
                sentence("cuFFT: ", call, ": error ", static_cast<int>(result)));
}

}  // namespace

/// The functions that are used here. The loader keeps the library.
struct RealFft2Batch<DeviceLauncher>::Library {
    decltype(&cufftCreate) create;
    decltype(&cufftDestroy) destroy;
    decltype(&cufftSetAutoAllocation) set_auto_allocation;
    decltype(&cufftMakePlanMany) make_plan_many;
    decltype(&cufftSetWorkArea) set_work_area;
    decltype(&cufftSetStream) set_stream;
    decltype(&cufftExecR2C) execute_forward;
    decltype(&cufftExecC2R) execute_inverse;

    Library() {
        const std::string name = "libcufft.so." + std::to_string(version);
        void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) {
            const char* why = dlerror();
            fail(Status::unsupported, "this needs Fourier transforms on the device, and ", name,
                 " of the CUDA Toolkit cannot be loaded: ", why != nullptr ? why : "no reason given");
        }
        find(library, name, "cufftCreate", create);
        find(library, name, "cufftDestroy", destroy);
        find(library, name, "cufftSetAutoAllocation", set_auto_allocation);
        find(library, name, "cufftMakePlanMany", make_plan_many);
        find(library, name, "cufftSetWorkArea", set_work_area);
        find(library, name, "cufftSetStream", set_stream);
        find(library, name, "cufftExecR2C", execute_forward);
        find(library, name, "cufftExecC2R", execute_inverse);
    }
};

RealFft2Batch<DeviceLauncher>::RealFft2Batch(DeviceLauncher& launcher, Index rows, Index columns, Index batch)
    : library_(std::make_unique<const Library>()) {
    const Library& library = *library_;
    int sizes[] = {static_cast<int>(rows), static_cast<int>(columns)};
    const auto make = [&](cufftHandle& plan, cufftType type) {
        require_fft(library.create(&plan), "making a plan");
        require_fft(library.set_auto_allocation(plan, 0), "making a plan");
        std::size_t bytes = 0;
        require_fft(library.make_plan_many(plan, 2, sizes, nullptr, 1, 0, nullptr, 1, 0, type,
                                           static_cast<int>(batch), &bytes),
                    "making a plan");
        require_fft(library.set_work_area(plan, launcher.allocate<unsigned char>(
                                                    static_cast<Index>(std::max<std::size_t>(bytes, 1)))),
                    "giving it memory");
        require_fft(library.set_stream(plan, launcher.stream()), "giving it a stream");
    };
    try {
        make(forward_, CUFFT_R2C);
        make(inverse_, CUFFT_C2R);
    } catch (...) {
        destroy();
        throw;
    }
}

RealFft2Batch<DeviceLauncher>::~RealFft2Batch() { destroy(); }

void RealFft2Batch<DeviceLauncher>::destroy() noexcept {
    for (const cufftHandle plan : {forward_, inverse_})
        if (plan != none) library_->destroy(plan);
}

void RealFft2Batch<DeviceLauncher>::forward(const float* images, Complex* spectra) {
    require_fft(library_->execute_forward(forward_, const_cast<float*>(images),
                                          reinterpret_cast<cufftComplex*>(spectra)),
                "transforming");
}

void RealFft2Batch<DeviceLauncher>::inverse(Complex* spectra, float* images) {
    require_fft(library_->execute_inverse(inverse_, reinterpret_cast<cufftComplex*>(spectra), images),
                "transforming back");
}

}  // namespace sonolux::cuda

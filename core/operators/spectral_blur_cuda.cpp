// sonolux/core/operators/spectral_blur_cuda.cpp
#include <sonolux/core/operators/spectral_blur_cuda.hpp>

namespace sonolux {

cuda::SpectralBlurLists::SpectralBlurLists(const SpectralBlur& blur) {
    require(blur.patches() >= 1, Status::invalid_argument, "spectral blur: no kernels were set");
    const Shape domain = blur.domain();
    layout.inputs = static_cast<int>(blur.inputs());
    layout.outputs = static_cast<int>(blur.outputs());
    layout.rows = static_cast<int>(domain.last(1));
    layout.columns = static_cast<int>(domain.last(0));
    layout.patches = static_cast<int>(blur.patches());
    const float scale = 1 / static_cast<float>(layout.pixels());
    for (Index patch = 0; patch < blur.patches(); ++patch)
        for (Index output = 0; output < blur.outputs(); ++output)
            for (Index input = 0; input < blur.inputs(); ++input) {
                const View<const SpectralBlur::Complex> spectrum = blur.spectrum(patch, output, input);
                light.push_back(spectrum.empty() ? 0 : 1);
                for (Index n = 0; n < layout.bins(); ++n)
                    spectra.push_back(spectrum.empty() ? Complex{0, 0}
                                                       : Complex{scale * spectrum.data()[n].real(),
                                                                 scale * spectrum.data()[n].imag()});
            }
    layout.spectra = spectra.data();
    layout.light = light.data();
    layout.windows = blur.windows().empty() ? nullptr : blur.windows().data();
}

SpectralBlurCuda::SpectralBlurCuda(const SpectralBlur& blur, CudaDevice& device) {
    const cuda::SpectralBlurLists lists(blur);
    cuda::SpectralBlurOnDevice* program = nullptr;
    const Status status = cuda::module_call<decltype(slx_cuda_spectral_blur)>("slx_cuda_spectral_blur")(
        &device, &lists.layout, &program, &message_);
    cuda::require_ok(status, message_);
    program_.reset(program);
}

}  // namespace sonolux

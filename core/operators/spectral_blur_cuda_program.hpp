// sonolux/core/operators/spectral_blur_cuda_program.hpp
//
// SpectralBlur on a CUDA device: for each patch a batch of transforms and one kernel that sums up over
// channels.
#pragma once

#include <cstdint>
#include <memory>

#include <sonolux/core/cuda/device.hpp>
#include <sonolux/core/cuda/device_copy.hpp>
#include <sonolux/core/cuda/fft.hpp>
#include <sonolux/core/cuda/module.hpp>

namespace sonolux::cuda {

/// Pointers are to host memory where a program is made.
struct SpectralBlurLayout {
    int inputs, outputs, rows, columns, patches;
    const Complex* spectra;     ///< [patches, outputs, inputs, rows, columns / 2 + 1], over rows columns
    const std::uint8_t* light;  ///< [patches, outputs, inputs]: 0 where no light goes
    const float* windows;       ///< [patches, rows, columns]; null: one patch, everywhere

    [[nodiscard]] SLX_KERNEL std::int64_t pixels() const { return std::int64_t{rows} * columns; }
    [[nodiscard]] SLX_KERNEL std::int64_t bins() const { return std::int64_t{rows} * (columns / 2 + 1); }
};

/// What the module has.
class SpectralBlurOnDevice {
public:
    virtual ~SpectralBlurOnDevice() = default;
    [[nodiscard]] virtual float* staging() noexcept = 0;
    virtual Status apply(Message* message) noexcept = 0;
    virtual Status adjoint(Message* message) noexcept = 0;

protected:
    SpectralBlurOnDevice() = default;
    SpectralBlurOnDevice(const SpectralBlurOnDevice&) = default;
    SpectralBlurOnDevice& operator=(const SpectralBlurOnDevice&) = default;
};

inline constexpr unsigned blur_block = 256;

/// Grid: bins in blocks, channels of the result. to = (to +) sum over `from_count` channels of k from, or
/// conj(k) from.
struct BlurSpectra {
    const Complex* from;
    Complex* to;
    SpectralBlurLayout blur;
    int patch;
    bool adjoint;  ///< from outputs to inputs
    bool add;

    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        const std::int64_t bins = blur.bins(), bin = thread.global_x();
        if (bin >= bins) return;
        const int channel = static_cast<int>(thread.block_index.y),
                  count = adjoint ? blur.outputs : blur.inputs;
        Complex& result = to[channel * bins + bin];
        Complex sum = add ? result : Complex{0, 0};
        for (int other = 0; other < count; ++other) {
            const int output = adjoint ? other : channel, input = adjoint ? channel : other;
            const int pair = (patch * blur.outputs + output) * blur.inputs + input;
            if (blur.light[pair] == 0) continue;
            const Complex k = blur.spectra[pair * bins + bin], value = from[other * bins + bin];
            const float im = adjoint ? -k.im : k.im;
            sum.re += k.re * value.re - im * value.im;
            sum.im += k.re * value.im + im * value.re;
        }
        result = sum;
    }
};

/// Grid: pixels in blocks, channels. to = (to +) window from.
struct WindowImages {
    const float* from;
    float* to;
    const float* window;
    std::int64_t pixels;
    bool add;

    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        const std::int64_t pixel = thread.global_x(), at = thread.block_index.y * pixels + pixel;
        if (pixel >= pixels) return;
        const float value = window[pixel] * from[at];
        to[at] = add ? to[at] + value : value;
    }
};

template <class Launcher>
class SpectralBlurProgram {
public:
    /// Copies spectra and windows. Throws what the launcher throws.
    SpectralBlurProgram(Launcher& launcher, const SpectralBlurLayout& host)
        : launcher_(launcher),
          blur_(host),
          input_fft_(launcher, host.rows, host.columns, host.inputs),
          output_fft_(launcher, host.rows, host.columns, host.outputs) {
        const Index pairs = Index{host.patches} * host.outputs * host.inputs;
        copy_to_device(launcher, blur_.spectra, pairs * host.bins());
        copy_to_device(launcher, blur_.light, pairs);
        if (host.windows != nullptr) copy_to_device(launcher, blur_.windows, host.patches * host.pixels());
        x_ = launcher.template allocate<float>(host.inputs * host.pixels());
        y_ = launcher.template allocate<float>(host.outputs * host.pixels());
        if (host.windows != nullptr) part_ = launcher.template allocate<float>(host.inputs * host.pixels());
        input_spectra_ = launcher.template allocate<Complex>(host.inputs * host.bins());
        output_spectra_ = launcher.template allocate<Complex>(host.outputs * host.bins());
        launcher.wait();
    }

    [[nodiscard]] Index input_floats() const { return blur_.inputs * blur_.pixels(); }
    [[nodiscard]] Index output_floats() const { return blur_.outputs * blur_.pixels(); }

    void apply(const float* x, float* y) {
        launcher_.upload(x_, x, input_floats());
        for (int patch = 0; patch < blur_.patches; ++patch) {
            if (blur_.windows != nullptr) window(patch, x_, part_, false);
            input_fft_.forward(blur_.windows != nullptr ? part_ : x_, input_spectra_);
            launcher_.launch(BlurSpectra{input_spectra_, output_spectra_, blur_, patch, false, patch > 0},
                             {blocks_for(blur_.bins(), blur_block), static_cast<unsigned>(blur_.outputs)},
                             {blur_block});
        }
        output_fft_.inverse(output_spectra_, y_);
        launcher_.download(y, y_, output_floats());
        launcher_.wait();
    }

    void adjoint(const float* y, float* x) {
        launcher_.upload(y_, y, output_floats());
        output_fft_.forward(y_, output_spectra_);
        for (int patch = 0; patch < blur_.patches; ++patch) {
            launcher_.launch(BlurSpectra{output_spectra_, input_spectra_, blur_, patch, true, false},
                             {blocks_for(blur_.bins(), blur_block), static_cast<unsigned>(blur_.inputs)},
                             {blur_block});
            input_fft_.inverse(input_spectra_, blur_.windows != nullptr ? part_ : x_);
            if (blur_.windows != nullptr) window(patch, part_, x_, patch > 0);
        }
        launcher_.download(x, x_, input_floats());
        launcher_.wait();
    }

private:
    void window(int patch, const float* from, float* to, bool add) {
        launcher_.launch(WindowImages{from, to, blur_.windows + patch * blur_.pixels(), blur_.pixels(), add},
                         {blocks_for(blur_.pixels(), blur_block), static_cast<unsigned>(blur_.inputs)},
                         {blur_block});
    }

    Launcher& launcher_;
    SpectralBlurLayout blur_;
    RealFft2Batch<Launcher> input_fft_, output_fft_;
    float* x_ = nullptr;
    float* y_ = nullptr;
    float* part_ = nullptr;
    Complex* input_spectra_ = nullptr;
    Complex* output_spectra_ = nullptr;
};

}  // namespace sonolux::cuda

extern "C" {
sonolux::Status slx_cuda_spectral_blur(sonolux::CudaDevice* device,
                                       const sonolux::cuda::SpectralBlurLayout* layout,
                                       sonolux::cuda::SpectralBlurOnDevice** program,
                                       sonolux::cuda::Message* message) noexcept;
}

// sonolux/core/fft_fftw.cpp
//
// FFTW in single precision (www.fftw.org, GPL). Never part of the firmware library.
#include <cstdlib>
#include <mutex>
#include <string_view>

#include <fftw3.h>

#include <sonolux/core/fft_backends.hpp>

namespace sonolux::detail {

namespace {

/// FFTW's planner is one per process; only executing a plan is safe beside other threads.
std::mutex& planner() {
    static std::mutex mutex;
    return mutex;
}

struct DestroyPlan {
    void operator()(fftwf_plan plan) const noexcept {
        const std::lock_guard lock(planner());
        fftwf_destroy_plan(plan);
    }
};

using Plan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, DestroyPlan>;

class FftwFft2 final : public RealFft2 {
public:
    FftwFft2(Index rows, Index columns, FftPlanning planning)
        : RealFft2(rows, columns), planning_(planning), image_(image_shape()), spectrum_(spectrum_shape()) {
        const unsigned flags = planning == FftPlanning::measure ? FFTW_MEASURE : FFTW_ESTIMATE;
        const int n = static_cast<int>(rows), m = static_cast<int>(columns);
        const std::lock_guard lock(planner());
        forward_.reset(fftwf_plan_dft_r2c_2d(n, m, image_.data(), bins(spectrum_.data()), flags));
        inverse_.reset(fftwf_plan_dft_c2r_2d(n, m, bins(spectrum_.data()), image_.data(), flags));
        require(forward_ && inverse_, Status::out_of_memory, "FFT: FFTW makes no plan for ",
                to_string(image_shape()));
    }

    void forward(View<const float> image, View<Complex> spectrum) noexcept override {
        // FFTW leaves the input of this transform alone, but asks for a pointer to what is not const.
        float* from = const_cast<float*>(image.data());
        if (!usable(image)) {
            copy(image, image_.view());
            from = image_.data();
        }
        if (usable(spectrum)) {
            fftwf_execute_dft_r2c(forward_.get(), from, bins(spectrum.data()));
        } else {
            fftwf_execute_dft_r2c(forward_.get(), from, bins(spectrum_.data()));
            copy(View<const Complex>(spectrum_.view()), spectrum);
        }
    }

    void inverse(View<const Complex> spectrum, View<float> image) noexcept override {
        copy(spectrum, spectrum_.view());  // the transform back destroys its input
        float* to = usable(image) ? image.data() : image_.data();
        fftwf_execute_dft_c2r(inverse_.get(), bins(spectrum_.data()), to);
        const float scale = static_cast<float>(1.0 / static_cast<double>(rows() * columns()));
        for (Index i = 0; i < rows(); ++i) {
            const float* line = to + i * columns();
            float* out = image.row(i);
            for (Index j = 0; j < columns(); ++j) out[j] = line[j] * scale;
        }
    }

    std::string description() const override { return fftw_description(planning_); }

private:
    static fftwf_complex* bins(Complex* data) { return reinterpret_cast<fftwf_complex*>(data); }

    /// Whether the plans, made for our own aligned arrays, run on this memory too.
    template <class T>
    static bool usable(View<T> view) noexcept {
        auto* data = const_cast<float*>(reinterpret_cast<const float*>(view.data()));
        return view.contiguous() && fftwf_alignment_of(data) == 0;
    }

    template <class T>
    static void copy(View<const T> from, View<T> to) noexcept {
        for (Index i = 0; i < to.rows(); ++i) std::copy_n(from.row(i), to.columns(), to.row(i));
    }

    FftPlanning planning_;
    Array<float> image_;
    Array<Complex> spectrum_;
    Plan forward_, inverse_;
};

}  // namespace

std::unique_ptr<RealFft2> make_fftw_fft2(Index rows, Index columns, FftPlanning planning) {
    return std::make_unique<FftwFft2>(rows, columns, planning);
}

std::string fftw_description(FftPlanning planning) {
    std::string_view version = fftwf_version;  // "fftw-3.3.10-sse2-avx"
    version.remove_prefix(std::min(version.size(), version.find('-') + 1));
    return sentence("FFTW ", version.substr(0, version.find('-')),
                    planning == FftPlanning::measure ? ", MEASURE" : ", ESTIMATE");
}

std::string export_fftw_wisdom() {
    const std::lock_guard lock(planner());
    const std::unique_ptr<char, decltype(&std::free)> text(fftwf_export_wisdom_to_string(), &std::free);
    require(text != nullptr, Status::out_of_memory, "FFT wisdom: no memory");
    return text.get();
}

void import_fftw_wisdom(const std::string& wisdom) {
    const std::lock_guard lock(planner());
    require(fftwf_import_wisdom_from_string(wisdom.c_str()) != 0, Status::corrupt_data,
            "FFT wisdom: the text is not the wisdom of ", fftwf_version);
}

}  // namespace sonolux::detail

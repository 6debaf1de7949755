// sonolux/core/fft_fftw.cpp
//
// FFTW in single precision (www.fftw.org, GPL). Never part of the firmware library.
#include <cstdlib>
#include <mutex>
#include <string_view>

#include <fftw3.h>

#include <sonolux/core/fft_lines.hpp>

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

using Complex = std::complex<float>;
using Plan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, DestroyPlan>;

/// Lines without large prime factors: for these FFTW takes no memory while it runs, as it does for many
/// others and for images of nearly every size.
template <unsigned flags>
class FftwLine {
public:
    FftwLine(Index length, bool inverse) {
        Array<Complex> in({length}), out({length});
        const std::lock_guard lock(planner());
        plan_.reset(fftwf_plan_dft_1d(static_cast<int>(length), bins(in.data()), bins(out.data()),
                                      inverse ? FFTW_BACKWARD : FFTW_FORWARD, flags));
        require(plan_ != nullptr, Status::out_of_memory, "FFT: FFTW makes no plan of length ", length);
    }

    static bool takes(Index length) noexcept {
        Index rest = length;
        for (Index p : {2, 3, 5})
            while (rest % p == 0) rest /= p;
        if (length <= 65536)
            for (Index p : {7, 11, 13})
                while (rest % p == 0) rest /= p;
        return rest == 1;
    }

    void run(Complex* in, Complex* out) const noexcept {
        fftwf_execute_dft(plan_.get(), bins(in), bins(out));
    }

private:
    static fftwf_complex* bins(Complex* data) { return reinterpret_cast<fftwf_complex*>(data); }

    Plan plan_;
};

}  // namespace

std::unique_ptr<RealFft2> make_fftw_fft2(Index rows, Index columns, FftPlanning planning) {
    if (planning == FftPlanning::measure)
        return std::make_unique<LinesFft2<FftwLine<FFTW_MEASURE>>>(rows, columns, fftw_description(planning));
    return std::make_unique<LinesFft2<FftwLine<FFTW_ESTIMATE>>>(rows, columns, fftw_description(planning));
}

std::unique_ptr<ComplexLineFft> make_fftw_line(Index length, FftPlanning planning) {
    if (planning == FftPlanning::measure)
        return std::make_unique<SingleLineFft<FftwLine<FFTW_MEASURE>>>(length);
    return std::make_unique<SingleLineFft<FftwLine<FFTW_ESTIMATE>>>(length);
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

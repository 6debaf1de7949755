// sonolux/core/fft.cpp
//
// Compiled for each library, with SLX_WITH_FFTW where that library has FFTW.
#include <sonolux/core/fft_backends.hpp>

namespace sonolux {

FftBackend default_fft_backend() noexcept {
#ifdef SLX_WITH_FFTW
    return FftBackend::fftw;
#else
    return FftBackend::kiss;
#endif
}

std::vector<FftBackend> available_fft_backends() {
#ifdef SLX_WITH_FFTW
    return {FftBackend::fftw, FftBackend::kiss};
#else
    return {FftBackend::kiss};
#endif
}

const char* to_string(FftBackend backend) noexcept {
    switch (backend) {
        case FftBackend::fftw: return "FFTW";
        case FftBackend::kiss: return "KissFFT";
    }
    return "unknown";
}

std::string fft_description() {
#ifdef SLX_WITH_FFTW
    return detail::fftw_description(FftPlanning::estimate);
#else
    return to_string(FftBackend::kiss);
#endif
}

namespace {

constexpr Index most = Index{1} << 28;  // the backends count in int, and need twice the length for primes

}  // namespace

std::unique_ptr<RealFft2> make_real_fft2(Index rows, Index columns, FftBackend backend,
                                         [[maybe_unused]] FftPlanning planning) {
    require(rows >= 1 && rows <= most, Status::invalid_argument, "FFT: rows must be at least 1 and at most ",
            most, ", got ", rows);
    require(columns >= 1 && columns <= most, Status::invalid_argument,
            "FFT: columns must be at least 1 and at most ", most, ", got ", columns);
    switch (backend) {
        case FftBackend::kiss: return detail::make_kiss_fft2(rows, columns);
        case FftBackend::fftw:
#ifdef SLX_WITH_FFTW
            return detail::make_fftw_fft2(rows, columns, planning);
#else
            break;
#endif
    }
    fail(Status::unsupported, "FFT: this build has no ", to_string(backend), ", only ", fft_description());
}

std::unique_ptr<ComplexLineFft> make_complex_line_fft(Index length, FftBackend backend,
                                                      [[maybe_unused]] FftPlanning planning) {
    require(length >= 1 && length <= most, Status::invalid_argument,
            "FFT: the length must be at least 1 and at most ", most, ", got ", length);
    switch (backend) {
        case FftBackend::kiss: return detail::make_kiss_line(length);
        case FftBackend::fftw:
#ifdef SLX_WITH_FFTW
            return detail::make_fftw_line(length, planning);
#else
            break;
#endif
    }
    fail(Status::unsupported, "FFT: this build has no ", to_string(backend), ", only ", fft_description());
}

std::string export_fft_wisdom() {
#ifdef SLX_WITH_FFTW
    return detail::export_fftw_wisdom();
#else
    return {};
#endif
}

void import_fft_wisdom([[maybe_unused]] const std::string& wisdom) {
#ifdef SLX_WITH_FFTW
    detail::import_fftw_wisdom(wisdom);
#endif
}

}  // namespace sonolux

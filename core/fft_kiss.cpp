// sonolux/core/fft_kiss.cpp
//
// KissFFT (M. Borgerding, BSD) in single precision. It would take O(p^2) for prime factors p beyond 5, and
// allocate while it runs.
#include <kiss_fft.h>

#include <sonolux/core/fft_lines.hpp>

namespace sonolux::detail {

namespace {

using Complex = std::complex<float>;
static_assert(sizeof(Complex) == sizeof(kiss_fft_cpx));

class KissLine {
public:
    KissLine(Index length, bool inverse) {
        std::size_t bytes = 0;
        kiss_fft_alloc(static_cast<int>(length), inverse, nullptr, &bytes);
        memory_ = Array<std::byte>({static_cast<Index>(bytes)});
        plan_ = kiss_fft_alloc(static_cast<int>(length), inverse, memory_.data(), &bytes);
        require(plan_ != nullptr, Status::out_of_memory, "FFT: KissFFT makes no plan of length ", length);
    }

    static bool takes(Index length) noexcept {
        for (Index p : {2, 3, 5})
            while (length % p == 0) length /= p;
        return length == 1;
    }

    void run(Complex* in, Complex* out) const noexcept {
        kiss_fft(plan_, reinterpret_cast<const kiss_fft_cpx*>(in), reinterpret_cast<kiss_fft_cpx*>(out));
    }

private:
    Array<std::byte> memory_;
    kiss_fft_cfg plan_ = nullptr;
};

}  // namespace

std::unique_ptr<RealFft2> make_kiss_fft2(Index rows, Index columns) {
    return std::make_unique<LinesFft2<KissLine>>(rows, columns, to_string(FftBackend::kiss));
}

std::unique_ptr<ComplexLineFft> make_kiss_line(Index length) {
    return std::make_unique<SingleLineFft<KissLine>>(length);
}

}  // namespace sonolux::detail

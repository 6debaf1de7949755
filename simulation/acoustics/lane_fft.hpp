// sonolux/simulation/acoustics/lane_fft.hpp
//
// Fourier transforms of sixteen lines side by side.
//
// A library transforms one line at a time, and half of its work is to bring the numbers of the line together
// in registers. The lines of a field come by the hundred: with one line in each lane of a vector nothing has
// to be moved, and a transform is sums and products alone.
#pragma once

#include <memory>
#include <vector>

#include <sonolux/core/isa.hpp>
#include <sonolux/core/line_fft.hpp>

namespace sonolux {

inline constexpr Index fft_lanes = 16;
/// Floats of one place of sixteen complex lines: their real parts, then their imaginary parts.
inline constexpr Index lane_floats = 2 * fft_lanes;

/// One pass over the lines: butterflies of `radix` numbers that are `stride * rest` apart.
struct LaneFftPass {
    Index radix = 1, rest = 1, stride = 1;
    const float* twiddles = nullptr;  // [rest, radix - 1, 2]
    const float* roots = nullptr;     // [radix, 2], of radices 7, 11 and 13
};

/// Discrete Fourier transforms of sixteen complex lines, not normalised:
///
///     X[k] = sum over j of x[j] exp(-+2 pi i j k / length)        (+ for the inverse)
///
/// by Stockham's passes (Cochran et al. 1967, Proc. IEEE 55) of radix 8, 4, 2, 3, 5, 7, 11 and 13. Lengths
/// with other factors go line by line through `awkward`, several times slower.
///
/// Place j of all lines is at in + j * in_step, and is lane_floats wide; out likewise. `out` may be `in`,
/// with the same step; scratch is apart, has scratch_floats() floats, and like all places is aligned to 64
/// bytes. A plan serves one caller at a time. The bits are the same on AVX2, AVX-512 and Neon.
class LaneFft {
public:
    /// Throws Error{invalid_argument} unless the length is in [1, 2^28], Error{out_of_memory}.
    explicit LaneFft(Index length, Isa isa = default_isa(), FftBackend awkward = default_fft_backend(),
                     FftPlanning planning = FftPlanning::estimate);

    [[nodiscard]] Index length() const noexcept { return length_; }
    [[nodiscard]] Index scratch_floats() const noexcept { return 2 * length_ * lane_floats; }

    void forward(const float* in, Index in_step, float* out, Index out_step, float* scratch) noexcept {
        run(in, in_step, out, out_step, scratch, false);
    }
    void inverse(const float* in, Index in_step, float* out, Index out_step, float* scratch) noexcept {
        run(in, in_step, out, out_step, scratch, true);
    }

private:
    using Kernel = void (*)(const LaneFftPass&, const float* in, Index in_step, float* out, Index out_step,
                            bool inverse) noexcept;

    void run(const float* in, Index in_step, float* out, Index out_step, float* scratch,
             bool inverse) noexcept;
    void run_line_by_line(const float* in, Index in_step, float* out, Index out_step, bool inverse) noexcept;

    Index length_;
    Kernel kernel_;
    std::vector<LaneFftPass> passes_;
    std::vector<std::unique_ptr<float[]>> tables_;
    std::unique_ptr<ComplexLineFft> line_;  // of awkward lengths
    Array<std::complex<float>> line_in_, line_out_;
};

}  // namespace sonolux

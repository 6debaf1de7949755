// sonolux/simulation/acoustics/lane_fft.cpp
#include <cmath>
#include <numbers>

#include <sonolux/simulation/acoustics/lane_fft.hpp>
#include <sonolux/simulation/acoustics/lane_fft_kernel.hpp>

namespace sonolux {
namespace {

/// The radices of the passes, empty for a length with a prime factor beyond 13.
std::vector<Index> radices_of(Index length) {
    std::vector<Index> radices;
    int twos = 0;
    for (; length % 2 == 0; length /= 2) ++twos;
    // Eights where they go in; two fours rather than an eight and a two.
    while (twos > 4 || twos == 3) {
        radices.push_back(8);
        twos -= 3;
    }
    for (; twos >= 2; twos -= 2) radices.push_back(4);
    if (twos == 1) radices.push_back(2);
    for (const Index prime : {3, 5, 7, 11, 13})
        for (; length % prime == 0; length /= prime) radices.push_back(prime);
    if (length != 1) return {};
    return radices;
}

std::unique_ptr<float[]> roots_of_unity(Index count, Index step, Index rest) {
    auto table = std::make_unique<float[]>(static_cast<std::size_t>(2 * count * rest));
    for (Index p = 0; p < rest; ++p)
        for (Index k = 0; k < count; ++k) {
            const double angle =
                -2 * std::numbers::pi * static_cast<double>(p * (k + 1) % step) / static_cast<double>(step);
            table[static_cast<std::size_t>(2 * (p * count + k))] = static_cast<float>(std::cos(angle));
            table[static_cast<std::size_t>(2 * (p * count + k) + 1)] = static_cast<float>(std::sin(angle));
        }
    return table;
}

}  // namespace

LaneFft::LaneFft(Index length, Isa isa, FftBackend awkward, FftPlanning planning)
    : length_(length), kernel_(lane_fft::kernel_of(isa)) {
    require(length >= 1 && length <= Index{1} << 28, Status::invalid_argument,
            "FFT: the length must be from 1 to 2^28, got ", length);
    const std::vector<Index> radices = radices_of(length);
    if (radices.empty() && length > 1) {
        line_ = make_complex_line_fft(length, awkward, planning);
        line_in_ = Array<std::complex<float>>({length});
        line_out_ = Array<std::complex<float>>({length});
        return;
    }
    Index stride = 1;
    for (const Index radix : radices) {
        const Index whole = length / stride, rest = whole / radix;
        LaneFftPass pass{radix, rest, stride};
        pass.twiddles = tables_.emplace_back(roots_of_unity(radix - 1, whole, rest)).get();
        if (radix > 5) {
            auto& roots =
                tables_.emplace_back(std::make_unique<float[]>(static_cast<std::size_t>(2 * radix)));
            for (Index j = 0; j < radix; ++j) {
                const double angle =
                    2 * std::numbers::pi * static_cast<double>(j) / static_cast<double>(radix);
                roots[static_cast<std::size_t>(2 * j)] = static_cast<float>(std::cos(angle));
                roots[static_cast<std::size_t>(2 * j + 1)] = static_cast<float>(std::sin(angle));
            }
            pass.roots = roots.get();
        }
        passes_.push_back(pass);
        stride *= radix;
    }
}

void LaneFft::run(const float* in, Index in_step, float* out, Index out_step, float* scratch,
                  bool inverse) noexcept {
    if (line_ != nullptr) return run_line_by_line(in, in_step, out, out_step, inverse);
    float* const halves[] = {scratch, scratch + length_ * lane_floats};
    const std::size_t last = passes_.size();
    for (std::size_t i = 0; i + 1 < last; ++i) {
        kernel_(passes_[i], in, in_step, halves[i % 2], lane_floats, inverse);
        in = halves[i % 2];
        in_step = lane_floats;
    }
    if (last > 1) return kernel_(passes_[last - 1], in, in_step, out, out_step, inverse);
    // A single pass may not write where it still has to read.
    for (Index j = 0; j < length_; ++j) std::copy_n(in + j * in_step, lane_floats, scratch + j * lane_floats);
    if (last == 1) return kernel_(passes_[0], scratch, lane_floats, out, out_step, inverse);
    std::copy_n(scratch, lane_floats, out);
}

void LaneFft::run_line_by_line(const float* in, Index in_step, float* out, Index out_step,
                               bool inverse) noexcept {
    for (Index lane = 0; lane < fft_lanes; ++lane) {
        for (Index j = 0; j < length_; ++j)
            line_in_.data()[j] = {in[j * in_step + lane], in[j * in_step + fft_lanes + lane]};
        if (inverse)
            line_->inverse(line_in_.data(), line_out_.data());
        else
            line_->forward(line_in_.data(), line_out_.data());
        for (Index j = 0; j < length_; ++j) {
            out[j * out_step + lane] = line_out_.data()[j].real();
            out[j * out_step + fft_lanes + lane] = line_out_.data()[j].imag();
        }
    }
}

}  // namespace sonolux

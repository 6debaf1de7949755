// sonolux/simulation/acoustics/speckle.cpp
#include <cmath>
#include <numbers>

#include <sonolux/simulation/acoustics/speckle.hpp>

namespace sonolux {

Speckle::Speckle(Index columns, double frequency, double bandwidth, Index period, Philox random)
    : columns_(columns) {
    const auto invalid = Status::invalid_argument;
    require(columns >= 1 && period >= 1, invalid, "speckle: needs columns and a period of rows, got ",
            columns, " and ", period);
    require(bandwidth > 0 && bandwidth < 2 && frequency > 0 && frequency * (1 + bandwidth / 2) < 0.5, invalid,
            "speckle: the band must lie between 0 and 1/2 periods per row, got ", frequency,
            " with a bandwidth of ", bandwidth, " of it");
    const double rows = static_cast<double>(period);
    count_ = static_cast<Index>(std::lround(bandwidth * frequency * rows));
    require(count_ >= 2, invalid, "speckle: a period of ", period, " rows has ", count_,
            " frequencies in the band, needs at least 2");
    step_ = 1 / rows;
    first_ = frequency * (1 - bandwidth / 2) + 0.5 * step_;
    amplitude_.resize(static_cast<std::size_t>(columns * count_));
    const double scale = 1 / std::sqrt(static_cast<double>(count_));
    for (auto& a : amplitude_) {
        const double real = random.normal(), imaginary = random.normal();
        a = {scale * real, scale * imaginary};
    }
}

std::complex<double> Speckle::operator()(double t, Index j) const noexcept {
    // A polynomial in exp(2 pi i step t), by Horner's rule.
    const double turn = 2 * std::numbers::pi * t;
    const std::complex<double> z = std::polar(1.0, turn * step_);
    const std::complex<double>* a = amplitude_.data() + j * count_;
    std::complex<double> sum = 0;
    for (Index m = count_ - 1; m >= 0; --m) {
        // spelled out: operator* of std::complex looks for infinities
        sum = {sum.real() * z.real() - sum.imag() * z.imag() + a[m].real(),
               sum.real() * z.imag() + sum.imag() * z.real() + a[m].imag()};
    }
    return sum * std::polar(1.0, turn * first_);
}

}  // namespace sonolux

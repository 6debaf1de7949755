// sonolux/priors/filter_bank.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/error.hpp>
#include <sonolux/priors/filter_bank.hpp>

namespace sonolux {

namespace {

// Entry `position` of the orthonormal DCT-II vector of length n.
double cosine(int n, int frequency, int position) {
    const double norm = std::sqrt((frequency == 0 ? 1.0 : 2.0) / n);
    return norm * std::cos(std::numbers::pi * (2 * position + 1) * frequency / (2.0 * n));
}

// The DCT-II atoms of `channels` planes of n x n without those that are constant in space. Atom (w, u, v)
// varies as cos in w over the channels, u down the rows and v along the columns; u runs fastest, w slowest.
std::vector<double> dct_atoms(int channels, int n) {
    std::vector<double> atoms;
    for (int w = 0; w < channels; ++w)
        for (int v = 0; v < n; ++v)
            for (int u = 0; u < n; ++u) {
                if (u == 0 && v == 0) continue;
                for (int channel = 0; channel < channels; ++channel)
                    for (int row = 0; row < n; ++row)
                        for (int column = 0; column < n; ++column)
                            atoms.push_back(cosine(channels, w, channel) * cosine(n, u, row) *
                                            cosine(n, v, column));
            }
    return atoms;
}

constexpr Index most_taps = 4 * 121;

}  // namespace

FilterBank::FilterBank(const FilterBankOptions& options) : options_(options) {
    require(options.count >= 1 && options.count <= 256, Status::invalid_argument,
            "filter count must be 1 to 256, got ", options.count);
    require(options.size >= 3 && options.size <= 11 && options.size % 2 == 1, Status::invalid_argument,
            "filter size must be odd and 3 to 11, got ", options.size);
    require(options.channels >= 1 && options.channels <= 4, Status::invalid_argument,
            "filter channels must be 1 to 4, got ", options.channels);
    require(options.channels == 1 || options.kind == FilterKind::dct, Status::invalid_argument,
            "filter channels must be 1 for free filters, got ", options.channels);
    if (options.kind == FilterKind::dct) basis_ = dct_atoms(options.channels, options.size);
}

Index FilterBank::coefficients() const noexcept {
    return options_.kind == FilterKind::dct ? taps() - options_.channels : taps();
}

Shape FilterBank::filters_shape() const noexcept {
    const Index count = options_.count, size = options_.size;
    return options_.channels == 1 ? Shape{count, size, size} : Shape{count, options_.channels, size, size};
}

void FilterBank::realise(std::span<const float> parameters, View<float> filters) const noexcept {
    const Index taps = this->taps(), n = coefficients();
    for (Index i = 0; i < options_.count; ++i) {
        const float* c = parameters.data() + i * n;
        float* filter = filters.data() + i * taps;
        if (options_.kind == FilterKind::free) {
            std::copy_n(c, taps, filter);
            continue;
        }
        double sum[most_taps] = {}, squares = 0;
        for (Index j = 0; j < n; ++j)
            for (Index t = 0; t < taps; ++t) sum[t] += double{c[j]} * basis_[j * taps + t];
        for (Index t = 0; t < taps; ++t) squares += sum[t] * sum[t];
        const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
        for (Index t = 0; t < taps; ++t) filter[t] = static_cast<float>(sum[t] * scale);
    }
}

// k = B c / |B c| with orthonormal B: dk = (I - k k^T) B dc / |c|.
void FilterBank::realise_vjp(std::span<const float> parameters, View<const float> filters_bar,
                             std::span<float> parameters_bar) const noexcept {
    const Index taps = this->taps(), n = coefficients();
    for (Index i = 0; i < options_.count; ++i) {
        const float* c = parameters.data() + i * n;
        const float* upstream = filters_bar.data() + i * taps;
        float* c_bar = parameters_bar.data() + i * n;
        if (options_.kind == FilterKind::free) {
            for (Index t = 0; t < taps; ++t) c_bar[t] += upstream[t];
            continue;
        }
        double squares = 0, along = 0;
        double product[most_taps] = {};
        // In this order no sum waits for another.
        for (Index t = 0; t < taps; ++t)
            for (Index j = 0; j < n; ++j) product[j] += basis_[j * taps + t] * upstream[t];
        for (Index j = 0; j < n; ++j) {
            squares += double{c[j]} * c[j];
            along += product[j] * c[j];
        }
        if (squares == 0) continue;
        const double norm = std::sqrt(squares);
        for (Index j = 0; j < n; ++j)
            c_bar[j] += static_cast<float>((product[j] - along * c[j] / squares) / norm);
    }
}

void FilterBank::project(std::span<float> parameters) const noexcept {
    if (options_.kind != FilterKind::free) return;
    const Index taps = coefficients();
    for (Index i = 0; i < options_.count; ++i) {
        float* filter = parameters.data() + i * taps;
        double mean = 0, squares = 0;
        for (Index t = 0; t < taps; ++t) mean += filter[t];
        mean /= static_cast<double>(taps);
        for (Index t = 0; t < taps; ++t) squares += (filter[t] - mean) * (filter[t] - mean);
        const double scale = squares > 1 ? 1 / std::sqrt(squares) : 1;
        for (Index t = 0; t < taps; ++t) filter[t] = static_cast<float>((filter[t] - mean) * scale);
    }
}

}  // namespace sonolux

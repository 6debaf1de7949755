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

// The orthonormal DCT-II of length n, [frequency, position].
std::vector<double> dct(int n) {
    std::vector<double> table;
    for (int frequency = 0; frequency < n; ++frequency)
        for (int position = 0; position < n; ++position) table.push_back(cosine(n, frequency, position));
    return table;
}

// to[a, k, b] = sum over i of table(i, k) from[a, i, b], n values of i and k; of the transposed, table(k, i).
void transform_axis(const double* from, Index outer, Index n, Index inner, const std::vector<double>& table,
                    bool transposed, double* to) noexcept {
    std::fill_n(to, outer * n * inner, 0.0);
    for (Index a = 0; a < outer; ++a)
        for (Index i = 0; i < n; ++i)
            for (Index k = 0; k < n; ++k) {
                const double factor = table[static_cast<std::size_t>(transposed ? k * n + i : i * n + k)];
                for (Index b = 0; b < inner; ++b)
                    to[(a * n + k) * inner + b] += factor * from[(a * n + i) * inner + b];
            }
}

constexpr Index most_taps = 4 * 121;

// Keeps a filter of zeros finite.
constexpr double smallest_norm = 3e-8;

// c less its mean, to `direction`; returns its norm.
double centre(const float* c, Index taps, double* direction) noexcept {
    double mean = 0, squares = 0;
    for (Index t = 0; t < taps; ++t) mean += c[t];
    mean /= static_cast<double>(taps);
    for (Index t = 0; t < taps; ++t) {
        direction[t] = c[t] - mean;
        squares += direction[t] * direction[t];
    }
    return std::sqrt(squares);
}

}  // namespace

FilterBank::FilterBank(const FilterBankOptions& options) : options_(options) {
    require(options.count >= 1 && options.count <= 256, Status::invalid_argument,
            "filter count must be 1 to 256, got ", options.count);
    require(options.size >= 3 && options.size <= 11 &&
                (options.size % 2 == 1 || options.kind == FilterKind::unit_with_mean),
            Status::invalid_argument, "filter size must be ",
            options.kind == FilterKind::unit_with_mean ? "3 to 11, got " : "odd and 3 to 11, got ",
            options.size);
    require(options.channels >= 1 && options.channels <= 4, Status::invalid_argument,
            "filter channels must be 1 to 4, got ", options.channels);
    require(options.channels == 1 || options.kind == FilterKind::dct, Status::invalid_argument,
            "filter channels must be 1 for ",
            options.kind == FilterKind::free ? "free filters" : "filters with a mean", ", got ",
            options.channels);
    if (options.kind != FilterKind::dct) return;
    across_channels_ = dct(options.channels);
    across_pixels_ = dct(options.size);
}

Index FilterBank::coefficients() const noexcept {
    switch (options_.kind) {
        case FilterKind::dct: return taps() - options_.channels;
        case FilterKind::unit_with_mean: return taps() + 1;
        default: return taps();
    }
}

Shape FilterBank::filters_shape() const noexcept {
    const Index count = options_.count, size = options_.size;
    return options_.channels == 1 ? Shape{count, size, size} : Shape{count, options_.channels, size, size};
}

// Atom (w, v, u) varies as cos in w over the channels, u down the rows and v along the columns; u runs
// fastest among the coefficients and w slowest, without those atoms that are constant in space, (w, 0, 0).
void FilterBank::sum_of_atoms(const float* coefficients, double* filter) const noexcept {
    const Index size = options_.size, plane = size * size;
    double a[most_taps] = {}, b[most_taps] = {};
    for (Index t = 0; t < taps(); ++t) a[t] = t % plane == 0 ? 0.0 : double{*coefficients++};
    transform_axis(a, options_.channels * size, size, 1, across_pixels_, false, b);
    transform_axis(b, options_.channels, size, size, across_pixels_, false, a);
    transform_axis(a, 1, options_.channels, plane, across_channels_, false, b);
    for (Index channel = 0; channel < options_.channels; ++channel)
        for (Index row = 0; row < size; ++row)
            for (Index column = 0; column < size; ++column)
                *filter++ = b[channel * plane + column * size + row];
}

void FilterBank::products_with_atoms(const float* filter, double* products) const noexcept {
    const Index size = options_.size, plane = size * size;
    double a[most_taps] = {}, b[most_taps] = {};
    for (Index channel = 0; channel < options_.channels; ++channel)
        for (Index row = 0; row < size; ++row)
            for (Index column = 0; column < size; ++column)
                a[channel * plane + column * size + row] = double{*filter++};
    transform_axis(a, 1, options_.channels, plane, across_channels_, true, b);
    transform_axis(b, options_.channels, size, size, across_pixels_, true, a);
    transform_axis(a, options_.channels * size, size, 1, across_pixels_, true, b);
    for (Index t = 0; t < taps(); ++t)
        if (t % plane != 0) *products++ = b[t];
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
        if (options_.kind == FilterKind::unit_with_mean) {
            double direction[most_taps];
            const double norm = centre(c, taps, direction) + smallest_norm, m = c[taps];
            for (Index t = 0; t < taps; ++t)
                filter[t] = static_cast<float>(direction[t] / norm + m / (1 + std::abs(m)));
            continue;
        }
        double sum[most_taps], squares = 0;
        sum_of_atoms(c, sum);
        for (Index t = 0; t < taps; ++t) squares += sum[t] * sum[t];
        const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0;
        for (Index t = 0; t < taps; ++t) filter[t] = static_cast<float>(sum[t] * scale);
    }
}

// dct: k = B c / |B c| with orthonormal B: dk = (I - k k^T) B dc / |c|. unit_with_mean: likewise, B being the
// projection that takes the mean away.
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
        if (options_.kind == FilterKind::unit_with_mean) {
            double direction[most_taps], sum = 0, along = 0;
            const double length = centre(c, taps, direction), norm = length + smallest_norm;
            for (Index t = 0; t < taps; ++t) {
                sum += upstream[t];
                along += upstream[t] * direction[t];
            }
            const double mean = sum / static_cast<double>(taps);
            const double factor = length > 0 ? along / (norm * norm * length) : 0;
            for (Index t = 0; t < taps; ++t)
                c_bar[t] += static_cast<float>((upstream[t] - mean) / norm - factor * direction[t]);
            const double slope = 1 / (1 + std::abs(double{c[taps]}));
            c_bar[taps] += static_cast<float>(sum * slope * slope);
            continue;
        }
        double squares = 0, along = 0;
        double product[most_taps];
        products_with_atoms(upstream, product);
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

// sonolux/priors/filter_bank.hpp
//
// Sets of square filters and how their parameters make them.
//
//     free   the parameters are the filters; a projection keeps them zero-mean with norm <= 1 (Kobler et al.
//            2017)
//     dct    k = B c / |B c|, B the atoms of the 2-D DCT-II without the constant one, so that every filter
//            has unit norm and zero mean (Chen and Pock 2017, section 4.1). Atoms are ordered column-major
//            in frequency, as the published parameter files have them.
//     unit_with_mean   k = (c - mean c) / |c - mean c| + m / (1 + |m|): a direction of zero mean and unit
//            norm, and a mean that is learned apart from it (Vishnevskiy et al. 2019). The parameters of a
//            filter are its c, then m.
//
// Filters of several channels look at them together: B is then the tensor product with the DCT-II along the
// channels, less the atoms that are constant in space, so that a filter is blind to any constant colour. For
// three channels that DCT is the usual opponent transform, (1, 1, 1), (1, 0, -1), (1, -2, 1) normalised.
// Channel frequencies run slowest.
#pragma once

#include <span>
#include <vector>

#include <sonolux/core/view.hpp>

namespace sonolux {

enum class FilterKind { free, dct, unit_with_mean };

struct FilterBankOptions {
    FilterKind kind = FilterKind::dct;
    int count = 24;    ///< 1 to 256
    int size = 5;      ///< 3 to 11; odd, but for "unit_with_mean"
    int channels = 1;  ///< 1 to 4; 1 but for "dct"

    friend bool operator==(const FilterBankOptions&, const FilterBankOptions&) = default;
};

class FilterBank {
public:
    /// Throws Error{invalid_argument} naming the field.
    explicit FilterBank(const FilterBankOptions& options);

    [[nodiscard]] const FilterBankOptions& options() const noexcept { return options_; }

    /// Parameters per filter: size^2 (free), channels * (size^2 - 1) (dct) or size^2 + 1 (unit_with_mean).
    [[nodiscard]] Index coefficients() const noexcept;
    [[nodiscard]] Index parameter_count() const noexcept { return options_.count * coefficients(); }

    /// Taps per filter: channels * size^2.
    [[nodiscard]] Index taps() const noexcept {
        return Index{options_.channels} * options_.size * options_.size;
    }
    /// [count, size, size], or [count, channels, size, size] with several channels.
    [[nodiscard]] Shape filters_shape() const noexcept;

    /// parameters [count, coefficients] -> filters, of filters_shape(). Sums in double: a filter's response
    /// to a constant image is zero to float rounding.
    void realise(std::span<const float> parameters, View<float> filters) const noexcept;

    /// Adds the transpose of the derivative of `realise`, applied to filters_bar, to parameters_bar.
    void realise_vjp(std::span<const float> parameters, View<const float> filters_bar,
                     std::span<float> parameters_bar) const noexcept;

    /// Makes each filter of a `free` bank zero-mean and scales it to norm <= 1. Leaves other banks alone.
    void project(std::span<float> parameters) const noexcept;

private:
    // B c and B^T k, axis by axis: the atoms are products of cosines, so no table of them is kept.
    void sum_of_atoms(const float* coefficients, double* filter) const noexcept;
    void products_with_atoms(const float* filter, double* products) const noexcept;

    FilterBankOptions options_;
    std::vector<double> across_channels_, across_pixels_;  // of dct: cosines, [frequency, position]
};

}  // namespace sonolux

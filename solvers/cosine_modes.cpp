// sonolux/solvers/cosine_modes.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/solvers/cosine_modes.hpp>
#include <sonolux/solvers/dense_product.hpp>

namespace sonolux {

namespace {

constexpr double share_of_constant = 0.01;  // of the penalty of the next smoothest image

/// Rows of the orthonormal cosine transform of type 2, [count, size].
std::vector<float> cosines(Index count, Index size) {
    std::vector<float> matrix;
    for (Index k = 0; k < count; ++k)
        for (Index i = 0; i < size; ++i)
            matrix.push_back(
                static_cast<float>(std::sqrt((k == 0 ? 1.0 : 2.0) / static_cast<double>(size)) *
                                   std::cos(std::numbers::pi * (static_cast<double>(i) + 0.5) *
                                            static_cast<double>(k) / static_cast<double>(size))));
    return matrix;
}

}  // namespace

CosineModes::CosineModes(Index down, Index across, const Shape& image)
    : down_(down),
      across_(across),
      rows_(image[0]),
      columns_(image[1]),
      vertical_(cosines(down, rows_)),
      horizontal_(cosines(across, columns_)) {}

void CosineModes::analyse(const float* x, float* c, float* scratch) const noexcept {
    std::fill_n(scratch, down_ * columns_, 0.0f);
    for (Index p = 0; p < down_; ++p)
        for (Index i = 0; i < rows_; ++i) {
            const float weight = vertical_[static_cast<std::size_t>(p * rows_ + i)];
            for (Index j = 0; j < columns_; ++j) scratch[p * columns_ + j] += weight * x[i * columns_ + j];
        }
    for (Index p = 0; p < down_; ++p)
        dense_product_for(Isa::baseline)(horizontal_.data(), columns_, scratch + p * columns_,
                                         c + p * across_, 0, across_);
}

void CosineModes::synthesise(const float* c, float* x, float* scratch) const noexcept {
    std::fill_n(scratch, down_ * columns_, 0.0f);
    for (Index p = 0; p < down_; ++p)
        for (Index q = 0; q < across_; ++q) {
            const float weight = c[p * across_ + q];
            const float* wave = horizontal_.data() + q * columns_;
            for (Index j = 0; j < columns_; ++j) scratch[p * columns_ + j] += weight * wave[j];
        }
    std::fill_n(x, rows_ * columns_, 0.0f);
    for (Index i = 0; i < rows_; ++i)
        for (Index p = 0; p < down_; ++p) {
            const float weight = vertical_[static_cast<std::size_t>(p * rows_ + i)];
            for (Index j = 0; j < columns_; ++j) x[i * columns_ + j] += weight * scratch[p * columns_ + j];
        }
}

std::vector<double> CosineModes::penalty(int order) const {
    const auto of_difference = [](Index k, Index size) {
        return std::pow(
            2 * std::sin(0.5 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(size)), 2);
    };
    std::vector<double> values(static_cast<std::size_t>(count()));
    for (Index p = 0; p < down_; ++p)
        for (Index q = 0; q < across_; ++q)
            values[static_cast<std::size_t>(p * across_ + q)] =
                std::pow(of_difference(p, rows_) + of_difference(q, columns_), order);
    if (order > 0)
        values[0] = share_of_constant * std::pow(of_difference(1, std::max(rows_, columns_)), order);
    return values;
}

}  // namespace sonolux

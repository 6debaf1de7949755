// sonolux/solvers/cosine_modes.hpp
//
// The lowest frequencies of an image: coefficients of the orthonormal cosine transform of type 2, in which
// differences are diagonal.
#pragma once

#include <vector>

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// x = S c of images [rows, columns] and coefficients [down, across]; S^T S = 1.
class CosineModes {
public:
    /// The `down` lowest frequencies along columns, `across` along rows, each at least 1 and at most as many
    /// as there are pixels.
    CosineModes(Index down, Index across, const Shape& image);

    [[nodiscard]] Index count() const noexcept { return down_ * across_; }
    [[nodiscard]] Index scratch_floats() const noexcept { return down_ * columns_; }

    /// c = S^T x
    void analyse(const float* x, float* c, float* scratch) const noexcept;

    /// x = S c
    void synthesise(const float* c, float* x, float* scratch) const noexcept;

    /// The eigenvalue of R^T R of each, where R takes differences of that order, 0 to 2. The constant counts
    /// a hundredth of the next smoothest.
    [[nodiscard]] std::vector<double> penalty(int order) const;

private:
    Index down_, across_, rows_, columns_;
    std::vector<float> vertical_, horizontal_;
};

}  // namespace sonolux

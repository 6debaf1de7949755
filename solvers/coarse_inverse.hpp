// sonolux/solvers/coarse_inverse.hpp
//
// What a linear inversion finds of the smooth part of an image, and steps that know how far to go for it.
//
//     G = S P S^T,    P = (S^T A^T M A S + weight E)^-1
//
// on the lowest frequencies S of the image, with M what can be measured at all and E the eigenvalues of the
// squares of differences (cosine_modes.hpp). Operators such as differences of travel times say little of what
// is smooth, so that steps along A^T find it last; G A^T r is the whole way at once. P is computed once and
// small: of 336 frequencies, 450 KB, and G takes 0.1 ms.
//
//     x0 = S c,    c = argmin |M' (A S c - y)|^2 + weight c^T E c       M' what was measured, of one frame
//
// by conjugate gradients with P as the preconditioner: c = P S^T A^T y where nothing is missing.
#pragma once

#include <memory>

#include <sonolux/core/array.hpp>
#include <sonolux/core/operators/compose.hpp>
#include <sonolux/solvers/cosine_modes.hpp>
#include <sonolux/solvers/uniform_whitening.hpp>

namespace sonolux {

struct CoarseInverseOptions {
    int modes_down = 0,
        modes_across = 0;  ///< frequencies, 1 to 64 each and at most the pixels; 0: no inverse
    double weight = 1e-4;  ///< above 0, for operators of norm 1
    int steps = 4;         ///< of conjugate gradients at most, 0 to 100

    [[nodiscard]] bool any() const noexcept { return modes_down > 0; }
    friend bool operator==(const CoarseInverseOptions&, const CoarseInverseOptions&) = default;
};

/// Throws Error{invalid_argument} naming the field.
void validate(const CoarseInverseOptions& options);

class CoarseInverse {
public:
    /// `possible` is M: 0 where nothing is ever measured. Throws as validate, and Error{invalid_argument} for
    /// more frequencies than pixels or a weight too small for single precision.
    CoarseInverse(OperatorPointer forward, View<const float> possible, const CoarseInverseOptions& options);

    /// For all below.
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// G, of an image [rows, columns]; `out` may be `image`. Symmetric.
    void apply(View<const float> image, View<float> out, Context& context) const noexcept;

    /// x0, and then all in units in which x0 has a root mean square of 1: divides x0 and data by it and
    /// multiplies the whitening's deviation. Whitened by what was measured alone, images are tens to hundreds
    /// of deviations large, by how much the operator happens to say of them, and functions of fixed knots
    /// would have to fit all of them. Images that differ from the uniform one by less than 0.3 % of it are
    /// not blown up to 1. `data` are 0 where the mask is.
    void start(View<float> data, View<const float> mask, View<float> x0, Whitening& whitening,
               Context& context) const noexcept;

private:
    struct Buffers {
        View<float> readings, image;
        float* transform;
    };
    void to_modes(View<const float> readings, float* c, const Buffers& buffers, Context&) const noexcept;
    void normal_product(const float* c, View<const float> mask, float* out, const Buffers& buffers,
                        Context&) const noexcept;
    void precondition(const float* r, float* z, Context&) const noexcept;
    void correct(View<const float> mask, const float* b, float* c, const Buffers& buffers,
                 Context&) const noexcept;
    [[nodiscard]] Buffers buffers(Scratch& scratch) const noexcept;

    OperatorPointer forward_;
    CoarseInverseOptions options_;
    CosineModes modes_;
    std::vector<float> penalty_;  // weight E
    Array<float> possible_, inverse_;
};

}  // namespace sonolux

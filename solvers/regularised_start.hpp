// sonolux/solvers/regularised_start.hpp
//
// Where networks of masked measurements begin: what a few steps of a linear inversion find.
//
//     x0 = S w,    w = argmin  |M (A S w - y)|^2 + weight |w|^2     after so many conjugate gradient steps
//
// S smooths. Differences of travel times say little of what is smooth, so that steps on x itself find it
// last; in w all of it is found about as fast (Sobolev gradients; core/operators/exponential_smoothing.hpp).
// M. Hestenes and E. Stiefel 1952, J. Res. Natl. Bur. Stand. 49, 409, section 10.
#pragma once

#include <memory>

#include <sonolux/core/operators/compose.hpp>
#include <sonolux/core/operators/exponential_smoothing.hpp>

namespace sonolux {

struct RegularisedStartOptions {
    int steps = 0;      ///< 0 to 100; 0: x0 = A^T M y, where M. Bernhardt et al. 2020 begin
    double weight = 0;  ///< at least 0

    friend bool operator==(const RegularisedStartOptions&, const RegularisedStartOptions&) = default;
};

class RegularisedStart {
public:
    /// `smoothing` may be null: S = 1. Throws Error{invalid_argument} naming the field.
    RegularisedStart(OperatorPointer forward, std::shared_ptr<const ExponentialSmoothing> smoothing,
                     const RegularisedStartOptions& options);

    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// `data` and `mask` are of the range of A, data 0 where the mask is; an empty mask is 1 everywhere. x0
    /// is zero where the data are. Allocates nothing; same bits for any number of threads.
    void run(View<const float> data, View<const float> mask, View<float> x0, Context& context) const noexcept;

private:
    void to_image(View<const float> readings, View<float> w, Context& context) const noexcept;

    OperatorPointer forward_;
    std::shared_ptr<const ExponentialSmoothing> smoothing_;
    RegularisedStartOptions options_;
};

}  // namespace sonolux

// tests/support/relative_difference.hpp
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// The largest difference, relative to the largest value of `b`, which must not be 0 everywhere; infinite
/// where one is NaN and the other is not.
inline double relative_difference(const Array<float>& a, const Array<float>& b) {
    double largest = 0, peak = 0;
    for (Index n = 0; n < a.elements(); ++n) {
        const double ours = a.data()[n], theirs = b.data()[n];
        if (std::isnan(ours) != std::isnan(theirs)) return HUGE_VAL;
        if (std::isnan(ours)) continue;
        largest = std::max(largest, std::abs(ours - theirs));
        peak = std::max(peak, std::abs(theirs));
    }
    EXPECT_GT(peak, 0);
    return largest / peak;
}

}  // namespace sonolux

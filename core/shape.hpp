// sonolux/core/shape.hpp
//
// Index and Shape: how sizes are counted everywhere in Sonolux.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <initializer_list>
#include <string>

namespace sonolux {

/// Signed, so that `i - radius` and loops that count down mean what they say.
using Index = std::ptrdiff_t;

/// The sizes of an array of rank 0 to 4, slowest dimension first: [batch, channel, row, column].
class Shape {
public:
    static constexpr int max_rank = 4;

    constexpr Shape() = default;

    /// At most four sizes, each at least 0.
    constexpr Shape(std::initializer_list<Index> sizes) {
        assert(sizes.size() <= max_rank);
        for (Index size : sizes) sizes_[rank_++] = size;
    }

    [[nodiscard]] constexpr int rank() const noexcept { return rank_; }
    [[nodiscard]] constexpr Index operator[](int dimension) const noexcept { return sizes_[dimension]; }
    constexpr Index& operator[](int dimension) noexcept { return sizes_[dimension]; }

    /// Size counted from the fastest dimension: last(0) is the number of columns, last(1) of rows.
    /// Dimensions that are not there have size 1.
    [[nodiscard]] constexpr Index last(int back) const noexcept {
        return back < rank_ ? sizes_[rank_ - 1 - back] : 1;
    }

    [[nodiscard]] constexpr Index elements() const noexcept {
        Index product = 1;
        for (int d = 0; d < rank_; ++d) product *= sizes_[d];
        return product;
    }

    friend constexpr bool operator==(const Shape&, const Shape&) = default;

private:
    std::array<Index, max_rank> sizes_{};
    int rank_ = 0;
};

/// "2 x 480 x 640", for messages.
[[nodiscard]] inline std::string to_string(const Shape& shape) {
    std::string text;
    for (int d = 0; d < shape.rank(); ++d) text += (d ? " x " : "") + std::to_string(shape[d]);
    return text.empty() ? "scalar" : text;
}

}  // namespace sonolux

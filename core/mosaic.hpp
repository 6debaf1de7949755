// sonolux/core/mosaic.hpp
//
// Sensors that see one colour at each pixel.
#pragma once

#include <string>
#include <string_view>

#include <sonolux/core/array.hpp>
#include <sonolux/core/boundary.hpp>

namespace sonolux {

/// A mosaic of 2 x 2 colour filters over red, green and blue (channels 0, 1, 2), as B. Bayer's (US
/// 3,971,065).
class BayerMosaic {
public:
    /// `pattern` names the filters of the first two pixels of the first row, then of the second: "rggb".
    /// Throws Error{invalid_argument} for what is not four of the letters r, g and b with all of them in it.
    explicit BayerMosaic(std::string_view pattern);

    [[nodiscard]] const std::string& pattern() const noexcept { return pattern_; }

    /// Which channel a pixel has.
    [[nodiscard]] Index channel(Index row, Index column) const noexcept {
        return channels_[2 * (row & 1) + (column & 1)];
    }

    /// 1 where a pixel has the channel, else 0: [3, rows, columns].
    [[nodiscard]] Array<float> mask(Index rows, Index columns) const;

    /// What is left of an image [3, rows, columns] in `raw` [rows, columns].
    void sample(View<const float> image, View<float> raw) const noexcept;

    /// Fills `image` [3, rows, columns] from `raw` [rows, columns], at least 2 x 2: where a pixel does not
    /// have a channel, it gets the mean of those beside it that have it, or else of those across (bilinear
    /// interpolation). Beyond the border the mosaic goes on: `boundary` is reflect, or circular for even
    /// sizes.
    void interpolate(View<const float> raw, BoundaryRule boundary, View<float> image) const noexcept;

private:
    std::string pattern_;
    Index channels_[4];
};

}  // namespace sonolux

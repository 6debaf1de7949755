// sonolux/core/srgb.hpp
//
// The curve between light and the codes of sRGB pictures.
#pragma once

#include <cmath>

namespace sonolux {

/// sRGB codes to light and back (IEC 61966-2-1), of one value in units of white. Beyond 1 the same curves go
/// on, below 0 their mirror image.
[[nodiscard]] inline double srgb_to_linear(double code) noexcept {
    const double size = std::abs(code);
    return std::copysign(size <= 0.04045 ? size / 12.92 : std::pow((size + 0.055) / 1.055, 2.4), code);
}

[[nodiscard]] inline double linear_to_srgb(double light) noexcept {
    const double size = std::abs(light);
    return std::copysign(size <= 0.0031308 ? 12.92 * size : 1.055 * std::pow(size, 1 / 2.4) - 0.055, light);
}

}  // namespace sonolux

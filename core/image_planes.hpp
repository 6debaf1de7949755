// sonolux/core/image_planes.hpp
//
// Images of one channel are [rows, columns], of several [channels, rows, columns]: what treats both alike.
#pragma once

#include <sonolux/core/view.hpp>

namespace sonolux {

[[nodiscard]] constexpr Shape image_shape(Index channels, Index rows, Index columns) {
    return channels == 1 ? Shape{rows, columns} : Shape{channels, rows, columns};
}

/// How many planes an image [rows, columns] or [planes, rows, columns] has.
template <class T>
[[nodiscard]] constexpr Index plane_count(View<T> image) noexcept {
    return image.rank() == 3 ? image.size(0) : 1;
}

/// Plane i of such an image; of [rows, columns] itself.
template <class T>
[[nodiscard]] constexpr View<T> plane_of(View<T> image, Index i) noexcept {
    return image.rank() == 3 ? image[i] : image;
}

}  // namespace sonolux

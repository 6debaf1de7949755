// sonolux/core/operators/require_image.hpp
#pragma once

#include <sonolux/core/error.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux {

/// Throws Error{invalid_argument} unless `image` has rank 2 to 4 and no size below 1. `who` starts the
/// sentence.
inline void require_image(const char* who, const Shape& image) {
    require(image.rank() >= 2, Status::invalid_argument, who,
            ": an image has at least rows and columns, got the shape ", to_string(image));
    static constexpr const char* names[] = {"columns", "rows", "channels", "batch"};
    for (int back = image.rank() - 1; back >= 0; --back)
        require(image.last(back) >= 1, Status::invalid_argument, who, ": ", names[back],
                " must be at least 1, got ", image.last(back));
}

}  // namespace sonolux

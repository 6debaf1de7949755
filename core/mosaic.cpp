// sonolux/core/mosaic.cpp
#include <sonolux/core/mosaic.hpp>

#include <sonolux/core/error.hpp>

namespace sonolux {

BayerMosaic::BayerMosaic(std::string_view pattern) : pattern_(pattern) {
    constexpr std::string_view letters = "rgb";
    bool good = pattern.size() == 4;
    for (const char letter : letters) good = good && pattern.find(letter) != std::string_view::npos;
    for (const char letter : pattern) good = good && letters.find(letter) != std::string_view::npos;
    require(good, Status::invalid_argument,
            "mosaic: a pattern is four of the letters r, g and b with all of them in it, got \"", pattern,
            "\"");
    for (std::size_t n = 0; n < 4; ++n) channels_[n] = static_cast<Index>(letters.find(pattern[n]));
}

Array<float> BayerMosaic::mask(Index rows, Index columns) const {
    Array<float> mask({3, rows, columns});
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) mask(channel(i, j), i, j) = 1;
    return mask;
}

void BayerMosaic::sample(View<const float> image, View<float> raw) const noexcept {
    for (Index i = 0; i < raw.rows(); ++i)
        for (Index j = 0; j < raw.columns(); ++j) raw(i, j) = image(channel(i, j), i, j);
}

void BayerMosaic::interpolate(View<const float> raw, BoundaryRule boundary,
                              View<float> image) const noexcept {
    const Index rows = raw.rows(), columns = raw.columns();
    for (Index i = 0; i < rows; ++i) {
        const Index above = boundary_index(boundary, i - 1, rows),
                    below = boundary_index(boundary, i + 1, rows);
        for (Index j = 0; j < columns; ++j) {
            const Index left = boundary_index(boundary, j - 1, columns),
                        right = boundary_index(boundary, j + 1, columns);
            const Index own = channel(i, j), across = channel(i, j + 1), down = channel(i + 1, j);
            const float horizontal = raw(i, left) + raw(i, right), vertical = raw(above, j) + raw(below, j);
            for (Index c = 0; c < 3; ++c) {
                float value = 0;
                if (c == own)
                    value = raw(i, j);
                else if (c == across && c == down)
                    value = (horizontal + vertical) / 4;
                else if (c == across)
                    value = horizontal / 2;
                else if (c == down)
                    value = vertical / 2;
                else
                    value = (raw(above, left) + raw(above, right) + raw(below, left) + raw(below, right)) / 4;
                image(c, i, j) = value;
            }
        }
    }
}

}  // namespace sonolux

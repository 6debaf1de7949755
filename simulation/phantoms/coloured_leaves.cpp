// sonolux/simulation/phantoms/coloured_leaves.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/srgb.hpp>
#include <sonolux/simulation/phantoms/coloured_leaves.hpp>

namespace sonolux {

namespace {

constexpr Index palette_size = 1024;

/// Twice the size, no texture, each leaf of one value: the place of its colour in the palette.
DeadLeavesOptions flat_leaves() {
    DeadLeavesOptions options = DeadLeavesOptions::plain();
    options.smallest_radius_from = 4;
    options.smallest_radius_to = 40;
    options.supersampling = 1;  // what lies between two values is neither's colour
    options.grey_quantiles = {0, 1};
    options.contrast_from = options.contrast_to = 1;
    options.value_scale = 1;
    return options;
}

DeadLeavesOptions bright_leaves() {
    DeadLeavesOptions options;
    options.value_scale = 1;
    return options;
}

}  // namespace

ColouredLeaves::ColouredLeaves(std::uint64_t seed)
    : seed_(seed), bright_(bright_leaves(), seed), flat_(flat_leaves(), seed + 1) {}

std::size_t ColouredLeaves::workspace_bytes(Index rows, Index columns,
                                            const Context& context) const noexcept {
    return Workspace::bytes<float>(4 * rows * columns) + Workspace::bytes<float>(rows * columns) +
           Workspace::bytes<float>(3 * palette_size) +
           std::max(bright_.workspace_bytes(rows, columns, context),
                    flat_.workspace_bytes(2 * rows, 2 * columns, context));
}

void ColouredLeaves::render(std::uint64_t sample, View<float> picture, Context& context) const noexcept {
    const Index rows = picture.rows(), columns = picture.columns();
    Scratch scratch(context.workspace());
    const auto fine = scratch.take<float>({2 * rows, 2 * columns});
    const auto bright = scratch.take<float>({rows, columns});
    float* palette = scratch.take<float>(3 * palette_size);
    Philox random(seed_, streams::lens_scene, sample);
    for (Index entry = 0; entry < palette_size; ++entry) {
        const double saturation = std::pow(random.uniform(), 1.5);  // more are dull
        double colour[3], largest = 0;
        for (double& value : colour) {
            value = 1 - saturation * random.uniform();
            largest = std::max(largest, value);
        }
        for (Index c = 0; c < 3; ++c) palette[3 * entry + c] = static_cast<float>(colour[c] / largest);
    }
    flat_.render(sample, fine, context);
    bright_.render(sample, bright, context);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            float colour[3] = {0, 0, 0};
            for (Index u = 0; u < 4; ++u) {
                const float value = fine(2 * i + u / 2, 2 * j + u % 2);
                const auto entry =
                    std::clamp<Index>(static_cast<Index>(value * palette_size), 0, palette_size - 1);
                for (Index c = 0; c < 3; ++c) colour[c] += palette[3 * entry + c] / 4;
            }
            // Dead leaves have the greys of picture files.
            const auto light = static_cast<float>(srgb_to_linear(double{bright(i, j)}));
            for (Index c = 0; c < 3; ++c) picture(c, i, j) = light * colour[c];
        }
}

}  // namespace sonolux

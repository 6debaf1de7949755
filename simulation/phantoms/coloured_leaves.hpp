// sonolux/simulation/phantoms/coloured_leaves.hpp
//
// Dead leaves in colour.
#pragma once

#include <memory>

#include <sonolux/simulation/phantoms/dead_leaves.hpp>

namespace sonolux {

/// Pictures of light in linear sRGB: the brightness is that of dead leaves with texture (dead_leaves.hpp),
/// the colour that of other, flat leaves, so that some edges are of brightness and some of colour. Most
/// colours are dull and some are pure, as in photographs.
///
/// Picture n is a function of (seed, n) alone, from Philox(seed, streams::lens_scene, n).
class ColouredLeaves {
public:
    explicit ColouredLeaves(std::uint64_t seed);

    [[nodiscard]] std::size_t workspace_bytes(Index rows, Index columns,
                                              const Context& context) const noexcept;

    /// Picture `sample`, [3, rows, columns], in [0, 1]. On the calling thread.
    void render(std::uint64_t sample, View<float> picture, Context& context) const noexcept;

private:
    std::uint64_t seed_;
    DeadLeaves bright_, flat_;
};

}  // namespace sonolux

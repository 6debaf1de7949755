// sonolux/core/boundary.hpp
//
// What an image is taken to be beyond its border.
#pragma once

#include <string_view>

#include <sonolux/core/error.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux {

/// The image a b c d, continued to both sides:
///
///     zero        0 0 0 | a b c d | 0 0 0
///     circular    b c d | a b c d | a b c
///     replicate   a a a | a b c d | d d d
///     symmetric   c b a | a b c d | d c b      half-sample: the edge is repeated
///     reflect     d c b | a b c d | c b a      whole-sample: it is not
enum class BoundaryRule { zero, circular, replicate, symmetric, reflect };

inline constexpr BoundaryRule boundary_rules[] = {BoundaryRule::zero, BoundaryRule::circular,
                                                  BoundaryRule::replicate, BoundaryRule::symmetric,
                                                  BoundaryRule::reflect};

[[nodiscard]] constexpr const char* to_string(BoundaryRule rule) noexcept {
    switch (rule) {
        case BoundaryRule::zero: return "zero";
        case BoundaryRule::circular: return "circular";
        case BoundaryRule::replicate: return "replicate";
        case BoundaryRule::symmetric: return "symmetric";
        case BoundaryRule::reflect: return "reflect";
    }
    return "unknown";
}

/// Throws Error{invalid_argument} for any other word.
[[nodiscard]] inline BoundaryRule boundary_rule_from_string(std::string_view word) {
    for (BoundaryRule rule : boundary_rules)
        if (word == to_string(rule)) return rule;
    fail(Status::invalid_argument, "boundary must be zero, circular, replicate, symmetric or reflect, got \"",
         word, "\"");
}

/// Which of the samples [0, size) stands at position `index`, however far outside that is; -1 for the zero
/// outside. `size` is at least 1; a single sample reflects into itself.
[[nodiscard]] inline constexpr Index boundary_index(BoundaryRule rule, Index index, Index size) noexcept {
    assert(size >= 1);
    if (index >= 0 && index < size) return index;
    // The continued image repeats after `period` samples.
    auto wrapped = [index](Index period) { return (index % period + period) % period; };
    switch (rule) {
        case BoundaryRule::zero: return -1;
        case BoundaryRule::circular: return wrapped(size);
        case BoundaryRule::replicate: return index < 0 ? 0 : size - 1;
        case BoundaryRule::symmetric: {
            const Index i = wrapped(2 * size);
            return i < size ? i : 2 * size - 1 - i;
        }
        case BoundaryRule::reflect: {
            if (size == 1) return 0;
            const Index i = wrapped(2 * size - 2);
            return i < size ? i : 2 * size - 2 - i;
        }
    }
    return -1;
}

}  // namespace sonolux

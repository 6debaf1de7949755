// sonolux/core/operators/border_map.hpp
//
// One dimension of an image, continued past its border, and the adjoint of that.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <sonolux/core/boundary.hpp>

namespace sonolux {

/// The samples at positions [-before, size + after) of a continued line. Padded positions are counted from 0,
/// the first of them.
class BorderMap {
public:
    /// `before` and `after` are at least 0, `size` at least 1; the operators check.
    BorderMap(BoundaryRule rule, Index size, Index before, Index after)
        : size_(size), before_(before), first_(static_cast<std::size_t>(size) + 1) {
        const Index padded = before + size + after;
        source_.reserve(static_cast<std::size_t>(padded));
        for (Index p = 0; p < padded; ++p) {
            source_.push_back(boundary_index(rule, p - before, size));
            if (source_.back() >= 0) ++first_[static_cast<std::size_t>(source_.back()) + 1];
        }
        for (std::size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
        positions_.resize(first_.back());
        std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
        for (Index p = 0; p < padded; ++p)
            if (source(p) >= 0) positions_[next[static_cast<std::size_t>(source(p))]++] = p;
    }

    [[nodiscard]] Index size() const noexcept { return size_; }
    [[nodiscard]] Index before() const noexcept { return before_; }
    [[nodiscard]] Index padded() const noexcept { return static_cast<Index>(source_.size()); }

    /// The sample at a padded position, or -1 for the zero outside.
    [[nodiscard]] Index source(Index position) const noexcept {
        return source_[static_cast<std::size_t>(position)];
    }

    /// The padded positions where a sample stands, in ascending order: at least one.
    [[nodiscard]] std::span<const Index> positions(Index sample) const noexcept {
        const std::size_t begin = first_[static_cast<std::size_t>(sample)];
        return {positions_.data() + begin, first_[static_cast<std::size_t>(sample) + 1] - begin};
    }

    /// padded[p] = line[source(p)], or 0 outside.
    void unfold(const float* line, float* padded) const noexcept {
        auto at = [&](Index p) { return source(p) < 0 ? 0.0f : line[source(p)]; };
        for (Index p = 0; p < before_; ++p) padded[p] = at(p);
        std::copy_n(line, size_, padded + before_);
        for (Index p = before_ + size_; p < this->padded(); ++p) padded[p] = at(p);
    }

    /// The adjoint of unfolding: line[i] = sum of padded[p] over positions(i).
    void fold(const float* padded, float* line) const noexcept {
        std::copy_n(padded + before_, size_, line);
        auto add = [&](Index p) {
            if (source(p) >= 0) line[source(p)] += padded[p];
        };
        for (Index p = 0; p < before_; ++p) add(p);
        for (Index p = before_ + size_; p < this->padded(); ++p) add(p);
    }

private:
    Index size_, before_;
    std::vector<Index> source_;       // by padded position
    std::vector<std::size_t> first_;  // by sample: where its positions start
    std::vector<Index> positions_;
};

}  // namespace sonolux

// sonolux/simulation/acoustics/kspace_sources.hpp
//
// A source as a simulation meets it: row by row.
#pragma once

#include <vector>

#include <sonolux/simulation/acoustics/kspace_setup.hpp>

namespace sonolux {

class RowSource {
public:
    RowSource() = default;

    /// Sorts the points by row. Sources of mode `additive` act on the whole grid, through filter().
    RowSource(const PointSource& source, const KspaceSize& size);

    [[nodiscard]] bool acts(Index step) const noexcept { return step < samples_; }
    [[nodiscard]] bool filtered() const noexcept { return samples_ > 0 && mode_ == SourceMode::additive; }
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// What is corrected in k-space before it is added: F^-1 cos(c_ref |k| dt / 2) F of the values at the
    /// points. A source that plays one signal is filtered once, at set-up; others at each step. `cosines` are
    /// a kspace_table; `spectrum`, one of the transform, is scratch.
    void prepare(Context& context, KspaceTransform& transform, const std::vector<float>& cosines,
                 float* spectrum);
    void filter(Context& context, KspaceTransform& transform, const std::vector<float>& cosines,
                float* spectrum, Index step) noexcept;

    /// Adds to, or puts into, the row what this step brings. Not for steps beyond the source.
    void apply(Index step, Index row, float* values) const noexcept;

private:
    void spread(Context& context, KspaceTransform& transform, const std::vector<float>& cosines,
                float* spectrum, Index step, bool ones) noexcept;
    [[nodiscard]] float value(Index step, Index entry) const noexcept {
        return one_for_all_ ? signal_[static_cast<std::size_t>(step)]
                            : signal_[static_cast<std::size_t>(step * width_ +
                                                               order_[static_cast<std::size_t>(entry)])];
    }

    SourceMode mode_ = SourceMode::no_correction;
    bool one_for_all_ = true;
    Index samples_ = 0, width_ = 1, columns_ = 0;
    std::vector<Index> row_begin_;  // of the entries of each row
    std::vector<Index> column_, order_;
    std::vector<float> signal_;
    Array<float> pattern_;  // what is added, filtered: for a signal of 1, or for this step
};

}  // namespace sonolux

// sonolux/simulation/acoustics/kspace_sources.cpp
#include <algorithm>
#include <numeric>

#include <sonolux/simulation/acoustics/kspace_factors.hpp>
#include <sonolux/simulation/acoustics/kspace_sources.hpp>

namespace sonolux {

RowSource::RowSource(const PointSource& source, const KspaceSize& size)
    : mode_(source.mode),
      one_for_all_(source.one_for_all),
      samples_(source.points.empty() ? 0 : source.samples),
      width_(static_cast<Index>(source.points.size())),
      columns_(size.columns),
      row_begin_(static_cast<std::size_t>(size.planes * size.rows) + 1, 0),
      signal_(source.signal) {
    order_.resize(source.points.size());
    std::iota(order_.begin(), order_.end(), Index{0});
    std::stable_sort(order_.begin(), order_.end(), [&](Index a, Index b) {
        return source.points[static_cast<std::size_t>(a)] < source.points[static_cast<std::size_t>(b)];
    });
    for (Index entry : order_) {
        const Index point = source.points[static_cast<std::size_t>(entry)];
        column_.push_back(point % columns_);
        ++row_begin_[static_cast<std::size_t>(point / columns_) + 1];
    }
    std::partial_sum(row_begin_.begin(), row_begin_.end(), row_begin_.begin());
    if (filtered()) pattern_ = Array<float>({size.planes * size.rows, columns_});
}

std::size_t RowSource::memory_bytes() const noexcept {
    return sizeof(Index) * (row_begin_.size() + column_.size() + order_.size()) +
           sizeof(float) * (signal_.size() + static_cast<std::size_t>(pattern_.elements()));
}

void RowSource::apply(Index step, Index row, float* values) const noexcept {
    if (mode_ == SourceMode::additive) {
        const float* pattern = pattern_.data() + row * columns_;
        const float amplitude = one_for_all_ ? signal_[static_cast<std::size_t>(step)] : 1.0f;
        for (Index j = 0; j < columns_; ++j) values[j] += amplitude * pattern[j];
        return;
    }
    const Index end = row_begin_[static_cast<std::size_t>(row) + 1];
    for (Index entry = row_begin_[static_cast<std::size_t>(row)]; entry < end; ++entry) {
        float& place = values[column_[static_cast<std::size_t>(entry)]];
        place = mode_ == SourceMode::dirichlet ? value(step, entry) : place + value(step, entry);
    }
}

void RowSource::prepare(Context& context, KspaceTransform& transform, const std::vector<float>& cosines,
                        float* spectrum) {
    if (filtered() && one_for_all_) spread(context, transform, cosines, spectrum, 0, true);
}

void RowSource::filter(Context& context, KspaceTransform& transform, const std::vector<float>& cosines,
                       float* spectrum, Index step) noexcept {
    if (filtered() && !one_for_all_ && acts(step)) spread(context, transform, cosines, spectrum, step, false);
}

void RowSource::spread(Context& context, KspaceTransform& transform, const std::vector<float>& cosines,
                       float* spectrum, Index step, bool ones) noexcept {
    float* all[] = {spectrum};
    transform.over_rows(context, {}, all, [&](Index first, Index end, int thread) {
        float* values = pattern_.data() + first * columns_;
        std::fill(values, pattern_.data() + end * columns_, 0.0f);
        for (Index row = first; row < end; ++row)
            for (Index entry = row_begin_[static_cast<std::size_t>(row)];
                 entry < row_begin_[static_cast<std::size_t>(row) + 1]; ++entry)
                pattern_.data()[row * columns_ + column_[static_cast<std::size_t>(entry)]] +=
                    ones ? 1.0f : value(step, entry);
        transform.rows_forward(thread, values, columns_, end - first, spectrum, first);
    });
    transform.over_lines(context, all, all, [&](Index group, Index block, float* const* lines) {
        transform.kernels().multiply_even(lines_of(transform, cosines, group, block), transform.last_length(),
                                          lines[0], lines[0]);
    });
    transform.over_rows(context, all, {}, [&](Index first, Index end, int thread) {
        transform.rows_inverse(thread, spectrum, first, pattern_.data() + first * columns_, columns_,
                               end - first);
    });
}

}  // namespace sonolux

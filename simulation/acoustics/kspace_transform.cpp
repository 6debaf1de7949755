// sonolux/simulation/acoustics/kspace_transform.cpp
#include <sonolux/simulation/acoustics/kspace_transform.hpp>

namespace sonolux {

KspaceTransform::KspaceTransform(const KspaceSize& size, const Context& context, FftBackend backend,
                                 FftPlanning planning)
    : size_(size), kernels_(&kspace_kernels(context.isa())) {
    constexpr Index most = Index{1} << 20;
    for (Index length : {size.planes, size.rows, size.columns})
        require(length >= 1 && length <= most, Status::invalid_argument,
                "k-space grid: sizes must be at least 1 and at most ", most, ", got ", length);
    // An odd number of blocks, so that the rows of a block never fall into few sets of the cache.
    row_floats_ = (blocks() | 1) * lane_floats;
    const Index longest = std::max({size.planes, size.rows, size.columns});
    lanes_.resize(static_cast<std::size_t>(std::max(1, context.threads())));
    for (Lane& lane : lanes_) {
        const auto plan = [&](Index length) {
            return std::make_unique<LaneFft>(length, context.isa(), backend, planning);
        };
        lane.x = plan(size.columns);
        if (size.volume()) lane.y = plan(size.rows);
        lane.last = plan(last_length());
        lane.lines = Array<float>({static_cast<Index>(most_spectra), last_length(), lane_floats});
        lane.rows = Array<float>({size.columns, lane_floats});
        lane.scratch = Array<float>({2 * longest * lane_floats});
    }
}

std::size_t KspaceTransform::memory_bytes() const noexcept {
    const Lane& lane = lanes_.front();
    return lanes_.size() * sizeof(float) *
           static_cast<std::size_t>(lane.lines.elements() + lane.rows.elements() + lane.scratch.elements());
}

void KspaceTransform::rows_forward(int thread, const float* rows, Index stride, Index count, float* spectrum,
                                   Index row) noexcept {
    Lane& lane = lanes_[static_cast<std::size_t>(thread)];
    float* lines = lane.rows.data();
    // The kernel writes rows where it is asked for rows, and not here.
    kernels_->rows_to_lines({const_cast<float*>(rows), stride, count, size_.columns}, lines);
    lane.x->forward(lines, lane_floats, lines, lane_floats, lane.scratch.data());
    kernels_->lines_to_halves(lines, size_.columns, count, spectrum + row * row_floats_, row_floats_);
}

void KspaceTransform::rows_inverse(int thread, const float* spectrum, Index row, float* rows, Index stride,
                                   Index count) noexcept {
    Lane& lane = lanes_[static_cast<std::size_t>(thread)];
    float* lines = lane.rows.data();
    kernels_->halves_to_lines(spectrum + row * row_floats_, row_floats_, size_.columns, count, lines);
    lane.x->inverse(lines, lane_floats, lines, lane_floats, lane.scratch.data());
    kernels_->lines_to_rows(lines, {rows, stride, count, size_.columns});
}

void KspaceTransform::plane_along_y(float* spectrum, Index plane, int thread, bool inverse) noexcept {
    Lane& lane = lanes_[static_cast<std::size_t>(thread)];
    for (Index block = 0; block < blocks(); ++block) {
        float* start = spectrum + plane * size_.rows * row_floats_ + block * lane_floats;
        if (inverse)
            lane.y->inverse(start, row_floats_, start, row_floats_, lane.scratch.data());
        else
            lane.y->forward(start, row_floats_, start, row_floats_, lane.scratch.data());
    }
}

}  // namespace sonolux

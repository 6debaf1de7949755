// sonolux/core/operators/boundary_pad.cpp
#include <sonolux/core/operators/boundary_pad.hpp>
#include <sonolux/core/operators/require_image.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

namespace {

const Shape& checked(const Shape& image, const Margins& margins) {
    require_image("boundary pad", image);
    auto check = [](const char* name, Index margin) {
        require(margin >= 0, Status::invalid_argument, "boundary pad: ", name, " must be at least 0, got ",
                margin);
    };
    check("top", margins.top);
    check("bottom", margins.bottom);
    check("left", margins.left);
    check("right", margins.right);
    return image;
}

}  // namespace

BoundaryPad::BoundaryPad(const Shape& image, const Margins& margins, BoundaryRule rule)
    : domain_(checked(image, margins)),
      range_(domain_),
      rows_(rule, domain_.last(1), margins.top, margins.bottom),
      columns_(rule, domain_.last(0), margins.left, margins.right) {
    range_[range_.rank() - 2] = rows_.padded();
    range_[range_.rank() - 1] = columns_.padded();
}

std::size_t BoundaryPad::workspace_bytes(const Context& context) const noexcept {
    return static_cast<std::size_t>(context.threads()) * Workspace::bytes<float>(columns_.padded());
}

void BoundaryPad::apply(View<const float> x, View<float> padded, Context& context) const noexcept {
    const Index planes = domain_.elements() / (rows_.size() * columns_.size());
    parallel_rows(context, planes * rows_.padded(), columns_.padded(), [&](Index begin, Index end, int) {
        for (Index line = begin; line < end; ++line) {
            float* out = padded.data() + line * columns_.padded();
            const Index source = rows_.source(line % rows_.padded());
            if (source < 0) {
                std::fill_n(out, columns_.padded(), 0.0f);
                continue;
            }
            const Index row = line / rows_.padded() * rows_.size() + source;
            columns_.unfold(x.data() + row * columns_.size(), out);
        }
    });
}

void BoundaryPad::adjoint(View<const float> padded, View<float> x, Context& context) const noexcept {
    const Index planes = domain_.elements() / (rows_.size() * columns_.size());
    const Index width = columns_.padded();
    const Index stride = static_cast<Index>(Workspace::bytes<float>(width) / sizeof(float));
    Scratch scratch(context.workspace());
    float* sums = scratch.take<float>(stride * context.threads());
    parallel_rows(context, planes * rows_.size(), width, [&](Index begin, Index end, int thread) {
        float* sum = sums + thread * stride;
        for (Index line = begin; line < end; ++line) {
            // The padded rows that show this one are added up first: their margins fold alike.
            const float* plane = padded.data() + line / rows_.size() * rows_.padded() * width;
            const std::span<const Index> positions = rows_.positions(line % rows_.size());
            std::copy_n(plane + positions[0] * width, width, sum);
            for (Index position : positions.subspan(1)) {
                const float* row = plane + position * width;
                for (Index j = 0; j < width; ++j) sum[j] += row[j];
            }
            columns_.fold(sum, x.data() + line * columns_.size());
        }
    });
}

}  // namespace sonolux

// sonolux/core/operators/resample.cpp
#include <sonolux/core/operators/require_image.hpp>
#include <sonolux/core/operators/resample.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

BoxDownsampling::BoxDownsampling(const Shape& image, Index factor)
    : domain_(image), range_(image), factor_(factor) {
    require_image("box down-sampling", image);
    require(factor >= 1, Status::invalid_argument, "box down-sampling: the factor must be at least 1, got ",
            factor);
    require(image.last(1) % factor == 0 && image.last(0) % factor == 0, Status::invalid_argument,
            "box down-sampling: the factor must divide rows and columns, got ", factor, " for ",
            to_string(image));
    range_[image.rank() - 2] /= factor;
    range_[image.rank() - 1] /= factor;
}

// Since f divides the rows, rows f i to f i + f - 1 of the stack of all planes make row i of the small stack.

void BoxDownsampling::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    const Index columns = range_.last(0), wide = domain_.last(0);
    const float weight = 1.0f / static_cast<float>(factor_ * factor_);
    parallel_rows(context, range_.elements() / columns, wide * factor_, [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i)
            for (Index j = 0; j < columns; ++j) {
                const float* box = x.data() + i * factor_ * wide + j * factor_;
                float sum = 0;
                for (Index u = 0; u < factor_; ++u)
                    for (Index v = 0; v < factor_; ++v) sum += box[u * wide + v];
                y.data()[i * columns + j] = sum * weight;
            }
    });
}

void BoxDownsampling::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    const Index columns = range_.last(0), wide = domain_.last(0);
    const float weight = 1.0f / static_cast<float>(factor_ * factor_);
    parallel_rows(context, domain_.elements() / wide, wide, [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i) {
            const float* small = y.data() + i / factor_ * columns;
            float* row = x.data() + i * wide;
            for (Index j = 0; j < columns; ++j)
                for (Index v = 0; v < factor_; ++v) row[j * factor_ + v] = small[j] * weight;
        }
    });
}

}  // namespace sonolux

// tests/solvers/padded_blur_test.cpp
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/padded_blur.hpp>

#include "tests/support/normal_images.hpp"

namespace sonolux {
namespace {

constexpr Index rows = 21, columns = 30, radius = 4;

// Dark on the left, bright on the right: periodic continuation meets a step.
Array<float> ramp() {
    Array<float> image({rows, columns});
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j)
            image(i, j) = 8 * static_cast<float>(j) + static_cast<float>(i % 3);
    return image;
}

Array<float> kernel() {
    Array<float> taps({2 * radius + 1, 2 * radius + 1});
    float sum = 0;
    for (Index i = 0; i < taps.elements(); ++i) sum += taps.data()[i] = 1 + static_cast<float>(i * i % 7);
    for (float& tap : taps) tap /= sum;
    return taps;
}

PaddedBlur blur_with(BorderTreatment treatment) {
    const Index border = treatment == BorderTreatment::circular ? 0 : radius;
    PaddedBlur blur(rows, columns, border, border, treatment, DomainSize::fast);
    blur.set_kernel(kernel());
    return blur;
}

Array<float> entered(const PaddedBlur& blur, const Array<float>& y) {
    Context context;
    context.workspace().reserve(blur.workspace_bytes(context));
    Array<float> image(blur.domain());
    blur.enter(y, image, context);
    return image;
}

bool keeps(const PaddedBlur& blur, const Array<float>& y, const Array<float>& image) {
    const View<const float> inside = blur.inside(image.view());
    for (Index i = 0; i < rows; ++i)
        if (std::memcmp(inside.row(i), &y(i, 0), columns * sizeof(float)) != 0) return false;
    return true;
}

// The largest step between neighbours along the rows, the last column being a neighbour of the first.
float largest_step(const Array<float>& image) {
    float largest = 0;
    const Index count = image.shape()[1];
    for (Index i = 0; i < image.shape()[0]; ++i)
        for (Index j = 0; j < count; ++j)
            largest = std::max(largest, std::abs(image(i, (j + 1) % count) - image(i, j)));
    return largest;
}

TEST(PaddedBlur, LeavesWhatWasMeasuredAsItIs) {
    const Array<float> y = ramp();
    for (BorderTreatment treatment :
         {BorderTreatment::circular, BorderTreatment::replicate, BorderTreatment::valid}) {
        const PaddedBlur blur = blur_with(treatment);
        EXPECT_TRUE(keeps(blur, y, entered(blur, y))) << to_string(treatment);
    }
    // Tapering all of the image is another measurement: one that a periodic blur can have made.
    const PaddedBlur taper = blur_with(BorderTreatment::taper);
    EXPECT_FALSE(keeps(taper, y, entered(taper, y)));
}

TEST(PaddedBlur, EntersAnImageThatIsInsideItsDomainAlready) {
    const Array<float> y = ramp();
    for (BorderTreatment treatment :
         {BorderTreatment::replicate, BorderTreatment::taper, BorderTreatment::valid}) {
        const PaddedBlur blur = blur_with(treatment);
        const Array<float> expected = entered(blur, y);
        Array<float> image(blur.domain());
        for (Index i = 0; i < rows; ++i) std::copy_n(&y(i, 0), columns, blur.inside(image.view()).row(i));
        Context context;
        context.workspace().reserve(blur.workspace_bytes(context));
        blur.enter(blur.inside(View<const float>(image.view())), image, context);
        EXPECT_EQ(0, std::memcmp(image.data(), expected.data(), image.elements() * sizeof(float)));
    }
}

// A periodic estimate rings at a step that no image made. On the border of `valid` it is spread over the
// reach of the kernel, nearly as well as where the whole image may change.
TEST(PaddedBlur, SpreadsTheStepBetweenOppositeEdges) {
    const Array<float> y = ramp();
    const float replicated = largest_step(entered(blur_with(BorderTreatment::replicate), y)),
                tapered = largest_step(entered(blur_with(BorderTreatment::taper), y)),
                valid = largest_step(entered(blur_with(BorderTreatment::valid), y));
    EXPECT_FLOAT_EQ(replicated, 8 * (columns - 1));
    EXPECT_LT(tapered, 0.5f * replicated);
    EXPECT_LT(valid, 0.5f * replicated);
}

// B as an operator on the domain.
class Renewal final : public LinearOperator {
public:
    explicit Renewal(const PaddedBlur& blur) : blur_(blur) {}
    Shape domain() const noexcept override { return blur_.domain(); }
    Shape range() const noexcept override { return blur_.domain(); }
    std::size_t workspace_bytes(const Context& context) const noexcept override {
        return blur_.workspace_bytes(context);
    }
    void apply(View<const float> x, View<float> y, Context& context) const noexcept override {
        std::copy_n(x.data(), x.elements(), y.data());
        blur_.renew_border(y, context);
    }
    void adjoint(View<const float> y, View<float> x, Context& context) const noexcept override {
        std::copy_n(y.data(), y.elements(), x.data());
        blur_.renew_border_adjoint(x, context);
    }

private:
    const PaddedBlur& blur_;
};

TEST(PaddedBlur, RenewsBordersWithAnExactAdjoint) {
    for (BorderTreatment treatment : {BorderTreatment::circular, BorderTreatment::replicate,
                                      BorderTreatment::taper, BorderTreatment::valid}) {
        const PaddedBlur blur = blur_with(treatment);
        EXPECT_LT(dot_test(Renewal(blur)), 1e-6) << to_string(treatment);
        // Twice the same border: what is inside decides about it, but where all is tapered again.
        const Array<float> x = normal(blur.domain(), 3);
        if (treatment != BorderTreatment::taper) {
            Array<float> once = x.clone(), twice = x.clone();
            Context context;
            context.workspace().reserve(blur.workspace_bytes(context));
            blur.renew_border(once, context);
            for (int i = 0; i < 2; ++i) blur.renew_border(twice, context);
            EXPECT_EQ(0, std::memcmp(once.data(), twice.data(), once.elements() * sizeof(float)));
        }
    }
}

}  // namespace
}  // namespace sonolux

// tests/core/operators/boundary_pad_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/boundary_pad.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(BoundaryPad, AdjointIsExactForEveryRuleOnAwkwardSizes) {
    for (BoundaryRule rule : boundary_rules)
        for (auto [rows, columns] : {std::pair{1, 1}, {1, 7}, {5, 3}, {64, 65}})
            for (const Margins& margins :
                 {Margins{}, Margins{1, 0, 0, 1}, Margins{2, 3, 4, 5}, Margins{9, 11, 13, 8}})
                EXPECT_LT(dot_test(BoundaryPad({rows, columns}, margins, rule)), 1e-6)
                    << to_string(rule) << ", " << rows << " x " << columns << ", top " << margins.top;
}

TEST(BoundaryPad, ShowsWhatTheRuleSaysInEveryPlane) {
    const Margins margins{4, 6, 3, 9};
    for (BoundaryRule rule : boundary_rules) {
        const BoundaryPad pad({2, 3, 5, 4}, margins, rule);
        EXPECT_EQ(pad.range(), (Shape{2, 3, 15, 16}));
        Array<float> x(pad.domain()), padded(pad.range());
        fill_normal(x, Philox(1));
        Context context;
        pad.apply(x, padded, context);
        for (Index b = 0; b < 2; ++b)
            for (Index c = 0; c < 3; ++c)
                for (Index i = 0; i < 15; ++i)
                    for (Index j = 0; j < 16; ++j) {
                        const Index row = boundary_index(rule, i - 4, 5),
                                    column = boundary_index(rule, j - 3, 4);
                        const float expected = row < 0 || column < 0 ? 0 : x(b, c, row, column);
                        ASSERT_EQ(padded(b, c, i, j), expected)
                            << to_string(rule) << " at " << i << ", " << j;
                    }
    }
}

TEST(BoundaryPad, FoldCountsHowOftenASampleIsShown) {
    const BoundaryPad pad({1, 3}, {0, 0, 2, 2}, BoundaryRule::reflect);  // c b | a b c | b a
    Array<float> ones({1, 7}), counts({1, 3});
    std::fill(ones.begin(), ones.end(), 1.0f);
    Context context;
    context.workspace().reserve(pad.workspace_bytes(context));
    pad.adjoint(ones, counts, context);
    EXPECT_THAT(std::vector<float>(counts.begin(), counts.end()), testing::ElementsAre(2, 3, 2));
}

TEST(BoundaryPad, GivesTheSameBitsForAnyNumberOfThreads) {
    const BoundaryPad pad({3, 130, 257}, {30, 40, 50, 60}, BoundaryRule::symmetric);
    Context one(make_serial_runner()), two(make_openmp_runner(2));
    Array<float> y(pad.range()), a(pad.domain()), b(pad.domain());
    fill_normal(y, Philox(2));
    for (auto [context, x] : {std::pair{&one, &a}, {&two, &b}}) {
        context->workspace().reserve(pad.workspace_bytes(*context));
        pad.adjoint(y, *x, *context);
    }
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
}

TEST(BoundaryPad, RefusesWhatIsNoImage) {
    EXPECT_THAT(
        [] {
            BoundaryPad({4, 4}, {0, 0, -1, 0}, BoundaryRule::zero);
        },
        ThrowsMessage<Error>(HasSubstr("left must be at least 0, got -1")));
    EXPECT_THAT(
        [] {
            BoundaryPad({4, 0}, {}, BoundaryRule::zero);
        },
        ThrowsMessage<Error>(HasSubstr("columns must be at least 1, got 0")));
    EXPECT_THAT([] { BoundaryPad({4}, {}, BoundaryRule::zero); },
                ThrowsMessage<Error>(HasSubstr("at least rows and columns, got the shape 4")));
}

}  // namespace
}  // namespace sonolux

// tests/core/operators/exponential_smoothing_test.cpp
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/array.hpp>
#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/exponential_smoothing.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {
namespace {

TEST(ExponentialSmoothing, IsSymmetricOnAwkwardSizes) {
    for (auto [rows, columns] : {std::pair<Index, Index>{1, 1}, {1, 7}, {9, 1}, {13, 67}, {84, 64}})
        EXPECT_LT(dot_test(ExponentialSmoothing(rows, columns, 3)), 1e-6) << rows << " x " << columns;
}

TEST(ExponentialSmoothing, EqualsItsDefinitionAlsoInPlace) {
    const Index rows = 7, columns = 70;
    const double length = 2.5, a = std::exp(-1 / length), s = (1 - a) / (1 + a);
    Array<float> x({rows, columns}), y({rows, columns});
    fill_normal(x, Philox(1));
    const ExponentialSmoothing smoothing(rows, columns, length);
    smoothing.smooth(x, y);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            double sum = 0;
            for (Index k = 0; k < rows; ++k)
                for (Index l = 0; l < columns; ++l)
                    sum += std::pow(a, static_cast<double>(std::abs(i - k) + std::abs(j - l))) * x(k, l);
            EXPECT_NEAR(y(i, j), s * s * sum, 1e-5) << i << ", " << j;
        }
    smoothing.smooth(x, x);
    for (Index n = 0; n < x.elements(); ++n) EXPECT_EQ(x.data()[n], y.data()[n]);
}

TEST(ExponentialSmoothing, RefusesLengthsByValue) {
    EXPECT_THAT([] { ExponentialSmoothing(4, 4, 0); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("from 0.1 to 1000 pixels, got 0")));
}

}  // namespace
}  // namespace sonolux

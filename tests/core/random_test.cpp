// tests/core/random_test.cpp
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include <sonolux/core/random.hpp>

namespace sonolux {
namespace {

TEST(Philox4x32, ReproducesTheKnownAnswersOfRandom123) {  // kat_vectors of Random123 1.14, philox4x32 10
    EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
              (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    constexpr std::uint32_t ones = 0xffffffff;
    EXPECT_EQ(philox4x32_10({ones, ones, ones, ones}, {ones, ones}),
              (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, SequenceIsItsBlocksInOrder) {
    Philox random(7, 8, 9);
    for (std::uint64_t counter = 0; counter < 5; ++counter)
        for (std::uint32_t word : random.block(counter)) EXPECT_EQ(random.next(), word);
}

TEST(Philox, EveryPartOfTheKeyGivesAnotherSequence) {
    const Philox generators[] = {Philox(1, 2, 3),          Philox(2, 2, 3),          Philox(1, 3, 3),
                                 Philox(1, 2, 4),          Philox(1, 3, 2),          Philox(1ull << 32, 2, 3),
                                 Philox(1, 2ull << 32, 3), Philox(1, 2, 3ull << 32), Philox(1)};
    for (const Philox& one : generators)
        for (const Philox& other : generators) EXPECT_EQ(one.block(0) == other.block(0), &one == &other);
}

TEST(Philox, UniformCoversTheHalfOpenInterval) {
    Philox random(1);
    constexpr int count = 200'000;
    double sum = 0, squares = 0, smallest = 1, largest = 0;
    for (int i = 0; i < count; ++i) {
        const double u = random.uniform();
        ASSERT_GE(u, 0.0);
        ASSERT_LT(u, 1.0);
        sum += u;
        squares += u * u;
        smallest = std::min(smallest, u);
        largest = std::max(largest, u);
    }
    // Five standard errors of the mean (variance 1/12) and of the second moment (variance 4/45).
    EXPECT_NEAR(sum / count, 1.0 / 2, 5 * std::sqrt(1.0 / 12 / count));
    EXPECT_NEAR(squares / count, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / count));
    EXPECT_LT(smallest, 1e-4);  // missed with probability (1 - 1e-4)^200000 = 2e-9
    EXPECT_GT(largest, 1 - 1e-4);
}

TEST(Philox, BelowIsUniformOverEveryValue) {
    Philox random(3);
    for (Index n : {1, 2, 7, 100}) {
        constexpr int mean = 2000;
        std::vector<int> counts(static_cast<std::size_t>(n));
        for (Index i = 0; i < n * mean; ++i) {
            const Index value = random.below(n);
            ASSERT_GE(value, 0);
            ASSERT_LT(value, n);
            ++counts[static_cast<std::size_t>(value)];
        }
        double chi_squared = 0;
        for (int count : counts) chi_squared += (count - mean) * (count - mean) / double{mean};
        const double freedom = static_cast<double>(n - 1);  // chi squared: mean n - 1, variance 2 (n - 1)
        EXPECT_LE(chi_squared, freedom + 5 * std::sqrt(2 * freedom));
    }
}

TEST(Philox, BelowReachesTheUpperHalfOfHugeRanges) {
    constexpr Index huge =
        Index{3} << 61;  // 3/4 of the range: a plain 64-bit remainder would favour the lower third
    Philox random(4);
    int lower_third = 0;
    for (int i = 0; i < 30'000; ++i) lower_third += random.below(huge) < huge / 3;
    EXPECT_NEAR(lower_third, 10'000, 5 * std::sqrt(30'000 * 2.0 / 9));
}

TEST(FillNormal, HasTheMomentsAndTailsOfANormal) {
    constexpr Index count = 4'000'000;
    Array<float> values({count});
    fill_normal(values, Philox(11, 2, 3));
    double sum[5] = {}, beyond_2 = 0, beyond_4 = 0, neighbours = 0;
    for (Index i = 0; i < count; ++i) {
        const double v = values(i);
        ASSERT_TRUE(std::abs(v) < 6.7) << i;
        double power = v;
        for (int k = 1; k < 5; ++k, power *= v) sum[k] += power;
        beyond_2 += std::abs(v) > 2;
        beyond_4 += std::abs(v) > 4;
        if (i > 0) neighbours += v * values(i - 1);
    }
    // Five standard errors: Var(x) = 1, Var(x^2) = 2, Var(x^3) = 15, Var(x^4) = 96; counts are Poisson.
    const double five = 5 / std::sqrt(static_cast<double>(count));
    EXPECT_NEAR(sum[1] / count, 0, five);
    EXPECT_NEAR(sum[2] / count, 1, five * std::sqrt(2));
    EXPECT_NEAR(sum[3] / count, 0, five * std::sqrt(15));
    EXPECT_NEAR(sum[4] / count, 3, five * std::sqrt(96));
    EXPECT_NEAR(neighbours / count, 0, five);
    const double expected_2 = count * std::erfc(2 / std::sqrt(2)),
                 expected_4 = count * std::erfc(4 / std::sqrt(2));
    EXPECT_NEAR(beyond_2, expected_2, 5 * std::sqrt(expected_2));
    EXPECT_NEAR(beyond_4, expected_4, 5 * std::sqrt(expected_4));
}

TEST(FillNormal, IsBoxMullerOfTheWords) {  // against double precision and libm
    const Philox random(5, 6, 7);
    Array<float> values({4096});
    fill_normal(values, random);
    for (Index i = 0; i < 4096; i += 2) {
        const PhiloxBlock block = random.block(static_cast<std::uint64_t>(i / 4));
        const std::size_t word = static_cast<std::size_t>(i % 4);
        const double radius = std::sqrt(-2 * std::log(((block[word] >> 1) + 0.5) * 0x1p-31));
        const double angle = 2 * std::acos(-1.0) * block[word + 1] * 0x1p-32;
        // float: 24 bits of the fraction, of the logarithm and of the product, on values up to 6.7. Near u =
        // 1 the radius is the square root of a difference that has 24 bits in all.
        EXPECT_NEAR(values(i), radius * std::cos(angle), 2e-6 + 1e-7 / radius);
        EXPECT_NEAR(values(i + 1), radius * std::sin(angle), 2e-6 + 1e-7 / radius);
    }
}

TEST(FillNormal,
     GivesTheSameBitsAsDrawingOneByOne) {  // any instruction set against plain code, at every length
    for (Index count : {1, 3, 4, 63, 64, 65, 127, 1000, 4099}) {
        Array<float> values({count});
        fill_normal(values, Philox(1, 2, 3));
        Philox random(1, 2, 3);
        for (Index i = 0; i < count; ++i) ASSERT_EQ(values(i), random.normal()) << i << " of " << count;
    }
}

TEST(FillNormal, GivesTheSameBitsForAnyNumberOfThreads) {
    Array<float> one({3, 211, 307}), two({3, 211, 307});
    Context single(make_serial_runner()), several(make_openmp_runner(2));
    fill_normal(one, Philox(9), single);
    fill_normal(two, Philox(9), several);
    EXPECT_EQ(std::memcmp(one.data(), two.data(), sizeof(float) * static_cast<std::size_t>(one.elements())),
              0);
}

TEST(FillNormal, CountsElementsOfATileRowByRow) {
    Array<float> image({9, 20}), dense({5, 7});
    fill_normal(image.view().block(2, 3, 5, 7), Philox(1));
    fill_normal(dense, Philox(1));
    for (Index i = 0; i < 5; ++i)
        for (Index j = 0; j < 7; ++j) EXPECT_EQ(image(2 + i, 3 + j), dense(i, j));
    for (Index i : {0, 1, 7, 8})
        for (Index j = 0; j < 20; ++j) EXPECT_EQ(image(i, j), 0);
    EXPECT_EQ(image(2, 2), 0);
    EXPECT_EQ(image(2, 10), 0);
}

TEST(FillNormal, LeavesAnEmptyViewAlone) { fill_normal(View<float>(), Philox(1)); }

TEST(FillNormal, BitsNeverChangeBetweenVersions) {  // a recipe's seed must mean the same data for ever
    Array<float> values({1000});
    fill_normal(values, Philox(2024, 1, 42));
    std::uint64_t hash = 14695981039346656037ull;  // FNV-1a
    for (Index i = 0; i < 1000; ++i) {
        std::uint32_t bits;
        std::memcpy(&bits, &values(i), sizeof bits);
        for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (bits >> (8 * byte) & 255u)) * 1099511628211ull;
    }
    EXPECT_EQ(hash, 18120952271762658332ull);
}

}  // namespace
}  // namespace sonolux

// tests/simulation/patches_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include <sonolux/simulation/patches.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Every pixel has a value of its own: 1000 row + column + 1e6 number.
Array<float> numbered(Index rows, Index columns, int number = 0) {
    Array<float> image({rows, columns});
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) image(i, j) = static_cast<float>(1000000 * number + 1000 * i + j);
    return image;
}

bool equal(View<const float> a, View<const float> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

TEST(Symmetry, TurnsAndMirrorsAsWritten) {
    const Array<float> image = numbered(3, 3);  // 0 1 2 / 1000 1001 1002 / 2000 2001 2002
    const float first_rows[8][3] = {{0, 1, 2}, {2, 1002, 2002}, {2002, 2001, 2000}, {2000, 1000, 0},
                                    {2, 1, 0}, {0, 1000, 2000}, {2000, 2001, 2002}, {2002, 1002, 2}};
    for (int symmetry = 0; symmetry < 8; ++symmetry) {
        Array<float> patch({3, 3});
        apply_symmetry(image, symmetry, patch);
        for (Index j = 0; j < 3; ++j) EXPECT_EQ(patch(0, j), first_rows[symmetry][j]) << symmetry;
        EXPECT_EQ(patch(1, 1), 1001) << symmetry;
    }
}

TEST(Symmetry, TurnsARectangleInsideAnImage) {
    const Array<float> image = numbered(10, 10);
    Array<float> patch({2, 4});
    apply_symmetry(image.view().block(3, 5, 4, 2), 1, patch);
    for (Index i = 0; i < 2; ++i)
        for (Index j = 0; j < 4; ++j) EXPECT_EQ(patch(i, j), static_cast<float>(1000 * (3 + j) + 6 - i));
}

TEST(PatchSampler, CutsAndTurnsAllChannelsTogether) {
    // Channel c is the first plus c: wherever a patch comes from and whichever way it lies, so it is there.
    Array<float> image({3, 40, 50});
    const Array<float> first = numbered(40, 50);
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < first.elements(); ++i)
            image.view()[c].data()[i] = first.data()[i] + 0.25f * static_cast<float>(c);
    const PatchSampler colour({{{image}, 1}}, 16, 16, 77), grey({{{first}, 1}}, 16, 16, 77);
    EXPECT_EQ(colour.patch_shape(), (Shape{3, 16, 16}));
    EXPECT_EQ(colour.places(), grey.places());
    Context context;
    Array<float> patches({20, 3, 16, 16}), planes({20, 16, 16});
    colour.fill(5, patches, context);
    grey.fill(5, planes, context);
    for (Index b = 0; b < 20; ++b)
        for (Index c = 0; c < 3; ++c)
            for (Index i = 0; i < 256; ++i)
                ASSERT_EQ(patches.view()[b][c].data()[i],
                          planes.view()[b].data()[i] + 0.25f * static_cast<float>(c));

    EXPECT_THAT(([&] {
                    PatchSampler({{{image}, 1}, {{first}, 1}}, 16, 16, 1);
                }),
                ThrowsMessage<Error>(HasSubstr("image 0 of patch source 1 has 1 channels, the first has 3")));
}

TEST(PatchSampler, DrawsTheSameSamplesWhateverTheBatchAndTheThreads) {
    const Array<float> a = numbered(40, 50), b = numbered(64, 33, 1);
    const PatchSampler sampler({{{a, b}, 0.5}, {{b}, 0.5}}, 16, 16, 77);
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    Array<float> all({60, 16, 16}), again({60, 16, 16}), channels({60, 1, 16, 16}), rest({25, 16, 16});
    sampler.fill(100, all, one);
    sampler.fill(100, again, three);
    sampler.fill(100, channels, three);
    sampler.fill(135, rest, three);
    EXPECT_TRUE(equal(all, again));
    EXPECT_TRUE(std::equal(all.begin(), all.end(), channels.begin()));
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), all.begin() + 35 * 256));
    Array<float> other({60, 16, 16});
    PatchSampler({{{a, b}, 0.5}, {{b}, 0.5}}, 16, 16, 78).fill(100, other, one);
    EXPECT_FALSE(equal(all, other));
}

TEST(PatchSampler, TakesEveryPlaceInEverySymmetryEquallyOften) {
    const Array<float> a = numbered(4, 3),
                       b = numbered(3, 4, 1);  // 2 and 2 places for 3 x 3, 8 symmetries each
    const PatchSampler sampler({{{a, b}, 1}}, 3, 3, 5);
    EXPECT_EQ(sampler.places(), 4u);
    std::map<std::pair<float, float>, int> counts;  // two corners tell place and symmetry
    Array<float> patch({3, 3});
    const int draws = 32000;
    for (std::uint64_t n = 0; n < draws; ++n) {
        sampler.fill_one(n, patch);
        ++counts[{patch(0, 0), patch(0, 1)}];
    }
    EXPECT_EQ(counts.size(), 32u);
    for (const auto& [corner, count] : counts)  // 1000 expected: five standard deviations
        EXPECT_NEAR(count, draws / 32, 5 * std::sqrt(draws / 32.0)) << corner.first << ", " << corner.second;
}

TEST(PatchSampler, MixesSourcesByWeight) {
    const Array<float> small = numbered(8, 8), large = numbered(200, 200, 1), never = numbered(8, 8, 2);
    const PatchSampler sampler({{{small}, 3}, {{large}, 1}, {{never}, 0}}, 8, 8, 1);
    Array<float> patch({8, 8});
    int from_small = 0;
    for (std::uint64_t n = 0; n < 4000; ++n) {
        sampler.fill_one(n, patch);
        ASSERT_LT(patch(0, 0), 2e6f);
        from_small += patch(0, 0) < 1e6f;
    }
    EXPECT_NEAR(from_small, 3000, 5 * std::sqrt(4000 * 0.75 * 0.25));  // five standard deviations
    EXPECT_EQ(sampler.places(), 1u + 193 * 193);
}

TEST(PatchSampler, KeepsTheShapeOfPatchesThatAreNotSquare) {
    const Array<float> image = numbered(5, 9);
    const PatchSampler sampler({{{image}, 1}}, 5, 9, 1);
    std::set<float> corners;
    Array<float> patch({5, 9});
    for (std::uint64_t n = 0; n < 100; ++n) {
        sampler.fill_one(n, patch);
        corners.insert(patch(0, 0));
    }
    EXPECT_EQ(corners, (std::set<float>{0, 8, 4000, 4008}));
}

TEST(PatchSampler, LeavesPatchesUprightIfAsked) {
    const Array<float> image = numbered(20, 20);
    const PatchSampler sampler({{{image}, 1}}, 6, 6, 1, {}, PatchSampler::Symmetries::none);
    Array<float> patch({6, 6});
    for (std::uint64_t n = 0; n < 50; ++n) {
        sampler.fill_one(n, patch);
        EXPECT_EQ(patch(5, 5) - patch(0, 0), 5005);
    }
}

TEST(PatchSampler, PassesOverFlatAndSaturatedPlaces) {
    // Left half constant, right half a checkerboard whose lower part is saturated.
    Array<float> image({64, 128});
    for (Index i = 0; i < 64; ++i)
        for (Index j = 0; j < 128; ++j)
            image(i, j) = j < 64 ? 100.0f : (i + j) % 2 == 0 ? 50.0f : i < 32 ? 150.0f : 255.0f;
    PatchRule rule;
    rule.smallest_gradient = 10;
    rule.saturated_above = 255;
    rule.largest_saturated_fraction = 0.1;
    rule.attempts = 200;  // a quarter of the places are good: 0.75^200 is never
    Array<float> patch({8, 8});
    auto flat_ones = [&] {
        const PatchSampler sampler({{{image}, 1}}, 8, 8, 3, rule);
        int flat = 0;
        for (std::uint64_t n = 0; n < 500; ++n) {
            sampler.fill_one(n, patch);
            double squares = 0;
            int saturated = 0;
            for (Index i = 0; i < 8; ++i)
                for (Index j = 0; j < 8; ++j) {
                    if (j > 0) squares += std::pow(patch(i, j) - patch(i, j - 1), 2);
                    if (i > 0) squares += std::pow(patch(i, j) - patch(i - 1, j), 2);
                    saturated += patch(i, j) >= 255;
                }
            flat += std::sqrt(squares / 112) < 9.99 || saturated > 6;  // 112 pairs of neighbours
        }
        return flat;
    };
    EXPECT_EQ(flat_ones(), 0);
    rule.exempt_fraction = 1;
    EXPECT_GT(flat_ones(), 250);  // three quarters of 500
    rule.exempt_fraction = 0.2;
    EXPECT_NEAR(flat_ones(), 0.2 * 0.75 * 500, 35);  // about five standard deviations
}

TEST(PatchSampler, TakesTheLiveliestPlaceWhereAllAreRefused) {
    Array<float> image({8, 80});
    image(4, 40) = 1;  // flat almost everywhere
    PatchRule rule;
    rule.smallest_gradient = 1000;
    rule.attempts = 300;
    const PatchSampler sampler({{{image}, 1}}, 8, 8, 3, rule);
    Array<float> patch({8, 8});
    for (std::uint64_t n = 0; n < 20; ++n) {
        sampler.fill_one(n, patch);
        EXPECT_EQ(*std::max_element(patch.begin(), patch.end()), 1) << n;
    }
}

TEST(PatchSampler, RefusesBadInputByName) {
    const Array<float> image = numbered(20, 30);
    auto sample = [&](std::vector<PatchSource> sources, Index size, PatchRule rule = {}) {
        return [=] { PatchSampler(sources, size, size, 1, rule); };
    };
    EXPECT_THAT(sample({}, 8), ThrowsMessage<Error>(HasSubstr("at least one source")));
    EXPECT_THAT(sample({{{image}, 1}, {{}, 1}}, 8),
                ThrowsMessage<Error>(HasSubstr("patch source 1 has no images")));
    EXPECT_THAT(sample({{{image}, -1}}, 8),
                ThrowsMessage<Error>(HasSubstr("weight of patch source 0 must be at least 0, got -1")));
    EXPECT_THAT(sample({{{image}, 0}}, 8),
                ThrowsMessage<Error>(HasSubstr("weights of all patch sources are 0")));
    EXPECT_THAT(sample({{{image, image}, 1}}, 21),
                ThrowsMessage<Error>(
                    HasSubstr("image 0 of patch source 0 has 20 x 30 pixels, less than a patch of 21 x 21")));
    PatchRule rule;
    rule.attempts = 0;
    EXPECT_THAT(sample({{{image}, 1}}, 8, rule),
                ThrowsMessage<Error>(HasSubstr("attempts must be at least 1, got 0")));
}

}  // namespace
}  // namespace sonolux

// tests/solvers/tracking/block_matching_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include <sonolux/solvers/tracking/block_matching.hpp>

#include "tests/support/tracking.hpp"

namespace sonolux {
namespace {

using ::testing::HasSubstr;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

bool same_bits(const Array<float>& a, const Array<float>& b) {
    return a.shape() == b.shape() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.elements()) * sizeof(float)) == 0;
}

/// rho(lag) of one block, by its definition: means and sums of two passes.
double correlation_by_definition(View<const float> r, View<const float> m, Index row, Index column,
                                 Index rows, Index columns, Index lag) {
    double mean_r = 0, mean_m = 0, n = static_cast<double>(rows * columns);
    for (Index u = 0; u < rows; ++u)
        for (Index v = 0; v < columns; ++v) {
            mean_r += static_cast<double>(r(row + u, column + v)) / n;
            mean_m += static_cast<double>(m(row + u + lag, column + v)) / n;
        }
    double rr = 0, mm = 0, rm = 0;
    for (Index u = 0; u < rows; ++u)
        for (Index v = 0; v < columns; ++v) {
            const double a = static_cast<double>(r(row + u, column + v)) - mean_r;
            const double b = static_cast<double>(m(row + u + lag, column + v)) - mean_m;
            rr += a * a;
            mm += b * b;
            rm += a * b;
        }
    return rm / std::sqrt(rr * mm);
}

TEST(BlockMatching, FindsWholeSampleShiftsExactly) {
    for (Index shift : {-4, -1, 0, 3, 4}) {
        const ShiftedPair pair = shifted_speckle(90, 14, 0.25, 0.6, static_cast<double>(shift));
        Context context;
        for (PeakInterpolation peak :
             {PeakInterpolation::parabola, PeakInterpolation::cosine, PeakInterpolation::polynomial}) {
            const Tracks tracks =
                match_blocks(pair.reference, pair.moved,
                             {.block_rows = 41, .block_columns = 9, .search = 4, .peak = peak}, context);
            for (Index r = 0; r < tracks.valid.shape()[0]; ++r)
                for (Index c = 0; c < tracks.valid.shape()[1]; ++c) {
                    EXPECT_EQ(tracks.valid(r, c), 1.0f);
                    // The correlation of a finite block is not quite symmetric about its peak.
                    EXPECT_NEAR(tracks.displacement(r, c), shift, 0.05) << to_string(peak);
                    EXPECT_NEAR(tracks.correlation(r, c), 1, 2e-3);
                }
        }
    }
}

TEST(BlockMatching, BiasBetweenSamplesIsThatOfTheTable) {
    // Thousandths of a period in the header are the largest over shifts, for the correlation of an endless
    // block. A block of 161 x 9 samples adds a scatter of its own, which averages out over places.
    struct Case {
        double samples_per_period;
        PeakInterpolation peak;
        double largest;
    };
    for (const Case& c : {Case{4, PeakInterpolation::parabola, 13},
                          {4, PeakInterpolation::cosine, 1.8},
                          {8, PeakInterpolation::parabola, 1.5},
                          {8, PeakInterpolation::cosine, 0.16},
                          {8, PeakInterpolation::polynomial, 0.05}}) {
        for (double shift : {0.2, 0.35, -0.3}) {
            const ShiftedPair pair = shifted_speckle(240, 60, 1 / c.samples_per_period, 0.6, shift);
            Context context;
            const Tracks tracks =
                match_blocks(pair.reference, pair.moved,
                             {.search = 3, .row_step = 8, .column_step = 3, .peak = c.peak}, context);
            double sum = 0;
            for (float d : tracks.displacement) sum += static_cast<double>(d) - shift;
            const double bias = sum / static_cast<double>(tracks.displacement.elements());
            EXPECT_LT(std::abs(bias) / c.samples_per_period * 1e3, 1.1 * c.largest + 0.15)
                << to_string(c.peak) << ", " << c.samples_per_period << " samples a period, shift " << shift;
            if (c.peak == PeakInterpolation::parabola) {  // and the table is no exaggeration
                EXPECT_GT(std::abs(bias) / c.samples_per_period * 1e3, 0.4 * c.largest);
            }
        }
    }
}

TEST(BlockMatching, AgreesWithTheDefinitionOnAwkwardSizes) {
    struct Case {
        Index rows, columns, block_rows, block_columns, search, row_step, column_step;
    };
    // Strips of 64 and more rows, windows of 1 to 9 columns, steps, one result alone.
    for (const Case& c : {Case{170, 13, 7, 5, 3, 1, 1},
                          {40, 9, 11, 9, 2, 3, 1},
                          {31, 6, 8, 3, 1, 2, 2},
                          {90, 5, 70, 1, 4, 1, 3},
                          {13, 4, 9, 4, 1, 1, 1},
                          {60, 17, 2, 6, 5, 5, 4}}) {
        const ShiftedPair pair = shifted_speckle(c.rows, c.columns, 0.2, 0.8, 0.6, 5);
        Context context;
        const BlockMatchingOptions options{.block_rows = c.block_rows,
                                           .block_columns = c.block_columns,
                                           .search = c.search,
                                           .row_step = c.row_step,
                                           .column_step = c.column_step,
                                           .peak = PeakInterpolation::parabola,
                                           .minimum_correlation = 0};
        const Tracks tracks = match_blocks(pair.reference, pair.moved, options, context);
        const Index margin = c.search + 1;
        Index checked = 0;
        for (Index r = 0; r < tracks.valid.shape()[0]; ++r)
            for (Index k = 0; k < tracks.valid.shape()[1]; ++k) {
                const Index row = margin + r * c.row_step, column = k * c.column_step;
                std::vector<double> rho;
                for (Index l = -margin; l <= margin; ++l)
                    rho.push_back(correlation_by_definition(pair.reference, pair.moved, row, column,
                                                            c.block_rows, c.block_columns, l));
                const auto first = rho.begin() + 1, last = rho.end() - 1;
                const Index best = std::max_element(first, last) - rho.begin();
                const auto at = [&](Index n) { return rho[static_cast<std::size_t>(n)]; };
                const bool peaks = at(best) >= at(best - 1) && at(best) >= at(best + 1);
                EXPECT_EQ(tracks.valid(r, k), peaks ? 1.0f : 0.0f);
                if (!peaks) continue;
                const double bend = at(best - 1) - 2 * at(best) + at(best + 1);
                const double lag = 0.5 * (at(best - 1) - at(best + 1)) / bend;
                // rho is kept in float: 6e-8, divided by the bend of the peak
                EXPECT_NEAR(tracks.displacement(r, k), static_cast<double>(best - margin) + lag,
                            1e-6 / std::abs(bend) + 1e-6);
                ++checked;
            }
        EXPECT_GT(checked, 0);
    }
}

TEST(BlockMatching, HasTheSameBitsForAnyThreadsAndInstructionSet) {
    ShiftedPair pair = shifted_speckle(260, 37, 0.22, 0.7, 0.4);
    pair.moved(100, 20) = nan;
    const BlockMatchingOptions options{.block_rows = 33, .block_columns = 7, .search = 3};
    Context serial(make_serial_runner());
    serial.set_isa(Isa::baseline);
    const Tracks expected = match_blocks(pair.reference, pair.moved, options, serial);
    for (Isa isa : available_isas())
        for (int threads : {1, 2, 5}) {
            Context context(make_openmp_runner(threads));
            context.set_isa(isa);
            const Tracks tracks = match_blocks(pair.reference, pair.moved, options, context);
            EXPECT_TRUE(same_bits(tracks.displacement, expected.displacement)) << to_string(isa) << threads;
            EXPECT_TRUE(same_bits(tracks.correlation, expected.correlation)) << to_string(isa) << threads;
            EXPECT_TRUE(same_bits(tracks.valid, expected.valid)) << to_string(isa) << threads;
        }
}

TEST(BlockMatching, IgnoresOffsetAndGain) {  // means are taken out, and norms divided by
    ShiftedPair pair = shifted_speckle(80, 12, 0.25, 0.6, 0.3);
    const BlockMatchingOptions options{.block_rows = 31, .block_columns = 5, .search = 2};
    Context context;
    const Tracks before = match_blocks(pair.reference, pair.moved, options, context);
    for (float& v : pair.moved) v = 3 * v + 40;
    const Tracks after = match_blocks(pair.reference, pair.moved, options, context);
    for (Index k = 0; k < before.valid.elements(); ++k) {
        // 40 / 3 of offset costs that many units of rounding more in float samples
        EXPECT_NEAR(after.displacement.data()[k], before.displacement.data()[k], 2e-5);
        EXPECT_NEAR(after.correlation.data()[k], before.correlation.data()[k], 1e-5);
    }
}

TEST(BlockMatching, InvalidatesExactlyTheBlocksThatSeeASampleThatIsNotFinite) {
    for (float bad : {nan, infinity, -infinity}) {
        ShiftedPair pair = shifted_speckle(80, 15, 0.25, 0.6, 0.3);
        const BlockMatchingOptions options{.block_rows = 21, .block_columns = 5, .search = 2};
        pair.reference(30, 3) = bad;
        pair.moved(50, 11) = bad;
        Context context;
        const Tracks tracks = match_blocks(pair.reference, pair.moved, options, context);
        const Index margin = 3;
        for (Index r = 0; r < tracks.valid.shape()[0]; ++r)
            for (Index c = 0; c < tracks.valid.shape()[1]; ++c) {
                const Index row = r + margin;
                const bool in_reference = 30 >= row && 30 < row + 21 && 3 >= c && 3 < c + 5;
                const bool in_moved = 50 >= row - margin && 50 < row + margin + 21 && 11 >= c && 11 < c + 5;
                EXPECT_EQ(tracks.valid(r, c), in_reference || in_moved ? 0.0f : 1.0f) << r << ", " << c;
                EXPECT_EQ(std::isnan(tracks.displacement(r, c)), in_reference || in_moved);
            }
    }
}

TEST(BlockMatching, SaysThatImagesWithoutTextureCannotBeTracked) {
    Context context;
    const BlockMatchingOptions options{.block_rows = 21, .block_columns = 5, .search = 2};
    ShiftedPair pair = shifted_speckle(60, 9, 0.25, 0.6, 0.3);
    for (float level : {0.0f, 1.0f, 1e20f, -0.1f}) {
        Array<float> flat(pair.reference.shape());
        std::fill(flat.begin(), flat.end(), level);
        for (auto [a, b] : {std::pair(flat.view(), flat.view()),
                            {pair.reference.view(), flat.view()},
                            {flat.view(), pair.moved.view()}}) {
            const Tracks tracks = match_blocks(a, b, options, context);
            for (Index k = 0; k < tracks.valid.elements(); ++k) {
                EXPECT_EQ(tracks.valid.data()[k], 0.0f);
                EXPECT_TRUE(std::isnan(tracks.displacement.data()[k]));
                EXPECT_TRUE(std::isnan(tracks.correlation.data()[k]));
            }
        }
    }
}

TEST(BlockMatching,
     TakesASilentPartOfAnImageForNoTexture) {  // sums that ran through echoes before leave none
    ShiftedPair pair = shifted_speckle(200, 9, 0.25, 0.6, 0.0);
    for (Array<float>* image : {&pair.reference, &pair.moved})
        for (Index i = 70; i < 130; ++i) std::fill_n(image->view().row(i), 9, 0.0f);
    Context context;
    const Tracks tracks = match_blocks(pair.reference, pair.moved,
                                       {.block_rows = 21, .block_columns = 5, .search = 2}, context);
    for (Index r = 0; r < tracks.valid.shape()[0]; ++r) {
        const Index row = r + 3;
        if (row - 3 >= 70 && row + 3 + 21 <= 130) {
            EXPECT_EQ(tracks.valid(r, 2), 0.0f) << r;
        }
        if (row + 3 + 21 <= 70 || row - 3 >= 130) {
            EXPECT_EQ(tracks.valid(r, 2), 1.0f) << r;
        }
    }
}

TEST(BlockMatching, GivesNoDisplacementWhereThePeakLiesBeyondTheSearch) {
    Context context;
    const ShiftedPair pair = shifted_speckle(120, 9, 0.05, 0.6, 4.0);  // 20 rows a period: no other peak near
    const Tracks tracks = match_blocks(pair.reference, pair.moved,
                                       {.block_rows = 61, .block_columns = 5, .search = 2}, context);
    for (float v : tracks.valid) EXPECT_EQ(v, 0.0f);
}

TEST(BlockMatching, DropsPoorCorrelations) {
    const ShiftedPair one = shifted_speckle(120, 9, 0.25, 0.6, 0, 1),
                      other = shifted_speckle(120, 9, 0.25, 0.6, 0, 2);
    Context context;
    const Tracks tracks =
        match_blocks(one.reference, other.moved,
                     {.block_rows = 81, .block_columns = 9, .minimum_correlation = 0.5}, context);
    for (Index k = 0; k < tracks.valid.elements(); ++k) {
        EXPECT_EQ(tracks.valid.data()[k], 0.0f);
        EXPECT_LT(tracks.correlation.data()[k], 0.5f);  // told nevertheless
    }
}

TEST(BlockMatching, PlacesItsResultsInTheMiddleOfTheirBlocks) {
    const ImageGrid image{200, 40, 37.5e-6, 150e-6, 2e-3, -3e-3};
    const BlockMatcher matcher(200, 40, {.block_rows = 161, .block_columns = 9, .search = 5, .row_step = 4});
    const ImageGrid grid = matcher.layout().grid(image);
    EXPECT_EQ(grid.shape(), matcher.shape());
    EXPECT_EQ(grid.shape(), (Shape{(200 - 161 - 12) / 4 + 1, 32}));
    EXPECT_DOUBLE_EQ(grid.first_z, image.z(6 + 80));
    EXPECT_DOUBLE_EQ(grid.first_x, image.x(4));
    EXPECT_DOUBLE_EQ(grid.row_spacing, 4 * 37.5e-6);
}

TEST(BlockMatching, RefusesWhatCannotBeTrackedByName) {
    const auto message = [](Index rows, Index columns, const BlockMatchingOptions& options) {
        try {
            const BlockMatcher matcher(rows, columns, options);
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), Status::invalid_argument);
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(message(100, 20, {.search = 0}),
                HasSubstr("search must be between 1 and 4096 samples, got 0"));
    EXPECT_THAT(message(100, 20, {.search = -3}),
                HasSubstr("search must be between 1 and 4096 samples, got -3"));
    EXPECT_THAT(
        message(100, 20, {}),
        HasSubstr("blocks of 161 rows and 6 more above and below need images of at least 173 rows, got 100"));
    EXPECT_THAT(message(300, 5, {}), HasSubstr("blocks of 9 columns need images of at least as many, got 5"));
    EXPECT_THAT(message(300, 20, {.block_rows = 0}), HasSubstr("block_rows must be at least 1, got 0"));
    EXPECT_THAT(message(300, 20, {.row_step = 0}), HasSubstr("row_step must be at least 1, got 0"));
    EXPECT_THAT(message(300, 20, {.block_rows = 1, .block_columns = 1}), HasSubstr("at least two samples"));
    EXPECT_THAT(message(300, 20, {.block_rows = Index{1} << 62}), HasSubstr("beyond every image"));
    EXPECT_THAT(message(300, 20, {.minimum_correlation = std::numeric_limits<double>::quiet_NaN()}),
                HasSubstr("minimum_correlation must be between 0 and 1, got nan"));
}

TEST(BlockMatching, RefusesImagesOfDifferentSizes) {
    const Array<float> a({200, 20}), b({200, 21});
    Context context;
    try {
        const Tracks tracks = match_blocks(a, b, {}, context);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::size_mismatch);
        EXPECT_THAT(error.what(), HasSubstr("the reference is 200 x 20, the moved image 200 x 21"));
    }
    const BlockMatcher matcher(200, 20);
    Tracks tracks(matcher.shape());
    context.workspace().reserve(matcher.workspace_bytes(context));
    EXPECT_EQ(matcher.run(a, b, tracks, context), Status::size_mismatch);
    Tracks small({1, 1});
    EXPECT_EQ(matcher.run(a, a, small, context), Status::size_mismatch);
}

TEST(BlockMatching, ReadsImagesWhoseRowsAreFurtherApart) {
    const ShiftedPair pair = shifted_speckle(70, 20, 0.25, 0.6, 0.3);
    const BlockMatchingOptions options{.block_rows = 21, .block_columns = 5, .search = 2};
    Array<float> reference({70, 11}), moved({70, 11});
    for (Index i = 0; i < 70; ++i)
        for (Index j = 0; j < 11; ++j) {
            reference(i, j) = pair.reference(i, j + 4);
            moved(i, j) = pair.moved(i, j + 4);
        }
    Context context;
    const Tracks expected = match_blocks(reference, moved, options, context);
    const Tracks tracks =
        match_blocks(std::as_const(pair.reference).view().block(0, 4, 70, 11),
                     std::as_const(pair.moved).view().block(0, 4, 70, 11), options, context);
    EXPECT_TRUE(same_bits(tracks.displacement, expected.displacement));
}

}  // namespace
}  // namespace sonolux

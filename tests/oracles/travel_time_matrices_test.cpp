// tests/oracles/travel_time_matrices_test.cpp
//
// The travel-time matrices that C. Chen and A. Han published with their network: common mid-angles 0 and
// +-7.5 degrees, 73 x 89 pixels of 0.506 mm, delays from 1 / c - 1 / 1540.
#include <gtest/gtest.h>
#include <matio.h>

#include <numbers>

#include <sonolux/core/operators/path_integral.hpp>

#include "tests/support/data.hpp"

namespace sonolux {
namespace {

constexpr Index rows = 73, columns = 89;
constexpr double spacing = 0.506e-3, degree = std::numbers::pi / 180;

/// Element (r, c) is at r + c * pixels; pixel (row i, column j) has number i + j * rows.
struct Published {
    std::vector<double> values;
    [[nodiscard]] double operator()(Index i, Index j, Index row, Index column) const {
        return values[static_cast<std::size_t>(i + j * rows + (row + column * rows) * rows * columns)];
    }
};

Published read(const std::string& name) {
    mat_t* file = Mat_Open((data_folder() / "ultrasound/forward_matrices" / name).c_str(), MAT_ACC_RDONLY);
    EXPECT_NE(file, nullptr);
    matvar_t* variable = Mat_VarRead(file, "L");
    EXPECT_NE(variable, nullptr);
    const auto* data = static_cast<const double*>(variable->data);
    Published matrix{std::vector<double>(data, data + variable->nbytes / sizeof(double))};
    Mat_VarFree(variable);
    Mat_Close(file);
    EXPECT_EQ(matrix.values.size(), static_cast<std::size_t>(rows * columns * rows * columns));
    return matrix;
}

struct Case {
    const char* file;
    PathSum paths;
};
std::vector<Case> cases() {
    const auto pair = [](double transmit, double receive) {
        return SteeredPair{transmit * degree, receive * degree};
    };
    return {
        {"d11_11_psf0_forward_modelmatrix.mat", mid_angle_difference(pair(15, -15), pair(0, 0))},
        {"d11_11_7p5_forward_modelmatrix.mat", mid_angle_difference(pair(0, 15), pair(7.5, 7.5))},
        {"d11_11_minus7p5_forward_modelmatrix.mat", mid_angle_difference(pair(0, -15), pair(-7.5, -7.5))}};
}

// The published rows sample each row of pixels once per ray, at a whole column: the one to the left on the
// transmit side, to the right on the receive side, a pixel's upper edge being its place. With the directions
// and weights of mid_angle_difference that rule gives the published numbers to rounding; chords differ from
// it by up to a pixel sideways, which is what is left between them.
std::vector<double> by_their_rule(const PathSum& paths, Index i, Index j) {
    std::vector<double> row(static_cast<std::size_t>(rows * columns));
    for (std::size_t n = 0; n < paths.size(); ++n) {
        const double angle = paths[n].source.angle;
        for (Index above = 0; above < i; ++above) {
            const double place = static_cast<double>(j) - static_cast<double>(i - above) * std::tan(angle);
            const double column = n % 2 == 0 ? std::floor(place + 1e-9) : std::ceil(place - 1e-9);
            if (column < 0 || column > columns - 1) return {};
            row[static_cast<std::size_t>(above * columns) + static_cast<std::size_t>(column)] +=
                paths[n].weight * spacing / std::cos(angle);
        }
    }
    return row;
}

/// A map whose rows begin at z = 0, and points at the upper edges of its pixels.
PathGeometry geometry(const PathSum& paths) {
    const double first_x = -0.5 * (columns - 1) * spacing;
    return {{rows, columns, spacing, spacing, 0.5 * spacing, first_x},
            {rows, columns, spacing, spacing, 0, first_x},
            {paths}};
}

double smooth(Index row, Index column) {
    const double x = static_cast<double>(column) * spacing, z = static_cast<double>(row) * spacing;
    return std::sin(150 * x + 1) * std::cos(125 * z) + std::cos(230 * x - 100 * z);
}

TEST(TravelTimeMatricesOracle, DirectionsWeightsAndRowSumsAreThePublishedOnes) {
    SLX_NEEDS(data_folder() / "ultrasound/forward_matrices");
    for (const Case& c : cases()) {
        const Published published = read(c.file);
        const PathIntegralRows op(geometry(c.paths));
        double by_rule = 0, by_sum = 0, smooth_apart = 0, smooth_size = 0;
        int compared = 0;
        for (Index i = 4; i < rows; i += 5)
            for (Index j = 0; j < columns; j += 4) {
                const std::vector<double> row = by_their_rule(c.paths, i, j);
                if (row.empty() || op.coverage()(0, i, j) == 0) continue;
                double apart = 0, size = 0, sum = 0, on_smooth = 0;
                for (Index column = 0; column < columns; ++column)
                    for (Index above = 0; above < rows; ++above) {
                        const double value = published(i, j, above, column);
                        apart += std::pow(row[static_cast<std::size_t>(above * columns + column)] - value, 2);
                        size += value * value;
                        sum += value;
                        on_smooth += value * smooth(above, column);
                    }
                double chords = 0, our_smooth = 0;
                for (const PixelChord& chord : op.row(0, i, j)) {
                    chords += chord.length;
                    our_smooth += chord.length * smooth(chord.pixel / columns, chord.pixel % columns);
                }
                by_rule = std::max(by_rule, std::sqrt(apart / size));
                by_sum = std::max(by_sum, std::abs(chords / sum - 1));
                smooth_apart += std::pow(our_smooth - on_smooth, 2);
                smooth_size += on_smooth * on_smooth;
                ++compared;
            }
        std::cout << "  " << c.file << ": rows by their rule within " << by_rule << ", sums of chords within "
                  << by_sum << ", on a smooth map " << std::sqrt(smooth_apart / smooth_size) << '\n';
        EXPECT_GT(compared, 200);
        EXPECT_LT(by_rule, 1e-12) << c.file;
        EXPECT_LT(by_sum, 1e-4) << c.file;  // float lengths, cancelling to 4 % of their sum
    }
}

// 1480 against 1540 m/s in the central column, at rows 10, 36 and 72 of the published grid.
TEST(TravelTimeMatricesOracle, UniformMediaHaveThePublishedDelays) {
    const double slower = 1 / 1480.0 - 1 / 1540.0;
    const std::vector<std::vector<double>> expected = {
        {19.1e-9, 68.9e-9, 137.7e-9}, {4.74e-9, 17.1e-9, 34.1e-9}, {4.74e-9, 17.1e-9, 34.1e-9}};
    for (std::size_t n = 0; n < expected.size(); ++n) {
        const PathIntegralRows op(geometry(cases()[n].paths));
        for (std::size_t d = 0; d < 3; ++d) {
            const Index depth = std::array<Index, 3>{10, 36, 72}[d];
            double length = 0;
            for (const PixelChord& chord : op.row(0, depth, 44)) length += chord.length;
            EXPECT_NEAR(length * slower / expected[n][d], 1, 0.01);
        }
    }
}

}  // namespace
}  // namespace sonolux

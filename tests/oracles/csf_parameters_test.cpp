// The published shrinkage fields are read whole: counts and sizes as the paper has them.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/csf_parameters.hpp"
#include "tests/support/data.hpp"

namespace sonolux {
namespace {

// What holds of all of them: 53 Gaussians of precision 0.01 at -260, -250, ..., 260.
void expect_published_shrinkages(const CsfParameters& parameters) {
    for (const CsfStage& stage : parameters.stages) {
        EXPECT_GT(stage.lambda, 0);
        ASSERT_EQ(stage.shrinkages.size(), stage.filters.size());
        for (const CsfShrinkage& shrinkage : stage.shrinkages) {
            EXPECT_EQ(shrinkage.precision, 0.01);
            ASSERT_EQ(shrinkage.means.size(), 53U);
            for (std::size_t j = 0; j < 53; ++j)
                EXPECT_EQ(shrinkage.means[j], -260 + 10 * static_cast<double>(j));
            EXPECT_EQ(shrinkage.weights.size(), 53U);
        }
    }
}

TEST(CsfParametersOracle, DenoisersHaveUnitFiltersOfTheirSize) {
    for (const auto& [size, count] : {std::pair{3, 8}, {5, 24}}) {
        const std::string side = std::to_string(size);
        const auto file = oracle_folder() / ("csf/sigma25_csf_" + side + "x" + side + ".mat");
        SLX_NEEDS(file);
        const CsfParameters parameters = read_csf_parameters(file);
        EXPECT_EQ(parameters.sigma, 25);
        EXPECT_FALSE(parameters.is_deblurring);
        ASSERT_EQ(parameters.stages.size(), 5U);
        expect_published_shrinkages(parameters);
        for (const CsfStage& stage : parameters.stages) {
            ASSERT_EQ(stage.filters.size(), static_cast<std::size_t>(count));
            for (const CsfFilter& filter : stage.filters) {
                EXPECT_EQ(filter.rows, size);
                EXPECT_EQ(filter.columns, size);
                double norm = 0, sum = 0;
                for (const double tap : filter.taps) norm += tap * tap, sum += tap;
                EXPECT_NEAR(norm, 1, 1e-12);
                EXPECT_NEAR(sum, 0, 1e-12);
            }
        }
        std::printf("CSF %sx%s: %zu stages of %d filters, %zu Gaussians\n", side.c_str(), side.c_str(),
                    parameters.stages.size(), count, parameters.stages[0].shrinkages[0].weights.size());
    }
}

TEST(CsfParametersOracle, DeblurringTakesDifferencesAlongRowsAndColumns) {
    const auto file = oracle_folder() / "csf/deblur_csf_pw.mat";
    SLX_NEEDS(file);
    const CsfParameters parameters = read_csf_parameters(file);
    EXPECT_TRUE(parameters.is_deblurring);
    ASSERT_EQ(parameters.stages.size(), 3U);
    expect_published_shrinkages(parameters);
    for (const CsfStage& stage : parameters.stages) {
        ASSERT_EQ(stage.filters.size(), 2U);
        EXPECT_EQ(stage.filters[0].rows, 1);
        EXPECT_EQ(stage.filters[0].taps, (std::vector<double>{1, -1, 0}));
        EXPECT_EQ(stage.filters[1].columns, 1);
        EXPECT_EQ(stage.filters[1].taps, (std::vector<double>{1, -1, 0}));
    }
    std::printf("CSF pairwise: %zu stages of 2 filters, sigma %g\n", parameters.stages.size(),
                parameters.sigma);
}

}  // namespace
}  // namespace sonolux

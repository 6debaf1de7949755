#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/sdk/pipelines/simulation_recipe.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Tissue of 1500 m/s everywhere.
constexpr const char* uniform = R"(
name = "uniform"
set.samples = 2
grid.rows = 42
grid.columns = 32
grid.spacing = 1.2e-3
phantom.families = ["ellipses"]
phantom.ellipses.count = 0
phantom.background.sound_speed = 1500
phantom.background.attenuation = 0
)";

std::vector<float> sample_of(const SimulationRecipe& recipe, std::uint64_t index) {
    Context context(make_serial_runner());
    std::vector<float> sample(static_cast<std::size_t>(manifest_of(recipe).sample_elements()));
    recipe.simulator->simulate(index, sample, context);
    return sample;
}

TEST(RayDomain, HasTheDelaysOfPathLengthsInUniformTissue) {
    const SimulationRecipe recipe =
        parse_simulation_recipe(std::string(uniform) + "domain = \"ray\"\nray.near = 10e-3\n", "r.toml");
    const std::vector<float> sample = sample_of(recipe, 0);
    const ImageGrid& grid = recipe.setup.grid;
    const Index pixels = grid.rows * grid.columns;
    Index seen = 0, hidden = 0;
    for (Index pair = 0; pair < 6; ++pair)
        for (Index n = 0; n < pixels; ++n) {
            const float delay = sample[static_cast<std::size_t>((pair + 1) * pixels + n)];
            const Point p =
                grid.point(static_cast<double>(n / grid.columns), static_cast<double>(n % grid.columns));
            const double first[] = {15, 35, 55, 75, 95, 105}, second[] = {25, 45, 65, 85, 105, 115};
            const double a = (first[pair] - 64.5) * 0.3e-3, b = (second[pair] - 64.5) * 0.3e-3;
            // A pixel counts where it is under f-number 0.5, 45 degrees, of both.
            const bool visible = std::abs(p.x - a) <= p.z && std::abs(p.x - b) <= p.z && p.z >= 10e-3 &&
                                 p.z <= grid.z(41) - 2e-3 && std::abs(p.x) <= grid.x(31) - 4e-3;
            ASSERT_EQ(visible, !std::isnan(delay)) << p.x << ", " << p.z;
            (visible ? seen : hidden) += 1;
            if (!visible) continue;
            const double exact = (std::hypot(p.x - a, p.z) - std::hypot(p.x - b, p.z)) / 1500;
            // Delays of 1e-6 s in float, from a map of float slowness: far below 1 ns, which trackers
            // reach.
            EXPECT_NEAR(delay, exact, 1e-11) << p.x << ", " << p.z;
        }
    EXPECT_GT(seen, 2000);
    EXPECT_GT(hidden, 1000);
}

TEST(RayDomain, RefusesBadPairsByName) {
    const auto with = [](const std::string& more) {
        return [more] {
            (void)parse_simulation_recipe(std::string(uniform) + "domain = \"ray\"\n" + more, "r.toml");
        };
    };
    EXPECT_THAT(
        with("ray.first = [0, 1]\nray.second = [5, 6]"),
        ThrowsMessage<Error>(HasSubstr("r.toml:12: ray.first must be elements from 1 to 128, got 0")));
    EXPECT_THAT(with("ray.first = [1, 2, 3]\nray.second = [5, 6]"),
                ThrowsMessage<Error>(HasSubstr("ray.second has 2 elements, ray.first has 3")));
    EXPECT_THAT(with("ray.spacing = 1e-5\narray.elements = 4096"),
                ThrowsMessage<Error>(HasSubstr("ray.spacing: pixels of 1e-05 m make a grid of")));
}

}  // namespace
}  // namespace sonolux

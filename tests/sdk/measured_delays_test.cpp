// Training sets of delays that went through beamforming and tracking, against those of the ray domain: the
// same phantoms, for a phantom is a function of seed and index alone. And recordings of tissue that moves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <sonolux/sdk/pipelines/measured_delays.hpp>
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>

namespace sonolux {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

constexpr const char* common = R"(
name = "small"
seed = 5
set.samples = 2
grid.rows = 50
grid.columns = 32
grid.spacing = 0.6e-3
phantom.families = ["inclusions"]
phantom.width = 19e-3
phantom.depth = 30e-3
phantom.background.sound_speed = [1500, 1540]
phantom.inclusions.contrast = [-20, 20]
array.elements = 64
)";
constexpr const char* echoes = R"(
domain = "echo"
pulse.half_cycles = 2
transmit.kind = "elements"
transmit.elements = [12, 22, 42, 52]
recording.keep = "delays"
recording.sound_speed = 1500
delays.first = [1, 3]
delays.second = [2, 4]
)";
constexpr const char* rays = R"(
domain = "ray"
ray.first = [12, 42]
ray.second = [22, 52]
)";

/// Fields of one sample, one after the other.
std::vector<float> sample_of(const std::string& recipe_text, std::uint64_t index, int threads) {
    const SimulationRecipe recipe = parse_simulation_recipe(recipe_text, "test.toml");
    Index size = 0;
    for (const SampleField& field : recipe.simulator->fields()) size += field.elements();
    std::vector<float> sample(static_cast<std::size_t>(size));
    Context context(make_openmp_runner(threads));
    recipe.simulator->simulate(index, sample, context);
    return sample;
}

TEST(MeasuredDelays, AreMeasuredWhereTheSpeedThatIsFoundWidensTheSearch) {
    // At 2.5 MHz half a period is 3.9 rows at 1500 m/s, where the search begins, and 4.1 at 1580.
    std::string slow = common;
    const std::string speed = "sound_speed = [1500, 1540]";
    slow.replace(slow.find(speed), speed.size(), "sound_speed = [1580, 1580]");
    const std::vector<float> sample = sample_of(slow + echoes + "pulse.centre_frequency = 2.5e6\n", 0, 2);
    const auto measured = std::count_if(sample.begin() + 50 * 32, sample.end(),
                                        [](float delay) { return std::isfinite(delay); });
    EXPECT_GT(measured, 1000);
}

TEST(MeasuredDelays, AreThoseOfRaysUpToSpeckle) {
    const std::string c = common;
    const std::vector<float> measured = sample_of(c + echoes, 0, 2), ideal = sample_of(c + rays, 0, 1);
    ASSERT_EQ(measured.size(), ideal.size());
    const std::size_t pixels = 50 * 32;
    EXPECT_EQ(std::memcmp(measured.data(), ideal.data(), pixels * sizeof(float)), 0) << "the maps";
    double squares = 0;
    int both = 0, lost = 0;
    for (std::size_t n = pixels; n < ideal.size(); ++n) {
        if (std::isfinite(ideal[n]) && !std::isfinite(measured[n])) ++lost;
        if (!std::isfinite(ideal[n]) || !std::isfinite(measured[n])) continue;
        squares += std::pow(double{measured[n]} - double{ideal[n]}, 2);
        ++both;
    }
    // Delays are up to 1500 ns, a period of the pulse is 200 ns; what inclusions and speckle leave is below
    // 10 ns.
    EXPECT_GT(both, 1000);
    EXPECT_LT(lost, both / 20);
    EXPECT_LT(std::sqrt(squares / both), 10e-9);
}

TEST(MeasuredDelays, AreFromImagesOfASpeedThatIsWrongByAsMuchAsARecipeAsksFor) {
    // Uniform tissue has the same delays whatever speed its images are formed with, up to what speckle says
    // of other images; and it says the same of images whose speed was given.
    std::string tissue = common;
    const std::string speed = "sound_speed = [1500, 1540]", contrast = "contrast = [-20, 20]";
    tissue.replace(tissue.find(speed), speed.size(), "sound_speed = 1530");
    tissue.replace(tissue.find(contrast), contrast.size(), "contrast = 0");
    tissue += std::string(echoes) + "delays.sound_speed = 1529\n";  // near where the search ends
    const std::vector<float> right = sample_of(tissue, 0, 2);
    const std::vector<float> wrong = sample_of(tissue + "delays.speed_error = 25\n", 0, 2);
    tissue.replace(tissue.find("1529"), 4, "1555");
    const std::vector<float> given = sample_of(tissue + "delays.find_speed = false\n", 0, 2);
    double moved = 0, other = 0, both = 0;
    for (std::size_t n = 50 * 32; n < right.size(); ++n) {
        if (!std::isfinite(right[n]) || !std::isfinite(wrong[n]) || !std::isfinite(given[n])) continue;
        moved += std::pow(double{wrong[n]} - double{right[n]}, 2);
        other += std::pow(double{wrong[n]} - double{given[n]}, 2);
        ++both;
    }
    ASSERT_GT(both, 1000);
    EXPECT_GT(std::sqrt(moved / both), 0.2e-9);
    EXPECT_LT(std::sqrt(moved / both), 10e-9);
    EXPECT_LT(other, moved);  // the search ends within 2 m/s of 1530
}

TEST(MeasuredDelays, HaveTheSameBitsOnAnyNumberOfThreads) {
    const std::string c = common;
    const std::vector<float> one = sample_of(c + echoes, 1, 1), two = sample_of(c + echoes, 1, 2);
    EXPECT_EQ(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)), 0);
}

TEST(MeasuredDelays, RefuseRecipesThatCannotWork) {
    const std::string c = common;
    const auto expect_refused = [&](const std::string& more, const char* message) {
        EXPECT_THAT([&] { (void)parse_simulation_recipe(c + more, "test.toml"); },
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    const std::string e = echoes;
    expect_refused(e.substr(0, e.find("delays.first")), "delays.first");
    expect_refused(e.substr(0, e.find("delays.second")) + "delays.second = [2]", "delays.first has 2");
    expect_refused(e.substr(0, e.find("delays.second")) + "delays.second = [2, 5]", "delays.second");
    expect_refused(e.substr(0, e.find("delays.second")) + "delays.second = [2, 3]",
                   "pair 2 is of transmission 3 with itself");
}

TEST(EchoDomain, HearsTissueThatMovesDownLaterWithEachTransmissionByTheWayThereAndBack) {
    // One element sends three times. What it hears itself from below comes later by 2 u / c: of the echoes of
    // a window, the lag at which both correlate most.
    std::string tissue = common;
    tissue.replace(tissue.find("array.elements = 64"), 19, "array.elements = 1");
    tissue.replace(tissue.find("[1500, 1540]"), 12, "1500");
    tissue.replace(tissue.find("[-20, 20]"), 9, "0");
    tissue += "domain = \"echo\"\npulse.centre_frequency = 2e6\ntransmit.elements = [1, 1, 1]\n";
    const double u = 75e-6;
    const std::vector<float> a = sample_of(tissue, 0, 1),
                             b = sample_of(tissue + "echo.motion = 75e-6\n", 0, 1);
    constexpr std::size_t map = 50 * 32;
    const std::size_t times = (a.size() - map) / 3;
    EXPECT_TRUE(std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(map + times), b.begin()));
    for (const std::size_t k : {1, 2}) {
        const double wanted = 2 * static_cast<double>(k) * u / 1500 * 16e6;  // 1.6 and 3.2 samples
        std::vector<double> match(8);
        for (std::size_t lag = 0; lag < match.size(); ++lag)
            for (std::size_t n = 300; n < 600; ++n)  // 14 to 28 mm: nearly all echoes from below
                match[lag] += double{a[map + k * times + n]} * double{b[map + k * times + n + lag]};
        const auto best = static_cast<std::size_t>(std::ranges::max_element(match) - match.begin());
        ASSERT_GT(best, 0u);
        const double left = match[best - 1], middle = match[best], right = match[best + 1];
        const double found = static_cast<double>(best) + (left - right) / (2 * (left - 2 * middle + right));
        EXPECT_NEAR(found, wanted, 0.2) << k;  // some echoes come from aside, and move less
    }
}

TEST(DefaultPairs, AreAboutTenElementsOrFiveDegreesApart) {
    const TransducerArray array = make_linear_array(64, 0.3e-3, 0.27e-3);
    Acquisition a{.array = array, .transmissions = {}};
    for (const Index e : {40, 10, 20, 30}) a.transmissions.push_back(single_element(array, e));
    EXPECT_THAT(default_pairs(a), ElementsAre(Pair(1, 2), Pair(2, 3), Pair(3, 0)));
    a.transmissions = {single_element(array, 3), single_element(array, 4)};
    EXPECT_THAT([&] { (void)default_pairs(a); },
                ThrowsMessage<Error>(HasSubstr("none of the 2 transmissions")));
    a.transmissions = {plane_wave(array, 0, 1500), plane_wave(array, 0.1, 1500)};
    EXPECT_THAT(default_pairs(a), ElementsAre(Pair(0, 1)));
    a.transmissions.push_back(single_element(array, 3));
    EXPECT_THAT([&] { (void)default_pairs(a); },
                ThrowsMessage<Error>(HasSubstr("transmission 3 is element")));
}

}  // namespace
}  // namespace sonolux

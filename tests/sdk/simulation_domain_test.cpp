#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <filesystem>
#include <numbers>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/sdk/pipelines/sample_pictures.hpp>
#include <sonolux/sdk/pipelines/simulate.hpp>
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

namespace sonolux {
namespace {

namespace fs = std::filesystem;
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

constexpr const char* small_echo = R"(
domain = "echo"
array.elements = 16
array.pitch = 0.6e-3
pulse.centre_frequency = 2e6
transmit.elements = [1, 8, 16]
scatterers.per_cell = 0.2
echo.spacing = 1e-3
)";

std::vector<float> sample_of(const SimulationRecipe& recipe, std::uint64_t index) {
    Context context(make_serial_runner());
    std::vector<float> sample(static_cast<std::size_t>(manifest_of(recipe).sample_elements()));
    recipe.simulator->simulate(index, sample, context);
    return sample;
}

TEST(RayDomain, HasTheDelaysOfPathLengthsInUniformTissueWithBothSolvers) {
    for (const char* solver : {"straight", "eikonal"}) {
        const SimulationRecipe recipe = parse_simulation_recipe(
            std::string(uniform) + "domain = \"ray\"\nray.near = 10e-3\nray.solver = \"" + solver + "\"\n",
            "r.toml");
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
                ASSERT_EQ(visible, !std::isnan(delay)) << solver << " at " << p.x << ", " << p.z;
                (visible ? seen : hidden) += 1;
                if (!visible) continue;
                const double exact = (std::hypot(p.x - a, p.z) - std::hypot(p.x - b, p.z)) / 1500;
                // Delays of 1e-6 s in float, from a map of float slowness: far below 1 ns, which trackers
                // reach.
                EXPECT_NEAR(delay, exact, 1e-11) << solver << " at " << p.x << ", " << p.z;
            }
        EXPECT_GT(seen, 2000);
        EXPECT_GT(hidden, 1000);
    }
}

TEST(RayDomain, HasTheDelaysOfPlaneWavesAndVirtualSourcesInUniformTissue) {
    const auto delays_of = [](const std::string& ray, const auto& exact) {
        const SimulationRecipe recipe =
            parse_simulation_recipe(std::string(uniform) + "domain = \"ray\"\n" + ray, "r.toml");
        const std::vector<float> sample = sample_of(recipe, 1);
        const ImageGrid& grid = recipe.setup.grid;
        Index seen = 0;
        for (Index n = 0; n < grid.rows * grid.columns; ++n) {
            const float delay = sample[static_cast<std::size_t>(grid.rows * grid.columns + n)];
            if (std::isnan(delay)) continue;
            const Point p =
                grid.point(static_cast<double>(n / grid.columns), static_cast<double>(n % grid.columns));
            EXPECT_NEAR(delay, exact(p) / 1500, 1e-11) << ray << " at " << p.x << ", " << p.z;
            ++seen;
        }
        return seen;
    };
    // Below the array a ray of angle a goes z / cos a.
    EXPECT_GT(delays_of("ray.kind = \"plane\"\nray.first_angles = 0.2\nray.second_angles = -0.1\n",
                        [](Point p) { return p.z / std::cos(0.2) - p.z / std::cos(0.1); }),
              500);
    // From 9 mm behind the array, the part in front of it.
    const auto path = [](Point p, int element) {
        return std::hypot(p.x - (element - 64.5) * 0.3e-3, p.z + 9e-3) * p.z / (p.z + 9e-3);
    };
    EXPECT_GT(delays_of("ray.kind = \"diverging\"\nray.first = 58\nray.second = 70\n",
                        [&](Point p) { return path(p, 58) - path(p, 70); }),
              500);
}

TEST(RayDomain, HearsEchoesWhereTheyBelongInUniformTissueAndElsewhereInOther) {
    const std::string rays = "domain = \"ray\"\nray.spacing = 0.6e-3\n", echoes = "ray.receive_every = 8\n";
    const auto largest_difference = [&](const std::string& phantom) {
        const std::vector<float> of_rays = sample_of(parse_simulation_recipe(phantom + rays, "r.toml"), 0);
        const std::vector<float> of_echoes =
            sample_of(parse_simulation_recipe(phantom + rays + echoes, "r.toml"), 0);
        double largest = 0;
        for (std::size_t n = 0; n < of_rays.size(); ++n)
            if (!std::isnan(of_echoes[n]))
                largest = std::max(largest, std::abs(double{of_rays[n]} - double{of_echoes[n]}));
        return largest;
    };
    EXPECT_LT(largest_difference(uniform), 1e-11);
    std::string contrast = uniform;
    const std::string none = "phantom.ellipses.count = 0";
    contrast.replace(contrast.find(none), none.size(),
                     "phantom.ellipses.count = 3\nphantom.ellipses.contrast = 40");
    EXPECT_GT(largest_difference(contrast), 5e-9);  // what images of one speed misplace
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
    EXPECT_THAT(with("ray.kind = \"plane\"\nray.first_angles = [0, 0.1]\nray.second_angles = 0.2"),
                ThrowsMessage<Error>(HasSubstr("ray.second_angles has 1 angles, ray.first_angles has 2")));
    EXPECT_THAT(with("ray.kind = \"plane\"\nray.first_angles = 0\nray.second_angles = 0.2\n"
                     "ray.solver = \"eikonal\""),
                ThrowsMessage<Error>(HasSubstr("ray.solver must be \"straight\" where")));
    EXPECT_THAT(with("ray.receive_every = 8\nray.solver = \"eikonal\""),
                ThrowsMessage<Error>(HasSubstr("ray.receive_every must be 0 where")));
    EXPECT_THAT(with("ray.spacing = 1e-5\narray.elements = 4096"),
                ThrowsMessage<Error>(HasSubstr("ray.spacing: pixels of 1e-05 m make a grid of")));
}

TEST(EchoDomain, HearsNothingBeforeSoundCanBeBackAndIsNeverSilent) {
    const SimulationRecipe recipe = parse_simulation_recipe(std::string(uniform) + small_echo, "r.toml");
    const SetManifest manifest = manifest_of(recipe);
    const std::vector<Index>& sizes = manifest.fields[1].sizes;  // transmissions, times, elements, 1
    EXPECT_EQ(sizes[0], 3);
    EXPECT_EQ(sizes[2], 16);
    const std::vector<float> sample = sample_of(recipe, 1);
    const std::size_t rf = static_cast<std::size_t>(manifest.fields[0].elements());
    const Index quiet = static_cast<Index>(2 * 2e-3 / 1500 * 16e6) - 2;  // scatterers begin 2 mm deep
    double before = 0, after = 0;
    for (Index k = 0; k < sizes[0]; ++k)
        for (Index n = 0; n < sizes[1]; ++n)
            for (Index e = 0; e < sizes[2]; ++e) {
                const double value = sample[rf + static_cast<std::size_t>((k * sizes[1] + n) * sizes[2] + e)];
                (n < quiet ? before : after) += value * value;
            }
    EXPECT_GT(after, 0);
    EXPECT_LT(before, 1e-6 * after);  // the pulse's own beginning
}

TEST(EchoDomain, WritesZeaFilesWithTheSameBitsOnAnyNumberOfThreads) {
    const fs::path folder = fs::path(::testing::TempDir()) / "sonolux_echo_domain";
    fs::remove_all(folder);
    fs::create_directories(folder);
    write_file_atomically((folder / "r.toml").string(), std::string(uniform) + small_echo);
    for (const int threads : {1, 2}) {
        SimulateRequest request;
        request.recipe = (folder / "r.toml").string();
        request.output = (folder / std::to_string(threads)).string();
        request.threads = threads;
        (void)simulate(request);
    }
    const std::string shard = (folder / "1/uniform-00000.h5").string();
    EXPECT_EQ(read_file(shard), read_file((folder / "2/uniform-00000.h5").string()));

    const Hdf5File file = Hdf5File::open(shard);
    const std::vector<Index> raw = file.content(zea_raw_data).sizes;
    ASSERT_EQ(raw.size(), 5u);
    EXPECT_EQ(raw[0], 2);  // frames are samples
    EXPECT_EQ(raw[3], 16);
    for (const float speed : file.read<float>(zea_sound_speed_map, {2, 42, 32})) EXPECT_FLOAT_EQ(speed, 1500);
    const std::vector<float> places = file.read<float>("data/sos_map/coordinates", {42, 32, 3});
    EXPECT_FLOAT_EQ(places[places.size() - 3], 18.6e-3F);
    EXPECT_FLOAT_EQ(places[places.size() - 1], 49.2e-3F);
    EXPECT_FLOAT_EQ(file.read<float>("scan/sampling_frequency", {})[0], 16e6F);
    const std::vector<float> delays = file.read<float>("scan/t0_delays", {3, 16});
    const std::vector<float> weights = file.read<float>("scan/tx_apodizations", {3, 16});
    EXPECT_EQ(weights[0], 1);
    EXPECT_EQ(weights[16 + 7], 1);
    EXPECT_EQ(weights[16 + 6], 0);
    for (const float delay : delays) EXPECT_EQ(delay, 0);
    for (const float distance : file.read<float>("scan/focus_distances", {3})) EXPECT_LT(distance, 0);
    EXPECT_FLOAT_EQ(file.read<float>("probe/probe_geometry", {16, 3})[0], -7.5F * 0.6e-3F);
    EXPECT_EQ(file.text_attribute("/", "zea_version"), "0.1.0");

    const Canvas canvas = draw_sample(TrainingSet::open((folder / "2").string()), 1);
    EXPECT_GT(canvas.columns(), 4 * 256);  // the map and three transmissions
    fs::remove_all(folder);
}

TEST(WaveDomain, HearsTheDirectWaveWhenItPassesEachElement) {
    const SimulationRecipe recipe = parse_simulation_recipe(std::string(uniform) + R"(
domain = "wave"
array.elements = 16
array.pitch = 0.6e-3
pulse.centre_frequency = 1e6
transmit.elements = [1]
scatterers.per_cell = 0
recording.sampling_frequency = 16e6
recording.samples = 240
)",
                                                            "r.toml");
    const std::vector<float> sample = sample_of(recipe, 0);
    const std::size_t rf = static_cast<std::size_t>(manifest_of(recipe).fields[0].elements());
    const double peak = Pulse({1e6, 4, 0.6}).peak_time();
    for (const std::size_t element : {5, 10, 15}) {
        std::size_t loudest = 0;
        for (std::size_t n = 0; n < 240; ++n)
            if (std::abs(sample[rf + n * 16 + element]) > std::abs(sample[rf + loudest * 16 + element]))
                loudest = n;
        EXPECT_GT(std::abs(sample[rf + loudest * 16 + element]), 1e-3);
        // In the plane a pulse has a tail, which moves its largest half-cycle by up to half a period.
        const double distance = static_cast<double>(element) * 0.6e-3;
        EXPECT_NEAR(static_cast<double>(loudest) / 16e6, distance / 1500 + peak, 0.6e-6) << element;
    }
}

constexpr const char* small_wave = R"(
domain = "wave"
array.elements = 16
array.pitch = 0.6e-3
pulse.centre_frequency = 1e6
transmit.elements = [1]
recording.sampling_frequency = 16e6
recording.samples = 160
)";

TEST(WaveDomain, WritesTheSameBitsOnAnyNumberOfThreads) {
    const fs::path folder = fs::path(::testing::TempDir()) / "sonolux_wave_domain";
    fs::remove_all(folder);
    fs::create_directories(folder);
    write_file_atomically((folder / "r.toml").string(), std::string(uniform) + small_wave);
    for (const int threads : {1, 2}) {
        SimulateRequest request;
        request.recipe = (folder / "r.toml").string();
        request.output = (folder / std::to_string(threads)).string();
        request.threads = threads;
        (void)simulate(request);
    }
    EXPECT_EQ(read_file((folder / "1/uniform-00000.h5").string()),
              read_file((folder / "2/uniform-00000.h5").string()));
    fs::remove_all(folder);
}

TEST(WaveDomain, StopsInTheMiddleOfASample) {
    const fs::path folder = fs::path(::testing::TempDir()) / "sonolux_wave_domain_stops";
    fs::remove_all(folder);
    fs::create_directories(folder);
    write_file_atomically((folder / "r.toml").string(), std::string(uniform) + small_wave);
    SimulateRequest request;
    request.recipe = (folder / "r.toml").string();
    request.output = (folder / "set").string();
    request.threads = 2;
    int asked = 0;
    request.progress = [&](const Progress& progress) {
        EXPECT_EQ(progress.done, 0);
        ++asked;
        return false;
    };
    const SimulateSummary summary = simulate(request);
    EXPECT_FALSE(summary.finished);
    EXPECT_EQ(summary.samples_made, 0);
    EXPECT_GE(asked, 1);
    EXPECT_FALSE(fs::exists(folder / "set/uniform-00000.h5"));
    fs::remove_all(folder);
}

/// How much later than element 5 the element 15, 6 mm further, hears the waves of a frequency, in s and up to
/// periods: what the source does to their phase does not count.
double delay_between_elements(const SimulationRecipe& recipe, double frequency) {
    const SetManifest manifest = manifest_of(recipe);
    const std::vector<float> sample = sample_of(recipe, 0);
    const std::size_t rf = static_cast<std::size_t>(manifest.fields[0].elements());
    std::complex<double> sums[2];
    for (std::size_t n = 0; n < static_cast<std::size_t>(manifest.fields[1].sizes[1]); ++n)
        for (std::size_t e : {0, 1})
            sums[e] += static_cast<double>(sample[rf + n * 16 + 5 + 10 * e]) *
                       std::polar(1.0, -2 * std::numbers::pi * frequency * static_cast<double>(n) / 16e6);
    return -std::arg(sums[1] / sums[0]) / (2 * std::numbers::pi * frequency);
}

TEST(WaveDomain, AbsorptionDoesNotChangeTheSpeedAtTheCentreFrequency) {
    // 3 dB/(MHz^1.5 cm) over 9 mm would make the wave 49 ns early if the map's speed were that of low
    // frequencies.
    std::string text = std::string(uniform) + small_wave + "scatterers.per_cell = 0\n";
    text.replace(text.find("samples = 160"), 13,
                 "samples = 320");  // with the tail that waves in a plane have
    std::string absorbing = text + "wave.absorption = true\nphantom.attenuation_power = 1.5\n";
    const std::string key = "phantom.background.attenuation = 0";
    absorbing.replace(absorbing.find(key), key.size(), "phantom.background.attenuation = 3");
    const SimulationRecipe without = parse_simulation_recipe(text, "r.toml"),
                           with = parse_simulation_recipe(absorbing, "r.toml");
    EXPECT_NEAR(delay_between_elements(with, 1e6), delay_between_elements(without, 1e6),
                8e-9);  // a quarter of that
}

TEST(WaveDomain, ConstantDensityWithScatterersOfCompressibilityHearsThemAndIsAsFast) {
    const std::string text = std::string(uniform) + small_wave + "wave.density = \"constant\"\n";
    const SimulationRecipe quiet = parse_simulation_recipe(text + "scatterers.per_cell = 0\n", "r.toml"),
                           speckle = parse_simulation_recipe(text + "scatterers.per_cell = 4\n", "r.toml");
    const std::size_t rf = static_cast<std::size_t>(manifest_of(quiet).fields[0].elements());
    const std::vector<float> a = sample_of(quiet, 0), b = sample_of(speckle, 0);
    EXPECT_NEAR(delay_between_elements(quiet, 1e6), delay_between_elements(speckle, 1e6), 5e-9);
    double difference = 0;
    for (std::size_t i = rf; i < a.size(); ++i)
        difference = std::max(difference, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    EXPECT_GT(difference, 1e-5);
}

TEST(WaveDomain, RefusesElementsWithoutAPointAndPowersNearOne) {
    EXPECT_THAT(
        [] {
            (void)parse_simulation_recipe(std::string(uniform) + small_wave + "wave.absorption = true\n" +
                                              "phantom.attenuation_power = 1.02\n",
                                          "r.toml");
        },
        ThrowsMessage<Error>(HasSubstr("must be above 0, below 3 and at least 0.05 from 1")));
}

TEST(WaveDomain, RefusesAGridThatIsTooCoarseForThePulse) {
    EXPECT_THAT(
        [] {
            (void)parse_simulation_recipe(std::string(uniform) + "domain = \"wave\"\nwave.spacing = 0.2e-3\n",
                                          "r.toml");
        },
        ThrowsMessage<Error>(HasSubstr("wavelength")));
    EXPECT_THAT(
        [] {
            (void)parse_simulation_recipe(std::string(uniform) + "domain = \"wave\"\nwave.spacing = 1e-3\n",
                                          "r.toml");
        },
        ThrowsMessage<Error>(HasSubstr("wave.spacing is 0.001 m, wider than an element of 0.00027 m")));
}

TEST(AcquisitionRecipe, RefusesWhatCannotBeSentByName) {
    const auto with = [](const std::string& more) {
        return [more] {
            (void)parse_simulation_recipe(std::string(uniform) + "domain = \"echo\"\n" + more, "r.toml");
        };
    };
    EXPECT_THAT(with("transmit.elements = [129]"),
                ThrowsMessage<Error>(HasSubstr("transmit.elements must be elements from 1 to 128, got 129")));
    EXPECT_THAT(with("transmit.kind = \"plane\"\ntransmit.angles = [5]"),
                ThrowsMessage<Error>(HasSubstr("transmit.angles must be")));
    EXPECT_THAT(with("array.pitch = 0.3"), ThrowsMessage<Error>(HasSubstr("array.pitch must be")));
    EXPECT_THAT(
        with("scatterers.per_cell = 900\nscatterers.cell_width = 1e-5\nscatterers.cell_height = 1e-5"),
        ThrowsMessage<Error>(HasSubstr("scatterers: there would be")));
    EXPECT_THAT(with("transmit.elements = [1]\ntransmit.angles = [0]"),
                ThrowsMessage<Error>(HasSubstr("unknown key \"transmit.angles\"")));
}

}  // namespace
}  // namespace sonolux

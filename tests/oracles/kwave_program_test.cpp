// k-Wave's own C++ program on the same input files. SONOLUX_KWAVE_BINARY names a kspaceFirstOrder-OMP.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numbers>
#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>
#include <sonolux/sdk/pipelines/kspace_run.hpp>

#include "tests/support/data.hpp"

namespace sonolux {
namespace {

std::filesystem::path peer() {
    const char* set = std::getenv("SONOLUX_KWAVE_BINARY");
    return set != nullptr ? set : "SONOLUX_KWAVE_BINARY";
}

struct Variant {
    const char* name;
    KspaceSize size{1, 60, 72};
    KspaceAbsorption absorption = KspaceAbsorption::none;
    double power = 1.5;
    bool nonlinear = false;
    SourceMode mode = SourceMode::additive;
    bool velocity = false, initial = false;
};

void PrintTo(const Variant& variant, std::ostream* stream) { *stream << variant.name; }

/// A medium that varies by 10 % with sharp edges, layers, a tone burst that differs from point to point.
KwaveInput make_input(const Variant& variant) {
    KwaveInput input;
    KspaceSetup& setup = input.setup;
    const KspaceSize& size = variant.size;
    setup.grid = {size, {1e-4, 1.1e-4, size.volume() ? 1.2e-4 : 0.0}, 1.5e-8, size.volume() ? 150 : 300};
    for (auto [seed, mean, spread] :
         {std::tuple{1, 1500.0f, 50.0f}, {2, 1000.0f, 40.0f}, {3, 0.75f, 0.2f}, {4, 0.0f, 1.0f}}) {
        Array<float> values({size.planes * size.rows, size.columns});
        fill_normal(values, Philox(static_cast<std::uint64_t>(seed)));
        for (Index i = 0; i < size.points(); ++i) {
            float& v = values.data()[i];
            v = mean + spread * 0.2f * std::tanh(v);
            if (i % size.columns > 40 && i / size.columns % size.rows > 25) v += spread;
        }
        input.fields.push_back(std::move(values));
    }
    setup.medium.sound_speed = input.fields[0].view();
    setup.medium.density = input.fields[1].view();
    setup.medium.absorption = variant.absorption;
    setup.medium.attenuation = input.fields[2].view();
    setup.medium.attenuation_power = variant.power;
    setup.medium.nonlinear = variant.nonlinear;
    setup.medium.nonlinearity = 6.0;
    setup.layer = {{10, 12, size.volume() ? 8 : 0}, {2, 2, 2}};
    if (variant.initial) {
        for (float& v : input.fields[3]) v = 1e5f * std::max(0.0f, v);
        setup.sources.initial_pressure = input.fields[3].view();
    } else {
        PointSource source;
        source.mode = variant.mode;
        source.one_for_all = false;
        source.samples = 90;
        const Index plane = size.planes / 2 * size.rows * size.columns;
        for (Index j = 25; j < 45; ++j) source.points.push_back(plane + 18 * size.columns + j);
        for (Index step = 0; step < source.samples; ++step)
            for (Index i = 0; i < 20; ++i) {
                const double t = static_cast<double>(step) * 1.5e-8 - 2e-8 * static_cast<double>(i);
                const double window = t < 0 ? 0 : std::exp(-std::pow((t - 0.5e-6) / 0.2e-6, 2));
                source.signal.push_back(static_cast<float>(
                    window * std::sin(2 * std::numbers::pi * 2e6 * t) *
                    (variant.velocity ? 0.1 : 1e5 * pressure_source_scale(setup.grid, 1500, source.mode))));
            }
        (variant.velocity ? setup.sources.velocity[1] : setup.sources.pressure) = source;
    }
    for (Index i = 0; i < size.points(); i += 37) input.sensor_points.push_back(i);
    return input;
}

class KwaveProgramOracle : public testing::TestWithParam<Variant> {};

constexpr KspaceSize cube{24, 40, 48};
INSTANTIATE_TEST_SUITE_P(
    Variants, KwaveProgramOracle,
    testing::Values(
        Variant{"lossless"}, Variant{"y_1_1", {1, 60, 72}, KspaceAbsorption::power_law, 1.1},
        Variant{"y_1_5", {1, 60, 72}, KspaceAbsorption::power_law, 1.5},
        Variant{"y_2", {1, 60, 72}, KspaceAbsorption::power_law, 2.0},
        Variant{"nonlinear", {1, 60, 72}, KspaceAbsorption::power_law, 1.5, true},
        Variant{"dirichlet", {1, 60, 72}, KspaceAbsorption::none, 1.5, false, SourceMode::dirichlet},
        Variant{"no_correction", {1, 60, 72}, KspaceAbsorption::none, 1.5, false, SourceMode::no_correction},
        Variant{
            "velocity_additive", {1, 60, 72}, KspaceAbsorption::none, 1.5, false, SourceMode::additive, true},
        Variant{"velocity_dirichlet",
                {1, 60, 72},
                KspaceAbsorption::none,
                1.5,
                false,
                SourceMode::dirichlet,
                true},
        Variant{"velocity_no_correction",
                {1, 60, 72},
                KspaceAbsorption::none,
                1.5,
                false,
                SourceMode::no_correction,
                true},
        Variant{"initial_pressure",
                {1, 60, 72},
                KspaceAbsorption::none,
                1.5,
                false,
                SourceMode::additive,
                false,
                true},
        Variant{"stokes", {1, 60, 72}, KspaceAbsorption::stokes, 2.0},
        Variant{"volume", cube, KspaceAbsorption::power_law, 1.5, true}, Variant{"volume_lossless", cube},
        Variant{"volume_dirichlet", cube, KspaceAbsorption::none, 1.5, false, SourceMode::dirichlet},
        Variant{"volume_no_correction", cube, KspaceAbsorption::none, 1.5, false, SourceMode::no_correction},
        Variant{"volume_velocity_additive", cube, KspaceAbsorption::none, 1.5, false, SourceMode::additive,
                true},
        Variant{"volume_velocity_dirichlet", cube, KspaceAbsorption::none, 1.5, false, SourceMode::dirichlet,
                true},
        Variant{"volume_velocity_no_correction", cube, KspaceAbsorption::none, 1.5, false,
                SourceMode::no_correction, true},
        Variant{"volume_initial_pressure", cube, KspaceAbsorption::none, 1.5, false, SourceMode::additive,
                false, true}),
    [](const auto& variant) { return std::string(variant.param.name); });

double largest_of(const std::vector<float>& values) {
    double largest = 0;
    for (float v : values) largest = std::max(largest, std::abs(static_cast<double>(v)));
    return largest;
}

double difference_of(const std::vector<float>& found, const std::vector<float>& expected) {
    double difference = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
        difference =
            std::max(difference, std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i])));
    return difference;
}

TEST_P(KwaveProgramOracle,
       TracesAndFinalFieldsAgreeTo2e5) {  // of the largest there was: single precision after 300 steps
    SLX_NEEDS(peer());
    const auto folder = std::filesystem::path(testing::TempDir()) /
                        ("sonolux_kwave_" + std::to_string(getpid()) + "_" + GetParam().name);
    std::filesystem::create_directories(folder);
    const auto path = [&](const char* name) { return (folder / name).string(); };
    write_kwave_input(path("in.h5"), make_input(GetParam()), 1);
    const std::string command = peer().string() + " -i " + path("in.h5") + " -o " + path("peer.h5") +
                                " -t 1 --p_raw --p_final --u_final > " + path("log.txt") + " 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << path("log.txt");
    KspaceRunOptions options{path("in.h5"), path("ours.h5")};
    options.pressure.raw = options.pressure_final = options.velocity_final = true;
    Context context(make_serial_runner());
    run_kspace(options, context);
    const Hdf5File ours = Hdf5File::open(path("ours.h5")), theirs = Hdf5File::open(path("peer.h5"));
    // What is left at the end is small, the most so in the cube: fields are in units of the largest trace,
    // and velocities of what belongs to it in a plane wave.
    const double largest = largest_of(theirs.read<float>("p"));
    for (const char* name : {"p", "p_final", "ux_final", "uy_final"}) {
        ASSERT_EQ(ours.content(name).sizes, theirs.content(name).sizes) << name;
        const double unit = name[0] == 'p' ? largest : largest / (1000 * 1500.0);
        const double difference = difference_of(ours.read<float>(name), theirs.read<float>(name)) / unit;
        RecordProperty(name, std::to_string(difference));
        std::printf("%s %s %.2e\n", GetParam().name, name, difference);
        EXPECT_LT(difference, 2e-5) << name;
    }
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sonolux

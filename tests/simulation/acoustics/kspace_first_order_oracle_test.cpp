// What k-Wave (MATLAB) makes of the same input, in single precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sonolux/sdk/files/mat_file.hpp>
#include <sonolux/simulation/acoustics/kspace_first_order.hpp>

#include "tests/support/data.hpp"

namespace sonolux {
namespace {

/// An array of the files, rows along their first index, and one number of them.
Array<float> matrix(const std::string& path, const std::string& name) {
    const MatArray read = read_mat(path, name).front();
    Array<float> result({read.sizes[0], read.sizes[1]});
    std::transform(read.values.begin(), read.values.end(), result.data(),
                   [](double value) { return static_cast<float>(value); });
    return result;
}

double number(const std::string& path, const std::string& name) {
    return read_mat(path, name).front().values.front();
}

struct Case {
    std::string name;
    KspaceSetup setup;
    Array<float> speed, density, initial, expected;

    explicit Case(const std::string& which) : name(which) {
        const std::string folder = (data_folder() / "ultrasound/kwave_reference/").string();
        const std::string path = folder + "setup_" + which + ".mat";
        expected = matrix(folder + which + ".mat", "p_final");
        speed = matrix(path, "sound_speed");
        density = matrix(path, "density");
        KspaceGrid& grid = setup.grid;
        grid.size = {1, expected.shape()[0], expected.shape()[1]};
        const double spacing = number(path, "dx");
        grid.spacing = {spacing, spacing, 0};
        grid.time_step = number(path, "dt");
        grid.steps = static_cast<Index>(number(path, "Nt"));
        setup.layer.points.fill(static_cast<Index>(number(path, "PMLSize")));
        setup.medium.sound_speed = property(speed);
        setup.medium.density = property(density);
        if (which.starts_with("ivp")) {
            initial = matrix(path, "p0");
            setup.sources.initial_pressure = initial;
            ++grid.steps;
        } else {
            set_source(path);
        }
    }

    static ScalarOrField property(const Array<float>& values) {
        return values.elements() == 1 ? ScalarOrField(static_cast<double>(*values.data()))
                                      : ScalarOrField(values.view());
    }

    /// Positions count from 0; signals are in the order of the points of a mask, down the columns.
    void set_source(const std::string& path) {
        const MatArray positions = read_mat(path, "source_positions").front();
        const MatArray signals = read_mat(path, "source_signals").front();
        const Index count = positions.sizes[1];
        std::vector<std::pair<Index, Index>> places;  // column, row
        for (Index i = 0; i < count; ++i)
            places.emplace_back(static_cast<Index>(positions.values[static_cast<std::size_t>(count + i)]),
                                static_cast<Index>(positions.values[static_cast<std::size_t>(i)]));
        std::sort(places.begin(), places.end());
        PointSource& source = setup.sources.pressure;
        source.mode = SourceMode::no_correction;
        source.one_for_all = false;
        source.samples = signals.sizes[1];
        for (auto [column, row] : places) source.points.push_back(row * setup.grid.size.columns + column);
        for (Index step = 0; step < source.samples; ++step)
            for (Index i = 0; i < count; ++i) {
                const double c = setup.medium.sound_speed.at(source.points[static_cast<std::size_t>(i)]);
                source.signal.push_back(
                    static_cast<float>(signals.values[static_cast<std::size_t>(i * source.samples + step)] *
                                       pressure_source_scale(setup.grid, c, source.mode)));
            }
    }
};

/// The largest difference in units of the largest value.
double relative_difference(View<const float> found, const Array<float>& expected) {
    double largest = 0, difference = 0;
    for (Index i = 0; i < expected.elements(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(expected.data()[i])));
        difference = std::max(difference, std::abs(static_cast<double>(found.data()[i]) -
                                                   static_cast<double>(expected.data()[i])));
    }
    return difference / largest;
}

class KspaceFirstOrderOracle : public testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(Cases, KspaceFirstOrderOracle,
                         testing::Values("ivp_no_pml_no_smooth_homog", "ivp_no_pml_no_smooth_homog_rect",
                                         "ivp_no_pml_no_smooth_homog_wide", "ivp_no_pml_no_smooth_heterog_c0",
                                         "ivp_no_pml_no_smooth_heterog_rho0", "ivp_pml_no_smooth_homog",
                                         "tvsp_no_pml_homog", "tvsp_no_pml_heterog_c0"));

TEST_P(KspaceFirstOrderOracle, IsKwaveTo2e5) {  // twice what single precision leaves after 150 steps
    SLX_NEEDS(data_folder() / "ultrasound/kwave_reference" / (std::string(GetParam()) + ".mat"));
    const Case given(GetParam());
    for (FftBackend backend : available_fft_backends()) {
        KspaceSetup setup = given.setup;
        setup.fft = backend;
        Context context(make_serial_runner());
        KspaceFirstOrder simulation(setup, context);
        while (simulation.done() < setup.grid.steps) simulation.step(context);
        EXPECT_LT(relative_difference(simulation.pressure(), given.expected), 2e-5) << to_string(backend);
        RecordProperty(to_string(backend),
                       std::to_string(relative_difference(simulation.pressure(), given.expected)));
    }
}

}  // namespace
}  // namespace sonolux

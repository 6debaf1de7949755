// tests/support/speckle_recording.hpp
//
// A small recording of speckle in a uniform medium, and a model of its acquisition.
#pragma once

#include <cmath>

#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/travel_time_problem.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {

constexpr double speckle_speed = 1510;

/// Four elements of 64 send; speckle down to 22 mm. The file says 1490 m/s.
[[nodiscard]] inline ChannelData speckle() {
    Context context;
    const Pulse pulse({5e6, 4, 0.6});
    ChannelData data{{make_linear_array(64, 0.3e-3, 0.27e-3), {}}, {}};
    Acquisition& a = data.acquisition;
    for (const Index e : {12, 22, 42, 52}) a.transmissions.push_back(single_element(a.array, e));
    a.sampling_frequency = 40e6;
    a.centre_frequency = 5e6;
    a.start_times.assign(4, 0);
    a.samples = 1150;
    a.peak_time = pulse.peak_time();
    a.sound_speed = 1490;
    const ImageGrid grid = centred_grid(85, 84, 0.3e-3);
    Array<float> speed(grid.shape());
    std::fill(speed.begin(), speed.end(), static_cast<float>(speckle_speed));
    Scatterers scatterers;
    Philox random(11, 1, 0);
    for (int n = 0; n < 11000; ++n) {
        const double x = random.uniform(-10.6e-3, 10.6e-3), z = random.uniform(1.5e-3, 24e-3);
        scatterers.positions.push_back({x, z});
        scatterers.reflectivity.push_back(static_cast<float>(random.normal()));
    }
    EchoOptions options;
    options.samples = a.samples;
    const EchoSimulator simulator(a.array, {.grid = grid, .sound_speed = speed, .attenuation = {}}, pulse,
                                  options, context);
    data.values = Array<float>({1, 4, 64, a.samples});
    simulator.simulate(a.transmissions, scatterers, data.values.view()[0], context);
    return data;
}

/// Of the same elements, untrained: little more than its start, a linear inversion.
[[nodiscard]] inline Model speckle_model(const std::vector<std::pair<Index, Index>>& pairs = {{12, 22},
                                                                                              {42, 52}}) {
    TravelTimeProblem problem;
    const TransducerArray array = make_linear_array(64, 0.3e-3, 0.27e-3);
    problem.geometry = element_pairs(centred_grid(34, 32, 0.6e-3), array, pairs);
    for (Index e = 4; e < 64; e += 8) problem.receive.push_back(point_rays(array[e].position, 1));
    problem.margins = {4e-3, 1e-3, 1e-3};
    measure_norm(problem);
    MaskedVariationalOptions options;
    options.stages = 2;
    options.filters = {FilterKind::unit_with_mean, 4, 4};
    options.weight_nodes = 3;
    options.knots = 9;
    options.step_knots = 5;
    options.coarse = {6, 6, 1e-2, 2};
    auto network = make_masked_variational_network(options);
    initialise(*network, options, 1);
    Model model;
    model.name = "speckle";
    model.licence = "none";
    model.training = {"", 1, "", ""};
    set_travel_times(model.problem, problem);
    set_network(model, options, *network);
    return model;
}

}  // namespace sonolux

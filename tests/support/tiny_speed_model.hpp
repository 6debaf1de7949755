// tests/support/tiny_speed_model.hpp
//
// A small model that maps the speed of sound, untrained, and delays of a map that is known.
#pragma once

#include <limits>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/travel_time_problem.hpp>

namespace sonolux {

[[nodiscard]] inline TravelTimeProblem tiny_travel_times() {
    TravelTimeProblem problem;
    problem.geometry = element_pairs(centred_grid(20, 18, 1e-3), make_linear_array(32, 0.6e-3, 0.5e-3),
                                     {{6, 12}, {12, 18}, {20, 26}});
    problem.margins = {1e-3, 1e-3, 0.5e-3};
    measure_norm(problem);
    return problem;
}

[[nodiscard]] inline MaskedVariationalOptions tiny_speed_architecture(int stages = 3) {
    MaskedVariationalOptions options;
    options.stages = stages;
    options.filters = {FilterKind::unit_with_mean, 4, 4};
    options.weight_nodes = 3;
    options.knots = 9;
    options.step_knots = 5;
    return options;
}

/// As it is before training: gradient descent with momentum.
[[nodiscard]] inline Model tiny_speed_model(int stages = 3) {
    const MaskedVariationalOptions options = tiny_speed_architecture(stages);
    auto network = make_masked_variational_network(options);
    initialise(*network, options, 1);
    Model model;
    model.name = "tiny speed";
    model.licence = "none";
    model.training = {"", 1, "", ""};
    set_travel_times(model.problem, tiny_travel_times());
    set_network(model, options, *network);
    return model;
}

/// In s: of `background` m/s and a disc of 3 mm that is `contrast` m/s faster; NaN where nothing is measured.
[[nodiscard]] inline Array<float> tiny_delays(float background = 1500, float contrast = 30) {
    const TravelTimeProblem problem = tiny_travel_times();
    const auto op = make_path_integral(problem.geometry, PathIntegralForm::rows);
    Array<float> slowness(op->domain()), delays(op->range());
    for (Index i = 0; i < slowness.shape()[0]; ++i)
        for (Index j = 0; j < slowness.shape()[1]; ++j) {
            const Point p = problem.geometry.map.point(static_cast<double>(i), static_cast<double>(j));
            const bool inside = length(p - Point{0, 10e-3}) < 3e-3;
            slowness(i, j) = 1 / (inside ? background + contrast : background);
        }
    Context context(make_serial_runner());
    context.workspace().reserve(op->workspace_bytes(context));
    op->apply(slowness, delays, context);
    const View<const float> seen = op->coverage();
    for (Index i = 0; i < delays.elements(); ++i)
        if (seen.data()[i] == 0) delays.data()[i] = std::numeric_limits<float>::quiet_NaN();
    return delays;
}

}  // namespace sonolux

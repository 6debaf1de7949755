// sonolux/sdk/pipelines/speed_robustness.hpp
//
// How the errors of maps of the speed of sound grow with what goes wrong, for a network, L-BFGS and Tikhonov:
//
//     missing      0 to 90 % of the delays of each measurement, in patches
//     noise        0 to 40 ns, of the same deviation everywhere
//     background   tissue that is 30 m/s slower to 30 m/s faster, all of it
//     pitch        a probe whose pitch is 2 % less to 2 % more than that of the model
//
// one at a time, of delays as they are otherwise (delay_trials.hpp).
#pragma once

#include <sonolux/sdk/pipelines/evaluate_sound_speed.hpp>

namespace sonolux {

/// Medians over samples of the root mean square error over the map, m/s; NaN where a method refuses more than
/// half of the samples.
struct RobustnessCurve {
    std::string what, unit;  ///< "missing", "%"
    std::vector<double> values;
    std::vector<std::string> methods;
    std::vector<std::vector<double>> rmse;  ///< [method][value]
};

/// Of lambdas that are given, and of tikhonov_lambdas, those count that err least on the
/// delays as they are. Throws as evaluate_sound_speed.
[[nodiscard]] std::vector<RobustnessCurve> measure_robustness(const Model& model,
                                                              const EvaluateSoundSpeedOptions& options);

/// One line for each method and value: what,value,unit,method,median_rmse.
[[nodiscard]] std::string to_csv(const std::vector<RobustnessCurve>& curves);

/// An <svg> element.
[[nodiscard]] std::string draw(const RobustnessCurve& curve);

}  // namespace sonolux

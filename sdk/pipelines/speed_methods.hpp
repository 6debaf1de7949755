// sonolux/sdk/pipelines/speed_methods.hpp
//
// What maps of the speed of sound are made with when methods are compared, all from the same delays: a
// network, L-BFGS with total variation, Tikhonov, and the best uniform speed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sonolux/sdk/pipelines/delay_trials.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

namespace sonolux {

struct SpeedMethod {
    std::string name;  ///< "network", "lbfgs 0.015", "tikhonov 0.003", "uniform"
    std::function<Status(const DelayTrial&, View<float> speed)> map;  ///< [rows, columns] in m/s
};

/// Both, and the context, must outlive the method.
[[nodiscard]] SpeedMethod network_method(SoundSpeedReconstructor& network);
[[nodiscard]] SpeedMethod lbfgs_method(const TravelTimeProblem& problem, double lambda, Context& context);
[[nodiscard]] SpeedMethod tikhonov_method(const TravelTimeProblem& problem, double lambda, Context& context);
[[nodiscard]] SpeedMethod uniform_method();

/// How near a map is to the truth, both [rows, columns] in m/s. Inside: pixels whose true speed is more than
/// 10 m/s from the median of the true map; outside: all others.
struct SpeedQuality {
    double rmse = 0, mae = 0;  ///< m/s, over the whole map
    double ssim = 0;      ///< with a range of 200 m/s, from 1400 m/s; NaN for maps smaller than its window
    double contrast = 0;  ///< found over true: slope of the map over the truth, by least squares; NaN of a
                          ///< uniform truth
    double contrast_to_noise = 0;  ///< |mean inside - mean outside| / sqrt(sum of both variances of the map);
                                   ///< NaN where less than 1 % is inside or outside
};
[[nodiscard]] SpeedQuality quality_of(View<const float> speed, View<const float> truth);

}  // namespace sonolux

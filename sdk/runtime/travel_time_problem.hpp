// sonolux/sdk/runtime/travel_time_problem.hpp
//
// The problem of models that map the speed of sound: which delays they read, on which grid, and which of them
// they trust. In a model file it is the geometry of a problem of kind "sound_speed":
//
//     {"map": GRID, "measurements": [[RAYS, RAYS], ...], "receive": [RAYS, ...], "margins": {"near": 0.005,
//     "far": 0.002,
//      "side": 0.004}, "operator_norm": 0.031,
//      "speed": [1350.0, 1750.0], "hash": "64 hexadecimal digits"}
//
//     GRID = {"rows": 84, "columns": 64, "row_spacing": 0.0006, "column_spacing": 0.0006, "first_z": 0.0,
//             "first_x": -0.0189}
//     RAYS = {"kind": "point", "x": -0.0147, "z": 0.0, "f_number": 0.5, "surface": 0.0, "weight": 1.0}
//          | {"kind": "plane", "angle": 0.1, "surface": 0.0, "weight": 1.0}
//
// "receive" are elements that take part in hearing echoes, where delays were measured through beamforming and
// tracking (core/operators/echo_path_integral.hpp), some of them; none where delays are differences of travel
// times. SI units. The delays are
// [measurement, rows, columns] at the pixels of the map. The operator is divided by its norm, which the file
// states so that every machine divides by the same number. The hash is the SHA-256 of everything else,
// written as above without white space: two geometries with the same hash are the same.
#pragma once

#include <memory>
#include <string>

#include <sonolux/core/operators/compose.hpp>
#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/sdk/runtime/json.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

struct TravelTimeProblem {
    PathGeometry geometry;                  ///< points are the pixels of the map
    std::vector<RaySource> receive;         ///< none: delays are differences of travel times, not of echoes
    MaskMargins margins;                    ///< delays outside are not looked at
    double operator_norm = 0;               ///< the largest singular value; 0: not known yet
    double slowest = 1350, fastest = 1750;  ///< m/s that best uniform speeds are plausible within

    friend bool operator==(const TravelTimeProblem& a, const TravelTimeProblem& b);
};

/// Sets operator_norm from the operator itself. Throws as make_path_integral does.
void measure_norm(TravelTimeProblem& problem);

/// E / norm, or L / norm where nothing receives, of norm 1: from deviations of slowness from a uniform one to
/// those of delays. Throws Error{invalid_argument} naming what is wrong with the geometry.
[[nodiscard]] OperatorPointer make_operator(const TravelTimeProblem& problem);

/// L / norm: delays of uniform slowness.
[[nodiscard]] OperatorPointer make_delay_operator(const TravelTimeProblem& problem);

/// E or L itself.
[[nodiscard]] OperatorPointer make_delays_in_seconds(const TravelTimeProblem& problem);

/// [measurement, rows, columns]: 1 where a delay can be measured and is trusted.
[[nodiscard]] Array<float> trusted(const TravelTimeProblem& problem);

/// 64 hexadecimal digits.
[[nodiscard]] std::string geometry_hash(const TravelTimeProblem& problem);

/// The object above.
[[nodiscard]] Json to_json(const TravelTimeProblem& problem);

/// Reads the object above. Throws Error{corrupt_data} naming the field, the value and what was expected; one
/// is a hash that is not the geometry's.
[[nodiscard]] TravelTimeProblem travel_time_problem_from_json(const JsonField& geometry);

/// Makes it a problem of kind "sound_speed".
void set_travel_times(ModelProblem& problem, const TravelTimeProblem& travel_times);

/// What set_travel_times was told. Throws Error{unsupported} for another kind of problem, and as
/// travel_time_problem_from_json does. `source` (a file name) starts the message.
[[nodiscard]] TravelTimeProblem travel_time_problem(const ModelProblem& problem, const std::string& source);

}  // namespace sonolux

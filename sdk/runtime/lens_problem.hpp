// sonolux/sdk/runtime/lens_problem.hpp
//
// The problem of models that recover images through a lens: what the lens does to each channel, and how the
// sensor counts. In a model file it is the geometry of a problem of kind "lens",
//
//     {"pixel": 8e-06, "white": [0.9, 1.0, 0.6], "full_well": [5000.0, 20000.0], "read_noise": 10.0}
//
// and a tensor "kernels" [channels, size, size] beside those of the network: of grey scenes, centred,
// relative to a sensor without lens. Captures are 1 at white in all channels.
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/sdk/runtime/json.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

inline constexpr const char* kernels_tensor = "kernels";

struct LensProblem {
    double pixel = 0;           ///< m
    std::vector<double> white;  ///< [channels]: electrons of white, relative to the largest
    double least_full_well = 0, most_full_well = 0;  ///< electrons at white that it was trained for
    double read_noise = 0;                           ///< electrons, standard deviation

    friend bool operator==(const LensProblem&, const LensProblem&) = default;

    /// The variance of the noise of a channel whose mean is `level`, in units of white, when white is
    /// `full_well` electrons in the most sensitive channel.
    [[nodiscard]] double noise(std::size_t channel, double level, double full_well) const noexcept;

    /// In the middle of what it was trained for.
    [[nodiscard]] double usual_full_well() const noexcept;
};

/// Makes it a problem of kind "lens".
void set_lens(ModelProblem& problem, const LensProblem& lens);

/// Reads the object above. Throws Error{corrupt_data} naming the field, the value and what was expected.
[[nodiscard]] LensProblem lens_problem_from_json(const JsonField& geometry);

/// What set_lens was told. Throws Error{unsupported} for another kind of problem. `source` (a file name)
/// starts the message.
[[nodiscard]] LensProblem lens_problem(const ModelProblem& problem, const std::string& source);

/// The model's kernels. Throws Error{corrupt_data} naming the model if they are missing or not [channels,
/// size, size] with an odd size and finite values.
[[nodiscard]] View<const float> lens_kernels(const Model& model);

}  // namespace sonolux

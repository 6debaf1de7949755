// sonolux/sdk/runtime/model.hpp
//
// Model: a trained network and everything needed to run it, in one safetensors file.
//
// The file's metadata key "sonolux" holds JSON:
//
//     schema        1; a higher number is refused, not guessed at
//     name          what people call it
//     architecture  the network: an object that its solver's own reader understands
//     problem       what it solves: kind, noise range, value scale, boundary rule, geometry
//     training      where it comes from: recipe, seed, data, version of the source
//     licence       of the parameters, with the licence of the data
//     metrics       list of objects, each with the protocol that produced its numbers
//     trust         may be missing: how far results are to be trusted, an object that map_trust.hpp reads
//     sha256        of the payload (the tensor bytes)
//
// Everything is checked against the file before use; unknown keys are refused, because a reader that skips
// what it does not know runs a different network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sonolux/sdk/runtime/json.hpp>
#include <sonolux/sdk/runtime/safetensors.hpp>

namespace sonolux {

/// The inverse problem that a model solves, in the units of its training.
struct ModelProblem {
    /// "denoise"; "deblur": with a kernel that is told when the model runs; "sound_speed": from delays
    /// between transmissions, whose geometry travel_time_problem.hpp reads; or "lens": from a capture through
    /// the lens that lens_problem.hpp reads.
    std::string kind = "denoise";

    /// Range of noise standard deviations it was trained for, in image values (1 is white, whatever
    /// value_scale is): 25/255 for "sigma 25". Equal if it was trained for one level.
    double sigma_min = 0, sigma_max = 0;

    /// The network sees image values times this: 255 for one trained on [0, 255].
    double value_scale = 1;

    /// What the network assumes beyond the border: zero, circular, replicate, symmetric or reflect; or what
    /// shrinkage fields do about it: circular, replicate, taper or valid. Masked variational networks: valid.
    std::string boundary = "symmetric";

    /// Anything more that is to be known of the problem, or null. Deblurring: {"largest_kernel": [27, 27]},
    /// the rows and columns of the largest kernel that the model was trained for.
    Json geometry;

    friend bool operator==(const ModelProblem&, const ModelProblem&) = default;
};

/// Where a model comes from.
struct ModelTraining {
    std::string recipe;     ///< the resolved recipe (TOML)
    std::int64_t seed = 0;  ///< at least 0
    std::string data;       ///< which data, from where, under which licence
    std::string git_hash;   ///< of the Sonolux that trained it

    friend bool operator==(const ModelTraining&, const ModelTraining&) = default;
};

struct Model {
    static constexpr std::int64_t schema = 1;

    std::string name;
    Json architecture = Json::object();
    ModelProblem problem;
    ModelTraining training;
    std::string licence;
    Json metrics = Json::list();  ///< of objects; each has a string "protocol"
    Json trust;                   ///< of models that map the speed of sound, calibrated; or null
    std::vector<NamedTensor> tensors;

    /// The tensor of that name. Throws Error{corrupt_data} if there is none, or if its shape is another; the
    /// message names the model.
    [[nodiscard]] const Array<float>& tensor(std::string_view tensor_name, const Shape& shape) const;
};

/// Makes it a problem of kind "deblur" for kernels up to [rows, columns].
void set_deblurring(ModelProblem& problem, Index largest_rows, Index largest_columns);

/// What set_deblurring was told; 0 x 0 where nothing was said or the problem is another.
[[nodiscard]] Shape largest_kernel(const ModelProblem& problem);

/// The largest model file that is read.
inline constexpr std::size_t max_model_bytes = std::size_t(1) << 30;

/// Reads a model from memory; `source` (a file name) starts the message of every error.
/// Throws Error{corrupt_data} for anything that is damaged or does not fit together, and Error{unsupported}
/// for a model written by a newer version.
[[nodiscard]] Model load_model(std::span<const std::byte> bytes, std::string_view source);

/// Reads a model file. Throws as load_model does, and Error{file_error} if the file cannot be read.
[[nodiscard]] Model load_model_file(const std::string& path);

/// The bytes of a model file, the same for the same model.
/// Throws Error{invalid_argument} for a model that load_model would refuse.
[[nodiscard]] std::vector<std::byte> save_model(const Model& model);

}  // namespace sonolux

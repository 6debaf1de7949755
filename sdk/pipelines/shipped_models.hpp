// sonolux/sdk/pipelines/shipped_models.hpp
//
// Where the models that come with Sonolux lie, and how a model file is opened.
#pragma once

#include <filesystem>
#include <string>

#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

/// The folder of the shipped models: the environment variable SONOLUX_MODELS if it is set; otherwise, seen
/// from the running program, `models` of the source tree that it was built in or `share/sonolux/models` of
/// where it was installed. Throws Error{file_error} saying where it looked.
[[nodiscard]] std::filesystem::path models_folder();

/// `name` itself if there is such a file; otherwise the shipped model of that name ("denoise_sigma25");
/// otherwise `name`, for an error by whoever reads it.
[[nodiscard]] std::string find_model(const std::string& name);

/// Reads the model file `path` and makes its network once, so that whatever in it does not fit together is an
/// error that names the file. Throws as load_model_file and network_from_model do.
[[nodiscard]] Model open_model(const std::string& path);

}  // namespace sonolux

// sonolux/sdk/pipelines/shipped_models.cpp
#include <sonolux/sdk/pipelines/shipped_models.hpp>

#include <cstdlib>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {

namespace fs = std::filesystem;

fs::path models_folder() {
    if (const char* set = std::getenv("SONOLUX_MODELS"); set != nullptr && *set != '\0') {
        require(fs::is_directory(set), Status::file_error, "SONOLUX_MODELS: there is no folder ", set);
        return set;
    }
    std::error_code ignored;
    const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    // build/release/sonolux lies two folders below the source tree, build trees elsewhere one to three.
    for (const char* up : {"..", "../..", "../../.."})
        if (const fs::path folder = program / up / "models"; fs::exists(folder / "photographs.tsv"))
            return folder.lexically_normal();
    fs::path installed = (program / "../share/sonolux/models").lexically_normal();
    require(fs::is_directory(installed), Status::file_error, "the shipped models were not found, neither in ",
            installed.string(), " nor in a source tree above ", program.string(),
            "; the environment variable SONOLUX_MODELS can name their folder");
    return installed;
}

std::string find_model(const std::string& name) {
    if (fs::exists(name) || name.find('/') != std::string::npos) return name;
    try {
        for (const char* extension : {"", ".safetensors"})
            if (const fs::path path = models_folder() / (name + extension); fs::is_regular_file(path))
                return path.string();
    } catch (const Error&) {  // no folder of shipped models: then it is a file name like any other
    }
    return name;
}

Model open_model(const std::string& path) {
    Model model = load_model_file(path);
    (void)network_from_model(model, path);
    return model;
}

}  // namespace sonolux

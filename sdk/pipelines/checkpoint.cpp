// sonolux/sdk/pipelines/checkpoint.cpp
#include <sonolux/sdk/pipelines/checkpoint.hpp>

#include <cmath>
#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/runtime/json.hpp>
#include <sonolux/sdk/runtime/safetensors.hpp>
#include <sonolux/sdk/runtime/sha256.hpp>

namespace sonolux {

namespace {

constexpr std::int64_t schema = 1;
constexpr const char* key = "sonolux_checkpoint";

NamedTensor tensor(const char* name, const std::vector<float>& values) {
    NamedTensor result{name, Array<float>({static_cast<Index>(values.size())})};
    std::copy(values.begin(), values.end(), result.values.begin());
    return result;
}

std::vector<float> values(const std::vector<NamedTensor>& tensors, const char* name,
                          const std::string& path) {
    for (const NamedTensor& one : tensors)
        if (one.name == name) return {one.values.begin(), one.values.end()};
    fail(Status::corrupt_data, path, ": there is no tensor \"", name, "\"");
}

std::uintmax_t bytes_of(const JsonField& field) { return static_cast<std::uintmax_t>(field.integer(0)); }

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
    const TrainingState& state = checkpoint.state;
    std::vector<NamedTensor> tensors;
    tensors.push_back(tensor("parameters", state.parameters));
    tensors.push_back(tensor("adam.first", state.adam.first));
    tensors.push_back(tensor("adam.second", state.adam.second));
    tensors.push_back(tensor("best_parameters", state.best_parameters));
    if (!state.running_peaks.empty()) tensors.push_back(tensor("running_peaks", state.running_peaks));
    Json header = Json::object();
    header.set("schema", schema)
        .set("step", state.step)
        .set("phase", state.phase)
        .set("step_in_phase", state.step_in_phase)
        .set("adam_steps", state.adam.steps)
        .set("running_norm", state.adam.running_norm)
        .set("best_psnr", std::isfinite(state.best_psnr) ? Json(state.best_psnr) : Json())
        .set("best_step", state.best_step)
        .set("metrics_bytes", static_cast<std::int64_t>(checkpoint.metrics_bytes))
        .set("events_bytes", static_cast<std::int64_t>(checkpoint.events_bytes))
        .set("seconds", checkpoint.seconds)
        .set("recipe", checkpoint.recipe)
        .set("images", checkpoint.images)
        .set("git_hash", checkpoint.git_hash)
        .set("sha256", sha256_text(safetensors_payload(tensors)));
    write_file_atomically(path, write_safetensors(tensors, {{key, to_text(header)}}));
}

std::optional<Checkpoint> read_checkpoint(const std::string& path) {
    if (!std::filesystem::exists(path)) return std::nullopt;
    const std::vector<std::byte> bytes = read_file(path, std::size_t(1) << 30);
    const SafetensorsHeader header = read_safetensors_header(bytes, path);
    const auto text = header.metadata.find(key);
    require(text != header.metadata.end(), Status::corrupt_data, path,
            ": is not a checkpoint of a training run");
    const Json document = parse_json(text->second, path);
    const JsonField field(document, path + ": " + key);
    require(field["schema"].integer() == schema, Status::unsupported, path, ": has checkpoint schema ",
            field["schema"].integer(), ", this version knows ", schema);
    require(field["sha256"].text() == sha256_text(header.payload), Status::corrupt_data, path,
            ": the tensors do not have the SHA-256 that the header says");
    const std::vector<NamedTensor> tensors = read_tensors(header);
    Checkpoint checkpoint;
    TrainingState& state = checkpoint.state;
    state.parameters = values(tensors, "parameters", path);
    state.adam.first = values(tensors, "adam.first", path);
    state.adam.second = values(tensors, "adam.second", path);
    state.best_parameters = values(tensors, "best_parameters", path);
    for (const NamedTensor& one : tensors)
        if (one.name == "running_peaks") state.running_peaks = values(tensors, "running_peaks", path);
    state.step = field["step"].integer(0);
    state.phase = field["phase"].integer(0);
    state.step_in_phase = field["step_in_phase"].integer(0);
    state.adam.steps = field["adam_steps"].integer(0);
    state.adam.running_norm = field["running_norm"].number(0);
    if (field.has("best_psnr")) state.best_psnr = field["best_psnr"].number();
    state.best_step = field["best_step"].integer(0);
    checkpoint.metrics_bytes = bytes_of(field["metrics_bytes"]);
    checkpoint.events_bytes = bytes_of(field["events_bytes"]);
    checkpoint.seconds = field["seconds"].number(0);
    checkpoint.recipe = field["recipe"].text();
    checkpoint.images = field["images"].text();
    checkpoint.git_hash = field["git_hash"].text();
    return checkpoint;
}

}  // namespace sonolux

// sonolux/sdk/runtime/model.cpp
#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/sdk/runtime/map_trust.hpp>
#include <sonolux/sdk/runtime/model.hpp>
#include <sonolux/sdk/runtime/sha256.hpp>
#include <sonolux/sdk/runtime/travel_time_problem.hpp>

namespace sonolux {
namespace {

constexpr std::string_view metadata_key = "sonolux";

// Noise of up to ten times full scale, and scales up to that of 32-bit integers: beyond, it is a mistake.
constexpr double max_sigma = 10;
constexpr double min_value_scale = 1e-6, max_value_scale = 4294967295.0;

constexpr Index max_kernel_size = Index{1} << 16;

Shape read_largest_kernel(const JsonField& geometry) {
    geometry.allow_only({"largest_kernel"});
    const JsonField field = geometry["largest_kernel"];
    const auto sizes = field.elements();
    require(sizes.size() == 2, Status::corrupt_data, field.where(), " must be [rows, columns], got ",
            sizes.size(), " numbers");
    return {sizes[0].integer(1, max_kernel_size), sizes[1].integer(1, max_kernel_size)};
}

ModelProblem read_problem(const JsonField& field) {
    field.allow_only({"kind", "sigma", "value_scale", "boundary", "geometry"});
    ModelProblem problem;
    problem.kind = field["kind"].text();
    const auto sigma = field["sigma"].elements();
    require(sigma.size() == 2, Status::corrupt_data, field.where(), ".sigma must be [lowest, highest], got ",
            sigma.size(), " numbers");
    problem.sigma_min = sigma[0].number(0, max_sigma);
    problem.sigma_max = sigma[1].number(problem.sigma_min, max_sigma);
    problem.value_scale = field["value_scale"].number(min_value_scale, max_value_scale);
    problem.boundary =
        field["boundary"].one_of({"zero", "circular", "replicate", "symmetric", "reflect", "taper", "valid"});
    if (field.has("geometry")) {
        (void)field["geometry"].has("");  // throws unless it is an object
        problem.geometry = field["geometry"].value();
    }
    if (problem.kind == "deblur" && field.has("geometry")) (void)read_largest_kernel(field["geometry"]);
    if (problem.kind == "sound_speed") (void)travel_time_problem_from_json(field["geometry"]);
    if (problem.kind == "lens") (void)lens_problem_from_json(field["geometry"]);
    return problem;
}

ModelTraining read_training(const JsonField& field) {
    field.allow_only({"recipe", "seed", "data", "git_hash"});
    return {field["recipe"].text(), field["seed"].integer(0), field["data"].text(), field["git_hash"].text()};
}

Json to_json(const Model& model, const std::string& sha256) {
    const ModelProblem& problem = model.problem;
    Json problem_json = Json::object();
    problem_json.set("kind", problem.kind)
        .set("sigma", Json::list().append(problem.sigma_min).append(problem.sigma_max))
        .set("value_scale", problem.value_scale)
        .set("boundary", problem.boundary);
    if (!problem.geometry.is_null()) problem_json.set("geometry", problem.geometry);

    const ModelTraining& training = model.training;
    Json json = Json::object();
    json.set("schema", Model::schema)
        .set("name", model.name)
        .set("architecture", model.architecture)
        .set("problem", std::move(problem_json))
        .set("training", Json::object()
                             .set("recipe", training.recipe)
                             .set("seed", training.seed)
                             .set("data", training.data)
                             .set("git_hash", training.git_hash))
        .set("licence", model.licence)
        .set("metrics", model.metrics);
    if (!model.trust.is_null()) json.set("trust", model.trust);
    return json.set("sha256", sha256);
}

/// Everything but the tensors and their digest.
Model from_json(const JsonField& field) {
    const std::int64_t schema = field["schema"].integer(1);
    require(schema <= Model::schema, Status::unsupported, field.where(), ".schema is ", schema,
            ": written by a newer version of Sonolux; this one reads schema ", Model::schema);
    field.allow_only(
        {"schema", "name", "architecture", "problem", "training", "licence", "metrics", "trust", "sha256"});
    Model model;
    model.name = field["name"].text();
    (void)field["architecture"].has("");  // throws unless it is an object
    model.architecture = field["architecture"].value();
    model.problem = read_problem(field["problem"]);
    model.training = read_training(field["training"]);
    model.licence = field["licence"].text();
    for (const JsonField& metric : field["metrics"].elements()) (void)metric["protocol"].text();
    model.metrics = field["metrics"].value();
    if (field.has("trust")) {
        require(model.problem.kind == "sound_speed", Status::corrupt_data, field.where(),
                ".trust is of models that map the speed of sound; the problem is \"", model.problem.kind,
                "\"");
        (void)trust_calibration_from_json(field["trust"]);
        model.trust = field["trust"].value();
    }
    return model;
}

}  // namespace

const Array<float>& Model::tensor(std::string_view tensor_name, const Shape& shape) const {
    for (const NamedTensor& tensor : tensors) {
        if (tensor.name != tensor_name) continue;
        require(tensor.values.shape() == shape, Status::corrupt_data, "model \"", name, "\": tensor \"",
                tensor_name, "\" is ", to_string(tensor.values.shape()), ", the architecture says ",
                to_string(shape));
        return tensor.values;
    }
    fail(Status::corrupt_data, "model \"", name, "\" has no tensor \"", tensor_name, "\"");
}

void set_deblurring(ModelProblem& problem, Index largest_rows, Index largest_columns) {
    problem.kind = "deblur";
    problem.geometry =
        Json::object().set("largest_kernel", Json::list().append(largest_rows).append(largest_columns));
}

Shape largest_kernel(const ModelProblem& problem) {
    if (problem.kind != "deblur" || problem.geometry.is_null()) return {0, 0};
    return read_largest_kernel(JsonField(problem.geometry, "sonolux.problem.geometry"));
}

Model load_model(std::span<const std::byte> bytes, std::string_view source) {
    require(bytes.size() <= max_model_bytes, Status::corrupt_data, source, ": ", bytes.size(),
            " bytes, at most ", max_model_bytes, " are read");
    const SafetensorsHeader header = read_safetensors_header(bytes, source);
    const auto text = header.metadata.find(std::string(metadata_key));
    require(text != header.metadata.end(), Status::corrupt_data, source,
            ": not a Sonolux model: its metadata has no \"sonolux\"");
    const std::string where = sentence(source, ": ", metadata_key);
    const Json json = parse_json(text->second, where);
    const JsonField field(json, where);
    Model model = from_json(field);
    const std::string sha256 = sha256_text(header.payload);
    require(field["sha256"].text() == sha256, Status::corrupt_data, source,
            ": the tensors are damaged: their SHA-256 is ", sha256, ", the header says ",
            field["sha256"].text());
    model.tensors = read_tensors(header);
    return model;
}

std::vector<std::byte> save_model(const Model& model) {
    const std::string sha256 = sha256_text(safetensors_payload(model.tensors));
    const std::string text = to_text(to_json(model, sha256));
    try {
        const std::string where = sentence("model \"", model.name, "\"");
        const Json json = parse_json(text, where);
        (void)from_json(JsonField(json, where));
    } catch (const Error& error) {
        throw Error(Status::invalid_argument, error.what());
    }
    return write_safetensors(model.tensors, {{std::string(metadata_key), text}});
}

}  // namespace sonolux

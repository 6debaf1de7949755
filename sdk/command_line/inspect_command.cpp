// sonolux/sdk/command_line/inspect_command.cpp
#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include <sonolux/sdk/command_line/channel_data_arguments.hpp>
#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/lens_figures.hpp>
#include <sonolux/sdk/pipelines/model_card.hpp>
#include <sonolux/sdk/pipelines/model_pictures.hpp>
#include <sonolux/sdk/pipelines/sample_pictures.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux::command_line {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string file, pictures;
    double sigma = 0;
    Index sample = -1;
    ChannelDataReadOptions channel_data;
};

struct Statistics {
    float lowest = 0, highest = 0;
    double mean = 0, deviation = 0;
};

Statistics statistics_of(View<const float> values) {
    Statistics s{values.data()[0], values.data()[0]};
    double sum = 0, squares = 0;
    for (float value : values) {
        s.lowest = std::min(s.lowest, value);
        s.highest = std::max(s.highest, value);
        sum += value;
    }
    const auto count = static_cast<double>(values.elements());
    s.mean = sum / count;
    for (float value : values) squares += (value - s.mean) * (value - s.mean);
    s.deviation = std::sqrt(squares / count);
    return s;
}

std::vector<std::string> row_of(const std::string& name, View<const float> values) {
    const Statistics s = statistics_of(values);
    return {name,
            to_string(values.shape()),
            fmt::format("{:.5g}", s.lowest),
            fmt::format("{:.5g}", s.highest),
            fmt::format("{:.5g}", s.mean),
            fmt::format("{:.5g}", s.deviation)};
}

void write_pictures(const Model& model, const Options& options) {
    fs::create_directories(options.pictures);
    for (const StagePictures& stage : draw_stages(model, options.sigma)) {
        for (const auto& [kind, canvas] :
             {std::pair{"filters", &stage.filters},
              {"activations", stage.activations ? &*stage.activations : nullptr}}) {
            if (canvas == nullptr) continue;
            const std::string path =
                (fs::path(options.pictures) / (stage.stage + "_" + kind + ".png")).string();
            write_image(path, canvas->planes());
            fmt::print("{}\n", path);
        }
    }
}

void inspect_model(const Options& options, const std::string& path) {
    const Model model = open_model(path);
    for (const auto& [name, value] : model_card(model)) fmt::print("{:<28}{}\n", name, value);
    fmt::print("{:<28}{} bytes, schema {}, SHA-256 of the parameters is right\n", "file", fs::file_size(path),
               Model::schema);
    fmt::print("{:<28}{}\n\n", "architecture", to_text(model.architecture));
    std::vector<std::vector<std::string>> rows;
    for (const NamedTensor& tensor : model.tensors) rows.push_back(row_of(tensor.name, tensor.values));
    fmt::print("{}", aligned({"tensor", "shape", "lowest", "highest", "mean", "deviation"}, rows));
    if (!options.pictures.empty()) write_pictures(model, options);
}

void inspect_image(const Options& options) {
    if (!options.pictures.empty())
        throw UsageError("--pictures is for models: " + options.file + " is an image");
    const Image image = read_image(options.file);
    fmt::print("{}: {} image, {} rows, {} columns, {} {} of {} bits{}\n", options.file, image.format,
               image.rows(), image.columns(), image.channels(),
               image.channels() == 1 ? "channel" : "channels", image.bits,
               image.had_alpha ? ", and transparency, which Sonolux drops" : "");
    std::vector<std::vector<std::string>> rows;
    for (Index c = 0; c < image.channels(); ++c) {
        const char* const colours[] = {"red", "green", "blue"};
        rows.push_back(row_of(image.channels() == 1 ? "grey" : colours[c], image.pixels.view()[c]));
    }
    fmt::print("{}", aligned({"channel", "size", "lowest", "highest", "mean", "deviation"}, rows));
}

void inspect_set(const Options& options) {
    const TrainingSet set = TrainingSet::open(options.file);
    const SetManifest& manifest = set.manifest();
    const Index sample = options.sample >= 0       ? options.sample
                         : set.available().empty() ? 0
                                                   : set.available().front();
    SampleBlock block;
    if (options.sample >= 0 || !set.available().empty()) block = set.read(sample);
    const auto say = [](const char* name, const std::string& value) {
        fmt::print("{:<28}{}\n", name, value);
    };
    say("set", manifest.name);
    say("domain", manifest.domain);
    say("samples", fmt::format("{} of {} are here", set.available().size(), manifest.samples));
    say("seed", std::to_string(manifest.seed));
    say("made by", fmt::format("Sonolux {}, {}", manifest.version, manifest.git_hash));
    fmt::print("\n");
    if (set.available().empty()) return;

    fmt::print("sample {}: {}\n", sample, manifest.families[block.families[0]]);
    std::vector<std::vector<std::string>> rows;
    for (std::size_t f = 0; f < manifest.fields.size(); ++f) {
        const SampleField& field = manifest.fields[f];
        std::vector<float> known;  // where nothing was measured there is NaN
        for (const float value : block.field(0, manifest, f))
            if (!std::isnan(value)) known.push_back(value);
        std::string size;
        for (const Index n : field.sizes) size += (size.empty() ? "" : " x ") + std::to_string(n);
        std::vector<std::string> row = {field.name, size, "", "", "", ""};
        if (!known.empty())
            row = row_of(field.name, View<const float>(known.data(), {static_cast<Index>(known.size())}));
        row[1] = size;
        row.insert(row.begin() + 1, field.unit);
        rows.push_back(std::move(row));
    }
    fmt::print("{}", aligned({"field", "unit", "size", "lowest", "highest", "mean", "deviation"}, rows));
    if (options.pictures.empty()) return;
    fs::create_directories(options.pictures);
    const std::string path =
        (fs::path(options.pictures) / fmt::format("{}_sample_{}.png", manifest.name, sample)).string();
    write_image(path, draw_sample(set, sample).planes());
    fmt::print("{}\n", path);
}

/// A folder with a manifest, the manifest, or a shard.
bool is_set(const std::string& file) {
    if (fs::is_directory(file) || fs::path(file).filename() == manifest_name) return true;
    if (fs::path(file).extension() != ".h5") return false;
    try {
        return Hdf5File::open(file).has("sonolux");
    } catch (const Error&) {
        return true;  // who reads it says what is wrong
    }
}

/// The lens that a recipe describes.
void inspect_lens(const Options& options) {
    if (options.pictures.empty())
        throw UsageError("of a recipe there are pictures only: --pictures FOLDER is missing");
    for (const std::string& path : write_lens_figures(options.file, options.pictures))
        fmt::print("{}\n", path);
}

void run(const Options& options) {
    if (fs::path(options.file).extension() == ".toml") return inspect_lens(options);
    if (is_set(options.file)) return inspect_set(options);
    if (looks_like_channel_data(options.file))
        return inspect_channel_data(options.file, options.channel_data, options.pictures);
    const std::string extension = fs::path(options.file).extension().string();
    if (extension == ".h5" || extension == ".hdf5" || extension == ".uff" || extension == ".mat")
        return inspect_channel_data(options.file, options.channel_data, options.pictures);  // says why not
    const std::string path = find_model(options.file);
    if (fs::path(path).extension() == ".safetensors")
        inspect_model(options, path);
    else
        inspect_image(options);
}

}  // namespace

void add_inspect(CLI::App& program, CommonOptions& common) {
    auto options = std::make_shared<Options>();
    CLI::App* command = add_command(
        program, common, "inspect", "Say what a model, an image, a recording or a training set holds.",
        "Of a model: what it is for, where it comes from, its licence and measured quality, whether its\n"
        "parameters are intact, and their statistics. Of an image: size, depth and range. Of a recording of "
        "an\n"
        "ultrasound probe: array, transmissions, sampling, and what is wrong with its channels. Of a "
        "training\n"
        "set or one of its shards: what it holds, and the values of one sample. Of a recipe for a lens:\n"
        "pictures of what the lens does.\n\n"
        "Example:\n  sonolux inspect denoise_sigma25 --pictures out/denoise_sigma25\n"
        "  sonolux inspect PWI_disk.mat --pictures out\n"
        "  sonolux inspect out/ray --sample 12 --pictures out\n"
        "  sonolux inspect simulation/recipes/lens_fresnel.toml --pictures out",
        [options] { run(*options); });
    command
        ->add_option("FILE", options->file,
                     "model (.safetensors, or name of a shipped one), PNG, TIFF or JPEG, recording (zea, "
                     "UFF, MATLAB), folder or shard (.h5) of a training set, recipe (.toml) of a lens")
        ->required();
    command
        ->add_option("--pictures", options->pictures,
                     "write filters and activations of each stage, the recording, the sample, or figures of "
                     "the lens, here")
        ->type_name("FOLDER");
    command->add_option("--sample", options->sample, "which sample of a training set; default: the first")
        ->check(number_from(0, 1e12))
        ->type_name("N");
    command
        ->add_option(
            "--sigma", options->sigma,
            "noise level to draw the activations for, of models that serve a range; default: its middle")
        ->check(noise_level())
        ->type_name("S");
    add_channel_data_options(*command, options->channel_data);
    add_frame_options(*command, options->channel_data);
}

}  // namespace sonolux::command_line

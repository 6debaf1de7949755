// sonolux/sdk/command_line/reconstruct_command.cpp
#include <filesystem>

#include <fmt/format.h>

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/reconstruct.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>

namespace sonolux::command_line {
namespace {

struct Options {
    std::string model, input, output, channels = "refuse";
    double sigma = 0;
    Index tile = 0;
    int bits = 0;
};

// Found out before the work is done, not after.
int bits_of_output(const Options& options, const Image& image) {
    std::string extension = std::filesystem::path(options.output).extension().string();
    for (char& letter : extension)
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    const bool png = extension == ".png";
    if (!png && extension != ".tif" && extension != ".tiff")
        throw UsageError(fmt::format("OUTPUT must end in .png, .tif or .tiff, got \"{}\"", options.output));
    if (options.bits == 32 && png) throw UsageError("--bits 32 needs a TIFF file: PNG holds at most 16 bits");
    if (options.bits > 0) return options.bits;
    if (png && image.bits > 16) {
        warn(fmt::format("{} holds floats, {} keeps 16 bits of [0, 1]", options.input, options.output));
        return 16;
    }
    return image.bits;
}

void run(const Options& options, const CommonOptions& common) {
    const Model model = load_model_file(find_model(options.model));
    const Image image = read_image(options.input);
    if (image.had_alpha) warn(fmt::format("{}: transparency was dropped", options.input));
    const int bits = bits_of_output(options, image);
    require_folder_of(options.output);

    ProgressLine progress;
    ReconstructSummary summary;
    const Image result = reconstruct(model, image, options.input,
                                     {.sigma = options.sigma,
                                      .tile = options.tile,
                                      .channels = options.channels == "separate" ? ChannelRule::separate
                                                  : options.channels == "luma"   ? ChannelRule::luma
                                                                                 : ChannelRule::refuse,
                                      .threads = common.threads,
                                      .progress =
                                          [&](const Progress& p) {
                                              return progress({"denoising", p.done, p.total, -1});
                                          }},
                                     &summary);
    progress.clear();
    write_image(options.output, result.pixels, bits);
    fmt::print(
        "{}: {} x {} x {}, {} bits, sigma {:g}, {} {} of up to {} x {}, {:.1f} MiB of workspace, {:.3f} s "
        "({})\n",
        options.output, result.channels(), result.rows(), result.columns(), bits, summary.sigma,
        summary.tiles, summary.tiles == 1 ? "tile" : "tiles", summary.tile_rows, summary.tile_columns,
        static_cast<double>(summary.workspace_bytes) / (1 << 20), summary.seconds, summary.device);
}

}  // namespace

void add_reconstruct(CLI::App& program, CommonOptions& common) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        add_command(program, common, "reconstruct", "Do what a model was trained for: denoise an image.",
                    "MODEL is a file, or the name of a shipped model. Values are the file's code values over "
                    "their range, without\n"
                    "gamma. Large images are worked on in tiles; the result is the same to the bit.\n\n"
                    "Example:\n  sonolux reconstruct denoise_any_sigma noisy.png clean.png --sigma 20",
                    [options, &common] { run(*options, common); });
    command->add_option("MODEL", options->model, "model file (.safetensors) or name of a shipped model")
        ->required();
    command->add_option("INPUT", options->input, "noisy image: PNG, TIFF or JPEG")->required();
    command->add_option("OUTPUT", options->output, "denoised image: .png, .tif or .tiff")->required();
    command
        ->add_option("--sigma", options->sigma,
                     "standard deviation of the noise, white being 255; needed by models that serve a range")
        ->check(noise_level())
        ->type_name("S");
    command->add_option("--tile", options->tile, "rows and columns of a tile; 0: by memory")
        ->check(number_from(0, 1 << 20))
        ->type_name("N");
    command
        ->add_option(
            "--channels", options->channels,
            "for colour images and a grey model: separate (each channel by itself), luma (make it grey), or "
            "refuse")
        ->check(CLI::IsMember({"refuse", "separate", "luma"}))
        ->type_name("RULE");
    command
        ->add_option("--bits", options->bits, "of OUTPUT: 8, 16, or 32 for float TIFF; as INPUT if not given")
        ->check(CLI::IsMember({8, 16, 32}))
        ->type_name("N");
}

}  // namespace sonolux::command_line

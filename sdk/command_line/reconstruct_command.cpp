// sonolux/sdk/command_line/reconstruct_command.cpp
#include <fmt/format.h>

#include <sonolux/sdk/command_line/deblur.hpp>
#include <sonolux/sdk/command_line/lens.hpp>
#include <sonolux/sdk/command_line/sound_speed.hpp>
#include <sonolux/sdk/pipelines/reconstruct.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>

namespace sonolux::command_line {
namespace {

struct Options {
    std::string model, input, output, channels = "opponent";
    double sigma = 0;
    Index tile = 0;
    int bits = 0;
    DeblurArguments deblur;
    SoundSpeedArguments sound_speed;
    LensArguments lens;
};

void run_blurred(const Options& options, const CommonOptions& common) {
    if (options.tile > 0) throw UsageError("--tile is for denoising and lenses: deblurring works on the whole image");
    DeblurArguments arguments = options.deblur;
    arguments.method = options.model;
    arguments.input = options.input;
    arguments.output = options.output;
    arguments.sigma = options.sigma;
    arguments.channels = channel_rule_from_string(options.channels);
    // Classical methods count on values of light, which differences of colours are not.
    if (arguments.channels == ChannelRule::opponent && is_classical_deblurring(options.model))
        arguments.channels = ChannelRule::separate;
    arguments.bits = options.bits;
    reconstruct_blurred(arguments, common);
}

void run(const Options& options, const CommonOptions& common) {
    if (is_sound_speed_method(options.model)) {
        require_cpu(common, options.model);
        SoundSpeedArguments arguments = options.sound_speed;
        arguments.method = options.model;
        arguments.input = options.input;
        arguments.output = options.output;
        return reconstruct_sound_speed(arguments, common);
    }
    if (!options.deblur.kernel.empty()) {
        require_cpu(common, options.model);
        return run_blurred(options, common);
    }
    const auto require_no_blur = [&](bool deblurs) {
        if (deblurs)
            throw UsageError(
                fmt::format("{} takes a blur away: --kernel FILE must say which", options.model));
    };
    require_no_blur(is_classical_deblurring(options.model));
    for (const auto& [name, given] : {std::pair{"--kernel-variable", !options.deblur.variable.empty()},
                                      {"--rotate-kernel", options.deblur.rotate_kernel},
                                      {"--border", !options.deblur.classical.border.empty()},
                                      {"--set", !options.deblur.classical.settings.empty()}})
        if (given) throw UsageError(fmt::format("{} belongs to --kernel FILE", name));
    Model model = open_model(find_model(options.model));
    if (model.problem.kind != "denoise") require_cpu(common, options.model);
    if (model.problem.kind == "sound_speed") {
        SoundSpeedArguments arguments = options.sound_speed;
        arguments.method = options.model;
        arguments.model = std::make_shared<const Model>(std::move(model));
        arguments.input = options.input;
        arguments.output = options.output;
        return reconstruct_sound_speed(arguments, common);
    }
    if (model.problem.kind == "lens") {
        LensArguments arguments = options.lens;
        arguments.input = options.input;
        arguments.output = options.output;
        arguments.bits = options.bits;
        arguments.tile = options.tile;
        return reconstruct_lens(model, arguments, common);
    }
    require_no_blur(model.problem.kind == "deblur");
    const Image image = read_image(options.input);
    if (image.had_alpha) warn(fmt::format("{}: transparency was dropped", options.input));
    const int bits = bits_of_output(options.output, options.bits, options.input, image);
    require_folder_of(options.output);

    ProgressLine progress;
    ReconstructSummary summary;
    const Image result = reconstruct(model, image, options.input,
                                     {.sigma = options.sigma,
                                      .tile = options.tile,
                                      .channels = channel_rule_from_string(options.channels),
                                      .threads = common.threads,
                                      .progress =
                                          [&](const Progress& p) {
                                              return progress({"denoising", p.done, p.total, -1});
                                          },
                                      .device = device_of(common)},
                                     &summary);
    progress.clear();
    if (result.channels() > summary.model_channels)
        fmt::print(stderr, "sonolux: {}: {} {}, each denoised by itself\n", options.input, result.channels(),
                   options.channels == "opponent" ? "opponent colours" : "channels");
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
    CLI::App* command = add_command(
        program, common, "reconstruct",
        "Denoise an image, take away a blur that is known or a lens's, or map the speed of sound.",
        "MODEL is a file or the name of a shipped model; to take away the blur of --kernel, one for "
        "deblurring "
        "or one of the\n"
        "classical methods wiener, richardson-lucy, tv and conjugate-gradients. Values are the file's code "
        "values "
        "over their\n"
        "range, without gamma. Large images are denoised in tiles; the result is the same to the bit.\n\n"
        "INPUT may be a recording of an ultrasound probe (zea, UFF, MATLAB): methods lbfgs and tikhonov, and "
        "models\n"
        "for the acquisition that they were trained for, make a map of the speed of sound from the delays "
        "between its\n"
        "transmissions.\n\n"
        "Models for a diffractive lens recover what its sensor would have seen without blur: channels of the "
        "camera,\n"
        "white-balanced. How the codes were read is printed (--light).\n\n"
        "Examples:\n"
        "  sonolux reconstruct denoise_any_sigma noisy.png clean.png --sigma 20\n"
        "  sonolux reconstruct tv blurred.png sharp.png --kernel kernel.png --sigma 2\n"
        "  sonolux reconstruct lens_harmonic capture.tif sharp.tif\n"
        "  sonolux reconstruct lbfgs recording.hdf5 speed.png",
        [options, &common] { run(*options, common); });
    command
        ->add_option("MODEL", options->model,
                     "model file (.safetensors), name of a shipped model, or classical method")
        ->required();
    command->add_option("INPUT", options->input, "noisy or blurred image: PNG, TIFF or JPEG; or a recording")
        ->required();
    command
        ->add_option("OUTPUT", options->output,
                     "restored image: .png, .tif or .tiff; a map of speeds also as .npy")
        ->required();
    command
        ->add_option("--sigma", options->sigma,
                     "standard deviation of the noise, white being 255; needed by models that serve a range, "
                     "estimated for "
                     "blurred images")
        ->check(noise_level())
        ->type_name("S");
    add_kernel_options(*command, options->deblur);
    add_sound_speed_options(*command, options->sound_speed);
    add_lens_options(*command, options->lens);
    add_device_option(*command, common);
    command->add_option("--tile", options->tile, "rows and columns of a tile; 0: by memory")
        ->check(number_from(0, 1 << 20))
        ->type_name("N");
    command
        ->add_option("--channels", options->channels,
                     "for colour images and a grey model: opponent (each plane of the opponent colours by "
                     "itself; default), separate (each channel by itself; what classical methods do), luma "
                     "(make it grey), or refuse")
        ->check(CLI::IsMember({"opponent", "separate", "luma", "refuse"}))
        ->type_name("RULE");
    command
        ->add_option("--bits", options->bits, "of OUTPUT: 8, 16, or 32 for float TIFF; as INPUT if not given")
        ->check(CLI::IsMember({8, 16, 32}))
        ->type_name("N");
}

}  // namespace sonolux::command_line

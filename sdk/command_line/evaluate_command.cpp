// sonolux/sdk/command_line/evaluate_command.cpp
#include <cmath>

#include <fmt/format.h>

#include <sonolux/sdk/command_line/deblur.hpp>
#include <sonolux/sdk/command_line/disc_test.hpp>
#include <sonolux/sdk/command_line/evaluate_speed.hpp>
#include <sonolux/sdk/command_line/lens.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>

namespace sonolux::command_line {
namespace {

struct Options {
    std::string model, csv, channels, kernel, kernel_variable, picture, mosaic;
    Index pictured = 0;
    EvaluateOptions evaluate;
    SpeedEvaluationArguments speed;
    MethodArguments classical;
    DiscTestArguments discs;
    bool seed_given = false;
};

void run_levin(const Options& options, const CommonOptions& common) {
    if (options.seed_given)
        throw UsageError("--seed is for protocols that add noise: the blurred images are real");
    if (!options.channels.empty())
        throw UsageError("--channels is for colour images: the blurred images are grey");
    LevinArguments arguments{options.model, options.evaluate.data, options.csv, options.classical};
    if (options.evaluate.sigma > 0) arguments.sigma = options.evaluate.sigma;
    evaluate_on_levin_set(arguments, common);
}

void run_blur(const Options& options, const CommonOptions& common) {
    BlurProtocolArguments arguments{.method = options.model,
                                    .data = options.evaluate.data,
                                    .csv = options.csv,
                                    .kernel = options.kernel,
                                    .variable = options.kernel_variable,
                                    .classical = options.classical,
                                    .seed = options.evaluate.seed};
    if (options.evaluate.sigma > 0) arguments.sigma = options.evaluate.sigma;
    if (!options.channels.empty()) arguments.channels = channel_rule_from_string(options.channels);
    evaluate_on_blurred_images(arguments, common);
}

std::vector<std::string> row_of(const ImageResult& image, bool with_size) {
    return {image.name,
            with_size ? fmt::format("{}{} x {}", image.channels > 1 ? "3 x " : "", image.rows, image.columns)
                      : "",
            fixed(image.noisy.psnr, 2),
            fixed(image.denoised.psnr, 3),
            fixed(image.denoised.clipped_psnr, 3),
            fixed(image.denoised.ssim, 4),
            fixed(1e3 * image.seconds, 1)};
}

void run(Options& options, const CommonOptions& common) {
    const bool blurs = options.evaluate.protocol == "blur";
    if (blurs || options.evaluate.protocol == "levin" || options.evaluate.protocol == "discs")
        require_cpu(common, "the protocol " + options.evaluate.protocol);
    for (const auto& [name, given] : {std::pair{"--kernel", !options.kernel.empty()},
                                      {"--kernel-variable", !options.kernel_variable.empty()}})
        if (given && !blurs) throw UsageError(fmt::format("{} belongs to --protocol blur", name));
    if (options.evaluate.protocol == "discs") {
        if (!options.evaluate.data.empty())
            throw UsageError("--data is for protocols that read images or sets");
        options.discs.method = options.model;
        options.discs.csv = options.csv;
        if (!options.speed.sound.lambdas.empty()) options.discs.lambda = options.speed.sound.lambdas.front();
        return evaluate_on_discs(options.discs, common);
    }
    if (options.evaluate.data.empty()) throw UsageError("--data is required");
    if (blurs) return run_blur(options, common);
    if (options.evaluate.protocol == "levin") return run_levin(options, common);
    const auto require_no_deblurring = [&](bool deblurs) {
        if (deblurs)
            throw UsageError(
                fmt::format("{} takes blurs away: choose --protocol blur or levin", options.model));
    };
    require_no_deblurring(is_classical_deblurring(options.model));
    for (const auto& [name, given] : {std::pair{"--border", !options.classical.border.empty()},
                                      {"--set", !options.classical.settings.empty()}})
        if (given) throw UsageError(fmt::format("{} belongs to --protocol blur or levin", name));
    Model model = open_model(find_model(options.model));
    if (model.problem.kind != "denoise") require_cpu(common, options.model);
    if (model.problem.kind == "sound_speed") {
        options.speed.sound.set = options.evaluate.data;
        options.speed.sound.seed = options.evaluate.seed;
        options.speed.csv = options.csv;
        return evaluate_speed(std::move(model), options.speed, common);
    }
    for (const auto& [name, given] : {std::pair{"--calibrate", !options.speed.calibrate.empty()},
                                      {"--report", !options.speed.report.empty()},
                                      {"--robustness", options.speed.robustness}})
        if (given)
            throw UsageError(fmt::format("{} is for models that map the speed of sound, {} does not", name,
                                         options.model));
    if (model.problem.kind == "lens")
        return evaluate_lens_model(model,
                                   {.data = options.evaluate.data,
                                    .seed = options.evaluate.seed,
                                    .mosaic = mosaic_of(options.mosaic),
                                    .picture = options.picture,
                                    .pictured = options.pictured},
                                   options.csv, common);
    if (!options.mosaic.empty())
        throw UsageError(fmt::format("--mosaic is for models that recover images through a lens, {} does not",
                                     options.model));
    require_no_deblurring(model.problem.kind == "deblur");
    require_folder_of(options.csv);
    ProgressLine progress;
    if (!options.channels.empty()) options.evaluate.channels = channel_rule_from_string(options.channels);
    options.evaluate.threads = common.threads;
    options.evaluate.device = device_of(common);
    options.evaluate.progress = [&](const Progress& p) { return progress(p); };
    const Evaluation evaluation = evaluate(model, options.evaluate);
    progress.clear();

    std::vector<std::vector<std::string>> rows;
    for (const ImageResult& image : evaluation.images) rows.push_back(row_of(image, true));
    rows.push_back(row_of(evaluation.mean, false));
    fmt::print("{}\n{}\n{}\n\n{}", model.name, evaluation.protocol, evaluation.device,
               aligned({"image", "size", "noisy PSNR", "PSNR", "clipped PSNR", "SSIM", "ms"}, rows));
    if (!options.csv.empty()) write_file_atomically(options.csv, to_csv(evaluation));
}

}  // namespace

void add_evaluate(CLI::App& program, CommonOptions& common) {
    auto options = std::make_shared<Options>();
    CLI::App* command = add_command(
        program, common, "evaluate", "Measure a method on images whose truth is known.",
        "Adds Gaussian noise, neither clipped nor quantised, denoises, and prints PSNR (dB), "
        "PSNR of the clipped\n"
        "estimate, SSIM (Wang 2004) of the clipped estimate and the time of each image, and the "
        "means over images.\n"
        "The noise depends on the seed and the place of the image in the folder alone.\n\n"
        "--protocol blur and levin measure deblurring instead, by a model or by wiener, richardson-lucy, tv "
        "or "
        "conjugate-gradients.\n"
        "blur: each image is blurred by the kernel of a file or, without one, by a drawn one (camera shake, "
        "defocus, Gaussian;\n"
        "at most 27 pixels), noise is added, and the estimate is measured over all that no border reaches.\n"
        "levin: on the 32 photographs of Levin et al. 2009 with their true kernels: without a border of 15 "
        "pixels, at the best shift\n"
        "within 5 pixels in steps of 1/4. FOLDER holds im1_kernel1_img.png ... im4_kernel8_img.png, "
        "gt/im1.png ... and Levin09.mat.\n\n"
        "Models that map the speed of sound are measured on a set of sonolux simulate with delays, beside "
        "the\n"
        "classical inversion (L-BFGS): medians of the errors over the whole map, in m/s; and, where they are "
        "calibrated, whether\n"
        "errors are as large as they state and whether they tell frames of another probe or of no tissue.\n\n"
        "Models for a diffractive lens are measured on photographs in colour, lifted to spectra and seen "
        "through that lens.\n\n"
        "--protocol discs simulates 40 recordings of discs, maps their speed of sound with a model, lbfgs or "
        "tikhonov,\n"
        "and prints how much of the contrast is found.\n\n"
        "Examples:\n"
        "  sonolux evaluate lbfgs --protocol discs --chart discs.svg\n"
        "  sonolux evaluate sound_speed_diverging --protocol discs --centre-frequency 2.5e6\n"
        "  sonolux evaluate denoise_sigma25 --data bsd68_gray --sigma 25 --protocol bsd68 --csv bsd68.csv\n"
        "  sonolux evaluate sound_speed_diverging --data speed_validation --calibrate "
        "calibrated.safetensors\n"
        "  sonolux evaluate deblur --protocol blur --data photographs --sigma 2 --seed 1\n"
        "  sonolux evaluate tv --protocol levin --data levin",
        [options, &common] { run(*options, common); });
    command
        ->add_option("MODEL", options->model,
                     "model file (.safetensors), name of a shipped model, or classical method")
        ->required();
    command
        ->add_option("--data", options->evaluate.data,
                     "folder of clean images (PNG, TIFF or JPEG), or of the Levin set")
        ->type_name("FOLDER");
    command
        ->add_option("--sigma", options->evaluate.sigma,
                     "standard deviation of the noise, white being 255; needed by models that serve a range "
                     "(blur: 2, levin: 1.5)")
        ->check(noise_level())
        ->type_name("S");
    command
        ->add_option("--protocol", options->evaluate.protocol,
                     "gaussian (default); bsd68: the same, on exactly those 68 images; blur; levin; or discs")
        ->check(CLI::IsMember({"gaussian", "bsd68", "blur", "levin", "discs"}))
        ->type_name("NAME");
    command
        ->add_option_function<std::uint64_t>(
            "--seed",
            [options](const std::uint64_t& seed) {
                options->evaluate.seed = seed;
                options->seed_given = true;
            },
            "of the noise, and of drawn kernels (default 0)")
        ->type_name("N");
    command
        ->add_option("--picture", options->picture,
                     "of models for a lens: picture (.png) of one piece, with maps of the colour differences")
        ->type_name("FILE");
    command->add_option("--piece", options->pictured, "which piece that is (default 0)")
        ->check(number_from(0, 23))
        ->type_name("N");
    command
        ->add_option("--channels", options->channels,
                     "for colour images and a grey model: opponent (each plane of the opponent colours by "
                     "itself; default), separate (each channel by itself), luma (make them grey), or refuse")
        ->check(CLI::IsMember({"opponent", "separate", "luma", "refuse"}))
        ->type_name("RULE");
    command
        ->add_option(
            "--kernel", options->kernel,
            "blur: the kernel of every image, as PNG, TIFF, NumPy .npy, MATLAB .mat or a text of numbers")
        ->type_name("FILE");
    command
        ->add_option("--kernel-variable", options->kernel_variable,
                     "which of a MATLAB file's variables: psf, or kernels{3} for an element of a cell array")
        ->type_name("NAME");
    options->classical.add_to(*command);
    add_disc_test_options(*command, options->discs);
    add_speed_evaluation_options(*command, options->speed);
    add_mosaic_option(*command, options->mosaic);
    add_device_option(*command, common);
    command->add_option("--csv", options->csv, "write the table to this file too")->type_name("FILE");
}

}  // namespace sonolux::command_line

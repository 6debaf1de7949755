// sonolux/sdk/command_line/evaluate_command.cpp
#include <cmath>

#include <fmt/format.h>

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>

namespace sonolux::command_line {
namespace {

struct Options {
    std::string model, csv, channels = "refuse";
    EvaluateOptions evaluate;
};

std::string fixed(double value, int digits) {
    return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, digits);
}

std::vector<std::string> row_of(const ImageResult& image, bool with_size) {
    return {image.name,
            with_size ? fmt::format("{} x {}", image.rows, image.columns) : "",
            fixed(image.noisy.psnr, 2),
            fixed(image.denoised.psnr, 3),
            fixed(image.denoised.clipped_psnr, 3),
            fixed(image.denoised.ssim, 4),
            fixed(1e3 * image.seconds, 1)};
}

void run(Options& options, const CommonOptions& common) {
    const Model model = load_model_file(find_model(options.model));
    require_folder_of(options.csv);
    ProgressLine progress;
    options.evaluate.luma = options.channels == "luma";
    options.evaluate.threads = common.threads;
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
    CLI::App* command =
        add_command(program, common, "evaluate", "Measure a denoiser on images whose truth is known.",
                    "Adds Gaussian noise, neither clipped nor quantised, denoises, and prints PSNR (dB), "
                    "PSNR of the clipped\n"
                    "estimate, SSIM (Wang 2004) of the clipped estimate and the time of each image, and the "
                    "means over images.\n"
                    "The noise depends on the seed and the place of the image in the folder alone.\n\n"
                    "Example:\n  sonolux evaluate denoise_sigma25 --data bsd68_gray --sigma 25 --protocol "
                    "bsd68 --csv bsd68.csv",
                    [options, &common] { run(*options, common); });
    command->add_option("MODEL", options->model, "model file (.safetensors) or name of a shipped model")
        ->required();
    command->add_option("--data", options->evaluate.data, "folder of clean images: PNG, TIFF or JPEG")
        ->required()
        ->type_name("FOLDER");
    command
        ->add_option("--sigma", options->evaluate.sigma,
                     "standard deviation of the noise, white being 255; needed by models that serve a range")
        ->check(noise_level())
        ->type_name("S");
    command
        ->add_option("--protocol", options->evaluate.protocol,
                     "gaussian (default), or bsd68: the same, on exactly those 68 images")
        ->check(CLI::IsMember({"gaussian", "bsd68"}))
        ->type_name("NAME");
    command->add_option("--seed", options->evaluate.seed, "of the noise (default 0)")->type_name("N");
    command->add_option("--channels", options->channels, "for colour images: luma (make them grey) or refuse")
        ->check(CLI::IsMember({"refuse", "luma"}))
        ->type_name("RULE");
    command->add_option("--csv", options->csv, "write the table to this file too")->type_name("FILE");
}

}  // namespace sonolux::command_line

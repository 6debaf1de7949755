// sonolux/sdk/command_line/deblur.cpp
#include <sonolux/sdk/command_line/deblur.hpp>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/kernel_file.hpp>
#include <sonolux/sdk/pipelines/evaluate_deblurring.hpp>

namespace sonolux::command_line {
namespace {

std::string how(const std::string& method, const DeblurReport& report) {
    std::string text = method + ": " + report.settings;
    if (report.iterations > 0)
        text += fmt::format("; {} {} ({})", report.iterations,
                            report.iterations == 1 ? "iteration" : "iterations", report.stopped);
    return text;
}

}  // namespace

void MethodArguments::add_to(CLI::App& command) {
    command
        .add_option(
            "--border", border,
            "of classical methods, what is assumed beyond the border: valid (nothing; the default but for "
            "wiener), taper or circular")
        ->check(CLI::IsMember({"valid", "taper", "circular"}))
        ->type_name("RULE");
    command
        .add_option("--set", settings,
                    "a setting of a classical method: iterations=50, weight=0.001, ...; may be repeated")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
}

DeblurMethodOptions MethodArguments::options(const CommonOptions& common) const {
    DeblurMethodOptions options{border, {}, common.threads};
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == 0 || equals == std::string::npos)
            throw UsageError(fmt::format("--set must be NAME=VALUE, got \"{}\"", setting));
        options.settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
    }
    return options;
}

void add_kernel_options(CLI::App& command, DeblurArguments& arguments) {
    command
        .add_option(
            "--kernel", arguments.kernel,
            "deblur: the kernel of the blur, as PNG, TIFF, NumPy .npy, MATLAB .mat or a text of numbers")
        ->type_name("FILE");
    command
        .add_option("--kernel-variable", arguments.variable,
                    "which of a MATLAB file's variables: psf, or kernels{3} for an element of a cell array")
        ->type_name("NAME");
    command.add_flag("--rotate-kernel", arguments.rotate_kernel,
                     "turn the kernel by 180 degrees: the file holds that of a correlation");
    arguments.classical.add_to(command);
}

void reconstruct_blurred(const DeblurArguments& arguments, const CommonOptions& common) {
    const auto deblurrer = make_deblurrer(arguments.method, arguments.classical.options(common));
    const Array<float> kernel = read_kernel(arguments.kernel, arguments.variable);
    const Image image = read_image(arguments.input);
    if (image.had_alpha) warn(fmt::format("{}: transparency was dropped", arguments.input));
    const int bits = bits_of_output(arguments.output, arguments.bits, arguments.input, image);
    require_folder_of(arguments.output);

    ProgressLine progress;
    DeblurSummary summary;
    const Image result = deblur(*deblurrer, image, arguments.input, kernel, arguments.kernel,
                                {.sigma = arguments.sigma,
                                 .channels = arguments.channels,
                                 .rotate_kernel = arguments.rotate_kernel,
                                 .threads = common.threads,
                                 .progress = [&](const Progress& p) { return progress(p); }},
                                &summary);
    progress.clear();
    for (const std::string& note : summary.notes) fmt::print(stderr, "sonolux: {}\n", note);
    for (const std::string& warning : summary.warnings) warn(warning);
    if (summary.kernel_seems_rotated)
        fmt::print(stderr, "sonolux: {} turns the kernel\n",
                   arguments.rotate_kernel ? "leaving out --rotate-kernel" : "--rotate-kernel");
    write_image(arguments.output, result.pixels, bits);
    fmt::print("{}: {} x {} x {}, {} bits, {} x {} kernel, {} {:.3g}, {:.3f} s ({})\n{}\n", arguments.output,
               result.channels(), result.rows(), result.columns(), bits, summary.kernel_rows,
               summary.kernel_columns, summary.sigma_estimated ? "estimated sigma" : "sigma", summary.sigma,
               summary.seconds, summary.report.device, how(arguments.method, summary.report));
}

void evaluate_on_levin_set(const LevinArguments& arguments, const CommonOptions& common) {
    const auto deblurrer = make_deblurrer(arguments.method, arguments.classical.options(common));
    require_folder_of(arguments.csv);
    ProgressLine progress;
    const LevinEvaluation evaluation = evaluate_levin(
        arguments.data, deblur_function(*deblurrer, [](const Progress&) { return !interrupted(); }),
        {.sigma = arguments.sigma, .threads = common.threads, .progress = [&](const Progress& p) {
             return progress(p);
         }});
    progress.clear();

    const auto table = levin_table(evaluation);
    fmt::print("{}\n{}\n{}\n\n{}\nPSNR in dB, {:.3f} s an image", how(arguments.method, deblurrer->report()),
               evaluation.protocol, deblurrer->report().device,
               aligned(table.front(), {table.begin() + 1, table.end()}), evaluation.mean.seconds);
    if (evaluation.at_the_limit > 0)
        fmt::print("; the best shift of {} {} is the largest that is tried", evaluation.at_the_limit,
                   evaluation.at_the_limit == 1 ? "image" : "images");
    fmt::print("\n");
    if (!arguments.csv.empty()) write_file_atomically(arguments.csv, to_csv(evaluation));
}

void evaluate_on_blurred_images(const BlurProtocolArguments& arguments, const CommonOptions& common) {
    const auto deblurrer = make_deblurrer(arguments.method, arguments.classical.options(common));
    require_folder_of(arguments.csv);
    EvaluateDeblurringOptions options;
    options.data = arguments.data;
    options.sigma = arguments.sigma;
    options.seed = arguments.seed;
    options.channels = arguments.channels;
    options.kernel_source = arguments.kernel;
    if (!arguments.kernel.empty()) options.kernel = read_kernel(arguments.kernel, arguments.variable);
    ProgressLine progress;
    options.progress = [&](const Progress& p) { return progress(p); };
    const DeblurringEvaluation result = evaluate_deblurring(*deblurrer, options);
    progress.clear();

    const Evaluation& evaluation = result.evaluation;
    std::vector<std::vector<std::string>> rows;
    const auto add = [&](const ImageResult& image, const std::string& size, const std::string& kernel) {
        rows.push_back({image.name, size, kernel, fixed(image.noisy.psnr, 2), fixed(image.noisy.ssim, 4),
                        fixed(image.denoised.psnr, 3), fixed(image.denoised.ssim, 4),
                        fixed(1e3 * image.seconds, 1)});
    };
    for (std::size_t i = 0; i < evaluation.images.size(); ++i)
        add(evaluation.images[i],
            fmt::format("{}{} x {}", evaluation.images[i].channels > 1 ? "3 x " : "",
                        evaluation.images[i].rows, evaluation.images[i].columns),
            fmt::format("{} x {}", result.kernels[i][0], result.kernels[i][1]));
    add(evaluation.mean, "", "");
    fmt::print("{}\n{}\n{}\n\n{}", how(arguments.method, result.report), evaluation.protocol,
               evaluation.device,
               aligned({"image", "size", "kernel", "blurred PSNR", "SSIM", "PSNR", "SSIM", "ms"}, rows));
    if (!arguments.csv.empty()) write_file_atomically(arguments.csv, to_csv(evaluation));
}

}  // namespace sonolux::command_line

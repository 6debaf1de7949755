// sonolux/sdk/command_line/lens.cpp
#include <sonolux/sdk/command_line/lens.hpp>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/pipelines/lens_capture.hpp>

namespace sonolux::command_line {

void add_lens_options(CLI::App& command, LensArguments& arguments) {
    const char* group = "Lenses";
    command
        .add_option("--light", arguments.light,
                    "what the codes of a capture through a lens are: linear (in light), srgb, or auto "
                    "(default): 8 bits are sRGB, more are linear")
        ->check(CLI::IsMember({"auto", "linear", "srgb"}))
        ->type_name("CODING")
        ->group(group);
    command
        .add_option("--electrons", arguments.electrons,
                    "of white in the most sensitive channel; by default in the middle of what the model was "
                    "trained for")
        ->check(number_from(1, 1e9))
        ->type_name("N")
        ->group(group);
}

void reconstruct_lens(const Model& model, const LensArguments& arguments, const CommonOptions& common) {
    const Image capture = read_image(arguments.input);
    const int bits = bits_of_output(arguments.output, arguments.bits, arguments.input, capture);
    require_folder_of(arguments.output);
    ProgressLine progress;
    RecoverySummary summary;
    const Array<float> result = recover_capture(model, capture, arguments.input,
                                                {.coding = light_coding_from_string(arguments.light),
                                                 .full_well = arguments.electrons,
                                                 .threads = common.threads,
                                                 .progress =
                                                     [&](const Progress& p) {
                                                         return progress({"recovering", p.done, p.total, -1});
                                                     }},
                                                &summary);
    progress.clear();
    write_image(arguments.output, result, bits);
    fmt::print(
        "{}: read as {}\n{}: {} x {} x {}, {} bits, {}; noise for {:.0f} electrons at white, {:.1f} "
        "MiB of workspace, {:.3f} s ({})\n",
        arguments.input, summary.reading, arguments.output, result.shape()[0], result.shape()[1],
        result.shape()[2], bits, summary.writing, summary.full_well,
        static_cast<double>(summary.workspace_bytes) / (1 << 20), summary.seconds, summary.device);
}

void evaluate_lens_model(const Model& model, EvaluateLensOptions options, const std::string& csv,
                         const CommonOptions& common) {
    require_folder_of(csv);
    require_folder_of(options.picture);
    options.threads = common.threads;
    ProgressLine progress;
    options.progress = [&](const Progress& p) { return progress(p); };
    const std::vector<LensResult> results = evaluate_lens(model, options);
    progress.clear();
    std::vector<std::vector<std::string>> rows;
    std::string text = "method,psnr,srgb_psnr,angle,ciede2000,psnr_r,psnr_g,psnr_b\n";
    for (const LensResult& r : results) {
        rows.push_back({r.method, fixed(r.psnr, 2), fixed(r.srgb_psnr, 2), fixed(r.angle, 2),
                        fixed(r.difference, 2), fixed(r.channel_psnr[0], 2), fixed(r.channel_psnr[1], 2),
                        fixed(r.channel_psnr[2], 2)});
        text += fmt::format("{},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f},{:.4f}\n", r.method, r.psnr,
                            r.srgb_psnr, r.angle, r.difference, r.channel_psnr[0], r.channel_psnr[1],
                            r.channel_psnr[2]);
    }
    fmt::print("{}\n{}: {} periodic pieces of {} x {} pixels, lifted to spectra\n\n{}", model.name,
               options.data, options.samples, options.size, options.size,
               aligned({"method", "linear PSNR", "sRGB PSNR", "angle", "CIEDE2000", "R", "G", "B"}, rows));
    if (!csv.empty()) write_file_atomically(csv, text);
}

}  // namespace sonolux::command_line

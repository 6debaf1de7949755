// sonolux/sdk/command_line/demo_command.cpp
#include <fmt/format.h>

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/demo.hpp>

namespace sonolux::command_line {
namespace {

void run(DemoOptions& options, const CommonOptions& common) {
    if (options.add_noise && options.image.empty()) throw UsageError("--add-noise belongs to --image FILE");
    if (!options.photographs.empty() && !options.image.empty())
        throw UsageError("--image and --photographs exclude each other");
    ProgressLine progress;
    options.threads = common.threads;
    options.progress = [&](const Progress& p) { return progress(p); };
    options.say = [&](const std::string& text) {
        progress.clear();
        fmt::print(stderr, "sonolux: {}\n", text);
    };
    const DemoSummary summary = run_demo(options);
    progress.clear();
    const auto table = demo_table(summary);
    fmt::print("{}\n", aligned(table.front(), {table.begin() + 1, table.end()}));
    if (!summary.deblurred.empty()) {
        const auto deblurred = deblurring_table(summary.deblurred);
        fmt::print("Deblurred, PSNR of each method:\n\n{}\n",
                   aligned(deblurred.front(), {deblurred.begin() + 1, deblurred.end()}));
    }
    if (!summary.lenses.empty()) {
        const auto lenses = lens_table(summary);
        fmt::print("Through a lens of one diffractive surface:\n\n{}\n",
                   aligned(lenses.front(), {lenses.begin() + 1, lenses.end()}));
    }
    if (!summary.sound_speed.empty()) {
        const auto mapped = sound_speed_table(summary.sound_speed);
        fmt::print("Speed of sound from simulated recordings, in m/s:\n\n{}\n",
                   aligned(mapped.front(), {mapped.begin() + 1, mapped.end()}));
    }
    fmt::print("PSNR in dB; times on {}.\nPictures and report: {}\n", summary.device,
               summary.report.string());
}

}  // namespace

void add_demo(CLI::App& program, CommonOptions& common) {
    auto options = std::make_shared<DemoOptions>();
    CLI::App* command = add_command(
        program, common, "demo",
        "Add noise and blur to photographs and take them away again, map the speed of sound, and show how "
        "well that went.",
        "Takes freely licensed photographs from a distribution package (fetched once), makes "
        "them grey, adds\n"
        "noise of standard deviation 15, 25 and 50 (white is 255), and denoises them with the "
        "shipped models.\n"
        "Then blurs them as a shaken camera and a lens out of focus would, and deblurs them with "
        "the shipped\n"
        "network, total variation and a Wiener filter. Sees them through two diffractive lenses, and takes "
        "that blur\n"
        "away. Then simulates two recordings of ultrasound in tissue and maps their speed of sound.\n\n"
        "Examples:\n"
        "  sonolux demo --output out/demo\n"
        "  sonolux demo --image noisy.jpg --sigma 15          denoise an image of yours\n"
        "  sonolux demo --image clean.png --add-noise         or add noise to it first",
        [options, &common] { run(*options, common); });
    command->add_option("--output", options->output, "folder for pictures and report.html (default out/demo)")
        ->type_name("FOLDER");
    command->add_option("--photographs", options->photographs, "use the images of this folder")
        ->type_name("FOLDER");
    command->add_option("--models", options->models, "use the models of this folder")->type_name("FOLDER");
    command->add_option("--image", options->image, "use this one image: PNG, TIFF or JPEG")
        ->type_name("FILE");
    command->add_flag("--add-noise", options->add_noise, "the image is clean: add noise to it first");
    command
        ->add_option("--sigma", options->sigmas,
                     "standard deviation of the noise, white being 255 (default 15 25 50; with --image 25)")
        ->check(noise_level())
        ->expected(1, 16)
        ->type_name("S");
}

}  // namespace sonolux::command_line

// sonolux/sdk/pipelines/demo.hpp
//
// The main job, shown: real photographs, noise and blur, recordings of ultrasound, and what the shipped
// models make of them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/pipelines/demo_deblurring.hpp>
#include <sonolux/sdk/pipelines/demo_sound_speed.hpp>
#include <sonolux/sdk/pipelines/evaluate_lens.hpp>

namespace sonolux {

struct DemoOptions {
    std::filesystem::path output = "out/demo";
    std::filesystem::path photographs;  ///< folder; empty: fetched once into photograph_cache()
    std::filesystem::path models;       ///< folder; empty: models_folder()

    std::string image;                ///< one image of the user's instead of photographs
    bool add_noise = false;           ///< to that image; otherwise it is taken to be noisy already
    std::vector<double> sigmas = {};  ///< empty: 15, 25, 50; for an image: 25

    int threads = 0;  ///< 0: all processors
    std::function<bool(const Progress&)> progress;
    std::function<void(const std::string&)> say;  ///< told of what takes long and what is missing
};

/// One image at one noise level.
struct DemoResult {
    std::string name;
    Index channels = 1, rows = 0, columns = 0;
    double sigma = 0;
    std::string model;
    bool truth_known = true;
    Quality noisy, denoised;    ///< if the truth is known
    double any_sigma_psnr = 0;  ///< of the model that takes sigma as an input; NaN without it
    double seconds = 0;         ///< of denoising
};

struct DemoSummary {
    std::vector<DemoResult> results;
    std::vector<DeblurDemoResult> deblurred;  ///< empty for an image of the user's, or without a model for it
    std::vector<std::vector<LensResult>> lenses;    ///< of each lens; likewise
    std::vector<SoundSpeedDemoResult> sound_speed;  ///< likewise
    std::string device;
    std::filesystem::path report;
};

/// Writes into the output folder, which is made:
///
///     NAME_sigmaS.png             truth, noisy, denoised, error
///     NAME_sigmaS_noisy.png       the whole images
///     NAME_sigmaS_denoised.png
///     NAME_shake.png, NAME_defocus.png and what else DeblurringDemo::show writes
///     lens_fresnel.png, lens_harmonic.png    truth, capture, linear estimate, recovered; differences in
///     colour speed_1_network.png and what else run_sound_speed_demo writes report.html
///
/// Throws Error where no model or photograph can be had, naming where it was looked for; Error{cancelled}
/// once `progress` has returned false.
DemoSummary run_demo(const DemoOptions& options);

/// What became of photographs through each lens: a header, and a line for each method.
[[nodiscard]] std::vector<std::vector<std::string>> lens_table(const DemoSummary& summary);

/// The table of what was denoised (deblurring_table is the other): a header, a line for each result, and
/// means for each noise level.
[[nodiscard]] std::vector<std::vector<std::string>> demo_table(const DemoSummary& summary);

}  // namespace sonolux

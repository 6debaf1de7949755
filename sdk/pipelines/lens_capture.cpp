// sonolux/sdk/pipelines/lens_capture.cpp
#include <sonolux/sdk/pipelines/lens_capture.hpp>

#include <algorithm>

#include <fmt/format.h>

#include <sonolux/core/srgb.hpp>
#include <sonolux/sdk/pipelines/tiled_lens_recovery.hpp>

namespace sonolux {

LightCoding light_coding_from_string(std::string_view word) {
    if (word == "auto") return LightCoding::automatic;
    if (word == "linear") return LightCoding::linear;
    require(word == "srgb", Status::invalid_argument, "light must be auto, linear or srgb, got \"", word,
            "\"");
    return LightCoding::srgb;
}

Array<float> recover_capture(const Model& model, const Image& capture, const std::string& source,
                             const RecoveryOptions& options, RecoverySummary* summary) {
    const LensProblem problem = lens_problem(model.problem, model.name);
    const View<const float> kernels = lens_kernels(model);
    require(capture.channels() == kernels.size(0), Status::unsupported, source, ": has ", capture.channels(),
            " channels, captures of ", model.name, " have ", kernels.size(0));
    const bool srgb = options.coding == LightCoding::srgb ||
                      (options.coding == LightCoding::automatic && capture.bits == 8);
    Array<float> light(capture.pixels.shape());
    for (Index n = 0; n < light.elements(); ++n)
        light.data()[n] = srgb ? static_cast<float>(srgb_to_linear(double{capture.pixels.data()[n]}))
                               : capture.pixels.data()[n];
    Context context(make_openmp_runner(options.threads));
    context.set_progress(options.progress);
    TiledLensRecovery recovery(model, options.field, capture.rows(), capture.columns(), options.tile,
                               context);
    Array<float> image(light.shape());
    const double full_well = options.full_well > 0 ? options.full_well : problem.usual_full_well();
    const auto begin = Context::Clock::now();
    const Status status = recovery.run(light, noise_of_capture(problem, light, full_well), image);
    require(status == Status::ok, status, source, ": was not recovered");
    if (summary != nullptr) {
        summary->seconds = std::chrono::duration<double>(Context::Clock::now() - begin).count();
        summary->reading = fmt::format("{} ({} bits)", srgb ? "sRGB codes" : "linear light", capture.bits);
        summary->writing = srgb ? "sRGB codes" : "linear light";
        summary->full_well = full_well;
        summary->tiles = recovery.tiles();
        summary->workspace_bytes = recovery.workspace_bytes();
        summary->device = context.description();
    }
    for (float& value : image) {
        value = std::clamp(value, 0.0F, 1.0F);
        if (srgb) value = static_cast<float>(linear_to_srgb(double{value}));
    }
    return image;
}

}  // namespace sonolux

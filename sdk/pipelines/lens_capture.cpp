// sonolux/sdk/pipelines/lens_capture.cpp
#include <sonolux/sdk/pipelines/lens_capture.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include <sonolux/core/srgb.hpp>
#include <sonolux/sdk/pipelines/tiled_lens_recovery.hpp>

namespace sonolux {

namespace {

/// The kernels of the distance that was told or found.
struct Refocused {
    std::shared_ptr<const LensField> field;
    double distance = 1;
    bool at_end = false;
};

Refocused refocus(const Model& model, View<const float> light, std::span<const double> noise,
                  const RecoveryOptions& options, Context& context) {
    if (!options.find_focus && options.distance == 1) return {options.field};
    require(options.field == nullptr, Status::invalid_argument,
            "kernels of a field are those of one distance: another one cannot be told or found");
    require(options.distance > 0 && std::isfinite(options.distance), Status::invalid_argument,
            "the distance of the sensor must be above 0 of the model's, got ", options.distance);
    const KernelsAtDistance kernels = kernels_at_distance(model, context);
    Refocused result{nullptr, options.distance};
    auto field = std::make_shared<LensField>();
    if (options.find_focus) {
        FocusEstimate found = find_focus(model, light, noise, kernels, *options.find_focus, context);
        result.distance = found.relative;
        result.at_end = found.at_the_end();
        field->kernels.push_back(std::move(found.kernels));
    } else {
        field->kernels.push_back(kernels(options.distance));
    }
    result.field = std::move(field);
    return result;
}

}  // namespace

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
    const bool raw = options.mosaic && capture.channels() == 1;
    require(raw || capture.channels() == kernels.size(0), Status::unsupported, source, ": has ",
            capture.channels(), " channels, captures of ", model.name, " have ", kernels.size(0),
            options.mosaic ? "" : " (or one that is raw, behind a mosaic that has to be named)");
    require(!options.mosaic || (kernels.size(0) == 3 && capture.rows() >= 2 && capture.columns() >= 2),
            Status::unsupported, source, ": a mosaic is of 3 channels and at least 2 x 2 pixels, ",
            model.name, " has ", kernels.size(0), " channels and the capture is ", capture.rows(), " x ",
            capture.columns());
    const bool srgb = options.coding == LightCoding::srgb ||
                      (options.coding == LightCoding::automatic && capture.bits == 8);
    Array<float> light(capture.pixels.shape());
    for (Index n = 0; n < light.elements(); ++n)
        light.data()[n] = srgb ? static_cast<float>(srgb_to_linear(double{capture.pixels.data()[n]}))
                               : capture.pixels.data()[n];
    if (options.mosaic) {
        Array<float> seen({capture.rows(), capture.columns()});
        if (raw)
            std::copy(light.begin(), light.end(), seen.begin());
        else
            options.mosaic->sample(light, seen.view());
        light = Array<float>({3, capture.rows(), capture.columns()});
        options.mosaic->interpolate(seen, BoundaryRule::reflect, light.view());
    }
    Context context(make_openmp_runner(options.threads));
    context.set_progress(options.progress);
    const double full_well = options.full_well > 0 ? options.full_well : problem.usual_full_well();
    const std::vector<double> noise = noise_of_capture(problem, light, full_well);
    const Refocused refocused = refocus(model, light, noise, options, context);
    TiledLensRecovery recovery(model, refocused.field, capture.rows(), capture.columns(), options.tile,
                               context);
    Array<float> image(light.shape());
    const auto begin = Context::Clock::now();
    const Status status = recovery.run(light, noise, image);
    require(status == Status::ok, status, source, ": was not recovered");
    if (summary != nullptr) {
        summary->seconds = std::chrono::duration<double>(Context::Clock::now() - begin).count();
        summary->reading = fmt::format("{} ({} bits)", srgb ? "sRGB codes" : "linear light", capture.bits);
        summary->writing = srgb ? "sRGB codes" : "linear light";
        summary->full_well = full_well;
        summary->distance = refocused.distance;
        summary->distance_at_end = refocused.at_end;
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

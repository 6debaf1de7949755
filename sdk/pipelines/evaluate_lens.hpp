// sonolux/sdk/pipelines/evaluate_lens.hpp
//
// A model for a lens, measured on photographs that are lifted to spectra and seen through that lens.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/core/mosaic.hpp>
#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

struct EvaluateLensOptions {
    std::string data;  ///< folder of photographs in colour, sRGB codes
    std::uint64_t seed = 0;
    Index size = 256, samples = 24;       ///< periodic pieces of the photographs
    Index reduction = 0;                  ///< of the photographs, 1 to 16; 0: as in training
    double full_well = 0;                 ///< electrons at white; 0: in the middle of what it was trained for
    std::optional<BayerMosaic> mosaic{};  ///< what the sensor sees scenes through
    std::string picture;      ///< file (.png) for the truth and what became of one piece; empty: none
    Canvas* drawn = nullptr;  ///< the same, to be put elsewhere; null: not wanted
    Index pictured = 0;       ///< which piece
    int threads = 0;
    std::function<bool(const Progress&)> progress{};
};

/// Means over the pieces.
struct LensResult {
    std::string method;     ///< "captured", "linear", or the model's name
    double psnr = 0;        ///< dB, of camera channels, linear in light, white is 1
    double srgb_psnr = 0;   ///< dB, of sRGB codes
    double angle = 0;       ///< degrees, where the truth is above 0.02
    double difference = 0;  ///< CIEDE2000
    double channel_psnr[3] = {0, 0, 0};
};

/// The lens, light and sensor are those of the recipe that the model file keeps; the recovery is told the
/// kernels of the model. Throws Error naming the model or the file, Error{cancelled} once the progress
/// callback has returned false.
[[nodiscard]] std::vector<LensResult> evaluate_lens(const Model& model, const EvaluateLensOptions& options);

}  // namespace sonolux

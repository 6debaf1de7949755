// sonolux/sdk/pipelines/lens_capture.hpp
//
// A model for a lens on the capture in an image file.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <sonolux/core/context.hpp>
#include <sonolux/core/mosaic.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/lens_field.hpp>
#include <sonolux/sdk/pipelines/lens_focus.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

/// What the codes of a file are.
enum class LightCoding {
    automatic,  ///< sRGB for 8 bits, which would show bands in the dark otherwise; linear for more
    linear,     ///< proportional to light
    srgb,
};

/// "auto", "linear" or "srgb". Throws Error{invalid_argument} for any other word.
[[nodiscard]] LightCoding light_coding_from_string(std::string_view word);

struct RecoveryOptions {
    LightCoding coding = LightCoding::automatic;
    double full_well = 0;  ///< electrons at white; 0: in the middle of what the model was trained for
    std::optional<BayerMosaic> mosaic{};  ///< what the sensor saw the capture through
    int threads = 0;                      ///< 0: all processors
    Index tile = 0;  ///< pixels a side that are recovered at once; 0: as TiledLensRecovery chooses
    std::shared_ptr<const LensField>
        field{};          ///< kernels all over the capture; null: the model's, everywhere
    double distance = 1;  ///< of the sensor, over that of the model's recipe
    std::optional<FocusOptions> find_focus{};  ///< then `distance` is not looked at
    std::function<bool(const Progress&)> progress{};
};

/// How it was done.
struct RecoverySummary {
    std::string reading, writing;  ///< "linear light (16 bits)"
    double full_well = 0, seconds = 0;
    double distance = 1;           ///< of the sensor, told or found
    bool distance_at_end = false;  ///< found where the search ends: it may be further off
    Index tiles = 1;
    std::size_t workspace_bytes = 0;  ///< of a tile
    std::string device;
};

/// The image without lens, coded as the capture is, clipped to [0, 1]. The channels are those of the camera,
/// balanced so that white is 1 in all of them. What lies beyond the border of the capture is guessed: pixels
/// nearer to it than the kernel reaches are less sure. Behind a mosaic the capture may have one channel, raw
/// (white-balanced as the others are), or the channels of the camera, of which those values count that the
/// mosaic has; the rest is interpolated. `source` (the file name) starts the message of errors
/// about the capture. Large captures are recovered in tiles, in bounded memory. A sensor that stands at
/// another distance than the model's recipe says has the kernels of there, everywhere. Throws
/// Error{unsupported} for captures that are not in colour, Error{invalid_argument} for a field of kernels
/// together with another distance, Error{cancelled} once the progress callback has returned false, and as
/// LensRecovery does.
[[nodiscard]] Array<float> recover_capture(const Model& model, const Image& capture,
                                           const std::string& source, const RecoveryOptions& options = {},
                                           RecoverySummary* summary = nullptr);

}  // namespace sonolux

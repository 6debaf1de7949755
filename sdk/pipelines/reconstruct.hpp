// sonolux/sdk/pipelines/reconstruct.hpp
//
// A model on an image file's pixels.
#pragma once

#include <functional>
#include <string>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/colour.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

struct ReconstructOptions {
    double sigma =
        0;           ///< noise level in units of 1/255 of the image range; 0: the model's, if it has one only
    Index tile = 0;  ///< rows and columns of a tile without its overlap; 0: chosen by memory
    View<const float> kernel{};  ///< for models that deblur: as ReconstructorOptions::kernel
    ChannelRule channels = ChannelRule::opponent;
    int threads = 0;  ///< 0: all processors
    std::function<bool(const Progress&)> progress{};
    std::shared_ptr<CudaDevice> device{};  ///< null: the CPU
};

/// How it was done.
struct ReconstructSummary {
    Index tiles = 0, tile_rows = 0, tile_columns = 0;
    std::size_t workspace_bytes = 0;
    double seconds = 0;  ///< of running, without loading and planning
    double sigma = 0;
    Index model_channels = 1;  ///< that the model looks at together
    std::string device;        ///< "cpu, avx512, 2 threads"
};

/// The reconstruction, with the bits of the image. Not clipped.
/// `source` (the image's file name) starts the message of errors about the image. Throws Error{unsupported}
/// where channels do not fit (require_channels), Error{cancelled} once the progress callback has returned
/// false, and as Reconstructor does.
[[nodiscard]] Image reconstruct(const Model& model, const Image& image, const std::string& source,
                                const ReconstructOptions& options = {},
                                ReconstructSummary* summary = nullptr);

}  // namespace sonolux

// sonolux/sdk/pipelines/evaluate.hpp
//
// How well a denoiser does on images whose truth is known, by a stated protocol.
//
// The protocol: white Gaussian noise is added, neither clipped nor quantised; image i (in the order of file
// names) has the noise of Philox(seed, streams::noise, i), in colour images of its own in every channel, so
// that everybody who evaluates with that seed sees the same noise. The model runs on the noisy image.
// Reported are the means over the images of
//
//     PSNR            of the estimate as it is
//     clipped PSNR    of the estimate clipped to the image range
//     SSIM            of the clipped estimate
//
// each taken image by image, against the truth, over all pixels and channels.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/pipelines/colour.hpp>

namespace sonolux {

struct Quality {
    double psnr = 0, clipped_psnr = 0;  ///< dB
    double ssim = 0;                    ///< NaN for images smaller than its window
};

/// Measures [rows, columns] or [channels, rows, columns] with values in [0, 1]. SSIM is the mean over
/// channels.
[[nodiscard]] Quality measure(View<const float> estimate, View<const float> truth);

/// Adds the protocol's noise of image `index`; `sigma` in units of 1/255. Contiguous, equal shapes.
void add_protocol_noise(View<const float> truth, double sigma, std::uint64_t seed, std::uint64_t index,
                        View<float> noisy);

struct EvaluateOptions {
    std::string data;  ///< folder of PNG, TIFF or JPEG images
    double sigma = 0;  ///< units of 1/255; 0: the model's, if it has one only
    std::uint64_t seed = 0;

    /// "gaussian": the above on whatever is in the folder. "bsd68": the same, and the folder must hold the 68
    /// grey images of 321 x 481 or 481 x 321 pixels.
    std::string protocol = "gaussian";

    ChannelRule channels = ChannelRule::opponent;  ///< for colour images and a model of one channel
    int threads = 0;                               ///< 0: all processors
    std::function<bool(const Progress&)> progress;
    std::shared_ptr<CudaDevice> device;  ///< null: the CPU
};

struct ImageResult {
    std::string name;
    Index rows = 0, columns = 0;
    Quality noisy, denoised;
    double seconds = 0;
    Index channels = 1;
};

struct Evaluation {
    std::vector<ImageResult> images;
    ImageResult mean;  ///< of all numbers
    double sigma = 0;
    std::string protocol;  ///< a sentence that can stand beside the numbers
    std::string device;
};

/// Throws Error naming the folder or file, the value and what was expected; Error{cancelled} once the
/// progress callback has returned false.
[[nodiscard]] Evaluation evaluate(const Model& model, const EvaluateOptions& options);

/// The means of all numbers, named "mean".
[[nodiscard]] ImageResult mean_of(const std::vector<ImageResult>& images);

/// One line per image and one for the mean, with a header; NaN is an empty field.
[[nodiscard]] std::string to_csv(const Evaluation& evaluation);

/// Reconstructors of one model for images of changing sizes, made when first needed.
class ReconstructorPool {
public:
    /// `device` null: on the CPU.
    ReconstructorPool(const Model& model, double sigma, int threads, std::shared_ptr<CudaDevice> device = {});

    /// Bound, for planes of this size.
    [[nodiscard]] Reconstructor& of_size(Index rows, Index columns);

private:
    const Model& model_;
    double sigma_;
    int threads_;
    std::shared_ptr<CudaDevice> device_;
    std::vector<std::unique_ptr<Reconstructor>> ready_;
};

/// The names of the images in a folder (.png, .tif, .tiff, .jpg, .jpeg), sorted. Throws Error{file_error} if
/// it cannot be read or holds none.
[[nodiscard]] std::vector<std::string> images_in(const std::string& folder);

}  // namespace sonolux

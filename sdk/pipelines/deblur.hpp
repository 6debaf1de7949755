// sonolux/sdk/pipelines/deblur.hpp
//
// Photographs whose blur is known, sharpened: by a classical method or by a model.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/colour.hpp>
#include <sonolux/sdk/pipelines/levin_protocol.hpp>

namespace sonolux {

/// How a method came to its result.
struct DeblurReport {
    std::string settings;  ///< in words
    Index iterations = 0;  ///< 0 for a closed form or a network
    std::string stopped;   ///< why it ended; empty where it has no iterations
    std::string device;
};

/// A way to sharpen planes of any size. Serves one caller at a time.
class Deblurrer {
public:
    using ProgressCallback = std::function<bool(const Progress&)>;

    virtual ~Deblurrer() = default;
    Deblurrer(const Deblurrer&) = delete;
    Deblurrer& operator=(const Deblurrer&) = delete;

    /// The estimate of the sharp scene, of the size of `blurred` [rows, columns] in [0, 1], not clipped.
    /// `kernel` has odd sizes and sum 1 and its centre in the middle; `sigma` is the standard deviation of
    /// the noise in units of 1/255. Throws Error{invalid_argument} naming what is out of range,
    /// Error{cancelled} once the progress callback has returned false.
    [[nodiscard]] virtual Array<float> run(View<const float> blurred, View<const float> kernel, double sigma,
                                           const ProgressCallback& progress) = 0;

    /// Of the last run.
    [[nodiscard]] const DeblurReport& report() const noexcept { return report_; }

    /// What `run` takes: above the first where that is 0, and up to the second.
    [[nodiscard]] double lowest_sigma() const noexcept { return lowest_sigma_; }
    [[nodiscard]] double highest_sigma() const noexcept { return highest_sigma_; }

protected:
    Deblurrer() = default;

    DeblurReport report_;
    double lowest_sigma_ = 0, highest_sigma_ = 255;
};

struct DeblurMethodOptions {
    std::string border;  ///< of classical methods: circular, taper or valid; empty: valid where there is one
    std::vector<std::pair<std::string, std::string>>
        settings;     ///< of classical methods, as deconvolution_options
    int threads = 0;  ///< 0: all processors
};

/// Whether `method` names a classical one: "wiener", "richardson-lucy", "tv", "conjugate-gradients".
[[nodiscard]] bool is_classical_deblurring(std::string_view method) noexcept;

/// A classical method by its name, or else a model: a file, or the name of a shipped one. Throws
/// Error{invalid_argument} naming the option and the value, Error{unsupported} for a model that was not
/// trained for deblurring, and as load_model_file does.
[[nodiscard]] std::unique_ptr<Deblurrer> make_deblurrer(const std::string& method,
                                                        const DeblurMethodOptions& options = {});

/// For evaluate_levin. `progress` is asked whether to go on. Valid as long as the deblurrer lives.
[[nodiscard]] DeblurFunction deblur_function(Deblurrer& deblurrer, Deblurrer::ProgressCallback progress = {});

struct DeblurOptions {
    double sigma = 0;  ///< of the noise, in units of 1/255; 0: estimated from the image
    ChannelRule channels = ChannelRule::separate;  ///< which planes of a colour image are sharpened
    bool rotate_kernel = false;                    ///< the file holds the kernel of a correlation
    int threads = 0;  ///< for the estimate of sigma and the check of the kernel; 0: all processors
    Deblurrer::ProgressCallback progress;
};

struct DeblurSummary {
    DeblurReport report;                        ///< of the last channel
    Index kernel_rows = 0, kernel_columns = 0;  ///< as it was used
    bool kernel_seems_rotated = false;          ///< by 180 degrees, as a correlation would have it
    double sigma = 0;
    bool sigma_estimated = false;
    double seconds = 0;                 ///< that the method took
    double change = 0;                  ///< root mean square of what was changed, in units of 1/255
    std::vector<std::string> notes;     ///< sentences on what was done to the kernel
    std::vector<std::string> warnings;  ///< sentences on what looks wrong
};

/// The sharpened image, with the bits of `image`; not clipped. `kernel` may be of any size and sum
/// (normalise_kernel). `source` and `kernel_source` (names of files) start the messages about them.
///
/// Warns where the kernel fits better when it is turned by 180 degrees, where sigma is far above the noise
/// that the image shows, and, saying why, where next to nothing was changed.
[[nodiscard]] Image deblur(Deblurrer& deblurrer, const Image& image, const std::string& source,
                           View<const float> kernel, const std::string& kernel_source,
                           const DeblurOptions& options = {}, DeblurSummary* summary = nullptr);

}  // namespace sonolux

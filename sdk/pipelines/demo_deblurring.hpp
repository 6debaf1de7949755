// sonolux/sdk/pipelines/demo_deblurring.hpp
//
// The half of the demonstration that is about blur: photographs blurred by simulated camera shake and
// defocus, and what the shipped network and two classical methods make of them.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sonolux/sdk/files/canvas.hpp>
#include <sonolux/sdk/pipelines/deblur.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>

namespace sonolux {

/// One photograph with one blur.
struct DeblurDemoResult {
    struct Method {
        Quality quality;
        double seconds = 0;  ///< of deblurring, set-up included
    };

    std::string name, blur;  ///< the photograph's, and "camera shake" or "defocus"
    Index rows = 0, columns = 0, kernel_rows = 0, kernel_columns = 0;
    double sigma = 0;
    Quality blurred;
    std::array<Method, 3> methods;  ///< the network, total variation, Wiener
};

class DeblurringDemo {
public:
    /// Of white being 255.
    static constexpr double sigma = 2;

    /// How many blurs each photograph gets.
    static constexpr Index blurs = 2;

    /// Rows and columns of the smallest photograph that `show` takes: of less, blurs leave nothing to see.
    static constexpr Index smallest = 64;

    /// `model` is the file of a network for deblurring; pictures go to `output`.
    DeblurringDemo(const std::filesystem::path& model, std::filesystem::path output, int threads);

    struct Picture {
        Canvas figure;            ///< truth, blurred with the kernel, by total variation, by the network
        std::string title, stem;  ///< the whole picture is OUTPUT/STEM.png
    };

    /// Blurs `scene` [rows, columns] in way `blur` (0 camera shake, 1 defocus), deblurs and measures it, and
    /// writes
    ///
    ///     NAME_shake.png, NAME_defocus.png      truth, blurred with the kernel, total variation, deblurred
    ///     NAME_shake_blurred.png                the whole images
    ///     NAME_shake_deblurred.png
    ///     NAME_shake_kernel.png                 scaled so that its largest tap is white
    ///
    /// `index` chooses the kernel and the noise. The picture is of the middle.
    Picture show(const std::string& name, View<const float> scene, Index blur, std::uint64_t index);

    [[nodiscard]] const std::vector<DeblurDemoResult>& results() const noexcept { return results_; }

private:
    std::filesystem::path output_;
    std::array<std::unique_ptr<Deblurrer>, 3> methods_;
    std::vector<DeblurDemoResult> results_;
};

/// A header, a line for each result, and means for each kind of blur: PSNR in dB of the blurred photograph
/// and of each method, SSIM, and milliseconds.
[[nodiscard]] std::vector<std::vector<std::string>> deblurring_table(
    const std::vector<DeblurDemoResult>& results);

}  // namespace sonolux

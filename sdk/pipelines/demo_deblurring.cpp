// sonolux/sdk/pipelines/demo_deblurring.cpp
#include <sonolux/sdk/pipelines/demo_deblurring.hpp>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <sonolux/sdk/pipelines/comparison.hpp>
#include <sonolux/sdk/pipelines/evaluate_deblurring.hpp>
#include <sonolux/simulation/degradation/blur_kernels.hpp>

namespace sonolux {
namespace {

constexpr const char* blur_names[DeblurringDemo::blurs] = {"camera shake", "defocus"};
constexpr const char* blur_stems[DeblurringDemo::blurs] = {"shake", "defocus"};

// Of sizes that shake a photograph of half a megapixel well, and that the shipped network knows.
Array<float> draw_kernel(Index blur, std::uint64_t index) {
    constexpr std::uint64_t seed = 0;
    Philox random(seed, streams::blur_kernels, index);
    if (blur == 0) return draw_camera_shake({.smallest_size = 15, .largest_size = 25}, random);
    return draw_defocus({.radius_from = 2.5, .radius_to = 4.5}, random);
}

}  // namespace

DeblurringDemo::DeblurringDemo(const std::filesystem::path& model, std::filesystem::path output, int threads)
    : output_(std::move(output)) {
    const std::string names[] = {model.string(), "tv", "wiener"};
    for (std::size_t m = 0; m < methods_.size(); ++m)
        methods_[m] = make_deblurrer(names[m], {.border = {}, .settings = {}, .threads = threads});
}

DeblurringDemo::Picture DeblurringDemo::show(const std::string& name, View<const float> scene, Index blur,
                                             std::uint64_t index) {
    const Array<float> kernel = draw_kernel(blur, index);
    const BlurredPhotograph photograph = blur_photograph(scene, kernel, sigma, 0, index);
    const View<const float> truth = photograph.truth, blurred = photograph.blurred;
    DeblurDemoResult result;
    result.name = name;
    result.blur = blur_names[blur];
    result.rows = truth.rows();
    result.columns = truth.columns();
    result.kernel_rows = kernel.shape()[0];
    result.kernel_columns = kernel.shape()[1];
    result.sigma = sigma;
    result.blurred = measure(blurred, truth);
    std::array<Array<float>, std::tuple_size_v<decltype(methods_)>> estimates;
    for (std::size_t m = 0; m < methods_.size(); ++m) {
        const auto start = Context::Clock::now();
        estimates[m] = methods_[m]->run(blurred, kernel, sigma, {});
        result.methods[m].seconds = std::chrono::duration<double>(Context::Clock::now() - start).count();
        result.methods[m].quality = measure(estimates[m], truth);
    }

    Picture picture{{1, 1},
                    fmt::format("{}, {} {} x {}, σ = {:g}", name, result.blur, result.kernel_rows,
                                result.kernel_columns, sigma),
                    fmt::format("{}_{}", name, blur_stems[blur])};
    const auto draw = [&](Index most) {
        return draw_deblurring(truth, blurred, kernel, estimates[1], estimates[0], picture.title, most);
    };
    constexpr Index detail = 192, page = 1024;
    picture.figure = draw(detail);
    const auto write = [&](const char* what, View<const float> pixels) {
        write_image((output_ / (picture.stem + what + ".png")).string(), pixels);
    };
    write("", draw(page).planes());
    write("_blurred", blurred);
    write("_deblurred", estimates[0]);
    Array<float> white = kernel.clone();
    const float largest = *std::max_element(white.begin(), white.end());
    for (float& tap : white) tap /= largest;
    write_image((output_ / (picture.stem + "_kernel.png")).string(), white, 16);
    results_.push_back(std::move(result));
    return picture;
}

std::vector<std::vector<std::string>> deblurring_table(const std::vector<DeblurDemoResult>& results) {
    std::vector<std::vector<std::string>> table{{"photograph", "size", "blur", "blurred", "SSIM", "network",
                                                 "SSIM", "ms", "TV", "SSIM", "ms", "Wiener", "SSIM", "ms"}};
    const auto add = [&](const DeblurDemoResult& sum, double count, const std::string& name,
                         const std::string& size, const std::string& blur) {
        std::vector<std::string> row{name, size, blur, fmt::format("{:.2f}", sum.blurred.psnr / count),
                                     fmt::format("{:.3f}", sum.blurred.ssim / count)};
        for (const DeblurDemoResult::Method& method : sum.methods) {
            row.push_back(fmt::format("{:.2f}", method.quality.psnr / count));
            row.push_back(fmt::format("{:.3f}", method.quality.ssim / count));
            row.push_back(fmt::format("{:.0f}", 1e3 * method.seconds / count));
        }
        table.push_back(std::move(row));
    };
    DeblurDemoResult sum;
    int in_sum = 0;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const DeblurDemoResult& r = results[i];
        add(r, 1, r.name, fmt::format("{} x {}", r.rows, r.columns),
            fmt::format("{} {} x {}", r.blur, r.kernel_rows, r.kernel_columns));
        ++in_sum;
        sum.blurred.psnr += r.blurred.psnr;
        sum.blurred.ssim += r.blurred.ssim;
        for (std::size_t m = 0; m < r.methods.size(); ++m) {
            sum.methods[m].quality.psnr += r.methods[m].quality.psnr;
            sum.methods[m].quality.ssim += r.methods[m].quality.ssim;
            sum.methods[m].seconds += r.methods[m].seconds;
        }
        if (i + 1 < results.size() && results[i + 1].blur == r.blur) continue;
        if (in_sum > 1) add(sum, in_sum, "mean", "", r.blur);
        sum = {};
        in_sum = 0;
    }
    return table;
}

}  // namespace sonolux

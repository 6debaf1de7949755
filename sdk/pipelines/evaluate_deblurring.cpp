// sonolux/sdk/pipelines/evaluate_deblurring.cpp
#include <sonolux/sdk/pipelines/evaluate_deblurring.hpp>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include <sonolux/core/image_planes.hpp>
#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/solvers/kernel_check.hpp>

namespace sonolux {
namespace {

Array<float> deblur_planes(Deblurrer& deblurrer, View<const float> seen, View<const float> kernel,
                           double sigma, ChannelRule rule, const Deblurrer::ProgressCallback& progress) {
    const bool opponent = seen.size(0) == 3 && rule == ChannelRule::opponent;
    Array<float> planes(seen.shape());
    std::copy(seen.begin(), seen.end(), planes.begin());
    if (opponent) to_opponent_colours(planes);
    for (Index c = 0; c < seen.size(0); ++c) {
        const Array<float> estimate = deblurrer.run(planes.view()[c], kernel, sigma, progress);
        std::copy(estimate.begin(), estimate.end(), planes.view()[c].data());
    }
    if (opponent) from_opponent_colours(planes);
    return planes;
}

}  // namespace

BlurredPhotograph blur_photograph(View<const float> scene, View<const float> kernel, double sigma,
                                  std::uint64_t seed, std::uint64_t index) {
    const Index rows = scene.rows() - kernel.rows() + 1, columns = scene.columns() - kernel.columns() + 1;
    require(kernel.rows() % 2 == 1 && kernel.columns() % 2 == 1 && rows >= 1 && columns >= 1,
            Status::invalid_argument, "the kernel must have odd sizes and not be larger than the scene of ",
            to_string(scene.shape()), ", got ", to_string(kernel.shape()));
    Context context(make_serial_runner());
    // The border rule reaches none of the pixels that are kept.
    const Convolution blur({scene.rows(), scene.columns()}, kernel, BoundaryRule::symmetric);
    context.workspace().reserve(blur.workspace_bytes(context));
    Array<float> everywhere({scene.rows(), scene.columns()});

    const Shape shape = scene.rank() == 2 ? Shape{rows, columns} : Shape{scene.size(0), rows, columns};
    BlurredPhotograph result{Array<float>(shape), Array<float>(shape)};
    Array<float> seen(shape);
    const auto keep = [&](View<const float> whole, View<float> part) {
        for (Index i = 0; i < rows; ++i)
            std::copy_n(whole.row(kernel.rows() / 2 + i) + kernel.columns() / 2, columns, part.row(i));
    };
    for (Index c = 0; c < plane_count(scene); ++c) {
        blur.apply(plane_of(scene, c), everywhere, context);
        keep(plane_of(scene, c), plane_of(result.truth.view(), c));
        keep(everywhere, plane_of(seen.view(), c));
    }
    add_protocol_noise(seen, sigma, seed, index, result.blurred);
    return result;
}

BlurKernelOptions blur_protocol_kernels() {
    BlurKernelOptions options;
    options.camera_shake_weight = 0.8;
    options.defocus_weight = options.gaussian_weight = 0.1;
    options.camera_shake.largest_size = blur_protocol_kernel_size;
    options.gaussian.sigma_to = blur_protocol_kernel_size / 2 / 4.0;  // kernels reach 4 standard deviations
    return options;
}

DeblurringEvaluation evaluate_deblurring(Deblurrer& deblurrer, const EvaluateDeblurringOptions& options) {
    require(options.sigma > 0 && options.sigma <= 255, Status::invalid_argument,
            "sigma must be above 0 and at most 255, got ", options.sigma);
    const std::vector<std::string> names = images_in(options.data);
    DeblurringEvaluation result;
    Evaluation& evaluation = result.evaluation;
    evaluation.sigma = options.sigma;
    bool in_colour = false;
    const auto begin = Context::Clock::now();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string path = (std::filesystem::path(options.data) / names[i]).string();
        Image image = read_image(path);
        require_channels(image.channels(), 1, options.channels, path, "deblurring");
        if (image.channels() > 1 && options.channels == ChannelRule::luma) image = to_grey(image);
        in_colour = in_colour || image.channels() > 1;
        const Array<float> kernel =
            options.kernel.elements() > 0
                ? normalise_kernel(options.kernel, {image.rows(), image.columns()}, options.kernel_source)
                      .kernel
                : draw_blur_kernel(blur_protocol_kernels(), options.seed, i);
        BlurredPhotograph photograph;
        Array<float> estimate;
        auto start = Context::Clock::now();
        try {
            photograph = blur_photograph(image.pixels, kernel, options.sigma, options.seed, i);
            start = Context::Clock::now();
            estimate = deblur_planes(
                deblurrer, photograph.blurred, kernel, options.sigma, options.channels, [&](const Progress&) {
                    return !options.progress || options.progress({"evaluating", static_cast<Index>(i),
                                                                  static_cast<Index>(names.size()), -1});
                });
        } catch (const Error& error) {
            throw Error(error.status(), sentence(path, ": ", error.what()));
        }
        const std::chrono::duration<double> taken = Context::Clock::now() - start;
        evaluation.images.push_back({names[i], photograph.truth.view().rows(),
                                     photograph.truth.view().columns(),
                                     measure(photograph.blurred, photograph.truth),
                                     measure(estimate, photograph.truth), taken.count(), image.channels()});
        result.kernels.push_back(kernel.shape());

        const std::chrono::duration<double> elapsed = Context::Clock::now() - begin;
        const auto done = static_cast<Index>(i + 1), total = static_cast<Index>(names.size());
        const double left = elapsed.count() * static_cast<double>(total - done) / static_cast<double>(done);
        if (options.progress && !options.progress({"evaluating", done, total, left}))
            fail(Status::cancelled, options.data, ": cancelled after ", done, " of ", total, " images");
    }
    evaluation.mean = mean_of(evaluation.images);
    result.report = deblurrer.report();
    evaluation.device = result.report.device;
    const std::string blur =
        options.kernel.elements() > 0
            ? fmt::format("the kernel of {}", options.kernel_source)
            : fmt::format("camera shake (0.8), defocus and Gaussians (0.1 each) of at most {} pixels",
                          blur_protocol_kernel_size);
    evaluation.protocol = fmt::format(
        "{} images of {}, blurred by {}, the valid part, Gaussian noise of sigma {:g} (white = 255), neither "
        "clipped nor quantised, seed {}; true kernels and sigma told; mean over images{}",
        names.size(), options.data, blur, options.sigma, options.seed,
        !in_colour                                  ? ""
        : options.channels == ChannelRule::opponent ? "; each plane of the opponent colours by itself"
                                                    : "; each channel by itself");
    return result;
}

}  // namespace sonolux

// sonolux/sdk/pipelines/lens_tolerance.cpp
#include <sonolux/sdk/pipelines/lens_tolerance.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/sdk/pipelines/lens_recipe.hpp>
#include <sonolux/simulation/optics/spectral_lift.hpp>
#include <sonolux/simulation/phantoms/coloured_leaves.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

namespace sonolux {

namespace {

class Tolerance {
public:
    Tolerance(const ToleranceOptions& options, Context& context)
        : options_(options),
          context_(context),
          leaves_(options.seed),
          response_(camera_response(gaussian_sensor(), black_body(6504), options.psf.wavelengths)),
          blur_(3, 3, options.rows, options.rows),
          white_(3, 3, options.rows, options.rows) {
        require(options.draws >= 1 && options.scenes >= 1, Status::invalid_argument,
                "tolerance: ", options.draws, " draws of ", options.scenes, " scenes are none");
        const Array<float> matrix = camera_matrix(response_, lift_wavelengths());
        context.workspace().reserve(std::max(
            {leaves_.workspace_bytes(options.rows, options.rows, context), blur_.workspace_bytes(context)}));
        ChannelSpectrumEstimate estimate(3);
        for (Index s = 0; s < options.scenes + 8; ++s) {
            Array<float> scene({3, options.rows, options.rows});
            leaves_.render(static_cast<std::uint64_t>(s), scene, context);
            Array<float> sharp = sharp_image(lift(scene), matrix);
            if (s >= options.scenes) {
                estimate.add(sharp);  // others teach the prior
            } else {
                scenes_.push_back(std::move(scene));
                sharp_.push_back(std::move(sharp));
            }
        }
        prior_.emplace_back(estimate.spectrum());
    }

    [[nodiscard]] TolerancePoint point(int levels, double noise) {
        DiffractiveLens lens = options_.lens;
        lens.levels = levels;
        RadialOptics optics = optics_of(lens);
        white_.set_kernels(white_kernels(make_psf_bank(optics, options_.psf, context_), response_));
        TolerancePoint result{levels, noise, 0, std::numeric_limits<double>::infinity(), 0};
        FabricationErrors errors;
        errors.height_noise = noise;
        const Index draws = noise > 0 ? options_.draws : 1;  // without errors all lenses are alike
        for (Index draw = 0; draw < draws; ++draw) {
            require(context_.poll() == Status::ok, Status::cancelled, "tolerance: stopped");
            optics.profile = fabricate(lens, errors, options_.seed, static_cast<std::uint64_t>(draw));
            const PsfBank bank = make_psf_bank(optics, options_.psf, context_);
            blur_.set_kernels(fold_lifted_bands(camera_kernels(bank, response_, lift_wavelengths())));
            double mean = 0;
            for (std::size_t s = 0; s < scenes_.size(); ++s)
                mean +=
                    recovered_psnr(s, static_cast<std::uint64_t>(draw)) / static_cast<double>(scenes_.size());
            result.mean += mean / static_cast<double>(draws);
            result.lowest = std::min(result.lowest, mean);
            result.highest = std::max(result.highest, mean);
        }
        return result;
    }

private:
    [[nodiscard]] double recovered_psnr(std::size_t s, std::uint64_t draw) {
        Array<float> clean(sharp_[s].shape()), capture(clean.shape()), image(clean.shape());
        blur_.apply(scenes_[s], clean, context_);
        take_photograph(clean, options_.sensor, response_.white, options_.seed, 1000 * draw + s, capture,
                        context_);
        std::vector<double> noise;
        for (Index c = 0; c < 3; ++c) {
            double mean = 0;
            const View<const float> plane = capture.view()[c];
            for (const float value : plane) mean += double{value} / static_cast<double>(plane.elements());
            noise.push_back(
                noise_variance(options_.sensor, response_.white[static_cast<std::size_t>(c)], mean));
        }
        ChannelLmmse solver(white_, prior_.front(), noise);
        context_.workspace().reserve(solver.workspace_bytes(context_));
        require(solver.run(capture, image, context_) == Status::ok, Status::internal_error,
                "tolerance: a scene was not recovered");
        return channel_psnr(image, sharp_[s]);
    }

    const ToleranceOptions& options_;
    Context& context_;
    ColouredLeaves leaves_;
    CameraResponse response_;
    SpectralBlur blur_, white_;
    std::vector<Array<float>> scenes_, sharp_;
    std::vector<ChannelSpectrum> prior_;
};

}  // namespace

std::vector<TolerancePoint> lens_tolerance(const ToleranceOptions& options, Context& context) {
    Tolerance tolerance(options, context);
    std::vector<TolerancePoint> points;
    const auto total = static_cast<Index>(options.levels.size() * options.height_noise.size());
    for (const int levels : options.levels)
        for (const double noise : options.height_noise) {
            points.push_back(tolerance.point(levels, noise));
            context.report({.activity = "making lenses",
                            .done = static_cast<Index>(points.size()),
                            .total = total,
                            .seconds_left = -1});
        }
    return points;
}

std::string tolerance_chart(const std::vector<TolerancePoint>& points) {
    std::vector<ChartSeries> series;
    std::vector<int> levels;
    for (const TolerancePoint& point : points)
        if (std::find(levels.begin(), levels.end(), point.levels) == levels.end())
            levels.push_back(point.levels);
    for (const int count : levels) {
        const std::string name = count == 0 ? "continuous" : fmt::format("{} levels", count);
        ChartSeries mean{name, {}, {}}, range{name + ", draws", {}, {}};
        for (const TolerancePoint& point : points) {
            if (point.levels != count) continue;
            const double x = point.height_noise * 1e9;
            mean.x.push_back(x);
            mean.y.push_back(point.mean);
            for (const double y : {point.lowest, point.highest, std::numeric_limits<double>::quiet_NaN()}) {
                range.x.push_back(x);
                range.y.push_back(y);
            }
        }
        series.push_back(std::move(mean));
        series.push_back(std::move(range));
    }
    return svg_chart(series,
                     {"Recovery with the kernels of the design", "height noise in nm", "linear PSNR in dB"});
}

}  // namespace sonolux

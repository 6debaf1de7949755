// sonolux/sdk/pipelines/evaluate_lens.cpp
#include <sonolux/sdk/pipelines/evaluate_lens.hpp>

#include <cmath>

#include <Eigen/Dense>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/lens_figures.hpp>
#include <sonolux/sdk/pipelines/lens_training_data.hpp>
#include <sonolux/sdk/runtime/lens_recovery.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

namespace sonolux {

namespace {

/// Camera channels to linear sRGB: exact for lifted scenes.
Array<float> inverse_of(View<const float> matrix) {
    Eigen::Matrix3d m;
    for (Index i = 0; i < 3; ++i)
        for (Index j = 0; j < 3; ++j) m(i, j) = double{matrix(i, j)};
    const Eigen::Matrix3d inverse = m.inverse();
    Array<float> result({3, 3});
    for (Index i = 0; i < 3; ++i)
        for (Index j = 0; j < 3; ++j) result(i, j) = static_cast<float>(inverse(i, j));
    return result;
}

/// Returns whether the piece has an angle: one that is dark all over has none.
bool add(LensResult& sum, View<const float> image, View<const float> truth, View<const float> to_srgb) {
    const Array<float> light = apply_colour_matrix(to_srgb, image),
                       true_light = apply_colour_matrix(to_srgb, truth);
    sum.psnr += channel_psnr(image, truth);
    sum.srgb_psnr += srgb_psnr(light, true_light);
    const double angle = spectral_angle(image, truth, 0.02);
    sum.angle += std::isnan(angle) ? 0 : angle;
    sum.difference += colour_difference(light, true_light).mean;
    const Index pixels = image.rows() * image.columns();
    for (Index c = 0; c < 3; ++c) {
        const Shape plane{1, image.rows(), image.columns()};
        sum.channel_psnr[c] += channel_psnr(View<const float>(image.data() + c * pixels, plane),
                                            View<const float>(truth.data() + c * pixels, plane));
    }
    return !std::isnan(angle);
}

}  // namespace

std::vector<LensResult> evaluate_lens(const Model& model, const EvaluateLensOptions& options) {
    Context context(make_openmp_runner(options.threads));
    const LensProblem problem = lens_problem(model.problem, model.name);
    LensTrainingRecipe recipe = parse_lens_training_recipe(
        model.training.recipe, "model \"" + model.name + "\": training.recipe", context);
    recipe.seed = options.seed;
    LensSceneRecipe& scene = recipe.scenes;
    scene.photographs = {options.data};
    require(options.reduction >= 0 && options.reduction <= 16, Status::invalid_argument,
            "lens evaluation: reduction must be 0 to 16, got ", options.reduction);
    scene.reductions = {options.reduction > 0 ? options.reduction : scene.reductions.front()};
    scene.dead_leaves_fraction = scene.black_fraction = 0;
    recipe.system.mosaic = options.mosaic;
    scene.mosaic_fraction = options.mosaic ? 1 : 0;
    require(!options.mosaic || options.size % 2 == 0, Status::invalid_argument,
            "lens evaluation: periodic pieces behind a mosaic must have an even size, got ", options.size);
    scene.darkest = scene.brightest = scene.least_saturation = scene.most_saturation = 1;
    const double full_well = options.full_well > 0 ? options.full_well : problem.usual_full_well();
    recipe.system.sensor.full_well = recipe.system.most_photons = full_well;
    const LensScenes scenes = LensScenes::read(scene, "", options.size + recipe.seam, options.seed, context);

    LensRecovery recovery(model, options.size, options.size, 0, context);
    recovery.keep_linear();
    constexpr std::uint64_t stream = 160;
    LensCase sample(recipe, scenes, ChannelSpectrum::inverse_square(std::vector<double>(3, 1e-3)),
                    options.size, stream);
    context.workspace().reserve(sample.workspace_bytes(context));
    const Array<float> to_srgb = inverse_of(recipe.system.rgb_matrix);
    const Shape shape = sample.domain();
    Array<float> capture(shape), truth(shape), image(shape);
    std::vector<LensResult> results{{"captured"}, {"linear"}, {model.name}};
    Index bright = 0;
    for (Index n = 0; n < options.samples; ++n) {
        sample.make(static_cast<std::uint64_t>(n), context);
        const View<const float> seen = sample.observation().data, wanted = sample.truth();
        for (Index i = 0; i < capture.elements(); ++i) {
            capture.data()[i] = seen.data()[i] / 255;
            truth.data()[i] = wanted.data()[i] / 255;
        }
        const Status status =
            recovery.run(capture, noise_of_capture(problem, capture, full_well), image, context);
        require(status == Status::ok, status, model.name, ": a piece was not recovered");
        bright += add(results[0], capture, truth, to_srgb) ? 1 : 0;
        (void)add(results[1], recovery.linear(), truth, to_srgb);
        (void)add(results[2], image, truth, to_srgb);
        if (n == options.pictured && (!options.picture.empty() || options.drawn != nullptr)) {
            const Array<float> sharp = apply_colour_matrix(to_srgb, truth),
                               seen_light = apply_colour_matrix(to_srgb, capture),
                               linear = apply_colour_matrix(to_srgb, recovery.linear()),
                               learned = apply_colour_matrix(to_srgb, image);
            Canvas figure = draw_recoveries(sharp,
                                            {{"captured", seen_light.view()},
                                             {"LMMSE 3 x 3", linear.view()},
                                             {model.name, learned.view()}},
                                            model.name);
            if (!options.picture.empty()) write_image(options.picture, figure.planes());
            if (options.drawn != nullptr) *options.drawn = std::move(figure);
        }
        if (options.progress)
            require(options.progress({"evaluating", n + 1, options.samples, -1}), Status::cancelled,
                    "cancelled");
    }
    const double share = 1 / static_cast<double>(options.samples);
    for (LensResult& result : results) {
        for (double* value : {&result.psnr, &result.srgb_psnr, &result.difference}) *value *= share;
        result.angle = bright > 0 ? result.angle / static_cast<double>(bright) : NAN;
        for (double& value : result.channel_psnr) value *= share;
    }
    return results;
}

}  // namespace sonolux

// tests/sdk/lens_field_test.cpp
//
// A lens that blurs differently from place to place, and what knowing that is worth.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/pipelines/tiled_lens_recovery.hpp>
#include <sonolux/simulation/optics/field_kernels.hpp>
#include <sonolux/simulation/phantoms/coloured_leaves.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

#include "tests/support/paths.hpp"

namespace sonolux {
namespace {

constexpr Index rows = 600, columns = 1000;

/// The shipped Fresnel lens at a quarter of its size on the same pixels, so that the field reaches the 18
/// degrees that 12 megapixels have behind the whole lens, and kernels are computed in seconds.
struct SmallLens {
    MapOptics optics;
    PsfBankOptions options;
    CameraResponse response;

    SmallLens() {
        DiffractiveLens lens;
        lens.focal_length = 12.5e-3;
        lens.diameter = 1e-3;
        lens.levels = 16;
        optics = {map_of(relief_of(lens), 2e-6), lens.material, lens.focal_length, 0};
        options.wavelengths = wavelengths_between(400e-9, 700e-9, 25);
        options.size = 63;
        response = camera_response(gaussian_sensor(), black_body(6504), options.wavelengths);
    }

    [[nodiscard]] LensField field(Index grid_rows, Index grid_columns, Context& context) const {
        return {grid_rows, grid_columns,
                field_kernels(optics, options, response, {rows, columns, grid_rows, grid_columns, true},
                              context)};
    }
};

/// A scene with what lies around it, as the sensor sees it: field by field.
Array<float> seen_through(const LensField& field, const Array<float>& scene, Context& context) {
    const Index padded_rows = rows + 64, padded_columns = columns + 64;
    const Array<float> windows = bilinear_windows(field.grid_rows, field.grid_columns, rows, columns);
    SpectralBlur blur(3, 3, padded_rows, padded_columns);
    context.workspace().reserve(blur.workspace_bytes(context));
    Array<float> part({3, padded_rows, padded_columns}), blurred(part.shape()), seen({3, rows, columns});
    const auto inside = [](Index i, Index size) { return std::clamp(i - 32, Index{0}, size - 1); };
    for (Index g = 0; g < windows.shape()[0]; ++g) {
        for (Index c = 0; c < 3; ++c)
            for (Index i = 0; i < padded_rows; ++i)
                for (Index j = 0; j < padded_columns; ++j)
                    part(c, i, j) = scene(c, i, j) * windows(g, inside(i, rows), inside(j, columns));
        blur.set_kernels(field.kernels[static_cast<std::size_t>(g)]);
        blur.apply(part, blurred, context);
        for (Index c = 0; c < 3; ++c)
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j) seen(c, i, j) += blurred(c, 32 + i, 32 + j);
    }
    return seen;
}

/// Linear PSNR of columns [from, to), without the border that light from outside reaches.
double psnr_between(const Array<float>& image, const Array<float>& truth, Index from, Index to) {
    Array<float> a({3, rows, to - from}), b(a.shape());
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < rows; ++i)
            for (Index j = from; j < to; ++j) {
                a(c, i, j - from) = image(c, i, j);
                b(c, i, j - from) = truth(c, i, j);
            }
    return channel_psnr(a, b, 1, 16);
}

TEST(LensFieldSlow, KernelsOfFiveByFiveFieldsRecoverWhatThoseOfTheAxisDoNot) {
    Context context;
    const SmallLens lens;
    const LensField truth = lens.field(9, 9, context);
    ColouredLeaves leaves(7);
    Array<float> scene({3, rows + 64, columns + 64});
    context.workspace().reserve(leaves.workspace_bytes(scene.shape()[1], scene.shape()[2], context));
    leaves.render(0, scene, context);
    Array<float> sharp({3, rows, columns});
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) sharp(c, i, j) = scene(c, 32 + i, 32 + j);
    Array<float> capture = seen_through(truth, scene, context);
    const Model model = load_model_file(std::string(source_root()) + "/models/lens_fresnel.safetensors");
    const LensProblem problem = lens_problem(model.problem, model.name);
    const std::vector<double> noise = noise_of_capture(problem, capture, 10000);
    Array<float> draws({3, rows, columns});
    fill_normal(draws, Philox(11, 0));
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)
                capture(c, i, j) +=
                    static_cast<float>(std::sqrt(noise[static_cast<std::size_t>(c)])) * draws(c, i, j);

    double whole[4] = {};
    int row = 0;
    std::printf("fields: linear PSNR of the capture's whole, middle, outer fifths\n");
    const auto report = [&](const char* what, const Array<float>& image) {
        whole[row] = psnr_between(image, sharp, 0, columns);
        std::printf("    %-14s %6.2f %6.2f %6.2f\n", what, whole[row], psnr_between(image, sharp, 400, 600),
                    0.5 * (psnr_between(image, sharp, 0, 200) + psnr_between(image, sharp, 800, 1000)));
        ++row;
    };
    report("captured", capture);
    for (const Index fields : {1, 3, 5}) {
        auto field = std::make_shared<LensField>(lens.field(fields, fields, context));
        TiledLensRecovery recovery(model, field, rows, columns, 128, context);
        Array<float> image(sharp.shape());
        ASSERT_EQ(recovery.run(capture, noise, image), Status::ok);
        char what[32];
        std::snprintf(what, sizeof what, "%d x %d", static_cast<int>(fields), static_cast<int>(fields));
        report(what, image);
    }
    EXPECT_GT(whole[3], whole[1] + 1) << "five by five fields against the axis alone";
    EXPECT_GT(whole[3], whole[0] + 2);
}

}  // namespace
}  // namespace sonolux

// tests/sdk/lens_baseline_test.cpp
//
// The table that learned recovery has to beat: three scenes of the CAVE set through two lenses, recovered by
// the classical methods. Priors are of the two other scenes each time: research use, nothing of it ships.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <sonolux/core/mosaic.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/spectral_files.hpp>
#include <sonolux/sdk/pipelines/lens_figures.hpp>
#include <sonolux/sdk/pipelines/lens_focus.hpp>
#include <sonolux/sdk/runtime/lens_recovery.hpp>
#include <sonolux/simulation/optics/spectral_lift.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>
#include <sonolux/solvers/classical/channel_variation.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

#include "tests/support/data.hpp"

namespace sonolux {
namespace {

struct Scene {
    Array<float> sharp, capture, light;  // camera channels without lens and through it; linear sRGB under D65
};

struct Row {
    double linear = 0, srgb = 0, angle = 0, difference = 0, channel[3] = {0, 0, 0};

    void add(const Row& other, double weight) {
        linear += weight * other.linear, srgb += weight * other.srgb, angle += weight * other.angle,
            difference += weight * other.difference;
        for (int c = 0; c < 3; ++c) channel[c] += weight * other.channel[c];
    }
};

class Baseline {
public:
    /// The methods are told the kernels of a sensor that stands `told` times as far from the lens as it does.
    /// With a mosaic each pixel has one channel, and the others are interpolated before anything else.
    explicit Baseline(const DiffractiveLens& lens, double full_well = 10000, double told = 1,
                      bool mosaic = false)
        : context_(make_openmp_runner(2)) {
        if (mosaic) mosaic_.emplace("rggb");
        sensor_.full_well = full_well;
        const std::string optics = (data_folder() / "optics").string();
        PsfBankOptions options;
        options.wavelengths = wavelengths_between(400e-9, 700e-9, 121);
        options.size = 511;
        const PsfBank bank = make_psf_bank(optics_of(lens), options, context_);
        const SpectralTable sensor = read_spectral_table(optics + "/sensors/deeplens_BFS-U3-51S5C-C.json");
        SpectralTable daylight = read_spectral_table(optics + "/spectral/dflat_D65.txt");
        const SpectralTable observer = read_spectral_table(optics + "/spectral/dflat_1931XYZ.txt", {1, 2, 3});
        // The colorimetry is of power; sensors count photons.
        const CameraResponse eye = camera_response(observer, daylight, bank.wavelengths);
        for (std::size_t i = 0; i < daylight.wavelengths.size(); ++i)
            daylight.curves[0][i] *= daylight.wavelengths[i];
        const CameraResponse camera = camera_response(sensor, daylight, bank.wavelengths);
        white_ = camera.white;
        const std::vector<double> bands = lift_wavelengths();
        const Array<float> matrix = camera_matrix(camera, bands), xyz = camera_matrix(eye, bands);

        SpectralBlur lens_blur(31, 3, 512, 512);
        lens_blur.set_kernels(camera_kernels(bank, camera, bands));
        kernels_ = white_kernels(bank, camera);
        kernels_at_ = [this, lens, options, camera](double relative) {
            RadialOptics elsewhere = optics_of(lens);
            elsewhere.distance *= relative;
            return white_kernels(make_psf_bank(elsewhere, options, context_), camera);
        };
        if (told != 1) kernels_ = kernels_at_(told);
        told_ = told;
        blur_.set_kernels(kernels_);
        context_.workspace().reserve(
            std::max(lens_blur.workspace_bytes(context_), blur_.workspace_bytes(context_)));
        // Each of X, Y, Z is relative to that of white here, as linear sRGB is after its matrix.
        const float to_srgb[3][3] = {{3.2404542F * 0.95047F, -1.5371385F, -0.4985314F * 1.08883F},
                                     {-0.9692660F * 0.95047F, 1.8760108F, 0.0415560F * 1.08883F},
                                     {0.0556434F * 0.95047F, -0.2040259F, 1.0572252F * 1.08883F}};
        for (const char* name : {"beads_ms", "feathers_ms", "flowers_ms"}) {
            const SpectralCube cube = read_spectral_cube(optics + "/cave/" + name);
            Scene& scene = scenes_.emplace_back();
            scene.sharp = sharp_image(cube.reflectance, matrix);
            scene.light = apply_colour_matrix(View<const float>(&to_srgb[0][0], {3, 3}),
                                              sharp_image(cube.reflectance, xyz));
            Array<float> clean(scene.sharp.shape());
            lens_blur.apply(cube.reflectance, clean, context_);
            scene.capture = Array<float>(clean.shape());
            take_photograph(clean, sensor_, white_, 1, scenes_.size(), scene.capture, context_);
            if (mosaic_) {
                Array<float> raw({512, 512});
                mosaic_->sample(scene.capture, raw.view());
                mosaic_->interpolate(raw, BoundaryRule::circular, scene.capture.view());
            }
        }
        fit_colours();
    }

    [[nodiscard]] std::size_t scenes() const { return scenes_.size(); }

    [[nodiscard]] ChannelSpectrum prior_without(std::size_t test) const {
        ChannelSpectrumEstimate estimate(3);
        for (std::size_t s = 0; s < scenes_.size(); ++s)
            if (s != test) estimate.add(scenes_[s].sharp);
        return estimate.spectrum();
    }

    [[nodiscard]] Array<float> recover(std::size_t test, const ChannelSpectrum& spectrum) {
        const Scene& scene = scenes_[test];
        ChannelLmmse solver(blur_, spectrum, noise_of(scene));
        context_.workspace().reserve(solver.workspace_bytes(context_));
        Array<float> image(scene.sharp.shape());
        EXPECT_EQ(solver.run(scene.capture, image, context_), Status::ok);
        return image;
    }

    /// The trained network; `linear`, unless null, becomes the linear estimate with the network's spectrum.
    [[nodiscard]] Array<float> learned(std::size_t test, const std::string& path, Array<float>* linear) {
        const Scene& scene = scenes_[test];
        LensRecovery recovery(load_model_file(path), kernels_, 512, 512, 0, context_);
        recovery.keep_linear();
        Array<float> image(scene.sharp.shape());
        EXPECT_EQ(recovery.run(scene.capture, noise_of(scene), image, context_), Status::ok);
        if (linear != nullptr) {
            *linear = Array<float>(image.shape());
            std::copy_n(recovery.linear().data(), image.elements(), linear->data());
        }
        return image;
    }

    /// From now on methods are told the kernels of the distance that a capture itself asks for, looked for
    /// about the one that they had been told. Returns that distance, over the true one.
    double find_focus_of(std::size_t test, const std::string& model) {
        const Scene& scene = scenes_[test];
        FocusEstimate found = find_focus(
            load_model_file(model), scene.capture, noise_of(scene),
            [this](double relative) { return kernels_at_(told_ * relative); }, {}, context_);
        kernels_ = std::move(found.kernels);
        blur_.set_kernels(kernels_);
        return told_ * found.relative;
    }

    [[nodiscard]] Array<float> primal_dual(std::size_t test, double weight, Array<float> first) {
        const auto shared = std::shared_ptr<const LinearOperator>(std::shared_ptr<void>(), &blur_);
        ChannelVariation solver(shared, {.weight = weight, .iterations = 60}, 1.0);
        context_.workspace().reserve(solver.workspace_bytes(context_));
        for (float& value : first) value = std::max(value, 0.0F);
        EXPECT_EQ(solver.run(scenes_[test].capture, first, context_), Status::ok);
        return first;
    }

    [[nodiscard]] Row judge(std::size_t test, View<const float> image) const {
        const Scene& scene = scenes_[test];
        const Array<float> light = apply_colour_matrix(colours_, image);
        const Array<float> truth = apply_colour_matrix(colours_, scene.sharp);
        Row row{channel_psnr(image, scene.sharp), srgb_psnr(light, truth),
                spectral_angle(image, scene.sharp, 0.02), colour_difference(light, truth).mean};
        for (Index c = 0; c < 3; ++c) {
            const View<const float> plane(image.data() + c * 512 * 512, {1, 512, 512});
            const View<const float> sharp(scene.sharp.data() + c * 512 * 512, {1, 512, 512});
            row.channel[c] = channel_psnr(plane, sharp);
        }
        return row;
    }

    /// Camera channels, shown in linear sRGB.
    [[nodiscard]] Canvas draw(std::size_t test, const std::vector<RecoveredPicture>& pictures) const {
        std::vector<Array<float>> light;
        std::vector<RecoveredPicture> shown;
        for (const RecoveredPicture& picture : pictures)
            light.push_back(apply_colour_matrix(colours_, picture.light));
        for (std::size_t n = 0; n < pictures.size(); ++n)
            shown.push_back({pictures[n].name, light[n].view()});
        return draw_recoveries(apply_colour_matrix(colours_, scenes_[test].sharp), shown, "");
    }

    [[nodiscard]] const Scene& scene(std::size_t s) const { return scenes_[s]; }

private:
    [[nodiscard]] std::vector<double> noise_of(const Scene& scene) const {
        std::vector<double> noise;
        for (Index c = 0; c < 3; ++c) {
            double mean = 0;
            for (const float value : scene.capture.view()[c]) mean += double{value} / (512 * 512);
            noise.push_back(noise_variance(sensor_, white_[static_cast<std::size_t>(c)], mean));
        }
        return noise;
    }

    /// Camera channels to linear sRGB, on every 64th pixel of the sharp scenes.
    void fit_colours() {
        const Index patches = static_cast<Index>(scenes_.size()) * 512 * 512 / 64;
        Array<float> from({patches, 3}), to({patches, 3});
        Index p = 0;
        for (const Scene& scene : scenes_)
            for (Index n = 0; n < 512 * 512; n += 64, ++p)
                for (Index c = 0; c < 3; ++c) {
                    from(p, c) = scene.sharp.data()[c * 512 * 512 + n];
                    to(p, c) = scene.light.data()[c * 512 * 512 + n];
                }
        colours_ = fit_colour_matrix(from, to);
    }

    Context context_;
    Sensor sensor_;
    std::optional<BayerMosaic> mosaic_;
    SpectralBlur blur_{3, 3, 512, 512};
    std::vector<double> white_;
    std::vector<Scene> scenes_;
    Array<float> colours_, kernels_;
    KernelsAtDistance kernels_at_;
    double told_ = 1;
};

void print(const char* what, const Row& row) {
    std::printf("    %-28s %6.2f %6.2f %6.2f %6.2f     %6.2f %6.2f %6.2f\n", what, row.linear, row.srgb,
                row.angle, row.difference, row.channel[0], row.channel[1], row.channel[2]);
}

struct Table {
    Row captured, wiener, alone, together, variation;
};

Table table_of(const char* name, const DiffractiveLens& lens) {
    Baseline baseline(lens);
    Table table;
    const double part = 1.0 / static_cast<double>(baseline.scenes());
    for (std::size_t s = 0; s < baseline.scenes(); ++s) {
        table.captured.add(baseline.judge(s, baseline.scene(s).capture), part);
        // Wiener's filter with the quotient that suits this scene best.
        Row best;
        for (const double power : {1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1}) {
            const std::vector<double> powers(3, power);
            const Row row = baseline.judge(s, baseline.recover(s, ChannelSpectrum::constant(powers)));
            if (row.linear > best.linear) best = row;
        }
        table.wiener.add(best, part);
        const ChannelSpectrum prior = baseline.prior_without(s);
        table.alone.add(baseline.judge(s, baseline.recover(s, prior.diagonal())), part);
        Array<float> together = baseline.recover(s, prior);
        table.together.add(baseline.judge(s, together), part);
        const Array<float> variation = baseline.primal_dual(s, 3e-4, together.clone());
        table.variation.add(baseline.judge(s, variation), part);
        if (s == 1)  // the picture of one of them
            write_image(::testing::TempDir() + "/lens_baseline_m" + std::to_string(lens.order) + ".png",
                        baseline
                            .draw(s, {{"captured", baseline.scene(s).capture.view()},
                                      {"LMMSE 3 x 3", together.view()},
                                      {"total variation", variation.view()}})
                            .planes());
    }
    std::printf("%s: linear PSNR, sRGB PSNR, RGB angle, mean CIEDE2000;  PSNR of R, G, B\n", name);
    print("captured", table.captured);
    print("Wiener, white-light PSF", table.wiener);
    print("LMMSE per channel", table.alone);
    print("LMMSE 3 x 3", table.together);
    print("primal-dual from LMMSE 3 x 3", table.variation);
    return table;
}

TEST(LensBaselineSlow, FresnelLensIsInFamilyWithTheMeasuredTable) {
    SLX_NEEDS(data_folder() / "optics/cave");
    DiffractiveLens lens;
    lens.levels = 16;
    const Table table = table_of("Fresnel m = 1, 16 levels", lens);
    EXPECT_GT(table.wiener.linear, table.captured.linear + 1);
    EXPECT_GT(table.alone.linear, table.wiener.linear);
    EXPECT_GT(table.together.linear, table.alone.linear + 1);
    EXPECT_LT(table.together.difference, table.alone.difference);
}

TEST(LensBaselineSlow, HarmonicLensIsInFamilyWithTheMeasuredTable) {
    SLX_NEEDS(data_folder() / "optics/cave");
    DiffractiveLens lens;
    lens.order = 7;
    const Table table = table_of("harmonic m = 7", lens);
    EXPECT_GT(table.wiener.linear, table.captured.linear + 4);
    EXPECT_GT(table.alone.linear, table.wiener.linear);
    EXPECT_GT(table.together.linear, table.alone.linear + 0.5);
    EXPECT_LT(table.together.angle, table.alone.angle);
    EXPECT_LT(table.together.difference, table.captured.difference);
}

struct LearnedTable {
    Row captured, together, started, learned;
};

/// The shipped model, or another that SONOLUX_LENS_MODEL names.
LearnedTable learned_table(const char* name, const DiffractiveLens& lens, const std::string& model,
                           double full_well = 10000, double told = 1, bool mosaic = false,
                           bool find = false) {
    Baseline baseline(lens, full_well, told, mosaic);
    LearnedTable table;
    const double part = 1.0 / static_cast<double>(baseline.scenes());
    std::printf("%s, %s: linear PSNR, sRGB PSNR, RGB angle, mean CIEDE2000;  PSNR of R, G, B\n", name,
                model.c_str());
    for (std::size_t s = 0; s < baseline.scenes(); ++s) {
        Array<float> linear;
        if (find) std::printf("  found at %.4f\n", baseline.find_focus_of(s, model));
        const Row captured = baseline.judge(s, baseline.scene(s).capture);
        const Row together = baseline.judge(s, baseline.recover(s, baseline.prior_without(s)));
        const Array<float> image = baseline.learned(s, model, &linear);
        const Row started = baseline.judge(s, linear), learned = baseline.judge(s, image);
        print("  LMMSE 3 x 3", together);
        print("  learned", learned);
        table.captured.add(captured, part);
        table.together.add(together, part);
        table.started.add(started, part);
        table.learned.add(learned, part);
        write_image(::testing::TempDir() + "/lens_learned_m" + std::to_string(lens.order) + "_" +
                        std::to_string(s) + ".png",
                    baseline
                        .draw(s, {{"captured", baseline.scene(s).capture.view()},
                                  {"LMMSE 3 x 3", linear.view()},
                                  {"learned", image.view()}})
                        .planes());
    }
    print("captured", table.captured);
    print("LMMSE 3 x 3, CAVE spectra", table.together);
    print("LMMSE 3 x 3, model spectra", table.started);
    print("learned", table.learned);
    return table;
}

/// More noise, less noise, and kernels for a sensor that is 2 % too far away.
void expect_robust(const DiffractiveLens& lens, const std::string& model) {
    for (const double full_well : {5000.0, 20000.0}) {
        std::printf("%g electrons\n", full_well);
        const LearnedTable table = learned_table("photons", lens, model, full_well);
        EXPECT_GT(table.learned.linear, table.together.linear + 1.5);
    }
    std::printf("kernels 2 %% out of focus\n");
    const LearnedTable table = learned_table("focus", lens, model, 10000, 1.02);
    EXPECT_GT(table.learned.linear, table.together.linear);
    std::printf("kernels 2 %% out of focus, and the focus found\n");
    const LearnedTable found = learned_table("found", lens, model, 10000, 1.02, false, true);
    EXPECT_GT(found.learned.linear, found.together.linear + 1.5);
    EXPECT_LT(found.learned.angle, std::min(found.captured.angle, found.together.angle));
    EXPECT_LT(found.learned.difference, std::min(found.captured.difference, found.together.difference));
    std::printf("behind a mosaic\n");
    const LearnedTable bayer = learned_table("mosaic", lens, model, 10000, 1, true);
    EXPECT_GT(bayer.learned.linear, bayer.together.linear);
}

std::string lens_model(const char* name) {
    const char* other = std::getenv("SONOLUX_LENS_MODEL");
    return other != nullptr ? other : (source_folder() / "models" / name).string();
}

TEST(LensLearnedSlow, FresnelLensIsRecoveredBetterThanByTheLinearEstimate) {
    SLX_NEEDS(data_folder() / "optics/cave");
    const std::string model = lens_model("lens_fresnel.safetensors");
    SLX_NEEDS(model);
    DiffractiveLens lens;
    lens.levels = 16;
    const LearnedTable table = learned_table("Fresnel m = 1, 16 levels", lens, model);
    EXPECT_GT(table.learned.linear, table.together.linear + 1.5);
    EXPECT_LT(table.learned.angle, std::min(table.captured.angle, table.together.angle));
    EXPECT_LT(table.learned.difference, std::min(table.captured.difference, table.together.difference));
}

TEST(LensLearnedSlow, HarmonicLensIsRecoveredBetterThanByTheLinearEstimate) {
    SLX_NEEDS(data_folder() / "optics/cave");
    const std::string model = lens_model("lens_harmonic.safetensors");
    SLX_NEEDS(model);
    DiffractiveLens lens;
    lens.order = 7;
    const LearnedTable table = learned_table("harmonic m = 7", lens, model);
    EXPECT_GT(table.learned.linear, table.together.linear + 1.5);
    EXPECT_LT(table.learned.angle, std::min(table.captured.angle, table.together.angle));
    EXPECT_LT(table.learned.difference, std::min(table.captured.difference, table.together.difference));
}

TEST(LensLearnedSlow, FresnelModelBearsOtherNoiseAndKernelsThatAreALittleWrong) {
    SLX_NEEDS(data_folder() / "optics/cave");
    const std::string model = lens_model("lens_fresnel.safetensors");
    SLX_NEEDS(model);
    DiffractiveLens lens;
    lens.levels = 16;
    expect_robust(lens, model);
}

TEST(LensLearnedSlow, HarmonicModelBearsOtherNoiseAndKernelsThatAreALittleWrong) {
    SLX_NEEDS(data_folder() / "optics/cave");
    const std::string model = lens_model("lens_harmonic.safetensors");
    SLX_NEEDS(model);
    DiffractiveLens lens;
    lens.order = 7;
    expect_robust(lens, model);
}

}  // namespace
}  // namespace sonolux

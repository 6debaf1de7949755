// tests/solvers/classical/spectral_recovery_test.cpp
//
// Recovery of channels that were blurred differently.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <sonolux/core/operators/mask.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>
#include <sonolux/solvers/classical/channel_variation.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Discs of random colours: channels have their edges in common.
Array<float> discs(std::uint64_t seed, Index size) {
    Array<float> image({3, size, size});
    Philox random(seed);
    for (int disc = 0; disc < 60; ++disc) {
        const double y = random.uniform(0, static_cast<double>(size)),
                     x = random.uniform(0, static_cast<double>(size));
        const double r = random.uniform(3, 14), level = random.uniform(0.1, 0.9);
        float colour[3];
        for (float& value : colour) value = static_cast<float>(level * random.uniform(0.8, 1.1));
        for (Index i = 0; i < size; ++i)
            for (Index j = 0; j < size; ++j)
                if (std::hypot(static_cast<double>(i) - y, static_cast<double>(j) - x) < r)
                    for (Index c = 0; c < 3; ++c) image(c, i, j) = colour[c];
    }
    return image;
}

// Red is blurred a lot, green a little, blue in between.
Array<float> kernels() {
    Array<float> k({3, 15, 15});
    const double sigma[] = {3, 0.7, 1.8};
    for (Index c = 0; c < 3; ++c) {
        double sum = 0;
        for (Index u = 0; u < 15; ++u)
            for (Index v = 0; v < 15; ++v) {
                k(c, u, v) = static_cast<float>(std::exp(
                    -(std::pow(static_cast<double>(u - 7), 2) + std::pow(static_cast<double>(v - 7), 2)) /
                    (2 * sigma[c] * sigma[c])));
                sum += double{k(c, u, v)};
            }
        for (Index n = 0; n < 225; ++n) k.view()[c].data()[n] /= static_cast<float>(sum);
    }
    return k;
}

struct Case {
    Array<float> truth = discs(1, 64), data = Array<float>({3, 64, 64});
    std::shared_ptr<SpectralBlur> blur = std::make_shared<SpectralBlur>(3, 3, 64, 64);
    Context context;
    double sigma = 0.01;

    explicit Case(int threads = 1) : context(make_openmp_runner(threads)) {
        blur->set_kernels(kernels());
        context.workspace().reserve(blur->workspace_bytes(context));
        blur->apply(truth, data, context);
        Array<float> noise(data.shape());
        fill_normal(noise, Philox(9));
        for (Index n = 0; n < data.elements(); ++n)
            data.data()[n] += static_cast<float>(sigma) * noise.data()[n];
    }
    [[nodiscard]] ChannelSpectrum learned() const {
        ChannelSpectrumEstimate estimate(3);
        for (std::uint64_t seed = 11; seed < 17; ++seed) estimate.add(discs(seed, 64));
        return estimate.spectrum();
    }
    [[nodiscard]] Array<float> recover(const ChannelSpectrum& spectrum) {
        const std::vector<double> noise(3, sigma * sigma);
        ChannelLmmse solver(*blur, spectrum, noise);
        context.workspace().reserve(solver.workspace_bytes(context));
        Array<float> image(truth.shape());
        EXPECT_EQ(solver.run(data, image, context), Status::ok);
        return image;
    }
};

TEST(ChannelLmmse, ChannelsHelpEachOther) {
    Case test;
    const ChannelSpectrum spectrum = test.learned();
    const double captured = channel_psnr(test.data, test.truth);
    const double alone = channel_psnr(test.recover(spectrum.diagonal()), test.truth);
    const double together = channel_psnr(test.recover(spectrum), test.truth);
    EXPECT_GT(alone, captured + 1);
    EXPECT_GT(together, alone + 1);
}

TEST(ChannelLmmse, IsWienersFilterForOneChannel) {
    // Y K* S / (|K|^2 S + N) by hand, at every frequency.
    SpectralBlur blur(1, 1, 16, 16);
    Array<float> kernel({1, 3, 3}), data({1, 16, 16}), image({1, 16, 16});
    for (Index n = 0; n < 9; ++n) kernel.data()[n] = 1.0F / 9;
    blur.set_kernels(kernel);
    fill_normal(data, Philox(4));
    const std::vector<double> power = {0.3}, noise = {0.05};
    ChannelLmmse solver(blur, ChannelSpectrum::constant(power), noise);
    Context context(make_serial_runner());
    context.workspace().reserve(solver.workspace_bytes(context));
    ASSERT_EQ(solver.run(data, image, context), Status::ok);
    const auto fft = make_real_fft2(16, 16);
    Array<RealFft2::Complex> spectrum(fft->spectrum_shape());
    fft->forward(data.view()[0], spectrum);
    for (Index n = 0; n < spectrum.elements(); ++n) {
        const RealFft2::Complex k = blur.spectrum(0, 0, 0).data()[n];
        spectrum.data()[n] *=
            n == 0 ? RealFft2::Complex(1) / k : std::conj(k) * 0.3F / (std::norm(k) * 0.3F + 0.05F);
    }
    Array<float> expected({16, 16});
    fft->inverse(spectrum, expected);
    for (Index n = 0; n < 256; ++n) EXPECT_NEAR(image.data()[n], expected.data()[n], 1e-5);
}

TEST(ChannelLmmse, IsTheSameForAnyNumberOfThreads) {
    Case one(1), three(3);
    const Array<float> a = one.recover(one.learned()), b = three.recover(three.learned());
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin()));
}

TEST(ChannelSpectrum, FindsTheCovarianceOfWhiteNoise) {
    // Channels (n1, n1 + n2): covariance [[1, 1], [1, 2]] at every frequency.
    ChannelSpectrumEstimate estimate(2);
    Array<float> noise({2, 128, 128});
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        fill_normal(noise, Philox(seed));
        for (Index n = 0; n < 128 * 128; ++n) noise.data()[128 * 128 + n] += noise.data()[n];
        estimate.add(noise);
    }
    double power[4];
    for (const double f : {0.2, 0.4, 0.6}) {
        estimate.spectrum().at(f, power);
        EXPECT_NEAR(power[0], 1, 0.05);
        EXPECT_NEAR(power[1], 1, 0.05);
        EXPECT_NEAR(power[3], 2, 0.1);
    }
}

TEST(ChannelLmmse, RefusesWhatDoesNotFit) {
    Case test;
    const std::vector<double> two(2, 0.1), none(3, 0.0);
    EXPECT_THAT(
        [&] { ChannelLmmse(*test.blur, ChannelSpectrum(3), two); },
        ThrowsMessage<Error>(HasSubstr("a blur of 3 channels into 3, a spectrum of 3 and noise of 2")));
    EXPECT_THAT([&] { ChannelLmmse(*test.blur, ChannelSpectrum(3), none); },
                ThrowsMessage<Error>(HasSubstr("the variance of the noise must be above 0, got 0")));
    EXPECT_THAT([] { ChannelSpectrum(9); },
                ThrowsMessage<Error>(HasSubstr("channels must be 1 to 8, got 9")));
    EXPECT_THAT([] { static_cast<void>(ChannelSpectrumEstimate(3).spectrum()); },
                ThrowsMessage<Error>(HasSubstr("no image was added")));
}

TEST(ChannelVariation, FindsTheMinimumOfItsObjective) {
    // The function is convex: from two starts the same image, and no direction leads down from it.
    Case test;
    ChannelVariationOptions options;
    options.iterations = 800;
    options.tolerance = 0;
    options.weight = 1e-2;
    options.nonnegative = false;
    options.balance = 0.1;
    ChannelVariation solver(test.blur, options);
    test.context.workspace().reserve(solver.workspace_bytes(test.context));
    Array<float> a = test.data.clone(), b(test.data.shape());
    ASSERT_EQ(solver.run(test.data, a, test.context), Status::ok);
    ASSERT_EQ(solver.run(test.data, b, test.context), Status::ok);
    const double best = solver.objective(test.data, a, test.context);
    EXPECT_NEAR(solver.objective(test.data, b, test.context) / best, 1, 2e-3);
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        Array<float> moved(a.shape());
        fill_normal(moved, Philox(seed, 77));
        for (Index n = 0; n < a.elements(); ++n) moved.data()[n] = a.data()[n] + 0.01F * moved.data()[n];
        EXPECT_GT(solver.objective(test.data, moved, test.context), best);
    }
    EXPECT_LT(best, solver.objective(test.data, test.truth, test.context));
}

TEST(ChannelVariation, RecoversThroughAMosaic) {
    Case test;
    // A third of the data is missing.
    Array<float> weights({3, 64, 64});
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < 64; ++i)
            for (Index j = 0; j < 64; ++j) weights(c, i, j) = (i + j) % 3 != c;
    for (Index n = 0; n < weights.elements(); ++n) test.data.data()[n] *= weights.data()[n];
    const auto forward = std::make_shared<Chain>(std::make_shared<Mask>(weights.clone()), test.blur);
    ChannelVariation solver(forward, {});
    test.context.workspace().reserve(solver.workspace_bytes(test.context));
    Array<float> image = test.data.clone();
    ConvergenceLog log(300);
    ASSERT_EQ(solver.run(test.data, image, test.context, &log), Status::ok);
    EXPECT_FALSE(log.entries().empty());
    Case full;
    EXPECT_GT(channel_psnr(image, test.truth), channel_psnr(full.data, test.truth) + 1);
    for (const float value : image) EXPECT_GE(value, 0);
}

TEST(ChannelVariation, RefusesOptionsByName) {
    Case test;
    EXPECT_THAT([&] { ChannelVariation(test.blur, {.weight = 0}); },
                ThrowsMessage<Error>(HasSubstr("weight must be above 0, got 0")));
    EXPECT_THAT([&] { ChannelVariation(test.blur, {}, std::numeric_limits<double>::quiet_NaN()); },
                ThrowsMessage<Error>(HasSubstr("the operator's norm must be at least 0, got nan")));
    EXPECT_THAT([&] { ChannelVariation(nullptr, {}); },
                ThrowsMessage<Error>(HasSubstr("there is no operator")));
    EXPECT_THAT(
        [&] {
            ChannelVariation(std::make_shared<Identity>(Shape{4, 4}), {});
        },
        ThrowsMessage<Error>(HasSubstr("domain must be [channels, rows, columns]")));
}

}  // namespace
}  // namespace sonolux

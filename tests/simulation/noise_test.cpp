// tests/simulation/noise_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <sonolux/simulation/degradation/noise.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

struct Moments {
    double mean = 0, variance = 0, third = 0, fourth = 0;  // central, from the second
};

Moments moments(const Array<float>& values) {
    Moments m;
    const double n = static_cast<double>(values.elements());
    for (float v : values) m.mean += v / n;
    for (float v : values) {
        const double d = v - m.mean;
        m.variance += d * d / n;
        m.third += d * d * d / n;
        m.fourth += d * d * d * d / n;
    }
    return m;
}

Array<float> constant(const Shape& shape, float value) {
    Array<float> image(shape);
    std::fill(image.begin(), image.end(), value);
    return image;
}

bool equal(const Array<float>& a, const Array<float>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

TEST(GaussianNoise, HasTheMomentsOfANormalDistribution) {
    const Array<float> clean = constant({1000, 1000}, 100);
    Array<float> noisy(clean.shape());
    Context context;
    add_gaussian_noise(clean, 25, Philox(7, streams::noise, 3), noisy, context);
    const Moments m = moments(noisy);
    // Five standard errors of each moment for 10^6 samples.
    EXPECT_NEAR(m.mean, 100, 5 * 25e-3);
    EXPECT_NEAR(m.variance, 625, 5 * 625 * std::sqrt(2e-6));
    EXPECT_NEAR(m.third / std::pow(m.variance, 1.5), 0, 5 * std::sqrt(6e-6));
    EXPECT_NEAR(m.fourth / (m.variance * m.variance), 3, 5 * std::sqrt(24e-6));
}

TEST(GaussianNoise, IsWhite) {
    const Array<float> clean = constant({512, 512}, 0);
    Array<float> noisy(clean.shape());
    add_gaussian_noise(clean, 1, Philox(1, streams::noise, 0), noisy);
    for (auto [dy, dx] : {std::pair{0, 1}, {0, 2}, {0, 4}, {1, 0}, {1, 1}, {7, 3}}) {
        double correlation = 0;
        for (Index i = 0; i + dy < 512; ++i)
            for (Index j = 0; j + dx < 512; ++j) correlation += noisy(i, j) * noisy(i + dy, j + dx);
        EXPECT_NEAR(correlation / (512.0 * 512), 0, 5 / 512.0) << dy << ", " << dx;  // five standard errors
    }
}

TEST(GaussianNoise, IsTheSameAgainAndDiffersBetweenSamplesAndSeeds) {
    const Array<float> clean = constant({33, 47}, 50);
    auto noise = [&clean](std::uint64_t seed, std::uint64_t sample) {
        Array<float> noisy(clean.shape());
        add_gaussian_noise(clean, 15, Philox(seed, streams::noise, sample), noisy);
        return noisy;
    };
    EXPECT_TRUE(equal(noise(1, 2), noise(1, 2)));
    EXPECT_FALSE(equal(noise(1, 2), noise(1, 3)));
    EXPECT_FALSE(equal(noise(1, 2), noise(2, 2)));
}

TEST(GaussianNoise, OfABatchIsTheNoiseOfItsSamplesOnAnyNumberOfThreads) {
    const Array<float> clean = constant({5, 9, 14}, 10);
    Array<float> sigmas({5});
    for (Index b = 0; b < 5; ++b) sigmas(b) = static_cast<float>(5 * b);
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    Array<float> batch(clean.shape()), again(clean.shape());
    add_gaussian_noise(clean, sigmas, 42, 1000, batch, one);
    add_gaussian_noise(clean, sigmas, 42, 1000, again, three);
    EXPECT_TRUE(equal(batch, again));
    for (Index b = 0; b < 5; ++b) {
        Array<float> alone({9, 14});
        add_gaussian_noise(clean.view()[b], sigmas(b),
                           Philox(42, streams::noise, 1000 + static_cast<std::uint64_t>(b)), alone);
        EXPECT_TRUE(std::equal(alone.begin(), alone.end(), batch.view()[b].begin())) << b;
    }
    EXPECT_EQ(batch(0, 4, 4), 10.0f);  // sigma 0
}

TEST(GaussianNoise, ReachesTilesThatAreNotContiguous) {
    Array<float> clean = constant({8, 8}, 3), noisy = constant({8, 8}, -1);
    add_gaussian_noise(clean.view().block(2, 3, 4, 2), 1, Philox(1), noisy.view().block(2, 3, 4, 2));
    for (Index i = 0; i < 8; ++i)
        for (Index j = 0; j < 8; ++j) {
            const bool inside = i >= 2 && i < 6 && j >= 3 && j < 5;
            EXPECT_EQ(noisy(i, j) == -1.0f, !inside) << i << ", " << j;
        }
}

TEST(NoiseLevels, AreUniformAndBelongToTheirSample) {
    Array<float> sigmas({20000}), later({10});
    draw_noise_levels(5, 55, 9, 0, sigmas);
    draw_noise_levels(5, 55, 9, 100, later);
    EXPECT_TRUE(std::equal(later.begin(), later.end(), sigmas.begin() + 100));
    const Moments m = moments(sigmas);
    EXPECT_NEAR(m.mean, 30, 5 * std::sqrt(2500.0 / 12 / 20000));  // five standard errors
    EXPECT_NEAR(m.variance, 2500.0 / 12, 5 * 2500.0 / 12 * std::sqrt(0.8 / 20000));
    EXPECT_GE(*std::min_element(sigmas.begin(), sigmas.end()), 5);
    EXPECT_LE(*std::max_element(sigmas.begin(), sigmas.end()), 55);
}

TEST(PoissonGaussianNoise, HasTheMeanOfTheImageAndAVarianceThatGrowsWithIt) {
    Context context;
    for (float level :
         {0.0f, 1.0f, 20.0f, 60.0f, 200.0f, 2500.0f}) {  // on both sides of the algorithm's switch
        const Array<float> clean = constant({500, 500}, level);
        Array<float> noisy(clean.shape());
        const float gain = 2, sigma = 3;
        add_poisson_gaussian_noise(clean, gain, sigma, Philox(5, streams::noise, 1), noisy, context);
        const Moments m = moments(noisy);
        const double variance = gain * level + sigma * sigma;
        const double third = gain * gain * level;  // of a scaled Poisson
        const double fourth = 3 * variance * variance + gain * gain * gain * level;
        const double n = 250000;  // five standard errors
        EXPECT_NEAR(m.mean, level, 5 * std::sqrt(variance / n)) << level;
        EXPECT_NEAR(m.variance, variance, 5 * std::sqrt((fourth - variance * variance) / n)) << level;
        EXPECT_NEAR(m.third, third, 5 * std::sqrt(20 * variance * variance * variance / n)) << level;
    }
}

TEST(PoissonGaussianNoise, CountsPhotonsWithPoissonsProbabilities) {
    Context context;
    for (float mean : {3.5f, 40.0f}) {
        const Array<float> clean = constant({1000, 500}, mean);
        Array<float> noisy(clean.shape());
        add_poisson_gaussian_noise(clean, 1, 0, Philox(11), noisy, context);
        std::vector<double> counts(200);
        for (float v : noisy) {
            ASSERT_EQ(v, std::floor(v));
            counts.at(static_cast<std::size_t>(v)) += 1;
        }
        double chi_square = 0;
        int cells = 0;
        for (std::size_t k = 0; k < counts.size(); ++k) {
            const double x = static_cast<double>(k);
            const double expected = 500000 * std::exp(x * std::log(mean) - mean - std::lgamma(x + 1));
            if (expected < 10) continue;
            chi_square += (counts[k] - expected) * (counts[k] - expected) / expected;
            ++cells;
        }
        EXPECT_GT(cells, 10);
        EXPECT_LT(chi_square, cells + 5 * std::sqrt(2.0 * cells)) << mean;  // mean + 5 deviations of chi^2
    }
}

TEST(PoissonGaussianNoise, IsTheSameOnAnyNumberOfThreadsAndLetsNanThrough) {
    Array<float> clean = constant({31, 17}, 80);
    clean(3, 4) = std::numeric_limits<float>::quiet_NaN();
    clean(5, 6) = -4;
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    Array<float> a(clean.shape()), b(clean.shape());
    add_poisson_gaussian_noise(clean, 0.5f, 0, Philox(3), a, one);
    add_poisson_gaussian_noise(clean, 0.5f, 0, Philox(3), b, three);
    for (Index i = 0; i < 31; ++i)
        for (Index j = 0; j < 17; ++j)
            EXPECT_TRUE(a(i, j) == b(i, j) || (i == 3 && j == 4)) << i << ", " << j;
    EXPECT_TRUE(std::isnan(a(3, 4)));
    EXPECT_EQ(a(5, 6), 0);  // no light below zero
}

TEST(Quantise, RoundsToWholeNumbersIn8BitsAndClips) {
    Array<float> image({1, 7});
    const float values[] = {
        -3.0f, 0.49f, 0.5f, 17.2f, 254.6f, 300.0f, std::numeric_limits<float>::quiet_NaN()};
    std::copy(std::begin(values), std::end(values), image.begin());
    quantise(image, 8, 0, 255);
    const float expected[] = {0, 0, 1, 17, 255, 255};
    for (Index j = 0; j < 6; ++j) EXPECT_EQ(image(0, j), expected[j]) << j;
    EXPECT_TRUE(std::isnan(image(0, 6)));
}

TEST(Quantise, AddsTheVarianceOfItsStep) {
    const Array<float> clean = constant({500, 500}, 0.4f);
    Array<float> noisy(clean.shape());
    add_gaussian_noise(clean, 0.05f, Philox(2), noisy);
    quantise(noisy, 5, 0, 1);
    const double step = 1.0 / 31;
    // Sheppard's correction: independent error of variance step^2 / 12 where sigma > step; five standard
    // errors.
    EXPECT_NEAR(moments(noisy).variance, 0.0025 + step * step / 12, 5 * 0.0026 * std::sqrt(2.0 / 250000));
}

TEST(Exposure, HasTheMeanAndVarianceThatItSays) {
    Context context;
    const Exposure exposures[] = {{4, 0, 0}, {4, 0.5f, 0}, {4, 0, 8}, {2, 0.25f, 8}, {1.5f, 0.8f, 6}};
    for (const Exposure& exposure : exposures) {
        const float level = 90;  // far from both ends of the converter
        const Array<float> clean = constant({500, 500}, level);
        Array<float> noisy(clean.shape());
        expose(clean, exposure, 255, Philox(8, streams::noise, 2), noisy, context);
        const Moments m = moments(noisy);
        const double deviation = noise_deviation(exposure, level, 255);
        EXPECT_NEAR(m.mean, level, 5 * deviation / 500);  // five standard errors
        EXPECT_NEAR(m.variance, deviation * deviation, 5 * deviation * deviation * std::sqrt(2.0 / 250000));
    }
    EXPECT_DOUBLE_EQ(noise_deviation({3, 2, 0}, 8, 255), 5);
    EXPECT_DOUBLE_EQ(noise_deviation({0, 0, 8}, 8, 255), std::sqrt(1.0 / 12));
}

TEST(Exposure, OfNothingIsTheImageAndOfAConverterItsSteps) {
    Context context;
    const Array<float> clean = constant({4, 4}, 17.3f);
    Array<float> taken(clean.shape());
    expose(clean, {}, 255, Philox(1), taken, context);
    EXPECT_TRUE(equal(taken, clean));
    expose(clean, {0, 0, 8}, 255, Philox(1), taken, context);
    EXPECT_EQ(taken(2, 3), 17);
}

TEST(Exposure, RefusesWhatNoSensorDoes) {
    Context context;
    Array<float> clean({2, 2}), noisy({2, 2});
    auto taking = [&](const Exposure& exposure, float full_scale = 255) {
        return [&, exposure, full_scale] { expose(clean, exposure, full_scale, Philox(1), noisy, context); };
    };
    auto error = [](const char* text) { return ThrowsMessage<Error>(HasSubstr(text)); };
    EXPECT_THAT(taking({-1, 0, 0}), error("sigma of an exposure must be at least 0, got -1"));
    EXPECT_THAT(taking({std::nanf(""), 0, 0}), error("got nan"));
    EXPECT_THAT(taking({0, -2, 0}), error("gain of an exposure must be at least 0, got -2"));
    EXPECT_THAT(taking({0, 0, 17}), error("bits of an exposure must be from 0 to 16, got 17"));
    EXPECT_THAT(taking({}, 0), error("full_scale must be above 0, got 0"));
}

TEST(Sensor, DrawsExposuresFromItsRangesThatBelongToTheirSample) {
    SensorOptions options;
    options.sigma_from = 1;
    options.sigma_to = 3;
    constexpr int count = 20000;
    Array<float> sigmas({count}), log_gains({count});
    int counted = 0, converted = 0;
    for (std::uint64_t sample = 0; sample < count; ++sample) {
        const Exposure exposure = draw_exposure(options, 12, sample);
        sigmas(static_cast<Index>(sample)) = exposure.sigma;
        if (exposure.gain > 0) log_gains(counted++) = std::log(exposure.gain);
        if (exposure.bits > 0) {
            ++converted;
            ASSERT_EQ(exposure.bits, 8);
        }
    }
    EXPECT_EQ(draw_exposure(options, 12, 77), draw_exposure(options, 12, 77));
    EXPECT_EQ(draw_exposure(options, 12, 77).sigma, sigmas(77));
    const double error = 5 * std::sqrt(0.1875 * count);  // five standard errors of a count of a quarter
    EXPECT_NEAR(counted, 0.25 * count, error);
    EXPECT_NEAR(converted, 0.25 * count, error);
    EXPECT_NEAR(moments(sigmas).mean, 2, 5 * std::sqrt(4.0 / 12 / count));
    double mean = 0;
    for (Index i = 0; i < counted; ++i) mean += log_gains(i) / counted;
    EXPECT_NEAR(mean, std::log(0.02) / 2, 5 * -std::log(0.02) / std::sqrt(12.0 * counted));
}

TEST(Sensor, NamesTheOptionThatIsOutsideItsRange) {
    auto drawing = [](auto change) {
        return [change] {
            SensorOptions options;
            change(options);
            (void)draw_exposure(options, 1, 1);
        };
    };
    auto error = [](const char* text) { return ThrowsMessage<Error>(HasSubstr(text)); };
    EXPECT_THAT(drawing([](auto& o) { o.full_scale = 0; }), error("full_scale must be above 0, got 0"));
    EXPECT_THAT(drawing([](auto& o) { o.sigma_from = 20; }), error("sigma must satisfy 0 <= sigma_from"));
    EXPECT_THAT(drawing([](auto& o) { o.photon_fraction = 1.5; }), error("photon_fraction must be between"));
    EXPECT_THAT(drawing([](auto& o) { o.converted_fraction = -1; }), error("converted_fraction must be"));
    EXPECT_THAT(drawing([](auto& o) { o.gain_from = 0; }), error("gain must satisfy 0 < gain_from"));
    EXPECT_THAT(drawing([](auto& o) { o.bits = 0; }), error("bits must be from 1 to 16, got 0"));
}

TEST(Clip, LimitsAndKeepsWhatIsInside) {
    Array<float> image({2, 2});
    image(0, 0) = -1;
    image(0, 1) = 0.25f;
    image(1, 0) = 7;
    image(1, 1) = 1;
    clip(image, 0, 1);
    EXPECT_EQ(image(0, 0), 0);
    EXPECT_EQ(image(0, 1), 0.25f);
    EXPECT_EQ(image(1, 0), 1);
    EXPECT_EQ(image(1, 1), 1);
}

}  // namespace
}  // namespace sonolux

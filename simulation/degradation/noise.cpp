// sonolux/simulation/degradation/noise.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/simulation/degradation/noise.hpp>

namespace sonolux {

namespace {

/// body(row of a, row of b) over views of the same shape, whatever their rank and strides.
template <class A, class B, class Body>
void for_each_row(View<A> a, View<B> b, Body&& body) noexcept {
    assert(a.shape() == b.shape());
    if (a.empty()) return;
    if (a.rank() <= 1) {
        body(a.data(), b.data(), a.elements());
        return;
    }
    for (Index i = 0; i < a.size(0); ++i) for_each_row(a[i], b[i], body);
}

/// noisy holds standard normal variates.
void scale_and_shift(View<const float> clean, float sigma, View<float> noisy) noexcept {
    for_each_row(clean, noisy, [sigma](const float* x, float* y, Index columns) {
        for (Index j = 0; j < columns; ++j) y[j] = x[j] + sigma * y[j];
    });
}

template <class Change>
void for_each_value(View<float> image, Change&& change) noexcept {
    for_each_row(image, image, [&change](float* x, float*, Index columns) {
        for (Index j = 0; j < columns; ++j) x[j] = change(x[j]);
    });
}

/// The uniform numbers of one pixel: blocks of their own, so that a pixel may take as many as it needs.
/// Normal variates stand in the blocks below 2^40.
class PixelNumbers {
public:
    PixelNumbers(const Philox& random, Index pixel) noexcept
        : random_(random), counter_((std::uint64_t{1} << 40) + (static_cast<std::uint64_t>(pixel) << 8)) {}

    /// On (0, 1).
    double uniform() noexcept {
        if (used_ == 4) {
            words_ = random_.block(counter_++);
            used_ = 0;
        }
        const std::uint64_t high = words_[used_];
        const std::uint64_t low = words_[used_ + 1];
        used_ += 2;
        return (static_cast<double>((high << 32 | low) >> 12) + 0.5) * 0x1p-52;
    }

private:
    const Philox& random_;
    std::uint64_t counter_;
    PhiloxBlock words_{};
    int used_ = 4;
};

/// ln k!: a product below 16, else Stirling's series, whose next term is below 1e-9 there.
double log_factorial(double k) noexcept {
    if (k < 16) {
        double product = 1;
        for (int i = 2; i <= static_cast<int>(k); ++i) product *= i;
        return std::log(product);
    }
    constexpr double half_log_two_pi = 0.91893853320467274178;
    const double n = k + 1;  // ln k! = ln Gamma(n)
    const double r = 1 / n, rr = r * r;
    return (n - 0.5) * std::log(n) - n + half_log_two_pi + r * (1.0 / 12 - rr * (1.0 / 360 - rr / 1260));
}

/// Below a mean of 16 the cumulative distribution is searched from 0; above, W. Hormann's transformed
/// rejection with squeeze (algorithm PTRS, Insurance: Mathematics and Economics 12, 1993, 39-45).
double poisson(double mean, PixelNumbers& numbers) noexcept {
    if (mean < 16) {
        double u = numbers.uniform();
        double probability = std::exp(-mean);
        double k = 0;
        while (u > probability && k < 200) {  // P(k >= 200) < 1e-100; rounding of the sum must not run on
            u -= probability;
            probability *= mean / ++k;
        }
        return k;
    }
    const double b = 0.931 + 2.53 * std::sqrt(mean);
    const double a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    const double v_r = 0.9277 - 3.6224 / (b - 2);
    const double log_mean = std::log(mean);
    for (;;) {
        const double u = numbers.uniform() - 0.5;
        const double v = numbers.uniform();
        const double us = 0.5 - std::abs(u);
        const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= v_r) return k;
        if (k < 0 || (us < 0.013 && v > us)) continue;
        if (std::log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - log_factorial(k))
            return k;
    }
}

}  // namespace

void add_gaussian_noise(View<const float> clean, float sigma, const Philox& random,
                        View<float> noisy) noexcept {
    fill_normal(noisy, random);
    scale_and_shift(clean, sigma, noisy);
}

void add_gaussian_noise(View<const float> clean, float sigma, const Philox& random, View<float> noisy,
                        Context& context) noexcept {
    fill_normal(noisy, random, context);
    scale_and_shift(clean, sigma, noisy);
}

void add_gaussian_noise(View<const float> clean, View<const float> sigmas, std::uint64_t seed,
                        std::uint64_t first_sample, View<float> noisy, Context& context) noexcept {
    assert(clean.rank() >= 1 && clean.shape() == noisy.shape() && sigmas.elements() == clean.size(0));
    parallel_for(context, clean.size(0), [&](Index b, int) {
        const Philox random(seed, streams::noise, first_sample + static_cast<std::uint64_t>(b));
        add_gaussian_noise(clean[b], sigmas(b), random, noisy[b]);
    });
}

void draw_noise_levels(float low, float high, std::uint64_t seed, std::uint64_t first_sample,
                       View<float> sigmas) noexcept {
    for (Index b = 0; b < sigmas.size(0); ++b) {
        Philox random(seed, streams::noise_level, first_sample + static_cast<std::uint64_t>(b));
        sigmas(b) = static_cast<float>(random.uniform(low, high));
    }
}

void add_poisson_gaussian_noise(View<const float> clean, float gain, float sigma, const Philox& random,
                                View<float> noisy, Context& context) noexcept {
    assert(clean.shape() == noisy.shape() && clean.contiguous() && noisy.contiguous());
    assert(gain > 0 && sigma >= 0);
    if (clean.empty()) return;
    fill_normal(noisy, random, context);
    const Index columns = clean.columns();
    parallel_for(context, clean.elements() / columns, [&](Index row, int) {
        for (Index i = row * columns; i < (row + 1) * columns; ++i) {
            const double mean = static_cast<double>(clean.data()[i]) / gain;
            // Not finite: no photons can be counted; NaN and infinity go through.
            double photons = mean;
            if (std::isfinite(mean)) {
                PixelNumbers numbers(random, i);
                photons = mean > 0 ? poisson(mean, numbers) : 0;
            }
            noisy.data()[i] =
                static_cast<float>(gain * photons + static_cast<double>(sigma) * noisy.data()[i]);
        }
    });
}

void clip(View<float> image, float low, float high) noexcept {
    for_each_value(image, [=](float x) { return x < low ? low : x > high ? high : x; });
}

void quantise(View<float> image, int bits, float low, float high) noexcept {
    assert(bits >= 1 && bits <= 16 && low < high);
    const double levels = (1 << bits) - 1;
    const double step = (static_cast<double>(high) - low) / levels;
    clip(image, low, high);
    for_each_value(image, [=](float x) {
        return static_cast<float>(low + step * std::floor((static_cast<double>(x) - low) / step + 0.5));
    });
}

double noise_deviation(const Exposure& exposure, double level, double full_scale) noexcept {
    const double sigma = static_cast<double>(exposure.sigma);
    double variance = sigma * sigma + static_cast<double>(exposure.gain) * std::max(level, 0.0);
    if (exposure.bits > 0) {
        const double step = full_scale / ((1 << exposure.bits) - 1);
        variance += step * step / 12;
    }
    return std::sqrt(variance);
}

void expose(View<const float> clean, const Exposure& exposure, float full_scale, const Philox& random,
            View<float> noisy, Context& context) {
    constexpr Status bad = Status::invalid_argument;
    require(exposure.sigma >= 0 && std::isfinite(exposure.sigma), bad,
            "sigma of an exposure must be at least 0, got ", exposure.sigma);
    require(exposure.gain >= 0 && std::isfinite(exposure.gain), bad,
            "gain of an exposure must be at least 0, got ", exposure.gain);
    require(exposure.bits >= 0 && exposure.bits <= 16, bad, "bits of an exposure must be from 0 to 16, got ",
            exposure.bits);
    require(full_scale > 0 && std::isfinite(full_scale), bad, "full_scale must be above 0, got ", full_scale);
    if (exposure.gain > 0)
        add_poisson_gaussian_noise(clean, exposure.gain, exposure.sigma, random, noisy, context);
    else
        add_gaussian_noise(clean, exposure.sigma, random, noisy, context);
    if (exposure.bits > 0) quantise(noisy, exposure.bits, 0, full_scale);
}

void validate(const SensorOptions& o) {
    constexpr Status bad = Status::invalid_argument;
    require(o.full_scale > 0 && std::isfinite(o.full_scale), bad, "full_scale must be above 0, got ",
            o.full_scale);
    require(o.sigma_from >= 0 && o.sigma_from <= o.sigma_to && o.sigma_to <= o.full_scale, bad,
            "sigma must satisfy 0 <= sigma_from <= sigma_to <= full_scale ", o.full_scale, ", got ",
            o.sigma_from, " and ", o.sigma_to);
    auto fraction = [](double value, const char* name) {
        require(value >= 0 && value <= 1, bad, name, " must be between 0 and 1, got ", value);
    };
    fraction(o.photon_fraction, "photon_fraction");
    fraction(o.converted_fraction, "converted_fraction");
    require(o.gain_from > 0 && o.gain_from <= o.gain_to && o.gain_to <= o.full_scale, bad,
            "gain must satisfy 0 < gain_from <= gain_to <= full_scale ", o.full_scale, ", got ", o.gain_from,
            " and ", o.gain_to);
    require(o.bits >= 1 && o.bits <= 16, bad, "bits must be from 1 to 16, got ", o.bits);
}

Exposure draw_exposure(const SensorOptions& options, std::uint64_t seed, std::uint64_t sample) {
    validate(options);
    Philox random(seed, streams::sensor, sample);
    Exposure exposure;
    exposure.sigma = static_cast<float>(random.uniform(options.sigma_from, options.sigma_to));
    const bool counted = random.uniform() < options.photon_fraction;
    const double gain =
        options.gain_from * std::exp(random.uniform() * std::log(options.gain_to / options.gain_from));
    const bool converted = random.uniform() < options.converted_fraction;
    if (counted) exposure.gain = static_cast<float>(gain);
    if (converted) exposure.bits = options.bits;
    return exposure;
}

}  // namespace sonolux

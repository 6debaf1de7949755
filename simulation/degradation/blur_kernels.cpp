// sonolux/simulation/degradation/blur_kernels.cpp
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <sonolux/simulation/degradation/blur_kernels.hpp>
#include <sonolux/simulation/degradation/kernel_taps.hpp>

namespace sonolux {

namespace {

using detail::KernelTaps;
using detail::softened;
using detail::softening_reach;

using std::numbers::pi;
constexpr Status bad = Status::invalid_argument;

struct Point {
    double x = 0, y = 0;
};

/// The area of the part of a convex polygon that lies in the pixel around (x, y): clipped by one side of the
/// pixel after the other (I. Sutherland and G. Hodgman 1974), then measured by the shoelace formula.
double covered_area(const std::vector<Point>& polygon, double x, double y, std::vector<Point>& clipped,
                    std::vector<Point>& work) {
    clipped = polygon;
    // What is kept has a u + b v <= c, with u and v counted from the middle of the pixel.
    constexpr double sides[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    for (const auto& side : sides) {
        work.clear();
        auto outside = [&](const Point& p) { return side[0] * (p.x - x) + side[1] * (p.y - y) - 0.5; };
        for (std::size_t n = 0; n < clipped.size(); ++n) {
            const Point &p = clipped[n], &q = clipped[(n + 1) % clipped.size()];
            const double from = outside(p), to = outside(q);
            if (from <= 0) work.push_back(p);
            if ((from < 0 && to > 0) || (from > 0 && to < 0)) {
                const double t = from / (from - to);
                work.push_back({p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)});
            }
        }
        clipped.swap(work);
        if (clipped.empty()) return 0;
    }
    double twice = 0;
    for (std::size_t n = 0; n < clipped.size(); ++n) {
        const Point &p = clipped[n], &q = clipped[(n + 1) % clipped.size()];
        twice += (p.x - x) * (q.y - y) - (q.x - x) * (p.y - y);
    }
    return std::abs(twice) / 2;
}

KernelTaps defocus_taps(double radius, int blades, double rotation) {
    constexpr int sides_of_a_disc = 360;
    const int corners = blades == 0 ? sides_of_a_disc : blades;
    const double turn = 2 * pi / corners;
    // n corners at distance r enclose n/2 r^2 sin(2 pi / n).
    const double outer = radius * std::sqrt(2 * pi / (corners * std::sin(turn)));
    const double inner = outer * std::cos(turn / 2);
    std::vector<Point> polygon;
    polygon.reserve(static_cast<std::size_t>(corners));
    for (int n = 0; n < corners; ++n)
        polygon.push_back({outer * std::cos(rotation + n * turn), outer * std::sin(rotation + n * turn)});

    const Index reach = static_cast<Index>(std::ceil(outer + 0.5));
    KernelTaps taps(reach, reach);
    std::vector<Point> clipped, work;
    for (Index y = -reach; y <= reach; ++y)
        for (Index x = -reach; x <= reach; ++x) {
            const double far =
                std::hypot(static_cast<double>(std::abs(x)) + 0.5, static_cast<double>(std::abs(y)) + 0.5);
            const double near = std::hypot(std::max(0.0, static_cast<double>(std::abs(x)) - 0.5),
                                           std::max(0.0, static_cast<double>(std::abs(y)) - 0.5));
            if (near >= outer) continue;
            taps.at(y, x) = far <= inner ? 1
                                         : covered_area(polygon, static_cast<double>(x),
                                                        static_cast<double>(y), clipped, work);
        }
    return taps;
}

/// One coordinate of the shaken camera. Its position and velocity are a Gaussian Markov process, and so can
/// be drawn exactly at equal steps d:
///
///     (p, v)(t + d) = A (p, v)(t) + N(0, S - A S A^T),    S = diag(1, w^2),
///     A = exp(-w d) [1 + w d, d; -w^2 d, 1 - w d]
///
/// (J. Hartikainen and S. Sarkka, Kalman filtering and smoothing solutions to temporal Gaussian process
/// regression models, 2010, section 3).
class Oscillator {
public:
    Oscillator(double length_scale, double step, Philox& random)
        : w_(std::numbers::sqrt3 / length_scale),
          position_(static_cast<double>(random.normal())),
          velocity_(w_ * static_cast<double>(random.normal())) {
        const double decay = std::exp(-w_ * step);
        a_[0][0] = decay * (1 + w_ * step);
        a_[0][1] = decay * step;
        a_[1][0] = -decay * w_ * w_ * step;
        a_[1][1] = decay * (1 - w_ * step);
        const double s = w_ * w_;
        const double pp = 1 - a_[0][0] * a_[0][0] - s * a_[0][1] * a_[0][1];
        const double pv = -a_[0][0] * a_[1][0] - s * a_[0][1] * a_[1][1];
        const double vv = s - a_[1][0] * a_[1][0] - s * a_[1][1] * a_[1][1];
        // The Cholesky factor. Of the position's variance, of order (w d)^3, rounding could leave nothing.
        position_noise_ = std::sqrt(std::max(pp, 0.0));
        common_noise_ = position_noise_ > 0 ? pv / position_noise_ : 0;
        velocity_noise_ = std::sqrt(std::max(vv - common_noise_ * common_noise_, 0.0));
    }

    [[nodiscard]] double position() const noexcept { return position_; }

    void advance(Philox& random) noexcept {
        const double one = static_cast<double>(random.normal()), two = static_cast<double>(random.normal());
        const double p = a_[0][0] * position_ + a_[0][1] * velocity_ + position_noise_ * one;
        velocity_ = a_[1][0] * position_ + a_[1][1] * velocity_ + common_noise_ * one + velocity_noise_ * two;
        position_ = p;
    }

    void hit(double strength, Philox& random) noexcept {
        velocity_ += strength * w_ * static_cast<double>(random.normal());
    }

private:
    double w_, position_, velocity_;
    double a_[2][2], position_noise_, common_noise_, velocity_noise_;
};

void require_range(double low, double from, double to, double high, const char* name) {
    require(from >= low && from <= to && to <= high, bad, name, " must satisfy ", low, " <= ", name,
            "_from <= ", name, "_to <= ", high, ", got ", from, " and ", to);
}

double log_uniform(double from, double to, Philox& random) noexcept {
    return from * std::exp(random.uniform() * std::log(to / from));
}

}  // namespace

void validate(const CameraShakeOptions& o) {
    auto size = [](int value, const char* name) {
        require(value >= 3 && value <= 501 && value % 2 == 1, bad, name,
                " of camera shake must be odd, from 3 to 501, got ", value);
    };
    size(o.smallest_size, "smallest_size");
    size(o.largest_size, "largest_size");
    require(o.smallest_size <= o.largest_size, bad, "smallest_size of camera shake must be at most ",
            "largest_size ", o.largest_size, ", got ", o.smallest_size);
    require_range(0.01, o.length_scale_from, o.length_scale_to, 100, "length_scale");
    require(o.impulses >= 0 && o.impulses <= 100, bad, "impulses must be between 0 and 100, got ",
            o.impulses);
    require(o.impulse_strength >= 0 && o.impulse_strength <= 100, bad,
            "impulse_strength must be between 0 and 100, got ", o.impulse_strength);
    require_range(0, o.softness_from, o.softness_to, 2, "softness");
}

void validate(const DefocusOptions& o) {
    require_range(0.3, o.radius_from, o.radius_to, 200, "radius");
    require(o.polygon_fraction >= 0 && o.polygon_fraction <= 1, bad,
            "polygon_fraction must be between 0 and 1, got ", o.polygon_fraction);
}

void validate(const GaussianBlurOptions& o) { require_range(0.3, o.sigma_from, o.sigma_to, 100, "sigma"); }

void validate(const BlurKernelOptions& o) {
    auto weight = [](double value, const char* name) {
        require(value >= 0 && std::isfinite(value), bad, name, " must be at least 0, got ", value);
    };
    weight(o.camera_shake_weight, "camera_shake_weight");
    weight(o.defocus_weight, "defocus_weight");
    weight(o.gaussian_weight, "gaussian_weight");
    require(o.camera_shake_weight + o.defocus_weight + o.gaussian_weight > 0, bad,
            "camera_shake_weight, defocus_weight and gaussian_weight are all 0");
    validate(o.camera_shake);
    validate(o.defocus);
    validate(o.gaussian);
}

void validate(const KernelErrorOptions& o) {
    require(o.largest_shift >= 0 && o.largest_shift <= 100, bad,
            "largest_shift must be between 0 and 100 pixels, got ", o.largest_shift);
    require_range(0, o.blur_from, o.blur_to, 10, "blur");
    // |normal()| < 6.7: the largest tap stays above zero.
    require(o.noise >= 0 && o.noise <= 0.1, bad, "noise must be between 0 and 0.1, got ", o.noise);
    require(o.threshold >= 0 && o.threshold < 1, bad, "threshold must be at least 0 and below 1, got ",
            o.threshold);
}

Array<float> gaussian_kernel(double major, double minor, double angle) {
    for (double sigma : {major, minor})
        require(sigma >= 0.3 && sigma <= 100, bad,
                "a Gaussian's standard deviations must be from 0.3 to 100 pixels, got ", major, " and ",
                minor);
    require(std::isfinite(angle), bad, "a Gaussian's angle must be finite, got ", angle);
    const double c = std::cos(angle), s = std::sin(angle);
    const double across = std::hypot(major * c, minor * s), down = std::hypot(major * s, minor * c);
    KernelTaps taps(static_cast<Index>(std::ceil(4 * down)), static_cast<Index>(std::ceil(4 * across)));
    for (Index y = -taps.row_reach(); y <= taps.row_reach(); ++y)
        for (Index x = -taps.column_reach(); x <= taps.column_reach(); ++x) {
            const double u = (c * static_cast<double>(x) + s * static_cast<double>(y)) / major;
            const double v = (c * static_cast<double>(y) - s * static_cast<double>(x)) / minor;
            taps.at(y, x) = std::exp(-(u * u + v * v) / 2);
        }
    return taps.finished();
}

Array<float> defocus_kernel(double radius, int blades, double rotation) {
    require(radius >= 0.3 && radius <= 200, bad,
            "the radius of a lens blur must be from 0.3 to 200 pixels, got ", radius);
    require(blades == 0 || (blades >= 3 && blades <= 100), bad,
            "an aperture has 3 to 100 blades, or 0 for a disc, got ", blades);
    require(std::isfinite(rotation), bad, "an aperture's rotation must be finite, got ", rotation);
    return defocus_taps(radius, blades, rotation).finished();
}

Array<float> draw_gaussian_blur(const GaussianBlurOptions& options, Philox& random) {
    validate(options);
    const double one = random.uniform(options.sigma_from, options.sigma_to);
    const double two = random.uniform(options.sigma_from, options.sigma_to);
    return gaussian_kernel(one, two, random.uniform(0, pi));
}

Array<float> draw_defocus(const DefocusOptions& options, Philox& random) {
    validate(options);
    const double radius = random.uniform(options.radius_from, options.radius_to);
    const bool polygon = random.uniform() < options.polygon_fraction;
    const int blades = static_cast<int>(5 + random.below(5));
    const double rotation = random.uniform(0, 2 * pi);
    return polygon ? defocus_kernel(radius, blades, rotation) : defocus_kernel(radius);
}

Array<double> draw_camera_path(const CameraShakeOptions& options, Philox& random) {
    validate(options);
    constexpr Index steps = camera_path_steps;
    const double length_scale = log_uniform(options.length_scale_from, options.length_scale_to, random);
    auto until_impulse = [&] {
        return -std::log(1 - random.uniform()) / options.impulses;
    };  // may be infinite
    Oscillator y(length_scale, 1.0 / steps, random), x(length_scale, 1.0 / steps, random);
    Array<double> path({steps + 1, 2});
    double next_impulse = until_impulse();
    for (Index n = 0;; ++n) {
        path(n, 0) = y.position();
        path(n, 1) = x.position();
        if (n == steps) return path;
        for (; next_impulse * steps < static_cast<double>(n + 1); next_impulse += until_impulse()) {
            y.hit(options.impulse_strength, random);
            x.hit(options.impulse_strength, random);
        }
        y.advance(random);
        x.advance(random);
    }
}

Array<float> draw_camera_shake(const CameraShakeOptions& options, Philox& random) {
    validate(options);
    const Index size =
        options.smallest_size + 2 * random.below((options.largest_size - options.smallest_size) / 2 + 1);
    const double softness = random.uniform(options.softness_from, options.softness_to);
    const double fullness = random.uniform();
    const Array<double> path = draw_camera_path(options, random);

    // The light of each step comes from points spread evenly over it.
    constexpr Index points = 4, count = camera_path_steps * points;
    Array<double> light({count, 2});
    double middle[2] = {}, furthest = 0;
    for (Index n = 0; n < count; ++n) {
        const double t = (static_cast<double>(n % points) + 0.5) / points;
        for (Index axis = 0; axis < 2; ++axis) {
            const double from = path(n / points, axis), to = path(n / points + 1, axis);
            light(n, axis) = from + t * (to - from);
            middle[axis] += light(n, axis) / count;
        }
    }
    for (Index n = 0; n < count; ++n)
        for (Index axis = 0; axis < 2; ++axis) {
            light(n, axis) -= middle[axis];
            furthest = std::max(furthest, std::abs(light(n, axis)));
        }

    // A path that reaches from r - 1 to r pixels from the middle fills 2 r + 1 taps; softening adds its own.
    const Index reach = std::max<Index>(1, (size - 1) / 2 - softening_reach(softness));
    const double scale = (static_cast<double>(reach) - 0.98 * fullness - 0.01) / furthest;
    KernelTaps taps(reach, reach);
    for (Index n = 0; n < count; ++n) taps.add_point(scale * light(n, 0), scale * light(n, 1), 1.0 / count);
    return softened(taps, softness).finished();
}

Array<float> draw_blur_kernel(const BlurKernelOptions& options, std::uint64_t seed, std::uint64_t sample) {
    validate(options);
    Philox random(seed, streams::blur_kernels, sample);
    const double total = options.camera_shake_weight + options.defocus_weight + options.gaussian_weight;
    const double u = random.uniform() * total;
    if (u < options.camera_shake_weight || options.defocus_weight + options.gaussian_weight == 0)
        return draw_camera_shake(options.camera_shake, random);
    if (u < options.camera_shake_weight + options.defocus_weight || options.gaussian_weight == 0)
        return draw_defocus(options.defocus, random);
    return draw_gaussian_blur(options.gaussian, random);
}

Array<float> perturb_kernel(View<const float> kernel, const KernelErrorOptions& options, std::uint64_t seed,
                            std::uint64_t sample) {
    validate(options);
    require(kernel.rank() == 2 && kernel.rows() % 2 == 1 && kernel.columns() % 2 == 1, bad,
            "a kernel to perturb must have odd rows and columns, got ", to_string(kernel.shape()));
    double sum = 0;
    for (Index u = 0; u < kernel.rows(); ++u)
        for (Index v = 0; v < kernel.columns(); ++v) {
            require(std::isfinite(kernel(u, v)) && kernel(u, v) >= 0, bad, "tap [", u, ", ", v,
                    "] of a kernel to perturb must be finite and at least 0, got ", kernel(u, v));
            sum += kernel(u, v);
        }
    require(sum > 0, bad, "a kernel to perturb is zero everywhere");

    Philox random(seed, streams::kernel_error, sample);
    const double shift_y = random.uniform(-options.largest_shift, options.largest_shift);
    const double shift_x = random.uniform(-options.largest_shift, options.largest_shift);
    const double blur = random.uniform(options.blur_from, options.blur_to);

    const Index row_reach = kernel.rows() / 2, column_reach = kernel.columns() / 2;
    const Index margin = static_cast<Index>(std::ceil(options.largest_shift)) + 1;
    KernelTaps shifted(row_reach + margin, column_reach + margin);
    for (Index y = -row_reach; y <= row_reach; ++y)
        for (Index x = -column_reach; x <= column_reach; ++x)
            shifted.add_point(static_cast<double>(y) + shift_y, static_cast<double>(x) + shift_x,
                              kernel(y + row_reach, x + column_reach));
    KernelTaps taps = softened(shifted, blur);
    const double largest = taps.largest();
    for (Index y = -taps.row_reach(); y <= taps.row_reach(); ++y)
        for (Index x = -taps.column_reach(); x <= taps.column_reach(); ++x) {
            double& tap = taps.at(y, x);
            tap = std::max(tap + options.noise * largest * static_cast<double>(random.normal()), 0.0);
        }
    const double threshold = options.threshold * taps.largest();
    for (Index y = -taps.row_reach(); y <= taps.row_reach(); ++y)
        for (Index x = -taps.column_reach(); x <= taps.column_reach(); ++x)
            if (taps.at(y, x) < threshold) taps.at(y, x) = 0;
    return taps.finished();
}

}  // namespace sonolux

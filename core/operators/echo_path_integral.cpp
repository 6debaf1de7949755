// sonolux/core/operators/echo_path_integral.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/operators/echo_path_integral.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr Index block = 1024;  // pixels that one thread takes at a time

Point direction_at(const RaySource& rays, Point p) {
    const Point way = p - rays.entry_point(p);
    return (1 / length(way)) * way;
}

void check(const PathGeometry& geometry, const std::vector<RaySource>& receive) {
    validate(geometry);
    for (std::size_t m = 0; m < geometry.measurements.size(); ++m) {
        const PathSum& pair = geometry.measurements[m];
        require(pair.size() == 2 && pair[0].weight == 1 && pair[1].weight == -1, invalid,
                "echo path integral: measurement ", m,
                " must be the difference of two families of rays, of weights 1 and -1");
    }
    require(!receive.empty(), invalid, "echo path integral: at least one element must receive");
    for (const RaySource& element : receive)
        require(element.kind == RaySource::Kind::point, invalid,
                "echo path integral: receiving elements must be points");
}

// Each family once, with weight 1.
PathGeometry families_of(const PathGeometry& geometry, const std::vector<RaySource>& receive,
                         std::vector<Index>& first, std::vector<Index>& second) {
    PathGeometry families{geometry.map, geometry.points, {}};
    std::vector<PathSum>& list = families.measurements;
    const auto place = [&](const RaySource& rays) {
        const auto found =
            std::ranges::find_if(list, [&](const PathSum& one) { return one[0].source == rays; });
        if (found != list.end()) return static_cast<Index>(found - list.begin());
        list.push_back({{rays, 1}});
        return std::ssize(list) - 1;
    };
    for (const PathSum& pair : geometry.measurements) {
        first.push_back(place(pair[0].source));
        second.push_back(place(pair[1].source));
    }
    for (const RaySource& element : receive) list.push_back({{element, 1}});
    return families;
}

// Means over the elements that see p, and what their times are weighted with for <r> and the slope.
struct ReceiveAperture {
    double across = 0, rate = 0, rate_slope = 0;  // <u>, <w>, cov(u, w) / var(u)
    bool hears = false;

    ReceiveAperture(const std::vector<RaySource>& receive, const ImageGrid& map, Point p,
                    std::vector<double>& mean, std::vector<double>& slope) {
        double elements = 0, uu = 0, uw = 0;
        for (std::size_t e = 0; e < receive.size(); ++e) {
            mean[e] = slope[e] = 0;
            if (!sees(receive[e], map, p)) continue;
            const Point n = direction_at(receive[e], p);
            elements += 1;
            across += n.x;
            rate += n.z;
            uu += n.x * n.x;
            uw += n.x * n.z;
            mean[e] = 1;
            slope[e] = n.x;
        }
        hears = elements > 0;
        if (!hears) return;
        across /= elements;
        rate /= elements;
        const double variance = uu / elements - across * across;
        const bool steers = variance > 1e-9;  // one element, or elements that are all far away, tell no x
        if (steers) rate_slope = (uw / elements - across * rate) / variance;
        for (std::size_t e = 0; e < receive.size(); ++e) {
            if (mean[e] == 0) continue;
            mean[e] = 1 / elements;
            slope[e] = steers ? (slope[e] - across) / (elements * variance) : 0;
        }
    }
};

}  // namespace

EchoPathIntegral::EchoPathIntegral(const PathGeometry& geometry, const std::vector<RaySource>& receive)
    : receivers_(std::ssize(receive)) {
    check(geometry, receive);
    inner_ = make_path_integral(families_of(geometry, receive, first_, second_));
    coverage_ = sonolux::coverage(geometry);
    range_ = coverage_.shape();
    const ImageGrid& points = geometry.points;
    const Index pixels = points.rows * points.columns, measurements = range_[0];
    mean_ = Array<float>({receivers_, pixels});
    slope_ = Array<float>({receivers_, pixels});
    combine_ = Array<float>({measurements, Index{coefficients}, pixels});
    std::vector<double> mean(receive.size()), slope(receive.size());
    for (Index p = 0; p < pixels; ++p) {
        const Point point =
            points.point(static_cast<double>(p / points.columns), static_cast<double>(p % points.columns));
        const ReceiveAperture back(receive, geometry.map, point, mean, slope);
        for (Index e = 0; e < receivers_; ++e) {
            mean_(e, p) = static_cast<float>(mean[static_cast<std::size_t>(e)]);
            slope_(e, p) = static_cast<float>(slope[static_cast<std::size_t>(e)]);
        }
        for (Index m = 0; m < measurements; ++m) {
            float& seen = coverage_.data()[m * pixels + p];
            if (!back.hears) seen = 0;
            if (seen == 0) continue;  // coefficients stay 0
            const PathSum& pair = geometry.measurements[static_cast<std::size_t>(m)];
            const Point n[2] = {direction_at(pair[0].source, point), direction_at(pair[1].source, point)};
            const Point turn = n[0] - n[1];
            // (n_first - n_second) . s = turn_x slope + sum over both of q (t + <r> - slope (n_x + <u>))
            double q[2], steered = turn.x;
            for (const int side : {0, 1}) {
                const double across = n[side].x + back.across;
                q[side] = 0.5 * (turn.z - back.rate_slope * turn.x) /
                          (n[side].z + back.rate - back.rate_slope * across);
                steered -= q[side] * across;
            }
            combine_(m, Index{of_first}, p) = static_cast<float>(1 - q[0]);
            combine_(m, Index{of_second}, p) = static_cast<float>(-1 - q[1]);
            combine_(m, Index{of_mean}, p) = static_cast<float>(-q[0] - q[1]);
            combine_(m, Index{of_slope}, p) = static_cast<float>(-steered);
        }
    }
}

std::size_t EchoPathIntegral::workspace_bytes(const Context& context) const noexcept {
    return Workspace::bytes<float>(inner_->range().elements()) +
           2 * Workspace::bytes<float>(range_[1] * range_[2]) + inner_->workspace_bytes(context);
}

void EchoPathIntegral::apply(View<const float> slowness, View<float> delays,
                             Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const View<float> times = scratch.take<float>(inner_->range());
    inner_->apply(slowness, times, context);
    combine(times, delays, context);
}

void EchoPathIntegral::combine(View<const float> times, View<float> delays, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const Index pixels = range_[1] * range_[2], measurements = range_[0];
    float* mean = scratch.take<float>(pixels);
    float* slope = scratch.take<float>(pixels);
    const float* received = times.data() + (inner_->range()[0] - receivers_) * pixels;
    parallel_for(context, (pixels + block - 1) / block, [&](Index b, int) noexcept {
        const Index begin = b * block, end = std::min(pixels, begin + block);
        std::fill(mean + begin, mean + end, 0.0f);
        std::fill(slope + begin, slope + end, 0.0f);
        for (Index e = 0; e < receivers_; ++e) {
            const float* r = received + e * pixels;
            const float* of_e = mean_.data() + e * pixels;
            const float* tilt_of_e = slope_.data() + e * pixels;
            for (Index p = begin; p < end; ++p) {
                mean[p] += of_e[p] * r[p];
                slope[p] += tilt_of_e[p] * r[p];
            }
        }
        for (Index m = 0; m < measurements; ++m) {
            const float* a = times.data() + first_[static_cast<std::size_t>(m)] * pixels;
            const float* z = times.data() + second_[static_cast<std::size_t>(m)] * pixels;
            const float* c = combine_.data() + m * coefficients * pixels;
            float* out = delays.data() + m * pixels;
            for (Index p = begin; p < end; ++p)
                out[p] = c[p] * a[p] + c[pixels + p] * z[p] + c[2 * pixels + p] * mean[p] +
                         c[3 * pixels + p] * slope[p];
        }
    });
}

void EchoPathIntegral::adjoint(View<const float> delays, View<float> slowness,
                               Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const View<float> times = scratch.take<float>(inner_->range());
    const Index pixels = range_[1] * range_[2], measurements = range_[0];
    const Index families = inner_->range()[0], sent = families - receivers_;
    float* mean = scratch.take<float>(pixels);
    float* slope = scratch.take<float>(pixels);
    parallel_for(context, (pixels + block - 1) / block, [&](Index b, int) noexcept {
        const Index begin = b * block, end = std::min(pixels, begin + block);
        std::fill(mean + begin, mean + end, 0.0f);
        std::fill(slope + begin, slope + end, 0.0f);
        for (Index f = 0; f < sent; ++f)
            std::fill(times.data() + f * pixels + begin, times.data() + f * pixels + end, 0.0f);
        for (Index m = 0; m < measurements; ++m) {
            float* a = times.data() + first_[static_cast<std::size_t>(m)] * pixels;
            float* z = times.data() + second_[static_cast<std::size_t>(m)] * pixels;
            const float* c = combine_.data() + m * coefficients * pixels;
            const float* in = delays.data() + m * pixels;
            for (Index p = begin; p < end; ++p) {
                a[p] += c[p] * in[p];
                z[p] += c[pixels + p] * in[p];
                mean[p] += c[2 * pixels + p] * in[p];
                slope[p] += c[3 * pixels + p] * in[p];
            }
        }
        for (Index e = 0; e < receivers_; ++e) {
            float* r = times.data() + (sent + e) * pixels;
            const float* of_e = mean_.data() + e * pixels;
            const float* tilt_of_e = slope_.data() + e * pixels;
            for (Index p = begin; p < end; ++p) r[p] = of_e[p] * mean[p] + tilt_of_e[p] * slope[p];
        }
    });
    inner_->adjoint(times, slowness, context);
}

}  // namespace sonolux

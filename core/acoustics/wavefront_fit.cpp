// sonolux/core/acoustics/wavefront_fit.cpp
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/core/acoustics/least_squares.hpp>
#include <sonolux/core/acoustics/wavefront_fit.hpp>

namespace sonolux {

namespace {

constexpr double slowest = 800, fastest = 2500;  // m/s, of what probes look into
constexpr double farthest = 1;                   // m: beyond, a wave is a plane one

std::vector<std::size_t> active_elements(const Transmission& t) {
    std::vector<std::size_t> active;
    for (std::size_t i = 0; i < t.apodization.size(); ++i)
        if (t.apodization[i] != 0) active.push_back(i);
    return active;
}

double way(const Transmission& t, Point e) {
    if (t.wavefront == Wavefront::plane) return e.x * std::sin(t.angle) + e.z * std::cos(t.angle);
    return t.wavefront == Wavefront::focused ? -length(e - t.focus) : length(e - t.focus);
}

/// The direction of the plane wave whose delays are nearest. Elements on a line that is not level tilt it.
Transmission plane_from_delays(Transmission t, const TransducerArray& array, double sound_speed) {
    t.wavefront = Wavefront::plane;
    const auto active = active_elements(t);
    double x = 0, z = 0, time = 0, xx = 0, xz = 0, zz = 0, xt = 0, zt = 0;
    const double count = static_cast<double>(active.size());
    for (const std::size_t i : active) {
        x += array.elements()[i].position.x / count;
        z += array.elements()[i].position.z / count;
        time += t.delays[i] / count;
    }
    for (const std::size_t i : active) {
        const Point e = array.elements()[i].position - Point{x, z};
        xx += e.x * e.x, xz += e.x * e.z, zz += e.z * e.z;
        xt += e.x * (t.delays[i] - time), zt += e.z * (t.delays[i] - time);
    }
    // Least squares of c t = sin(angle) x + cos(angle) z by Gauss and Newton, from a level array's answer.
    double angle = std::asin(std::clamp(sound_speed * xt / std::max(xx, 1e-30), -1.0, 1.0));
    for (int n = 0; n < 20; ++n) {
        const double s = std::sin(angle), c = std::cos(angle);
        const double gradient =
            c * (s * xx + c * xz - sound_speed * xt) - s * (s * xz + c * zz - sound_speed * zt);
        const double curvature = c * c * xx - 2 * s * c * xz + s * s * zz;
        if (!(curvature > 0)) break;
        angle = std::clamp(angle - gradient / curvature, -1.4, 1.4);
    }
    t.angle = angle;
    return t;
}

/// A source or focus whose delays are nearest; wavefront plane where there is none.
Transmission focus_from_delays(Transmission t, const TransducerArray& array, double sound_speed) {
    const auto active = active_elements(t);
    double scale = 0, x = 0, z = 0;
    for (const std::size_t i : active) {
        x += array.elements()[i].position.x / static_cast<double>(active.size());
        z += array.elements()[i].position.z / static_cast<double>(active.size());
    }
    const Point middle{x, z};
    double deepest = 0;
    for (const std::size_t i : active) {
        scale = std::max(scale, length(array.elements()[i].position - middle));
        deepest = std::max(deepest, std::abs(array.elements()[i].position.z - z));
    }
    if (active.size() < 4 || !(scale > 0)) return t;
    const bool level = deepest <= 1e-3 * scale;
    // |e|^2 - (c t)^2 = 2 f.x e.x + 2 f.z e.z - 2 (c T)(c t) + (c T)^2 - |f|^2, lengths in units of `scale`.
    std::vector<std::vector<double>> columns(level ? 3 : 4);
    std::vector<double> right;
    for (const std::size_t i : active) {
        const Point e = 1 / scale * (array.elements()[i].position - middle);
        const double ct = sound_speed * t.delays[i] / scale;
        columns[0].push_back(2 * e.x);
        columns[1].push_back(-2 * ct);
        columns[2].push_back(1);
        if (!level) columns[3].push_back(2 * e.z);
        right.push_back(dot(e, e) - ct * ct);
    }
    const std::vector<double> fit = least_squares(std::move(columns), std::move(right));
    // Elements beside the point fire first where it is behind the array (T before all of them), last where it
    // is before it.
    const bool focused = fit[1] > 0;
    double depth = 0;
    if (level) {
        const double square = fit[1] * fit[1] - fit[2] - fit[0] * fit[0];
        if (!(square > 0)) return t;
        depth = focused ? std::sqrt(square) : -std::sqrt(square);
    } else {
        depth = fit[3];
    }
    t.focus = middle + scale * Point{fit[0], depth};
    if (!std::isfinite(t.focus.x) || !std::isfinite(t.focus.z) || length(t.focus) > farthest) return t;
    t.wavefront = focused ? Wavefront::focused : Wavefront::diverging;
    return t;
}

bool try_wavefront(Transmission& t, const TransducerArray& array, double sound_speed, double tolerance) {
    const WavefrontFit fit = fit_wavefront(t, array, sound_speed);
    if (!(fit.misfit <= tolerance)) return false;
    t.focus_time = fit.focus_time;
    t.sound_speed = sound_speed;
    return true;
}

bool make_element(Transmission& t, const TransducerArray& array) {
    const auto active = active_elements(t);
    if (active.size() != 1) return false;
    t.wavefront = Wavefront::element;
    t.angle = t.sound_speed = 0;
    t.focus = array.elements()[active[0]].position;
    t.focus_time = t.delays[active[0]];
    return true;
}

}  // namespace

WavefrontFit fit_wavefront(const Transmission& t, const TransducerArray& array, double sound_speed) {
    const auto active = active_elements(t);
    const double count = static_cast<double>(active.size());
    double mean_way = 0, mean_time = 0;
    for (const std::size_t i : active) {
        mean_way += way(t, array.elements()[i].position) / count;
        mean_time += t.delays[i] / count;
    }
    WavefrontFit fit;
    fit.focus_time = mean_time - mean_way / sound_speed;
    for (const std::size_t i : active) {
        const double d = way(t, array.elements()[i].position);
        fit.misfit = std::max(fit.misfit, std::abs(t.delays[i] - fit.focus_time - d / sound_speed));
        fit.covariance += (d - mean_way) * (t.delays[i] - mean_time);
        fit.variance += (d - mean_way) * (d - mean_way);
    }
    return fit;
}

double start_at_first_element(Transmission& t) {
    double first = std::numeric_limits<double>::infinity();
    for (const std::size_t i : active_elements(t)) first = std::min(first, t.delays[i]);
    if (!std::isfinite(first)) return 0;
    for (std::size_t i = 0; i < t.delays.size(); ++i)
        t.delays[i] = t.apodization[i] != 0 ? t.delays[i] - first : 0;
    return first;
}

void complete_wavefronts(std::vector<Transmission>& transmissions, const TransducerArray& array,
                         double sound_speed, double tolerance, const WavefrontNames& names,
                         const std::string& who) {
    const auto fits = [&](double speed) {
        return speed > 0 &&
               std::all_of(transmissions.begin(), transmissions.end(), [&](const Transmission& t) {
                   return active_elements(t).size() == 1 ||
                          fit_wavefront(t, array, speed).misfit <= tolerance;
               });
    };
    double speed = sound_speed;
    if (!fits(speed)) {
        double covariance = 0, variance = 0;
        for (const Transmission& t : transmissions) {
            if (active_elements(t).size() == 1) continue;
            const WavefrontFit fit = fit_wavefront(t, array, 1540);  // the speed does not matter to these two
            covariance += fit.covariance;
            variance += fit.variance;
        }
        const double best = variance / covariance;
        if (best >= slowest && best <= fastest && fits(best)) speed = best;
    }
    const double used = speed > 0 ? speed : 1540;
    for (std::size_t k = 0; k < transmissions.size(); ++k) {
        Transmission& t = transmissions[k];
        if (make_element(t, array) || try_wavefront(t, array, used, tolerance)) continue;
        std::string found = "of no wavefront that there is a name for";
        try {
            found = "those of " +
                    describe_wavefront(
                        wavefront_of_delays(array, t.delays, t.apodization, used, tolerance, ""), array);
        } catch (const Error&) {
            // The message says so.
        }
        fail(Status::corrupt_data, who, ": ", names.delays, " and ", names.direction, " of ",
             names.transmission, " ", k + 1, " contradict each other: ", names.direction, " say ",
             describe_wavefront(t, array), ", the delays are ", found, " (for ", used, " m/s, to ",
             1e9 * tolerance, " ns)");
    }
}

Transmission wavefront_of_delays(const TransducerArray& array, std::vector<double> delays,
                                 std::vector<double> apodization, double sound_speed, double tolerance,
                                 const std::string& who) {
    Transmission t;
    t.delays = std::move(delays);
    t.apodization = std::move(apodization);
    validate(t, array, who.c_str());
    require(sound_speed >= 100 && sound_speed <= 10000, Status::invalid_argument, who,
            ": sound_speed must be between 100 and 10000 m/s, got ", sound_speed);
    if (make_element(t, array)) return t;
    Transmission plane = plane_from_delays(t, array, sound_speed);
    if (try_wavefront(plane, array, sound_speed, tolerance)) return plane;
    Transmission point = focus_from_delays(t, array, sound_speed);
    if (point.wavefront != Wavefront::plane && try_wavefront(point, array, sound_speed, tolerance))
        return point;
    fail(Status::unsupported, who, ": the delays are of no plane, diverging or focused wave (for ",
         sound_speed, " m/s, to ", 1e9 * tolerance, " ns)");
}

std::string describe_wavefront(const Transmission& t, const TransducerArray& array) {
    const std::string at = sentence("x ", 1e3 * t.focus.x, " mm, z ", 1e3 * t.focus.z, " mm");
    switch (t.wavefront) {
        case Wavefront::plane:
            return sentence("a plane wave at ", t.angle, " rad (", 180 / std::numbers::pi * t.angle,
                            " degrees)");
        case Wavefront::diverging: return "a diverging wave from " + at;
        case Wavefront::focused: return "a beam focused on " + at;
        case Wavefront::element: break;
    }
    for (Index i = 0; i < array.size(); ++i)
        if (array[i].position == t.focus) return sentence("element ", i + 1, " alone");
    return "one element at " + at;
}

}  // namespace sonolux

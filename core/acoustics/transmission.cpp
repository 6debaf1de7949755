// sonolux/core/acoustics/transmission.cpp
#include <algorithm>
#include <limits>
#include <numbers>

#include <sonolux/core/acoustics/transmission.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr double longest_delay = 1e-3;

void require_weights(const char* who, const std::vector<double>& weights, const TransducerArray& array) {
    require(static_cast<Index>(weights.size()) == array.size(), Status::size_mismatch, who,
            ": apodization has ", weights.size(), " weights, the array has ", array.size(), " elements");
    bool any = false;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        require(std::isfinite(weights[i]), invalid, who, ": apodization of element ", i + 1,
                " must be finite, got ", weights[i]);
        any = any || weights[i] != 0;
    }
    require(any, invalid, who, ": apodization is 0 for all ", weights.size(),
            " elements; at least one must fire");
}

/// A transmission whose delays are `time(element)`, moved so that the first active element fires at 0.
/// `focus_time` moves along.
template <class Time>
Transmission delayed(const char* who, const TransducerArray& array, double sound_speed,
                     std::vector<double> apodization, Time&& time) {
    require(sound_speed >= 100 && sound_speed <= 10000, invalid, who,
            ": sound_speed must be between 100 and 10000 m/s, got ", sound_speed);
    if (apodization.empty()) apodization.assign(static_cast<std::size_t>(array.size()), 1.0);
    require_weights(who, apodization, array);
    Transmission transmission;
    transmission.sound_speed = sound_speed;
    transmission.delays.resize(apodization.size());
    double first = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < apodization.size(); ++i)
        if (apodization[i] != 0) {
            transmission.delays[i] = time(array.elements()[i]);
            first = std::min(first, transmission.delays[i]);
        }
    for (std::size_t i = 0; i < apodization.size(); ++i)
        if (apodization[i] != 0) transmission.delays[i] -= first;
    transmission.focus_time = -first;
    transmission.apodization = std::move(apodization);
    return transmission;
}

void require_near(const char* who, const char* name, Point p) {
    require(std::abs(p.x) <= 1 && std::abs(p.z) <= 1, invalid, who, ": ", name,
            " must be within 1 m of the middle of the array, got x ", p.x, " m, z ", p.z,
            " m; is it in millimetres?");
}

/// On which side of the faces of the active elements a point lies: 1 in front of all, -1 behind all,
/// otherwise 0.
int side_of(const TransducerArray& array, const std::vector<double>& apodization, Point p) {
    bool front = true, behind = true;
    for (std::size_t i = 0; i < array.elements().size(); ++i) {
        if (i < apodization.size() && apodization[i] == 0) continue;
        const double height = dot(p - array.elements()[i].position, array.elements()[i].normal());
        front = front && height > 0;
        behind = behind && height < 0;
    }
    return front ? 1 : behind ? -1 : 0;
}

Point direction(double angle) { return {std::sin(angle), std::cos(angle)}; }

}  // namespace

const char* to_string(Wavefront wavefront) noexcept {
    switch (wavefront) {
        case Wavefront::plane: return "plane";
        case Wavefront::diverging: return "diverging";
        case Wavefront::focused: return "focused";
        case Wavefront::element: return "element";
    }
    return "unknown";
}

std::vector<double> aperture_weights(Index elements, Index first, Index count, ApertureWindow window,
                                     double taper) {
    require(first >= 0 && count >= 1 && first <= elements - count, invalid, "aperture: elements ", first + 1,
            " to ", first + count, ", counted from 1, must be among the ", elements, " of the array");
    require(taper >= 0 && taper <= 1, invalid, "aperture: taper must be between 0 and 1, got ", taper);
    if (window == ApertureWindow::rectangular) taper = 0;
    if (window == ApertureWindow::hann) taper = 1;
    std::vector<double> weights(static_cast<std::size_t>(elements));
    for (Index n = 0; n < count; ++n) {
        const double from_edge =
            (static_cast<double>(std::min(n, count - 1 - n)) + 0.5) / static_cast<double>(count);
        weights[static_cast<std::size_t>(first + n)] =
            from_edge >= 0.5 * taper ? 1 : 0.5 - 0.5 * std::cos(2 * std::numbers::pi * from_edge / taper);
    }
    return weights;
}

Transmission plane_wave(const TransducerArray& array, double angle, double sound_speed,
                        std::vector<double> apodization) {
    require(std::abs(angle) <= 1.4, invalid, "plane wave: angle must be between -1.4 and 1.4 rad, got ",
            angle, std::abs(angle) <= 80 ? "; is it in degrees?" : "");
    Transmission transmission = delayed(
        "plane wave", array, sound_speed, std::move(apodization),
        [&](const ArrayElement& element) { return dot(element.position, direction(angle)) / sound_speed; });
    transmission.wavefront = Wavefront::plane;
    transmission.angle = angle;
    return transmission;
}

Transmission diverging_wave(const TransducerArray& array, Point source, double sound_speed,
                            std::vector<double> apodization) {
    require_near("diverging wave", "source", source);
    require(side_of(array, apodization, source) == -1, invalid,
            "diverging wave: source must be behind every active element, got x ", source.x, " m, z ",
            source.z, " m");
    Transmission transmission =
        delayed("diverging wave", array, sound_speed, std::move(apodization),
                [&](const ArrayElement& element) { return length(element.position - source) / sound_speed; });
    transmission.wavefront = Wavefront::diverging;
    transmission.focus = source;
    return transmission;
}

Transmission focused_beam(const TransducerArray& array, Point focus, double sound_speed,
                          std::vector<double> apodization) {
    require_near("focused beam", "focus", focus);
    require(side_of(array, apodization, focus) == 1, invalid,
            "focused beam: focus must be in front of every active element, got x ", focus.x, " m, z ",
            focus.z, " m");
    Transmission transmission =
        delayed("focused beam", array, sound_speed, std::move(apodization),
                [&](const ArrayElement& element) { return -length(element.position - focus) / sound_speed; });
    transmission.wavefront = Wavefront::focused;
    transmission.focus = focus;
    return transmission;
}

Transmission single_element(const TransducerArray& array, Index element) {
    require(element >= 0 && element < array.size(), invalid, "single element: element must be 1 to ",
            array.size(), ", got ", element + 1, ", counted from 1");
    Transmission transmission;
    transmission.wavefront = Wavefront::element;
    transmission.focus = array[element].position;
    transmission.delays.assign(static_cast<std::size_t>(array.size()), 0.0);
    transmission.apodization = aperture_weights(array.size(), element, 1);
    return transmission;
}

std::vector<Transmission> synthetic_aperture(const TransducerArray& array) {
    std::vector<Transmission> sequence;
    for (Index i = 0; i < array.size(); ++i) sequence.push_back(single_element(array, i));
    return sequence;
}

void validate(const Transmission& transmission, const TransducerArray& array, const char* who) {
    require_weights(who, transmission.apodization, array);
    require(static_cast<Index>(transmission.delays.size()) == array.size(), Status::size_mismatch, who,
            ": there are ", transmission.delays.size(), " delays, the array has ", array.size(), " elements");
    for (std::size_t i = 0; i < transmission.delays.size(); ++i)
        require(transmission.delays[i] >= 0 && transmission.delays[i] <= longest_delay, invalid, who,
                ": delay of element ", i + 1, " must be between 0 and ", longest_delay, " s, got ",
                transmission.delays[i]);
}

double wavefront_time(const Transmission& transmission, const TransducerArray& array, Point p,
                      double sound_speed) noexcept {
    if (transmission.wavefront == Wavefront::plane)
        return transmission.focus_time + dot(p, direction(transmission.angle)) / sound_speed;
    const double travel = length(p - transmission.focus) / sound_speed;
    if (transmission.wavefront != Wavefront::focused) return transmission.focus_time + travel;
    Point middle;
    double active = 0;
    for (std::size_t i = 0; i < transmission.apodization.size(); ++i)
        if (transmission.apodization[i] != 0) {
            middle = middle + array.elements()[i].position;
            ++active;
        }
    middle = (1 / active) * middle;
    const bool before = dot(p - transmission.focus, transmission.focus - middle) < 0;
    return transmission.focus_time + (before ? -travel : travel);
}

}  // namespace sonolux

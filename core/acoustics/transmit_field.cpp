// sonolux/core/acoustics/transmit_field.cpp
#include <sonolux/core/acoustics/transmit_field.hpp>

#include <cmath>
#include <numbers>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;

double cross(Point a, Point b) noexcept { return a.x * b.z - a.z * b.x; }

}  // namespace

TransmitField::TransmitField(const Transmission& transmission, const TransducerArray& array,
                             double sound_speed, double centre_frequency)
    : wavefront_(transmission.wavefront),
      focus_(transmission.focus),
      start_(transmission.focus_time),
      slowness_(1 / sound_speed),
      element_width_(array.element_width()) {
    require(sound_speed >= 100 && sound_speed <= 10000, invalid,
            "beamforming: sound speed must be between 100 and 10000 m/s, got ", sound_speed);
    require(centre_frequency >= 1e4 && centre_frequency <= 1e9, invalid,
            "beamforming: centre frequency must be between 1e4 and 1e9 Hz, got ", centre_frequency);
    validate(transmission, array, "beamforming");
    Point middle;
    for (Index e = 0; e < array.size(); ++e)
        if (transmission.apodization[static_cast<std::size_t>(e)] != 0) active_.push_back(array[e]);
    for (const ArrayElement& element : active_)
        middle = middle + (1 / static_cast<double>(active_.size())) * element.position;
    const double own_speed = transmission.sound_speed > 0 ? transmission.sound_speed : sound_speed;

    if (wavefront_ == Wavefront::plane) {
        const double sine = std::sin(transmission.angle) * sound_speed / own_speed;
        require(std::abs(sine) < 1, invalid, "beamforming: a plane wave sent at ", transmission.angle,
                " rad for ", own_speed, " m/s does not enter a medium of ", sound_speed, " m/s");
        direction_ = {sine, std::sqrt(1 - sine * sine)};
        across_ = std::sin(transmission.angle) / own_speed;
        return;
    }
    if (wavefront_ == Wavefront::element) return;
    const double reach = length(focus_ - middle);
    if (wavefront_ == Wavefront::diverging) {
        start_ += reach * (1 / own_speed - slowness_);
        return;
    }
    const double at_array = start_ - reach / own_speed;
    const double wavelength = sound_speed / centre_frequency;
    require(reach > 0, invalid, "beamforming: the focus of a beam must not be in the aperture");
    direction_ = (1 / reach) * (focus_ - middle);
    const double width =
        std::abs(cross(active_.back().position - active_.front().position, direction_)) + element_width_;
    if (width < wavelength) {
        wavefront_ = Wavefront::element;
        focus_ = middle;
        start_ = at_array;
        return;
    }
    start_ = at_array + reach * slowness_;
    const double f_number = reach / width;
    rayleigh_ = 4 * f_number * f_number * wavelength / std::numbers::pi;
    waist_ = 2 * f_number * wavelength / std::numbers::pi;
}

double TransmitField::time(Point p) const noexcept {
    if (wavefront_ == Wavefront::plane) return start_ + p.x * across_ + p.z * direction_.z * slowness_;
    const Point way = p - focus_;
    if (wavefront_ != Wavefront::focused) return start_ + length(way) * slowness_;
    const double along = dot(way, direction_), beside = cross(way, direction_);
    if (along == 0) return start_;
    const double radius = std::abs(along) + rayleigh_ * rayleigh_ / std::abs(along);
    // sqrt(R^2 + b^2) - R, written so that it keeps its digits where R is large
    const double bulge = beside * beside / (std::sqrt(radius * radius + beside * beside) + radius);
    return start_ + (along + std::copysign(bulge, along)) * slowness_;
}

TransmitField::Ray TransmitField::ray_along(Point p, Point direction) const noexcept {
    // Elements stand in a row, so the side of the ray on which they are changes once.
    const auto side = [&](const ArrayElement& element) { return cross(element.position - p, direction); };
    const Point beyond{0.5 * element_width_, 0};
    Ray ray;
    const double left = cross(active_.front().position - beyond - p, direction);
    const double right = cross(active_.back().position + beyond - p, direction);
    ray.inside = left * right <= 0;
    std::size_t low = 0, high = active_.size() - 1;
    const bool rising = side(active_.back()) >= side(active_.front());
    while (high - low > 1) {
        const std::size_t half = (low + high) / 2;
        ((side(active_[half]) < 0) == rising ? low : high) = half;
    }
    const ArrayElement& nearest =
        std::abs(side(active_[low])) <= std::abs(side(active_[high])) ? active_[low] : active_[high];
    const double forward = dot(direction, nearest.normal());
    ray.steepness = forward > 0 ? std::abs(cross(direction, nearest.normal())) / forward : INFINITY;
    return ray;
}

TransmitField::Ray TransmitField::ray(Point p) const noexcept {
    if (wavefront_ == Wavefront::plane) return ray_along(p, direction_);
    const Point way = p - focus_;
    if (wavefront_ == Wavefront::focused) {
        const double along = dot(way, direction_) / rayleigh_;
        Ray ray = ray_along(focus_, direction_);
        ray.across = std::abs(cross(way, direction_)) / (waist_ * std::sqrt(1 + along * along));
        return ray;
    }
    const double distance = length(way);
    const Point direction = distance > 0 ? (1 / distance) * way : Point{0, 1};
    Ray ray = ray_along(p, direction);
    if (wavefront_ == Wavefront::element) ray.inside = true;
    return ray;
}

}  // namespace sonolux

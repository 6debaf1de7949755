// sonolux/solvers/tracking/common_mid_angle.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/solvers/tracking/common_mid_angle.hpp>

namespace sonolux {

std::vector<MidAngleImage> common_mid_angle(const std::vector<Transmission>& transmissions, double mid_angle,
                                            double largest_receive_angle) {
    constexpr auto invalid = Status::invalid_argument;
    constexpr double steepest = 1.4;  // as for plane waves
    require(std::abs(mid_angle) <= steepest, invalid,
            "common mid-angle: mid_angle must be within 1.4 rad, got ", mid_angle, " rad; is it in degrees?");
    require(largest_receive_angle > 0 && largest_receive_angle <= steepest, invalid,
            "common mid-angle: largest_receive_angle must be above 0 and at most 1.4 rad, got ",
            largest_receive_angle, " rad; is it in degrees?");
    const auto angle = [&](const MidAngleImage& image) {
        return transmissions[static_cast<std::size_t>(image.transmission)].angle;
    };
    // Angles come from degrees in files, so that the limit itself should count as within it.
    constexpr double slack = 1e-9;
    std::vector<MidAngleImage> images;
    Index plane_waves = 0;
    for (std::size_t k = 0; k < transmissions.size(); ++k) {
        if (transmissions[k].wavefront != Wavefront::plane) continue;
        ++plane_waves;
        const double received = 2 * mid_angle - transmissions[k].angle;
        if (std::abs(received) <= largest_receive_angle + slack)
            images.push_back({static_cast<Index>(k), received});
    }
    require(images.size() >= 2, invalid, "common mid-angle: ", images.size(), " of ", plane_waves,
            " plane waves can be received within ", largest_receive_angle, " rad for the mid-angle ",
            mid_angle, " rad, needs at least 2");
    std::stable_sort(images.begin(), images.end(),
                     [&](const MidAngleImage& a, const MidAngleImage& b) { return angle(a) < angle(b); });
    return images;
}

ElementRange receive_aperture(const TransducerArray& array, Point p, double angle, double f_number) noexcept {
    const double middle = p.x - p.z * std::tan(angle), half = 0.5 * p.z / f_number;
    const auto& elements = array.elements();
    const auto first = std::partition_point(elements.begin(), elements.end(), [&](const ArrayElement& e) {
        return e.position.x < middle - half;
    });
    const auto end = std::partition_point(
        first, elements.end(), [&](const ArrayElement& e) { return e.position.x <= middle + half; });
    return {first - elements.begin(), end - first};
}

}  // namespace sonolux

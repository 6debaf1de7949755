// sonolux/core/acoustics/transducer_array.cpp
#include <numbers>

#include <sonolux/core/acoustics/transducer_array.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr Index most_elements = 65536;

void require_layout(Index elements, double pitch, double element_width) {
    require(elements >= 1 && elements <= most_elements, invalid, "array: elements must be 1 to ",
            most_elements, ", got ", elements);
    require(pitch >= 1e-5 && pitch <= 5e-3, invalid, "array: pitch must be between 1e-05 m and 0.005 m, got ",
            pitch, " m", pitch > 5e-3 && pitch <= 10 ? "; is it in millimetres?" : "");
    require(element_width > 0 && element_width <= pitch, invalid,
            "array: element_width must be above 0 m and at most the pitch of ", pitch, " m, got ",
            element_width, " m");
}

}  // namespace

TransducerArray::TransducerArray(std::vector<ArrayElement> elements, double element_width)
    : elements_(std::move(elements)), element_width_(element_width) {
    require(size() >= 1 && size() <= most_elements, invalid, "array: elements must be 1 to ", most_elements,
            ", got ", size());
    require(element_width >= 1e-6 && element_width <= 0.05, invalid,
            "array: element_width must be between 1e-06 m and 0.05 m, got ", element_width, " m",
            element_width > 0.05 && element_width <= 50 ? "; is it in millimetres?" : "");
    double arc = 0;
    for (Index i = 0; i < size(); ++i) {
        const auto& [position, angle] = (*this)[i];
        require(std::abs(position.x) <= 1 && std::abs(position.z) <= 1, invalid, "array: element ", i + 1,
                " must be within 1 m of the middle of the array, got x ", position.x, " m, z ", position.z,
                " m; is it in millimetres?");
        require(std::abs(angle) < std::numbers::pi / 2, invalid, "array: angle of element ", i + 1,
                " must be within pi / 2 of straight down, got ", angle,
                " rad; is it in degrees, or does the element look away?");
        if (i == 0) continue;
        const Point before = (*this)[i - 1].position;
        require(position.x > before.x, invalid, "array: x must increase from element to element, got ",
                before.x, " m for element ", i, " and ", position.x, " m for element ", i + 1);
        const double gap = length(position - before);
        require(gap >= 1e-6 && gap <= 0.05, invalid, "array: elements ", i, " and ", i + 1,
                " must be between 1e-06 m and 0.05 m apart, got ", gap, " m; are positions in metres?");
        arc += gap;
    }
    if (size() > 1) pitch_ = arc / static_cast<double>(size() - 1);
}

TransducerArray make_linear_array(Index elements, double pitch, double element_width) {
    require_layout(elements, pitch, element_width);
    std::vector<ArrayElement> list(static_cast<std::size_t>(elements));
    for (Index i = 0; i < elements; ++i)
        list[static_cast<std::size_t>(i)].position.x =
            (static_cast<double>(i) - 0.5 * static_cast<double>(elements - 1)) * pitch;
    return {std::move(list), element_width};
}

TransducerArray make_convex_array(Index elements, double pitch, double element_width, double radius) {
    require_layout(elements, pitch, element_width);
    require(radius >= 2e-3 && radius <= 1, invalid, "array: radius must be between 0.002 m and 1 m, got ",
            radius, " m", radius > 1 && radius <= 1000 ? "; is it in millimetres?" : "");
    const double outermost = 0.5 * static_cast<double>(elements - 1) * pitch / radius;
    require(outermost < std::numbers::pi / 2, invalid, "array: ", elements, " elements with a pitch of ",
            pitch, " m on a radius of ", radius, " m reach ", outermost,
            " rad to either side; it must be less than pi / 2");
    std::vector<ArrayElement> list(static_cast<std::size_t>(elements));
    for (Index i = 0; i < elements; ++i) {
        const double angle =
            (static_cast<double>(i) - 0.5 * static_cast<double>(elements - 1)) * pitch / radius;
        // cos(a) - 1 as a square keeps its digits where the angle is small.
        const double half = std::sin(0.5 * angle);
        list[static_cast<std::size_t>(i)] = {{radius * std::sin(angle), -2 * radius * half * half}, angle};
    }
    TransducerArray array(std::move(list), element_width);
    array.radius_ = radius;
    if (elements > 1) array.pitch_ = pitch;
    return array;
}

}  // namespace sonolux

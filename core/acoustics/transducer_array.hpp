// sonolux/core/acoustics/transducer_array.hpp
//
// The elements of an ultrasound probe, and where they look.
#pragma once

#include <vector>

#include <sonolux/core/acoustics/image_grid.hpp>

namespace sonolux {

/// One element: the middle of its face, and the direction that it faces, `angle` from +z (down) towards +x
/// (right) in rad.
struct ArrayElement {
    Point position;
    double angle = 0;

    friend bool operator==(const ArrayElement&, const ArrayElement&) = default;
    /// Asked for each pixel by beamformers; most elements look straight down.
    [[nodiscard]] Point normal() const noexcept {
        return angle == 0 ? Point{0, 1} : Point{std::sin(angle), std::cos(angle)};
    }
};

/// Elements numbered from left to right (from 0), all of one width. SI units; z down, x right; the middle of
/// the array is at x = z = 0.
class TransducerArray {
public:
    /// Elements wherever they are: what a data file says of a probe. `element_width` is in m.
    ///
    /// Throws Error{invalid_argument} naming the field, its value and what was expected unless there are 1 to
    /// 65536 elements, all positions within 1 m of the origin, all angles within pi / 2, the width between
    /// 1e-6 m and 0.05 m, and x increases from element to element. Where elements are nearer to each other
    /// than 1 um or further apart than 0.05 m, the message asks for the unit.
    TransducerArray(std::vector<ArrayElement> elements, double element_width);

    [[nodiscard]] Index size() const noexcept { return static_cast<Index>(elements_.size()); }
    [[nodiscard]] const ArrayElement& operator[](Index i) const noexcept {
        return elements_[static_cast<std::size_t>(i)];
    }
    [[nodiscard]] const std::vector<ArrayElement>& elements() const noexcept { return elements_; }

    /// Width of an element's face.
    [[nodiscard]] double element_width() const noexcept { return element_width_; }

    /// Mean distance between the middles of neighbours, along the array; 0 for one element.
    [[nodiscard]] double pitch() const noexcept { return pitch_; }

    /// Gap between neighbours: pitch - element_width; 0 for one element.
    [[nodiscard]] double kerf() const noexcept { return size() > 1 ? pitch_ - element_width_ : 0; }

    /// Radius of curvature; 0 for arrays that were not made by make_convex_array.
    [[nodiscard]] double radius() const noexcept { return radius_; }

    friend bool operator==(const TransducerArray&, const TransducerArray&) = default;

private:
    friend TransducerArray make_convex_array(Index, double, double, double);

    std::vector<ArrayElement> elements_;
    double element_width_, pitch_ = 0, radius_ = 0;
};

/// Elements on the line z = 0, all facing down: x_i = (i - (elements - 1) / 2) pitch.
///
/// Throws Error{invalid_argument} unless elements is in [1, 65536], pitch in [1e-5, 5e-3] m and element_width
/// in (0, pitch]. A pitch in millimetres is found out by its size.
[[nodiscard]] TransducerArray make_linear_array(Index elements, double pitch, double element_width);

/// Elements on an arc of `radius` that bulges downwards: element i sits and faces at
///
///     angle_i = (i - (elements - 1) / 2) pitch / radius    x = R sin(angle)    z = R (cos(angle) - 1)
///
/// so that the middle of the arc is at x = z = 0, the others lie above it (z <= 0), and pitch is measured
/// along the arc. Throws as make_linear_array, and unless radius is in [2e-3, 1] m and the outermost elements
/// are turned by less than pi / 2.
[[nodiscard]] TransducerArray make_convex_array(Index elements, double pitch, double element_width,
                                                double radius);

}  // namespace sonolux

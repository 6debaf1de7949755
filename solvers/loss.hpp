// sonolux/solvers/loss.hpp
//
// The interface of what training minimises, for one image against its truth.
#pragma once

#include <sonolux/core/image_planes.hpp>

namespace sonolux {

/// A differentiable distance between an image and the truth, both [rows, columns] or [channels, rows,
/// columns] in the network's units.
class Loss {
public:
    virtual ~Loss() = default;

    /// Returns the loss, accumulated in double, and writes its gradient with respect to `image`.
    virtual double value_gradient(View<const float> image, View<const float> truth,
                                  View<float> image_bar) const noexcept = 0;
};

}  // namespace sonolux

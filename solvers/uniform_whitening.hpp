// sonolux/solvers/uniform_whitening.hpp
//
// Measurements made fit for a network: the best uniform image is taken away, and what is left is scaled to
// unit deviation. With a = A 1,
//
//     k  = sum(m d a) / sum((m a)^2)      the uniform image that explains the data best
//     d^ = m (d - k a) / s                s the root mean square of d - k a over what was measured
//     x^ = (x - k) / s                    the image to match, since A x^ = d^ where A x = d
//
// and back, x = s x^ + k. So a network sees the same whatever the level and contrast, and what it makes is
// absolute. Bernhardt et al. 2020 whiten delays like this.
#pragma once

#include <sonolux/core/array.hpp>
#include <sonolux/core/linear_operator.hpp>

namespace sonolux {

/// What was taken away: x = deviation x^ + level.
struct Whitening {
    double level = 0;      ///< k
    double deviation = 1;  ///< s
    Index measured = 0;    ///< how many readings there were

    /// Whether there was enough to tell a level.
    [[nodiscard]] bool found() const noexcept { return measured > 0 && deviation > 0; }
};

class UniformWhitening {
public:
    /// Applies A to 1, with the context's workspace, which must have room for it. Throws
    /// Error{out_of_memory}.
    UniformWhitening(const LinearOperator& op, Context& context);

    /// Writes d^ to `whitened`, 0 where the mask is; data, mask and `whitened` have the shape of the
    /// operator's range. Data may be anything, also NaN, where the mask is 0; `whitened` may be the data.
    /// Where nothing was measured, or nothing that a uniform image would change, found() is false and
    /// `whitened` zero. A deviation below 1e-6 of the data's counts as that: data without contrast become
    /// small, and not noise of unit size.
    Whitening whiten(View<const float> data, View<const float> mask, View<float> whitened) const noexcept;

    /// A 1.
    [[nodiscard]] View<const float> response() const noexcept { return response_.view(); }

private:
    Array<float> response_;
};

}  // namespace sonolux

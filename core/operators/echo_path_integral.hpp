// sonolux/core/operators/echo_path_integral.hpp
//
// What tracking echoes between two transmissions says of slowness: differences of path integrals, less what
// wrong places of the echoes take from them.
//
// Where slowness deviates by D(x) from that of the beamformer, the image of a transmission shows at p the
// echo of a scatterer at p - s. With t the time of the transmitted wave to p that D adds, r_e that of the way
// back to element e, n the direction of the transmitted wave at p, (u_e, w_e) that from element e to p, and
// means and covariances over the elements that take part, s is where the image is focused,
//
//     s_x + s_z cov(u, w) / var(u) = c cov(u, r) / var(u)         coherence over the elements
//     s_x (n_x + <u>) + s_z (n_z + <w>) = c (t + <r>)             the time of the echo
//
// and a pair of transmissions, whose echoes at p are those of one scatterer, measures
//
//     (E D)[m, p] = t_first - t_second - (n_first - n_second) . s / c,    s the mean of both
//
// in which the beamformer's speed c cancels. The first difference is that of path_integral.hpp. Measured
// through beamforming and tracking, delays in tissue of +-60 m/s are 25 ns from it (median of ten full-wave
// recordings, 2.5 MHz) and 15 ns from E D; docs/results.md has more. For uniform D, s is what
// solvers/tracking/pair_delays.hpp corrects.
#pragma once

#include <sonolux/core/operators/path_integral.hpp>

namespace sonolux {

/// Domain [rows, columns] of the map: the deviation of slowness, s/m. Range [measurement, rows, columns] of
/// the points, s; 0 where a measurement or no receiving element sees the point.
class EchoPathIntegral final : public LinearOperator {
public:
    /// `geometry` are pairs of transmissions, as transmission_difference makes them; `receive` are elements
    /// that take part, each within its own f-number. Some of them, evenly spaced, say as much as all: of 128,
    /// every eighth changes E D by less than 1 %.
    ///
    /// Throws as make_path_integral does, and Error{invalid_argument} for measurements of anything else than
    /// two families of rays of weights 1 and -1, and for receive families that are not from points.
    EchoPathIntegral(const PathGeometry& geometry, const std::vector<RaySource>& receive);

    Shape domain() const noexcept override { return inner_->domain(); }
    Shape range() const noexcept override { return range_; }
    std::size_t workspace_bytes(const Context& context) const noexcept override;
    void apply(View<const float> slowness, View<float> delays, Context& context) const noexcept override;
    void adjoint(View<const float> delays, View<float> slowness, Context& context) const noexcept override;

    /// The families of rays that apply takes the integrals along, each once: transmitted, then received.
    [[nodiscard]] const PathGeometry& families() const noexcept { return inner_->geometry(); }

    /// What apply makes of integrals of the deviation, [family, rows, columns], wherever they are from.
    void combine(View<const float> integrals, View<float> delays, Context& context) const noexcept;

    /// [measurement, rows, columns]: 1 where the measurement and some receiving element see the point.
    [[nodiscard]] View<const float> coverage() const noexcept { return coverage_.view(); }

private:
    enum Coefficient { of_first, of_second, of_mean, of_slope, coefficients };

    std::shared_ptr<const PathIntegral> inner_;  // the time along each family: transmitted, then received
    Shape range_;
    Index receivers_ = 0;
    std::vector<Index> first_, second_;  // [measurement]: which family
    Array<float> mean_, slope_;          // [receiver, pixels]: of <r> and of cov(u, r) / var(u)
    Array<float> combine_;               // [measurement, coefficient, pixels]
    Array<float> coverage_;
};

}  // namespace sonolux

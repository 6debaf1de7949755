// sonolux/solvers/classical/travel_time_inversion.hpp
//
// A map of slowness from delays, without learning: given d = L s + noise, find s.
//
//     lbfgs      smoothed L1 data term and weighted total variation      travel_time_lbfgs.hpp
//     tikhonov   least squares with a precomputed pseudo-inverse          tikhonov.hpp
//
// Both begin with the uniform slowness that explains the delays best, in the least-squares sense, over the
// valid measurements m, with a = L 1:
//
//     k = sum(m a d) / sum(m a^2)          residual r = m (d - k a),   s = k + x
//
// and solve for x in units in which the residual has a root mean square of 1 and L a norm of 1, so that
// weights of regularisers do not depend on the contrast, the grid or the number of measurements
// (M. Bernhardt et al. 2020). The result is absolute.
//
// L is any LinearOperator; delays are in s and slowness in s/m.
#pragma once

#include <memory>
#include <string_view>

#include <sonolux/core/array.hpp>
#include <sonolux/core/operators/compose.hpp>
#include <sonolux/solvers/classical/convergence_log.hpp>

namespace sonolux {

struct InversionProblem {
    /// Slowness [rows, columns] to delays [measurement, rows, columns].
    OperatorPointer forward;

    /// [measurement, rows, columns]: 0 where the operator has no row, or nothing is ever measured (see
    /// `coverage` and `measurement_mask` in core/operators/path_geometry.hpp). Empty: everywhere.
    Array<float> possible = {};

    /// s/m. 0: delays are those of s. Otherwise those of s minus those of this uniform slowness, as between
    /// images that were formed with it.
    double reference_slowness = 0;

    /// A frame with fewer of the possible measurements is refused.
    double least_fraction = 0.05;

    /// m/s: what the best uniform medium may have. Delays in the wrong unit are found out by this.
    double lowest_speed = 1000, highest_speed = 2500;
};

/// What a run found out beside the map. `log` holds its iterations.
struct InversionRecord {
    explicit InversionRecord(Index capacity = 1500) : log(capacity) {}

    double fraction = 0;          ///< of the possible measurements that were valid
    double uniform_slowness = 0;  ///< s/m
    double misfit_before = 0;     ///< s, root mean square of d - L s over valid measurements: uniform medium
    double misfit_after = 0;      ///< s, of the map
    ConvergenceLog log;
};

/// An inverter for one operator and one set of options. Constructing it does everything that allocates or
/// throws.
class TravelTimeInverter {
public:
    virtual ~TravelTimeInverter() = default;
    TravelTimeInverter(const TravelTimeInverter&) = delete;
    TravelTimeInverter& operator=(const TravelTimeInverter&) = delete;

    [[nodiscard]] Shape domain() const noexcept { return problem_.forward->domain(); }
    [[nodiscard]] Shape range() const noexcept { return problem_.forward->range(); }

    /// "lbfgs" or "tikhonov".
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    /// The capacity a log needs.
    [[nodiscard]] virtual Index most_iterations() const noexcept = 0;

    /// Throws what `run` would refuse, in words: Error{size_mismatch} for shapes, Error{invalid_argument} for
    ///
    ///   - a measurement that is NaN or infinite where the mask is not 0 (without a mask, NaN says that there
    ///     is none),
    ///   - fewer valid measurements than least_fraction, with the fraction, or none at all,
    ///   - delays that are all 0, which no recording gives,
    ///   - delays whose best uniform speed is not plausible, or that are larger than any medium makes them:
    ///     the wrong unit, or another geometry,
    ///   - delays that say nothing of the uniform slowness, without a reference.
    void check(View<const float> delays, View<const float> mask = {}) const;

    /// Scratch that `run` takes from the context's workspace.
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// Delays and mask (empty, or 0 where a measurement is not to be used) of shape range(), slowness of
    /// shape domain(); all contiguous. Serves one caller at a time.
    ///
    /// Returns ok; cancelled or deadline_exceeded with the last finished iteration's map; and, with
    /// `slowness` as it was, what `check` throws, and out_of_memory where less than workspace_bytes was
    /// reserved.
    [[nodiscard]] Status run(View<const float> delays, View<const float> mask, View<float> slowness,
                             Context& context, InversionRecord* record = nullptr) const noexcept;

protected:
    /// Throws Error{invalid_argument} or Error{size_mismatch} naming the field of the problem.
    explicit TravelTimeInverter(InversionProblem problem);

    [[nodiscard]] const LinearOperator& forward() const noexcept { return *problem_.forward; }

    /// The largest singular value of L, over what is possible (m).
    [[nodiscard]] double norm() const noexcept { return norm_; }

    /// A problem in units in which |L| = 1: residual, 0 where the mask is 0, and the mask of zeros and ones.
    struct Whitened {
        View<const float> residual, mask;
        Index valid = 0;
    };

    /// Writes x in those units.
    [[nodiscard]] virtual Status solve(const Whitened& data, View<float> x, Context& context,
                                       ConvergenceLog* log) const noexcept = 0;
    [[nodiscard]] virtual std::size_t solve_workspace_bytes(const Context& context) const noexcept = 0;

    [[nodiscard]] bool is_possible(Index n) const noexcept { return problem_.possible.data()[n] != 0; }

    enum class Trouble { none, no_number, mask_value, too_few, all_zero, no_uniform, speed, size };
    /// What is known of the measurements before anything is solved.
    struct Finding {
        Trouble trouble = Trouble::none;
        Index at = 0, valid = 0;
        double value = 0, fraction = 0;
        double deviation = 0;  ///< of the best uniform slowness from the reference
        double rms = 0;        ///< of the residual: its unit
        double largest = 0;    ///< delay, by size
    };
    [[nodiscard]] Finding look(View<const float> delays, View<const float> mask) const noexcept;

    /// Writes residual and mask of `Whitened`. Returns whether there is anything to solve: false for a medium
    /// that is uniform as far as rounding lets us see.
    bool whiten(View<const float> delays, View<const float> mask, const Finding& finding,
                View<float> residual, View<float> valid) const noexcept;

private:
    InversionProblem problem_;
    Array<float> uniform_;  // a = L 1, in m
    Index possible_count_ = 0;
    double norm_ = 0;
};

}  // namespace sonolux

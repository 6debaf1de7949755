// sonolux/solvers/classical/convergence_log.hpp
//
// How an iterative solver came to its result.
#pragma once

#include <vector>

#include <sonolux/core/error.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux {

/// Why a solver ended.
enum class StopReason {
    none,              ///< it has not run, or has no iterations
    converged,         ///< the residual fell to the tolerance
    discrepancy,       ///< the data are explained to within their noise
    iteration_limit,   ///< the last iteration that was allowed
    no_descent,        ///< a line search found nothing lower: rounding, or a gradient that is wrong
    stopped_by_caller  ///< cancelled, or past the deadline
};

[[nodiscard]] constexpr const char* to_string(StopReason reason) noexcept {
    switch (reason) {
        case StopReason::none: return "not run";
        case StopReason::converged: return "converged";
        case StopReason::discrepancy: return "data explained to within their noise";
        case StopReason::iteration_limit: return "iteration limit";
        case StopReason::no_descent: return "nothing lower in sight";
        case StopReason::stopped_by_caller: return "stopped by the caller";
    }
    return "unknown";
}

/// The state after one iteration. What objective and residual are, the solver's header says.
struct ConvergenceEntry {
    Index iteration = 0;  ///< from 1
    double objective = 0;
    double residual = 0;  ///< relative: what the tolerance is compared with
};

/// Filled by a solver's run, one entry per iteration, without allocating: what does not fit is not kept, and
/// `truncated` says so. Values are as in the last run.
class ConvergenceLog {
public:
    /// Throws Error{invalid_argument} for a capacity below 1.
    explicit ConvergenceLog(Index capacity) {
        require(capacity >= 1, Status::invalid_argument,
                "convergence log: capacity must be at least 1 iteration, got ", capacity);
        entries_.reserve(static_cast<std::size_t>(capacity));
    }

    [[nodiscard]] const std::vector<ConvergenceEntry>& entries() const noexcept { return entries_; }
    [[nodiscard]] StopReason reason() const noexcept { return reason_; }
    [[nodiscard]] bool truncated() const noexcept { return truncated_; }

    void clear() noexcept {
        entries_.clear();
        reason_ = StopReason::none;
        truncated_ = false;
    }
    void record(const ConvergenceEntry& entry) noexcept {
        if (entries_.size() < entries_.capacity())
            entries_.push_back(entry);
        else
            truncated_ = true;
    }
    void end(StopReason reason) noexcept { reason_ = reason; }

private:
    std::vector<ConvergenceEntry> entries_;
    StopReason reason_ = StopReason::none;
    bool truncated_ = false;
};

}  // namespace sonolux

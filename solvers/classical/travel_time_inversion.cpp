// sonolux/solvers/classical/travel_time_inversion.cpp
#include <sonolux/solvers/classical/travel_time_inversion.hpp>

#include <cmath>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/mask.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;

/// No tissue makes delays of more than this part of those of a uniform medium.
constexpr double largest_deviation = 0.5;

}  // namespace

TravelTimeInverter::TravelTimeInverter(InversionProblem problem) : problem_(std::move(problem)) {
    const char* who = "travel-time inversion";
    require(problem_.forward != nullptr, invalid, who, ": forward must not be null");
    require(
        domain().rank() == 2 && range().rank() == 3 && domain().elements() >= 4 && range().elements() >= 1,
        Status::size_mismatch, who, ": the operator must take a map to a stack of maps, it takes ",
        to_string(domain()), " to ", to_string(range()));
    require(problem_.possible.elements() == 0 || problem_.possible.shape() == range(), Status::size_mismatch,
            who, ": possible is ", to_string(problem_.possible.shape()), ", the measurements are ",
            to_string(range()));
    require(problem_.least_fraction > 0 && problem_.least_fraction <= 1, invalid, who,
            ": least_fraction must be above 0 and at most 1, got ", problem_.least_fraction);
    require(problem_.lowest_speed > 0 && problem_.highest_speed > problem_.lowest_speed, invalid, who,
            ": speeds must be positive and in order, got ", problem_.lowest_speed, " to ",
            problem_.highest_speed, " m/s");
    require(problem_.reference_slowness == 0 || (problem_.reference_slowness * problem_.lowest_speed <= 1 &&
                                                 problem_.reference_slowness * problem_.highest_speed >= 1),
            invalid, who, ": reference_slowness must be 0 or that of ", problem_.lowest_speed, " to ",
            problem_.highest_speed, " m/s, got ", problem_.reference_slowness,
            problem_.reference_slowness >= 100 ? " (is it a speed in m/s?)" : " s/m");
    if (problem_.possible.elements() == 0) {
        problem_.possible = Array<float>(range());
        std::fill(problem_.possible.begin(), problem_.possible.end(), 1.0f);
    }
    for (Index n = 0; n < range().elements(); ++n) possible_count_ += is_possible(n);
    require(possible_count_ > 0, invalid, who, ": possible is 0 everywhere");

    Context context(make_serial_runner());
    context.workspace().reserve(forward().workspace_bytes(context));
    Array<float> ones(domain());
    std::fill(ones.begin(), ones.end(), 1.0f);
    uniform_ = Array<float>(range());
    forward().apply(ones, uniform_, context);
    Array<float> weights(range());
    for (Index n = 0; n < weights.elements(); ++n) weights.data()[n] = is_possible(n) ? 1.0f : 0.0f;
    const Chain measured(std::make_shared<Mask>(std::move(weights)), problem_.forward);
    norm_ = operator_norm(measured, 1e-4);
    require(norm_ > 0, invalid, who, ": the operator is 0 wherever something is measured");
}

auto TravelTimeInverter::look(View<const float> delays, View<const float> mask) const noexcept -> Finding {
    Finding finding;
    double with_uniform = 0, uniform = 0, squares = 0;
    for (Index n = 0; n < delays.elements(); ++n) {
        if (!is_possible(n)) continue;
        const float d = delays.data()[n];
        if (!mask.empty()) {
            const float m = mask.data()[n];
            if (!std::isfinite(m)) return {.trouble = Trouble::mask_value, .at = n, .value = double{m}};
            if (m == 0) continue;
        } else if (std::isnan(d)) {
            continue;
        }
        if (!std::isfinite(d)) return {.trouble = Trouble::no_number, .at = n, .value = double{d}};
        const double a = double{uniform_.data()[n]};
        with_uniform += a * double{d};
        uniform += a * a;
        squares += double{d} * double{d};
        finding.largest = std::max(finding.largest, std::abs(double{d}));
        ++finding.valid;
    }
    const auto count = static_cast<double>(finding.valid);
    finding.fraction = count / static_cast<double>(possible_count_);
    const double reference = problem_.reference_slowness;
    if (finding.valid == 0 || finding.fraction < problem_.least_fraction) {
        finding.trouble = Trouble::too_few;
        return finding;
    }
    if (squares == 0) {
        finding.trouble = Trouble::all_zero;
        return finding;
    }
    const bool sees_uniform = uniform > 1e-12 * norm_ * norm_ * count / static_cast<double>(possible_count_);
    if (!sees_uniform && reference == 0) {
        finding.trouble = Trouble::no_uniform;
        return finding;
    }
    if (sees_uniform) finding.deviation = with_uniform / uniform;
    const double speed = 1 / (reference + finding.deviation);
    if (!(speed >= problem_.lowest_speed && speed <= problem_.highest_speed)) {
        finding.trouble = Trouble::speed;
        finding.value = speed;
        return finding;
    }
    finding.rms = std::sqrt(std::max(0.0, squares - finding.deviation * with_uniform) / count);
    // |L| sqrt(pixels) / sqrt(measurements) bounds what a map of slowness 1 makes in root mean square.
    const double most =
        norm_ * std::sqrt(static_cast<double>(domain().elements()) / count) * largest_deviation / speed;
    if (finding.rms > most) {
        finding.trouble = Trouble::size;
        finding.value = most;
    }
    return finding;
}

bool TravelTimeInverter::whiten(View<const float> delays, View<const float> mask, const Finding& finding,
                                View<float> residual, View<float> valid) const noexcept {
    const bool varies = finding.rms > 1e-6 * finding.largest;
    const double unit = varies ? 1 / finding.rms : 0;
    for (Index n = 0; n < residual.elements(); ++n) {
        const float d = delays.data()[n];
        const bool counts = is_possible(n) && (mask.empty() || mask.data()[n] != 0) && std::isfinite(d);
        const double r = unit * (double{d} - finding.deviation * double{uniform_.data()[n]});
        valid.data()[n] = counts ? 1.0f : 0.0f;
        residual.data()[n] = counts ? static_cast<float>(r) : 0.0f;
    }
    return varies;
}

void TravelTimeInverter::check(View<const float> delays, View<const float> mask) const {
    const char* who = "travel-time inversion";
    require(delays.shape() == range() && delays.contiguous(), Status::size_mismatch, who, ": delays are ",
            to_string(delays.shape()), ", the operator makes ", to_string(range()));
    require(mask.empty() || (mask.shape() == range() && mask.contiguous()), Status::size_mismatch, who,
            ": the mask is ", to_string(mask.shape()), ", the operator makes ", to_string(range()));
    const Finding finding = look(delays, mask);
    const Index columns = range()[2], rows = range()[1];
    const std::string place = sentence("measurement ", finding.at / (rows * columns), ", row ",
                                       finding.at / columns % rows, ", column ", finding.at % columns);
    switch (finding.trouble) {
        case Trouble::none: return;
        case Trouble::no_number:
            fail(invalid, who, ": the delay of ", place, " is ", finding.value,
                 mask.empty() ? "; missing ones are NaN" : " although the mask says that it is valid");
        case Trouble::mask_value: fail(invalid, who, ": the mask at ", place, " is ", finding.value);
        case Trouble::too_few:
            fail(invalid, who, ": only ", 100 * finding.fraction,
                 " % of the possible measurements are valid (", finding.valid, " of ", possible_count_,
                 "); at least ", 100 * problem_.least_fraction, " % are needed");
        case Trouble::all_zero: fail(invalid, who, ": all ", finding.valid, " valid delays are 0");
        case Trouble::no_uniform:
            fail(invalid, who,
                 ": these measurements do not depend on the mean slowness; say what the delays "
                 "are relative to (reference_slowness)");
        case Trouble::speed:
            fail(invalid, who, ": the delays fit a uniform medium of ", finding.value,
                 " m/s best, which is not between ", problem_.lowest_speed, " and ", problem_.highest_speed,
                 " m/s; are they in seconds, and of this geometry?");
        case Trouble::size:
            fail(invalid, who, ": the delays differ from those of a uniform medium by ", finding.rms,
                 " s (root mean square), more than the ", finding.value,
                 " s that any medium makes; are they in seconds?");
    }
}

std::size_t TravelTimeInverter::workspace_bytes(const Context& context) const noexcept {
    return 2 * Workspace::bytes<float>(range().elements()) + Workspace::bytes<float>(domain().elements()) +
           std::max(solve_workspace_bytes(context),
                    Workspace::bytes<float>(range().elements()) + forward().workspace_bytes(context));
}

Status TravelTimeInverter::run(View<const float> delays, View<const float> mask, View<float> slowness,
                               Context& context, InversionRecord* record) const noexcept {
    if (record != nullptr) record->log.clear();
    if (delays.shape() != range() || slowness.shape() != domain() || !delays.contiguous() ||
        !slowness.contiguous() || (!mask.empty() && (mask.shape() != range() || !mask.contiguous())))
        return Status::size_mismatch;
    Workspace& workspace = context.workspace();
    if (workspace.size() - workspace.used() < workspace_bytes(context)) return Status::out_of_memory;
    const Finding finding = look(delays, mask);
    if (finding.trouble != Trouble::none) return Status::invalid_argument;

    Scratch scratch(workspace);
    const View<float> residual = scratch.take<float>(range()), valid = scratch.take<float>(range());
    const View<float> x = scratch.take<float>(domain());
    const double unit = finding.rms;
    const bool uniform = !whiten(delays, mask, finding, residual, valid);
    std::fill_n(x.data(), x.elements(), 0.0f);
    Status status = context.poll();
    ConvergenceLog* log = record != nullptr ? &record->log : nullptr;
    if (status == Status::ok && !uniform) status = solve({residual, valid, finding.valid}, x, context, log);
    if (log != nullptr && uniform) log->end(StopReason::converged);
    if (log != nullptr && log->reason() == StopReason::none) log->end(StopReason::stopped_by_caller);
    if (status != Status::ok && status != Status::cancelled && status != Status::deadline_exceeded)
        return status;

    if (record != nullptr) {
        const View<float> predicted = scratch.take<float>(range());
        forward().apply(x, predicted, context);
        double after = 0;
        for (Index n = 0; n < predicted.elements(); ++n)
            if (valid.data()[n] != 0)
                after += std::pow(double{predicted.data()[n]} / norm_ - double{residual.data()[n]}, 2);
        record->fraction = finding.fraction;
        record->uniform_slowness = problem_.reference_slowness + finding.deviation;
        record->misfit_before = finding.rms;
        record->misfit_after =
            uniform ? finding.rms : unit * std::sqrt(after / static_cast<double>(finding.valid));
    }
    const double base = problem_.reference_slowness + finding.deviation;
    for (Index n = 0; n < x.elements(); ++n)
        slowness.data()[n] = static_cast<float>(base + (uniform ? 0.0 : unit / norm_ * double{x.data()[n]}));
    return status;
}

}  // namespace sonolux

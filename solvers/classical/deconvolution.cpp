// sonolux/solvers/classical/deconvolution.cpp
#include <sonolux/solvers/classical/deconvolution.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace sonolux {

Deconvolver::Deconvolver(const BlurProblem& problem) : grid_(std::make_unique<DeconvolutionGrid>(problem)) {}

std::size_t Deconvolver::workspace_bytes(const Context& context) const noexcept {
    return 2 * Workspace::bytes<float>(grid_->pixels()) +
           std::max(solve_workspace_bytes(context), grid_->enter_workspace_bytes(context));
}

Status Deconvolver::run(View<const float> blurred, View<float> image, Context& context,
                        ConvergenceLog* log) noexcept {
    if (log != nullptr) log->clear();
    const Shape expected{rows(), columns()};
    if (blurred.shape() != expected || image.shape() != expected) return Status::size_mismatch;
    for (Index i = 0; i < rows(); ++i)
        for (Index j = 0; j < columns(); ++j)
            if (!std::isfinite(blurred(i, j))) return Status::invalid_argument;
    Workspace& workspace = context.workspace();
    if (workspace.size() - workspace.used() < workspace_bytes(context)) return Status::out_of_memory;

    Scratch scratch(workspace);
    const View<float> data = scratch.take<float>(grid_->shape()), x = scratch.take<float>(grid_->shape());
    grid_->enter(blurred, x, context);
    for (Index i = 0; i < data.rows(); ++i)
        for (Index j = 0; j < data.columns(); ++j) data(i, j) = grid_->observed(i).has(j) ? x(i, j) : 0;
    Status status = context.poll();
    if (status == Status::ok)
        status = solve(data, x, context, log);
    else if (log != nullptr)
        log->end(StopReason::stopped_by_caller);
    grid_->leave(x, image);
    return status;
}

Status Deconvolver::finish_iteration(const ConvergenceEntry& entry, StopReason reason, Context& context,
                                     ConvergenceLog* log) const noexcept {
    if (log != nullptr) log->record(entry);
    const bool last = reason != StopReason::none;
    context.report({.activity = "deconvolving",
                    .done = last ? most_iterations() : entry.iteration,
                    .total = most_iterations(),
                    .seconds_left = -1});
    // Work that is done is not cancelled any more.
    const Status status = last ? Status::ok : context.poll();
    if (log != nullptr && (last || status != Status::ok))
        log->end(last ? reason : StopReason::stopped_by_caller);
    return status;
}

std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                              const DeconvolutionOptions& options) {
    return std::visit([&](const auto& of_method) { return make_deconvolver(problem, of_method); }, options);
}

// ---- Options as text ----

namespace {

constexpr std::array<std::string_view, 4> names = {"wiener", "richardson-lucy", "tv", "conjugate-gradients"};

/// One option of one method, as it was asked for.
struct Asked {
    std::string_view method;
    const std::string &option, &value;

    [[nodiscard]] bool is(std::string_view name) const { return option == name; }

    template <class T>
    [[nodiscard]] T number() const {
        T result{};
        const char* end = value.data() + value.size();
        const auto [stopped, error] = std::from_chars(value.data(), end, result);
        require(error == std::errc() && stopped == end, Status::invalid_argument, method, ": ", option,
                " must be ", std::is_integral_v<T> ? "a whole number" : "a number", ", got \"", value, "\"");
        return result;
    }

    [[noreturn]] void expected(std::string_view what) const {
        fail(Status::invalid_argument, method, ": ", option, " must be ", what, ", got \"", value, "\"");
    }

    [[noreturn]] void unknown(std::string_view known) const {
        fail(Status::invalid_argument, method, ": no option \"", option, "\"; there are ", known);
    }
};

void set(WienerOptions& options, const Asked& asked) {
    if (asked.is("power")) {
        if (asked.value == "inverse-square")
            options.power = PowerModel::inverse_square;
        else if (asked.value == "constant")
            options.power = PowerModel::constant;
        else
            asked.expected("inverse-square or constant");
    } else if (asked.is("signal-power")) {
        options.signal_power = asked.number<double>();
    } else {
        asked.unknown("power and signal-power");
    }
}

void set(RichardsonLucyOptions& options, const Asked& asked) {
    if (asked.is("iterations"))
        options.iterations = asked.number<int>();
    else if (asked.is("total-variation"))
        options.total_variation = asked.number<double>();
    else if (asked.is("tolerance"))
        options.tolerance = asked.number<double>();
    else if (asked.is("discrepancy"))
        options.discrepancy = asked.number<double>();
    else
        asked.unknown("iterations, total-variation, tolerance and discrepancy");
}

void set(TotalVariationOptions& options, const Asked& asked) {
    if (asked.is("weight"))
        options.weight = asked.number<double>();
    else if (asked.is("iterations"))
        options.iterations = asked.number<int>();
    else if (asked.is("tolerance"))
        options.tolerance = asked.number<double>();
    else
        asked.unknown("weight, iterations and tolerance");
}

void set(ConjugateGradientsOptions& options, const Asked& asked) {
    if (asked.is("regulariser")) {
        if (asked.value == "gradient")
            options.regulariser = Regulariser::gradient;
        else if (asked.value == "identity")
            options.regulariser = Regulariser::identity;
        else
            asked.expected("gradient or identity");
    } else if (asked.is("weight")) {
        options.weight = asked.number<double>();
    } else if (asked.is("iterations")) {
        options.iterations = asked.number<int>();
    } else if (asked.is("tolerance")) {
        options.tolerance = asked.number<double>();
    } else if (asked.is("discrepancy")) {
        options.discrepancy = asked.number<double>();
    } else {
        asked.unknown("regulariser, weight, iterations, tolerance and discrepancy");
    }
}

DeconvolutionOptions defaults(std::string_view name) {
    if (name == names[0]) return WienerOptions{};
    if (name == names[1]) return RichardsonLucyOptions{};
    if (name == names[2]) return TotalVariationOptions{};
    if (name == names[3]) return ConjugateGradientsOptions{};
    fail(Status::invalid_argument,
         "deconvolution: method must be wiener, richardson-lucy, tv or conjugate-gradients, got \"", name,
         "\"");
}

}  // namespace

std::span<const std::string_view> deconvolver_names() noexcept { return names; }

DeconvolutionOptions deconvolution_options(std::string_view name,
                                           std::span<const std::pair<std::string, std::string>> options) {
    DeconvolutionOptions result = defaults(name);
    for (const auto& [option, value] : options)
        std::visit([&](auto& of_method) { set(of_method, Asked{name, option, value}); }, result);
    return result;
}

}  // namespace sonolux

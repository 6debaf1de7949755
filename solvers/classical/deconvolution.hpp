// sonolux/solvers/classical/deconvolution.hpp
//
// Non-blind deconvolution without learning: given y = K x + noise, the kernel and the noise level, find x.
//
//     wiener               the linear estimate of least mean squared error           wiener.hpp
//     richardson-lucy      most likely under Poisson noise, never negative           richardson_lucy.hpp
//     tv                   least squares and total variation                         total_variation.hpp
//     conjugate-gradients  least squares and squared gradients                       conjugate_gradients.hpp
//
// K is a true convolution; the middle tap of the kernel is its centre, as in core/operators/convolution.hpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <sonolux/solvers/classical/conjugate_gradients.hpp>
#include <sonolux/solvers/classical/convergence_log.hpp>
#include <sonolux/solvers/classical/deconvolution_grid.hpp>
#include <sonolux/solvers/classical/richardson_lucy.hpp>
#include <sonolux/solvers/classical/total_variation.hpp>
#include <sonolux/solvers/classical/wiener.hpp>

namespace sonolux {

/// A solver for one size, kernel, noise level and border. Constructing it does everything that allocates or
/// throws.
class Deconvolver {
public:
    virtual ~Deconvolver() = default;
    Deconvolver(const Deconvolver&) = delete;
    Deconvolver& operator=(const Deconvolver&) = delete;

    [[nodiscard]] Index rows() const noexcept { return grid_->image_rows(); }
    [[nodiscard]] Index columns() const noexcept { return grid_->image_columns(); }

    /// "wiener", "richardson-lucy", "tv" or "conjugate-gradients".
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    /// The settings in words: "weight 0.00031, at most 200 iterations, border valid".
    [[nodiscard]] virtual std::string description() const = 0;

    /// The capacity a convergence log needs; 0 for a closed form.
    [[nodiscard]] virtual Index most_iterations() const noexcept = 0;

    /// Scratch that `run` takes from the context's workspace.
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// Sharpens `blurred` to `image`, both [rows, columns] in [0, 1]; nothing is clipped. They may be the
    /// same. Serves one caller at a time. Reports progress and looks for a stop after each iteration.
    ///
    /// Returns ok; cancelled or deadline_exceeded with the last finished iteration's image; and, with `image`
    /// as it was: size_mismatch, invalid_argument for a pixel that is NaN or infinite (one spoils all),
    /// out_of_memory where less than workspace_bytes was reserved.
    [[nodiscard]] Status run(View<const float> blurred, View<float> image, Context& context,
                             ConvergenceLog* log = nullptr) noexcept;

protected:
    explicit Deconvolver(const BlurProblem& problem);

    [[nodiscard]] const DeconvolutionGrid& grid() const noexcept { return *grid_; }

    /// Moves `x` from its start, the data, to the solution. Both are of the grid's shape; data that the grid
    /// does not observe are zero.
    [[nodiscard]] virtual Status solve(View<const float> data, View<float> x, Context& context,
                                       ConvergenceLog* log) noexcept = 0;
    [[nodiscard]] virtual std::size_t solve_workspace_bytes(const Context& context) const noexcept = 0;

    /// Polls, reports and logs after an iteration; not ok asks the solver to end. A `reason` other than none
    /// says that this iteration was the last.
    [[nodiscard]] Status finish_iteration(const ConvergenceEntry& entry, StopReason reason, Context& context,
                                          ConvergenceLog* log) const noexcept;

private:
    std::unique_ptr<DeconvolutionGrid> grid_;
};

using DeconvolutionOptions =
    std::variant<WienerOptions, RichardsonLucyOptions, TotalVariationOptions, ConjugateGradientsOptions>;

/// Throws Error{invalid_argument} naming the field of the problem or the options.
[[nodiscard]] std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                                            const DeconvolutionOptions& options);

/// The names that the factory knows.
[[nodiscard]] std::span<const std::string_view> deconvolver_names() noexcept;

/// A method by its name, with options as text: {"weight", "0.01"}. What is not named keeps its default.
/// Throws Error{invalid_argument} naming the method, the option and the value.
[[nodiscard]] DeconvolutionOptions deconvolution_options(
    std::string_view name, std::span<const std::pair<std::string, std::string>> options = {});

}  // namespace sonolux

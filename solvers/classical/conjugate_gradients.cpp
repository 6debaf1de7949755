// sonolux/solvers/classical/conjugate_gradients.cpp
#include <cmath>

#include <sonolux/core/reduction.hpp>
#include <sonolux/solvers/classical/deconvolution.hpp>
#include <sonolux/solvers/classical/row_sums.hpp>

namespace sonolux {

namespace {

class ConjugateGradients final : public Deconvolver {
public:
    ConjugateGradients(const BlurProblem& problem, const ConjugateGradientsOptions& options)
        : Deconvolver(problem),
          options_(options),
          weight_(options.weight.value_or(conjugate_gradients_weight(options.regulariser, problem.sigma))) {
        require(std::isfinite(weight_) && weight_ >= 0, Status::invalid_argument,
                "conjugate-gradients: weight must be at least 0, got ", weight_);
        require(options.iterations >= 1 && options.iterations <= 100000, Status::invalid_argument,
                "conjugate-gradients: iterations must be in 1 to 100000, got ", options.iterations);
        require(std::isfinite(options.tolerance) && options.tolerance >= 0, Status::invalid_argument,
                "conjugate-gradients: tolerance must be at least 0, got ", options.tolerance);
        require(std::isfinite(options.discrepancy) && options.discrepancy >= 0, Status::invalid_argument,
                "conjugate-gradients: discrepancy must be at least 0, got ", options.discrepancy);
    }

    std::string_view name() const noexcept override { return "conjugate-gradients"; }
    Index most_iterations() const noexcept override { return options_.iterations; }
    std::string description() const override {
        return sentence(options_.regulariser == Regulariser::gradient ? "gradient" : "identity", " weight ",
                        weight_, options_.weight ? "" : " from sigma", ", at most ", options_.iterations,
                        " iterations, border ", to_string(grid().border()));
    }

protected:
    std::size_t solve_workspace_bytes(const Context& context) const noexcept override {
        return 4 * Workspace::bytes<float>(grid().pixels()) + grid().blur().workspace_bytes(context) +
               sum_rows_workspace_bytes<1>(grid().rows());
    }

    /// As least squares on (M K, sqrt(weight) R), which keeps r = M (y - K x) and s = K^T r - weight R^T R x.
    Status solve(View<const float> data, View<float> x, Context& context,
                 ConvergenceLog* log) noexcept override {
        Scratch scratch(context.workspace());
        const View<float> r = scratch.take<float>(grid().shape()), s = scratch.take<float>(grid().shape());
        const View<float> p = scratch.take<float>(grid().shape()), q = scratch.take<float>(grid().shape());
        const CircularConvolution& blur = grid().blur();
        const Index pixels = grid().pixels();
        const double noise = options_.discrepancy * grid().sigma() * std::sqrt(grid().observed_pixels());

        blur.adjoint(data, s, context);
        const double scale = std::sqrt(squared_norm(s, context));
        blur.apply(x, r, context);
        mask(r);
        for (Index n = 0; n < pixels; ++n) r.data()[n] = data.data()[n] - r.data()[n];
        blur.adjoint(r, s, context);
        subtract_regulariser(x, s, context);
        std::copy_n(s.data(), pixels, p.data());
        double gamma = squared_norm(s, context);

        for (Index iteration = 1;; ++iteration) {
            blur.apply(p, q, context);
            mask(q);
            const double curvature = squared_norm(q, context) + weight_ * regulariser(p, context);
            // A direction that neither data nor regulariser see: x solves the equations already.
            const double step = curvature > 0 ? gamma / curvature : 0;
            add(step, p, x, context);
            add(-step, q, r, context);
            blur.adjoint(r, s, context);
            subtract_regulariser(x, s, context);

            const double before = gamma, misfit = squared_norm(r, context);
            gamma = squared_norm(s, context);
            const double residual = scale > 0 ? std::sqrt(gamma) / scale : 0;
            double objective = 0.5 * misfit;
            if (log != nullptr) objective += 0.5 * weight_ * regulariser(x, context);
            const StopReason reason = step == 0 || residual <= options_.tolerance ? StopReason::converged
                                      : options_.discrepancy > 0 && std::sqrt(misfit) <= noise
                                          ? StopReason::discrepancy
                                      : iteration == options_.iterations ? StopReason::iteration_limit
                                                                         : StopReason::none;
            const Status status = finish_iteration({iteration, objective, residual}, reason, context, log);
            if (status != Status::ok || reason != StopReason::none) return status;
            const float beta = static_cast<float>(gamma / before);
            parallel_rows(context, p.rows(), p.columns(), [&](Index begin, Index end, int) {
                for (Index n = begin * p.columns(); n < end * p.columns(); ++n)
                    p.data()[n] = s.data()[n] + beta * p.data()[n];
            });
        }
    }

private:
    void mask(View<float> y) const noexcept {
        if (!grid().masked()) return;
        for (Index i = 0; i < y.rows(); ++i) {
            const auto observed = grid().observed(i);
            std::fill_n(y.row(i), observed.begin, 0.0f);
            std::fill_n(y.row(i) + observed.end, y.columns() - observed.end, 0.0f);
        }
    }

    /// to += factor what
    static void add(double factor, View<const float> what, View<float> to, Context& context) noexcept {
        const float f = static_cast<float>(factor);
        parallel_rows(context, to.rows(), to.columns(), [&](Index begin, Index end, int) {
            for (Index n = begin * to.columns(); n < end * to.columns(); ++n)
                to.data()[n] += f * what.data()[n];
        });
    }

    [[nodiscard]] float right(View<const float> x, Index i, Index j) const noexcept {
        return grid().counted_right(i).has(j) ? x(i, j + 1 < x.columns() ? j + 1 : 0) - x(i, j) : 0;
    }
    [[nodiscard]] float down(View<const float> x, Index i, Index j) const noexcept {
        return grid().counted_down(i).has(j) ? x(grid().below(i), j) - x(i, j) : 0;
    }

    /// |R x|^2
    [[nodiscard]] double regulariser(View<const float> x, Context& context) const noexcept {
        if (weight_ == 0) return 0;
        if (options_.regulariser == Regulariser::identity) return squared_norm(x, context);
        const auto [total] = sum_rows<1>(context, x.rows(), 2 * x.columns(), [&](Index i) {
            double row = 0;
            for (Index j = 0; j < x.columns(); ++j) {
                const double r = double{right(x, i, j)}, d = double{down(x, i, j)};
                row += r * r + d * d;
            }
            return std::array{row};
        });
        return total;
    }

    /// s -= weight R^T R x
    void subtract_regulariser(View<const float> x, View<float> s, Context& context) const noexcept {
        if (weight_ == 0) return;
        if (options_.regulariser == Regulariser::identity) {
            add(-weight_, x, s, context);
            return;
        }
        const float weight = static_cast<float>(weight_);
        parallel_rows(context, x.rows(), 4 * x.columns(), [&](Index begin, Index end, int) {
            for (Index i = begin; i < end; ++i)
                for (Index j = 0; j < x.columns(); ++j)
                    s(i, j) += weight * (right(x, i, j) - right(x, i, j > 0 ? j - 1 : x.columns() - 1) +
                                         down(x, i, j) - down(x, grid().above(i), j));
        });
    }

    ConjugateGradientsOptions options_;
    double weight_;
};

}  // namespace

double conjugate_gradients_weight(Regulariser regulariser, double sigma) noexcept {
    return regulariser == Regulariser::gradient ? 1.3e-3 * std::pow(sigma, 1.75) : 3.8e-3 * sigma;
}

std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                              const ConjugateGradientsOptions& options) {
    return std::make_unique<ConjugateGradients>(problem, options);
}

}  // namespace sonolux

// sonolux/solvers/classical/richardson_lucy.cpp
#include <cmath>

#include <sonolux/core/reduction.hpp>
#include <sonolux/solvers/classical/deconvolution.hpp>
#include <sonolux/solvers/classical/row_sums.hpp>

namespace sonolux {

namespace {

// Where K^T M, which is 1 inside the image, is below this, the start value stays.
constexpr float least_share = 0.01f;
// No estimate of a blurred pixel is below this when data are divided by it: a 255th of an 8-bit step.
constexpr float least_blurred = 1.5e-5f;

class RichardsonLucy final : public Deconvolver {
public:
    RichardsonLucy(const BlurProblem& problem, const RichardsonLucyOptions& options)
        : Deconvolver(problem), options_(options), share_(grid().shape()) {
        require(options.iterations >= 1 && options.iterations <= 100000, Status::invalid_argument,
                "richardson-lucy: iterations must be in 1 to 100000, got ", options.iterations);
        require(options.total_variation >= 0 && options.total_variation <= 0.25, Status::invalid_argument,
                "richardson-lucy: total-variation must be in 0 to 0.25, got ", options.total_variation);
        require(std::isfinite(options.tolerance) && options.tolerance >= 0, Status::invalid_argument,
                "richardson-lucy: tolerance must be at least 0, got ", options.tolerance);
        require(std::isfinite(options.discrepancy) && options.discrepancy >= 0, Status::invalid_argument,
                "richardson-lucy: discrepancy must be at least 0, got ", options.discrepancy);
        std::fill(share_.begin(), share_.end(), 1.0f);
        if (!grid().masked()) return;
        Array<float> mask(grid().shape());
        for (Index i = 0; i < grid().rows(); ++i)
            for (Index j = 0; j < grid().columns(); ++j) mask(i, j) = grid().observed(i).has(j) ? 1.0f : 0.0f;
        Context context(make_serial_runner());
        context.workspace().reserve(grid().blur().workspace_bytes(context));
        grid().blur().adjoint(mask, share_, context);
    }

    std::string_view name() const noexcept override { return "richardson-lucy"; }
    Index most_iterations() const noexcept override { return options_.iterations; }
    std::string description() const override {
        return sentence("at most ", options_.iterations, " iterations, total variation ",
                        options_.total_variation, ", border ", to_string(grid().border()));
    }

protected:
    std::size_t solve_workspace_bytes(const Context& context) const noexcept override {
        return 3 * Workspace::bytes<float>(grid().pixels()) + grid().blur().workspace_bytes(context) +
               sum_rows_workspace_bytes<3>(grid().rows());
    }

    Status solve(View<const float> data, View<float> x, Context& context,
                 ConvergenceLog* log) noexcept override {
        Scratch scratch(context.workspace());
        const View<float> blurred = scratch.take<float>(grid().shape());
        const View<float> ratio = scratch.take<float>(grid().shape());
        const View<float> update = scratch.take<float>(grid().shape());
        start(data, x, context);
        const double noise = options_.discrepancy * grid().sigma() * std::sqrt(grid().observed_pixels());
        double residual = 1, variation = 0;
        for (Index iteration = 1;; ++iteration) {
            // The objective and the discrepancy are those of the image before the step: of the last entry.
            grid().blur().apply(x, blurred, context);
            const auto [divergence, misfit] = compare(data, blurred, ratio, context);
            if (iteration > 1) {
                const double objective = divergence + options_.total_variation * variation;
                const StopReason reason =
                    options_.discrepancy > 0 && std::sqrt(misfit) <= noise     ? StopReason::discrepancy
                    : options_.tolerance > 0 && residual <= options_.tolerance ? StopReason::converged
                    : iteration > options_.iterations                          ? StopReason::iteration_limit
                                                                               : StopReason::none;
                const Status status =
                    finish_iteration({iteration - 1, objective, residual}, reason, context, log);
                if (status != Status::ok || reason != StopReason::none) return status;
            }
            grid().blur().adjoint(ratio, update, context);
            // `ratio` is spent: it takes 1 - weight div(D x / |D x|).
            if (options_.total_variation > 0) curvature(x, ratio, context);
            residual = step(update, ratio, x, context);
            if (options_.total_variation > 0) variation = total_variation(x, context);
        }
    }

private:
    /// The mean of the data everywhere: no pixel may start at 0, where a product stays for ever.
    void start(View<const float> data, View<float> x, Context& context) const noexcept {
        const double mean = sum(data, context) / grid().observed_pixels();
        std::fill_n(x.data(), x.elements(), std::max(static_cast<float>(mean), least_blurred));
    }

    /// ratio = M y / K x. Returns the sums of M (K x - y + y log(y / K x)) and of M (K x - y)^2.
    [[nodiscard]] std::array<double, 2> compare(View<const float> data, View<const float> blurred,
                                                View<float> ratio, Context& context) const noexcept {
        return sum_rows<2>(context, data.rows(), 4 * data.columns(), [&](Index i) {
            double divergence = 0, misfit = 0;
            const auto observed = grid().observed(i);
            std::fill_n(ratio.row(i), ratio.columns(), 0.0f);
            for (Index j = observed.begin; j < observed.end; ++j) {
                const float y = std::max(data(i, j), 0.0f);
                const float estimate = std::max(blurred(i, j), least_blurred);
                ratio(i, j) = y / estimate;
                divergence += double{estimate} - double{y};
                if (y > 0) divergence += double{y} * std::log(double{ratio(i, j)});
                const double difference = double{blurred(i, j)} - double{data(i, j)};
                misfit += difference * difference;
            }
            return std::array{divergence, misfit};
        });
    }

    /// x' in place of x. Returns |x' - x| / |x|.
    [[nodiscard]] double step(View<const float> update, View<const float> divisor, View<float> x,
                              Context& context) const noexcept {
        const auto [change, squares] = sum_rows<2>(context, x.rows(), x.columns(), [&](Index i) {
            double changed = 0, before = 0;
            for (Index j = 0; j < x.columns(); ++j) {
                const float share = share_(i, j), old = x(i, j);
                if (share < least_share) continue;
                float next = old * std::max(update(i, j), 0.0f) / share;  // rounding may be below 0
                if (options_.total_variation > 0) next /= divisor(i, j);
                x(i, j) = next;
                const double difference = double{next} - double{old};
                changed += difference * difference;
                before += double{old} * double{old};
            }
            return std::array{changed, before};
        });
        return squares > 0 ? std::sqrt(change / squares) : 0;
    }

    /// D x at a pixel, without the differences that do not count.
    struct Difference {
        float right, down, length;
    };
    [[nodiscard]] Difference difference(View<const float> x, Index i, Index j) const noexcept {
        const Index beside = j + 1 < x.columns() ? j + 1 : 0;
        const float right = grid().counted_right(i).has(j) ? x(i, beside) - x(i, j) : 0;
        const float down = grid().counted_down(i).has(j) ? x(grid().below(i), j) - x(i, j) : 0;
        return {right, down, std::sqrt(right * right + down * down)};
    }

    /// 1 - weight div(D x / |D x|), where differences below a 2550th are divided by that instead.
    void curvature(View<const float> x, View<float> divisor, Context& context) const noexcept {
        constexpr float least = 0.1f / 255;
        const float weight = static_cast<float>(options_.total_variation);
        parallel_rows(context, x.rows(), 8 * x.columns(), [&](Index begin, Index end, int) {
            for (Index i = begin; i < end; ++i)
                for (Index j = 0; j < x.columns(); ++j) {
                    const Difference here = difference(x, i, j);
                    const Difference before = difference(x, i, j > 0 ? j - 1 : x.columns() - 1);
                    const Difference over = difference(x, grid().above(i), j);
                    const float divergence = (here.right + here.down) / std::max(here.length, least) -
                                             before.right / std::max(before.length, least) -
                                             over.down / std::max(over.length, least);
                    divisor(i, j) = 1 - weight * divergence;
                }
        });
    }

    [[nodiscard]] double total_variation(View<const float> x, Context& context) const noexcept {
        const auto [total] = sum_rows<1>(context, x.rows(), 2 * x.columns(), [&](Index i) {
            double row = 0;
            for (Index j = 0; j < x.columns(); ++j) row += double{difference(x, i, j).length};
            return std::array{row};
        });
        return total;
    }

    RichardsonLucyOptions options_;
    Array<float> share_;  // K^T M
};

}  // namespace

std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                              const RichardsonLucyOptions& options) {
    return std::make_unique<RichardsonLucy>(problem, options);
}

}  // namespace sonolux

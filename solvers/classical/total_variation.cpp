// sonolux/solvers/classical/total_variation.cpp
#include <cmath>

#include <sonolux/solvers/classical/deconvolution.hpp>
#include <sonolux/solvers/classical/row_sums.hpp>

namespace sonolux {

namespace {

using Complex = DeconvolutionGrid::Complex;

/// What a pass over one of the two constraints, z = D x or w = K x, adds up.
struct ConstraintSums {
    double difference = 0;  // |A x - z|^2
    double image = 0;       // |A x|^2
    double split = 0;       // |z|^2
    double change = 0;      // |z - previous z|^2
    double multiplier = 0;  // |u|^2
    double cost = 0;        // the objective's part

    [[nodiscard]] double primal() const noexcept { return relative(difference, std::max(image, split)); }
    [[nodiscard]] double dual() const noexcept { return relative(change, multiplier); }

private:
    static double relative(double squares, double of) noexcept {
        return squares == 0 ? 0 : of > 0 ? std::sqrt(squares / of) : 1;
    }
};

/// By how much a penalty is multiplied so that its two residuals come closer.
double balance(const ConstraintSums& sums) noexcept {
    if (sums.primal() == 0 || sums.dual() == 0) return 1;
    const double ratio = std::sqrt(sums.primal() / sums.dual());
    return ratio > 1.4 || ratio < 1 / 1.4 ? std::clamp(ratio, 0.2, 5.0) : 1;
}

class TotalVariation final : public Deconvolver {
public:
    TotalVariation(const BlurProblem& problem, const TotalVariationOptions& options)
        : Deconvolver(problem),
          options_(options),
          weight_(options.weight.value_or(total_variation_weight(problem.sigma))) {
        require(std::isfinite(weight_) && weight_ > 0, Status::invalid_argument,
                "tv: weight must be above 0, got ", weight_);
        require(options.iterations >= 1 && options.iterations <= 100000, Status::invalid_argument,
                "tv: iterations must be in 1 to 100000, got ", options.iterations);
        require(std::isfinite(options.tolerance) && options.tolerance >= 0, Status::invalid_argument,
                "tv: tolerance must be at least 0, got ", options.tolerance);
    }

    std::string_view name() const noexcept override { return "tv"; }
    Index most_iterations() const noexcept override { return options_.iterations; }
    std::string description() const override {
        return sentence("weight ", weight_, options_.weight ? "" : " from sigma", ", at most ",
                        options_.iterations, " iterations, border ", to_string(grid().border()));
    }

protected:
    std::size_t solve_workspace_bytes(const Context&) const noexcept override {
        return (grid().masked() ? 8 : 6) * Workspace::bytes<float>(grid().pixels()) +
               2 * Workspace::bytes<Complex>(spectrum_shape().elements()) +
               sum_rows_workspace_bytes<6>(grid().rows());
    }

    Status solve(View<const float> data, View<float> x, Context& context,
                 ConvergenceLog* log) noexcept override {
        Scratch scratch(context.workspace());
        const View<float> blurred = scratch.take<float>(grid().shape());  // K x
        const View<float> source = scratch.take<float>(grid().shape());
        const View<float> z = scratch.take<float>({2, grid().rows(), grid().columns()});
        const View<float> u = scratch.take<float>({2, grid().rows(), grid().columns()});
        View<float> w, v;
        if (grid().masked()) {
            w = scratch.take<float>(grid().shape());
            v = scratch.take<float>(grid().shape());
            std::copy_n(x.data(), x.elements(), w.data());
            std::fill_n(v.data(), v.elements(), 0.0f);
        }
        const View<Complex> of_data = scratch.take<Complex>(spectrum_shape());
        const View<Complex> spectrum = scratch.take<Complex>(spectrum_shape());
        RealFft2& fft = grid().blur().fft();
        std::fill_n(u.data(), u.elements(), 0.0f);
        std::fill_n(z.data(), z.elements(), 0.0f);
        if (!grid().masked()) fft.forward(data, of_data);

        double a = 1, b = weight_ / 0.05;  // differences below 0.05 are shrunk away at first
        for (Index iteration = 1;; ++iteration) {
            if (grid().masked()) {
                for (Index n = 0; n < source.elements(); ++n) source.data()[n] = w.data()[n] - v.data()[n];
                fft.forward(source, of_data);
            }
            divergence(z, u, source, context);
            fft.forward(source, spectrum);
            solve_normal_equations(b / a, of_data, spectrum, context);
            fft.inverse(spectrum, x);
            ConstraintSums of_blur;
            if (grid().masked() || log != nullptr) {
                multiply_with_kernel(spectrum, context);
                fft.inverse(spectrum, blurred);
            }
            if (grid().masked())
                of_blur = split_blur(a, data, blurred, w, v, context);
            else if (log != nullptr)
                of_blur.cost = misfit(data, blurred, context);
            const ConstraintSums of_gradient = split_gradient(b, x, z, u, context);

            const double residual = std::max(std::max(of_blur.primal(), of_blur.dual()),
                                             std::max(of_gradient.primal(), of_gradient.dual()));
            const StopReason reason = residual <= options_.tolerance     ? StopReason::converged
                                      : iteration == options_.iterations ? StopReason::iteration_limit
                                                                         : StopReason::none;
            const Status status = finish_iteration({iteration, of_blur.cost + of_gradient.cost, residual},
                                                   reason, context, log);
            if (status != Status::ok || reason != StopReason::none) return status;
            // Penalties that never came to rest could keep the iteration from converging.
            if (iteration % 5 == 0 && 2 * iteration < options_.iterations) {
                rescale(balance(of_gradient), b, u);
                if (grid().masked()) rescale(balance(of_blur), a, v);
            }
        }
    }

private:
    [[nodiscard]] Shape spectrum_shape() const noexcept { return {grid().rows(), grid().columns() / 2 + 1}; }

    /// A penalty times `factor`. The multiplier is kept as a share of it.
    static void rescale(double factor, double& penalty, View<float> share) noexcept {
        if (factor == 1) return;
        penalty *= factor;
        for (Index n = 0; n < share.elements(); ++n) share.data()[n] /= static_cast<float>(factor);
    }

    /// D^T(z - u)
    void divergence(View<const float> z, View<const float> u, View<float> result,
                    Context& context) const noexcept {
        parallel_rows(context, result.rows(), result.columns(), [&](Index begin, Index end, int) {
            for (Index i = begin; i < end; ++i) {
                const float *zr = z[0].row(i), *ur = u[0].row(i);
                const float *zd = z[1].row(i), *ud = u[1].row(i);
                const float *za = z[1].row(grid().above(i)), *ua = u[1].row(grid().above(i));
                float before = zr[result.columns() - 1] - ur[result.columns() - 1];
                for (Index j = 0; j < result.columns(); ++j) {
                    const float right = zr[j] - ur[j];
                    result(i, j) = before - right + (za[j] - ua[j]) - (zd[j] - ud[j]);
                    before = right;
                }
            }
        });
    }

    /// spectrum = (K* of_data + c spectrum) / (|K|^2 + c |D|^2)
    void solve_normal_equations(double c, View<const Complex> of_data, View<Complex> spectrum,
                                Context& context) const noexcept {
        const View<const Complex> kernel = grid().blur().spectrum();
        const float ratio = static_cast<float>(c);
        parallel_rows(context, spectrum.rows(), 4 * spectrum.columns(), [&](Index begin, Index end, int) {
            for (Index k = begin; k < end; ++k)
                for (Index l = 0; l < spectrum.columns(); ++l) {
                    const float quotient =
                        static_cast<float>(1 / (grid().blur_power(k, l) + c * grid().difference_power(k, l)));
                    const Complex h = kernel(k, l), y = of_data(k, l), d = spectrum(k, l);
                    spectrum(k, l) = {
                        (h.real() * y.real() + h.imag() * y.imag() + ratio * d.real()) * quotient,
                        (h.real() * y.imag() - h.imag() * y.real() + ratio * d.imag()) * quotient};
                }
        });
    }

    void multiply_with_kernel(View<Complex> spectrum, Context& context) const noexcept {
        const View<const Complex> kernel = grid().blur().spectrum();
        parallel_rows(context, spectrum.rows(), 4 * spectrum.columns(), [&](Index begin, Index end, int) {
            for (Index k = begin; k < end; ++k)
                for (Index l = 0; l < spectrum.columns(); ++l) {
                    const Complex h = kernel(k, l), x = spectrum(k, l);
                    spectrum(k, l) = {h.real() * x.real() - h.imag() * x.imag(),
                                      h.real() * x.imag() + h.imag() * x.real()};
                }
        });
    }

    /// w = (M y + a (K x + v)) / (M + a), v += K x - w
    [[nodiscard]] ConstraintSums split_blur(double penalty, View<const float> data, View<const float> blurred,
                                            View<float> w, View<float> v, Context& context) const noexcept {
        const float a = static_cast<float>(penalty), share = 1 / (1 + a);
        return sums_of(context, 2, [&](Index i, ConstraintSums& sums) {
            const auto observed = grid().observed(i);
            for (Index j = 0; j < data.columns(); ++j) {
                const float wanted = blurred(i, j) + v(i, j), before = w(i, j);
                const bool seen = observed.has(j);
                const float now = seen ? (data(i, j) + a * wanted) * share : wanted;
                w(i, j) = now;
                v(i, j) = wanted - now;
                add(blurred(i, j), now, before, wanted - now, sums);
                if (!seen) continue;
                const double error = double{blurred(i, j)} - double{data(i, j)};
                sums.cost += 0.5 * error * error;
            }
        });
    }

    /// z = shrink(D x + u, weight / b), u += D x - z
    [[nodiscard]] ConstraintSums split_gradient(double penalty, View<const float> x, View<float> z,
                                                View<float> u, Context& context) const noexcept {
        const float threshold = static_cast<float>(weight_ / penalty);
        return sums_of(context, 4, [&](Index i, ConstraintSums& sums) {
            const float *here = x.row(i), *below = x.row(grid().below(i));
            float *z_right = z[0].row(i), *z_down = z[1].row(i);
            float *u_right = u[0].row(i), *u_down = u[1].row(i);
            const auto counts_right = grid().counted_right(i), counts_down = grid().counted_down(i);
            for (Index j = 0; j < x.columns(); ++j) {
                const float right = here[j + 1 < x.columns() ? j + 1 : 0] - here[j];
                const float down = below[j] - here[j];
                const float r = right + u_right[j], d = down + u_down[j];
                // Differences that do not count are free: z = D x, u = 0.
                const bool has_right = counts_right.has(j), has_down = counts_down.has(j);
                const float length = std::sqrt((has_right ? r * r : 0) + (has_down ? d * d : 0));
                const float shrink = length > threshold ? 1 - threshold / length : 0;
                const float now_right = has_right ? shrink * r : r, now_down = has_down ? shrink * d : d;
                if (has_right) add(right, now_right, z_right[j], r - now_right, sums);
                if (has_down) add(down, now_down, z_down[j], d - now_down, sums);
                z_right[j] = now_right, z_down[j] = now_down;
                u_right[j] = r - now_right, u_down[j] = d - now_down;
                sums.cost += weight_ * std::sqrt(double{has_right ? right * right : 0} +
                                                 double{has_down ? down * down : 0});
            }
        });
    }

    static void add(float image, float split, float before, float multiplier, ConstraintSums& sums) noexcept {
        const double difference = double{image} - double{split}, change = double{split} - double{before};
        sums.difference += difference * difference;
        sums.image += double{image} * double{image};
        sums.split += double{split} * double{split};
        sums.change += change * change;
        sums.multiplier += double{multiplier} * double{multiplier};
    }

    template <class Row>
    [[nodiscard]] ConstraintSums sums_of(Context& context, Index cost, const Row& row) const noexcept {
        const auto total = sum_rows<6>(context, grid().rows(), cost * grid().columns(), [&](Index i) {
            ConstraintSums sums;
            row(i, sums);
            return std::array{sums.difference, sums.image,      sums.split,
                              sums.change,     sums.multiplier, sums.cost};
        });
        return {total[0], total[1], total[2], total[3], total[4], total[5]};
    }

    [[nodiscard]] double misfit(View<const float> data, View<const float> blurred,
                                Context& context) const noexcept {
        return sums_of(context, 1,
                       [&](Index i, ConstraintSums& sums) {
                           for (Index j = 0; j < data.columns(); ++j) {
                               const double error = double{blurred(i, j)} - double{data(i, j)};
                               sums.cost += 0.5 * error * error;
                           }
                       })
            .cost;
    }

    TotalVariationOptions options_;
    double weight_;
};

}  // namespace

double total_variation_weight(double sigma) noexcept { return 1.7e-4 * std::pow(sigma, 1.6); }

std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem,
                                              const TotalVariationOptions& options) {
    return std::make_unique<TotalVariation>(problem, options);
}

}  // namespace sonolux

// sonolux/solvers/classical/wiener.cpp
#include <cmath>

#include <sonolux/solvers/classical/deconvolution.hpp>
#include <sonolux/solvers/classical/row_sums.hpp>

namespace sonolux {

namespace {

class Wiener final : public Deconvolver {
public:
    Wiener(const BlurProblem& problem, const WienerOptions& options)
        : Deconvolver(problem), options_(options) {
        require(problem.border != DeconvolutionBorder::valid, Status::invalid_argument,
                "wiener: border must be circular or taper, got valid, for which there is no closed form "
                "(conjugate-gradients solves it)");
        const double power = options.signal_power.value_or(1);
        require(std::isfinite(power) && power > 0, Status::invalid_argument,
                "wiener: signal-power must be above 0, got ", power);
    }

    std::string_view name() const noexcept override { return "wiener"; }
    Index most_iterations() const noexcept override { return 0; }
    std::string description() const override {
        return sentence(options_.power == PowerModel::constant ? "constant" : "inverse-square", " power ",
                        options_.signal_power ? sentence(*options_.signal_power) : "measured", ", border ",
                        to_string(grid().border()));
    }

protected:
    std::size_t solve_workspace_bytes(const Context&) const noexcept override {
        return Workspace::bytes<DeconvolutionGrid::Complex>(grid().rows() * (grid().columns() / 2 + 1)) +
               sum_rows_workspace_bytes<2>(grid().rows());
    }

    Status solve(View<const float> data, View<float> x, Context& context, ConvergenceLog*) noexcept override {
        const double noise = grid().sigma() * grid().sigma();
        Scratch scratch(context.workspace());
        const auto spectrum =
            scratch.take<DeconvolutionGrid::Complex>({grid().rows(), grid().columns() / 2 + 1});
        grid().blur().fft().forward(data, spectrum);
        const double power =
            options_.signal_power ? *options_.signal_power : measured_power(spectrum, context);
        const auto kernel = grid().blur().spectrum();
        parallel_rows(context, spectrum.rows(), spectrum.columns(), [&](Index begin, Index end, int) {
            for (Index k = begin; k < end; ++k)
                for (Index l = 0; l < spectrum.columns(); ++l) {
                    // 1 / S is 0 for the mean.
                    const bool is_mean = k == 0 && l == 0;
                    const double quotient = is_mean ? 0 : noise / (power * shape_of_power(k, l));
                    const std::complex<double> factor =
                        std::conj(std::complex<double>(kernel(k, l))) / (grid().blur_power(k, l) + quotient);
                    spectrum(k, l) *= std::complex<float>(factor);
                }
        });
        grid().blur().fft().inverse(spectrum, x);
        context.report({.activity = "deconvolving", .done = 1, .total = 1, .seconds_left = -1});
        return Status::ok;
    }

private:
    /// S / A.
    [[nodiscard]] double shape_of_power(Index k, Index l) const noexcept {
        if (options_.power == PowerModel::constant) return 1;
        const double rows = static_cast<double>(grid().rows()),
                     columns = static_cast<double>(grid().columns());
        const double down = static_cast<double>(std::min(k, grid().rows() - k)) / rows;
        const double right = static_cast<double>(l) / columns;
        return 1 / (down * down + right * right);
    }

    [[nodiscard]] double measured_power(View<const DeconvolutionGrid::Complex> spectrum,
                                        Context& context) const noexcept {
        const double noise = grid().sigma() * grid().sigma(), pixels = static_cast<double>(grid().pixels());
        double power = 1e-3;  // of an ordinary photograph
        for (int step = 0; step < 50; ++step) {
            const auto [above,
                        below] = sum_rows<2>(context, spectrum.rows(), spectrum.columns(), [&](Index k) {
                double numerator = 0, denominator = 0;
                for (Index l = k == 0 ? 1 : 0; l < spectrum.columns(); ++l) {
                    // All columns but two stand for their mirror images too.
                    const double count = l == 0 || 2 * l == grid().columns() ? 1 : 2;
                    const double shape = grid().blur_power(k, l) * shape_of_power(k, l);
                    const double expected = power * shape + noise, of_data = squared(spectrum(k, l)) / pixels;
                    numerator += count * shape * (of_data - noise) / (expected * expected);
                    denominator += count * shape * shape / (expected * expected);
                }
                return std::array{numerator, denominator};
            });
            if (!(below > 0)) break;  // a single pixel
            // Where noise explains all there is, the power falls without ever reaching 0.
            const double next = std::max(above / below, 0.1 * power);
            const bool settled = std::abs(next - power) <= 1e-3 * power;
            power = next;
            if (settled) break;
        }
        return power;
    }

    static double squared(const DeconvolutionGrid::Complex& value) noexcept {
        return std::norm(std::complex<double>(value));
    }

    WienerOptions options_;
};

}  // namespace

std::unique_ptr<Deconvolver> make_deconvolver(const BlurProblem& problem, const WienerOptions& options) {
    return std::make_unique<Wiener>(problem, options);
}

}  // namespace sonolux

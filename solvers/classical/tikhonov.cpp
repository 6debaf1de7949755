// sonolux/solvers/classical/tikhonov.cpp
#include <sonolux/solvers/classical/tikhonov.hpp>

#include <Eigen/Dense>

#include <cmath>

#include <sonolux/core/reduction.hpp>
#include <sonolux/solvers/cosine_modes.hpp>
#include <sonolux/solvers/dense_product.hpp>
#include <sonolux/solvers/mode_gradients.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;

class Tikhonov final : public TikhonovInverter {
public:
    Tikhonov(InversionProblem problem, const TikhonovOptions& options)
        : TikhonovInverter(std::move(problem)),
          options_(checked(options)),
          modes_(options_.modes_down, options_.modes_across, domain()),
          penalties_(modes_.penalty(options_.order)),
          penalty_(Eigen::Map<const Eigen::VectorXd>(penalties_.data(), modes_.count())) {
        find_normal_matrix();
        const Eigen::MatrixXd inverse =
            factorise(options_.lambda).solve(Eigen::MatrixXd::Identity(modes(), modes()));
        inverse_ = Array<float>({modes(), modes()});
        for (Index k = 0; k < modes(); ++k)
            for (Index l = 0; l < modes(); ++l) inverse_(k, l) = static_cast<float>(inverse(k, l));
    }

    std::string_view name() const noexcept override { return "tikhonov"; }
    Index most_iterations() const noexcept override { return options_.iterations; }
    Index modes() const noexcept override { return modes_.count(); }

    std::vector<LCurvePoint> l_curve(View<const float> delays, std::span<const double> lambdas,
                                     Context& context) const override;

protected:
    std::size_t solve_workspace_bytes(const Context& context) const noexcept override {
        return Workspace::bytes<float>(range().elements()) + Workspace::bytes<float>(domain().elements()) +
               Workspace::bytes<float>(modes_.scratch_floats()) + 6 * Workspace::bytes<float>(modes()) +
               forward().workspace_bytes(context);
    }

    Status solve(const Whitened& data, View<float> x, Context& context,
                 ConvergenceLog* log) const noexcept override {
        Scratch scratch(context.workspace());
        const Buffers buffers{scratch.take<float>(range()), scratch.take<float>(domain()),
                              scratch.take<float>(modes_.scratch_floats())};
        float *right = scratch.take<float>(modes()), *c = scratch.take<float>(modes());
        right_side(data.residual, right, buffers, context);
        precondition(right, c, context);
        bool all = true;
        for (Index n = 0; n < range().elements() && all; ++n)
            all = (data.mask.data()[n] != 0) == is_possible(n);
        Status status = Status::ok;
        if (!all)
            status = correct(data, right, c, buffers, context, log);
        else if (log != nullptr)
            log->end(StopReason::converged);
        modes_.synthesise(c, x.data(), buffers.transform);
        return status;
    }

private:
    struct Buffers {
        View<float> measured, map;
        float* transform;
    };

    [[nodiscard]] TikhonovOptions checked(TikhonovOptions options) const {
        const char* who = "tikhonov";
        require(options.order >= 0 && options.order <= 2, invalid, who, ": order must be 0, 1 or 2, got ",
                options.order);
        require(std::isfinite(options.lambda) && options.lambda > 0, invalid, who,
                ": lambda must be above 0, got ", options.lambda);
        require(options.iterations >= 1 && options.iterations <= 1000, invalid, who,
                ": iterations must be in 1 to 1000, got ", options.iterations);
        require(std::isfinite(options.tolerance) && options.tolerance >= 0, invalid, who,
                ": tolerance must be at least 0, got ", options.tolerance);
        if (options.modes_down == 0) options.modes_down = (domain()[0] + 1) / 2;
        if (options.modes_across == 0) options.modes_across = (domain()[1] + 1) / 2;
        require(options.modes_down >= 1 && options.modes_down <= domain()[0], invalid, who,
                ": modes_down must be in 1 to ", domain()[0], ", got ", options.modes_down);
        require(options.modes_across >= 1 && options.modes_across <= domain()[1], invalid, who,
                ": modes_across must be in 1 to ", domain()[1], ", got ", options.modes_across);
        return options;
    }

    /// S^T L^T M L S, a column at a time.
    void find_normal_matrix() {
        Context context(make_serial_runner());
        context.workspace().reserve(forward().workspace_bytes(context));
        Array<float> measured(range()), map(domain()), transform({modes_.scratch_floats()});
        Array<float> mask(range()), column({modes()}), unit({modes()});
        for (Index n = 0; n < mask.elements(); ++n) mask.data()[n] = is_possible(n) ? 1.0f : 0.0f;
        const Buffers buffers{measured, map, transform.data()};
        normal_ = Eigen::MatrixXd(modes(), modes());
        for (Index k = 0; k < modes(); ++k) {
            unit.data()[k] = 1;
            normal_product(unit.data(), mask, column.data(), buffers, context);
            unit.data()[k] = 0;
            for (Index l = 0; l < modes(); ++l) normal_(l, k) = static_cast<double>(column.data()[l]);
        }
        normal_ = 0.5 * (normal_ + normal_.transpose()).eval();  // float rounding
    }

    [[nodiscard]] Eigen::LLT<Eigen::MatrixXd> factorise(double lambda) const {
        Eigen::MatrixXd matrix = normal_;
        matrix.diagonal() += lambda * penalty_;
        Eigen::LLT<Eigen::MatrixXd> factors(matrix);
        require(factors.info() == Eigen::Success, invalid, "tikhonov: lambda ", lambda,
                " is too small for single precision: the equations are not positive definite");
        return factors;
    }

    /// b = S^T L^T r / |L|
    void right_side(View<const float> residual, float* b, const Buffers& buffers,
                    Context& context) const noexcept {
        forward().adjoint(residual, buffers.map, context);
        modes_.analyse(buffers.map.data(), b, buffers.transform);
        const auto unit = static_cast<float>(1 / norm());
        for (Index k = 0; k < modes(); ++k) b[k] *= unit;
    }

    /// q = S^T L^T M L S p / |L|^2
    void normal_product(const float* p, View<const float> mask, float* q, const Buffers& buffers,
                        Context& context) const noexcept {
        modes_.synthesise(p, buffers.map.data(), buffers.transform);
        forward().apply(buffers.map, buffers.measured, context);
        const auto unit = static_cast<float>(1 / norm());
        for (Index n = 0; n < mask.elements(); ++n)
            buffers.measured.data()[n] = mask.data()[n] != 0 ? unit * buffers.measured.data()[n] : 0;
        right_side(buffers.measured, q, buffers, context);
    }

    void precondition(const float* r, float* z, Context& context) const noexcept {
        const DenseProduct multiply = dense_product_for(context.isa());
        constexpr Index block = 64;
        parallel_for(context, (modes() + block - 1) / block, [&](Index n, int) {
            multiply(inverse_.data(), modes(), r, z, block * n, std::min(modes(), block * (n + 1)));
        });
    }

    [[nodiscard]] double product(const float* a, const float* b, Context& context) const noexcept {
        return dot(View<const float>(a, {modes()}), View<const float>(b, {modes()}), context);
    }

    /// Preconditioned conjugate gradients; c comes as P b and leaves as the solution.
    Status correct(const Whitened& data, const float* b, float* c, const Buffers& buffers, Context& context,
                   ConvergenceLog* log) const noexcept {
        Scratch scratch(context.workspace());
        const Index count = modes();
        const double size = squared_norm(data.residual, context);
        Status status = Status::ok;
        solve_modes(
            count, b, c, scratch,
            [&](const float* v, float* to) {
                normal_product(v, data.mask, to, buffers, context);
                for (Index k = 0; k < count; ++k)
                    to[k] += static_cast<float>(options_.lambda * penalty_[k]) * v[k];
            },
            [&](const float* r, float* z) { precondition(r, z, context); },
            [&](const float* u, const float* v) { return product(u, v, context); },
            [&](const ModeGradientsStep& step) {
                if (step.iteration == 0) return true;
                const double residual = step.right > 0 ? std::sqrt(step.residual / step.right) : 0;
                const StopReason reason =
                    step.stalled || residual <= options_.tolerance ? StopReason::converged
                    : step.iteration == options_.iterations        ? StopReason::iteration_limit
                                                                   : StopReason::none;
                if (log != nullptr)  // |L S c - r|^2 + lambda c E c = |r|^2 - c (b + residual)
                    log->record({step.iteration,
                                 (size - product(c, b, context) - product(c, step.r, context)) /
                                     static_cast<double>(data.valid),
                                 residual});
                if (reason == StopReason::none) status = context.poll();
                const bool ends = reason != StopReason::none || status != Status::ok;
                if (ends && log != nullptr)
                    log->end(status == Status::ok ? reason : StopReason::stopped_by_caller);
                return !ends;
            });
        return status;
    }

    TikhonovOptions options_;
    CosineModes modes_;
    std::vector<double> penalties_;
    Eigen::VectorXd penalty_;  // E
    Eigen::MatrixXd normal_;   // S^T L^T M L S
    Array<float> inverse_;     // P
};

std::vector<LCurvePoint> Tikhonov::l_curve(View<const float> delays, std::span<const double> lambdas,
                                           Context& context) const {
    const char* who = "l-curve";
    check(delays);
    require(lambdas.size() >= 3, invalid, who, ": there must be at least 3 weights, got ", lambdas.size());
    for (std::size_t n = 0; n < lambdas.size(); ++n)
        require(std::isfinite(lambdas[n]) && lambdas[n] > (n == 0 ? 0 : lambdas[n - 1]), invalid, who,
                ": weights must be above 0 and increase, got ", lambdas[n]);
    Array<float> residual(range()), valid(range()), map(domain()), right({modes()});
    Array<float> transform({modes_.scratch_floats()});
    const Finding finding = look(delays, {});
    require(finding.fraction == 1, invalid, who, ": ", 100 * (1 - finding.fraction),
            " % of the possible measurements are missing; it needs a frame with all of them");
    whiten(delays, {}, finding, residual, valid);
    context.workspace().reserve(forward().workspace_bytes(context));
    right_side(residual, right.data(), {valid, map, transform.data()}, context);
    const double size = squared_norm(residual);
    const Eigen::VectorXd b = Eigen::Map<const Eigen::VectorXf>(right.data(), modes()).cast<double>();
    std::vector<LCurvePoint> curve;
    for (const double lambda : lambdas) {
        const Eigen::VectorXd c = factorise(lambda).solve(b);
        const double seminorm = c.dot(penalty_.cwiseProduct(c));
        const double left = size - c.dot(b) - lambda * seminorm;  // of |r|^2 - 2 b c + c N c
        curve.push_back({lambda, std::sqrt(std::max(0.0, left)), std::sqrt(seminorm), 0});
    }
    for (std::size_t n = 1; n + 1 < curve.size(); ++n) {
        // Of the circle through three neighbours (positive where the curve turns towards both axes).
        const auto place = [&](std::size_t i) {
            return Eigen::Vector2d(std::log(curve[i].residual), std::log(curve[i].seminorm));
        };
        const Eigen::Vector2d before = place(n) - place(n - 1), after = place(n + 1) - place(n);
        const double sides = before.norm() * after.norm() * (before + after).norm();
        curve[n].curvature = sides > 0 ? 2 * (before.x() * after.y() - before.y() * after.x()) / sides : 0;
    }
    return curve;
}

}  // namespace

std::unique_ptr<TikhonovInverter> make_tikhonov(InversionProblem problem, const TikhonovOptions& options) {
    return std::make_unique<Tikhonov>(std::move(problem), options);
}

LCurvePoint l_curve_corner(std::span<const LCurvePoint> curve) {
    require(curve.size() >= 3, invalid, "l-curve: a corner needs at least 3 points, got ", curve.size());
    return *std::max_element(
        curve.begin() + 1, curve.end() - 1,
        [](const LCurvePoint& a, const LCurvePoint& b) { return a.curvature < b.curvature; });
}

}  // namespace sonolux

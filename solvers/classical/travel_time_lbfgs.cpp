// sonolux/solvers/classical/travel_time_lbfgs.cpp
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>

#include <cmath>

#include <sonolux/core/reduction.hpp>
#include <sonolux/solvers/classical/row_sums.hpp>

namespace sonolux {

namespace {

constexpr Index looking_back = 10;    // iterations over which the objective has to fall
constexpr int most_evaluations = 20;  // of one line search
constexpr double armijo = 1e-4, curvature = 0.9;
constexpr double first_step = 0.1;  // root mean square of the first step that is tried

class TravelTimeLbfgs final : public TravelTimeInverter {
public:
    TravelTimeLbfgs(InversionProblem problem, TravelTimeLbfgsOptions options)
        : TravelTimeInverter(std::move(problem)), options_(std::move(options)) {
        const auto positive = [](const char* name, double value) {
            require(std::isfinite(value) && value > 0, Status::invalid_argument, "travel-time lbfgs: ", name,
                    " must be above 0, got ", value);
        };
        const auto count = [](const char* name, int value, int most) {
            require(value >= 1 && value <= most, Status::invalid_argument, "travel-time lbfgs: ", name,
                    " must be in 1 to ", most, ", got ", value);
        };
        const auto at_least_zero = [](const char* name, double value) {
            require(std::isfinite(value) && value >= 0, Status::invalid_argument, "travel-time lbfgs: ", name,
                    " must be at least 0, got ", value);
        };
        positive("lambda", options_.lambda);
        positive("data_smoothing", options_.data_smoothing);
        positive("image_smoothing", options_.image_smoothing);
        at_least_zero("lateral_weight", options_.lateral_weight);
        at_least_zero("axial_weight", options_.axial_weight);
        positive("lateral_weight + axial_weight", options_.lateral_weight + options_.axial_weight);
        at_least_zero("blur", options_.blur);
        at_least_zero("tolerance", options_.tolerance);
        count("memory", options_.memory, 100);
        count("iterations", options_.iterations, 100000);
        const Shape planes{2, domain()[0], domain()[1]};
        require(options_.weights.elements() == 0 || options_.weights.shape() == planes, Status::size_mismatch,
                "travel-time lbfgs: weights are ", to_string(options_.weights.shape()), ", the map needs ",
                to_string(planes));
        for (Index n = 0; n < options_.weights.elements(); ++n)
            at_least_zero("weights", double{options_.weights.data()[n]});
        // Squares of all weights, as the function has them.
        squared_ = Array<float>(planes);
        for (Index n = 0; n < squared_.elements(); ++n) {
            const double given = options_.weights.elements() == 0 ? 1 : double{options_.weights.data()[n]};
            const bool right = n < domain().elements();
            const double weight = given * (right ? options_.lateral_weight : options_.axial_weight);
            squared_.data()[n] = static_cast<float>(weight * weight);
        }
    }

    std::string_view name() const noexcept override { return "lbfgs"; }
    Index most_iterations() const noexcept override { return options_.iterations; }

protected:
    std::size_t solve_workspace_bytes(const Context& context) const noexcept override {
        const Index pixels = domain().elements();
        return Workspace::bytes<float>(range().elements()) + Workspace::bytes<float>(2 * pixels) +
               static_cast<std::size_t>(4 + 2 * options_.memory) * Workspace::bytes<float>(pixels) +
               4 * Workspace::bytes<double>(options_.memory + looking_back) +
               std::max(forward().workspace_bytes(context),
                        sum_rows_workspace_bytes<1>(std::max(range()[0] * range()[1], domain()[0])));
    }

    Status solve(const Whitened& data, View<float> x, Context& context,
                 ConvergenceLog* log) const noexcept override {
        Scratch scratch(context.workspace());
        const Index pixels = domain().elements();
        const int memory = options_.memory;
        const View<float> measured = scratch.take<float>(range());
        const View<float> flow = scratch.take<float>(squared_.shape());
        View<float> gradient = scratch.take<float>(domain()), next_gradient = scratch.take<float>(domain());
        const View<float> next = scratch.take<float>(domain()), direction = scratch.take<float>(domain());
        const View<float> steps = scratch.take<float>({memory, domain()[0], domain()[1]});
        const View<float> changes = scratch.take<float>({memory, domain()[0], domain()[1]});
        double* inverse_curvature = scratch.take<double>(memory);
        double* along = scratch.take<double>(memory);
        double* past = scratch.take<double>(looking_back);

        double value = evaluate(data, x, measured, flow, gradient, context);
        Index kept = 0;  // pairs, of which the newest is at (kept - 1) % memory
        StopReason reason = StopReason::none;
        Status status = Status::ok;
        for (Index iteration = 1; reason == StopReason::none; ++iteration) {
            find_direction(gradient, direction, steps, changes, inverse_curvature, along, kept);
            double slope = dot(gradient, direction);
            if (!(slope < 0)) {  // rounding: start again downhill
                kept = 0;
                find_direction(gradient, direction, steps, changes, inverse_curvature, along, kept);
                slope = dot(gradient, direction);
            }
            double step = 1, shortest = 0, longest = 0, next_value = value;
            bool lower = false;
            for (int n = 0; n < most_evaluations && slope < 0; ++n) {
                const float t = static_cast<float>(step);
                for (Index i = 0; i < pixels; ++i) next.data()[i] = x.data()[i] + t * direction.data()[i];
                next_value = evaluate(data, next, measured, flow, next_gradient, context);
                const bool enough = next_value <= value + armijo * step * slope;
                if (!enough) {
                    longest = step;
                } else if (dot(next_gradient, direction) < curvature * slope) {
                    lower = true;
                    shortest = step;
                } else {
                    lower = true;
                    break;
                }
                if (n + 1 < most_evaluations) step = longest > 0 ? 0.5 * (shortest + longest) : 2 * step;
            }
            if (!lower || !(next_value <= value)) {  // nothing better in sight
                if (log != nullptr) log->record({iteration, value, 0});
                reason = StopReason::no_descent;
                break;
            }
            const View<float> s = steps[kept % memory], y = changes[kept % memory];
            for (Index i = 0; i < pixels; ++i) {
                s.data()[i] = next.data()[i] - x.data()[i];
                y.data()[i] = next_gradient.data()[i] - gradient.data()[i];
                x.data()[i] = next.data()[i];
            }
            const double sy = dot(s, y);
            if (sy > 0) {
                inverse_curvature[kept % memory] = 1 / sy;
                ++kept;
            }
            std::swap(gradient, next_gradient);
            value = next_value;

            const double fall =
                iteration > looking_back ? (past[iteration % looking_back] - value) / value : 1;
            past[iteration % looking_back] = value;
            if (fall <= options_.tolerance)
                reason = StopReason::converged;
            else if (iteration == options_.iterations)
                reason = StopReason::iteration_limit;
            if (log != nullptr) log->record({iteration, value, fall});
            context.report({.activity = "inverting travel times",
                            .done = reason != StopReason::none ? most_iterations() : iteration,
                            .total = most_iterations(),
                            .seconds_left = -1});
            if (reason == StopReason::none && (status = context.poll()) != Status::ok)
                reason = StopReason::stopped_by_caller;
        }
        if (log != nullptr) log->end(reason);
        if (options_.blur > 0) blur(x, next);
        return status;
    }

private:
    /// The objective at x, and its gradient.
    double evaluate(const Whitened& data, View<const float> x, View<float> measured, View<float> flow,
                    View<float> gradient, Context& context) const noexcept {
        forward().apply(x, measured, context);
        const Index lines = range()[0] * range()[1], columns = range()[2];
        const auto unit = static_cast<float>(1 / norm()), e = static_cast<float>(options_.data_smoothing);
        const auto back = static_cast<float>(1 / (norm() * static_cast<double>(data.valid)));
        const auto [misfit] = sum_rows<1>(context, lines, 4 * columns, [&](Index line) {
            const float* r = data.residual.data() + line * columns;
            const float* m = data.mask.data() + line * columns;
            float* t = measured.data() + line * columns;
            float sum = 0;  // of one row: 64 or so values
            for (Index j = 0; j < columns; ++j) {
                const float error = m[j] * (unit * t[j] - r[j]), root = std::sqrt(error * error + e * e);
                sum += root - e;
                t[j] = back * error / root;
            }
            return std::array{double{sum}};
        });
        forward().adjoint(measured, gradient, context);

        const Index rows = domain()[0], width = domain()[1];
        const auto h = static_cast<float>(options_.image_smoothing);
        const auto lambda = static_cast<float>(options_.lambda / static_cast<double>(domain().elements()));
        const auto [variation] = sum_rows<1>(context, rows, 8 * width, [&](Index i) {
            const float *here = x.data() + i * width, *below = i + 1 < rows ? here + width : here;
            const float *right_weight = squared_.data() + i * width,
                        *down_weight = right_weight + rows * width;
            float *right = flow.data() + i * width, *down = right + rows * width;
            float sum = 0;
            for (Index j = 0; j < width; ++j) {
                const float a = j + 1 < width ? here[j + 1] - here[j] : 0.0f, b = below[j] - here[j];
                const float root = std::sqrt(right_weight[j] * a * a + down_weight[j] * b * b + h * h);
                sum += root;
                right[j] = lambda * right_weight[j] * a / root;
                down[j] = lambda * down_weight[j] * b / root;
            }
            return std::array{double{sum}};
        });
        parallel_rows(context, rows, 8 * width, [&](Index begin, Index end, int) {
            for (Index i = begin; i < end; ++i) {
                const float *right = flow.data() + i * width, *down = right + rows * width;
                float* g = gradient.data() + i * width;
                for (Index j = 0; j < width; ++j) g[j] -= right[j] + down[j];
                for (Index j = 1; j < width; ++j) g[j] += right[j - 1];
                if (i > 0)
                    for (Index j = 0; j < width; ++j) g[j] += down[j - width];
            }
        });
        return misfit / static_cast<double>(data.valid) +
               options_.lambda * variation / static_cast<double>(domain().elements());
    }

    /// - H g, with the inverse Hessian's approximation from the pairs that are kept. On the calling thread,
    /// like all that is done to vectors of one map: threads would take longer to come.
    void find_direction(View<const float> gradient, View<float> direction, View<float> steps,
                        View<float> changes, const double* inverse_curvature, double* along,
                        Index kept) const noexcept {
        const Index pixels = gradient.elements(), memory = steps.size(0);
        std::copy_n(gradient.data(), pixels, direction.data());
        const auto add = [&](double factor, View<const float> what) {
            const float f = static_cast<float>(factor);
            for (Index i = 0; i < pixels; ++i) direction.data()[i] += f * what.data()[i];
        };
        const Index oldest = std::max<Index>(0, kept - memory);
        for (Index n = kept - 1; n >= oldest; --n) {
            along[n % memory] = inverse_curvature[n % memory] * dot(steps[n % memory], direction);
            add(-along[n % memory], changes[n % memory]);
        }
        double scale = 0;
        if (kept > 0) {
            const Index newest = (kept - 1) % memory;
            scale = 1 / (inverse_curvature[newest] * squared_norm(changes[newest]));
        } else {
            const double size = std::sqrt(squared_norm(gradient));
            scale = size > 0 ? first_step * std::sqrt(static_cast<double>(pixels)) / size : 0;
        }
        const float f = static_cast<float>(-scale);
        for (Index i = 0; i < pixels; ++i) direction.data()[i] *= f;
        // The direction has its sign already: the second loop works on - H g.
        for (Index n = oldest; n < kept; ++n) {
            const double beta = inverse_curvature[n % memory] * dot(changes[n % memory], direction);
            add(-along[n % memory] - beta, steps[n % memory]);
        }
    }

    /// A Gaussian, the border repeated.
    void blur(View<float> x, View<float> temporary) const noexcept {
        const auto radius = static_cast<Index>(std::ceil(3 * options_.blur));
        const auto along = [&](Index count, Index stride, const float* from, float* to) {
            for (Index n = 0; n < count; ++n) {
                double sum = 0, weights = 0;
                for (Index k = -radius; k <= radius; ++k) {
                    const double weight =
                        std::exp(-0.5 * std::pow(static_cast<double>(k) / options_.blur, 2));
                    sum += weight * double{from[std::clamp<Index>(n + k, 0, count - 1) * stride]};
                    weights += weight;
                }
                to[n * stride] = static_cast<float>(sum / weights);
            }
        };
        const Index rows = domain()[0], columns = domain()[1];
        for (Index i = 0; i < rows; ++i)
            along(columns, 1, x.data() + i * columns, temporary.data() + i * columns);
        for (Index j = 0; j < columns; ++j) along(rows, columns, temporary.data() + j, x.data() + j);
    }

    TravelTimeLbfgsOptions options_;
    Array<float> squared_;
};

}  // namespace

std::unique_ptr<TravelTimeInverter> make_travel_time_lbfgs(InversionProblem problem,
                                                           TravelTimeLbfgsOptions options) {
    return std::make_unique<TravelTimeLbfgs>(std::move(problem), std::move(options));
}

Array<float> density_weights(View<const float> density, double power, double floor) {
    const char* who = "density weights";
    require(density.rank() == 3 && density.size(0) == 2 && !density.empty(), Status::size_mismatch, who,
            ": the density must be 2 x rows x columns, it is ", to_string(density.shape()));
    require(power >= 0 && power <= 4, Status::invalid_argument, who, ": power must be between 0 and 4, got ",
            power);
    require(std::isfinite(floor) && floor > 0, Status::invalid_argument, who, ": floor must be above 0, got ",
            floor);
    double mean = 0;
    for (Index n = 0; n < density.elements(); ++n) {
        require(std::isfinite(density.data()[n]) && density.data()[n] >= 0, Status::invalid_argument, who,
                ": the density must be at least 0, got ", density.data()[n], " at element ", n);
        mean += double{density.data()[n]};
    }
    mean /= static_cast<double>(density.elements());
    require(mean > 0, Status::invalid_argument, who, ": the density is 0 everywhere");
    Array<float> weights(density.shape());
    double total = 0;
    for (Index n = 0; n < weights.elements(); ++n) {
        const double weight = std::pow(mean / (double{density.data()[n]} + floor * mean), power);
        weights.data()[n] = static_cast<float>(weight);
        total += weight;
    }
    for (float& weight : weights)
        weight = static_cast<float>(double{weight} * static_cast<double>(weights.elements()) / total);
    return weights;
}

}  // namespace sonolux

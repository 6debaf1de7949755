// sonolux/core/check/dot_test.cpp
#include <cmath>
#include <limits>
#include <vector>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/core/reduction.hpp>

namespace sonolux {

namespace {

void fill(Array<float>& array, float value) { std::fill(array.begin(), array.end(), value); }

/// The number of eigenvalues above `value` of the symmetric tridiagonal matrix: the sign changes of the Sturm
/// sequence.
int eigenvalues_above(const std::vector<double>& diagonal, const std::vector<double>& beside, double value) {
    int above = 0;
    double pivot = 1;
    for (std::size_t i = 0; i < diagonal.size(); ++i) {
        const double coupling = i == 0 ? 0 : beside[i - 1] * beside[i - 1] / pivot;
        pivot = diagonal[i] - value - coupling;
        if (pivot == 0) pivot = std::numeric_limits<double>::min();
        above += pivot > 0;
    }
    return above;
}

double largest_eigenvalue(const std::vector<double>& diagonal, const std::vector<double>& beside) {
    double low = 0, high = 0;  // the matrix is a compression of A^T A: nothing below zero
    for (std::size_t i = 0; i < diagonal.size(); ++i) {  // Gershgorin
        const double radius = (i > 0 ? beside[i - 1] : 0) + (i + 1 < diagonal.size() ? beside[i] : 0);
        high = std::max(high, diagonal[i] + radius);
    }
    for (int halving = 0; halving < 60; ++halving) {
        const double middle = (low + high) / 2;
        (eigenvalues_above(diagonal, beside, middle) > 0 ? low : high) = middle;
    }
    return high;
}

}  // namespace

double dot_test(const LinearOperator& op, Context& context, std::uint64_t seed) {
    context.workspace().reserve(op.workspace_bytes(context));
    Array<float> x(op.domain()), adjoint(op.domain()), y(op.range()), image(op.range());
    fill_normal(x, Philox(seed, 0));
    fill_normal(y, Philox(seed, 1));
    fill(image, std::numeric_limits<float>::quiet_NaN());
    fill(adjoint, std::numeric_limits<float>::quiet_NaN());
    op.apply(x, image, context);
    op.adjoint(y, adjoint, context);

    const double difference = std::abs(dot(image, y) - dot(x, adjoint));
    const double scale = std::max(std::sqrt(squared_norm(image)) * std::sqrt(squared_norm(y)),
                                  std::sqrt(squared_norm(x)) * std::sqrt(squared_norm(adjoint)));
    return difference == 0 ? 0 : difference / scale;  // NaN is not equal to 0
}

double dot_test(const LinearOperator& op, std::uint64_t seed) {
    Context context;
    return dot_test(op, context, seed);
}

double operator_norm(const LinearOperator& op, double tolerance, int most_iterations, std::uint64_t seed) {
    Context context;
    context.workspace().reserve(op.workspace_bytes(context));
    Array<float> current(op.domain()), previous(op.domain()), next(op.domain()), image(op.range());
    const Index elements = current.elements();
    fill_normal(current, Philox(seed));
    const double length = std::sqrt(squared_norm(current, context));
    for (float& v : current) v = static_cast<float>(v / length);

    std::vector<double> diagonal, beside, estimates;
    for (int k = 0; k < most_iterations; ++k) {
        op.apply(current, image, context);
        op.adjoint(image, next, context);
        const double along = squared_norm(image, context);
        diagonal.push_back(along);
        const double back = beside.empty() ? 0 : beside.back();
        for (Index i = 0; i < elements; ++i)
            next.data()[i] =
                static_cast<float>(next.data()[i] - along * current.data()[i] - back * previous.data()[i]);
        estimates.push_back(largest_eigenvalue(diagonal, beside));

        const double best = estimates.back();
        const double left = std::sqrt(squared_norm(next, context));
        const bool settled =
            k >= 8 && best - estimates[static_cast<std::size_t>(k) - 8] <= 2 * tolerance * best;
        if (settled || !(left > 1e-6 * best)) break;  // float rounding is all that is left
        beside.push_back(left);
        for (Index i = 0; i < elements; ++i) {
            previous.data()[i] = current.data()[i];
            current.data()[i] = static_cast<float>(next.data()[i] / left);
        }
    }
    return estimates.empty() ? 0 : std::sqrt(estimates.back());
}

}  // namespace sonolux

// sonolux/core/check/taylor_test.hpp
//
// A check for gradients and vector-Jacobian products, ours and yours.
#pragma once

#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <sonolux/core/random.hpp>

namespace sonolux {

/// The observed order p of what the gradient leaves unexplained along a direction d with |d| = |x|,
/// half of it random and half of it along g:
///
///     r(h) = | f(x + h d) - f(x) - <g, h d> | ~ h^p,        h = 1, 1/2, 1/4, ...
///
/// p = 2 says that g is the gradient of f at x (3 where f has no curvature along d); p = 1 says it is not.
/// The slope is fitted where it says most: over the smallest five steps whose r(h) stands clear of rounding,
/// which is itself measured, on steps too small for anything else. Infinite where r never stands clear: f is
/// linear, and g is its gradient. NaN where f is, or where too few steps stand clear to tell.
///
/// In double precision a relative error of about 1e-6 in the gradient is found, in float of about 1e-2. A
/// function that computes in float inside is constant over small enough steps: give it to the overload for
/// float.
///
/// `value` takes the kind of view that `x` is (std::span<const double> or View<const float>) and returns f,
/// in as much precision as it has. `x` and `gradient` have equally many elements; x = 0 is taken to have |x|
/// = sqrt(n).
///
///     EXPECT_GT(taylor_test([&](std::span<const double> x) { return loss(x); }, x, gradient), 1.9);
template <class Value>
[[nodiscard]] double taylor_test(Value&& value, std::span<const double> x, std::span<const double> gradient,
                                 std::uint64_t seed = 1);

/// The same for functions of contiguous float arrays. The rounding of x + h d to float is accounted for.
template <class Value>
[[nodiscard]] double taylor_test(Value&& value, View<const float> x, View<const float> gradient,
                                 std::uint64_t seed = 1);

namespace detail {

/// How f, x and its gradient look from the loop below: the remainder r(h).
using Remainder = double (*)(void* data, double step);

/// The slope of log r over log h, for h from 1 down to 2^-halvings, where x + h d is x to a few roundings;
/// `floor` is the rounding of f at x.
[[nodiscard]] double observed_order(Remainder remainder, void* data, int halvings, double floor);

/// Half a random direction, which sees any mistake, and half the gradient, along which a wrong scale stands
/// out; as long as x.
template <class T>
std::vector<double> taylor_direction(const T* x, const T* gradient, std::size_t count, std::uint64_t seed) {
    std::vector<double> direction(count);
    Philox random(seed);
    auto length = [count](auto* a) {
        double squares = 0;
        for (std::size_t i = 0; i < count; ++i)
            squares += static_cast<double>(a[i]) * static_cast<double>(a[i]);
        return std::sqrt(squares);
    };
    for (double& d : direction) d = static_cast<double>(random.normal());
    const double length_of_random = length(direction.data()), length_of_gradient = length(gradient);
    for (std::size_t i = 0; i < count; ++i) {
        direction[i] /= length_of_random;
        if (length_of_gradient > 0) direction[i] += static_cast<double>(gradient[i]) / length_of_gradient;
    }
    const double length_of_x = length(x);
    const double wanted = length_of_x > 0 ? length_of_x : std::sqrt(static_cast<double>(count));
    const double scale = wanted / length(direction.data());
    for (double& d : direction) d *= scale;
    return direction;
}

/// `evaluate` maps moved elements (const T*) to f.
template <class T, class Evaluate>
double taylor_order(Evaluate&& evaluate, const T* x, const T* gradient, std::size_t count,
                    std::uint64_t seed) {
    const std::vector<double> direction = taylor_direction(x, gradient, count, seed);
    std::vector<T> moved(x, x + count);
    const double here = static_cast<double>(evaluate(moved.data()));
    auto remainder = [&](double step) {
        double explained = 0;
        for (std::size_t i = 0; i < count; ++i) {
            moved[i] = static_cast<T>(static_cast<double>(x[i]) + step * direction[i]);
            // The step that was taken after rounding, not the one that was wanted.
            explained += static_cast<double>(gradient[i]) *
                         (static_cast<double>(moved[i]) - static_cast<double>(x[i]));
        }
        return std::abs(static_cast<double>(evaluate(moved.data())) - here - explained);
    };
    const double floor = 4 * std::abs(here) * static_cast<double>(std::numeric_limits<T>::epsilon());
    using Function = decltype(remainder);
    return observed_order([](void* data, double step) { return (*static_cast<Function*>(data))(step); },
                          &remainder, std::is_same_v<T, float> ? 24 : 40, floor);
}

}  // namespace detail

template <class Value>
double taylor_test(Value&& value, std::span<const double> x, std::span<const double> gradient,
                   std::uint64_t seed) {
    require(x.size() == gradient.size() && !x.empty(), Status::size_mismatch, "taylor_test: x has ", x.size(),
            " elements and the gradient ", gradient.size(), ", expected equally many and at least 1");
    return detail::taylor_order(
        [&](const double* moved) { return value(std::span<const double>(moved, x.size())); }, x.data(),
        gradient.data(), x.size(), seed);
}

template <class Value>
double taylor_test(Value&& value, View<const float> x, View<const float> gradient, std::uint64_t seed) {
    require(x.elements() == gradient.elements() && !x.empty(), Status::size_mismatch, "taylor_test: x has ",
            x.elements(), " elements and the gradient ", gradient.elements(),
            ", expected equally many and at least 1");
    require(x.contiguous() && gradient.contiguous(), Status::invalid_argument,
            "taylor_test: x and the gradient must be contiguous");
    return detail::taylor_order(
        [&](const float* moved) { return value(View<const float>(moved, x.shape())); }, x.data(),
        gradient.data(), static_cast<std::size_t>(x.elements()), seed);
}

}  // namespace sonolux

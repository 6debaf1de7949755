// sonolux/simulation/acoustics/second_order_layer.cpp
#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/simulation/acoustics/absorbing_layer.hpp>
#include <sonolux/simulation/acoustics/second_order_layer.hpp>

namespace sonolux {
namespace {

constexpr double highest = 0.7 * std::numbers::pi;  // wavenumber that stencils are fitted to

/// Least squares over wavenumbers k of a point's spacing: sum over m of tap[m] basis(m, k) is value(k). Long
/// waves, which the layer turns back first, weigh most.
template <class Basis, class Value, class Weight>
std::vector<double> fit(Index count, Basis basis, Value value, Weight weight) {
    constexpr Index samples = 400;
    Eigen::MatrixXd matrix(samples, count);
    Eigen::VectorXd wanted(samples);
    for (Index i = 0; i < samples; ++i) {
        const double k = highest * (static_cast<double>(i) + 0.5) / samples;
        const double w = weight(k) / std::pow(0.3 + k, 2);
        for (Index m = 0; m < count; ++m) matrix(i, m) = w * basis(static_cast<double>(m), k);
        wanted(i) = w * value(k);
    }
    const Eigen::VectorXd taps = matrix.colPivHouseholderQr().solve(wanted);
    return {taps.begin(), taps.end()};
}

/// Of sin(a k) / a half a spacing away: -tap[n - 1] ... -tap[0], tap[0] ... tap[n - 1], per m.
std::vector<float> derivative_taps(Index each_side, double a, double spacing) {
    const auto value = [&](double k) { return std::sin(a * k) / a; };
    const std::vector<double> half = fit(
        each_side, [](double m, double k) { return 2 * std::sin((m + 0.5) * k); }, value,
        [&](double k) { return 1 / value(k); });
    std::vector<float> result;
    for (Index m = each_side - 1; m >= 0; --m)
        result.push_back(static_cast<float>(-half[static_cast<std::size_t>(m)] / spacing));
    for (Index m = 0; m < each_side; ++m)
        result.push_back(static_cast<float>(half[static_cast<std::size_t>(m)] / spacing));
    return result;
}

/// Of sin(a k) / (a k), exact where k is 0.
std::vector<float> smoothing_taps(Index each_side, double a) {
    const std::vector<double> half = fit(
        each_side, [](double m, double k) { return 2 * (std::cos((m + 1) * k) - 1); },
        [&](double k) { return std::sin(a * k) / (a * k) - 1; }, [](double) { return 1.0; });
    std::vector<float> result;
    for (Index m = -each_side; m <= each_side; ++m)
        result.push_back(m == 0 ? 0.0f : static_cast<float>(half[static_cast<std::size_t>(std::abs(m) - 1)]));
    double others = 0;
    for (const float tap : result) others += static_cast<double>(tap);
    result[static_cast<std::size_t>(each_side)] = static_cast<float>(1 - others);
    return result;
}

/// Grids may be smaller than stencils, but seldom are.
Index around(Index i, Index length) noexcept {
    while (i < 0) i += length;
    while (i >= length) i -= length;
    return i;
}

}  // namespace

SecondOrderLayer::SecondOrderLayer(const KspaceSetup& setup, double reference_speed, bool stencils,
                                   int threads)
    : size_(setup.grid.size) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const double spacing = setup.grid.spacing[axis], strength = setup.layer.strength[axis];
        points_[axis] = strength > 0 ? setup.layer.points[axis] : 0;
        for (bool staggered : {false, true})
            (staggered ? staggered_ : kept_)[axis] =
                absorbing_profile(size_.along(static_cast<int>(axis)), points_[axis], strength, spacing,
                                  reference_speed, setup.grid.time_step, staggered);
    }
    if (!exists()) return;
    for (std::size_t axis = 0; axis < 2; ++axis) {
        memory_[axis] = Array<float>({size_.rows, size_.columns});
        if (!stencils) continue;
        flux_[axis] = Array<float>({size_.rows, size_.columns});
        const double spacing = setup.grid.spacing[axis];
        const double a = reference_speed * setup.grid.time_step / 2 / spacing;
        derivative_[axis] = derivative_taps(taps, a, spacing);
        smooth_[axis] = smoothing_taps(across, a);
    }
    if (stencils) scratch_ = Array<float>({threads, 2, (size_.columns + 2 * margin + 31) / 16 * 16});
}

SecondOrderLayer::Ends SecondOrderLayer::ends(Index row, Index more) const noexcept {
    const Index columns = size_.columns, rows = size_.rows;
    const Index wide = points_[0] > 0 ? points_[0] + more : 0, high = points_[1] > 0 ? points_[1] + more : 0;
    // Whole vectors; beyond the layer P is 1 and what it adds 0.
    const Index whole = (wide + 15) / 16 * 16;
    if (row < high || row >= rows - high || 2 * whole >= columns) return {columns, columns};
    return {whole, columns - whole};
}

void SecondOrderLayer::absorb_row(const KspaceKernels& kernels, std::size_t axis, Index row,
                                  float* flux) noexcept {
    if (!exists()) return;
    const auto r = static_cast<std::size_t>(row);
    const auto part = [&](Index from, Index to) {
        float* memory = memory_[axis].data() + row * size_.columns + from;
        if (axis == 0)
            kernels.absorb_along(flux + from, staggered_[0].data() + from, kept_[1][r], memory, flux + from,
                                 to - from);
        else
            kernels.absorb_across(flux + from, staggered_[1][r], kept_[0].data() + from, memory, flux + from,
                                  to - from);
    };
    const Ends parts = ends(row, 0);
    part(0, parts.left_end);
    part(parts.right_begin, size_.columns);
}

void SecondOrderLayer::update(const KspaceKernels& kernels, Context& context,
                              const float* pressure) noexcept {
    if (!exists()) return;
    constexpr Index some = 16;
    parallel_for(context, (size_.rows + some - 1) / some, [&](Index item, int thread) {
        for (Index row = item * some; row < std::min(size_.rows, (item + 1) * some); ++row)
            update_row(kernels, thread, row, pressure);
    });
}

SecondOrderLayer::Line SecondOrderLayer::line(Index row, Index more) const noexcept {
    const Ends parts = ends(row, more);
    if (parts.left_end == size_.columns) return {0, size_.columns, {{{0, 0, size_.columns}, {}}}, 1};
    if (parts.left_end == 0) return {};
    return {parts.right_begin,
            2 * parts.left_end,
            {{{0, parts.right_begin, parts.left_end}, {parts.left_end, 0, parts.left_end}}},
            2};
}

void SecondOrderLayer::combine_rows(const KspaceKernels& kernels, const float* field, Index row, Index first,
                                    std::span<const float> weights, const Line& line,
                                    float* scratch) const noexcept {
    const float *rows[2 * margin], *shifted[2 * margin];
    const auto count = static_cast<Index>(weights.size());
    for (Index v = 0; v < count; ++v) rows[v] = field + around(row + first + v, size_.rows) * size_.columns;
    const Index length = line.length + 2 * margin;
    for (Index done = 0; done < length;) {
        const Index column = around(line.begin - margin + done, size_.columns);
        const Index some = std::min(length - done, size_.columns - column);
        for (Index v = 0; v < count; ++v) shifted[v] = rows[v] + column;
        kernels.combine(shifted, weights.data(), count, scratch + done, some);
        done += some;
    }
}

void SecondOrderLayer::update_row(const KspaceKernels& kernels, int thread, Index row,
                                  const float* pressure) noexcept {
    float* scratch = scratch_.view()[thread].data();
    float* gradient = scratch + scratch_.view().stride(1);
    const auto r = static_cast<std::size_t>(row);
    const Line part = line(row, 0);
    if (part.count == 0) return;
    combine_rows(kernels, pressure, row, -across, smooth_[1], part, scratch);
    kernels.correlate(derivative_[0].data(), 2 * taps, scratch + margin + 1 - taps, gradient, part.length,
                      false);
    for (int i = 0; i < part.count; ++i) {
        const auto [at, column, length] = part.pieces[static_cast<std::size_t>(i)];
        const Index place = row * size_.columns + column;
        kernels.absorb_along(gradient + at, staggered_[0].data() + column, kept_[1][r],
                             memory_[0].data() + place, flux_[0].data() + place, length);
        kernels.add(flux_[0].data() + place, -1, nullptr, gradient + at, length);
    }
    combine_rows(kernels, pressure, row, 1 - taps, derivative_[1], part, scratch);
    kernels.correlate(smooth_[0].data(), 2 * across + 1, scratch + margin - across, gradient, part.length,
                      false);
    for (int i = 0; i < part.count; ++i) {
        const auto [at, column, length] = part.pieces[static_cast<std::size_t>(i)];
        const Index place = row * size_.columns + column;
        kernels.absorb_across(gradient + at, staggered_[1][r], kept_[0].data() + column,
                              memory_[1].data() + place, flux_[1].data() + place, length);
        kernels.add(flux_[1].data() + place, -1, nullptr, gradient + at, length);
    }
}

void SecondOrderLayer::add_divergence(const KspaceKernels& kernels, int thread, Index row,
                                      float* laplacian) noexcept {
    if (!exists()) return;
    const Line part = line(row, margin);
    if (part.count == 0) return;
    float* scratch = scratch_.view()[thread].data();
    float* sum = scratch + scratch_.view().stride(1);
    combine_rows(kernels, flux_[0].data(), row, -across, smooth_[1], part, scratch);
    kernels.correlate(derivative_[0].data(), 2 * taps, scratch + margin - taps, sum, part.length, false);
    combine_rows(kernels, flux_[1].data(), row, -taps, derivative_[1], part, scratch);
    kernels.correlate(smooth_[0].data(), 2 * across + 1, scratch + margin - across, sum, part.length, true);
    for (int i = 0; i < part.count; ++i) {
        const auto [at, column, length] = part.pieces[static_cast<std::size_t>(i)];
        kernels.add(laplacian + column, 1, nullptr, sum + at, length);
    }
}

void SecondOrderLayer::advance_row(const KspaceKernels& kernels, Index row, float* pressure, float* increment,
                                   const float* change, const float* squared,
                                   const float* weight) const noexcept {
    if (!exists()) return kernels.leapfrog(pressure, increment, change, squared, weight, size_.columns);
    const Ends parts = ends(row, 0);
    const auto tail = [&](const float* from, Index begin) { return from ? from + begin : nullptr; };
    const auto damped = [&](Index from, Index to) {
        kernels.damped_leapfrog(pressure + from, increment + from, change + from, squared + from,
                                tail(weight, from), kept_[0].data() + from,
                                kept_[1][static_cast<std::size_t>(row)], to - from);
    };
    damped(0, parts.left_end);
    const Index middle = parts.left_end;
    kernels.leapfrog(pressure + middle, increment + middle, change + middle, squared + middle,
                     tail(weight, middle), parts.right_begin - middle);
    damped(parts.right_begin, size_.columns);
}

std::size_t SecondOrderLayer::memory_bytes() const noexcept {
    Index floats = scratch_.elements();
    for (std::size_t axis = 0; axis < 2; ++axis) floats += memory_[axis].elements() + flux_[axis].elements();
    return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace sonolux

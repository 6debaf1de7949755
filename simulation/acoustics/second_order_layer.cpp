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

Index whole_vectors(Index length) noexcept { return (length + 15) / 16 * 16; }

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
    if (!stencils) {
        for (Array<float>& memory : memory_) memory = Array<float>({size_.rows, size_.columns});
        return;
    }
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const double spacing = setup.grid.spacing[axis];
        const double a = reference_speed * setup.grid.time_step / 2 / spacing;
        derivative_[axis] = derivative_taps(taps, a, spacing);
        smooth_[axis] = smoothing_taps(across, a);
    }
    const Index width = whole_vectors(points_[0] + margin);
    const bool fits =
        points_[0] > 0 && size_.columns >= 2 * width + 2 * margin && size_.rows > 2 * (points_[1] + margin);
    if (fits) {
        ends_of_rows_ = make_strip(size_.rows, 2 * width, 0, size_.columns - width);
        rows_between_ = make_strip(2 * points_[1], size_.columns - 2 * width, size_.rows - points_[1], width);
    } else {
        ends_of_rows_ = make_strip(size_.rows, size_.columns, 0, 0);
    }
    ends_ = Array<float>({size_.rows, ends_of_rows_.points + 2 * margin});
    empty_ = Array<float>({size_.columns + 4 * margin});
    scratch_ = Array<float>({threads, 2, whole_vectors(size_.columns + 4 * margin)});
}

SecondOrderLayer::Strip SecondOrderLayer::make_strip(Index lines, Index points, Index first_row,
                                                     Index first_column) const {
    Strip strip{lines, points, first_row, first_column, {}, {}, {}, {}};
    for (Index i = 0; i < points; ++i) {
        const auto column = static_cast<std::size_t>(around(first_column + i, size_.columns));
        strip.kept.push_back(kept_[0][column]);
        strip.staggered.push_back(staggered_[0][column]);
    }
    for (std::size_t axis = 0; axis < 2; ++axis) {
        strip.memory[axis] = Array<float>({lines, points});
        strip.flux[axis] = Array<float>({lines, points + 4 * margin});
    }
    return strip;
}

SecondOrderLayer::Ends SecondOrderLayer::ends(Index row) const noexcept {
    const Index columns = size_.columns, rows = size_.rows;
    // Whole vectors; beyond the layer P is 1 and what it adds 0.
    const Index wide = whole_vectors(points_[0]), high = points_[1];
    if (row < high || row >= rows - high || 2 * wide >= columns) return {columns, columns};
    return {wide, columns - wide};
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
    const Ends parts = ends(row);
    part(0, parts.left_end);
    part(parts.right_begin, size_.columns);
}

void SecondOrderLayer::keep_ends(Index row, const float* pressure) noexcept {
    if (ends_.elements() == 0) return;
    float* kept = ends_.view().row(row);
    const Index length = ends_.shape()[1];
    for (Index done = 0; done < length;) {
        const Index column = around(ends_of_rows_.first_column - margin + done, size_.columns);
        const Index some = std::min(length - done, size_.columns - column);
        std::copy_n(pressure + column, some, kept + done);
        done += some;
    }
}

void SecondOrderLayer::update(const KspaceKernels& kernels, Context& context,
                              const float* pressure) noexcept {
    if (ends_.elements() == 0) return;
    constexpr Index some = 16;
    for (Strip* strip : {&ends_of_rows_, &rows_between_})
        parallel_for(context, (strip->lines + some - 1) / some, [&](Index item, int thread) {
            for (Index line = item * some; line < std::min(strip->lines, (item + 1) * some); ++line)
                update_line(kernels, thread, *strip, line, pressure);
        });
}

void SecondOrderLayer::update_line(const KspaceKernels& kernels, int thread, Strip& strip, Index line,
                                   const float* pressure) noexcept {
    float* scratch = scratch_.view()[thread].data();
    float* gradient = scratch + scratch_.view().stride(1);
    const Index points = strip.points, row = around(strip.first_row + line, size_.rows);
    const auto r = static_cast<std::size_t>(row);
    const float* rows[2 * margin];
    // From one margin before the line.
    const auto combine = [&](Index first, const std::vector<float>& weights) {
        const auto count = static_cast<Index>(weights.size());
        for (Index v = 0; v < count; ++v) {
            const Index from = around(row + first + v, size_.rows);
            rows[v] = &strip == &ends_of_rows_
                          ? ends_.view().row(from)
                          : pressure + from * size_.columns + strip.first_column - margin;
        }
        kernels.combine(rows, weights.data(), count, scratch, points + 2 * margin);
    };
    const auto finish = [&](std::size_t axis) {
        float* flux = strip.flux[axis].view().row(line) + 2 * margin;
        kernels.add(flux, -1, nullptr, gradient, points);
        if (!is_whole(strip)) return;
        for (Index m = 0; m < margin; ++m) {
            flux[points + m] = flux[m % points];
            flux[-1 - m] = flux[points - 1 - m % points];
        }
    };
    combine(-across, smooth_[1]);
    kernels.correlate(derivative_[0].data(), 2 * taps, scratch + margin + 1 - taps, gradient, points, false);
    kernels.absorb_along(gradient, strip.staggered.data(), kept_[1][r], strip.memory[0].view().row(line),
                         strip.flux[0].view().row(line) + 2 * margin, points);
    finish(0);
    combine(1 - taps, derivative_[1]);
    kernels.correlate(smooth_[0].data(), 2 * across + 1, scratch + margin - across, gradient, points, false);
    kernels.absorb_across(gradient, staggered_[1][r], strip.kept.data(), strip.memory[1].view().row(line),
                          strip.flux[1].view().row(line) + 2 * margin, points);
    finish(1);
}

void SecondOrderLayer::add_divergence(const KspaceKernels& kernels, int thread, Index row,
                                      float* laplacian) noexcept {
    if (ends_.elements() == 0) return;
    add_line(kernels, thread, ends_of_rows_, row, laplacian);
    const Index line = around(row - rows_between_.first_row + margin, size_.rows) - margin;
    if (line < rows_between_.lines + margin && rows_between_.lines > 0)
        add_line(kernels, thread, rows_between_, line, laplacian);
}

void SecondOrderLayer::add_line(const KspaceKernels& kernels, int thread, const Strip& strip, Index line,
                                float* laplacian) noexcept {
    float* scratch = scratch_.view()[thread].data();
    float* sum = scratch + scratch_.view().stride(1);
    // A strip's flux ends with it, but for the whole grid, and its divergence a margin further.
    const Index beyond = is_whole(strip) ? 0 : margin, length = strip.points + 2 * beyond;
    const float* rows[2 * margin];
    const auto combine = [&](std::size_t axis, Index first, const std::vector<float>& weights) {
        const auto count = static_cast<Index>(weights.size());
        for (Index v = 0; v < count; ++v) {
            Index from = line + first + v;
            if (strip.lines == size_.rows) from = around(from, size_.rows);
            rows[v] = from >= 0 && from < strip.lines ? strip.flux[axis].view().row(from) : empty_.data();
            rows[v] += margin - beyond;
        }
        kernels.combine(rows, weights.data(), count, scratch, length + 2 * margin);
    };
    combine(0, -across, smooth_[1]);
    kernels.correlate(derivative_[0].data(), 2 * taps, scratch + margin - taps, sum, length, false);
    combine(1, -taps, derivative_[1]);
    kernels.correlate(smooth_[0].data(), 2 * across + 1, scratch + margin - across, sum, length, true);
    for (Index done = 0; done < length;) {
        const Index column = around(strip.first_column - beyond + done, size_.columns);
        const Index some = std::min(length - done, size_.columns - column);
        kernels.add(laplacian + column, 1, nullptr, sum + done, some);
        done += some;
    }
}

void SecondOrderLayer::advance_row(const KspaceKernels& kernels, Index row, float* pressure, float* increment,
                                   const float* change, const float* squared,
                                   const float* weight) const noexcept {
    if (!exists()) return kernels.leapfrog(pressure, increment, change, squared, weight, size_.columns);
    const Ends parts = ends(row);
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
    Index floats = scratch_.elements() + ends_.elements() + empty_.elements();
    for (std::size_t axis = 0; axis < 2; ++axis) {
        floats += memory_[axis].elements();
        for (const Strip* strip : {&ends_of_rows_, &rows_between_})
            floats += strip->memory[axis].elements() + strip->flux[axis].elements();
    }
    return static_cast<std::size_t>(floats) * sizeof(float);
}

}  // namespace sonolux

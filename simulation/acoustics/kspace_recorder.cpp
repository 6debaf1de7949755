// sonolux/simulation/acoustics/kspace_recorder.cpp
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/simulation/acoustics/kspace_recorder.hpp>

namespace sonolux {

FieldRecorder::FieldRecorder(const RecordedQuantities& what, std::span<const Index> points,
                             Index field_points, Index block)
    : points_(points.begin(), points.end()) {
    for (Index point : points)
        require(point >= 0 && point < field_points, Status::invalid_argument, "sensor: point ", point,
                " is outside the grid, which has ", field_points, " points");
    constexpr float infinite = std::numeric_limits<float>::infinity();
    if (what.raw) raw_.assign(points_.size() * static_cast<std::size_t>(block), 0.0f);
    if (what.max) max_.assign(points_.size(), -infinite);
    if (what.min) min_.assign(points_.size(), infinite);
    if (what.rms) squares_.assign(points_.size(), 0.0);
    if (what.max_all) max_all_.assign(static_cast<std::size_t>(field_points), -infinite);
    if (what.min_all) min_all_.assign(static_cast<std::size_t>(field_points), infinite);
}

void FieldRecorder::record(const float* field, Index raw_slot) noexcept {
    const std::size_t points = points_.size();
    const auto at = [&](std::size_t i) { return field[points_[i]]; };
    if (!raw_.empty()) {
        float* row = raw_.data() + static_cast<std::size_t>(raw_slot) * points;
        for (std::size_t i = 0; i < points; ++i) row[i] = at(i);
    }
    for (std::size_t i = 0; i < max_.size(); ++i) max_[i] = std::max(max_[i], at(i));
    for (std::size_t i = 0; i < min_.size(); ++i) min_[i] = std::min(min_[i], at(i));
    for (std::size_t i = 0; i < squares_.size(); ++i)
        squares_[i] += static_cast<double>(at(i)) * static_cast<double>(at(i));
    for (std::size_t i = 0; i < max_all_.size(); ++i) max_all_[i] = std::max(max_all_[i], field[i]);
    for (std::size_t i = 0; i < min_all_.size(); ++i) min_all_[i] = std::min(min_all_[i], field[i]);
    ++steps_;
}

std::vector<float> FieldRecorder::rms() const {
    std::vector<float> result;
    for (double sum : squares_)
        result.push_back(
            static_cast<float>(std::sqrt(sum / static_cast<double>(std::max<Index>(1, steps_)))));
    return result;
}

UnstaggeredVelocity::UnstaggeredVelocity(const KspaceSize& size) : size_(size) {
    const Index longest = std::max({size.columns, size.rows, size.planes});
    in_ = Array<std::complex<float>>({longest});
    out_ = Array<std::complex<float>>({longest});
    for (int axis = 0; axis < size.axes(); ++axis) {
        const Index length = size.along(axis);
        lines_[static_cast<std::size_t>(axis)] = make_complex_line_fft(length);
        for (Index bin = 0; bin < length; ++bin) {
            const Index signed_bin = 2 * bin > length ? bin - length : bin;
            const double angle =
                -std::numbers::pi * static_cast<double>(signed_bin) / static_cast<double>(length);
            factors_[static_cast<std::size_t>(axis)].emplace_back(
                2 * bin == length ? std::complex<double>(0)
                                  : std::polar(1.0 / static_cast<double>(length), angle));
        }
    }
}

void UnstaggeredVelocity::shift(View<const float> field, int axis, View<float> result) noexcept {
    const Index length = size_.along(axis);
    const Index step = axis == 0 ? 1 : axis == 1 ? size_.columns : size_.columns * size_.rows;
    ComplexLineFft& line = *lines_[static_cast<std::size_t>(axis)];
    const std::complex<float>* factors = factors_[static_cast<std::size_t>(axis)].data();
    for (Index outer = 0; outer < size_.points() / (length * step); ++outer)
        for (Index inner = 0; inner < step; ++inner) {
            const Index start = outer * length * step + inner;
            for (Index i = 0; i < length; ++i) in_.data()[i] = field.data()[start + i * step];
            line.forward(in_.data(), out_.data());
            for (Index i = 0; i < length; ++i) out_.data()[i] *= factors[i];
            line.inverse(out_.data(), in_.data());
            for (Index i = 0; i < length; ++i) result.data()[start + i * step] = in_.data()[i].real();
        }
}

}  // namespace sonolux

// sonolux/simulation/acoustics/kspace_recorder.hpp
//
// What is kept of a full-wave simulation while it runs.
#pragma once

#include <array>
#include <vector>

#include <sonolux/simulation/acoustics/kspace_setup.hpp>

namespace sonolux {

/// What is kept of one field: at the sensor the signals themselves, or their largest, smallest and root mean
/// square value; everywhere the largest and smallest.
struct RecordedQuantities {
    bool raw = false, max = false, min = false, rms = false, max_all = false, min_all = false;

    [[nodiscard]] bool any() const noexcept { return raw || max || min || rms || max_all || min_all; }
};

/// Keeps them of one field. Set up for all sizes; record() neither allocates nor throws.
class FieldRecorder {
public:
    FieldRecorder() = default;

    /// `points` are places in the field, in the order of the output. Signals are kept for `block` steps at a
    /// time.
    FieldRecorder(const RecordedQuantities& what, std::span<const Index> points, Index field_points,
                  Index block);

    /// `raw_slot` is the step's place in the block of signals.
    void record(const float* field, Index raw_slot) noexcept;

    /// [block, points], [points], [field points].
    [[nodiscard]] std::span<const float> raw() const noexcept { return raw_; }
    [[nodiscard]] std::span<const float> max() const noexcept { return max_; }
    [[nodiscard]] std::span<const float> min() const noexcept { return min_; }
    [[nodiscard]] std::span<const float> max_all() const noexcept { return max_all_; }
    [[nodiscard]] std::span<const float> min_all() const noexcept { return min_all_; }

    /// Of the steps recorded so far.
    [[nodiscard]] std::vector<float> rms() const;

private:
    std::vector<Index> points_;
    std::vector<float> raw_, max_, min_, max_all_, min_all_;
    std::vector<double> squares_;
    Index steps_ = 0;
};

/// Velocities at the points of the pressure: half a spacing back along their axis, by exact interpolation in
/// Fourier space (Nyquist's bin, which has no phase, is dropped).
class UnstaggeredVelocity {
public:
    explicit UnstaggeredVelocity(const KspaceSize& size);

    /// `field` and `result` have all points; they may be the same.
    void shift(View<const float> field, int axis, View<float> result) noexcept;

private:
    KspaceSize size_;
    std::array<std::unique_ptr<ComplexLineFft>, 3> lines_;
    std::array<std::vector<std::complex<float>>, 3> factors_;
    Array<std::complex<float>> in_, out_;
};

}  // namespace sonolux

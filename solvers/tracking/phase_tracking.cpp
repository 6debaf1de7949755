// sonolux/solvers/tracking/phase_tracking.cpp
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/core/target.hpp>
#include <sonolux/solvers/tracking/phase_tracking.hpp>

namespace sonolux {

namespace {

constexpr double pi = std::numbers::pi;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Products of two images, of which windows are sums. A row of each is `products` lines of columns.
enum Product {
    cross_real,
    cross_imaginary,
    reference_energy,
    moved_energy,
    step_real,
    step_imaginary,
    products
};
constexpr Index of_rows = 4, of_pairs = 2;  // the last two belong to a row and the next

/// Hann's window, sampled at (n + 1/2) / count: no weight is 0.
std::vector<float> hann(Index count) {
    std::vector<float> weights(static_cast<std::size_t>(count));
    for (std::size_t n = 0; n < weights.size(); ++n) {
        const double s = std::sin(pi * (static_cast<double>(n) + 0.5) / static_cast<double>(count));
        weights[n] = static_cast<float>(s * s);
    }
    return weights;
}

SLX_INLINE void weigh_any(float* __restrict sums, const float* values, float weight, Index n) noexcept {
    for (Index j = 0; j < n; ++j) sums[j] += weight * values[j];
}

using Weigh = void (*)(float*, const float*, float, Index) noexcept;
void weigh_plain(float* sums, const float* values, float weight, Index n) noexcept {
    weigh_any(sums, values, weight, n);
}
#ifdef SLX_TARGET_AVX2
SLX_TARGET_AVX2 void weigh_avx2(float* sums, const float* values, float weight, Index n) noexcept {
    weigh_any(sums, values, weight, n);
}
SLX_TARGET_AVX512 void weigh_avx512(float* sums, const float* values, float weight, Index n) noexcept {
    weigh_any(sums, values, weight, n);
}
#endif

Weigh weigh_for(Isa isa) noexcept {
    switch (isa) {
#ifdef SLX_TARGET_AVX2
        case Isa::avx512: return weigh_avx512;
        case Isa::avx2: return weigh_avx2;
#endif
        default: return weigh_plain;
    }
}

/// The products of one row; those of pairs are 0 in the last row, which no window reads.
void multiply(View<const std::complex<float>> a, View<const std::complex<float>> b, Index row,
              float* out) noexcept {
    const Index columns = a.columns();
    const std::complex<float>*here = a.row(row), *there = b.row(row);
    const bool last = row + 1 == a.rows();
    const std::complex<float>*below = last ? here : a.row(row + 1),
          *there_below = last ? there : b.row(row + 1);
    const auto line = [&](Product product) { return out + product * columns; };
    float *xr = line(cross_real), *xi = line(cross_imaginary), *aa = line(reference_energy),
          *bb = line(moved_energy), *sr = line(step_real), *si = line(step_imaginary);
    for (Index j = 0; j < columns; ++j) {
        const float ar = here[j].real(), ai = here[j].imag(), br = there[j].real(), bi = there[j].imag();
        const float cr = below[j].real(), ci = below[j].imag(), dr = there_below[j].real(),
                    di = there_below[j].imag();
        xr[j] = ar * br + ai * bi;
        xi[j] = ar * bi - ai * br;
        aa[j] = ar * ar + ai * ai;
        bb[j] = br * br + bi * bi;
        sr[j] = (ar * cr + ai * ci) + (br * dr + bi * di);
        si[j] = (ar * ci - ai * cr) + (br * di - bi * dr);
    }
}

double wrapped(double phase) noexcept { return std::remainder(phase, 2 * pi); }

}  // namespace

double phase_step_of(double frequency, double row_spacing, double sound_speed, double rate) {
    const auto positive = [](const char* name, double value) {
        require(std::isfinite(value) && value > 0, Status::invalid_argument, "phase step: ", name,
                " must be above 0, got ", value);
    };
    positive("frequency", frequency);
    positive("row_spacing", row_spacing);
    positive("sound_speed", sound_speed);
    positive("rate", rate);
    const double step = 2 * pi * frequency * rate * row_spacing / sound_speed;
    require(step < pi, Status::invalid_argument, "phase step: echoes of ", frequency, " Hz turn by ", step,
            " rad from row to row, ", row_spacing, " m apart; must be below pi");
    return step;
}

PhaseTracker::PhaseTracker(Index rows, Index columns, const PhaseTrackingOptions& options)
    : rows_(rows), columns_(columns), options_(options) {
    constexpr auto invalid = Status::invalid_argument;
    constexpr const char* who = "phase tracking";
    require(options.window_rows >= 2, invalid, who, ": window_rows must be at least 2, got ",
            options.window_rows);
    layout_ = {options.window_rows, options.window_columns, options.row_step, options.column_step, 0};
    validate(layout_, rows, columns, who);
    require(options.minimum_correlation >= 0 && options.minimum_correlation <= 1, invalid, who,
            ": minimum_correlation must be between 0 and 1, got ", options.minimum_correlation);
    require(std::abs(options.carrier_step) < pi, invalid, who,
            ": carrier_step must be within pi rad per row, got ", options.carrier_step);
    if (options.frequency == PhaseFrequency::given) {
        const double last = options.phase_step + options.phase_step_slope * static_cast<double>(rows - 1);
        require(options.phase_step > 0 && options.phase_step < pi && last > 0 && last < pi, invalid, who,
                ": the given phase_step must be between 0 and pi rad per row, got ", options.phase_step,
                " in the first row and ", last, " in the last");
    }
    down_ = hann(options.window_rows);
    between_ = hann(options.window_rows - 1);
    across_ = hann(options.window_columns);
}

std::size_t PhaseTracker::workspace_bytes(const Context& context) const noexcept {
    return Workspace::bytes<float>(rows_ * products * columns_) +
           static_cast<std::size_t>(context.threads()) * Workspace::bytes<float>(2 * products * columns_);
}

Status PhaseTracker::run(View<const Complex> reference, View<const Complex> moved, TrackImage tracks,
                         Context& context) const noexcept {
    const Shape image{rows_, columns_};
    if (reference.shape() != image || moved.shape() != image) return Status::size_mismatch;
    for (const View<float>& result : {tracks.displacement, tracks.correlation, tracks.valid})
        if (result.shape() != shape() || !result.contiguous()) return Status::size_mismatch;

    Scratch scratch(context.workspace());
    const Index stride = products * columns_, share = Workspace::bytes<float>(2 * stride) / sizeof(float);
    float* planes = scratch.take<float>(rows_ * stride);
    float* shares = scratch.take<float>(share * context.threads());
    parallel_rows(context, rows_, stride, [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i) multiply(reference, moved, i, planes + i * stride);
    });
    if (const Status status = context.poll(); status != Status::ok) return status;

    const Weigh weigh = weigh_for(context.isa());
    const Index height = options_.window_rows, width = options_.window_columns, results = shape()[1];
    parallel_rows(context, shape()[0], stride * height, [&](Index begin, Index end, int thread) {
        float *rows = shares + thread * share, *windows = rows + stride;
        for (Index r = begin; r < end; ++r) {
            const Index first = r * layout_.row_step;
            std::fill_n(rows, 2 * stride, 0.0f);
            for (Index u = 0; u < height; ++u)
                weigh(rows, planes + (first + u) * stride, down_[static_cast<std::size_t>(u)],
                      of_rows * columns_);
            for (Index u = 0; u + 1 < height; ++u)
                weigh(rows + of_rows * columns_, planes + (first + u) * stride + of_rows * columns_,
                      between_[static_cast<std::size_t>(u)], of_pairs * columns_);
            for (Index product = 0; product < products; ++product)
                for (Index v = 0; v < width; ++v)
                    weigh(windows + product * columns_, rows + product * columns_ + v,
                          across_[static_cast<std::size_t>(v)], columns_ - width + 1);

            const double depth = static_cast<double>(first) + 0.5 * static_cast<double>(height - 1);
            const double given = options_.phase_step + options_.phase_step_slope * depth;
            for (Index c = 0; c < results; ++c) {
                const auto sum = [&](Product product) {
                    return static_cast<double>(windows[product * columns_ + c * layout_.column_step]);
                };
                const double energy = std::sqrt(sum(reference_energy)) * std::sqrt(sum(moved_energy));
                const double quality = std::hypot(sum(cross_real), sum(cross_imaginary)) / energy;
                const double measured =
                    wrapped(std::atan2(sum(step_imaginary), sum(step_real)) + options_.carrier_step);
                const bool is_given = options_.frequency == PhaseFrequency::given;
                const double k = is_given ? given : measured;
                const bool echoes = measured > 0 && measured < pi && measured > 0.5 * k && measured < 2 * k;
                const bool valid =
                    energy > 0 && echoes && quality >= options_.minimum_correlation && std::isfinite(quality);
                tracks.displacement(r, c) =
                    valid ? static_cast<float>(-std::atan2(sum(cross_imaginary), sum(cross_real)) / k) : nan;
                tracks.correlation(r, c) =
                    energy > 0 && std::isfinite(quality) ? static_cast<float>(std::min(quality, 1.0)) : nan;
                tracks.valid(r, c) = valid ? 1.0f : 0.0f;
            }
        }
    });
    return Status::ok;
}

Tracks track_phase(View<const std::complex<float>> reference, View<const std::complex<float>> moved,
                   const PhaseTrackingOptions& options, Context& context) {
    require_pair(reference, moved, "phase tracking");
    const PhaseTracker tracker(reference.rows(), reference.columns(), options);
    Tracks tracks(tracker.shape());
    context.workspace().reserve(tracker.workspace_bytes(context));
    const Status status = tracker.run(reference, moved, tracks, context);
    require(status == Status::ok, status, "phase tracking: ", to_string(status));
    return tracks;
}

}  // namespace sonolux

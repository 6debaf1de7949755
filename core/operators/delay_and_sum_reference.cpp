// sonolux/core/operators/delay_and_sum_reference.cpp
#include <cmath>
#include <complex>
#include <numbers>

#include <sonolux/core/operators/delay_and_sum_tables.hpp>

namespace sonolux {

namespace {

using Complex = std::complex<double>;

/// The trace at a position in samples, as far as it was measured there.
struct Reader {
    const float* samples;
    Index parts;
    MeasuredRange range;
    SampleInterpolation how;

    [[nodiscard]] bool reaches(double position) const {
        const Index count = range.last - range.first + 1;
        const bool cubic = how == SampleInterpolation::cubic;
        if (count < (cubic ? 4 : how == SampleInterpolation::linear ? 2 : 1)) return false;
        return position >= static_cast<double>(range.first + cubic) &&
               position <= static_cast<double>(range.last - cubic);
    }
    [[nodiscard]] Complex sample(Index n) const {
        return {double{samples[parts * n]}, parts == 2 ? double{samples[parts * n + 1]} : 0};
    }
    [[nodiscard]] Complex operator()(double position) const {
        if (how == SampleInterpolation::nearest)
            return sample(static_cast<Index>(std::floor(position + 0.5)));
        const Index last = range.last - (how == SampleInterpolation::cubic ? 2 : 1);
        const Index n = std::min(static_cast<Index>(std::floor(position)), last);
        const double f = position - static_cast<double>(n);
        if (how == SampleInterpolation::linear) return (1 - f) * sample(n) + f * sample(n + 1);
        return 0.5 * f * (f * (2 - f) - 1) * sample(n - 1) + 0.5 * (f * f * (3 * f - 5) + 2) * sample(n) +
               0.5 * f * (f * (4 - 3 * f) + 1) * sample(n + 1) + 0.5 * f * f * (f - 1) * sample(n + 2);
    }
};

}  // namespace

void delay_and_sum_reference(const Acquisition& acquisition, const FocusingDelays& delays,
                             const DelayAndSumOptions& options, View<const float> x, View<float> image) {
    validate(options, acquisition);
    const ImageGrid& grid = delays.grid();
    const Index parts = acquisition.demodulated() ? 2 : 1, elements = acquisition.array.size();
    const double turns = 2 * std::numbers::pi * acquisition.demodulation_frequency;
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const Point p = grid.point(static_cast<double>(i), static_cast<double>(j));
            Complex sum;
            double weights = 0, squares = 0;
            for (Index k = 0; k < acquisition.sent(); ++k) {
                const double start = acquisition.focusing_start(k);
                double m = transmit_weight(options, delays, k, i, j);
                // Images of single transmissions are masked, not weighted against each other.
                if (!options.compound && options.normalisation != ApertureNormalisation::none && m > 0) m = 1;
                for (Index e = 0; e < elements; ++e) {
                    const double w = m * receive_weight(options, acquisition.array[e], p);
                    const double time =
                        delays.transmit(k, i, j) + delays.receive(e, i, j) - start;  // NaN reaches nothing
                    const Reader trace{x.data() + (k * elements + e) * parts * acquisition.samples, parts,
                                       measured_of(options, acquisition, k, e), options.interpolation};
                    const double position = time * acquisition.sampling_frequency;
                    if (w <= 0 || !trace.reaches(position)) continue;
                    const double turn = turns * (time + acquisition.start_times[static_cast<std::size_t>(k)]);
                    sum += w * trace(position) * (parts == 2 ? std::polar(1.0, turn) : Complex{1});
                    weights += w;
                    squares += w * w;
                }
                if (options.compound && k + 1 < acquisition.sent()) continue;
                double norm = 1;
                if (options.normalisation == ApertureNormalisation::weights) norm = weights;
                if (options.normalisation == ApertureNormalisation::energy) norm = std::sqrt(squares);
                if (weights > 0) sum /= norm;
                const Index plane = options.compound ? 0 : k;
                float* const out = image.data() + ((plane * grid.rows + i) * grid.columns + j) * parts;
                out[0] = static_cast<float>(sum.real());
                if (parts == 2) out[1] = static_cast<float>(sum.imag());
                sum = {};
                weights = squares = 0;
            }
        }
}

}  // namespace sonolux

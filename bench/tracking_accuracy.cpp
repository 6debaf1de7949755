// bench/tracking_accuracy.cpp
//
// Bias and standard deviation of trackers against the Cramer-Rao bound, over noise and shift.
//
//     sonolux_tracking_accuracy [FIGURE.svg]
//
// Speckle with a flat spectrum of 60 % bandwidth, 4 and 8 rows a period; noise of the same band, independent
// in both images; blocks of 161 x 9 samples whose columns are independent, 60 of them for each figure. In
// thousandths of a period: at 5 MHz one of them is 0.2 ns.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/simulation/acoustics/speckle.hpp>
#include <sonolux/solvers/tracking/block_matching.hpp>
#include <sonolux/solvers/tracking/delay_bound.hpp>
#include <sonolux/solvers/tracking/phase_tracking.hpp>

#include "bench_timing.hpp"

namespace sonolux::bench {
namespace {

using Complex = std::complex<float>;

constexpr Index height = 161, width = 9, blocks = 60, search = 4, margin = search + 3;
constexpr Index rows = height + 2 * margin, columns = width * blocks;
constexpr double bandwidth = 0.6;

Array<Complex> sampled(const Speckle& speckle, double shift) {
    Array<Complex> image({rows, columns});
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) image(i, j) = Complex(speckle(static_cast<double>(i) - shift, j));
    return image;
}

Array<Complex> with_noise(const Array<Complex>& signal, const Array<Complex>& noise, double snr) {
    Array<Complex> sum = signal.clone();
    for (Index k = 0; k < sum.elements(); ++k) sum.data()[k] += static_cast<float>(1 / snr) * noise.data()[k];
    return sum;
}

Array<float> real_part(const Array<Complex>& image) {
    Array<float> real(image.shape());
    for (Index k = 0; k < real.elements(); ++k) real.data()[k] = image.data()[k].real();
    return real;
}

struct Accuracy {
    double bias = 0, deviation = 0, valid = 0;
};

Accuracy accuracy(const Tracks& tracks, double shift, Index row) {
    Accuracy a;
    double sum = 0, squares = 0;
    for (Index c = 0; c < tracks.valid.shape()[1]; ++c) {
        if (tracks.valid(row, c) == 0) continue;
        const double error = static_cast<double>(tracks.displacement(row, c)) - shift;
        sum += error;
        squares += error * error;
        ++a.valid;
    }
    a.bias = sum / a.valid;
    a.deviation = std::sqrt((squares - a.valid * a.bias * a.bias) / (a.valid - 1));
    return a;
}

const char* names[] = {"parabola", "cosine", "polynomial", "phase"};

void study(double period, std::vector<ChartSeries>& chart) {
    const double f0 = 1 / period;
    const Speckle speckle(columns, f0, bandwidth, 4 * rows, Philox(1)),
        first(columns, f0, bandwidth, 4 * rows, Philox(2)),
        second(columns, f0, bandwidth, 4 * rows, Philox(3));
    const auto reference = sampled(speckle, 0), noise = sampled(first, 0), other_noise = sampled(second, 0);
    std::printf("\n%.0f rows a period, 1e-3 periods: bias and standard deviation of\n", period);
    std::printf("  SNR dB  shift    bound |       parabola         cosine     polynomial          phase\n");
    Context context;
    for (double shift : {0.0, 0.1, 0.25, 0.45})  // periods
        for (double decibel : {0.0, 10.0, 20.0, 30.0, 60.0}) {
            const double snr = std::pow(10.0, decibel / 20), moved = shift * period;
            const auto a = with_noise(reference, noise, snr);
            const auto b = with_noise(sampled(speckle, moved), other_noise, snr);
            const double bound = delay_bound({f0, bandwidth, static_cast<double>(height * width), 1, snr});
            std::printf("  %6.0f  %5.2f  %7.3f |", decibel, shift, 1e3 * bound / period);
            std::vector<Accuracy> found;
            for (PeakInterpolation peak :
                 {PeakInterpolation::parabola, PeakInterpolation::cosine, PeakInterpolation::polynomial}) {
                // The margin of the polynomial for all, so that all see the same block in their middle row.
                const Index extra = peak == PeakInterpolation::polynomial ? 0 : 2;
                const BlockMatchingOptions options{.block_rows = height,
                                                   .block_columns = width,
                                                   .search = search,
                                                   .column_step = width,
                                                   .peak = peak};
                found.push_back(
                    accuracy(match_blocks(real_part(a), real_part(b), options, context), moved, extra));
            }
            found.push_back(accuracy(
                track_phase(a, b, {.window_rows = height, .window_columns = width, .column_step = width},
                            context),
                moved, margin));
            for (const Accuracy& one : found)
                std::printf("  %6.2f %6.2f%s", 1e3 * one.bias / period, 1e3 * one.deviation / period,
                            one.valid < blocks ? "*" : " ");
            std::printf("\n");
            if (shift == 0.25 && period == 8) {
                for (std::size_t n = 0; n < found.size(); ++n) {
                    chart[n].x.push_back(decibel);
                    chart[n].y.push_back(1e3 * found[n].deviation / period);
                    chart[n + 4].x.push_back(decibel);
                    chart[n + 4].y.push_back(1e3 * std::abs(found[n].bias) / period);
                }
                chart[8].x.push_back(decibel);
                chart[8].y.push_back(1e3 * bound / period);
            }
        }
    std::printf("  * some of the %td blocks were not valid\n", blocks);
}

/// On the grid of 1329 x 127 points of the published pipeline, with 11 lags.
void cost() {
    const Speckle wide(127, 0.25, bandwidth, 2000, Philox(4));
    Array<float> x({1329, 127}), y({1329, 127});
    Array<Complex> u({1329, 127}), v({1329, 127});
    for (Index i = 0; i < 1329; ++i)
        for (Index j = 0; j < 127; ++j) {
            u(i, j) = Complex(wide(static_cast<double>(i), j));
            v(i, j) = Complex(wide(static_cast<double>(i) - 0.7, j));
            x(i, j) = u(i, j).real();
            y(i, j) = v(i, j).real();
        }
    std::printf("\n");
    Context serial(make_serial_runner());
    for (Index block : {41, 161, 641}) {
        const BlockMatcher matcher(1329, 127, {.block_rows = block});
        Tracks tracks(matcher.shape());
        serial.workspace().reserve(matcher.workspace_bytes(serial));
        Measurements seconds;
        for (int n = 0; n < 5; ++n)
            seconds.add(processor_seconds_of([&] { (void)matcher.run(x, y, tracks, serial); }));
        std::printf(
            "block matching %td x 9, 11 lags: %.1f ms, %.0f ns a result (one thread, processor time)\n",
            block, 1e3 * seconds.median(),
            1e9 * seconds.median() / static_cast<double>(tracks.valid.elements()));
    }
    const PhaseTracker tracker(1329, 127);
    Tracks tracks(tracker.shape());
    serial.workspace().reserve(tracker.workspace_bytes(serial));
    Measurements seconds;
    for (int n = 0; n < 5; ++n)
        seconds.add(processor_seconds_of([&] { (void)tracker.run(u, v, tracks, serial); }));
    std::printf("phase, window 41 x 9: %.1f ms, %.0f ns a result\n", 1e3 * seconds.median(),
                1e9 * seconds.median() / static_cast<double>(tracks.valid.elements()));
}

}  // namespace
}  // namespace sonolux::bench

int main(int count, char** arguments) {
    using namespace sonolux;
    std::vector<ChartSeries> chart;
    for (const char* name : bench::names) chart.push_back({std::string(name) + ", deviation", {}, {}});
    for (const char* name : bench::names) chart.push_back({std::string(name) + ", |bias|", {}, {}});
    chart.push_back({"Cramer-Rao bound", {}, {}});
    bench::study(4, chart);
    bench::study(8, chart);
    bench::cost();
    if (count > 1) {
        std::ofstream file(arguments[1]);
        file << svg_chart(chart, {"Tracking: 8 rows a period, shift of a quarter of a period", "SNR (dB)",
                                  "thousandths of a period", true})
             << "\n";
        if (!file) return 1;
    }
    return 0;
}

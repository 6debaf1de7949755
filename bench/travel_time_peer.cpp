// bench/travel_time_peer.cpp
//
// Our side of compare_travel_time.py: the travel-time operator on 84 x 64 pixels of 0.6 mm, 128 elements of
// 0.3 mm, the 6 pairs of elements of M. Bernhardt et al. 2020. Processor time of the calling thread.
//
//     sonolux_travel_time_peer matrix FOLDER
//         writes the explicit rows: offsets.i64, columns.i32, values.f32
//     sonolux_travel_time_peer operator REPETITIONS
//         milliseconds (median) of apply and adjoint of each form, bytes that a pass touches, and what the
//         machine reads of an array of as many bytes
//     sonolux_travel_time_peer depth REPETITIONS
//         nanoseconds per measured pixel for maps of 42 to 336 rows
//     sonolux_travel_time_peer inversion FRAMES THREADS
//         milliseconds per frame: L-BFGS with 6 and with 15 pairs, and Tikhonov, of a disc and noise of 5 ns
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/classical/tikhonov.hpp>
#include <sonolux/solvers/classical/travel_time_lbfgs.hpp>

#include "bench_timing.hpp"

namespace sonolux::bench {
namespace {

const std::vector<std::pair<Index, Index>> bernhardt_pairs = {{14, 24}, {34, 44},  {54, 64},
                                                              {74, 84}, {94, 104}, {104, 114}};

PathGeometry geometry_of(const std::vector<std::pair<Index, Index>>& pairs, Index rows) {
    return element_pairs(centred_grid(rows, 64, 0.6e-3), make_linear_array(128, 0.3e-3, 0.27e-3), pairs);
}
std::shared_ptr<const PathIntegral> make_operator(PathIntegralForm form, Index rows) {
    return make_path_integral(geometry_of(bernhardt_pairs, rows), form);
}

struct Times {
    double apply, adjoint;  // s
};
Times times_of(const LinearOperator& op, int repetitions) {
    Context context(make_serial_runner());
    context.workspace().reserve(op.workspace_bytes(context));
    Array<float> x(op.domain()), y(op.range());
    fill_normal(x, Philox(1));
    Measurements apply, adjoint;
    for (int n = 0; n < repetitions; ++n) {
        apply.add(processor_seconds_of([&] { op.apply(x, y, context); }));
        adjoint.add(processor_seconds_of([&] { op.adjoint(y, x, context); }));
    }
    return {apply.median(), adjoint.median()};
}

/// Bytes per second that one thread reads of an array of this size, again and again.
double read_rate(std::size_t bytes) {
    const auto count = static_cast<Index>(bytes / sizeof(float));
    Array<float> array({count});
    float sink = 0;
    Measurements seconds;
    for (int n = 0; n < 21; ++n)
        seconds.add(processor_seconds_of([&] {
            float sums[64] = {};
            for (Index i = 0; i + 64 <= count; i += 64)
                for (int lane = 0; lane < 64; ++lane) sums[lane] += array.data()[i + lane];
            for (const float sum : sums) sink += sum;
        }));
    if (sink != 0) std::puts("");
    return static_cast<double>(bytes) / seconds.median();
}

void operators(int repetitions) {
    for (const auto form : {PathIntegralForm::rows, PathIntegralForm::cumulative}) {
        const auto op = make_operator(form, 84);
        const Times times = times_of(*op, repetitions);
        std::size_t bytes = 0;
        if (const auto* rows = dynamic_cast<const PathIntegralRows*>(op.get()))
            bytes = static_cast<std::size_t>(rows->nonzeros()) * 8;
        else
            bytes = op->workspace_bytes(Context(make_serial_runner()));
        std::printf("%s apply %.4f ms adjoint %.4f ms bytes %zu rate %.1f GB/s machine %.1f GB/s\n",
                    form == PathIntegralForm::rows ? "rows" : "sums", 1e3 * times.apply, 1e3 * times.adjoint,
                    bytes, 1e-9 * static_cast<double>(bytes) / times.apply, 1e-9 * read_rate(bytes));
    }
}

void depth(int repetitions) {
    for (const Index rows : {42, 84, 168, 336}) {
        std::printf("rows %td", rows);
        for (const auto form : {PathIntegralForm::rows, PathIntegralForm::cumulative}) {
            if (form == PathIntegralForm::rows && rows > 168) continue;
            const auto op = make_operator(form, rows);
            double seen = 0;
            for (Index n = 0; n < op->coverage().elements(); ++n) seen += op->coverage().data()[n] != 0;
            const Times times = times_of(*op, repetitions);
            std::printf("   %s ns %.3f", form == PathIntegralForm::rows ? "rows" : "sums",
                        1e9 * (times.apply + times.adjoint) / seen);
        }
        std::puts("");
    }
}

/// Delays of a disc of 3.81 mm in 20 mm depth by closed form, and noise of 5 ns.
Array<float> disc_delays(const PathGeometry& geometry, std::uint64_t seed) {
    Array<float> delays(
        {static_cast<Index>(geometry.measurements.size()), geometry.points.rows, geometry.points.columns});
    fill_normal(delays, Philox(seed));
    const double outside = 1 / 1500.0, inside = 1 / 1530.0, radius = 3.81e-3;
    const Point centre{0, 20e-3};
    for (std::size_t m = 0; m < geometry.measurements.size(); ++m)
        for (Index i = 0; i < geometry.points.rows; ++i)
            for (Index j = 0; j < geometry.points.columns; ++j) {
                const Point p = geometry.points.point(static_cast<double>(i), static_cast<double>(j));
                double delay = 0;
                for (const WeightedRays& rays : geometry.measurements[m]) {
                    const Point from = rays.source.entry_point(p), step = p - from;
                    const double whole = length(step),
                                 along = whole > 0 ? dot(centre - from, step) / whole : 0;
                    const double off = dot(centre - from, centre - from) - along * along;
                    const double half = std::sqrt(std::max(0.0, radius * radius - off));
                    const double within =
                        std::max(0.0, std::min(whole, along + half) - std::max(0.0, along - half));
                    delay += rays.weight * (whole * outside + within * (inside - outside));
                }
                float& d = delays(static_cast<Index>(m), i, j);
                d = static_cast<float>(delay) + 5e-9f * d;
            }
    return delays;
}

void inversions(int frames, int threads) {
    std::vector<std::pair<Index, Index>> fifteen;
    for (const Index first : {15, 27, 39, 51, 63, 75, 87, 99, 21, 33, 45, 57, 69, 81, 93})
        fifteen.push_back({first, first + 12});
    for (const auto& pairs : {bernhardt_pairs, fifteen})
        for (const bool quadratic : {false, true}) {
            const PathGeometry geometry = geometry_of(pairs, 84);
            InversionProblem problem{.forward = make_path_integral(geometry),
                                     .possible = measurement_mask(geometry)};
            std::unique_ptr<TravelTimeInverter> inverter;
            const double set_up = processor_seconds_of([&] {
                if (quadratic)
                    inverter = make_tikhonov(std::move(problem), {});
                else
                    inverter = make_travel_time_lbfgs(std::move(problem), {});
            });
            Context context(threads == 1 ? make_serial_runner() : make_openmp_runner(threads));
            context.workspace().reserve(inverter->workspace_bytes(context));
            Array<float> map(inverter->domain());
            InversionRecord record(2000);
            Measurements processor, wall;
            double iterations = 0;
            for (int n = 0; n < frames; ++n) {
                const Array<float> delays = disc_delays(geometry, static_cast<std::uint64_t>(n));
                wall.add(seconds_of([&] {
                    processor.add(processor_seconds_of([&] {
                        require(inverter->run(delays, {}, map, context, &record) == Status::ok,
                                Status::internal_error, "the inversion failed");
                    }));
                }));
                iterations += static_cast<double>(record.log.entries().size()) / frames;
            }
            std::printf(
                "%s %zu pairs, %d threads: %.3f ms processor time of the caller, %.3f ms by the "
                "clock, %.0f iterations, set-up %.2f s\n",
                std::string(inverter->name()).c_str(), pairs.size(), threads, 1e3 * processor.median(),
                1e3 * wall.median(), iterations, set_up);
        }
}

template <class T>
void write(const std::string& path, const std::vector<T>& values) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    require(file != nullptr && std::fwrite(values.data(), sizeof(T), values.size(), file) == values.size() &&
                std::fclose(file) == 0,
            Status::file_error, path, ": cannot be written");
}

void matrix(const std::string& folder) {
    const auto op = make_operator(PathIntegralForm::rows, 84);
    const auto& sparse = dynamic_cast<const PathIntegralRows&>(*op).sparse();
    write(folder + "/offsets.i64", sparse.offsets);
    write(folder + "/columns.i32", sparse.columns);
    write(folder + "/values.f32", sparse.values);
}

}  // namespace
}  // namespace sonolux::bench

int main(int count, char** arguments) {
    using namespace sonolux;
    try {
        if (count == 3 && std::strcmp(arguments[1], "matrix") == 0)
            bench::matrix(arguments[2]);
        else if (count == 3 && std::strcmp(arguments[1], "operator") == 0)
            bench::operators(std::atoi(arguments[2]));
        else if (count == 3 && std::strcmp(arguments[1], "depth") == 0)
            bench::depth(std::atoi(arguments[2]));
        else if (count == 4 && std::strcmp(arguments[1], "inversion") == 0)
            bench::inversions(std::atoi(arguments[2]), std::atoi(arguments[3]));
        else
            fail(
                Status::invalid_argument,
                "usage: sonolux_travel_time_peer matrix FOLDER | operator N | depth N | inversion N THREADS");
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}

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
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/core/random.hpp>

#include "bench_timing.hpp"

namespace sonolux::bench {
namespace {

std::shared_ptr<const PathIntegral> make_operator(PathIntegralForm form, Index rows) {
    const std::vector<std::pair<Index, Index>> pairs = {{14, 24}, {34, 44},  {54, 64},
                                                        {74, 84}, {94, 104}, {104, 114}};
    return make_path_integral(
        element_pairs(centred_grid(rows, 64, 0.6e-3), make_linear_array(128, 0.3e-3, 0.27e-3), pairs), form);
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
        else
            fail(Status::invalid_argument,
                 "usage: sonolux_travel_time_peer matrix FOLDER | operator N | depth N");
    } catch (const Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}

// bench/run_times.hpp
//
// How long runs take, one after another, and how close two results are.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/core/context.hpp>

namespace sonolux::bench {

struct Times {
    double p50 = 0, p99 = 0;  ///< s
    std::size_t runs = 0;
};

/// After five runs to warm up: at least 20 runs, for at least `seconds`.
template <class Run>
Times time_runs(double seconds, Run run) {
    for (int warm_up = 0; warm_up < 5; ++warm_up) run();
    std::vector<double> times;
    for (double total = 0; total < seconds || times.size() < 20; total += times.back()) {
        const auto begin = Context::Clock::now();
        run();
        times.push_back(std::chrono::duration<double>(Context::Clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return {times[times.size() / 2], times[times.size() * 99 / 100], times.size()};
}

/// The largest difference, relative to the largest value of `b`.
inline double largest_relative_difference(const float* a, const Array<float>& b) {
    double most = 0, size = 0;
    for (Index i = 0; i < b.elements(); ++i) {
        most = std::max(most, std::abs(double{a[i]} - b.data()[i]));
        size = std::max(size, std::abs(double{b.data()[i]}));
    }
    return most / size;
}

}  // namespace sonolux::bench

// bench/bench_timing.hpp
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>
#include <vector>

namespace sonolux::bench {

/// Wall time of one call, in seconds.
template <class Body>
[[nodiscard]] double seconds_of(Body&& body) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    body();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Processor time that one call takes on the calling thread, in seconds: what other programs take from it
/// does not count.
template <class Body>
[[nodiscard]] double processor_seconds_of(Body&& body) {
    auto now = [] {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    };
    const double start = now();
    body();
    return now() - start;
}

/// The middle of many measurements: on a machine with other work to do, means and minima mislead.
class Measurements {
public:
    void add(double value) { values_.push_back(value); }

    /// 0 without values.
    [[nodiscard]] double median() const {
        if (values_.empty()) return 0;
        std::vector<double> sorted = values_;
        const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
        std::nth_element(sorted.begin(), middle, sorted.end());
        return *middle;
    }

private:
    std::vector<double> values_;
};

}  // namespace sonolux::bench

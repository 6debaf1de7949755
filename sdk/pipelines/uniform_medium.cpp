#include <sonolux/sdk/pipelines/uniform_medium.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <sonolux/sdk/pipelines/measured_traces.hpp>

namespace sonolux {

namespace {

/// Mean and standard deviation of what is finite, summed in the order of the pixels.
class Spread {
public:
    void add(double value) noexcept {
        if (!std::isfinite(value)) return;
        ++count_;
        const double step = value - mean_;
        mean_ += step / static_cast<double>(count_);
        squares_ += step * (value - mean_);
    }
    [[nodiscard]] Index count() const noexcept { return count_; }
    [[nodiscard]] double mean() const noexcept { return count_ > 0 ? mean_ : nowhere; }
    [[nodiscard]] double deviation() const noexcept {
        return count_ > 0 ? std::sqrt(squares_ / static_cast<double>(count_)) : nowhere;
    }

private:
    static constexpr double nowhere = std::numeric_limits<double>::quiet_NaN();
    Index count_ = 0;
    double mean_ = 0, squares_ = 0;
};

std::vector<Index> elements_without_traces(const std::vector<MeasuredRange>& ranges, Index elements) {
    std::vector<Index> out;
    for (Index e = 0; e < elements && !ranges.empty(); ++e) {
        bool any = false;
        for (std::size_t i = static_cast<std::size_t>(e); i < ranges.size();
             i += static_cast<std::size_t>(elements))
            any = any || ranges[i].first <= ranges[i].last;
        if (!any) out.push_back(e);
    }
    return out;
}

/// NaN is beyond every limit.
bool within(double value, double limit) noexcept { return std::abs(value) <= limit; }

}  // namespace

UniformMediumReport check_uniform_medium(const SoundSpeedPipeline& pipeline, const SoundSpeedFrame& frame,
                                         double known_speed, const UniformMediumLimits& limits) {
    constexpr const char* who = "uniform medium";
    require(known_speed == 0 || (known_speed >= 300 && known_speed <= 10000), Status::invalid_argument, who,
            ": the known speed must be 0 (not known) or between 300 and 10000 m/s, got ", known_speed);
    for (const auto& [name, value] :
         {std::pair{"speed", limits.speed}, std::pair{"pair_bias", limits.pair_bias},
          std::pair{"pair_scatter", limits.pair_scatter}, std::pair{"pair_measured", limits.pair_measured},
          std::pair{"map_bias", limits.map_bias}, std::pair{"map_scatter", limits.map_scatter},
          std::pair{"elements_out", limits.elements_out}})
        require(std::isfinite(value) && value > 0, Status::invalid_argument, who, ": the limit ", name,
                " must be above 0, got ", value);

    const PairDelays& measurement = pipeline.measurement();
    UniformMediumReport report;
    report.known = known_speed > 0;
    report.speed_found = 1 / frame.record.uniform_slowness;
    report.reference_speed = report.known ? known_speed : report.speed_found;
    const auto check = [&report](std::string what, std::string found, std::string limit, bool passed) {
        report.checks.push_back({std::move(what), std::move(found), std::move(limit), passed});
    };
    const double off = report.speed_found - report.reference_speed;
    if (report.known)
        check("uniform speed found", fmt::format("{:.1f} m/s, {:+.1f}", report.speed_found, off),
              fmt::format("{:g} m/s", limits.speed), within(off, limits.speed));
    else
        check("uniform speed found", fmt::format("{:.1f} m/s", report.speed_found), "not known", true);

    const Index pixels = pipeline.map().rows * pipeline.map().columns;
    for (std::size_t m = 0; m < measurement.options().pairs.size(); ++m) {
        Spread spread;
        Index possible = 0;
        for (Index n = static_cast<Index>(m) * pixels; n < (static_cast<Index>(m) + 1) * pixels; ++n) {
            possible += measurement.mask().data()[n] != 0;
            spread.add(double{frame.delays.delays.data()[n]} -
                       double{measurement.lengths().data()[n]} / report.reference_speed);
        }
        const auto [first, second] = measurement.options().pairs[m];
        report.pairs.push_back(
            {first, second, spread.mean(), spread.deviation(),
             possible > 0 ? static_cast<double>(spread.count()) / static_cast<double>(possible) : 0});
        const UniformMediumPair& pair = report.pairs.back();
        const std::string name = fmt::format("pair {} ({}-{}), ", m + 1, first + 1, second + 1);
        check(name + "bias", fmt::format("{:+.2f} ns", 1e9 * pair.bias),
              fmt::format("{:g} ns", 1e9 * limits.pair_bias), within(pair.bias, limits.pair_bias));
        check(name + "scatter", fmt::format("{:.2f} ns", 1e9 * pair.scatter),
              fmt::format("{:g} ns", 1e9 * limits.pair_scatter), within(pair.scatter, limits.pair_scatter));
        check(name + "measured", fmt::format("{:.0f} %", 100 * pair.measured),
              fmt::format("at least {:g} %", 100 * limits.pair_measured),
              pair.measured >= limits.pair_measured);
    }

    Spread map;
    for (const float speed : frame.sound_speed) map.add(double{speed} - report.reference_speed);
    report.map_bias = map.mean();
    report.map_scatter = map.deviation();
    check("map, bias", fmt::format("{:+.1f} m/s", report.map_bias), fmt::format("{:g} m/s", limits.map_bias),
          within(report.map_bias, limits.map_bias));
    check("map, scatter", fmt::format("{:.1f} m/s", report.map_scatter),
          fmt::format("{:g} m/s", limits.map_scatter), within(report.map_scatter, limits.map_scatter));

    report.elements = pipeline.acquisition().array.size();
    report.elements_out =
        elements_without_traces(measurement.options().beamforming.measured, report.elements);
    std::vector<Index> numbers;
    for (const Index e : report.elements_out) numbers.push_back(e + 1);
    check("elements left out",
          numbers.empty() ? "none"
                          : fmt::format("{} of {}: {}", numbers.size(), report.elements, list_of(numbers)),
          fmt::format("{:g} %", 100 * limits.elements_out),
          static_cast<double>(numbers.size()) <= limits.elements_out * static_cast<double>(report.elements));
    return report;
}

bool UniformMediumReport::passed() const noexcept {
    return std::all_of(checks.begin(), checks.end(), [](const Check& check) { return check.passed; });
}

}  // namespace sonolux

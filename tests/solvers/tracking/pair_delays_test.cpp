// From RF to delays between transmissions: echoes of simulated speckle, beamformed with a wrong speed and
// tracked, against the travel-time operator applied to the true slowness. The simulator finds its arrivals by
// the eikonal equation on a grid of its own, so nothing here is inverted by what made it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/solvers/tracking/pair_delays.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Scene {
    TransducerArray array;
    ImageGrid map;
    Pulse pulse{{5e6, 4, 0.6}};
    Acquisition acquisition{array, {}};
    Array<float> rf;

    /// Speckle in a medium of `speed(p)` m/s under an array of `elements`, of which four send; down to
    /// `depth`.
    Scene(Index elements, double depth, auto&& speed)
        : array(make_linear_array(elements, 0.3e-3, 0.27e-3)),
          map(centred_grid(static_cast<Index>(depth / 0.6e-3), elements / 2, 0.6e-3, 0.3e-3)) {
        Context context;
        const Index middle = elements / 2;
        for (const Index element : {middle - 20, middle - 10, middle + 10, middle + 20})
            acquisition.transmissions.push_back(single_element(array, element));
        acquisition.sampling_frequency = 40e6;
        acquisition.centre_frequency = 5e6;
        acquisition.start_times.assign(4, 0);
        acquisition.samples = static_cast<Index>(75e3 * depth);
        acquisition.peak_time = pulse.peak_time();

        const ImageGrid fine = centred_grid(static_cast<Index>(depth / 0.3e-3) + 15, elements + 20, 0.3e-3);
        Array<float> map_of_speed(fine.shape());
        for (Index i = 0; i < fine.rows; ++i)
            for (Index j = 0; j < fine.columns; ++j)
                map_of_speed(i, j) =
                    static_cast<float>(speed(fine.point(static_cast<double>(i), static_cast<double>(j))));
        Scatterers scatterers;
        Philox random(7, 1, 0);
        const double half_width = 0.15e-3 * static_cast<double>(elements) + 1e-3, bottom = depth + 3e-3;
        const double count = 25e6 * 2 * half_width * bottom;  // 25 a square millimetre
        for (int n = 0; n < static_cast<int>(count); ++n) {
            const double x = random.uniform(-half_width, half_width), z = random.uniform(1.5e-3, bottom);
            scatterers.positions.push_back({x, z});
            scatterers.reflectivity.push_back(static_cast<float>(random.normal()));
        }
        EchoOptions options;
        options.samples = acquisition.samples;
        const EchoSimulator simulator(array, {.grid = fine, .sound_speed = map_of_speed, .attenuation = {}},
                                      pulse, options, context);
        rf = Array<float>({4, array.size(), acquisition.samples});
        simulator.simulate(acquisition.transmissions, scatterers, rf, context);
    }

    [[nodiscard]] PairDelaysOptions options(double sound_speed) const {
        PairDelaysOptions o{.pairs = {{0, 1}, {2, 3}}};
        o.sound_speed = sound_speed;
        o.margins = {.near = 5e-3, .far = 1e-3, .side = 2e-3};
        return o;
    }
};

struct Errors {
    double mean = 0, deviation = 0;
    Index count = 0;
};

/// Measured less L applied to the true slowness, over all that was measured.
Errors errors_of(const PairDelays& measurement, const PairDelaysFrame& frame, auto&& speed) {
    Context context;
    const ImageGrid& map = measurement.geometry().map;
    Array<float> slowness(map.shape());
    for (Index i = 0; i < map.rows; ++i)
        for (Index j = 0; j < map.columns; ++j)
            slowness(i, j) =
                static_cast<float>(1 / speed(map.point(static_cast<double>(i), static_cast<double>(j))));
    const auto path = make_path_integral(measurement.geometry(), PathIntegralForm::rows);
    Array<float> expected(path->range());
    path->apply(slowness, expected, context);
    double sum = 0, squares = 0;
    Errors errors;
    for (Index n = 0; n < expected.elements(); ++n) {
        const double error = double{frame.delays.data()[n]} - double{expected.data()[n]};
        if (!std::isfinite(error)) continue;
        sum += error;
        squares += error * error;
        ++errors.count;
    }
    errors.mean = sum / static_cast<double>(errors.count);
    errors.deviation = std::sqrt(squares / static_cast<double>(errors.count) - errors.mean * errors.mean);
    return errors;
}

TEST(PairDelays, SeeAUniformMediumThroughAWrongSpeed) {
    const auto speed = [](Point) { return 1480.0; };
    const Scene scene(64, 20e-3, speed);
    Context context;
    const PairDelays measurement(scene.acquisition, scene.map, scene.options(1500), context);
    context.workspace().reserve(measurement.workspace_bytes(context));
    PairDelaysFrame frame = measurement.make_frame();
    ASSERT_EQ(measurement.run(scene.rf, frame, context), Status::ok);
    EXPECT_GT(frame.valid_share, 0.95);
    const Errors errors = errors_of(measurement, frame, speed);
    EXPECT_GT(errors.count, 500);
    EXPECT_NEAR(frame.uniform_speed, 1480, 1);
    // 20 m/s make delays of 10 to 20 ns here. Speckle leaves 2 to 3 ns in each of some ten independent
    // blocks.
    EXPECT_NEAR(errors.mean, 0, 1e-9);
    EXPECT_LT(errors.deviation, 3e-9);
}

TEST(PairDelays, SeeAnInclusion) {
    const auto speed = [](Point p) { return length(p - Point{0, 15e-3}) < 3.8e-3 ? 1520.0 : 1500.0; };
    const Scene scene(128, 40e-3, speed);
    Context context;
    const PairDelays measurement(scene.acquisition, scene.map, scene.options(1500), context);
    context.workspace().reserve(measurement.workspace_bytes(context));
    PairDelaysFrame frame = measurement.make_frame();
    ASSERT_EQ(measurement.run(scene.rf, frame, context), Status::ok);
    // What the true map explains; the rest is speckle, the size of blocks, and that echoes behind the
    // inclusion are looked for where they would be without it.
    const auto background = [](Point) { return 1500.0; };
    const Errors with = errors_of(measurement, frame, speed),
                 without = errors_of(measurement, frame, background);
    EXPECT_LT(with.deviation, 0.6 * without.deviation) << with.deviation << " " << without.deviation;
}

TEST(PairDelays, HaveTheSameBitsOnAnyNumberOfThreads) {
    const Scene scene(64, 20e-3, [](Point p) { return 1490 + 1e3 * p.x; });
    std::vector<PairDelaysFrame> frames;
    for (const int threads : {1, 2, 3}) {
        Context context(make_openmp_runner(threads));
        const PairDelays measurement(scene.acquisition, scene.map, scene.options(1500), context);
        context.workspace().reserve(measurement.workspace_bytes(context));
        frames.push_back(measurement.make_frame());
        ASSERT_EQ(measurement.run(scene.rf, frames.back(), context), Status::ok);
    }
    for (const PairDelaysFrame& frame : frames)
        EXPECT_EQ(std::memcmp(frame.delays.data(), frames[0].delays.data(),
                              static_cast<std::size_t>(frame.delays.elements()) * sizeof(float)),
                  0);
}

Acquisition two_elements() {
    Acquisition acquisition{make_linear_array(64, 0.3e-3, 0.27e-3), {}};
    for (const Index element : {12, 22})
        acquisition.transmissions.push_back(single_element(acquisition.array, element));
    acquisition.sampling_frequency = 40e6;
    acquisition.centre_frequency = 5e6;
    acquisition.start_times = {0, 0};
    acquisition.samples = 1500;
    return acquisition;
}

TEST(PairDelays, DoNotMeasureWhereNoElementHears) {
    // A map that is wider than the array, which ends at x = -9.45 mm: beside it both transmissions are within
    // their f-number of 0.5 from z = 9.15 mm on (element 22 is at -2.85 mm), and no element hears pixels at
    // x = -12 mm above z = 20.4 mm, with a receiving f-number of 4.
    const ImageGrid map = centred_grid(34, 41, 0.6e-3, 0.3e-3);
    PairDelaysOptions o{.pairs = {{0, 1}}};
    o.beamforming.f_number = 4;
    o.margins = {.near = 1e-3, .far = 0, .side = 0};
    Context context;
    const PairDelays measurement(two_elements(), map, o, context);
    const auto row = [](double z) { return static_cast<Index>(std::lround((z - 0.3e-3) / 0.6e-3)); };
    EXPECT_EQ(measurement.mask()(0, row(15.3e-3), 0), 0);
    EXPECT_EQ(measurement.mask()(0, row(15.3e-3), 20), 1);
}

TEST(PairDelays, CountDeadElementsOut) {
    // The right half of the array is dead: nobody hears what lies below its end within an f-number of 2.
    const Acquisition acquisition = two_elements();
    PairDelaysOptions o{.pairs = {{0, 1}}};
    o.beamforming.f_number = 2;
    o.margins = {.near = 1e-3, .far = 0, .side = 0};
    Context context;
    const ImageGrid map = centred_grid(34, 30, 0.6e-3, 0.3e-3);
    const auto seen = [&] {
        const PairDelays measurement(acquisition, map, o, context);
        return measurement.mask()(0, 33, 29);  // x 8.7 mm, z 20.1 mm; elements to x = 0 are 8.7 mm away
    };
    EXPECT_EQ(seen(), 1);
    o.beamforming.measured.assign(2 * 64, {0, 1499});
    for (const std::size_t k : {0, 1})
        for (std::size_t e = 32; e < 64; ++e) o.beamforming.measured[64 * k + e] = {};
    EXPECT_EQ(seen(), 0);
}

TEST(PairDelays, SaysWhatIsWrong) {
    const Acquisition acquisition = two_elements();
    const ImageGrid map = centred_grid(34, 30, 0.6e-3, 0.3e-3);
    const auto expect_refused = [&](auto&& change, const char* message) {
        PairDelaysOptions o{.pairs = {{0, 1}}};
        o.margins = {.near = 5e-3, .far = 1e-3, .side = 2e-3};
        change(o);
        Context context;
        EXPECT_THAT([&] { PairDelays(acquisition, map, o, context); },
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    expect_refused([](auto& o) { o.pairs.clear(); }, "there are no pairs");
    expect_refused([](auto& o) { o.pairs = {{0, 2}}; }, "pair 1 names transmission 3; there are 1 to 2");
    expect_refused([](auto& o) { o.pairs = {{1, 1}}; }, "pair 1 is of transmission 2 with itself");
    expect_refused([](auto& o) { o.sound_speed = 1.5; },
                   "sound_speed must be between 100 and 10000 m/s, got 1.5");
    expect_refused([](auto& o) { o.margins.near = 40e-3; }, "the margins leave nothing of the map");
    expect_refused([](auto& o) { o.tracking.row_step = 40; }, "further than the pixels of the map");
    expect_refused([](auto& o) { o.valid_share = 0; }, "valid_share must be above 0 and at most 1, got 0");
    expect_refused([](auto& o) { o.row_spacing = 0.04; },
                   "row_spacing must be 0 or between 1e-06 and 0.01 m, got 0.04");
}

}  // namespace
}  // namespace sonolux

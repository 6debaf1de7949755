// tests/core/operators/delay_and_sum_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/core/random.hpp>

#include "tests/support/beamforming.hpp"
#include "tests/support/normal_images.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TransducerArray linear() { return make_linear_array(13, 3e-4, 2.5e-4); }
TransducerArray convex() { return make_convex_array(13, 4e-4, 3e-4, 20e-3); }

std::vector<Transmission> every_kind(const TransducerArray& array) {
    return {plane_wave(array, 0.15, 1540), diverging_wave(array, {1e-3, -4e-3}, 1540),
            focused_beam(array, {-0.5e-3, 6e-3}, 1540), single_element(array, 4)};
}

// 19 x 21 pixels: tiles that are not full, at both edges.
ImageGrid small_grid() { return {19, 21, 2e-4, 1.5e-4, 4e-3, -1.4e-3}; }

DelayAndSum make(const Acquisition& a, const DelayAndSumOptions& options = {}, double speed = 1540,
                 const ImageGrid& grid = small_grid()) {
    Context context;
    return {a, FocusingDelays(a, grid, speed), options, context};
}

Array<float> applied(const DelayAndSum& op, View<const float> x, Isa isa, int threads) {
    Context context(make_openmp_runner(threads));
    context.set_isa(isa);
    context.workspace().reserve(op.workspace_bytes(context));
    Array<float> image(op.range());
    op.apply(x, image, context);
    return image;
}

Array<float> applied(const DelayAndSum& op, View<const float> x) { return applied(op, x, default_isa(), 1); }

/// Probes, kinds of data and options that use every branch, with records that end within the image.
struct Case {
    Acquisition acquisition;
    DelayAndSumOptions options;
    std::string name;
};

std::vector<Case> cases() {
    std::vector<Case> list;
    int number = 0;
    for (const bool curved : {false, true})
        for (const double demodulation : {0.0, 4.5e6})
            for (const bool compound : {true, false})
                for (const auto how : {SampleInterpolation::nearest, SampleInterpolation::linear,
                                       SampleInterpolation::cubic}) {
                    const TransducerArray array = curved ? convex() : linear();
                    Case one{recording_of(array, every_kind(array), 150), {}, ""};
                    one.acquisition.demodulation_frequency = demodulation;
                    one.options.compound = compound;
                    one.options.interpolation = how;
                    const auto kind = number++ % 3;
                    one.options.normalisation = static_cast<ApertureNormalisation>(kind);
                    one.options.window = static_cast<ApertureWindow>(kind);
                    one.options.transmit_window = static_cast<ApertureWindow>((kind + 1) % 3);
                    if (kind == 1) one.options.transmit_f_number = 0.8;
                    one.options.insonified_only = kind == 2;
                    if (kind != 0) one.options.compounding_weights = {1, 0.5, 2, 0.25};
                    one.options.measured.assign(4 * 13, {0, 149});
                    one.options.measured[17] = {};         // dead
                    one.options.measured[20] = {60, 120};  // partly
                    one.name = sentence(curved ? "convex, " : "linear, ", demodulation != 0 ? "IQ, " : "RF, ",
                                        compound ? "compounded, " : "apart, ", to_string(how));
                    list.push_back(std::move(one));
                }
    return list;
}

TEST(DelayAndSum, AdjointIsExactForEveryKindOfWaveProbeAndData) {
    for (const Case& c : cases()) EXPECT_LT(dot_test(make(c.acquisition, c.options)), 1e-6) << c.name;
}

TEST(DelayAndSum, EveryInstructionSetAgreesWithTheDefinition) {
    for (const Case& c : cases()) {
        const DelayAndSum op = make(c.acquisition, c.options);
        // Smooth traces: with nearest samples a position on the edge may be rounded either way.
        Array<float> x = normal(op.domain(), 3);
        if (c.options.interpolation == SampleInterpolation::nearest)
            x = echoes_of(c.acquisition, {0, 7e-3}, 1540);
        Array<float> expected(op.range());
        delay_and_sum_reference(c.acquisition, FocusingDelays(c.acquisition, small_grid(), 1540), c.options,
                                x, expected);
        double largest = 0;
        for (const float v : expected) largest = std::max(largest, std::abs(double{v}));
        ASSERT_GT(largest, 0) << c.name;
        // Positions within 1e-5 of a sample, weights within 1.6e-5; cubic slopes of white noise are the
        // worst.
        for (const Isa isa : available_isas()) {
            const Array<float> image = applied(op, x, isa, 1);
            Index different = 0;
            for (Index i = 0; i < image.elements(); ++i)
                different += !(std::abs(image.data()[i] - expected.data()[i]) < 1e-4 * largest);
            EXPECT_LE(different, c.options.interpolation == SampleInterpolation::nearest ? 2 : 0)
                << c.name << ", " << to_string(isa);
        }
    }
}

TEST(DelayAndSum, GivesTheSameBitsForAnyNumberOfThreadsAndWithEveryFusedMultiplyAdd) {
    for (const Case& c : cases()) {
        const DelayAndSum op = make(c.acquisition, c.options);
        const Array<float> x = normal(op.domain(), 5), y = normal(op.range(), 6);
        const auto isas = available_isas();
        const Array<float> one = applied(op, x, isas.back(), 1);
        for (const Isa isa : isas) {
            if (isa == Isa::baseline) continue;
            const Array<float> three = applied(op, x, isa, 3);
            EXPECT_TRUE(std::equal(one.begin(), one.end(), three.begin()))
                << c.name << ", " << to_string(isa);
        }
        Array<float> back[2] = {Array<float>(op.domain()), Array<float>(op.domain())};
        for (const int threads : {1, 3}) {
            Context context(make_openmp_runner(threads));
            context.workspace().reserve(op.workspace_bytes(context));
            op.adjoint(y, back[threads / 2], context);
        }
        EXPECT_TRUE(std::equal(back[0].begin(), back[0].end(), back[1].begin())) << c.name;
    }
}

TEST(DelayAndSum, GivesManyFramesTheBitsOfEach) {
    for (const Case& c : cases()) {
        const DelayAndSum op = make(c.acquisition, c.options);
        const Index frames = 32 + 15;  // of RF one group, of IQ two, of 64 and 32 numbers
        const Shape& d = op.domain();
        const Array<float> x = normal({frames, d[0], d[1], d[2]}, 8);
        for (const Isa isa : available_isas()) {
            Context context(make_openmp_runner(isa == Isa::baseline ? 1 : 2));
            context.set_isa(isa);
            context.workspace().reserve(op.frames_workspace_bytes(context));
            Array<float> images({frames, op.range().elements()});
            op.apply_frames(x, images, context);
            for (const Index f : {Index{0}, Index{15}, frames - 1}) {
                const Array<float> one = applied(op, x.view()[f], isa, 1);
                ASSERT_TRUE(std::equal(one.begin(), one.end(), images.view()[f].data()))
                    << c.name << ", " << to_string(isa) << ", frame " << f;
            }
        }
    }
}

TEST(DelayAndSum, PutsAPointWhereItIsWithItsOwnHeight) {
    const Point target{-0.3e-3, 8e-3};
    const ImageGrid around{41, 41, 5e-5, 5e-5, target.z - 20 * 5e-5, target.x - 20 * 5e-5};
    for (const TransducerArray& array :
         {make_linear_array(32, 3e-4, 2.5e-4), make_convex_array(32, 3e-4, 2.5e-4, 15e-3)})
        for (const Transmission& sent : every_kind(array))
            for (const double demodulation : {0.0, 5e6}) {
                Acquisition a = recording_of(array, {sent}, 1200);
                a.sampling_frequency = 60e6;
                a.demodulation_frequency = demodulation;
                DelayAndSumOptions options;
                options.interpolation = SampleInterpolation::cubic;
                const DelayAndSum op = make(a, options, 1540, around);
                const Array<float> image = applied(op, echoes_of(a, target, 1540));
                const Index parts = demodulation != 0 ? 2 : 1;
                Index best = 0;
                for (Index i = 0; i < image.elements(); i += parts)
                    if (image.data()[i] > image.data()[best]) best = i;
                EXPECT_EQ(best / parts, 20 * 41 + 20) << to_string(sent.wavefront) << " " << demodulation;
                // 12 samples a period, read by cubics: within 1e-3 of the peak.
                EXPECT_NEAR(image.data()[(20 * 41 + 20) * parts], 1, 2e-3)
                    << to_string(sent.wavefront) << " " << demodulation;
                if (parts == 2) {
                    EXPECT_NEAR(image.data()[2 * (20 * 41 + 20) + 1], 0, 1e-3);
                }
            }
}

TEST(DelayAndSum, ShowsAPointBrightestWithTheSpeedOfItsMedium) {
    const TransducerArray array = make_linear_array(32, 3e-4, 2.5e-4);
    Acquisition a = recording_of(array, {plane_wave(array, 0, 1480)}, 400);
    a.demodulation_frequency = 5e6;
    const Point target{0.4e-3, 9e-3};
    const Array<float> echoes = echoes_of(a, target, 1480);
    double best_speed = 0, largest = 0;
    for (double speed = 1430; speed <= 1530; speed += 2.5) {
        const double depth = target.z * speed / 1480;  // where the echo straight up puts it
        const ImageGrid around{41, 9, 2e-5, 1e-4, depth - 20 * 2e-5, 0};
        DelayAndSumOptions options;
        options.f_number = 0.8;
        const Array<float> image = applied(make(a, options, speed, around), echoes);
        for (Index i = 0; i < image.elements(); i += 2) {
            const double magnitude = std::hypot(double{image.data()[i]}, double{image.data()[i + 1]});
            if (magnitude > largest) {
                largest = magnitude;
                best_speed = speed;
            }
        }
    }
    EXPECT_NEAR(best_speed, 1480, 2.5);
}

TEST(DelayAndSum, CountsWhatWasNotMeasuredNeitherInTheSumNorInItsWeights) {
    Acquisition a = recording_of(linear(), {plane_wave(linear(), 0, 1540)}, 150);
    DelayAndSumOptions options;
    options.measured.assign(13, {0, 149});
    options.measured[3] = {};
    options.measured[9] = {80, 149};
    const DelayAndSum op = make(a, options);
    Array<float> ones(op.domain());
    std::fill(ones.begin(), ones.end(), 1.0f);
    for (Index n = 0; n < 150; ++n) ones(0, 3, n) = nan;
    for (Index n = 0; n < 80; ++n) ones(0, 9, n) = nan;
    const Array<float> image = applied(op, ones);
    const View<const float> coverage = op.coverage();
    Index whole = 0, parts = 0, empty = 0;
    for (Index i = 0; i < image.elements(); ++i) {
        const float covered = coverage.data()[i];
        EXPECT_NEAR(image.data()[i], covered > 0 ? 1 : 0, 1e-5) << i;
        whole += covered == 1;
        parts += covered > 0 && covered < 1;
        empty += covered == 0;
    }
    // Deeper than 1540 (1 us + 149 / 20 MHz - 0.4 us) / 2 there is no record.
    EXPECT_GT(whole, 0);
    EXPECT_GT(parts, 0);
    EXPECT_GT(empty, 0);
}

TEST(DelayAndSum, LetsOnlyThePixelsThatReadANanBecomeNan) {
    const Acquisition a = recording_of(linear(), {plane_wave(linear(), 0, 1540)}, 200);
    for (const Isa isa : available_isas()) {
        const DelayAndSum op = make(a);
        Array<float> x = normal(op.domain(), 4);
        const Array<float> clean = applied(op, x, isa, 1);
        x(0, 6, 120) = nan;
        x(0, 2, 10) = std::numeric_limits<float>::infinity();  // before any pixel
        const Array<float> image = applied(op, x, isa, 1);
        Index changed = 0;
        for (Index i = 0; i < image.elements(); ++i) {
            changed += std::isnan(image.data()[i]);
            if (!std::isnan(image.data()[i])) {
                EXPECT_EQ(image.data()[i], clean.data()[i]);
            }
        }
        EXPECT_GT(changed, 0) << to_string(isa);
        EXPECT_LT(changed, image.elements() / 4) << to_string(isa);
    }
}

TEST(DelayAndSum, TakesTimesFromTablesAsFromTheClosedForm) {
    const Acquisition a = recording_of(linear(), every_kind(linear()), 200);
    const ImageGrid grid = small_grid();
    const FocusingDelays closed(a, grid, 1540);
    Array<float> transmit({4, grid.rows, grid.columns}), receive({13, grid.rows, grid.columns});
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            for (Index k = 0; k < 4; ++k) transmit(k, i, j) = static_cast<float>(closed.transmit(k, i, j));
            for (Index e = 0; e < 13; ++e) receive(e, i, j) = static_cast<float>(closed.receive(e, i, j));
        }
    receive(5, 3, 4) = nan;
    Context context;
    const DelayAndSum from_tables(a, FocusingDelays(a, grid, transmit.clone(), receive.clone()), {}, context);
    const DelayAndSum op = make(a);
    const Array<float> x = echoes_of(a, {0, 6e-3}, 1540);
    const Array<float> one = applied(op, x), other = applied(from_tables, x);
    for (Index i = 0; i < one.elements(); ++i)
        if (i != 3 * grid.columns + 4) {
            EXPECT_NEAR(one.data()[i], other.data()[i], 1e-4);  // float seconds
        }
    EXPECT_LT(from_tables.coverage()(3, 4), op.coverage()(3, 4));
    EXPECT_FALSE(std::isnan(other(3, 4)));
}

TEST(DelayAndSum, RefusesTablesOfAnotherSizeAndTimesThatCannotBe) {
    const Acquisition a = recording_of(linear(), every_kind(linear()), 200);
    const ImageGrid grid = small_grid();
    const auto tables = [&](Index sent, Index elements, float time) {
        Array<float> transmit({sent, grid.rows, grid.columns}), receive({elements, grid.rows, grid.columns});
        receive(2, 1, 1) = time;
        FocusingDelays(a, grid, std::move(transmit), std::move(receive));
    };
    EXPECT_NO_THROW(tables(4, 13, 1e-5f));
    EXPECT_THAT([&] { tables(3, 13, 0); }, ThrowsMessage<Error>(HasSubstr("4 x 19 x 21, got 3 x 19 x 21")));
    EXPECT_THAT([&] { tables(4, 12, 0); }, ThrowsMessage<Error>(HasSubstr("13 x 19 x 21, got 12 x 19 x 21")));
    EXPECT_THAT([&] { tables(4, 13, 7); },
                ThrowsMessage<Error>(HasSubstr("receive time of element 3, row 1, column 1 must be between 0 "
                                               "and 1 s, got 7")));
    Acquisition fewer = a;
    fewer.transmissions.pop_back();
    fewer.start_times.pop_back();
    Context context;
    EXPECT_THAT([&] { DelayAndSum(fewer, FocusingDelays(a, grid, 1540), {}, context); },
                ThrowsMessage<Error>(HasSubstr("the delays are of 4 transmissions and 13 elements")));
}

TEST(DelayAndSum, RefusesWhatGivesNoImageInsteadOfShowingZeros) {
    Acquisition a = recording_of(linear(), {plane_wave(linear(), 0, 1540)}, 150);
    ImageGrid deep = small_grid();
    deep.first_z = 40e-3;
    EXPECT_THAT([&] { make(a, {}, 1540, deep); },
                ThrowsMessage<Error>(HasSubstr("no pixel of the grid has an echo in the recording: echoes")));
    ImageGrid behind = small_grid();
    behind.first_z = -40e-3;
    EXPECT_THAT([&] { make(a, {}, 1540, behind); }, ThrowsMessage<Error>(HasSubstr("in front of the array")));
    DelayAndSumOptions options;
    options.measured.assign(13, {});
    EXPECT_THAT([&] { make(a, options); }, ThrowsMessage<Error>(HasSubstr("no pixel of the grid")));
}

TEST(DelayAndSum, SaysWhichOptionIsWrong) {
    const auto expect_refused = [](void (*change)(Acquisition&, DelayAndSumOptions&, double&),
                                   const char* message) {
        Acquisition a = recording_of(linear(), every_kind(linear()), 200);
        DelayAndSumOptions options;
        double speed = 1540;
        change(a, options, speed);
        EXPECT_THAT([&] { make(a, options, speed); }, ThrowsMessage<Error>(HasSubstr(message)));
    };
    expect_refused([](auto&, auto& o, auto&) { o.f_number = 0; },
                   "f_number must be between 0.01 and 1000, got 0; leave it empty for the whole aperture");
    expect_refused([](auto&, auto& o, auto&) { o.f_number = -1; }, "f_number must be");
    expect_refused([](auto&, auto& o, auto&) { o.f_number = double{nan}; }, "f_number must be");
    expect_refused([](auto&, auto& o, auto&) { o.transmit_f_number = -1; }, "transmit_f_number must be");
    expect_refused([](auto&, auto& o, auto&) { o.taper = 2; }, "taper must be above 0 and at most 1, got 2");
    expect_refused(
        [](auto&, auto& o, auto&) {
            o.compounding_weights = {1, 2};
        },
        "there are 2 compounding weights and 4 transmissions");
    expect_refused([](auto&, auto& o, auto&) { o.compounding_weights = {0, 0, 0, 0}; }, "weights are 0");
    expect_refused(
        [](auto&, auto& o, auto&) {
            o.compounding_weights = {1, 1, 1, -1};
        },
        "compounding weight 4 must be between 0");
    expect_refused([](auto&, auto& o, auto&) { o.measured.assign(7, {0, 1}); }, "7 measured ranges and 52");
    expect_refused(
        [](auto&, auto& o, auto&) {
            o.measured.assign(52, {0, 200});
        },
        "measured range of transmission 1, element 1 must be in the samples 0 to 199, got 0 to 200");
    expect_refused([](auto&, auto&, double& speed) { speed = double{nan}; }, "sound speed must be between");
    expect_refused([](auto&, auto&, double& speed) { speed = 1.54; }, "between 100 and 10000 m/s, got 1.54");
    expect_refused([](Acquisition& a, auto&, auto&) { a.centre_frequency = 0; }, "centre_frequency");
    expect_refused([](Acquisition& a, auto&, auto&) { a.sampling_frequency = 0; }, "sampling_frequency");
    expect_refused([](Acquisition& a, auto&, auto&) { a.start_times.clear(); }, "0 start times");
}

TEST(DelayAndSum, FindsOutWhatWasMeasured) {
    ChannelData data{recording_of(linear(), every_kind(linear()), 200), Array<float>({2, 4, 13, 200})};
    fill_normal(data.values, Philox(1));
    data.values(1, 2, 5, 30) = nan;  // two runs: 0-29, 31-199
    for (Index n = 0; n < 200; ++n) data.values(0, 0, 1, n) = data.values(1, 0, 1, n) = 3;    // dead
    for (Index n = 0; n < 80; ++n) data.values(0, 3, 2, n) = data.values(1, 3, 2, n) = 2047;  // saturated
    data.values(0, 1, 7, 150) = std::numeric_limits<float>::infinity();
    const auto ranges = measured_ranges(data);
    EXPECT_EQ(ranges[1 * 13 + 7], (MeasuredRange{0, 149}));
    EXPECT_EQ(ranges[0], (MeasuredRange{0, 199}));
    EXPECT_EQ(ranges[2 * 13 + 5], (MeasuredRange{31, 199}));
    EXPECT_EQ(ranges[1], MeasuredRange());
    EXPECT_EQ(ranges[3 * 13 + 2], MeasuredRange());

    // An element that hardly hears is dead for all, as channel_quality says.
    for (Index f = 0; f < 2; ++f)
        for (Index k = 0; k < 4; ++k)
            for (Index n = 0; n < 200; ++n) data.values(f, k, 9, n) *= 0.01F;
    ASSERT_TRUE(channel_quality(data).channels[9].dead);
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(measured_ranges(data)[k * 13 + 9], MeasuredRange());
    // A trace that is driven now to one rail of the recording and now to none of its own extremes.
    for (Index n = 0; n < 200; ++n)
        if (n % 8 < 2) data.values(0, 2, 11, n) = data.values(1, 2, 11, n) = 2047;
    data.values(1, 2, 11, 3) = 2040;
    EXPECT_EQ(measured_ranges(data)[2 * 13 + 11], MeasuredRange());
    EXPECT_EQ(measured_ranges(data)[3 * 13 + 11], (MeasuredRange{0, 199}));
}

}  // namespace
}  // namespace sonolux

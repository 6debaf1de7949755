// tests/solvers/tracking/delay_of_displacement_test.cpp
//
// Against brute force: images are made by asking, for each pixel, which scatterer of a medium of another
// speed has its echo at the time that the beamformer reads there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include <sonolux/simulation/acoustics/speckle.hpp>
#include <sonolux/solvers/tracking/block_matching.hpp>
#include <sonolux/solvers/tracking/common_mid_angle.hpp>
#include <sonolux/solvers/tracking/phase_tracking.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;

constexpr double assumed = 1540, spacing = 20e-6;  // m/s, m
const TransducerArray probe = make_linear_array(128, 0.3e-3, 0.27e-3);
const ImageGrid image{700, 5, spacing, 0.3e-3, 18e-3, 2.4e-3};

/// Time there and back of the echo of p, by the geometry alone (not by what is tested).
double echo_time(const EchoPath& path, Point p, double speed) {
    const Transmission& sent = path.transmission;
    double length_sent = 0;
    if (sent.wavefront == Wavefront::plane)
        length_sent = std::sin(sent.angle) * p.x + std::cos(sent.angle) * p.z;
    else
        length_sent = std::hypot(p.x - sent.focus.x, p.z - sent.focus.z);
    double length_received = 0;
    if (path.receive.kind == ReceivePath::Kind::element)
        length_received = std::hypot(p.x - path.receive.position.x, p.z - path.receive.position.z);
    else
        length_received = std::sin(path.receive.angle) * p.x + std::cos(path.receive.angle) * p.z;
    return (length_sent + length_received) / speed;
}

/// Depth of the scatterer below or above p whose echo, in a medium of `speed`, arrives when the beamformer
/// expects that of p.
double scatterer_depth(const EchoPath& path, Point p, double speed) {
    const double time = echo_time(path, p, assumed);
    double above = 0.5 * p.z, below = 1.5 * p.z;
    for (int step = 0; step < 60; ++step) {
        const double middle = 0.5 * (above + below);
        (echo_time(path, {p.x, middle}, speed) < time ? above : below) = middle;
    }
    return 0.5 * (above + below);
}

struct Images {
    Array<float> echo;
    Array<std::complex<float>> analytic;
};

Images beamformed(const EchoPath& path, double speed) {
    const Speckle speckle(image.columns, 0.125, 0.6, 4000, Philox(3));
    Images images{Array<float>(image.shape()), Array<std::complex<float>>(image.shape())};
    for (Index i = 0; i < image.rows; ++i)
        for (Index j = 0; j < image.columns; ++j) {
            const Point p = image.point(static_cast<double>(i), static_cast<double>(j));
            const std::complex<double> s = speckle(scatterer_depth(path, p, speed) / spacing, j);
            images.analytic(i, j) = std::complex<float>(s);
            images.echo(i, j) = static_cast<float>(s.real());
        }
    return images;
}

EchoPath from_element(Index element, Index receiver) {
    return {single_element(probe, element),
            {.kind = ReceivePath::Kind::element,
             .angle = 0,
             .position = probe[receiver].position,
             .f_number = 1}};
}

EchoPath from_angle(double angle, double receive_angle) {
    return {plane_wave(probe, angle, assumed),
            {.kind = ReceivePath::Kind::angle, .angle = receive_angle, .position = {}, .f_number = 1}};
}

double rate(const EchoPath& path, Point p) {
    return transmit_rate(path.transmission, p) + receive_rate(path.receive, p);
}

/// Mean over valid results of the estimated delay, and of what it should be: with and without the term that
/// the header leaves out.
struct Delays {
    double estimated = 0, whole = 0, without_term = 0;
};

Delays mean_delays(const EchoPath& a, const EchoPath& b, double speed, bool by_phase) {
    const Images reference = beamformed(a, speed), moved = beamformed(b, speed);
    Context context;
    BlockLayout layout;
    Tracks tracks({1, 1});
    if (by_phase) {
        const PhaseTracker tracker(image.rows, image.columns,
                                   {.window_rows = 161, .window_columns = 5, .row_step = 8});
        layout = tracker.layout();
        tracks = track_phase(reference.analytic, moved.analytic, tracker.options(), context);
    } else {
        const BlockMatcher matcher(
            image.rows, image.columns,
            {.block_columns = 5, .search = 3, .row_step = 8, .peak = PeakInterpolation::polynomial});
        layout = matcher.layout();
        tracks = match_blocks(reference.echo, moved.echo, matcher.options(), context);
    }
    const ImageGrid grid = layout.grid(image);
    const Array<float> factors = delay_factors(grid, spacing, assumed, a, b);
    Array<float> delay(grid.shape());
    EXPECT_EQ(delays_of_displacements(tracks.displacement, factors, delay), Status::ok);
    Delays mean;
    double count = 0;
    for (Index r = 0; r < grid.rows; ++r)
        for (Index c = 0; c < grid.columns; ++c) {
            EXPECT_EQ(tracks.valid(r, c), 1.0f);
            const Point p = grid.point(static_cast<double>(r), static_cast<double>(c));
            const double error_a = echo_time(a, p, speed) - echo_time(a, p, assumed);
            const double error_b = echo_time(b, p, speed) - echo_time(b, p, assumed);
            const double q_a = rate(a, p), q_b = rate(b, p), q = 2 / (1 / q_a + 1 / q_b);
            mean.estimated += static_cast<double>(delay(r, c));
            mean.whole += error_b - error_a;
            mean.without_term += error_b - error_a - 0.5 * (error_a + error_b) * (1 / q_a - 1 / q_b) * q;
            ++count;
        }
    mean.estimated /= count;
    mean.whole /= count;
    mean.without_term /= count;
    return mean;
}

TEST(DelayOfDisplacement, IsTheTrueDelayToFirstOrderInTheErrorOfTheSpeed) {
    // What is left of second order is the error of the speed itself, relative to the delay: at the pixel
    // stands another scatterer than was there before. So 1 % of error may cost 2 %, and 0.5 % half of that;
    // 0.1 ns (0.0005 of a period) are the trackers' own.
    for (const bool by_phase : {false, true})
        for (double speed : {assumed * 1.01, assumed * 0.99, assumed * 1.005}) {
            const double order = 2 * std::abs(speed / assumed - 1);
            for (const auto& [a, b] : {std::pair(from_element(30, 72), from_element(50, 72)),
                                       {from_element(90, 70), from_element(70, 70)},
                                       {from_angle(-0.2, 0.2), from_angle(-0.1, 0.1)},
                                       {from_angle(0, 0.26), from_angle(0.13, 0.13)}}) {
                const Delays delays = mean_delays(a, b, speed, by_phase);
                EXPECT_NEAR(delays.estimated, delays.without_term,
                            order * std::max(std::abs(delays.whole), std::abs(delays.without_term)) + 0.1e-9)
                    << by_phase << ", " << speed << ", whole " << delays.whole;
            }
        }
}

TEST(DelayOfDisplacement, IsTheWholeDelayWherePathsAreAsSteep) {  // both elements as far from the pixels
    // mean x of the image is 3 mm, elements 58 and 89 are 15.5 pitches = 4.65 mm from it
    const Delays delays = mean_delays(from_element(58, 73), from_element(89, 73), 1530, false);
    EXPECT_NEAR(delays.whole, delays.without_term, 1e-12);
    EXPECT_NEAR(delays.estimated, delays.whole, 0.1e-9);
}

TEST(DelayOfDisplacement, IsPositiveWhereTheSecondEchoIsLater) {
    // A slower medium delays long paths most. Element 40 is further from the image than element 60.
    const Delays later = mean_delays(from_element(60, 72), from_element(40, 72), 1520, false);
    EXPECT_GT(later.whole, 5e-9);
    EXPECT_GT(later.estimated, 5e-9);
    const Delays earlier = mean_delays(from_element(40, 72), from_element(60, 72), 1520, false);
    EXPECT_NEAR(earlier.estimated, -later.estimated, 0.05 * later.estimated);
}

TEST(DelayOfDisplacement, HasTheFormulaOfTheLiteratureForElements) {
    const Point p{3e-3, 25e-3}, tx{-6e-3, 0}, rx{5e-3, 0};
    const EchoPath path = from_element(0, 0);
    EchoPath moved = path;
    moved.transmission.focus = tx;
    moved.receive.position = rx;
    const ImageGrid grid{1, 1, 1e-4, 1e-4, p.z, p.x};
    const double expected =
        spacing * p.z / assumed * (1 / std::hypot(p.x - tx.x, p.z) + 1 / std::hypot(p.x - rx.x, p.z));
    EXPECT_NEAR(delay_factors(grid, spacing, assumed, moved, moved)(0, 0), expected, 1e-6 * expected);
}

TEST(DelayOfDisplacement, HasTheMeanRateOfAnAperture) {
    const ReceivePath path{.kind = ReceivePath::Kind::aperture, .angle = 0, .position = {}, .f_number = 1.25};
    const Point p{1e-3, 20e-3};
    double mean = 0;
    constexpr int count = 2000;
    for (int n = 0; n < count; ++n) {
        const double x = ((n + 0.5) / count - 0.5) * p.z / path.f_number;
        mean += p.z / std::hypot(x, p.z) / count;
    }
    EXPECT_NEAR(receive_rate(path, p), mean, 1e-6);
}

TEST(DelayOfDisplacement, KeepsWhatIsNotKnownUnknown) {
    const ImageGrid grid{2, 2, 1e-3, 1e-3, 1e-3, 0};
    EchoPath behind = from_element(0, 0);
    behind.transmission.focus = {0, 1.5e-3};  // the first row lies above this source
    const Array<float> factors = delay_factors(grid, spacing, assumed, behind, behind);
    Array<float> displacement({2, 2}), delay({2, 2});
    displacement(1, 0) = std::numeric_limits<float>::quiet_NaN();
    displacement(1, 1) = 2;
    ASSERT_EQ(delays_of_displacements(displacement, factors, delay), Status::ok);
    EXPECT_TRUE(std::isnan(delay(0, 0)));
    EXPECT_TRUE(std::isnan(delay(1, 0)));
    EXPECT_FLOAT_EQ(delay(1, 1), 2 * factors(1, 1));
    Array<float> small({1, 2});
    EXPECT_EQ(delays_of_displacements(displacement, factors, small), Status::size_mismatch);
}

TEST(DelayOfDisplacement, RefusesWrongUnitsByName) {
    const EchoPath path = from_angle(0, 0);
    const auto message = [&](double rows_apart, double speed, const EchoPath& b) {
        try {
            const Array<float> factors = delay_factors(image, rows_apart, speed, path, b);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(
        message(0.0375, 1540, path),
        HasSubstr("row_spacing must be between 1e-06 m and 0.01 m, got 0.0375 m; is it in millimetres?"));
    EXPECT_THAT(message(spacing, 1.54, path),
                HasSubstr("sound_speed must be between 100 and 10000 m/s, got 1.54"));
    EchoPath degrees = path;
    degrees.receive.angle = 15;
    EXPECT_THAT(
        message(spacing, 1540, degrees),
        HasSubstr(
            "receive path b: angle must be within 1.4 rad of straight above, got 15 rad; is it in degrees?"));
    degrees = path;
    degrees.transmission.angle = -15;
    EXPECT_THAT(message(spacing, 1540, degrees), HasSubstr("transmission b: angle must be within 1.4 rad"));
    EchoPath wide = path;
    wide.receive = {.kind = ReceivePath::Kind::aperture, .angle = 0, .position = {}, .f_number = 0};
    EXPECT_THAT(message(spacing, 1540, wide), HasSubstr("f_number must be between 0.1 and 100, got 0"));
}

}  // namespace
}  // namespace sonolux

// tests/core/operators/path_integral_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/path_integral_cumulative.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/core/reduction.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr double degree = std::numbers::pi / 180;

TransducerArray probe() { return make_linear_array(128, 0.3e-3, 0.27e-3); }

/// Of M. Bernhardt et al. 2020, elements from 0.
const std::vector<std::pair<Index, Index>> bernhardt_pairs = {{14, 24}, {34, 44},  {54, 64},
                                                              {74, 84}, {94, 104}, {104, 114}};

PathGeometry element_geometry(Index rows = 84, Index columns = 64, double spacing = 0.6e-3) {
    return element_pairs(centred_grid(rows, columns, spacing), probe(), bernhardt_pairs);
}

PathGeometry plane_geometry(const ImageGrid& map) {
    PathGeometry geometry{map, map, {}};
    geometry.measurements.push_back(mid_angle_difference({15 * degree, -15 * degree}, {0, 0}));
    geometry.measurements.push_back(mid_angle_difference({0, 15 * degree}, {7.5 * degree, 7.5 * degree}));
    geometry.measurements.push_back(
        transmission_difference(plane_rays(-0.3), point_rays({2.03e-3, -9e-3}, 0.97)));
    return geometry;
}

/// Awkward: odd sizes, unequal spacings, sources at uneven places, a map that begins below the surface's row.
PathGeometry uneven_geometry() {
    const ImageGrid map{37, 29, 0.5e-3, 0.7e-3, 0.1e-3, -9.3e-3};
    PathGeometry geometry{map, map, {}};
    geometry.measurements.push_back(
        transmission_difference(point_rays({-3.1e-3, 0}, 0.3), point_rays({4.4e-3, 0}, 0.7)));
    geometry.measurements.push_back({{point_rays({-3.1e-3 + 1.4e-3, 0}, 0.3), 0.5},
                                     {plane_rays(0.4), -2},
                                     {point_rays({-12e-3, -4e-3}, 0.2), 1}});
    return geometry;
}

Array<float> random_map(const ImageGrid& grid, std::uint64_t seed) {
    Array<float> map(grid.shape());
    fill_normal(map, Philox(seed, 7));
    for (float& v : map) v = 1 / (1540 + 30 * v);
    return map;
}

/// A deviation of slowness that varies over some millimetres: three waves of 25 to 42 mm.
double smooth(Point p) {
    return 1e-5 * (std::sin(p.x * 150 + 1) * std::cos(p.z * 125) + std::cos(p.x * 230 - p.z * 100) +
                   0.7 * std::sin(p.z * 225 + p.x * 50));
}
Array<float> smooth_map(const ImageGrid& grid) {
    Array<float> map(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            map(i, j) =
                static_cast<float>(smooth(grid.point(static_cast<double>(i), static_cast<double>(j))));
    return map;
}

/// The delays of smooth(), by the midpoint rule in 60 steps along each ray: nobody's pixels.
Array<float> smooth_delays(const PathIntegral& op) {
    Array<float> delays(op.range());
    const PathGeometry& geometry = op.geometry();
    constexpr int steps = 60;
    for (Index m = 0; m < delays.shape()[0]; ++m)
        for (Index i = 0; i < geometry.points.rows; ++i)
            for (Index j = 0; j < geometry.points.columns; ++j) {
                if (op.coverage()(m, i, j) == 0) continue;
                const Point p = geometry.points.point(static_cast<double>(i), static_cast<double>(j));
                double delay = 0;
                for (const WeightedRays& rays : geometry.measurements[static_cast<std::size_t>(m)]) {
                    const Point from = rays.source.entry_point(p), step = p - from;
                    double sum = 0;
                    for (int n = 0; n < steps; ++n) sum += smooth(from + (n + 0.5) / steps * step);
                    delay += rays.weight * length(step) * sum / steps;
                }
                delays(m, i, j) = static_cast<float>(delay);
            }
    return delays;
}

Array<float> apply(const LinearOperator& op, View<const float> x, Context& context) {
    context.workspace().reserve(op.workspace_bytes(context));
    Array<float> y(op.range());
    op.apply(x, y, context);
    return y;
}
Array<float> apply(const LinearOperator& op, View<const float> x) {
    Context context(make_serial_runner());
    return apply(op, x, context);
}

double distance(const Array<float>& a, const Array<float>& b) {
    double difference = 0, size = 0;
    for (Index n = 0; n < a.elements(); ++n) {
        difference += std::pow(double{a.data()[n]} - double{b.data()[n]}, 2);
        size += std::pow(double{b.data()[n]}, 2);
    }
    return std::sqrt(difference / size);
}

TEST(PathIntegral, AdjointsAreExact) {
    for (const PathGeometry& geometry :
         {element_geometry(), element_geometry(31, 64), plane_geometry(centred_grid(73, 89, 0.5e-3)),
          plane_geometry(centred_grid(20, 13, 0.9e-3, 0.2e-3)), uneven_geometry()})
        for (const auto form : {PathIntegralForm::rows, PathIntegralForm::cumulative}) {
            const auto op = make_path_integral(geometry, form);
            for (const Isa isa : available_isas()) {
                Context context(make_serial_runner());
                context.set_isa(isa);
                EXPECT_LT(dot_test(*op, context), 1e-6)
                    << to_string(geometry.map.shape())
                    << (form == PathIntegralForm::rows ? " rows " : " sums ") << to_string(isa);
                if (form == PathIntegralForm::rows) break;  // has no variants
            }
        }
}

TEST(PathIntegral, RowsAreTheDifferencesOfStraightRays) {
    const PathGeometry geometry = element_geometry(40, 64);
    const PathIntegralRows op(geometry);
    const Array<float> map = random_map(geometry.map, 3);
    const Array<float> delays = apply(op, map);
    double worst = 0;
    for (std::size_t m = 0; m < bernhardt_pairs.size(); ++m)
        for (Index i = 0; i < 40; i += 7)
            for (Index j = 0; j < 64; ++j) {
                if (op.coverage()(static_cast<Index>(m), i, j) == 0) continue;
                const Point p = geometry.map.point(static_cast<double>(i), static_cast<double>(j));
                const auto time = [&](Index element) {
                    return straight_ray_time(geometry.map, map, probe()[element].position, p);
                };
                const double expected = time(bernhardt_pairs[m].first) - time(bernhardt_pairs[m].second);
                worst = std::max(worst, std::abs(delays(static_cast<Index>(m), i, j) - expected));
            }
    EXPECT_LT(worst, 3e-12);  // s, of times up to 3e-5: chords are stored as floats
}

TEST(PathIntegral, CumulativeSumsMatchTheirDefinition) {
    for (const PathGeometry& geometry :
         {element_geometry(), plane_geometry(centred_grid(73, 89, 0.5e-3)), uneven_geometry()})
        for (const Isa isa : available_isas()) {
            const PathIntegralCumulative op(geometry);
            const Array<float> map = random_map(geometry.map, 4);
            Context context(make_serial_runner());
            context.set_isa(isa);
            const Array<float> delays = apply(op, map, context);
            Array<float> expected(op.range());
            op.apply_reference(map, expected);
            double worst = 0;
            for (Index n = 0; n < delays.elements(); ++n)
                worst = std::max(worst, std::abs(double{delays.data()[n]} - double{expected.data()[n]}));
            EXPECT_LT(worst, 5e-11) << to_string(isa);  // s, of times up to 1e-4: float rounding
        }
}

TEST(PathIntegral, UniformMapsGiveDifferencesOfDistances) {
    const double slowness = 1 / 1540.0;
    for (const auto form : {PathIntegralForm::rows, PathIntegralForm::cumulative}) {
        const PathGeometry geometry = element_geometry();
        const auto op = make_path_integral(geometry, form);
        Array<float> map(geometry.map.shape());
        std::ranges::fill(map, static_cast<float>(slowness));
        const Array<float> delays = apply(*op, map);
        double worst = 0;
        for (std::size_t m = 0; m < bernhardt_pairs.size(); ++m)
            for (Index i = 0; i < 84; ++i)
                for (Index j = 0; j < 64; ++j) {
                    const auto n = static_cast<Index>(m);
                    if (op->coverage()(n, i, j) == 0) {
                        EXPECT_EQ(delays(n, i, j), 0);
                        continue;
                    }
                    const Point p = geometry.map.point(static_cast<double>(i), static_cast<double>(j));
                    const double expected =
                        slowness * (length(p - probe()[bernhardt_pairs[m].first].position) -
                                    length(p - probe()[bernhardt_pairs[m].second].position));
                    worst = std::max(worst, std::abs(delays(n, i, j) - expected));
                }
        EXPECT_LT(worst, 5e-11);  // s; the largest delays are 1.4e-6 s
    }
}

// Relative L2 over all that is seen. Explicit rows take slowness for constant within a pixel, which costs
// what a ray's distance from the middle of its column makes where it goes straight down; interpolation does
// not.
TEST(PathIntegral, SumsMatchTheIntegralsOfSmoothMapsBetterThanRows) {
    for (const PathGeometry& geometry :
         {element_geometry(), plane_geometry(centred_grid(73, 89, 0.506e-3))}) {
        const Array<float> map = smooth_map(geometry.map);
        const auto sums = make_path_integral(geometry, PathIntegralForm::cumulative);
        const auto rows = make_path_integral(geometry, PathIntegralForm::rows);
        const Array<float> exact = smooth_delays(*sums), by_sums = apply(*sums, map),
                           by_rows = apply(*rows, map);
        std::cout << "  sums " << distance(by_sums, exact) << ", rows " << distance(by_rows, exact)
                  << ", sums against rows " << distance(by_sums, by_rows) << '\n';
        EXPECT_LT(distance(by_sums, exact), 5e-3);
        EXPECT_LT(distance(by_rows, exact), 4e-2);
    }
}

TEST(PathIntegral, SumsHaveTheSameBitsOnAnyNumberOfThreads) {
    PathGeometry geometry = element_geometry(60, 64);
    for (const PathSum& more : plane_geometry(geometry.map).measurements)
        geometry.measurements.push_back(more);
    const auto op = make_path_integral(geometry);
    const Array<float> map = random_map(geometry.map, 5);
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    const Array<float> a = apply(*op, map, one), b = apply(*op, map, three);
    EXPECT_TRUE(std::ranges::equal(a, b));
    Array<float> back_a(op->domain()), back_b(op->domain());
    op->adjoint(a, back_a, one);
    op->adjoint(a, back_b, three);
    EXPECT_TRUE(std::ranges::equal(back_a, back_b));
}

TEST(PathIntegral, VirtualSourcesCountFromTheFaceOfTheArray) {
    const ImageGrid map = centred_grid(60, 64, 0.6e-3);
    const Transmission wave = diverging_wave(probe(), {0, -9e-3}, 1540, aperture_weights(128, 48, 31));
    PathGeometry geometry{map, map, {{{rays_of(wave, 0.97), 1}}}};
    Array<float> ones(map.shape());
    std::ranges::fill(ones, 1.0f);
    for (const auto form : {PathIntegralForm::rows, PathIntegralForm::cumulative}) {
        const Array<float> lengths = apply(*make_path_integral(geometry, form), ones);
        for (const Index j : {28, 32, 40}) {
            const Point p = map.point(50, static_cast<double>(j)), source{0, -9e-3};
            EXPECT_NEAR(lengths(0, 50, j), length(p - source) * p.z / (p.z + 9e-3), 1e-7);
        }
    }
}

TEST(PathIntegral, PointsMayBeElsewhereThanPixelsInTheExplicitForm) {
    PathGeometry geometry = element_geometry(84, 64);
    geometry.map = centred_grid(113, 90, 0.45e-3);
    Array<float> ones(geometry.map.shape());
    std::ranges::fill(ones, 1.0f);
    const auto op = make_path_integral(geometry);  // automatic
    const Array<float> lengths = apply(*op, ones);
    const Point p = geometry.points.point(60, 30);
    EXPECT_NEAR(lengths(2, 60, 30), length(p - probe()[54].position) - length(p - probe()[64].position),
                1e-8);
    EXPECT_THAT([&] { (void)make_path_integral(geometry, PathIntegralForm::cumulative); },
                ThrowsMessage<Error>(HasSubstr("needs the points to be the pixels of the map")));
}

TEST(PathGeometry, CoverageIsTheOverlapOfTheOpenings) {
    const PathGeometry geometry = element_geometry();
    const Array<float> seen = coverage(geometry), mask = measurement_mask(geometry);
    Index covered = 0, kept = 0;
    for (Index n = 0; n < seen.elements(); ++n) {
        covered += seen.data()[n] != 0;
        kept += mask.data()[n] != 0;
        EXPECT_TRUE(mask.data()[n] == 0 || seen.data()[n] != 0);
    }
    EXPECT_EQ(seen(0, 0, 20), 0);   // no opening at depth 0
    EXPECT_EQ(seen(0, 83, 5), 1);   // x = -15.9 mm: below the first pair
    EXPECT_EQ(seen(0, 10, 60), 0);  // far to the side of it
    EXPECT_GT(covered, 20000);
    EXPECT_LT(kept, covered);
    EXPECT_EQ(mask(0, 8, 12), 0);  // 4.8 mm deep: within the margin
}

TEST(PathGeometry, RayDensityAddsUpAllChords) {
    const PathGeometry geometry = plane_geometry(centred_grid(30, 40, 0.5e-3));
    const Array<float> seen = coverage(geometry), density = ray_density(geometry, seen);
    double expected = 0;  // along z each ray is as long as its point is deep
    for (Index m = 0; m < seen.shape()[0]; ++m)
        for (Index i = 0; i < 30; ++i)
            for (Index j = 0; j < 40; ++j)
                if (seen(m, i, j) != 0)
                    for (const WeightedRays& rays : geometry.measurements[static_cast<std::size_t>(m)])
                        expected += std::abs(rays.weight) * geometry.map.z(static_cast<double>(i));
    EXPECT_NEAR(sum(density.view()[1]), expected, 1e-5 * expected);
}

TEST(PathGeometry, RefusesWhatIsNotInMetresAndRadians) {
    const ImageGrid map = centred_grid(20, 20, 0.5e-3);
    EXPECT_THAT([] { (void)plane_rays(15); }, ThrowsMessage<Error>(HasSubstr("is it in degrees?")));
    EXPECT_THAT(
        [] {
            (void)mid_angle_difference({0.1, 0.1}, {0.1, 0.2});
        },
        ThrowsMessage<Error>(HasSubstr("mid-angles must be equal")));
    EXPECT_THAT(
        [&] {
            validate(PathGeometry{map, map, {{{point_rays({5, 0}), 1}}}});
        },
        ThrowsMessage<Error>(HasSubstr("is it in millimetres?")));
    EXPECT_THAT(
        [&] {
            validate(PathGeometry{map, map, {}});
        },
        ThrowsMessage<Error>(HasSubstr("at least 1 measurement")));
    EXPECT_THAT(
        [&] {
            validate(PathGeometry{centred_grid(20, 20, 0.5e-3, 5e-3), map, {{{plane_rays(0), 1}}}});
        },
        ThrowsMessage<Error>(HasSubstr("above the map, which begins at z 4.75 mm")));
    EXPECT_THAT(
        [&] {
            validate(PathGeometry{map, map, {{{plane_rays(0), 0}}}});
        },
        ThrowsMessage<Error>(HasSubstr("weights must be finite and not 0, got 0")));
    EXPECT_THAT(
        [&] {
            (void)element_pairs(map, probe(), {{0, 128}});
        },
        ThrowsMessage<Error>(HasSubstr("elements must be 0 to 127, got 128")));
    EXPECT_THAT(
        [&] {
            (void)rays_of(focused_beam(probe(), {0, 20e-3}, 1540));
        },
        ThrowsMessage<Error>(HasSubstr("focused transmission has no family of straight rays")));
}

}  // namespace
}  // namespace sonolux

// tests/simulation/acoustics/eikonal_test.cpp
//
// Travel times against media whose times are known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/acoustics/eikonal.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Array<float> speeds(const ImageGrid& grid, auto&& speed) {
    Array<float> map(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            map(i, j) = static_cast<float>(speed(grid.point(static_cast<double>(i), static_cast<double>(j))));
    return map;
}

/// Speed v0 + b z: rays are arcs, and T = acosh(1 + b^2 r^2 / (2 Va Vb)) / b.
struct LinearGradient {
    double v0 = 1000, b = 12000;  // 1000 m/s at the top, 1600 m/s 50 mm below: a steep one

    double operator()(Point p) const { return v0 + b * p.z; }
    double time(Point from, Point to) const {
        const double r = length(to - from);
        return std::acosh(1 + b * b * r * r / (2 * (*this)(from) * (*this)(to))) / b;
    }
};

ImageGrid square(Index nodes) { return centred_grid(nodes, nodes, 50e-3 / static_cast<double>(nodes - 1)); }

struct Deviation {
    double mean = 0, largest = 0;
};

/// Relative error over all nodes but the source.
Deviation deviation(const TravelTimes& times, auto&& exact) {
    Deviation result;
    double count = 0;
    for (Index i = 0; i < times.grid().rows; ++i)
        for (Index j = 0; j < times.grid().columns; ++j) {
            const double t = exact(times.grid().point(static_cast<double>(i), static_cast<double>(j)));
            if (t == 0) continue;
            const double error = std::abs(times.at(i, j) / t - 1);
            result.mean += error;
            result.largest = std::max(result.largest, error);
            ++count;
        }
    result.mean /= count;
    return result;
}

Deviation gradient_error(Index nodes, Point source, int order = 2) {
    const LinearGradient medium;
    const SlownessMap map(square(nodes), speeds(square(nodes), medium));
    const TravelTimes times = EikonalSolver(map, order).solve(EikonalSource::point(source));
    return deviation(times, [&](Point p) { return medium.time(source, p); });
}

TEST(Eikonal, MeanErrorIsBelowATenthOfAPercentInALinearGradient) {
    // The bar is 1e-3; what holds here is 200 times better, for sources on and off nodes, inside, at the
    // border and in a corner. (Sources at the bottom, where sound is fastest, would send their rays below the
    // map.)
    for (const Point source :
         {Point{0, 0}, Point{0.37e-3, 21.21e-3}, Point{-25e-3, 0}, Point{25e-3, 0}, Point{3.3e-3, 0}}) {
        const Deviation error = gradient_error(256, source);
        EXPECT_LT(error.mean, 5e-6) << source.x << ", " << source.z;
        EXPECT_LT(error.largest, 1e-4) << source.x << ", " << source.z;
    }
}

TEST(Eikonal, ErrorFallsWithTheSquareOfTheSpacing) {
    const Point source{1.234e-3, 0.77e-3};
    const double coarse = gradient_error(65, source).mean, fine = gradient_error(257, source).mean;
    EXPECT_GT(std::log2(coarse / fine) / 2, 1.8) << coarse << " and " << fine;
    const double coarse1 = gradient_error(65, source, 1).mean, fine1 = gradient_error(257, source, 1).mean;
    const double observed = std::log2(coarse1 / fine1) / 2;
    EXPECT_GT(observed, 0.8) << coarse1 << " and " << fine1;
    EXPECT_LT(observed, 1.3);
    EXPECT_LT(fine, fine1 / 10);
}

TEST(Eikonal, IsExactInAUniformMedium) {  // F is constant: differences of it vanish
    const ImageGrid grid{70, 90, 0.3e-3, 0.2e-3, -1e-3, -7e-3};
    const SlownessMap map(grid, speeds(grid, [](Point) { return 1500; }));
    for (const Point source : {Point{0, 0}, Point{1.03e-3, 7.7e-3}, Point{-7e-3, -1e-3}}) {
        const TravelTimes times = EikonalSolver(map).solve(EikonalSource::point(source));
        EXPECT_LT(deviation(times, [&](Point p) { return length(p - source) / 1500; }).largest, 1e-12);
        const Point p{2.05e-3, 11.11e-3};
        EXPECT_NEAR(times.time(p), length(p - source) / 1500, 1e-18);
        EXPECT_NEAR(times.gradient(p).x, (p - source).x / length(p - source) / 1500, 1e-15);
    }
}

TEST(Eikonal, PlaneWavesObeySnellsLawInLayers) {
    // Speed varies with depth alone, so the horizontal slowness p is kept: T = p x + integral of
    // sqrt(s^2 - p^2) dz. Smooth layers, and second order: 2e-5 at 0.2 mm; but the first step from the line
    // is one of first order, which errs by s' h^2 / 2 = 1.1e-10 s, and what follows makes 3/2 of it.
    const ImageGrid grid = centred_grid(251, 401, 0.2e-3);
    const auto medium = [](double z) { return 1500 + 60 * std::sin(z / 5e-3); };
    const SlownessMap map(grid, speeds(grid, [&](Point p) { return medium(p.z); }));
    const double angle = 0.2, speed = 1540, along = std::sin(angle) / speed;
    const TravelTimes times = EikonalSolver(map).solve(EikonalSource::line({0, 0}, angle, speed));
    double down = 0;
    for (Index i = 0; i < grid.rows; ++i) {
        if (i > 0)  // midpoint rule on 20 parts of each spacing: 1e-8
            for (int part = 0; part < 20; ++part) {
                const double s = 1 / medium((static_cast<double>(i - 1) + (part + 0.5) / 20) * 0.2e-3);
                down += std::sqrt(s * s - along * along) * 0.01e-3;
            }
        // from 15 mm right of the left end the shadow of the end (at 11 mm at the bottom) is out of the way
        for (Index j = 75; j < grid.columns; j += 25)
            EXPECT_NEAR(times.at(i, j), along * grid.x(static_cast<double>(j)) + down, 2e-5 * down + 1.7e-10)
                << i << ", " << j;
    }
}

TEST(Eikonal, RefractedTimesThroughAnInterfaceObeyFermat) {
    // Two half-spaces that meet at z = 20.1 mm, between two rows. The time is the least over crossing points,
    // found by golden section. A jump is first order in the spacing: at most one spacing (0.2 mm) is
    // travelled at the wrong one of 1450 and 1550 m/s, 9 ns of 20 us.
    const ImageGrid grid = centred_grid(251, 251, 0.2e-3);
    const double edge = 20.1e-3, upper = 1450, lower = 1550;
    const SlownessMap map(grid, speeds(grid, [&](Point p) { return p.z < edge ? upper : lower; }));
    const Point source{-10e-3, 0};
    const TravelTimes times = EikonalSolver(map).solve(EikonalSource::point(source));
    for (double z = 22e-3; z < 49e-3; z += 3e-3)
        for (double x = -20e-3; x <= 20e-3; x += 5e-3) {
            const auto time = [&](double cross) {
                return std::hypot(cross - source.x, edge) / upper + std::hypot(x - cross, z - edge) / lower;
            };
            double low = -25e-3, high = 25e-3;
            for (int step = 0; step < 100; ++step) {
                const double a = low + 0.382 * (high - low), b = low + 0.618 * (high - low);
                (time(a) < time(b) ? high : low) = time(a) < time(b) ? b : a;
            }
            EXPECT_NEAR(times.time({x, z}), time(low), 9e-9) << x << ", " << z;
        }
}

TEST(Eikonal, CarriesIntegralsAlongThePaths) {
    // Attenuation that grows with depth in a uniform medium: the integral along a straight line is its length
    // times the mean of both ends. First order: 0.5 %.
    const ImageGrid grid = centred_grid(201, 201, 0.2e-3);
    const SlownessMap map(grid, speeds(grid, [](Point) { return 1540; }));
    const auto density = [](Point p) { return 3 + 200 * p.z; };
    const Point source{-3.3e-3, 0.1e-3};
    const TravelTimes times = EikonalSolver(map).solve(EikonalSource::point(source), speeds(grid, density));
    for (double z = 1e-3; z < 40e-3; z += 5e-3)
        for (double x = -19e-3; x < 20e-3; x += 6e-3) {
            const double expected = length(Point{x, z} - source) * 0.5 * (density(source) + density({x, z}));
            EXPECT_NEAR(times.carried({x, z}), expected, 5e-3 * expected) << x << ", " << z;
        }
}

TEST(Eikonal, CarriedIntegralsBehindADiscStayBetweenNoneAndItsDiameter) {
    // Where the shadow of an absorber ends, differences of second order would overshoot.
    const ImageGrid grid = centred_grid(161, 161, 0.25e-3);
    const SlownessMap map(grid, speeds(grid, [](Point) { return 1540; }));
    const Point middle{2e-3, 15e-3}, source{-1.1e-3, 0};
    const double radius = 5e-3;
    const auto density = [&](Point p) { return length(p - middle) < radius ? 1 : 0; };
    const TravelTimes times = EikonalSolver(map).solve(EikonalSource::point(source), speeds(grid, density));
    double lowest = 1, highest = 0;
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const double carried = times.carried(grid.point(static_cast<double>(i), static_cast<double>(j)));
            lowest = std::min(lowest, carried);
            highest = std::max(highest, carried);
        }
    EXPECT_GE(lowest, 0);
    EXPECT_LE(highest, 2 * radius + 0.25e-3);  // and a pixel
    EXPECT_GT(highest, 1.8 * radius);
}

TEST(Eikonal, ManySourcesHaveTheSameBitsOnAnyNumberOfThreads) {
    const ImageGrid grid = centred_grid(60, 50, 0.5e-3);
    Philox random(3);
    const SlownessMap map(grid, speeds(grid, [&](Point) { return random.uniform(1400, 1600); }));
    std::vector<EikonalSource> sources;
    for (int k = 0; k < 7; ++k) sources.push_back(EikonalSource::point({random.uniform(-12e-3, 12e-3), 0}));
    sources.push_back(EikonalSource::line({0, 0}, 0.1, 1540));
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    const auto a = travel_times(map, sources, one), b = travel_times(map, sources, three);
    for (std::size_t k = 0; k < sources.size(); ++k) {
        EXPECT_EQ(b[k].source(), sources[k]);
        EXPECT_TRUE(std::equal(a[k].factor().begin(), a[k].factor().end(), b[k].factor().begin()));
    }
    sources.push_back(EikonalSource::point({1, 0}));
    EXPECT_THROW((void)travel_times(map, sources, three), Error);
}

TEST(Eikonal, ContrastsOfTenToOneReachEveryNode) {
    const ImageGrid grid = centred_grid(64, 64, 0.5e-3);
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        Philox random(seed);
        const SlownessMap map(grid, speeds(grid, [&](Point) { return random.uniform() < 0.5 ? 300 : 3000; }));
        const Point source{random.uniform(-15e-3, 15e-3), random.uniform(0, 31e-3)};
        const TravelTimes times = EikonalSolver(map).solve(EikonalSource::point(source));
        for (Index i = 0; i < 64; ++i)
            for (Index j = 0; j < 64; ++j) {
                const double r = length(grid.point(static_cast<double>(i), static_cast<double>(j)) - source);
                // differences of second order overshoot where speeds jump tenfold from node to node
                ASSERT_GE(times.at(i, j), 0.9 * r / 3000) << "no faster than the fastest";
                ASSERT_LE(times.at(i, j), 1.5 * r / 300 + 1e-12);
            }
    }
}

TEST(Eikonal, RefusesBadInputByName) {
    const ImageGrid grid = centred_grid(20, 20, 1e-3);
    auto map = speeds(grid, [](Point) { return 1500; });
    const SlownessMap good(grid, map);
    EikonalSolver solver(good);
    EXPECT_THAT(
        [&] {
            (void)solver.solve(EikonalSource::point({0, -1e-3}));
        },
        ThrowsMessage<Error>(
            HasSubstr("the source at x 0 m, z -0.001 m is outside the map (x -9.5 to 9.5 mm")));
    EXPECT_THAT(
        [&] {
            (void)solver.solve(EikonalSource::line({0, 0}, 1.39, 1300));
        },
        ThrowsMessage<Error>(HasSubstr("cannot enter the medium, which has 1500 m/s at row 0")));
    EXPECT_THAT([&] { EikonalSolver(good, 3); },
                ThrowsMessage<Error>(HasSubstr("order must be 1 or 2, got 3")));
    Array<double> row(grid.shape());
    const TravelTimes first = solver.solve(EikonalSource::point({0, 0}));
    const TravelTimes second = solver.solve(EikonalSource::point({0, 0}));
    EXPECT_THAT(
        [&] {
            solver.frechet_row(first, {0, 5e-3}, row);
        },
        ThrowsMessage<Error>(HasSubstr("solved last")));
    EXPECT_THAT(
        [&] {
            solver.frechet_row(second, {0, 50e-3}, row);
        },
        ThrowsMessage<Error>(HasSubstr("outside the map")));
    EXPECT_TRUE(std::isnan(second.time({0, 50e-3})));
    for (const float bad : {0.0f, -1500.0f, 1.5f, 0.00065f, std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity()}) {
        map(3, 4) = bad;
        EXPECT_THAT(
            [&] { SlownessMap(grid, map); },
            ThrowsMessage<Error>(HasSubstr("speed at row 3, column 4 must be between 100 and 10000 m/s")));
    }
    EXPECT_THAT([&] { SlownessMap(centred_grid(20, 21, 1e-3), map); },
                ThrowsMessage<Error>(HasSubstr("speeds are 20 x 20, the grid 20 x 21")));
}

}  // namespace
}  // namespace sonolux

// tests/simulation/acoustics/ray_test.cpp
//
// Rays and Frechet rows: what a change of the medium does to a travel time.
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/simulation/acoustics/ray.hpp>

namespace sonolux {
namespace {

/// A smooth medium with a fast and a slow place. Speeds are rounded to float where a map is made of them.
double smooth_speed(Point p) {
    const auto bump = [&](double x, double z) {
        return std::exp(-(std::pow(p.x - x, 2) + std::pow(p.z - z, 2)) / 32e-6);
    };
    return 1500 + 60 * bump(-4e-3, 12e-3) - 50 * bump(5e-3, 18e-3);
}

Array<float> map_of(const ImageGrid& grid, auto&& speed) {
    Array<float> map(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            map(i, j) = static_cast<float>(speed(grid.point(static_cast<double>(i), static_cast<double>(j))));
    return map;
}

TEST(EikonalRay, IsTheArcOfACircleInALinearGradient) {
    // Speed v0 + b z: the ray is on a circle whose centre lies at z = -v0 / b. Second order: 0.2 % of a
    // spacing would do; half of one is asked for.
    const ImageGrid grid = centred_grid(201, 201, 0.2e-3);
    const double v0 = 1400, b = 8000;
    const SlownessMap map(grid, map_of(grid, [&](Point p) { return v0 + b * p.z; }));
    EikonalSolver solver(map);
    const Point source{-12.3e-3, 2.1e-3}, receiver{15e-3, 30e-3};
    const auto ray = trace_ray(solver.solve(EikonalSource::point(source)), receiver);
    EXPECT_EQ(ray.front(), source);
    EXPECT_EQ(ray.back(), receiver);
    // the centre: as far from the source as from the receiver
    const double z = -v0 / b,
                 x = (dot(receiver, receiver) - dot(source, source) - 2 * z * (receiver.z - source.z)) /
                     (2 * (receiver.x - source.x));
    for (const Point p : ray) EXPECT_NEAR(length(p - Point{x, z}), length(source - Point{x, z}), 0.1e-3);
}

TEST(EikonalRay, TimeIsTheIntegralOfSlownessAlongIt) {
    // Pixels of constant slowness against bilinear slowness, and a ray that is slightly off: 1e-4.
    const ImageGrid grid = centred_grid(251, 251, 0.1e-3);
    const auto speed = map_of(grid, smooth_speed);
    const SlownessMap map(grid, speed);
    EikonalSolver solver(map);
    for (const EikonalSource& source :
         {EikonalSource::point({-1.7e-3, 0}), EikonalSource::line({0, 0}, 0.1, 1500)}) {
        const auto times = solver.solve(source);
        for (const Point receiver : {Point{3e-3, 24e-3}, Point{6.5e-3, 9.9e-3}, Point{-2e-3, 20e-3}}) {
            const auto ray = trace_ray(times, receiver);
            double time = source.is_line ? std::sin(0.1) / 1500 * ray.front().x : 0;
            for (const auto& [pixel, part] : ray_chords(grid, ray)) time += part * map.data()[pixel];
            EXPECT_NEAR(time, times.time(receiver), 1e-4 * times.time(receiver));
        }
    }
}

TEST(EikonalFrechet, RowIsTheDerivativeOfTheTime) {
    // Central differences of the time, for changes of the slowness at single nodes and everywhere at once.
    // Steps of 0.1 % err by their square, some 1e-5 of the change here.
    const ImageGrid grid = centred_grid(41, 51, 0.5e-3);
    const auto speed = map_of(grid, smooth_speed);
    const Point receiver{3.21e-3, 17.77e-3};
    for (const EikonalSource& source :
         {EikonalSource::point({-6.4e-3, 0.2e-3}), EikonalSource::line({0, 0.1e-3}, 0.15, 1500)}) {
        Array<double> row(grid.shape());
        {
            const SlownessMap map(grid, speed);
            EikonalSolver solver(map);
            const auto times = solver.solve(source);
            solver.frechet_row(times, receiver, row);
        }
        const auto check = [&](auto&& relative) {
            double expected = 0, difference = 0;
            for (const double sign : {1.0, -1.0}) {
                Array<float> changed = speed.clone();
                for (Index i = 0; i < grid.rows; ++i)
                    for (Index j = 0; j < grid.columns; ++j)
                        changed(i, j) = static_cast<float>(static_cast<double>(speed(i, j)) /
                                                           (1 + sign * relative(i, j)));
                const SlownessMap map(grid, changed);
                EikonalSolver solver(map);
                difference += sign * solver.solve(source).time(receiver);
                for (Index i = 0; i < grid.rows; ++i)
                    for (Index j = 0; j < grid.columns; ++j)
                        expected += sign * row(i, j) / static_cast<double>(changed(i, j));
            }
            EXPECT_NEAR(difference, expected, 1e-4 * std::abs(expected));
        };
        for (const Index depth : {5, 17, 30}) {  // the node of a row that matters most
            Index most = 0;
            for (Index j = 0; j < grid.columns; ++j)
                if (row(depth, j) > row(depth, most)) most = j;
            EXPECT_GT(row(depth, most), 0.1e-3);
            check([&](Index i, Index j) { return i == depth && j == most ? 0.001 : 0.0; });
        }
        check([](Index i, Index j) {
            return 1e-3 * std::sin(0.3 * static_cast<double>(i) + 0.2 * static_cast<double>(j));
        });
    }
}

TEST(EikonalFrechet, RowAddsUpToThePathsLengthAndFollowsTheRay) {
    // T is homogeneous of degree 1 in slowness: sum of row x slowness = T, exactly.
    const ImageGrid grid = centred_grid(101, 101, 0.2e-3);
    const SlownessMap map(grid, map_of(grid, smooth_speed));
    EikonalSolver solver(map);
    const auto times = solver.solve(EikonalSource::point({-3.1e-3, 0}));
    const Point receiver{4e-3, 18e-3};
    Array<double> row(grid.shape());
    solver.frechet_row(times, receiver, row);
    double time = 0, whole = 0, path = 0, near = 0;
    for (Index n = 0; n < row.elements(); ++n) {
        time += row.data()[n] * map.data()[n];
        whole += row.data()[n];
    }
    EXPECT_NEAR(time, times.time(receiver), 1e-12 * time);
    const auto ray = trace_ray(times, receiver);
    for (const auto& chord : ray_chords(grid, ray)) path += chord.length;
    EXPECT_NEAR(whole, path, 1e-3 * path);
    for (Index n = 0; n < row.elements(); ++n) {
        const Point p =
            grid.point(static_cast<double>(n / grid.columns), static_cast<double>(n % grid.columns));
        for (const Point q : ray)
            if (length(p - q) < 1e-3) {
                near += row.data()[n];
                break;
            }
    }
    EXPECT_GT(near, 0.95 * whole) << "what counts is within 1 mm of the ray";
}

}  // namespace
}  // namespace sonolux

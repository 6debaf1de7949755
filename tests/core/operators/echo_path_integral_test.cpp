// tests/core/operators/echo_path_integral_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/echo_path_integral.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TransducerArray probe() { return make_linear_array(64, 0.6e-3, 0.5e-3); }

std::vector<RaySource> receivers(double f_number = 1) {
    std::vector<RaySource> list;
    const TransducerArray array = probe();
    for (Index e = 3; e < array.size(); e += 4) list.push_back(point_rays(array[e].position, f_number));
    return list;
}

PathGeometry pairs(Index rows, Index columns, double spacing) {
    return element_pairs(centred_grid(rows, columns, spacing), probe(), {{10, 20}, {20, 30}, {40, 52}});
}

TEST(EchoPathIntegral, HasAnExactAdjointOnAwkwardSizes) {
    for (const auto& [rows, columns] : {std::pair<Index, Index>{2, 2}, {17, 9}, {42, 33}}) {
        EXPECT_LT(dot_test(EchoPathIntegral(pairs(rows, columns, 1.1e-3), receivers())), 1e-6) << rows;
        PathGeometry plane{centred_grid(rows, columns, 1.1e-3), centred_grid(rows, columns, 1.1e-3), {}};
        plane.measurements.push_back(transmission_difference(plane_rays(-0.1), plane_rays(0.15)));
        EXPECT_LT(dot_test(EchoPathIntegral(plane, receivers())), 1e-6) << rows;
    }
}

// Where slowness is the same everywhere, the way back is as long as it is, and least squares over two
// unknowns may be done by hand: here by searching the place whose echo fits best.
TEST(EchoPathIntegral, FindsThePlaceOfEchoesInAUniformMediumAsASearchDoes) {
    const PathGeometry geometry = pairs(42, 33, 1.1e-3);
    const std::vector<RaySource> receive = receivers();
    const EchoPathIntegral echoes(geometry, receive);
    const double c = 1500, deviation = 1 / 1503.0 - 1 / c;
    Array<float> slowness(echoes.domain());
    std::fill(slowness.begin(), slowness.end(), static_cast<float>(deviation));
    Array<float> delays(echoes.range());
    Context context(make_serial_runner());
    context.workspace().reserve(echoes.workspace_bytes(context));
    echoes.apply(slowness, delays, context);
    for (const auto& [i, j] : {std::pair<Index, Index>{20, 16}, {30, 10}, {35, 24}}) {
        const Point p = geometry.map.point(static_cast<double>(i), static_cast<double>(j));
        const Point first = geometry.measurements[1][0].source.origin;
        const Point second = geometry.measurements[1][1].source.origin;
        ASSERT_EQ(echoes.coverage()(1, i, j), 1);
        // The scatterer whose echoes of both transmissions, mean, the elements see as near as can be to where
        // the beamformer looks for them at p: Gauss-Newton on x - <x> over u - <u>, and on the mean.
        Point q = p;
        for (int round = 0; round < 50; ++round) {
            double n = 0, u = 0, uu = 0, miss = 0, u_miss = 0;
            const auto tx = [&](Point at) { return 0.5 * (length(at - first) + length(at - second)); };
            for (const RaySource& element : receive) {
                if (!sees(element, geometry.map, p)) continue;
                const double there = (tx(q) + length(q - element.origin)) * (1 / c + deviation);
                const double looked = (tx(p) + length(p - element.origin)) / c;
                const double across = (p.x - element.origin.x) / length(p - element.origin);
                n += 1;
                u += across;
                uu += across * across;
                miss += looked - there;
                u_miss += across * (looked - there);
            }
            const double slope = (u_miss / n - u / n * miss / n) / (uu / n - u / n * u / n);
            // Steps in directions that change mostly the one, then the other.
            q.x += 0.5 * c * slope;
            q.z += 0.4 * c * miss / n;
        }
        const double measured = (length(q - first) - length(q - second)) * (1 / c + deviation) -
                                (length(p - first) - length(p - second)) / c;
        // Second order in the deviation is 0.2 % of it.
        EXPECT_NEAR(delays(1, i, j), measured, 0.02 * std::abs(measured) + 2e-11) << i << ", " << j;
    }
}

TEST(EchoPathIntegral, IsZeroWhereNothingIsSeenAndNowhereElse) {
    const EchoPathIntegral echoes(pairs(42, 33, 1.1e-3), receivers());
    Array<float> slowness(echoes.domain()), delays(echoes.range());
    std::fill(slowness.begin(), slowness.end(), 1e-6f);
    Context context(make_serial_runner());
    context.workspace().reserve(echoes.workspace_bytes(context));
    echoes.apply(slowness, delays, context);
    Index seen = 0;
    for (Index n = 0; n < delays.elements(); ++n) {
        EXPECT_TRUE(std::isfinite(delays.data()[n]));
        EXPECT_TRUE(echoes.coverage().data()[n] != 0 || delays.data()[n] == 0);
        seen += delays.data()[n] != 0;
    }
    EXPECT_GT(seen, 1000);
}

TEST(EchoPathIntegral, HasTheSameBitsOnAnyNumberOfThreads) {
    const EchoPathIntegral echoes(pairs(42, 33, 1.1e-3), receivers());
    Array<float> slowness(echoes.domain());
    for (Index n = 0; n < slowness.elements(); ++n) slowness.data()[n] = static_cast<float>(n % 7) * 1e-6f;
    std::vector<Array<float>> delays, back;
    for (const int threads : {1, 2, 3}) {
        Context context(make_openmp_runner(threads));
        context.workspace().reserve(echoes.workspace_bytes(context));
        echoes.apply(slowness, delays.emplace_back(echoes.range()), context);
        echoes.adjoint(delays.back(), back.emplace_back(echoes.domain()), context);
        EXPECT_TRUE(std::equal(delays[0].begin(), delays[0].end(), delays.back().begin()));
        EXPECT_TRUE(std::equal(back[0].begin(), back[0].end(), back.back().begin()));
    }
}

TEST(EchoPathIntegral, RefusesWhatIsNoPairByName) {
    PathGeometry sums = pairs(10, 10, 1e-3);
    sums.measurements[1][1].weight = 1;
    EXPECT_THAT([&] { EchoPathIntegral(sums, receivers()); },
                ThrowsMessage<Error>(HasSubstr("measurement 1 must be the difference")));
    EXPECT_THAT([] { EchoPathIntegral(pairs(10, 10, 1e-3), {}); },
                ThrowsMessage<Error>(HasSubstr("at least one element must receive")));
    EXPECT_THAT([] { EchoPathIntegral(pairs(10, 10, 1e-3), {plane_rays(0)}); },
                ThrowsMessage<Error>(HasSubstr("must be points")));
}

}  // namespace
}  // namespace sonolux

// Physics whose answer is known without k-Wave.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sonolux/core/random.hpp>
#include <sonolux/simulation/acoustics/kspace_first_order.hpp>
#include <sonolux/simulation/acoustics/power_law_absorption.hpp>

namespace sonolux {
namespace {

constexpr double pi = std::numbers::pi;

KspaceSetup water(const KspaceSize& size, double spacing, double time_step) {
    KspaceSetup setup;
    setup.grid.size = size;
    setup.grid.spacing = {spacing, spacing, spacing};
    setup.grid.time_step = time_step;
    setup.medium.sound_speed = 1500.0;
    setup.medium.density = 1000.0;
    setup.layer = AbsorbingLayer::none();
    return setup;
}

Array<float> normal(const KspaceSize& size, std::uint64_t seed, float mean, float deviation) {
    Array<float> values({size.planes * size.rows, size.columns});
    fill_normal(values, Philox(seed));
    for (float& v : values) v = mean + deviation * std::clamp(v, -3.0f, 3.0f);
    return values;
}

TEST(KspaceFirstOrder, MovesStandingWavesExactlyInAUniformMedium) {
    // cos(k x) cos(c k t), along each axis and obliquely, at time steps far beyond those of finite
    // differences.
    for (const KspaceSize& size : {KspaceSize{1, 16, 20}, KspaceSize{8, 12, 10}}) {
        KspaceSetup setup = water(size, 1e-4, 5e-8);  // CFL 0.75
        const Index mx = 2, my = 3, mz = size.volume() ? 1 : 0;
        const auto phase = [&](Index i) {
            const Index x = i % size.columns, y = i / size.columns % size.rows,
                        z = i / size.columns / size.rows;
            return 2 * pi *
                   (static_cast<double>(mx * x) / static_cast<double>(size.columns) +
                    static_cast<double>(my * y) / static_cast<double>(size.rows) +
                    static_cast<double>(mz * z) / static_cast<double>(size.planes));
        };
        Array<float> initial({size.planes * size.rows, size.columns});
        for (Index i = 0; i < size.points(); ++i) initial.data()[i] = static_cast<float>(std::cos(phase(i)));
        setup.sources.initial_pressure = initial;
        Context context;
        KspaceFirstOrder simulation(setup, context);
        for (int i = 0; i < 201; ++i) simulation.step(context);
        const double k = 2 * pi / 1e-4 *
                         std::hypot(static_cast<double>(mx) / static_cast<double>(size.columns),
                                    static_cast<double>(my) / static_cast<double>(size.rows),
                                    static_cast<double>(mz) / static_cast<double>(size.planes));
        for (Index i = 0; i < size.points();
             ++i)  // factors are rounded to 6e-8, over a phase of some 200 rad
            EXPECT_NEAR(simulation.pressure().data()[i], std::cos(phase(i)) * std::cos(1500 * k * 200 * 5e-8),
                        1e-4);
    }
}

TEST(KspaceFirstOrder, APointSourceSendsOutTheSphericalWaveOfTheory) {
    // p = spacing^2 / (2 pi c r) s'(t - r / c), for the mass that an additive pressure source s puts into one
    // point.
    const KspaceSize size{48, 48, 48};
    const double spacing = 1e-4, dt = 2e-8, c = 1500;
    KspaceSetup setup = water(size, spacing, dt);
    setup.layer = {{8, 8, 8}, {2, 2, 2}};
    const auto signal = [&](double t) {  // 1.5 MHz: 10 points per wavelength
        return std::exp(-std::pow((t - 1e-6) / 0.25e-6, 2)) * std::sin(2 * pi * 1.5e6 * (t - 1e-6));
    };
    PointSource& source = setup.sources.pressure;
    source.points = {(20 * 48 + 22) * 48 + 18};
    source.samples = 100;
    for (Index i = 0; i < source.samples; ++i)
        source.signal.push_back(static_cast<float>(signal(static_cast<double>(i) * dt) *
                                                   pressure_source_scale(setup.grid, c, source.mode)));
    Context context;
    KspaceFirstOrder simulation(setup, context);
    const Index receiver = (26 * 48 + 25) * 48 + 30;
    const double r = spacing * std::sqrt(6.0 * 6 + 3 * 3 + 12 * 12);
    double largest = 0, difference = 0;
    for (int i = 0; i < 140; ++i) {
        simulation.step(context);
        // The density added in step i is there at the pressure's time (i + 1) dt, and stands for time (i +
        // 1/2) dt.
        const double t = (static_cast<double>(i) + 0.5) * dt - r / c, h = dt / 100;
        const double theory =
            spacing * spacing / (2 * pi * c * r) * (signal(t + h) - signal(t - h)) / (2 * h);
        largest = std::max(largest, std::abs(theory));
        difference = std::max(difference,
                              std::abs(theory - static_cast<double>(simulation.pressure().data()[receiver])));
    }
    EXPECT_LT(difference / largest, 0.01);  // what comes back from a layer of 8 points is the larger part
}

/// Decay (1/s) and angular frequency of a(n) = A e^(-g n dt) cos(w n dt + phi), from its linear recurrence
/// over a quarter of a period, where rounding does least harm.
std::pair<double, double> decay_and_frequency(const std::vector<double>& a, double dt,
                                              double expected_frequency) {
    const auto stride = static_cast<std::size_t>(std::lround(pi / 2 / (expected_frequency * dt)));
    double s11 = 0, s12 = 0, s22 = 0, r1 = 0, r2 = 0;  // a(n + stride) = u a(n) - v a(n - stride)
    for (std::size_t n = stride; n + stride < a.size(); ++n) {
        s11 += a[n] * a[n];
        s12 -= a[n] * a[n - stride];
        s22 += a[n - stride] * a[n - stride];
        r1 += a[n + stride] * a[n];
        r2 -= a[n + stride] * a[n - stride];
    }
    const double determinant = s11 * s22 - s12 * s12, step = dt * static_cast<double>(stride);
    const double u = (r1 * s22 - r2 * s12) / determinant, v = (s11 * r2 - s12 * r1) / determinant;
    return {-std::log(v) / (2 * step), std::acos(u / (2 * std::sqrt(v))) / step};
}

TEST(KspaceFirstOrder, LosesAndDispersesByThePowerLawOverADecadeOfFrequency) {
    for (double power : {1.1, 1.5, 2.0}) {
        const Index columns = 120;
        const double spacing = 2.5e-5, dt = 2e-9, c = 1500, decibels = 0.1;  // modes 1 ... 10: 0.5 ... 5 MHz
        KspaceSetup setup = water({1, 2, columns}, spacing, dt);
        setup.medium.absorption = power == 2 ? KspaceAbsorption::stokes : KspaceAbsorption::power_law;
        setup.medium.attenuation = decibels;
        setup.medium.attenuation_power = power;
        Array<float> initial({2, columns});
        for (Index i = 0; i < 2 * columns; ++i)
            for (int mode = 1; mode <= 10; ++mode)
                initial.data()[i] += static_cast<float>(std::cos(
                    2 * pi * mode * static_cast<double>(i % columns) / static_cast<double>(columns)));
        setup.sources.initial_pressure = initial;
        Context context(make_serial_runner());
        KspaceFirstOrder simulation(setup, context);
        std::vector<std::vector<double>> amplitude(11);
        for (int step = 0; step < 4000; ++step) {
            simulation.step(context);
            for (std::size_t mode = 1; mode <= 10; ++mode) {
                double sum = 0;
                for (Index i = 0; i < columns; ++i)
                    sum += static_cast<double>(simulation.pressure().data()[i]) *
                           std::cos(2 * pi * static_cast<double>(mode) * static_cast<double>(i) /
                                    static_cast<double>(columns));
                amplitude[mode].push_back(sum);
            }
        }
        for (std::size_t mode = 1; mode <= 10; ++mode) {
            const double k = 2 * pi * static_cast<double>(mode) / (static_cast<double>(columns) * spacing);
            const auto [decay, omega] = decay_and_frequency(amplitude[mode], dt, c * k);
            const double speed = phase_speed(omega / (2 * pi), decibels, power, c);
            const double loss = attenuation_in_nepers(decibels, power) * std::pow(omega, power);
            // The equations hold to first order in alpha c / omega, which is below 0.4 % here.
            EXPECT_NEAR(decay / speed / loss, 1, 0.01) << "y = " << power << ", mode " << mode;
            // The scheme takes the loss half a step late.
            EXPECT_NEAR((omega / k - c) / c, (speed - c) / c, 2e-5 + decay * dt)
                << "y = " << power << ", mode " << mode;
        }
    }
}

TEST(KspaceFirstOrder, KeepsTheEnergyOfAClosedLosslessBoxForTenThousandSteps) {
    // Sum of p^2 / (rho c^2) + rho u(before) u(after): what the scheme itself conserves, whatever the medium.
    const KspaceSize size{1, 24, 30};
    KspaceSetup setup = water(size, 1e-4, 2e-8);
    const Array<float> speed = normal(size, 1, 1500, 30), density = normal(size, 2, 1000, 40);
    const Array<float> initial = normal(size, 3, 0, 1);
    setup.medium.sound_speed = speed.view();
    setup.medium.density = density.view();
    setup.medium.staggered_density = {density.view(), density.view(), {}};
    setup.medium.has_staggered_density = {true, true, false};
    setup.sources.initial_pressure = initial;
    Context context(make_serial_runner());
    KspaceFirstOrder simulation(setup, context);
    Array<float> before({2, size.points()}), pressure({size.points()});
    const auto energy_after_step = [&] {
        std::copy_n(simulation.pressure().data(), size.points(), pressure.data());
        for (int axis = 0; axis < 2; ++axis)
            std::copy_n(simulation.velocity(axis).data(), size.points(), before.view()[axis].data());
        simulation.step(context);
        double energy = 0;
        for (Index i = 0; i < size.points(); ++i) {
            const double p = static_cast<double>(pressure(i)), rho = static_cast<double>(density.data()[i]);
            const double c = static_cast<double>(speed.data()[i]);
            energy += p * p / (rho * c * c);
            for (int axis = 0; axis < 2; ++axis)
                energy += rho * static_cast<double>(before(axis, i)) *
                          static_cast<double>(simulation.velocity(axis).data()[i]);
        }
        return energy;
    };
    simulation.step(context);
    const double at_first = energy_after_step();
    for (int step = 0; step < 10000; ++step) simulation.step(context);
    EXPECT_NEAR(energy_after_step() / at_first, 1, 1e-4);
}

TEST(KspaceFirstOrder, GivesTheSameBitsWithAnyNumberOfThreads) {
    for (const KspaceSize& size : {KspaceSize{1, 45, 33}, KspaceSize{7, 9, 12}}) {
        std::vector<float> first;
        for (int threads : {1, 2, 3}) {
            KspaceSetup setup = water(size, 1e-4, 2e-8);
            const Array<float> speed = normal(size, 1, 1500, 30), initial = normal(size, 3, 0, 1);
            setup.medium.sound_speed = speed.view();
            setup.medium.absorption = KspaceAbsorption::power_law;
            setup.medium.attenuation = 0.7;
            setup.medium.nonlinear = true;
            setup.medium.nonlinearity = 6.0;
            setup.layer = {{2, 3, size.volume() ? 2 : 0}, {2, 2, 2}};
            setup.sources.initial_pressure = initial;
            Context context(make_openmp_runner(threads));
            KspaceFirstOrder simulation(setup, context);
            for (int step = 0; step < 12; ++step) simulation.step(context);
            const std::vector<float> result(simulation.pressure().data(),
                                            simulation.pressure().data() + size.points());
            if (first.empty()) first = result;
            EXPECT_EQ(result, first) << threads;
        }
    }
}

}  // namespace
}  // namespace sonolux

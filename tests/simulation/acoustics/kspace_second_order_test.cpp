// The second-order scheme against the first-order one, which k-Wave's results check.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <sonolux/core/random.hpp>
#include <sonolux/simulation/acoustics/kspace_simulation.hpp>
#include <type_traits>

namespace sonolux {
namespace {

constexpr double pi = std::numbers::pi;

/// Tissue by the look of it: smooth random inclusions of +-`contrast` with scatterers of a percent on top.
Array<float> tissue(Index rows, Index columns, std::uint64_t seed, double mean, double contrast) {
    Array<float> values({rows, columns}), places({8, 4});
    fill_normal(values, Philox(seed));
    fill_normal(places, Philox(seed + 1000));
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            double sum = 0.005 * std::clamp(static_cast<double>(values(i, j)), -3.0, 3.0);
            for (Index k = 0; k < 8; ++k) {
                const double y = static_cast<double>(rows) * (0.5 + 0.2 * static_cast<double>(places(k, 0)));
                const double x =
                    static_cast<double>(columns) * (0.5 + 0.2 * static_cast<double>(places(k, 1)));
                const double size = 4 + 8 * std::abs(static_cast<double>(places(k, 2)));
                const double r = std::hypot(static_cast<double>(i) - y, static_cast<double>(j) - x) / size;
                sum += contrast * (places(k, 3) > 0 ? 1 : -1) / (1 + std::pow(r, 8));
            }
            values(i, j) = static_cast<float>(mean * (1 + std::clamp(sum, -0.2, 0.2)));
        }
    return values;
}

/// A pulse of 5 MHz from a line of points at the top; 0.075 mm are 4 points per wavelength.
KspaceSetup pulse_echo(Index rows, Index columns, double time_step) {
    KspaceSetup setup;
    setup.grid.size = {1, rows, columns};
    setup.grid.spacing = {7.5e-5, 7.5e-5, 0};
    setup.grid.time_step = time_step;
    setup.medium.sound_speed = 1540.0;
    PointSource& source = setup.sources.pressure;
    source.mode = SourceMode::additive;
    for (Index j = columns / 2 - 6; j < columns / 2 + 6; ++j) source.points.push_back(24 * columns + j);
    source.samples = static_cast<Index>(1e-6 / time_step);
    for (Index i = 0; i < source.samples; ++i) {
        const double t = static_cast<double>(i) * time_step - 0.5e-6;
        source.signal.push_back(
            static_cast<float>(std::exp(-std::pow(t / 0.2e-6, 2)) * std::sin(2 * pi * 4e6 * t) *
                               pressure_source_scale(setup.grid, 1540, source.mode)));
    }
    return setup;
}

/// What points of the line of sources receive from step `from` on, [steps, columns].
template <class Simulation>
std::vector<float> received(const KspaceSetup& setup, Index steps, Index from = 0) {
    Context context;
    Simulation simulation(setup, context);
    std::vector<float> signals;
    for (Index step = 0; step < steps; ++step) {
        simulation.step(context);
        if (step < from) continue;
        const float* row = simulation.pressure().data() + 24 * setup.grid.size.columns;
        signals.insert(signals.end(), row + 24, row + setup.grid.size.columns - 24);
    }
    return signals;
}

double relative_l2(const std::vector<float>& found, const std::vector<float>& expected) {
    double difference = 0, norm = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        difference += std::pow(static_cast<double>(found[i]) - static_cast<double>(expected[i]), 2);
        norm += std::pow(static_cast<double>(expected[i]), 2);
    }
    return std::sqrt(difference / norm);
}

TEST(KspaceSecondOrder, IsTheFirstOrderSchemeWithoutLayersUpToRounding) {
    for (bool varying : {false, true})
        for (SourceMode mode : {SourceMode::additive, SourceMode::no_correction})
            for (bool many : {false, true}) {
                KspaceSetup setup = pulse_echo(50, 64, 1.5e-8);
                setup.layer = AbsorbingLayer::none();
                const Array<float> speed = tissue(50, 64, 1, 1540, 0.05),
                                   density = tissue(50, 64, 2, 1000, 0.1);
                setup.medium.sound_speed = speed.view();
                if (varying) setup.medium.density = density.view();
                PointSource& source = setup.sources.pressure;
                source.mode = mode;
                if (many) {
                    std::vector<float> signals;
                    for (float s : source.signal)
                        for (std::size_t i = 0; i < source.points.size(); ++i)
                            signals.push_back(s * (1.0f + 0.1f * static_cast<float>(i)));
                    source.one_for_all = false;
                    source.signal = signals;
                }
                EXPECT_LT(relative_l2(received<KspaceSecondOrder>(setup, 200),
                                      received<KspaceFirstOrder>(setup, 200)),
                          1e-4)  // sums of second differences in single precision
                    << varying << many;
            }
}

TEST(KspaceSecondOrder, AbsorbsAsTheFirstOrderSchemeDoes) {
    for (bool varying : {false, true})
        for (bool initial : {false, true})
            for (double power : {1.1, 1.5, 2.0}) {
                KspaceSetup setup = pulse_echo(50, 64, 1.5e-8);
                setup.layer = AbsorbingLayer::none();
                const Array<float> speed = tissue(50, 64, 1, 1540, 0.05),
                                   density = tissue(50, 64, 2, 1000, 0.1),
                                   attenuation = tissue(50, 64, 3, 2, 0.2);
                setup.medium.sound_speed = speed.view();
                if (varying) setup.medium.density = density.view();
                setup.medium.absorption = power == 2 ? KspaceAbsorption::stokes : KspaceAbsorption::power_law;
                setup.medium.attenuation = attenuation.view();
                setup.medium.attenuation_power = power;
                Array<float> start({50, 64});
                for (Index i = 0; i < 50; ++i)
                    for (Index j = 0; j < 64; ++j)
                        start(i, j) =
                            std::exp(-0.05f * static_cast<float>((i - 20) * (i - 20) + (j - 30) * (j - 30)));
                if (initial) {
                    setup.sources.pressure = {};
                    setup.sources.initial_pressure = start;
                }
                EXPECT_LT(relative_l2(received<KspaceSecondOrder>(setup, 200),
                                      received<KspaceFirstOrder>(setup, 200)),
                          1e-4)
                    << varying << initial << power;
            }
}

TEST(KspaceSecondOrder, StartsFromAnInitialPressureAsTheFirstOrderSchemeDoes) {
    KspaceSetup setup = pulse_echo(48, 60, 1.5e-8);
    setup.sources.pressure = {};
    setup.layer = AbsorbingLayer::none();
    Array<float> initial({48, 60});
    for (Index i = 0; i < 48; ++i)
        for (Index j = 0; j < 60; ++j)
            initial(i, j) = std::exp(-0.05f * static_cast<float>((i - 20) * (i - 20) + (j - 30) * (j - 30)));
    setup.sources.initial_pressure = initial;
    EXPECT_LT(relative_l2(received<KspaceSecondOrder>(setup, 150), received<KspaceFirstOrder>(setup, 150)),
              1e-4);
}

/// Relative differences of the echoes of tissue, for constant and for varying density: of what is received
/// after step 560, when the wave that goes straight from the source to the receivers has passed them all.
void expect_the_same_echoes(std::uint64_t seed) {
    // Both with layers of 20 points, whose reflections differ: 1 % and 2 % of the echoes bound them.
    KspaceSetup setup = pulse_echo(128, 108, 1.2e-8);
    const Array<float> speed = tissue(128, 108, seed, 1540, 0.04),
                       density = tissue(128, 108, seed + 50, 1000, 0.05);
    setup.medium.sound_speed = speed.view();
    const auto difference = [&] {
        return relative_l2(received<KspaceSecondOrder>(setup, 1000, 560),
                           received<KspaceFirstOrder>(setup, 1000, 560));
    };
    const double constant = difference();
    setup.medium.absorption = KspaceAbsorption::power_law;
    setup.medium.attenuation = 0.75;
    setup.medium.attenuation_power = 1.1;
    const double absorbing = difference();
    setup.medium.absorption = KspaceAbsorption::none;
    setup.medium.density = density.view();
    const double varying = difference();
    std::printf("tissue %d: %.6f constant, %.6f absorbing, %.6f varying\n", static_cast<int>(seed), constant,
                absorbing, varying);
    EXPECT_LT(absorbing, 0.01) << seed;
    EXPECT_LT(constant, 0.01) << seed;
    EXPECT_LT(varying, 0.02) << seed;
}

TEST(KspaceSecondOrder, ReceivesWhatTheFirstOrderSchemeReceivesFromTissue) { expect_the_same_echoes(1); }

TEST(KspaceSecondOrderSlow, ReceivesWhatTheFirstOrderSchemeReceivesFromTenTissues) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) expect_the_same_echoes(seed);
}

TEST(KspaceSecondOrderSlow, ItsLayerReflectsAsLittleAsTheFirstOrderSchemesOverAngle) {
    // What a smooth pulse, 2 points wide, leaves behind in a grid with layers and in one so large that
    // nothing comes back; the difference at receivers along the layer, from normal incidence to 60 degrees,
    // is the reflection. (A source at a single point would not do: its spectrum does not end before Nyquist's
    // bin, so that it differs between the grids.)
    for (bool varying : {false, true}) {
        const auto run = [&](auto which, Index size, std::vector<std::vector<float>>& signals) {
            using Simulation = typename decltype(which)::type;
            KspaceSetup setup = pulse_echo(size, size, 1.5e-8);
            const Array<float> density = [&] {
                Array<float> values({size, size});
                std::fill(values.begin(), values.end(), 1000.0f);
                return values;
            }();
            if (varying) setup.medium.density = density.view();
            const Index corner = (size - 120) / 2;
            setup.sources.pressure = {};
            Array<float> initial({size, size});
            for (Index i = 0; i < size; ++i)
                for (Index j = 0; j < size; ++j) {
                    const double y = static_cast<double>(i - corner - 30),
                                 x = static_cast<double>(j - corner - 30);
                    initial(i, j) = static_cast<float>(std::exp(-(x * x + y * y) / 8));
                }
            setup.sources.initial_pressure = initial;
            Context context;
            Simulation simulation(setup, context);
            signals.assign(7, {});
            for (Index step = 0; step < 420; ++step) {
                simulation.step(context);
                for (std::size_t angle = 0; angle < 7; ++angle) {
                    const double along = 2 * 10 * std::tan(static_cast<double>(angle) * 10 * pi / 180);
                    const Index column = corner + 30 + static_cast<Index>(along);
                    signals[angle].push_back(simulation.pressure().data()[(corner + 30) * size + column]);
                }
            }
        };
        std::vector<std::vector<float>> first, second, free;
        run(std::type_identity<KspaceFirstOrder>{}, 120, first);
        run(std::type_identity<KspaceSecondOrder>{}, 120, second);
        run(std::type_identity<KspaceFirstOrder>{}, 320, free);
        for (std::size_t angle = 0; angle < 7; ++angle) {
            const double of_first = relative_l2(first[angle], free[angle]),
                         of_second = relative_l2(second[angle], free[angle]);
            std::printf("%s density, %2d degrees: %.1f dB, second order %.1f dB\n",
                        varying ? "varying" : "constant", static_cast<int>(10 * angle),
                        20 * std::log10(of_first), 20 * std::log10(of_second));
            // Both are near rounding, 1e-6: at most 6 dB more.
            EXPECT_LT(20 * std::log10(of_second / of_first), 6)
                << (varying ? "varying, " : "constant, ") << 10 * angle << " degrees";
        }
    }
}

TEST(KspaceSecondOrder, HasTheSameBitsOnAnyNumberOfThreadsAndFusingInstructionSets) {
    for (bool varying : {false, true}) {
        KspaceSetup setup = pulse_echo(90, 108, 1.5e-8);
        const Array<float> density = tissue(90, 108, 2, 1000, 0.1);
        if (varying) setup.medium.density = density.view();
        const auto run = [&](int threads, Isa isa) {
            Context context(make_openmp_runner(threads));
            context.set_isa(isa);
            KspaceSecondOrder simulation(setup, context);
            for (int step = 0; step < 60; ++step) simulation.step(context);
            return std::vector<float>(simulation.pressure().data(), simulation.pressure().data() + 90 * 108);
        };
        const std::vector<float> one = run(1, default_isa());
        EXPECT_EQ(run(2, default_isa()), one);
        EXPECT_EQ(run(3, default_isa()), one);
        if (default_isa() == Isa::avx512) {
            EXPECT_EQ(run(1, Isa::avx2), one);
        }
    }
}

TEST(KspaceSecondOrder, SeesADensityThatOnlyItsStaggeredValuesHave) {
    KspaceSetup setup = pulse_echo(50, 64, 1.5e-8);
    const Array<float> density = tissue(50, 64, 2, 1000, 0.1);
    setup.medium.staggered_density[0] = density.view();
    setup.medium.has_staggered_density[0] = true;
    Context context;
    EXPECT_EQ(KspaceSecondOrder(setup, context).description(),
              "second-order k-space scheme, 6 transforms a step");
    setup.layer = AbsorbingLayer::none();
    EXPECT_LT(relative_l2(received<KspaceSecondOrder>(setup, 200), received<KspaceFirstOrder>(setup, 200)),
              1e-4);
}

TEST(KspaceSecondOrder, ItsLayerStaysQuietForLong) {
    // 20,000 steps in tissue of 1400 to 1680 m/s: what is left falls, and nothing grows again.
    for (bool varying : {false, true}) {
        KspaceSetup setup = pulse_echo(80, 90, 1.8e-8);
        const Array<float> speed = tissue(80, 90, 3, 1540, 0.09), density = tissue(80, 90, 4, 1000, 0.1);
        setup.medium.sound_speed = speed.view();
        if (varying) setup.medium.density = density.view();
        Context context(make_serial_runner());
        KspaceSecondOrder simulation(setup, context);
        double largest = 0, last = 0;
        for (int step = 0; step < 20000; ++step) {
            simulation.step(context);
            last = 0;
            if (step > 300 && step < 19000) continue;
            for (Index i = 0; i < 80 * 90; ++i)
                last = std::max(last, std::abs(static_cast<double>(simulation.pressure().data()[i])));
            largest = std::max(largest, last);
        }
        EXPECT_LT(last, 1e-5 * largest) << varying;
    }
}

TEST(KspaceSetup, DiscreteSoundSpeedMakesAWaveOfThatFrequencyTravelAsFastAsItShould) {
    // Standing plane wave, p = cos(w t) cos(k x), of 3.2 points in a wavelength and 8.6 steps in a period.
    KspaceSetup setup = pulse_echo(8, 64, 2e-8);
    setup.sources.pressure = {};
    setup.layer = AbsorbingLayer::none();
    const double k = 2 * pi * 20 / (64 * 7.5e-5), speed = 1400, frequency = speed * k / (2 * pi);
    setup.medium.reference_speed = 1600;
    setup.medium.sound_speed = discrete_sound_speed(speed, 1600, 2e-8, frequency);
    Array<float> initial({8, 64});
    for (Index i = 0; i < 8; ++i)
        for (Index j = 0; j < 64; ++j)
            initial(i, j) = static_cast<float>(std::cos(k * 7.5e-5 * static_cast<double>(j)));
    setup.sources.initial_pressure = initial;
    Context context(make_serial_runner());
    KspaceSimulation simulation(setup, context);
    for (int step = 0; step <= 500; ++step) {
        EXPECT_EQ(simulation.done(), step);
        simulation.step(context);
        ASSERT_NEAR(simulation.pressure().data()[0], std::cos(2 * pi * frequency * 2e-8 * step), 2e-3)
            << step;
    }
}

TEST(KspaceSimulation, TakesTheFastestSchemeThatIsValidAndSaysSo) {
    KspaceSetup setup = pulse_echo(50, 64, 1.5e-8);
    Context context;
    const KspaceSimulation fast(setup, context);
    EXPECT_EQ(fast.description(), "second-order k-space scheme, constant density, 2 transforms a step");
    EXPECT_EQ(fast.first_order(), nullptr);
    setup.medium.absorption = KspaceAbsorption::power_law;
    setup.medium.attenuation = 0.5;
    const KspaceSimulation lossy(setup, context);
    EXPECT_EQ(lossy.description(),
              "second-order k-space scheme, constant density, 5 transforms a step, power-law absorption");
    setup.medium.nonlinear = true;
    setup.medium.nonlinearity = 6.0;
    const KspaceSimulation nonlinear(setup, context);
    EXPECT_EQ(
        nonlinear.description(),
        "first-order k-space scheme, 11 transforms a step, power-law absorption, nonlinear (the medium is "
        "nonlinear)");
    EXPECT_NE(nonlinear.first_order(), nullptr);
}

TEST(KspaceSecondOrder, SaysWhereItIsNotValid) {
    KspaceSetup setup = pulse_echo(50, 64, 1.5e-8);
    EXPECT_EQ(KspaceSecondOrder::why_not(setup), "");
    setup.sources.pressure.mode = SourceMode::dirichlet;
    EXPECT_EQ(KspaceSecondOrder::why_not(setup), "the pressure is prescribed at points");
    setup.medium.nonlinear = true;
    setup.medium.nonlinearity = 6.0;
    EXPECT_EQ(KspaceSecondOrder::why_not(setup), "the medium is nonlinear");
    Context context;
    EXPECT_THROW(KspaceSecondOrder(setup, context), Error);
}

}  // namespace
}  // namespace sonolux

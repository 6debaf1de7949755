// Input and output files of k-Wave, and the program that turns one into the other.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>
#include <sonolux/sdk/pipelines/kspace_run.hpp>
#include <sonolux/simulation/acoustics/kspace_first_order.hpp>

#include "tests/support/paths.hpp"

namespace sonolux {
namespace {

class KspaceRun : public testing::Test {
protected:
    void SetUp() override {
        folder_ =
            std::filesystem::path(testing::TempDir()) / ("sonolux_kspace_run_" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    /// A lossy, nonlinear medium that varies, two sources, layers: everything that a file can say.
    static KwaveInput everything(const KspaceSize& size) {
        KwaveInput input;
        KspaceSetup& setup = input.setup;
        setup.grid.size = size;
        setup.grid.spacing = {1e-4, 1.1e-4, size.volume() ? 0.9e-4 : 0.0};
        setup.grid.time_step = 1.5e-8;
        setup.grid.steps = 25;
        for (auto [seed, mean, spread] :
             {std::tuple{1, 1500.0f, 40.0f}, {2, 1000.0f, 30.0f}, {3, 0.7f, 0.1f}}) {
            Array<float> values({size.planes * size.rows, size.columns});
            fill_normal(values, Philox(static_cast<std::uint64_t>(seed)));
            for (float& v : values) v = mean + spread * std::tanh(v);
            input.fields.push_back(std::move(values));
        }
        setup.medium.sound_speed = input.fields[0].view();
        setup.medium.density = input.fields[1].view();
        setup.medium.attenuation = input.fields[2].view();
        setup.medium.absorption = KspaceAbsorption::power_law;
        setup.medium.attenuation_power = 1.4;
        setup.medium.reference_speed = setup.medium.sound_speed.largest(size.points());
        setup.medium.nonlinear = true;
        setup.medium.nonlinearity = 6.5;
        setup.layer = {{3, 2, size.volume() ? 1 : 0}, {1.5, 2, 2}};
        setup.sources.pressure.mode = SourceMode::no_correction;
        setup.sources.pressure.points = {size.columns * 4 + 5, size.columns * 5 + 5};
        setup.sources.pressure.samples = 10;
        for (int i = 0; i < 10; ++i)
            setup.sources.pressure.signal.push_back(1e-3f * std::sin(0.6f * static_cast<float>(i)));
        PointSource& push = setup.sources.velocity[1];
        push.mode = SourceMode::additive;
        push.one_for_all = false;
        push.points = {size.columns * 6 + 8, size.columns * 3 + 7};
        push.samples = 3;
        push.signal = {1, 2, 3, 2, 1, 0};
        input.sensor_points = {17, 3, size.points() - 1};
        return input;
    }

    std::filesystem::path folder_;
};

TEST_F(KspaceRun, FilesOfBothVersionsSayTheSameAsTheSetupTheyWereWrittenFrom) {
    for (int version : {1, 2})
        for (const KspaceSize& size : {KspaceSize{1, 12, 16}, KspaceSize{5, 9, 12}}) {
            const KwaveInput written = everything(size);
            write_kwave_input(path("in.h5"), written, version);
            const KwaveInput read = read_kwave_input(path("in.h5"));
            EXPECT_EQ(read.sensor_points, written.sensor_points);
            EXPECT_EQ(read.setup.sources.velocity[1].signal, written.setup.sources.velocity[1].signal);
            EXPECT_EQ(read.setup.sources.pressure.points, written.setup.sources.pressure.points);
            Context context;
            KspaceFirstOrder a(written.setup, context), b(read.setup, context);
            for (Index step = 0; step < written.setup.grid.steps; ++step) {
                a.step(context);
                b.step(context);
            }
            // Numbers go through single precision in the file: 6e-8, which 25 steps do not make 1e-5.
            double largest = 0;
            for (Index i = 0; i < size.points(); ++i)
                largest = std::max(largest, std::abs(static_cast<double>(a.pressure().data()[i])));
            for (Index i = 0; i < size.points(); ++i)
                EXPECT_NEAR(a.pressure().data()[i], b.pressure().data()[i], 1e-5 * largest);
        }
}

TEST_F(KspaceRun, RecordsWhatTheFieldsWereInKwavesShapes) {
    KwaveInput input = everything({1, 12, 16});
    write_kwave_input(path("in.h5"), input);
    KspaceRunOptions options{path("in.h5"), path("out.h5")};
    options.pressure = {true, true, true, true, true, true};
    options.velocity = {.raw = true, .max = true};
    options.pressure_final = options.velocity_final = options.velocity_non_staggered = true;
    options.start = 4;
    Context context;
    const KspaceRunResult result = run_kspace(options, context);
    EXPECT_EQ(result.steps, 25);

    const Hdf5File out = Hdf5File::open(path("out.h5"));
    EXPECT_EQ(out.text_attribute("/", "file_type"), "output");
    EXPECT_EQ(out.text_attribute("p", "data_type"), "float");
    EXPECT_EQ(out.text_attribute("Nx", "data_type"), "long");
    const auto p = out.read<float>("p", {1, 22, 3}), ux = out.read<float>("ux", {1, 22, 3});
    const auto p_max = out.read<float>("p_max", {1, 1, 3}), p_rms = out.read<float>("p_rms", {1, 1, 3});
    const auto p_final = out.read<float>("p_final", {1, 12, 16}),
               uy_final = out.read<float>("uy_final", {1, 12, 16});
    (void)out.read<float>("ux_non_staggered", {1, 22, 3});
    const auto p_min_all = out.read<float>("p_min_all", {1, 12, 16});
    const KwaveInput read = read_kwave_input(path("in.h5"));
    KspaceFirstOrder simulation(read.setup, context);
    std::vector<double> squares(3);
    std::vector<float> largest(3, -1e30f), smallest_all(192, 1e30f);
    for (std::size_t step = 0; step < 25; ++step) {
        simulation.step(context);
        if (step < 3) continue;
        for (std::size_t i = 0; i < 3; ++i) {
            const Index point = read.sensor_points[i];
            const float value = simulation.pressure().data()[point];
            EXPECT_EQ(p[3 * (step - 3) + i], value);
            EXPECT_EQ(ux[3 * (step - 3) + i], simulation.velocity(0).data()[point]);
            squares[i] += static_cast<double>(value) * static_cast<double>(value) / 22;
            largest[i] = std::max(largest[i], value);
        }
        for (std::size_t i = 0; i < 192; ++i)
            smallest_all[i] = std::min(smallest_all[i], simulation.pressure().data()[i]);
    }
    EXPECT_EQ(p_max, largest);
    EXPECT_EQ(p_min_all, smallest_all);
    for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(p_rms[i], std::sqrt(squares[i]), 1e-6 * std::sqrt(squares[i]));
    for (std::size_t i = 0; i < 192; ++i) {
        EXPECT_EQ(p_final[i], simulation.pressure().data()[i]);
        EXPECT_EQ(uy_final[i], simulation.velocity(1).data()[i]);
    }
}

TEST_F(KspaceRun, SaysHowManyStepsThereAreWhereFewerAreDoneThanTheFileAsksFor) {
    write_kwave_input(path("in.h5"), everything({1, 12, 16}));
    KspaceRunOptions options{path("in.h5"), path("out.h5")};
    options.steps = 7;
    Context context;
    run_kspace(options, context);
    const Hdf5File out = Hdf5File::open(path("out.h5"));
    (void)out.read<float>("p", {1, 7, 3});
    EXPECT_EQ(out.read<std::uint64_t>("Nt").front(), 7u);
}

TEST_F(KspaceRun, WarnsOfASourceThatTheGridDoesNotCarry) {
    KwaveInput input = everything({1, 12, 16});
    for (std::size_t i = 0; i < 10; ++i)  // 33 MHz, where the grid ends at 6.6 MHz
        input.setup.sources.pressure.signal[i] = i % 2 == 0 ? 1e-3f : -1e-3f;
    write_kwave_input(path("in.h5"), input);
    Context context;
    const KspaceRunResult result = run_kspace({path("in.h5"), path("out.h5")}, context);
    ASSERT_GE(result.warnings.size(), 1u);
    EXPECT_NE(result.warnings[0].find("the pressure source has "), std::string::npos) << result.warnings[0];
    EXPECT_NE(result.warnings[0].find("less than 2 points per wavelength"), std::string::npos);
}

TEST_F(KspaceRun, KeepsBoxesOfTheSensorApart) {
    KwaveInput input = everything({5, 9, 12});
    input.sensor_cuboids = {{{1, 2, 0}, {3, 2, 1}}, {{0, 0, 4}, {11, 0, 4}}};
    write_kwave_input(path("in.h5"), input);
    EXPECT_EQ(read_kwave_input(path("in.h5")).sensor_points.size(), 18u);
    Context context;
    run_kspace({path("in.h5"), path("out.h5")}, context);
    const Hdf5File out = Hdf5File::open(path("out.h5"));
    (void)out.read<float>("p/1", {25, 2, 1, 3});
    (void)out.read<float>("p/2", {25, 1, 1, 12});
}

std::string message_of(auto&& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST_F(KspaceRun, RefusesWhatIsMissingOrImpossibleByName) {
    const auto without = [&](const std::string& name) {
        write_kwave_input(path("in.h5"), everything({1, 12, 16}), 2);
        const Hdf5File whole = Hdf5File::open(path("in.h5"));
        Hdf5File part = Hdf5File::create(path("part.h5"));
        for (const std::string& each : whole.names("/")) {
            if (each == name) continue;
            const Hdf5Content content = whole.content(each);
            if (content.type == Hdf5Type::float32)
                part.write<float>(each, content.sizes, whole.read<float>(each));
            else
                part.write<std::uint64_t>(each, content.sizes, whole.read<std::uint64_t>(each));
        }
        part.commit();
        return message_of([&] { (void)read_kwave_input(path("part.h5")); });
    };
    for (const char* name : {"Nx", "dt", "c0", "rho0", "c_ref", "alpha_coeff", "BonA", "pml_x_size",
                             "p_source_input", "p_source_index", "u_source_mode", "sensor_mask_index"})
        EXPECT_NE(without(name).find("part.h5: no dataset \"" + std::string(name) + "\""), std::string::npos)
            << without(name);

    const auto refused = [&](auto&& change) {
        KwaveInput input = everything({1, 12, 16});
        change(input);
        return message_of([&] { require_valid(input.setup); });
    };
    using In = KwaveInput&;
    const auto has = [](const std::string& text, const char* part) {
        return text.find(part) != std::string::npos;
    };
    EXPECT_TRUE(has(refused([](In in) { in.fields[0](3, 5) = std::nanf(""); }),
                    "sound speed must be positive and finite, got nan at row 3, column 5"));
    EXPECT_TRUE(has(refused([](In in) { in.fields[1](0, 1) = 0; }),
                    "density must be positive and finite, got 0 at row 0, column 1"));
    EXPECT_TRUE(has(refused([](In in) { in.setup.medium.attenuation_power = 1; }),
                    "at least 0.05 from 1, near which"));
    EXPECT_TRUE(has(refused([](In in) { in.setup.medium.attenuation_power = 0.96; }), "got 0.96"));
    EXPECT_TRUE(has(refused([](In in) { in.setup.sources.pressure.points[1] = 192; }),
                    "pressure source: point 192 is outside the grid, which has 192 points"));
    EXPECT_TRUE(
        has(refused([](In in) { in.setup.layer.points[0] = 8; }), "8 points at both ends of x do not fit"));
    EXPECT_TRUE(has(refused([](In in) {
                        in.setup.medium.reference_speed = 500;
                        in.setup.grid.time_step = 1e-6;
                    }),
                    "is not stable with a reference speed of 500 m/s: at most "));
    const KwaveInput input = everything({1, 12, 16});
    EXPECT_TRUE(has(message_of([&] { require_resolved(input.setup.grid, input.setup.medium, 20e6); }),
                    "the grid is too coarse for 20 MHz: it has 0.6"));
}

TEST_F(KspaceRun, RefusesFilesWhoseCountsOrValuesCannotBeAndNamesTheFile) {
    /// What is said of a file in which the values of one dataset are all `value`.
    const auto with = [&](const std::string& name, auto value) {
        using T = decltype(value);
        write_kwave_input(path("in.h5"), everything({1, 12, 16}), 2);
        const Hdf5File whole = Hdf5File::open(path("in.h5"));
        Hdf5File changed = Hdf5File::create(path("changed.h5"));
        for (const std::string& each : whole.names("/")) {
            const Hdf5Content content = whole.content(each);
            const std::vector<T> same(static_cast<std::size_t>(content.elements()), value);
            if (each == name)
                changed.write<T>(each, content.sizes, same);
            else if (content.type == Hdf5Type::float32)
                changed.write<float>(each, content.sizes, whole.read<float>(each));
            else
                changed.write<std::uint64_t>(each, content.sizes, whole.read<std::uint64_t>(each));
        }
        changed.commit();
        return message_of([&] { (void)read_kwave_input(path("changed.h5")); });
    };
    const std::string file = path("changed.h5") + ": ";
    EXPECT_EQ(with("Nx", std::uint64_t{0}), file + "dataset \"Nx\" must be 1 to 1048576, got 0");
    EXPECT_EQ(with("Nz", std::uint64_t{1} << 39),
              file + "dataset \"Nz\" must be 1 to 1048576, got 549755813888");
    EXPECT_EQ(with("Nt", std::uint64_t{0}).find(file + "dataset \"Nt\" must be 1 to "), 0u);
    EXPECT_EQ(with("sensor_mask_type", std::uint64_t{2}),
              file + "dataset \"sensor_mask_type\" must be 0 to 1, got 2");
    EXPECT_EQ(with("c_ref", 0.0f), file + "dataset \"c_ref\" must be a positive speed, got 0");
    EXPECT_EQ(with("rho0", 0.0f), file + "density must be positive and finite, got 0 at row 0, column 0");
}

TEST_F(KspaceRun, RefusesATransducerThatPlaysMoreThanItsSignal) {
    write_kwave_input(path("in.h5"), everything({1, 12, 16}), 2);
    const Hdf5File whole = Hdf5File::open(path("in.h5"));
    Hdf5File changed = Hdf5File::create(path("changed.h5"));
    for (const std::string& each : whole.names("/")) {
        if (each == "transducer_source_flag" || each == "uy_source_flag") continue;
        const Hdf5Content content = whole.content(each);
        if (content.type == Hdf5Type::float32)
            changed.write<float>(each, content.sizes, whole.read<float>(each));
        else
            changed.write<std::uint64_t>(each, content.sizes, whole.read<std::uint64_t>(each));
    }
    const std::vector<std::uint64_t> samples{std::uint64_t{1} << 39}, delays{1, 2};
    const std::vector<float> signal(4);
    changed.write<std::uint64_t>("transducer_source_flag", {1, 1, 1}, samples);
    changed.write<float>("transducer_source_input", {1, 1, 4}, signal);
    changed.write<std::uint64_t>("delay_mask", {1, 1, 2}, delays);
    changed.commit();
    EXPECT_EQ(message_of([&] { (void)read_kwave_input(path("changed.h5")); }),
              path("changed.h5") +
                  ": dataset \"transducer_source_flag\" asks for 549755813888 samples, "
                  "\"transducer_source_input\" has 4");
}

TEST_F(KspaceRun, RefusesBoxesOfMorePointsThanCanBe) {
    KwaveInput input = everything({1, 12, 16});
    input.sensor_cuboids.assign(1 << 15, {{0, 0, 0}, {15, 11, 0}});  // 192 points each
    write_kwave_input(path("in.h5"), input, 2);
    const std::string message = message_of([&] { (void)read_kwave_input(path("in.h5")); });
    EXPECT_NE(message.find("boxes of 4194432 points and more, the grid has 192"), std::string::npos)
        << message;
}

TEST_F(KspaceRun, NeverWritesAPressureThatIsNotFinite) {
    KwaveInput input = everything({1, 12, 16});
    for (float& s : input.setup.sources.pressure.signal) s = 1e30f;  // squared by the nonlinearity
    write_kwave_input(path("in.h5"), input);
    Context context;
    const std::string message = message_of([&] { run_kspace({path("in.h5"), path("out.h5")}, context); });
    EXPECT_NE(message.find("the pressure is not finite"), std::string::npos) << message;
    EXPECT_FALSE(std::filesystem::exists(path("out.h5")));
}

TEST_F(KspaceRun, StopsWhereItIsToldToAndLeavesNothing) {
    write_kwave_input(path("in.h5"), everything({1, 12, 16}));
    Context context;
    context.set_progress([](const Progress& progress) { return progress.done < 5; });
    const std::string message = message_of([&] { run_kspace({path("in.h5"), path("out.h5")}, context); });
    EXPECT_NE(message.find("cancelled after step 5 of 25"), std::string::npos) << message;
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(KspaceRun, TheProgramTakesTheOptionsOfKwavesPrograms) {
    write_kwave_input(path("in.h5"), everything({1, 12, 16}));
    const auto run = [&](const std::string& options) {
        const std::string command = std::string(kspace_program()) + " " + options + " > " + path("out.txt") +
                                    " 2> " + path("err.txt");
        return WEXITSTATUS(std::system(command.c_str()));
    };
    EXPECT_EQ(run("-i " + path("in.h5") + " -o " + path("out.h5") +
                  " -t 1 -r 10 -s 2 -g 0 --verbose 1 --copy_sensor_mask --p_raw --p_max --p_rms --u_final "
                  "--p_final"),
              0)
        << read_text_file(path("err.txt"));
    EXPECT_NE(read_text_file(path("out.txt")).find("first-order k-space scheme, 11 transforms a step"),
              std::string::npos);
    EXPECT_EQ(Hdf5File::open(path("out.h5")).content("p").sizes, (std::vector<Index>{1, 24, 3}));
    const auto sensor = Hdf5File::open(path("out.h5")).read<std::uint64_t>("sensor_mask_index", {1, 1, 3});
    EXPECT_EQ(sensor, (std::vector<std::uint64_t>{18, 4, 192}));
    EXPECT_EQ(run("-i " + path("none.h5") + " -o " + path("x.h5")), 1);
    EXPECT_EQ(read_text_file(path("err.txt")),
              "sonolux-kspace: " + path("none.h5") + ": cannot be opened: No such file or directory\n");
    EXPECT_EQ(run("-i " + path("in.h5")), 2);
    EXPECT_EQ(run("--nonsense"), 2);
    EXPECT_EQ(run("--help"), 0);
    EXPECT_EQ(run("--version"), 0);
}

}  // namespace
}  // namespace sonolux

// Recordings in MATLAB files: of MUST, and of people's own with a description.
#include "tests/sdk/files/channel_data_fixture.hpp"

#include <numbers>

#include <sonolux/core/acoustics/channel_quality.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/mat_file.hpp>

#include "tests/support/data.hpp"
#include "tests/support/mat_writer.hpp"

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t times = 40, elements = 16, third = 3;

std::vector<std::int16_t> counted(std::size_t count) {
    std::vector<std::int16_t> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::int16_t>(i);
    return values;
}

std::vector<std::pair<const char*, matvar_t*>> param(std::size_t rows, double t0 = 2e-6) {
    // Column-major: row k steers by 0.1 (k - 1) rad, for 1500 m/s, from the middle of the array.
    std::vector<double> delays(rows * elements, 0.0);
    for (std::size_t k = 0; k < rows; ++k)
        for (std::size_t e = 0; e < elements; ++e) {
            const double x = 0.3e-3 * (static_cast<double>(e) - 7.5);
            if (rows > 1)
                delays[e * rows + k] = x * std::sin(0.1 * (static_cast<double>(k) - 1)) / 1500 + 5e-6;
        }
    return {{"fs", MatWriter::number("fs", 20e6)},
            {"fc", MatWriter::number("fc", 5e6)},
            {"pitch", MatWriter::number("pitch", 0.3e-3)},
            {"width", MatWriter::number("width", 0.25e-3)},
            {"c", MatWriter::number("c", 1500)},
            {"t0", MatWriter::number("t0", t0)},
            {"PRF", MatWriter::number("PRF", 4000)},
            {"Nelements", MatWriter::number("Nelements", elements)},
            {"radius", MatWriter::number("radius", INFINITY)},
            {"TXdelay", MatWriter::array<double>("TXdelay", {rows, elements}, delays)}};
}

class MatChannelData : public ChannelDataFiles, public ::testing::WithParamInterface<mat_ft> {};

INSTANTIATE_TEST_SUITE_P(Versions, MatChannelData, ::testing::Values(MAT_FT_MAT5, MAT_FT_MAT73),
                         [](const auto& version) { return version.param == MAT_FT_MAT5 ? "v5" : "v73"; });

TEST_P(MatChannelData, OfMustHasFramesInTheThirdIndex) {
    {
        MatWriter file(path("a.mat"), GetParam());
        file.put(MatWriter::array<std::int16_t>("RF", {times, elements, third},
                                                counted(times * elements * third)));
        file.put_struct("param", param(1));
    }
    const ChannelDataFile read = read_channel_data_file(path("a.mat"));
    EXPECT_EQ(read.format, "MATLAB");
    EXPECT_EQ(read.part, "RF");
    EXPECT_EQ(read.stored_type, "int16");
    const Acquisition& a = read.data.acquisition;
    ASSERT_EQ(read.data.values.shape(), (Shape{third, 1, elements, times}));
    EXPECT_EQ(read.data.values(2, 0, 5, 17), (2 * elements + 5) * times + 17);
    EXPECT_EQ(a.array, make_linear_array(elements, 0.3e-3, 0.25e-3));
    EXPECT_EQ(a.transmissions[0].wavefront, Wavefront::plane);
    EXPECT_EQ(a.transmissions[0].sound_speed, 1500);
    EXPECT_EQ(a.start_times, std::vector<double>{2e-6});
    EXPECT_EQ(a.frame_rate, 4000);
    EXPECT_EQ(a.sampling_frequency, 20e6);
    EXPECT_EQ(a.centre_frequency, 5e6);
    EXPECT_EQ(a.sound_speed, 1500);

    ChannelDataReadOptions options;
    options.first_frame = 1;
    options.frames = 1;
    const ChannelData part = read_channel_data(path("a.mat"), options);
    EXPECT_EQ(part.frames(), 1);
    EXPECT_EQ(part.values(0, 0, 15, 39), (1 * elements + 15) * times + 39);
}

TEST_P(MatChannelData, OfMustHasTransmissionsWhereThereAreAsManyRowsOfDelays) {
    {
        MatWriter file(path("a.mat"), GetParam());
        file.put(MatWriter::array<float>("RF", {times, elements, third},
                                         std::vector<float>(times * elements * third, 1)));
        file.put_struct("param", param(third));
    }
    const Acquisition a = read_channel_data(path("a.mat")).acquisition;
    ASSERT_EQ(a.sent(), 3);
    for (std::size_t k = 0; k < 3; ++k) {
        EXPECT_NEAR(a.transmissions[k].angle, 0.1 * (static_cast<double>(k) - 1), 1e-9);
        // MUST counts from where delay 0 would be; the first element fires at 5 us less half the aperture's
        // tilt.
        const double first = 5e-6 - std::abs(7.5 * 0.3e-3 * std::sin(a.transmissions[k].angle)) / 1500;
        EXPECT_NEAR(a.start_times[k], 2e-6 - first, 1e-13);
    }
    EXPECT_EQ(a.frame_rate, 0);  // PRF is that of transmissions
}

TEST_P(MatChannelData, OfMustCountsPhasesOnItsOwnClock) {
    // The tone exp(2 pi i fc t), demodulated on MUST's clock, is 1. On ours, which begins `first` later, its
    // phase at time t is that of MUST's time t + first.
    const std::size_t count = times * elements * third;
    {
        MatWriter file(path("a.mat"), GetParam());
        file.put(MatWriter::complex_array("IQ", {times, elements, third}, std::vector<float>(count, 1),
                                          std::vector<float>(count, 0)));
        file.put_struct("param", param(third));
    }
    const ChannelData data = read_channel_data(path("a.mat"));
    EXPECT_EQ(data.acquisition.demodulation_frequency, 5e6);
    ASSERT_EQ(data.values.shape(), (Shape{1, third, elements, 2 * times}));
    for (Index k = 0; k < 3; ++k) {
        const double first = 2e-6 - data.acquisition.start_times[static_cast<std::size_t>(k)];
        EXPECT_NEAR(data.values(0, k, 3, 8), std::cos(2 * std::numbers::pi * 5e6 * first), 1e-6);
        EXPECT_NEAR(data.values(0, k, 3, 9), std::sin(2 * std::numbers::pi * 5e6 * first), 1e-6);
    }
}

TEST_P(MatChannelData, OfPeoplesOwnIsDescribedInToml) {
    {
        MatWriter file(path("a.mat"), GetParam());
        file.put_struct("session",
                        {{"rf", MatWriter::array<std::int16_t>("rf", {2, elements, times, third},
                                                               counted(2 * elements * times * third))}});
        file.put(MatWriter::number("speed", 1500));
    }
    write_file_atomically(path("acquisition.toml"), R"(
[samples]
variable = "session.rf"
axes = ["frame", "element", "time", "transmission"]
[array]
kind = "convex"
pitch = 0.4e-3
radius = 50e-3
element_width = 0.3e-3
[pulse]
centre_frequency = 3.5e6
peak_time = 0.4e-6
[transmit]
kind = "diverging"
x = [-2e-3, 0, 2e-3]
z = -10e-3
sound_speed = 1540
first = [1, 1, 5]
last = [12, 16, 16]
[recording]
sampling_frequency = 25e6
start_time = 1e-6
clock = "origin"
lens_delay = 0.1e-6
sound_speed = 1500
frame_rate = 30
)");
    const ChannelDataFile read = read_channel_data_file(path("a.mat"));
    const Acquisition& a = read.data.acquisition;
    const TransducerArray array = make_convex_array(elements, 0.4e-3, 0.3e-3, 50e-3);
    EXPECT_EQ(a.array, array);
    EXPECT_EQ(a.transmissions[0], diverging_wave(array, {-2e-3, -10e-3}, 1540, aperture_weights(16, 0, 12)));
    EXPECT_EQ(a.transmissions[2], diverging_wave(array, {2e-3, -10e-3}, 1540, aperture_weights(16, 4, 12)));
    for (std::size_t k = 0; k < 3; ++k)
        EXPECT_NEAR(a.start_times[k], 1e-6 + wavefront_time(a.transmissions[k], array, {}, 1540), 1e-15);
    EXPECT_EQ(a.peak_time, 0.4e-6);
    EXPECT_EQ(a.lens_delay, 0.1e-6);
    EXPECT_EQ(a.frame_rate, 30);
    ASSERT_EQ(read.data.values.shape(), (Shape{2, third, elements, times}));
    // frame + 2 (element + elements (time + times transmission))
    EXPECT_EQ(read.data.values(1, 2, 7, 30), 1 + 2 * (7 + 16 * (30 + 40 * 2)));
    EXPECT_THAT(read.remarks, Contains(HasSubstr("acquisition.toml, which lies beside it.")));
}

TEST_P(MatChannelData, OfMustMayBeACellForEachTransmission) {
    {
        MatWriter file(path("a.mat"), GetParam());
        std::size_t sizes[] = {1, third};
        matvar_t* cells = Mat_VarCreate("RF", MAT_C_CELL, MAT_T_CELL, 2, sizes, nullptr, 0);
        for (std::size_t k = 0; k < third; ++k) {
            std::vector<std::int16_t> values = counted(times * elements * 2);
            for (auto& value : values) value = static_cast<std::int16_t>(value + 10000 * static_cast<int>(k));
            Mat_VarSetCell(cells, static_cast<int>(k),
                           MatWriter::array<std::int16_t>(nullptr, {times, elements, 2}, values));
        }
        file.put(cells);
        file.put_struct("param", param(third));
    }
    const ChannelData data = read_channel_data(path("a.mat"));
    ASSERT_EQ(data.values.shape(), (Shape{2, third, elements, times}));
    EXPECT_EQ(data.values(1, 2, 5, 17), 20000 + (1 * elements + 5) * times + 17);
}

TEST_P(MatChannelData, ThatIsCutShortIsRefused) {
    {
        MatWriter file(path("a.mat"), GetParam(), false);
        file.put_struct("param", param(1));
        file.put(MatWriter::array<std::int16_t>("RF", {times, elements, third},
                                                counted(times * elements * third)));
    }
    const auto size = std::filesystem::file_size(path("a.mat"));
    for (const double part : {0.1, 0.6, 0.95}) {
        std::filesystem::copy_file(path("a.mat"), path("short.mat"),
                                   std::filesystem::copy_options::overwrite_existing);
        std::filesystem::resize_file(path("short.mat"),
                                     static_cast<std::uintmax_t>(part * static_cast<double>(size)));
        EXPECT_THAT([&] { (void)read_channel_data(path("short.mat")); },
                    ThrowsMessage<Error>(HasSubstr("short.mat: ")))
            << part;
    }
}

using MatFiles = ChannelDataFiles;

std::string own(const std::string& path) {
    MatWriter file(path, MAT_FT_MAT5);
    file.put(MatWriter::array<std::int16_t>("rf_data", {times, elements}, counted(times * elements)));
    return path;
}

constexpr const char* plane = R"(
array.pitch = 0.3e-3
pulse.centre_frequency = 5e6
transmit.kind = "plane"
transmit.angles_degrees = -12
transmit.sound_speed = 1540
recording.sampling_frequency = 40e6
)";

TEST_F(MatFiles, SayWhatTheirDescriptionLacks) {
    const std::string file = own(path("a.mat"));
    const auto refused = [&](const std::string& toml, const char* message) {
        write_file_atomically(path("d.toml"), toml);
        ChannelDataReadOptions options;
        options.description = path("d.toml");
        EXPECT_THAT([&] { (void)read_channel_data(file, options); },
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    const std::string good = plane;
    const auto without = [&](const std::string& key) {
        const std::size_t at = good.find(key);
        return good.substr(0, at) + good.substr(good.find('\n', at));
    };
    refused(good,
            "a.mat: does not say start_time (param.t0 or recording.start_time is missing); it must be known");
    refused(without("array.pitch") + "recording.start_time = 0", "does not say pitch");
    refused(without("pulse.centre") + "recording.start_time = 0", "does not say centre_frequency");
    refused(without("recording.sampling") + "recording.start_time = 0", "does not say sampling_frequency");
    refused(without("transmit.angles") + "recording.start_time = 0", "d.toml: transmit.angles is missing");
    refused(without("transmit.sound") + "recording.start_time = 0",
            "d.toml: transmit.sound_speed is missing");
    refused(good + "recording.start_time = 4.1",
            "d.toml:8: recording.start_time must be a list, each a number from");
    refused(good + "recording.start_time = [0, 1e-6]", "there are 2 start times for 1 transmissions");
    refused(good + "array.pich = 1", "d.toml:8: unknown key \"array.pich\"; did you mean \"array.pitch\"?");
    refused(good + "recording.start_time = 0\nrecording.stat_time = 0",
            "did you mean \"recording.start_time\"?");
    refused(without("array.pitch") + "array.pitch = 0.3",
            "array.pitch must be a number from 1e-05 to 0.005, got 0.3");
    refused(good + "recording.start_time = 0\nsamples.axes = [\"time\", \"channel\"]",
            "must be some of \"time\", \"element\", \"transmission\", \"frame\", got \"channel\"");
    refused(good + "recording.start_time = 0\nsamples.axes = [\"time\", \"frame\"]",
            "must name \"time\" and \"element\"");
    refused(good + "recording.start_time = 0\nsamples.variable = \"RF\"",
            "holds no variable \"RF\"; it holds rf_data (int16, 40 x 16)");
    refused(good + "transmit.angles = 0.1", "transmit.angles_degrees and transmit.angles say the same");

    write_file_atomically(path("d.toml"), good);
    ChannelDataReadOptions options;
    options.description = path("d.toml");
    options.known.start_time = 4.1e-6;
    const Acquisition a = read_channel_data(file, options).acquisition;
    EXPECT_EQ(a.start_times, std::vector<double>{4.1e-6});
    EXPECT_NEAR(a.transmissions[0].angle, -0.20943951, 1e-8);
    EXPECT_EQ(a.array.pitch(), 0.3e-3);
}

TEST_F(MatFiles, ThatSayNothingAreRefused) {
    const std::string file = own(path("a.mat"));
    ChannelDataReadOptions options;
    EXPECT_THAT([&] { (void)read_channel_data(file, options); },
                ThrowsMessage<Error>(HasSubstr("a.mat: does not say pitch")));
    options.known.pitch = 0.3e-3;
    options.known.centre_frequency = 5e6;
    options.known.sampling_frequency = 40e6;
    EXPECT_THAT([&] { (void)read_channel_data(file, options); },
                ThrowsMessage<Error>(HasSubstr("a.mat: does not say what was sent")));
}

TEST_F(MatFiles, WhoseNumbersCannotBeAreRefusedByName) {
    const auto refused = [&](const char* field, matvar_t* value, const char* message) {
        {
            MatWriter file(path("a.mat"), MAT_FT_MAT5);
            file.put(MatWriter::array<std::int16_t>("RF", {times, elements}, counted(times * elements)));
            auto fields = param(1);
            for (auto& [name, old] : fields)
                if (std::string(name) == field) {
                    Mat_VarFree(old);
                    old = value;
                }
            file.put_struct("param", fields);
        }
        EXPECT_THAT([&] { (void)read_channel_data(path("a.mat")); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("a.mat: "), HasSubstr(message))));
    };
    refused("Nelements", MatWriter::number("a", 64), "param.Nelements is 64, \"RF\" has 16 channels");
    refused("pitch", MatWriter::number("a", 0.3), "got 0.3 m; is it in millimetres?");
    refused("fc", MatWriter::number("a", 5), "is it in MHz");
    refused("c", MatWriter::number("a", 1.54), "sound_speed must be between 100 and 10000 m/s, got 1.54");
    refused("t0", MatWriter::number("a", 9.95), "start time of transmission 1 must be within 1 s of 0");
    refused("t0", MatWriter::number("a", NAN),
            "start time of transmission 1 must be within 1 s of 0, got nan");
    refused("fs", MatWriter::array<double>("a", {1, 2}, {1, 2}), "param.fs must be one number, has 2");
    refused("TXdelay", MatWriter::array<double>("a", {1, 3}, {0, 0, 0}),
            "must be transmissions x 16 elements, has 3");
    std::vector<double> random(elements, 0.0);
    for (std::size_t e = 0; e < elements; e += 2) random[e] = 1e-6;
    refused("TXdelay", MatWriter::array<double>("a", {1, elements}, random),
            "of no plane, diverging or focused wave");
}

TEST_F(MatFiles, WhoseVariablesLostTheirSizesAreRefused) {
    {
        MatWriter file(path("a.mat"), MAT_FT_MAT5, false);
        file.put(MatWriter::array<float>("RF", {40, 8}, std::vector<float>(320, 1)));
        file.put_struct("param", param(1));
    }
    std::vector<std::byte> bytes = read_file(path("a.mat"));
    bytes[155] = std::byte{0x10};  // of the tag before the sizes: matio then knows the rank alone
    write_file_atomically(path("a.mat"), bytes);
    for (const MatContent& content : mat_contents(path("a.mat")))
        EXPECT_EQ(content.name == "param", !content.sizes.empty()) << content.description();
    EXPECT_THAT([&] { (void)read_channel_data(path("a.mat")); }, ThrowsMessage<Error>(HasSubstr("a.mat: ")));
}

TEST_F(MatFiles, ThatStateMoreThanTheyCanHoldAreRefused) {
    {
        MatWriter file(path("a.mat"), MAT_FT_MAT5, false);
        file.put(MatWriter::array<std::int16_t>("RF", {40, 8}, std::vector<std::int16_t>(320, 1)));
        file.put_struct("param", param(1));
    }
    std::vector<std::byte> bytes = read_file(path("a.mat"));
    bytes[163] = std::byte{0x40};  // 40 rows become 2^30
    write_file_atomically(path("a.mat"), bytes);
    EXPECT_THAT([&] { (void)read_channel_data(path("a.mat")); }, ThrowsMessage<Error>(HasSubstr("a.mat: ")));
}

TEST_F(MatFiles, OfMustMayLackT0AndSaySo) {
    {
        MatWriter file(path("a.mat"), MAT_FT_MAT5);
        file.put(MatWriter::array<std::int16_t>("RF", {times, elements}, counted(times * elements)));
        auto fields = param(1);
        std::erase_if(fields, [](auto& field) {
            const bool t0 = std::string(field.first) == "t0";
            if (t0) Mat_VarFree(field.second);
            return t0;
        });
        file.put_struct("param", fields);
    }
    const ChannelDataFile read = read_channel_data_file(path("a.mat"));
    EXPECT_EQ(read.data.acquisition.start_times, std::vector<double>{0});
    EXPECT_THAT(read.remarks, Contains("param.t0 is not stated; 0 was taken, as MUST does."));
    ChannelDataReadOptions options;
    options.known.start_time = 3e-6;
    EXPECT_EQ(read_channel_data(path("a.mat"), options).acquisition.start_times, std::vector<double>{3e-6});
    options.known.demodulation_frequency = 5e6;
    EXPECT_THAT([&] { (void)read_channel_data(path("a.mat"), options); },
                ThrowsMessage<Error>(
                    HasSubstr("a.mat: has real samples, RF; a demodulation frequency of 5000000 Hz")));
}

TEST_F(MatFiles, OfPartsOfArraysAndStructsAreRead) {
    {
        MatWriter file(path("a.mat"), MAT_FT_MAT5);
        file.put(MatWriter::array<std::int16_t>("m", {4, 3, 2}, counted(24)));
        file.put_struct("s", {{"a", MatWriter::array<double>("a", {2, 2}, {1, 2, 3, 4})}});
    }
    EXPECT_THAT(read_mat_block(path("a.mat"), "m", {1, 0, 1}, {2, 3, 1}),
                ElementsAre(13, 14, 17, 18, 21, 22));
    EXPECT_THAT(read_mat_block(path("a.mat"), "s.a", {0, 1}, {2, 1}), ElementsAre(3, 4));
    const std::vector<MatArray> fields = read_mat_struct(path("a.mat"), "s");
    ASSERT_EQ(fields.size(), 1u);
    EXPECT_EQ(fields[0].name, "a");
    EXPECT_THAT(fields[0].values, ElementsAre(1, 3, 2, 4));
    EXPECT_THAT(
        [&] {
            (void)read_mat_block(path("a.mat"), "m", {0, 0, 1}, {4, 3, 2});
        },
        ThrowsMessage<Error>(HasSubstr("m (int16, 4 x 3 x 2) has no such block")));
    EXPECT_THAT([&] { (void)mat_content(path("a.mat"), "m.x"); },
                ThrowsMessage<Error>(HasSubstr("\"m\" is int16, no struct with a field \"x\"")));
}

// --- measured files ---

TEST(MatChannelDataOracle, ReadsTheDiskOfMustAndFindsItsFrames) {
    const auto file = data_folder() / "ultrasound/point_target/PWI_disk.mat";
    SLX_NEEDS(file);
    const ChannelDataFile read = read_channel_data_file(file.string());
    const Acquisition& a = read.data.acquisition;
    EXPECT_EQ(read.data.values.shape(), (Shape{32, 1, 128, 334}));
    EXPECT_EQ(read.stored_type, "double");  // of MATLAB; kept in 16 bits, as it does with whole numbers
    EXPECT_EQ(a.array, make_linear_array(128, 0.298e-3, 0.262e-3));
    EXPECT_NEAR(a.sampling_frequency, 20e6 / 3, 1);
    EXPECT_EQ(a.centre_frequency, 5e6);
    EXPECT_EQ(a.sound_speed, 1480);
    EXPECT_EQ(a.start_times, std::vector<double>{9.95e-6});
    EXPECT_EQ(a.frame_rate, 10000);
    EXPECT_EQ(a.transmissions[0].wavefront, Wavefront::plane);
    EXPECT_EQ(a.transmissions[0].angle, 0);
}

TEST(MatChannelDataOracle, ReadsThePhantomsByTheirDescription) {
    const auto file = data_folder() / "ultrasound/phantoms/Phantom13.mat";
    SLX_NEEDS(file);
    ChannelDataReadOptions options;
    options.description = (source_folder() / "samples/descriptions/agar_phantoms.toml").string();
    const ChannelDataFile read = read_channel_data_file(file.string(), options);
    const Acquisition& a = read.data.acquisition;
    EXPECT_EQ(read.data.values.shape(), (Shape{1, 1, 128, 3120}));
    EXPECT_NEAR(a.transmissions[0].angle, -12 * std::numbers::pi / 180, 1e-12);
    EXPECT_EQ(a.transmissions[0].delays.back(), 0);  // the right end fires first
    EXPECT_EQ(a.start_times, std::vector<double>{4.1e-6});
    const ChannelQuality quality = channel_quality(read.data);
    EXPECT_EQ(quality.lowest, -2048);  // its converter has 12 bits
    EXPECT_EQ(quality.highest, 2047);
    EXPECT_TRUE(quality.lowest_is_rail && quality.highest_is_rail);
    // One element of that probe does not hear: 0.06 of the others' level (and 0.5 the next), of all phantoms.
    EXPECT_EQ(quality.dead, 1);
    EXPECT_TRUE(quality.channels[124].dead);
}

}  // namespace
}  // namespace sonolux

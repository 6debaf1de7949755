// Recordings in UFF of the Ultrasound Toolbox. No file of USTB's is at hand: fixtures are laid out here as
// its write_object.m does (v1.2.0), and what its beamformer das.m would make of times is computed by its
// formulas.
#include "tests/sdk/files/channel_data_fixture.hpp"

#include <complex>
#include <numbers>

#include <sonolux/sdk/files/uff.hpp>

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using UffFiles = ChannelDataFiles;

/// When USTB's das.m (transmit delay models `spherical` and plane) expects the echo of p in element e, in s
/// from initial_time's zero.
double ustb_delay(bool plane, double distance, double azimuth, double delay, double wave_speed, double speed,
                  Point p, Point e) {
    double way = 0;
    if (plane) {
        way = p.z * std::cos(azimuth) + p.x * std::sin(azimuth);
    } else {
        Point s = distance * Point{std::sin(azimuth), std::cos(azimuth)};
        if (std::abs(static_cast<float>(azimuth)) == static_cast<float>(std::numbers::pi / 2))
            s.z = 0;  // point.m
        way = (p.z < s.z ? -1 : 1) * length(s - p);
        way += s.z < 0 ? -distance : distance;
    }
    return way / wave_speed - delay + length(p - e) / speed;
}

// --- reading fixtures ---

/// As MATLAB writes through USTB; sizes are MATLAB's, values in its order (the first index fastest).
class Matlab {
public:
    explicit Matlab(Hdf5File& written) : file(written) {}

    void single(const std::string& place, std::vector<Index> sizes, const std::vector<float>& values,
                const char* class_name = "double") {
        while (sizes.size() > 2 && sizes.back() == 1) sizes.pop_back();
        std::reverse(sizes.begin(), sizes.end());
        put<float>(file, place, sizes, values);
        name(place, class_name);
        file.set_attribute(place, "imaginary", 0.0);
        file.set_attribute(place, "complex", 0.0);
    }
    void number(const std::string& place, double value) {
        single(place, {1, 1}, {static_cast<float>(value)});
    }
    void object(const std::string& place, const char* class_name, std::vector<double> size = {1, 1}) {
        name(place, class_name);
        file.set_attribute(place, "size", std::span<const double>(size));
        file.set_attribute(place, "array", size[0] * size[1] > 1 ? 1.0 : 0.0);
    }
    void name(const std::string& place, const char* class_name) {
        file.set_attribute(place, "class", class_name, Hdf5Text::fixed);
        file.set_attribute(place, "name", place.substr(place.rfind('/') + 1), Hdf5Text::fixed);
    }

    Hdf5File& file;
};

constexpr Index elements = 16, times = 30, frames = 2;
constexpr double pitch = 0.3e-3, speed = 1520, initial_time = 3e-6, rate = 20e6;

struct Wave {
    double wavefront, distance, azimuth, delay;
    double window = 0;
};

/// Plane waves, a virtual source, a focus, an element, with the delays of USTB's examples.
std::vector<Wave> waves() {
    const double x3 = (3 - 7.5) * pitch;
    return {{0, INFINITY, 0.2, 0.5e-6},
            {0, INFINITY, -0.15, -0.2e-6},
            {1, std::hypot(4e-3, 9e-3), std::atan2(4e-3, -9e-3), -std::hypot(4e-3, 9e-3) / speed},
            {1, 25e-3, 0.1, 0},
            {1, std::abs(x3), -std::numbers::pi / 2, std::abs(x3) / speed, 7}};
}

struct Fixture {
    std::vector<Wave> sequence = waves();
    std::string version = "v1.2.0", probe = "uff.linear_array";
    double file_pitch = pitch, modulation = 0, centre = 5e6;
    Index channels = elements;
    bool initial = true;
};

void write_fixture(const std::string& path, const Fixture& f) {
    Hdf5File file = Hdf5File::create(path);
    Matlab m(file);
    const std::string at = "channel_data";
    m.number(at + "/sampling_frequency", rate);
    if (f.initial) m.number(at + "/initial_time", initial_time);
    m.number(at + "/sound_speed", speed);
    m.number(at + "/modulation_frequency", f.modulation);
    m.number(at + "/PRF", 100);
    if (f.centre > 0) {
        m.number(at + "/pulse/center_frequency", f.centre);
        m.object(at + "/pulse", "uff.pulse");
    }
    m.number(at + "/probe/N", elements);
    m.number(at + "/probe/pitch", f.file_pitch);
    m.number(at + "/probe/element_width", 0.25e-3);
    std::vector<float> geometry(7 * elements, 0.0F);  // elements x 7
    for (Index e = 0; e < elements; ++e) {
        geometry[static_cast<std::size_t>(e)] = static_cast<float>((static_cast<double>(e) - 7.5) * pitch);
        geometry[static_cast<std::size_t>(5 * elements + e)] = 0.25e-3F;
    }
    m.single(at + "/probe/geometry", {elements, 7}, geometry);
    m.object(at + "/probe", f.probe.c_str());
    const auto count = static_cast<Index>(f.sequence.size());
    for (Index k = 0; k < count; ++k) {
        const Wave& w = f.sequence[static_cast<std::size_t>(k)];
        const std::string wave =
            at + "/sequence" + (count > 1 ? "/sequence_000" + std::to_string(k + 1) : "");
        m.single(wave + "/wavefront", {1, 1}, {static_cast<float>(w.wavefront)}, "uff.wavefront");
        m.number(wave + "/source/distance", w.distance);
        m.number(wave + "/source/azimuth", w.azimuth);
        m.number(wave + "/source/elevation", 0);
        m.object(wave + "/source", "uff.point");
        m.single(wave + "/apodization/window", {1, 1}, {static_cast<float>(w.window)}, "uff.window");
        m.object(wave + "/apodization", "uff.apodization");
        m.number(wave + "/delay", w.delay);
        m.number(wave + "/sound_speed", speed);
        m.object(wave, "uff.wave");
    }
    if (count > 1) m.object(at + "/sequence", "uff.wave", {1, static_cast<double>(count)});
    // value = time + 100 (channel + 20 (wave + 10 frame))
    std::vector<float> data;
    for (Index frame = 0; frame < frames; ++frame)
        for (Index k = 0; k < count; ++k)
            for (Index c = 0; c < f.channels; ++c)
                for (Index n = 0; n < times; ++n)
                    data.push_back(static_cast<float>(n + 100 * (c + 20 * (k + 10 * frame))));
    if (f.modulation == 0) {
        m.single(at + "/data", {times, f.channels, count, frames}, data, "single");
    } else {
        m.single(at + "/data/real", {times, f.channels, count, frames}, std::vector<float>(data.size(), 1),
                 "single");
        m.single(at + "/data/imag", {times, f.channels, count, frames}, std::vector<float>(data.size(), 0),
                 "single");
        m.name(at + "/data", "single");
        file.set_attribute(at + "/data", "complex", 1.0);
    }
    m.object(at, "uff.channel_data");
    const std::string author = "somebody";  // characters are numbers
    m.single("info", {1, 8}, {author.begin(), author.end()}, "char");
    file.set_attribute("/", "version", f.version, Hdf5Text::listed);
    file.commit();
}

TEST_F(UffFiles, OfUstbAreRead) {
    write_fixture(path("a.uff"), {});
    const ChannelDataFile read = read_channel_data_file(path("a.uff"));
    EXPECT_EQ(read.format, "UFF v1.2.0");
    EXPECT_EQ(read.part, "channel_data");
    const Acquisition& a = read.data.acquisition;
    ASSERT_EQ(read.data.values.shape(), (Shape{frames, 5, elements, times}));
    EXPECT_EQ(read.data.values(1, 3, 7, 12), 12 + 100 * (7 + 20 * (3 + 10)));
    EXPECT_NEAR(a.array.pitch(), pitch, 1e-10);
    EXPECT_NEAR(a.array.element_width(), 0.25e-3, 1e-10);
    EXPECT_EQ(a.transmissions[0].wavefront, Wavefront::plane);
    EXPECT_NEAR(a.transmissions[0].angle, 0.2, 1e-7);
    EXPECT_EQ(a.transmissions[2].wavefront, Wavefront::diverging);
    EXPECT_NEAR(a.transmissions[2].focus.x, 4e-3, 1e-8);
    EXPECT_NEAR(a.transmissions[2].focus.z, -9e-3, 1e-8);
    EXPECT_EQ(a.transmissions[3].wavefront, Wavefront::focused);
    EXPECT_EQ(a.transmissions[4], single_element(a.array, 3));
    EXPECT_EQ(a.sound_speed, speed);
    EXPECT_EQ(a.frame_rate, 20);  // of 5 waves
    EXPECT_EQ(a.centre_frequency, 5e6);
    EXPECT_THAT(read.remarks, ::testing::IsEmpty());

    ChannelDataReadOptions options;
    options.first_frame = 1;
    options.transmissions = {1, 4};
    const ChannelData part = read_channel_data(path("a.uff"), options);
    EXPECT_EQ(part.values(0, 1, 15, 29), 29 + 100 * (15 + 20 * (4 + 10)));
    EXPECT_EQ(part.acquisition.transmissions[0], a.transmissions[1]);
}

/// Both clocks must find the echo of every point at the same sample of every element.
TEST_F(UffFiles, FindEchoesWhereUstbDoes) {
    write_fixture(path("a.uff"), {});
    const Acquisition a = read_channel_data(path("a.uff")).acquisition;
    for (Index k = 0; k < a.sent(); ++k) {
        const Wave w = waves()[static_cast<std::size_t>(k)];
        for (const Point p : {Point{0, 12e-3}, Point{2e-3, 18e-3}, Point{-5e-3, 40e-3}})
            for (const Index e : {0, 6, 15}) {
                const double ours =
                    wavefront_time(a.transmissions[static_cast<std::size_t>(k)], a.array, p, speed) +
                    length(p - a.array[e].position) / speed - a.focusing_start(k);
                const double theirs = ustb_delay(w.wavefront == 0, w.distance, w.azimuth, w.delay, speed,
                                                 speed, p, a.array[e].position) -
                                      initial_time;
                EXPECT_NEAR(ours, theirs, 2e-11) << "wave " << k;  // float32 of delays and places
            }
    }
}

/// das.m turns sample x at time t of USTB's clock without delays by exp(2 pi i f t); ours by our time.
TEST_F(UffFiles, HavePhasesThatMeanTheSame) {
    Fixture f;
    f.modulation = 4e6;
    write_fixture(path("a.uff"), f);
    const ChannelData data = read_channel_data(path("a.uff"));
    const Acquisition& a = data.acquisition;
    EXPECT_EQ(a.demodulation_frequency, 4e6);
    for (Index k = 0; k < a.sent(); ++k)
        for (const Index n : {0, 11}) {
            const double after = static_cast<double>(n) / rate;
            const auto turn = [](double time) { return std::polar(1.0, 2 * std::numbers::pi * 4e6 * time); };
            const std::complex<double> theirs = turn(initial_time + after);
            const std::complex<double> ours =
                std::complex<double>(data.values(1, k, 5, 2 * n), data.values(1, k, 5, 2 * n + 1)) *
                turn(a.start_times[static_cast<std::size_t>(k)] + after);
            EXPECT_LT(std::abs(ours - theirs), 1e-4) << "wave " << k;  // 2 pi f times 2 ps of float32
        }
}

TEST_F(UffFiles, OfOneWaveAndFrameLackTheirLastIndices) {
    Fixture f;
    f.sequence = {waves()[1]};
    write_fixture(path("a.uff"), f);
    const ChannelData data = read_channel_data(path("a.uff"));
    EXPECT_EQ(data.values.shape(), (Shape{frames, 1, elements, times}));
    EXPECT_NEAR(data.acquisition.transmissions[0].angle, -0.15, 1e-7);
}

// --- writing ---

TEST_F(UffFiles, ComeBack) {
    for (const TransducerArray& array :
         {make_linear_array(16, 0.3e-3, 0.27e-3), make_convex_array(16, 0.4e-3, 0.3e-3, 50e-3)})
        for (const double demodulation : {0.0, 5e6})
            for (const Index number : {1, 3}) {
                Acquisition sent = all_kinds(array);
                sent.demodulation_frequency = demodulation;
                sent.peak_time = sent.lens_delay = 0;
                const ChannelData data = recording(std::move(sent), number);
                write_uff(path("a.uff"), data, {.deflate = static_cast<int>(number)});
                const ChannelDataFile read = read_channel_data_file(path("a.uff"));
                EXPECT_EQ(read.format, "UFF v1.2.0");
                const Acquisition &a = read.data.acquisition, &b = data.acquisition;
                EXPECT_NEAR(a.array.pitch(), array.pitch(), 1e-10);
                EXPECT_NEAR(a.array.radius(), array.radius(), 1e-8);
                EXPECT_NEAR(a.array.element_width(), array.element_width(), 1e-10);
                for (std::size_t k = 0; k < b.transmissions.size(); ++k) {
                    EXPECT_EQ(a.transmissions[k].wavefront, b.transmissions[k].wavefront);
                    EXPECT_NEAR(a.transmissions[k].angle, b.transmissions[k].angle, 1e-7);
                    EXPECT_NEAR(a.transmissions[k].focus.x, b.transmissions[k].focus.x, 1e-8);
                    EXPECT_NEAR(a.transmissions[k].focus.z, b.transmissions[k].focus.z, 1e-8);
                    EXPECT_NEAR(a.transmissions[k].focus_time, b.transmissions[k].focus_time, 1e-11);
                    EXPECT_EQ(a.transmissions[k].apodization, b.transmissions[k].apodization);
                    EXPECT_NEAR(a.start_times[k], b.start_times[k], 1e-11);
                }
                EXPECT_NEAR(a.frame_rate, b.frame_rate, 1e-5);
                EXPECT_EQ(a.centre_frequency, b.centre_frequency);
                if (demodulation == 0)
                    expect_same_values(read.data.values, data.values);
                else
                    EXPECT_LT(distance(data.values, read.data.values), 1e-3);  // 2 pi 5 MHz times 1e-11 s
            }
}

TEST_F(UffFiles, KeepEchoesInPlaceThoughUffKnowsNoPulsePeakOrLens) {
    const ChannelData data = recording(all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3)), 1);
    write_uff(path("a.uff"), data, {.name = "mine"});
    const Acquisition a = read_channel_data(path("a.uff")).acquisition;
    EXPECT_EQ(a.peak_time, 0);
    EXPECT_EQ(a.lens_delay, 0);
    for (Index k = 0; k < a.sent(); ++k)
        EXPECT_NEAR(a.focusing_start(k), data.acquisition.focusing_start(k), 1e-11);

    // What USTB finds in the file, for the echo of a point in an element.
    const Hdf5File file = Hdf5File::open(path("a.uff"));
    const Point p{1e-3, 30e-3};
    for (Index k = 0; k < a.sent(); ++k) {
        const std::string wave = "mine/sequence/sequence_000" + std::to_string(k + 1);
        const double c = file.number(wave + "/sound_speed");
        const double theirs =
            ustb_delay(file.number(wave + "/wavefront") == 0, file.number(wave + "/source/distance"),
                       file.number(wave + "/source/azimuth"), file.number(wave + "/delay"), c, 1540, p,
                       data.acquisition.array[2].position) -
            file.number("mine/initial_time");
        const double ours = wavefront_time(data.acquisition.transmissions[static_cast<std::size_t>(k)],
                                           data.acquisition.array, p, 1540) +
                            length(p - data.acquisition.array[2].position) / 1540 -
                            data.acquisition.focusing_start(k);
        EXPECT_NEAR(theirs, ours, 2e-11) << "wave " << k;
    }
    EXPECT_EQ(file.text_attribute("mine", "class"), "uff.channel_data");
    EXPECT_EQ(file.text_attribute("/", "version"), "v1.2.0");
    EXPECT_EQ(file.content("mine/data").sizes, (std::vector<Index>{4, 16, 37}));  // one frame has no index
}

// --- bad files ---

TEST_F(UffFiles, OfOtherVersionsAreRefusedByName) {
    Fixture f;
    f.version = "v1.3.0";
    write_fixture(path("a.uff"), f);
    EXPECT_THAT([&] { (void)read_channel_data(path("a.uff")); },
                ThrowsMessage<Error>(HasSubstr("a.uff: is UFF \"v1.3.0\"; read are v1.0.0, v1.0.1")));
    f.version = "v1.1.1";
    write_fixture(path("a.uff"), f);
    EXPECT_EQ(read_channel_data_file(path("a.uff")).format, "UFF v1.1.1");

    Hdf5File file = Hdf5File::create(path("b.uff"));
    put<std::int32_t>(file, "version/major", {}, {0});
    put<std::int32_t>(file, "version/minor", {}, {3});
    put<std::int32_t>(file, "version/patch", {}, {0});
    put<double>(file, "channel_data/sound_speed", {}, {1540});
    file.commit();
    EXPECT_THAT([&] { (void)read_channel_data(path("b.uff")); },
                ThrowsMessage<Error>(AllOf(HasSubstr("b.uff: is UFF v0.3.0"), HasSubstr("another format"))));
}

TEST_F(UffFiles, ThatCannotBeAreRefusedByName) {
    const auto refused = [&](const Fixture& f, const char* message) {
        write_fixture(path("a.uff"), f);
        EXPECT_THAT([&] { (void)read_channel_data(path("a.uff")); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("a.uff: "), HasSubstr(message))));
    };
    Fixture f;
    f.channels = 15;
    refused(f, "\"channel_data/probe\" has 16 elements, the data 15 channels");
    f = {};
    f.file_pitch = 0.3;
    refused(f, "got 0.300000012 m; is it in millimetres?");
    f = {};
    f.file_pitch = 0.31e-3;
    refused(f, "contradict each other: elements are not where N, pitch and radius put them");
    f = {};
    f.initial = false;
    refused(f, "does not say start_time (dataset \"channel_data/initial_time\" is missing)");
    f = {};
    f.centre = 0;
    refused(f, "does not say centre_frequency");
    f = {};
    f.sequence[0].wavefront = 2;
    refused(f, "got 2 (photoacoustic: nothing is sent)");
    f = {};
    f.sequence[0].azimuth = 20;
    refused(f, "angle must be between -1.4 and 1.4 rad, got 20; is it in degrees?");
    f = {};
    f.sequence[4].azimuth = 1;
    refused(f, "one element fires, but its source is at");
    f = {};
    f.probe = "uff.matrix_array";
    refused(f, "of class \"uff.matrix_array\"; read are");
}

TEST_F(UffFiles, ThatAreCutShortAreRefused) {
    write_fixture(path("a.uff"), {});
    std::filesystem::resize_file(path("a.uff"), std::filesystem::file_size(path("a.uff")) / 2);
    EXPECT_THAT([&] { (void)read_channel_data(path("a.uff")); },
                ThrowsMessage<Error>(HasSubstr("is damaged")));
}

TEST_F(UffFiles, SayWhatWasAssumed) {
    Fixture f;
    f.sequence[3].window = 2;
    write_fixture(path("a.uff"), f);
    EXPECT_THAT(read_channel_data_file(path("a.uff")).remarks,
                Contains(HasSubstr("transmit apodization (window 2) are not in the file")));
    EXPECT_TRUE(looks_like_channel_data(path("a.uff")));
}

}  // namespace
}  // namespace sonolux

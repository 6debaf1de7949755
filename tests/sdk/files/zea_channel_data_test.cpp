// Recordings in zea's files: what Sonolux writes comes back, and files of other hands are understood.
#include "tests/sdk/files/channel_data_fixture.hpp"

#include <hdf5.h>

#include <numbers>

#include <sonolux/sdk/files/zea.hpp>

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using ZeaFiles = ChannelDataFiles;

TEST_F(ZeaFiles, ComeBackToTheLastBit) {
    for (const TransducerArray& array :
         {make_linear_array(16, 0.3e-3, 0.27e-3), make_convex_array(16, 0.4e-3, 0.3e-3, 49.57e-3)}) {
        const ChannelData data = recording(all_kinds(array), 3);
        write_zea(path("a.hdf5"), data, {.deflate = 4, .label = "all"});
        const ChannelDataFile read = read_channel_data_file(path("a.hdf5"));
        EXPECT_EQ(read.data.acquisition, data.acquisition);
        expect_same_values(read.data.values, data.values);
        EXPECT_EQ(read.format, "zea 0.1.0");
        EXPECT_EQ(read.stored_type, "float32");
        EXPECT_THAT(read.remarks, ::testing::IsEmpty());
    }
}

TEST_F(ZeaFiles, ComeBackWhatNeedsNoDelays) {
    const TransducerArray array = make_linear_array(8, 0.3e-3, 0.3e-3);
    Acquisition a = all_kinds(array);
    a.transmissions = synthetic_aperture(array);
    a.start_times.assign(8, 2e-6);
    a.sound_speed = 0;
    a.frame_rate = 0;
    a.peak_time = 0;
    a.lens_delay = -0.05e-6;
    const ChannelData data = recording(std::move(a), 1);
    write_zea(path("a.hdf5"), data);
    EXPECT_EQ(read_channel_data(path("a.hdf5")).acquisition, data.acquisition);
}

TEST_F(ZeaFiles, ComeBackFromSixteenBits) {
    const ChannelData data = recording(all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3)), 2, true);
    write_zea(path("a.hdf5"), data, {.storage = ZeaStorage::int16, .deflate = 1});
    const ChannelDataFile read = read_channel_data_file(path("a.hdf5"));
    EXPECT_EQ(read.stored_type, "int16");
    expect_same_values(read.data.values, data.values);
    const ChannelData fractions = recording(data.acquisition, 1);
    EXPECT_THAT([&] { write_zea(path("b.hdf5"), fractions, {.storage = ZeaStorage::int16}); },
                ThrowsMessage<Error>(HasSubstr("whole numbers from -32768 to 32767, got")));
    EXPECT_FALSE(std::filesystem::exists(path("b.hdf5")));
}

TEST_F(ZeaFiles, CountPhasesOfIqFromSampleZero) {
    Acquisition a = all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3));
    a.demodulation_frequency = 5e6;
    const ChannelData data = recording(std::move(a), 2);
    write_zea(path("a.hdf5"), data);
    const ChannelData read = read_channel_data(path("a.hdf5"));
    EXPECT_EQ(read.acquisition, data.acquisition);
    EXPECT_LT(distance(data.values, read.values), 2e-7);  // turned twice in float32
    // Transmission 1 starts at time 0, where both clocks are the same.
    for (Index n = 0; n < data.values.shape()[3]; ++n)
        EXPECT_EQ(read.values(1, 1, 3, n), data.values(1, 1, 3, n));

    // The tone exp(2 pi i 5 MHz t) is 1 on our clock, and exp(2 pi i f start) in the file.
    ChannelData tone{data.acquisition, Array<float>(data.values.shape())};
    for (Index i = 0; i < tone.values.elements(); i += 2) tone.values.data()[i] = 1;
    write_zea(path("tone.hdf5"), tone);
    const Hdf5File file = Hdf5File::open(path("tone.hdf5"));
    std::vector<float> sample(2);
    file.read_part<float>("tracks/track_0/data/raw_data", {0, 2, 9, 4, 0}, {1, 1, 1, 1, 2},
                          std::span(sample));
    const double turns = 5e6 * 1.1e-6;
    EXPECT_NEAR(sample[0], std::cos(2 * std::numbers::pi * turns), 1e-6);
    EXPECT_NEAR(sample[1], std::sin(2 * std::numbers::pi * turns), 1e-6);
}

TEST_F(ZeaFiles, AreReadInPart) {
    const ChannelData data = recording(all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3)), 5);
    write_zea(path("a.hdf5"), data, {.deflate = 1});
    ChannelDataReadOptions options;
    options.first_frame = 1;
    options.frames = 2;
    options.transmissions = {0, 2, 3};
    const ChannelDataFile read = read_channel_data_file(path("a.hdf5"), options);
    EXPECT_EQ(read.frames, 5);
    EXPECT_EQ(read.transmissions, 4);
    EXPECT_EQ(read.data.values.shape(), (Shape{2, 3, 16, 37}));
    EXPECT_EQ(read.data.acquisition.transmissions[1], data.acquisition.transmissions[2]);
    EXPECT_EQ(read.data.acquisition.start_times[2], data.acquisition.start_times[3]);
    for (Index n = 0; n < 37; ++n) {
        EXPECT_EQ(read.data.values(1, 1, 5, n), data.values(2, 2, 5, n));
        EXPECT_EQ(read.data.values(0, 2, 15, n), data.values(1, 3, 15, n));
    }
    options.first_frame = 4;
    EXPECT_THAT([&] { (void)read_channel_data(path("a.hdf5"), options); },
                ThrowsMessage<Error>(HasSubstr("has 5 frames, 2 from frame 4 were asked for")));
    options.first_frame = 0;
    options.transmissions = {2, 1};
    EXPECT_THAT(
        [&] { (void)read_channel_data(path("a.hdf5"), options); },
        ThrowsMessage<Error>(HasSubstr("transmissions 1 to 4; asked for must be some of them, rising")));
}

TEST_F(ZeaFiles, GiveWayToWhatIsKnown) {
    const ChannelData data = recording(all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3)), 1);
    write_zea(path("a.hdf5"), data);
    ChannelDataReadOptions options;
    options.known.sound_speed = 1480;
    options.known.start_time = 5e-6;
    options.known.peak_time = 0;
    const Acquisition a = read_channel_data(path("a.hdf5"), options).acquisition;
    EXPECT_EQ(a.sound_speed, 1480);
    EXPECT_EQ(a.start_times, std::vector<double>(4, 5e-6));
    EXPECT_EQ(a.peak_time, 0);
    EXPECT_EQ(a.transmissions, data.acquisition.transmissions);
    options.known.pitch = 0.6e-3;  // not what the delays were computed for
    EXPECT_THAT([&] { (void)read_channel_data(path("a.hdf5"), options); },
                ThrowsMessage<Error>(HasSubstr("contradict each other")));
}

TEST_F(ZeaFiles, AreBelievedWhereSomebodyChangedThem) {
    const ChannelData data = recording(all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3)), 1);
    write_zea(path("a.hdf5"), data);
    const hid_t file = H5Fopen(path("a.hdf5").c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    const hid_t set = H5Dopen2(file, "tracks/track_0/scan/initial_times", H5P_DEFAULT);
    const float changed[] = {1e-6F, 2e-6F, 3e-6F, 4e-6F};
    ASSERT_GE(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, changed), 0);
    H5Dclose(set);
    H5Fclose(file);
    const Acquisition a = read_channel_data(path("a.hdf5")).acquisition;
    EXPECT_NEAR(a.start_times[2], 3e-6, 1e-12);  // of float32
    EXPECT_NEAR(a.transmissions[2].focus.z, 22e-3, 1e-8);
}

// --- files that were not written by write_zea ---

constexpr Index elements = 12, sent = 3, times = 20;

/// The fields of two steered plane waves and one diverging wave, as zea's own functions compute them.
struct Fields {
    std::vector<float> geometry, delays, weights = std::vector<float>(sent * elements, 1),
                                         angles = {0.2F, -0.1F, 0}, distances = {INFINITY, 0, -0.02F},
                                         origins = std::vector<float>(3 * sent, 0),
                                         starts = {1e-6F, 0, 2e-6F};

    Fields() {
        for (Index e = 0; e < elements; ++e)
            geometry.insert(geometry.end(),
                            {static_cast<float>(0.3e-3 * (static_cast<double>(e) - 5.5)), 0, 0});
        for (Index k = 0; k < sent; ++k) {
            std::vector<double> t;
            for (Index e = 0; e < elements; ++e) {
                const double x = 0.3e-3 * (static_cast<double>(e) - 5.5);
                t.push_back(k < 2 ? x * std::sin(double{angles[static_cast<std::size_t>(k)]}) / 1540
                                  : std::hypot(x, 0.02) / 1540);
            }
            const double first = *std::min_element(t.begin(), t.end());
            for (const double time : t) delays.push_back(static_cast<float>(time - first));
        }
    }

    void write(Hdf5File& file, const std::string& scan, const std::string& places) const {
        put<float>(file, scan + "/t0_delays", {sent, elements}, delays);
        put<float>(file, scan + "/tx_apodizations", {sent, elements}, weights);
        put<float>(file, scan + "/initial_times", {sent}, starts);
        put<float>(file, scan + "/focus_distances", {sent}, distances);
        put<float>(file, scan + "/transmit_origins", {sent, 3}, origins);
        put<float>(file, scan + "/polar_angles", {sent}, angles);
        put<float>(file, scan + "/sampling_frequency", {}, {20e6F});
        put<float>(file, scan + "/center_frequency", {}, {5e6F});
        put<float>(file, scan + "/demodulation_frequency", {}, {5e6F});
        put<float>(file, scan + "/sound_speed", {}, {1540});
        put<float>(file, places, {elements, 3}, geometry);
    }
};

std::vector<std::int16_t> counted() {
    std::vector<std::int16_t> raw(2 * sent * times * elements);
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::int16_t>(i);
    return raw;
}

void write_tracks(const std::string& path, const Fields& fields, bool second = false) {
    Hdf5File file = Hdf5File::create(path);
    put<std::int16_t>(file, "tracks/track_0/data/raw_data", {2, sent, times, elements, 1}, counted());
    fields.write(file, "tracks/track_0/scan", "probe/probe_geometry");
    if (second) {
        file.write_text("tracks/track_0/label", "planewave");
        put<std::int16_t>(file, "tracks/track_1/data/raw_data", {1, sent, times, elements, 1},
                          std::vector<std::int16_t>(sent * times * elements, 9));
        fields.write(file, "tracks/track_1/scan", "unused");
        file.write_text("tracks/track_1/label", "focused");
    }
    put<float>(file, "probe/element_width", {}, {0.25e-3F});
    file.set_attribute("/", "zea_version", "0.1.8");
    file.commit();
}

TEST_F(ZeaFiles, OfOtherHandsAreUnderstood) {
    write_tracks(path("a.hdf5"), Fields());
    const ChannelDataFile read = read_channel_data_file(path("a.hdf5"));
    const Acquisition& a = read.data.acquisition;
    EXPECT_EQ(read.format, "zea 0.1.8");
    EXPECT_EQ(read.part, "track_0");
    EXPECT_EQ(read.stored_type, "int16");
    ASSERT_EQ(read.data.values.shape(), (Shape{2, sent, elements, times}));
    // value = ((frame sent + transmission) times + time) elements + element
    EXPECT_EQ(read.data.values(1, 2, 7, 13), (5 * times + 13) * elements + 7);

    const TransducerArray array = make_linear_array(elements, 0.3e-3, 0.25e-3);
    const std::vector<Transmission> expected = {plane_wave(array, 0.2, 1540), plane_wave(array, -0.1, 1540),
                                                diverging_wave(array, {0, -0.02}, 1540)};
    for (std::size_t k = 0; k < 3; ++k) {
        const Transmission& t = a.transmissions[k];
        EXPECT_EQ(t.wavefront, expected[k].wavefront);
        EXPECT_NEAR(t.angle, expected[k].angle, 1e-8);
        EXPECT_NEAR(t.focus.z, expected[k].focus.z, 1e-9);
        EXPECT_NEAR(t.focus_time, expected[k].focus_time, 1e-12);  // of float32
        EXPECT_EQ(t.sound_speed, 1540);
        EXPECT_NEAR(a.start_times[k], (std::vector{1e-6, 0.0, 2e-6})[k], 1e-13);
    }
    EXPECT_NEAR(a.array.pitch(), 0.3e-3, 1e-10);
    EXPECT_EQ(a.sound_speed, 1540);
    EXPECT_FALSE(a.demodulated());
    EXPECT_DOUBLE_EQ(a.peak_time, 1 / 5e6);
    EXPECT_THAT(read.remarks, Contains(HasSubstr("one period, 0.2 us, was taken, as zea does")));
}

TEST_F(ZeaFiles, OfBeforeVersion01AreUnderstood) {
    {
        Hdf5File file = Hdf5File::create(path("a.hdf5"));
        std::vector<float> raw(2 * sent * times * elements, 1);
        put<float>(file, "data/raw_data", {2, sent, times, elements, 1}, raw);
        Fields().write(file, "scan", "scan/probe_geometry");
        put<std::int64_t>(file, "scan/n_tx", {}, {sent});
        file.set_attribute("/", "probe", "generic");
        file.commit();
    }
    const ChannelDataFile read = read_channel_data_file(path("a.hdf5"));
    EXPECT_EQ(read.format, "zea before 0.1");
    EXPECT_EQ(read.data.acquisition.transmissions[2].wavefront, Wavefront::diverging);
    EXPECT_NEAR(read.data.acquisition.array.element_width(), 0.3e-3, 1e-10);
    EXPECT_THAT(read.remarks, Contains(HasSubstr("width of an element is not stated")));
}

TEST_F(ZeaFiles, WithSeveralTracksAreReadByLabel) {
    write_tracks(path("a.hdf5"), Fields(), true);
    ChannelDataReadOptions options;
    EXPECT_THAT(read_channel_data_file(path("a.hdf5")).remarks,
                Contains("Of the tracks track_0 (\"planewave\"), track_1 (\"focused\"), track_0 was read."));
    for (const char* name : {"focused", "track_1", "1"}) {
        options.part = name;
        EXPECT_EQ(read_channel_data(path("a.hdf5"), options).values(0, 0, 0, 0), 9) << name;
    }
    options.part = "harmonic";
    EXPECT_THAT(
        [&] { (void)read_channel_data(path("a.hdf5"), options); },
        ThrowsMessage<Error>(AllOf(HasSubstr("has no track \"harmonic\""), HasSubstr("(\"focused\")"))));
}

/// One track of samples 0, 1, ..., heard by `heard` channels in each transmission, those of `indices`.
template <class T>
void write_heard(const std::string& path, Index heard, const std::vector<T>& indices) {
    Hdf5File file = Hdf5File::create(path);
    std::vector<float> raw(static_cast<std::size_t>(sent * times * heard));
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<float>(i);
    put<float>(file, "tracks/track_0/data/raw_data", {1, sent, times, heard, 1}, raw);
    put<T>(file, "tracks/track_0/scan/rx_aperture_indices", {sent, heard}, indices);
    Fields().write(file, "tracks/track_0/scan", "probe/probe_geometry");
    file.set_attribute("/", "zea_version", "0.1.8");
    file.commit();
}

TEST_F(ZeaFiles, WithFewerChannelsThanElementsHaveNanElsewhere) {
    write_heard<std::int32_t>(path("a.hdf5"), 2, {0, 5, 1, 6, 11, 2});
    const ChannelData data = read_channel_data(path("a.hdf5"));
    EXPECT_EQ(data.values(0, 1, 6, 4), (1 * times + 4) * 2 + 1);
    EXPECT_EQ(data.values(0, 2, 11, 4), (2 * times + 4) * 2);
    EXPECT_TRUE(std::isnan(data.values(0, 2, 0, 4)));
}

TEST_F(ZeaFiles, WithAsManyChannelsAsElementsMayHaveThemInAnotherOrder) {
    std::vector<std::int32_t> backwards;
    for (Index k = 0; k < sent; ++k)
        for (Index e = 0; e < elements; ++e) backwards.push_back(static_cast<std::int32_t>(elements - 1 - e));
    write_heard(path("a.hdf5"), elements, backwards);
    const ChannelData data = read_channel_data(path("a.hdf5"));
    EXPECT_EQ(data.values(0, 1, elements - 1, 4), (1 * times + 4) * elements);
    EXPECT_EQ(data.values(0, 2, 0, 3), (2 * times + 3) * elements + elements - 1);
}

// --- bad files ---

TEST_F(ZeaFiles, WhoseChannelsAreOfNoElementOrOfOneTwiceAreRefused) {
    const auto refused = [&](const std::vector<float>& indices, const char* message) {
        write_heard(path("a.hdf5"), 2, indices);
        EXPECT_THAT([&] { (void)read_channel_data(path("a.hdf5")); },
                    ThrowsMessage<Error>(HasSubstr(sentence("rx_aperture_indices\" ", message))));
    };
    refused({0, 5, 1.5F, 6, 11, 2}, "of transmission 2 must be whole numbers from 0 to 11, got 1.5");
    refused({0, 5, 1, 6, 11, 12}, "of transmission 3 must be whole numbers from 0 to 11, got 12");
    refused({0, 5, -1, 6, 11, 2}, "of transmission 2 must be whole numbers from 0 to 11, got -1");
    refused({0, 5, 1, 6, 2, 2}, "of transmission 3 has 2 twice");
}

void expect_refused(const std::string& path, const Fields& fields, const char* message) {
    write_tracks(path, fields);
    EXPECT_THAT([&] { (void)read_channel_data(path); },
                ThrowsMessage<Error>(AllOf(HasSubstr(path + ": "), HasSubstr(message))));
}

TEST_F(ZeaFiles, WhoseFieldsCannotBeAreRefusedByName) {
    const std::string name = path("a.hdf5");
    Fields f;
    std::swap(f.angles[0], f.angles[1]);
    expect_refused(name, f,
                   "t0_delays and polar_angles, focus_distances and transmit_origins of transmission 1 "
                   "contradict each other");
    f = {};
    f.angles[0] = 11.5F;
    expect_refused(name, f,
                   "polar_angles\" of transmission 1 must be within 1.5 rad of straight down, got 11.5; "
                   "is it in degrees?");
    f = {};
    for (float& x : f.geometry) x *= 1000;
    expect_refused(name, f, "is it in millimetres?");
    f = {};
    f.distances[2] = -65;
    expect_refused(name, f, "must be infinite or within 1 m, got -65; is it in wavelengths or millimetres?");
    f = {};
    f.delays[1] = NAN;
    expect_refused(name, f, "delay of element 2 must be between 0 and 0.001 s, got nan");
    f = {};
    f.starts[1] = 2.5F;
    expect_refused(name, f, "start time of transmission 2 must be within 1 s of 0");
    f = {};
    f.geometry[1] = 1e-3F;
    expect_refused(name, f, "element 1 is at y 0.001");
}

TEST_F(ZeaFiles, ThatLackAFieldSayWhich) {
    const auto without = [&](const std::string& missing, const char* message,
                             ChannelDataReadOptions options = {}) {
        {
            Hdf5File file = Hdf5File::create(path("whole.hdf5"));
            put<std::int16_t>(file, "data/raw_data", {2, sent, times, elements, 1}, counted());
            Fields().write(file, "scan", "probe/probe_geometry");
            file.commit();
        }
        const Hdf5File whole = Hdf5File::open(path("whole.hdf5"));
        Hdf5File file = Hdf5File::create(path("a.hdf5"));
        put<std::int16_t>(file, "data/raw_data", {2, sent, times, elements, 1}, counted());
        for (const std::string group : {"scan", "probe"})
            for (const std::string& field : whole.names(group))
                if (const std::string name = group + "/" + field; name != missing)
                    put<float>(file, name, whole.content(name).sizes, whole.read<float>(name));
        file.commit();
        EXPECT_THAT([&] { (void)read_channel_data(path("a.hdf5"), options); },
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    without("scan/t0_delays", "dataset \"scan/t0_delays\" is missing");
    without("scan/initial_times", "does not say start_time (dataset \"scan/initial_times\" is missing)");
    without("scan/sampling_frequency", "does not say sampling_frequency");
    without("scan/center_frequency", "does not say centre_frequency");
    without("probe/probe_geometry", "where the elements are is not known");
}

TEST_F(ZeaFiles, ThatLackDirectionsAreReadByTheirDelays) {
    {
        Hdf5File file = Hdf5File::create(path("a.hdf5"));
        put<std::int16_t>(file, "data/raw_data", {2, sent, times, elements, 1}, counted());
        const Fields f;
        f.write(file, "all", "scan/probe_geometry");
        put<float>(file, "scan/t0_delays", {sent, elements}, f.delays);
        put<float>(file, "scan/initial_times", {sent}, f.starts);
        put<float>(file, "scan/sampling_frequency", {}, {20e6F});
        put<float>(file, "scan/center_frequency", {}, {5e6F});
        put<float>(file, "scan/sound_speed", {}, {1540});
        file.commit();
    }
    const ChannelDataFile read = read_channel_data_file(path("a.hdf5"));
    EXPECT_NEAR(read.data.acquisition.transmissions[0].angle, 0.2, 1e-6);
    EXPECT_NEAR(read.data.acquisition.transmissions[1].angle, -0.1, 1e-6);
    EXPECT_THAT(read.remarks, Contains(HasSubstr("Directions and foci are not stated")));
}

TEST_F(ZeaFiles, OfOtherSizesAreRefused) {
    {
        Hdf5File file = Hdf5File::create(path("a.hdf5"));
        put<float>(file, "data/raw_data", {1, sent, times, 7, 1}, std::vector<float>(sent * times * 7));
        Fields().write(file, "scan", "probe/probe_geometry");
        file.commit();
    }
    EXPECT_THAT([&] { (void)read_channel_data(path("a.hdf5")); },
                ThrowsMessage<Error>(HasSubstr("data/raw_data has 7 channels, the probe has 12 elements")));
    {
        Hdf5File file = Hdf5File::create(path("b.hdf5"));
        put<float>(file, "data/raw_data", {1, 2, times, elements, 1},
                   std::vector<float>(2 * times * elements));
        Fields().write(file, "scan", "probe/probe_geometry");
        file.commit();
    }
    EXPECT_THAT([&] { (void)read_channel_data(path("b.hdf5")); },
                ThrowsMessage<Error>(HasSubstr("dataset \"scan/t0_delays\" is 3 x 12, 2 x 12 is expected")));
}

TEST_F(ZeaFiles, ThatAreCutShortAreRefused) {
    write_zea(path("a.hdf5"), recording(all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3)), 2));
    const auto size = std::filesystem::file_size(path("a.hdf5"));
    for (const double part : {0.02, 0.5, 0.99}) {
        std::filesystem::copy_file(path("a.hdf5"), path("short.hdf5"),
                                   std::filesystem::copy_options::overwrite_existing);
        std::filesystem::resize_file(path("short.hdf5"),
                                     static_cast<std::uintmax_t>(part * static_cast<double>(size)));
        EXPECT_THAT([&] { (void)read_channel_data(path("short.hdf5")); },
                    ThrowsMessage<Error>(HasSubstr("short.hdf5: the HDF5 file is damaged")));
    }
}

TEST_F(ZeaFiles, KeepNan) {
    ChannelData data = recording(all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3)), 1);
    data.values(0, 1, 3, 5) = NAN;
    write_zea(path("a.hdf5"), data);
    expect_same_values(read_channel_data(path("a.hdf5")).values, data.values);
}

TEST_F(ChannelDataFiles, OfNoFormatAreRefusedByName) {
    EXPECT_THAT([&] { (void)read_channel_data(path("none.hdf5")); },
                ThrowsMessage<Error>(HasSubstr("none.hdf5: cannot be read: No such file")));
    std::ofstream(path("a.txt")) << "not a recording at all, but long enough to have a signature";
    EXPECT_THAT([&] { (void)read_channel_data(path("a.txt")); },
                ThrowsMessage<Error>(HasSubstr("a.txt: is no recording that Sonolux reads")));
    Hdf5File file = Hdf5File::create(path("b.h5"));
    put<float>(file, "p_final", {1}, {1});
    file.commit();
    EXPECT_THAT([&] { (void)read_channel_data(path("b.h5")); },
                ThrowsMessage<Error>(HasSubstr("b.h5: is HDF5, but")));
    EXPECT_FALSE(looks_like_channel_data(path("b.h5")));
}

}  // namespace
}  // namespace sonolux

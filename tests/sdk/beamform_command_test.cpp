// tests/sdk/beamform_command_test.cpp
#include <sonolux/sdk/files/numpy_file.hpp>
#include <sonolux/sdk/files/zea.hpp>

#include "tests/support/beamforming.hpp"
#include "tests/support/command_line.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;

class Beamform : public CommandLine {
protected:
    /// Two plane waves on a point at x = 1 mm, z = 9 mm.
    void SetUp() override {
        CommandLine::SetUp();
        data_.acquisition.sound_speed = 1540;
        data_.values = Array<float>({2, 2, 32, 400});
        const Array<float> echoes = echoes_of(data_.acquisition, {1e-3, 9e-3}, 1540);
        for (Index f = 0; f < 2; ++f) std::copy(echoes.begin(), echoes.end(), data_.values.view()[f].data());
        write_zea(file("point.hdf5"), data_);
    }

    [[nodiscard]] Outcome beamform(const std::string& arguments) const {
        return run("beamform " + file("point.hdf5") + " " + arguments);
    }

    /// Where the brightest pixel of the first frame is.
    [[nodiscard]] Point brightest(const std::string& name, const ImageGrid& grid) const {
        const NumpyArray pixels = decode_numpy(read_file(file(name)), name);
        EXPECT_EQ(pixels.sizes[1], grid.rows);
        EXPECT_EQ(pixels.sizes[2], grid.columns);
        Index best = 0;
        double largest = 0;
        for (Index i = 0; i < grid.rows * grid.columns; ++i) {
            const double magnitude = std::hypot(pixels.values[static_cast<std::size_t>(2 * i)],
                                                pixels.values[static_cast<std::size_t>(2 * i + 1)]);
            if (magnitude > largest) {
                largest = magnitude;
                best = i;
            }
        }
        EXPECT_NEAR(largest, 1, 0.1);
        return grid.point(static_cast<double>(best / grid.columns), static_cast<double>(best % grid.columns));
    }

    static constexpr const char* window_ =
        " --top 5 --bottom 13 --left -3 --right 5 --pixel-z 0.05 --pixel-x 0.1";
    const ImageGrid grid_{161, 81, 5e-5, 1e-4, 5e-3, -3e-3};
    const TransducerArray array_ = make_linear_array(32, 3e-4, 2.5e-4);
    ChannelData data_{
        recording_of(array_, {plane_wave(array_, -0.1, 1540), plane_wave(array_, 0.1, 1540)}, 400), {}};
};

TEST_F(Beamform, ShowsAPointWhereItIs) {
    const Outcome outcome = beamform(file("point.png") + window_ + " --data " + file("point.npy"));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("161 x 81 pixels of 0.05 x 0.1 mm"));
    const Point p = brightest("point.npy", grid_);
    EXPECT_NEAR(p.x, 1e-3, 1.1e-4);
    EXPECT_NEAR(p.z, 9e-3, 5.1e-5);
    const Image picture = read_image(file("point.png"));
    EXPECT_GT(picture.rows(), 700);
}

TEST_F(Beamform, ShowsItThereWithAMapToo) {
    std::vector<float> speeds(41 * 31, 1540.0f);
    const Index sizes[] = {41, 31};
    write_file_atomically(file("map.npy"), encode_numpy(speeds, sizes));
    const std::string map =
        std::string(window_) + " --speed-map " + file("map.npy") + " --data " + file("point.npy");
    EXPECT_THAT(beamform(file("point.png") + map),
                FailsWith(1, "does not say where its map lies: give its extent"));
    EXPECT_THAT(beamform(file("point.png") + map + " --map-extent -4 4 0 16"),
                FailsWith(1, "does not cover the image (x -3 to 5 mm, z 5 to 13 mm)"));
    ASSERT_EQ(beamform(file("point.png") + map + " --map-extent -6 6 0 16").status, 0);
    EXPECT_NEAR(brightest("point.npy", grid_).x, 1e-3, 1.1e-4);
    speeds[100] = std::nanf("");
    write_file_atomically(file("map.npy"), encode_numpy(speeds, sizes));
    EXPECT_THAT(beamform(file("point.png") + map + " --map-extent -6 6 0 16"),
                FailsWith(1, "the speed at row 3, column 7 must be between 100 and 10000 m/s, got nan"));
}

TEST_F(Beamform, WritesAPictureOfEachFrameAndDecibelsAsTiff) {
    ASSERT_EQ(beamform(file("a.png") + window_ + " --frames 0-1 --data " + file("a.tif")).status, 0);
    EXPECT_TRUE(std::filesystem::exists(file("a_0000.png")));
    EXPECT_TRUE(std::filesystem::exists(file("a_0001.png")));
    const Image decibels = read_image(file("a.tif"));
    EXPECT_EQ(decibels.bits, 32);
    EXPECT_EQ(*std::max_element(decibels.pixels.begin(), decibels.pixels.end()), 0);
}

TEST_F(Beamform, LeavesOutDeadChannelsAndSaysSo) {
    for (Index f = 0; f < 2; ++f)
        for (Index k = 0; k < 2; ++k)
            for (Index n = 0; n < 400; ++n) {
                data_.values(f, k, 5, n) = 0;
                data_.values(f, k, 20, n) = 0;
                data_.values(f, k, 21, n) *= 0.02f;  // nearly silent
            }
    write_zea(file("point.hdf5"), data_);
    const Outcome outcome = beamform(file("point.png") + window_ + " --data " + file("point.npy"));
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(
        outcome.err,
        HasSubstr("6 of 64 traces are constant, nearly silent, saturated or NaN and left out: elements 6, "
                  "21, 22 throughout"));
    EXPECT_NEAR(brightest("point.npy", grid_).x, 1e-3, 1.1e-4);
}

TEST_F(Beamform, TakesTheOptionsOfRecordings) {
    // The second transmission alone, and a probe whose elements are 0.3 mm apart by what we know of it.
    const Outcome outcome =
        beamform(file("a.png") + window_ + " --transmissions 2 --pitch 0.0003 --sound-speed 1540");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(beamform(file("a.png") + " --transmissions 0"),
                FailsWith(2, "--transmissions must be from 1"));
    EXPECT_THAT(beamform(file("a.png") + " --transmissions 3"), FailsWith(1, "transmission"));
    EXPECT_THAT(beamform(file("a.png") + " --pitch 0.3"), FailsWith(1, "is it in millimetres?"));
}

TEST_F(Beamform, RefusesWhatGivesNoImage) {
    EXPECT_THAT(beamform(file("a.jpg")), FailsWith(2, "IMAGE must end in .png"));
    EXPECT_THAT(beamform(file("a.png") + " --frames 3-1"),
                FailsWith(2, "--frames must be one number or a range"));
    EXPECT_THAT(beamform(file("a.png") + " --speed 1.54"), FailsWith(2, "--speed must be from 100 to 10000"));
    EXPECT_THAT(beamform(file("a.png") + " --f-number -1"), FailsWith(2, "--f-number must be from 0"));
    EXPECT_THAT(beamform(file("a.png") + " --top 50 --bottom 60"),
                FailsWith(1, "no pixel of the grid has an echo in the recording"));
    EXPECT_THAT(beamform(file("a.png") + " --top 9 --bottom 8"), FailsWith(1, "from top to bottom"));
    EXPECT_THAT(beamform(file("a.png") + " --weights 1,2,3"),
                FailsWith(1, "there are 3 compounding weights and 2 transmissions"));
    EXPECT_THAT(beamform(file("a.png") + " --bandwidth 30"),
                FailsWith(1, "bandwidth must be above 0 and at most"));
    data_.acquisition.sound_speed = 0;
    for (float& v : data_.values) v = 0;
    write_zea(file("point.hdf5"), data_);
    EXPECT_THAT(
        beamform(file("a.png") + " --speed 1540"),
        FailsWith(1, "64 of 64 traces were not measured (constant, nearly silent, saturated or NaN)"));
    EXPECT_FALSE(std::filesystem::exists(file("a.png")));
}

}  // namespace
}  // namespace sonolux

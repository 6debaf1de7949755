// `sonolux reconstruct lbfgs RECORDING OUTPUT`, on simulated speckle in a uniform medium.
#include <sonolux/sdk/files/numpy_file.hpp>
#include <sonolux/sdk/files/zea.hpp>

#include "tests/support/command_line.hpp"
#include "tests/support/speckle_recording.hpp"

namespace sonolux {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class ReconstructSpeed : public CommandLine {
protected:
    [[nodiscard]] Outcome reconstruct(const std::string& arguments) const {
        return run("reconstruct lbfgs a.hdf5 " + arguments);
    }
};

TEST_F(ReconstructSpeed, MapsARecordingWhoseChannelsAreNotAllThere) {
    ChannelData data = speckle();
    for (Index k = 0; k < 4; ++k)
        for (Index n = 0; n < data.acquisition.samples; ++n) {
            data.values(0, k, 7, n) = 0;
            if (n >= 900) data.values(0, k, 30, n) = std::nanf("");  // must not ring through its trace
        }
    write_zea(file("a.hdf5"), data);
    const Outcome outcome = reconstruct("map.npy --refine 0");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("a.hdf5: 4 of 256 traces are constant, nearly silent, saturated or "
                                       "NaN and left out: elements 8 throughout"));
    EXPECT_THAT(outcome.out, HasSubstr("pairs of transmissions       3"));
    const NumpyArray map = decode_numpy(read_file(file("map.npy")), "map.npy");
    double sum = 0;
    Index count = 0;
    for (const float speed : map.values)
        if (std::isfinite(speed)) {
            sum += double{speed};
            ++count;
        }
    ASSERT_GT(count, 200);
    EXPECT_NEAR(sum / static_cast<double>(count), speckle_speed, 3);  // 20 m/s from what the file says
}

TEST_F(ReconstructSpeed, RunsAModelOnTheTransmissionsThatItCompares) {
    write_zea(file("a.hdf5"), speckle());
    write_file_atomically(file("model.safetensors"), save_model(speckle_model()));
    const Outcome outcome = run("reconstruct model.safetensors a.hdf5 map.npy");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("pairs of transmissions       2"));
    EXPECT_THAT(outcome.out, HasSubstr(", network "));
    const NumpyArray map = decode_numpy(read_file(file("map.npy")), "map.npy");
    ASSERT_EQ(map.sizes, (std::vector<Index>{34, 32}));
    double sum = 0;
    Index count = 0;
    for (const float speed : map.values)
        if (std::isfinite(speed)) {
            sum += double{speed};
            ++count;
        }
    ASSERT_GT(count, 200);
    EXPECT_NEAR(sum / static_cast<double>(count), speckle_speed, 5);

    write_file_atomically(file("other.safetensors"), save_model(speckle_model({{12, 22}, {41, 52}})));
    const Outcome refused = run("reconstruct other.safetensors a.hdf5 map.npy");
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.err, HasSubstr("pair 2 of the model needs a transmission from x 2.85 mm, z 0 mm; the "
                                       "recording has none"));
    EXPECT_EQ(run("reconstruct model.safetensors a.hdf5 map.npy --pairs 1-2").status, 2);
}

TEST_F(ReconstructSpeed, SaysWhereSearchAndInversionEnded) {
    write_zea(file("a.hdf5"), speckle());
    const Outcome settled = reconstruct("map.npy --refine 0");
    ASSERT_EQ(settled.status, 0) << settled.err;
    EXPECT_THAT(settled.err, Not(HasSubstr("settle")));
    EXPECT_THAT(settled.err, Not(HasSubstr("did not converge")));
    EXPECT_THAT(settled.out, ContainsRegex("iterations                   [0-9]+: converged"));
    const Outcome cut = reconstruct("map.npy --refine 0 --rounds 1");
    ASSERT_EQ(cut.status, 0) << cut.err;
    EXPECT_THAT(cut.err, HasSubstr("had not settled after 1 round;"));
    EXPECT_THAT(reconstruct("map.npy --rounds 2 --speed 1500"), FailsWith(2, "--rounds is of finding"));
}

TEST_F(ReconstructSpeed, LaysOutTheMapAsItIsAsked) {
    write_zea(file("a.hdf5"), speckle());
    const Outcome outcome = reconstruct("map.npy --refine 0 --map 25,24,0.8e-3");
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("map.npy: 25 x 24 pixels, x -9.2 to 9.2 mm, z 0 to 19.2 mm"));
    EXPECT_EQ(decode_numpy(read_file(file("map.npy")), "map.npy").sizes, (std::vector<Index>{25, 24}));
    EXPECT_THAT(reconstruct("map.npy --map 25,24"), FailsWith(2, "--map must be rows, columns and spacing"));
    EXPECT_THAT(reconstruct("map.npy --map 25,24,0.8,1"), FailsWith(2, "like 84,64,0.6e-3, got"));
    EXPECT_THAT(reconstruct("map.npy --map 25.5,24,8e-4"), FailsWith(2, "rows must be a whole number"));
    EXPECT_THAT(reconstruct("map.npy --map 25,0,8e-4"), FailsWith(2, "columns must be a whole number"));
    EXPECT_THAT(reconstruct("map.npy --map 25,24,0.8"), FailsWith(2, "is it in millimetres?"));
    EXPECT_THAT(reconstruct("map.npy --map 25,24,8e-4 --truth a.hdf5"), FailsWith(2, "so does --truth FILE"));
}

TEST_F(ReconstructSpeed, TakesTheOptionsOfRecordingsAndSaysWhatIsWrong) {
    ChannelData data = speckle();
    write_zea(file("a.hdf5"), data);
    EXPECT_THAT(reconstruct("map.npy --pitch 0.3"), FailsWith(1, "is it in millimetres?"));
    EXPECT_THAT(reconstruct("map.npy --frame 1"), FailsWith(1, "a.hdf5: has frames 0 to 0, frame 1 was"));
    EXPECT_THAT(reconstruct("map.npy --pairs 1-9"),
                FailsWith(1, "a.hdf5: pair delays: pair 1 names transmission 9; there are 1 to 4"));
    EXPECT_THAT(reconstruct("map.npy --transmissions 1,2 --pairs 1-3"), FailsWith(1, "there are 1 to 2"));
    EXPECT_THAT(reconstruct("map.npy --pairs 1+2"), FailsWith(2, "--pairs must be like 1-2,3-4"));
    EXPECT_THAT(reconstruct("map.jpg"), FailsWith(2, "a map of sound speed is written as a figure (.png)"));
    for (Index i = 0; i < data.values.elements(); ++i) data.values.data()[i] = 1;
    write_zea(file("a.hdf5"), data);
    EXPECT_THAT(reconstruct("map.npy"),
                FailsWith(1, "a.hdf5: sound speed: 256 of 256 traces were not measured"));
    EXPECT_FALSE(std::filesystem::exists(file("map.npy")));
}

}  // namespace
}  // namespace sonolux

// `sonolux inspect` of recordings.
#include "tests/support/command_line.hpp"

#include <sonolux/sdk/files/uff.hpp>
#include <sonolux/sdk/files/zea.hpp>

#include "tests/sdk/files/channel_data_fixture.hpp"

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using InspectRecording = CommandLine;

ChannelData faulty() {
    ChannelData data = recording(all_kinds(make_linear_array(32, 0.3e-3, 0.27e-3)), 3, true);
    for (Index frame = 0; frame < 3; ++frame)
        for (Index k = 0; k < 4; ++k)
            for (Index n = 0; n < 37; ++n) {
                data.values(frame, k, 6, n) = data.values(frame, k, 7, n) = 0;
                data.values(frame, k, 20, n) =
                    std::clamp(12 * data.values(frame, k, 20, n), -3000.0F, 2999.0F);
            }
    data.values(1, 2, 3, 4) = std::nanf("");
    return data;
}

TEST_F(InspectRecording, SaysWhatWasSentAndWhatIsWrong) {
    write_zea(file("a.hdf5"), faulty());
    const Outcome outcome = run("inspect a.hdf5 --pictures pictures");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    for (const char* line :
         {"format              zea 0.1.0, track_0, samples are float32",
          "frames              3 of 3, 23.7 in a second",
          "array               linear, 32 elements 0.3 mm apart, 0.27 mm wide; x -4.65 to 4.65 mm",
          "transmissions       4 of 4: 1 plane wave, 1 diverging wave, 1 focused beam, 1 single element",
          "pulse               5.2 MHz, peak 0.31 us after its beginning",
          "sampling            37 samples at 31.25 MHz, RF",
          "lens                costs 0.12 us, there and back", "sound speed         1540 m/s",
          "dead elements       2: 7, 8",
          "of images           12 of 128 traces are constant, nearly silent, saturated or NaN and left out: "
          "elements 7, 8, 21 throughout",
          "over 1 %          elements 21", "8.594 degrees", "x -1 mm, z 22 mm", "element 17", "3 to 30"})
        EXPECT_THAT(outcome.out, HasSubstr(line));
    for (const char* picture : {"channels", "geometry"}) {
        EXPECT_THAT(outcome.out, HasSubstr(sentence("pictures/a_", picture, ".png")));
        EXPECT_GT(read_image(file(sentence("pictures/a_", picture, ".png"))).columns(), 200);
    }
}

TEST_F(InspectRecording, ReadsInPartAndTakesWhatIsKnownBetter) {
    write_uff(file("a.uff"), faulty());
    const Outcome outcome =
        run("inspect a.uff --frame 1 --frames 1 --transmissions 1,4 --sound-speed 1480 --peak-time 2e-7");
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("UFF v1.2.0, channel_data"), HasSubstr("1 of 3"),
                                   HasSubstr("2 of 4: 1 plane wave, 1 single element"), HasSubstr("1480 m/s"),
                                   HasSubstr("peak 0.2 us"), Not(HasSubstr("focused"))));
    EXPECT_THAT(run("inspect a.uff --frame 3"),
                FailsWith(1, "a.uff: has frames 0 to 2, frame 3 was asked for"));
    EXPECT_THAT(run("inspect a.uff --pitch 0.3"), FailsWith(1, "is it in millimetres?"));
}

TEST_F(InspectRecording, SaysWhyAFileCannotBeRead) {
    EXPECT_THAT(run("inspect none.mat"), FailsWith(1, "none.mat: cannot be read: No such file"));
    write_bytes("a.hdf5", "this is not HDF5");
    EXPECT_THAT(run("inspect a.hdf5"), FailsWith(1, "a.hdf5: is no recording that Sonolux reads"));
}

}  // namespace
}  // namespace sonolux

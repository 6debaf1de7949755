// `sonolux reconstruct lbfgs RECORDING OUTPUT`, on simulated speckle in a uniform medium.
#include <sonolux/sdk/files/numpy_file.hpp>
#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>

#include "tests/support/command_line.hpp"

namespace sonolux {
namespace {

using ::testing::HasSubstr;

constexpr double true_speed = 1510;

/// Four elements of 64 send; speckle down to 22 mm. The file says 1490 m/s.
ChannelData speckle() {
    Context context;
    const Pulse pulse({5e6, 4, 0.6});
    ChannelData data{{make_linear_array(64, 0.3e-3, 0.27e-3), {}}, {}};
    Acquisition& a = data.acquisition;
    for (const Index e : {12, 22, 42, 52}) a.transmissions.push_back(single_element(a.array, e));
    a.sampling_frequency = 40e6;
    a.centre_frequency = 5e6;
    a.start_times.assign(4, 0);
    a.samples = 1150;
    a.peak_time = pulse.peak_time();
    a.sound_speed = 1490;
    const ImageGrid grid = centred_grid(85, 84, 0.3e-3);
    Array<float> speed(grid.shape());
    std::fill(speed.begin(), speed.end(), static_cast<float>(true_speed));
    Scatterers scatterers;
    Philox random(11, 1, 0);
    for (int n = 0; n < 11000; ++n) {
        const double x = random.uniform(-10.6e-3, 10.6e-3), z = random.uniform(1.5e-3, 24e-3);
        scatterers.positions.push_back({x, z});
        scatterers.reflectivity.push_back(static_cast<float>(random.normal()));
    }
    EchoOptions options;
    options.samples = a.samples;
    const EchoSimulator simulator(a.array, {.grid = grid, .sound_speed = speed, .attenuation = {}}, pulse,
                                  options, context);
    data.values = Array<float>({1, 4, 64, a.samples});
    simulator.simulate(a.transmissions, scatterers, data.values.view()[0], context);
    return data;
}

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
    EXPECT_NEAR(sum / static_cast<double>(count), true_speed, 3);  // 20 m/s from what the file says
}

TEST_F(ReconstructSpeed, TakesTheOptionsOfRecordingsAndSaysWhatIsWrong) {
    ChannelData data = speckle();
    write_zea(file("a.hdf5"), data);
    EXPECT_THAT(reconstruct("map.npy --pitch 0.3"), FailsWith(1, "is it in millimetres?"));
    EXPECT_THAT(reconstruct("map.npy --frame 1"), FailsWith(1, "a.hdf5: has frames 0 to 0, frame 1 was"));
    EXPECT_THAT(reconstruct("map.npy --pairs 1-9"),
                FailsWith(1, "a.hdf5: pair delays: pair 0 names transmission 8; there are 0 to 3"));
    EXPECT_THAT(reconstruct("map.npy --transmissions 1,2 --pairs 1-3"), FailsWith(1, "there are 0 to 1"));
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

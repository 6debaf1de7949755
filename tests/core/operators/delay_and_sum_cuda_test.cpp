// tests/core/operators/delay_and_sum_cuda_test.cpp
//
// Delay and sum as a device does it, on the host and on devices, against the CPU's operator.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <sonolux/core/cuda/host_launcher.hpp>
#include <sonolux/core/operators/delay_and_sum_cuda.hpp>
#include <sonolux/core/random.hpp>

#include "tests/support/beamforming.hpp"
#include "tests/support/cuda_device.hpp"
#include "tests/support/relative_difference.hpp"

namespace sonolux {
namespace {

/// A linear array that sends six plane waves, on a grid of no whole number of tiles.
struct Beamforming {
    Context context{make_openmp_runner(2)};
    Acquisition acquisition;
    DelayAndSumOptions options;
    int frames = 1;

    explicit Beamforming(bool demodulated = false)
        : acquisition(recording_of(make_linear_array(24, 0.3e-3, 0.27e-3), plane_waves(), 700)) {
        if (demodulated) acquisition.demodulation_frequency = acquisition.centre_frequency;
    }

    static std::vector<Transmission> plane_waves() {
        std::vector<Transmission> waves;
        for (int k = 0; k < 6; ++k)
            waves.push_back(plane_wave(make_linear_array(24, 0.3e-3, 0.27e-3), 0.04 * k - 0.1, 1540));
        return waves;
    }

    [[nodiscard]] DelayAndSum beamformer() {
        const ImageGrid grid{37, 33, 0.2e-3, 0.25e-3, 3e-3, -4e-3};
        const FocusingDelays delays(acquisition, grid, 1540);
        return DelayAndSum(acquisition, delays, options, context);
    }

    [[nodiscard]] Array<float> recording(const DelayAndSum& beamformer) const {
        const Shape one = beamformer.domain();
        Array<float> x({frames, one[0], one[1], one[2]});
        fill_normal(x, Philox(3, 1));
        return x;
    }
};

Array<float> by_cpu(const DelayAndSum& beamformer, const Array<float>& x, Context& context) {
    context.workspace().reserve(beamformer.frames_workspace_bytes(context));
    Array<float> images({x.shape()[0], beamformer.range().elements()});
    beamformer.apply_frames(x, images, context);
    return images;
}

Array<float> on_host(const DelayAndSum& beamformer, const Array<float>& x, cuda::HostOrder order) {
    cuda::HostLauncher launcher(order);
    const cuda::DelayAndSumLists lists(beamformer, static_cast<int>(x.shape()[0]));
    cuda::DelayAndSumProgram<cuda::HostLauncher> program(launcher, lists.layout);
    Array<float> images({x.shape()[0], beamformer.range().elements()});
    EXPECT_EQ(program.images_floats(), images.elements());
    program.run(x.data(), images.data());
    return images;
}

void expect_parity(Beamforming& setup, const char* what) {
    const DelayAndSum beamformer = setup.beamformer();
    Array<float> x = setup.recording(beamformer);
    x.data()[301] = std::nanf("");  // of the first trace
    const Array<float> expected = by_cpu(beamformer, x, setup.context);
    const Array<float> forward = on_host(beamformer, x, cuda::HostOrder::forward);
    EXPECT_LT(relative_difference(forward, expected), 1e-6) << what;
    const Array<float> backward = on_host(beamformer, x, cuda::HostOrder::backward);
    EXPECT_EQ(std::memcmp(forward.data(), backward.data(),
                          sizeof(float) * static_cast<std::size_t>(forward.elements())),
              0)
        << what << ": the order of threads makes a difference";
}

}  // namespace

TEST(DelayAndSumCuda, IsTheCpusForEachInterpolationRealAndDemodulated) {
    for (const bool demodulated : {false, true})
        for (const auto how :
             {SampleInterpolation::nearest, SampleInterpolation::linear, SampleInterpolation::cubic}) {
            Beamforming setup(demodulated);
            setup.options.interpolation = how;
            expect_parity(setup, to_string(how));
        }
}

TEST(DelayAndSumCuda, IsTheCpusForImagesOfEachTransmissionAndManyFrames) {
    for (const bool demodulated : {false, true}) {
        Beamforming setup(demodulated);
        setup.options.compound = false;
        setup.options.transmit_f_number = 1.0;
        setup.frames = 3;
        expect_parity(setup, "single transmissions");
    }
}

TEST(DelayAndSumCuda, LeavesOutWhatWasNotMeasured) {
    Beamforming setup;
    const auto traces = static_cast<std::size_t>(setup.acquisition.sent() * setup.acquisition.array.size());
    setup.options.measured.assign(traces, {0, setup.acquisition.samples - 1});
    setup.options.measured[3] = {0, -1};
    setup.options.measured[40] = {200, 400};
    setup.options.compounding_weights = {1, 0, 2, 1, 0.5, 1};
    expect_parity(setup, "masked");
}

TEST(DelayAndSumCuda, NeedsAFrame) {
    Beamforming setup;
    const DelayAndSum beamformer = setup.beamformer();
    EXPECT_THROW(cuda::DelayAndSumLists(beamformer, 0), Error);
}

TEST(DelayAndSumCudaGpu, IsTheCpusWithTheSameBitsFromRunToRun) {
    SLX_NEEDS_CUDA_DEVICE(device);
    for (const bool demodulated : {false, true}) {
        Beamforming setup(demodulated);
        setup.frames = 2;
        const DelayAndSum beamformer = setup.beamformer();
        const Array<float> x = setup.recording(beamformer);
        const Array<float> expected = by_cpu(beamformer, x, setup.context);
        DelayAndSumCuda on_device(beamformer, *device, setup.frames);
        Array<float> first(expected.shape()), second(expected.shape());
        for (Array<float>* images : {&first, &second}) {
            std::copy(x.begin(), x.end(), on_device.frames());
            ASSERT_EQ(on_device.run(), Status::ok) << on_device.message();
            std::copy_n(on_device.images(), images->elements(), images->data());
        }
        EXPECT_LT(relative_difference(first, expected), 1e-6);
        EXPECT_TRUE(std::equal(first.begin(), first.end(), second.begin()));
    }
}

}  // namespace sonolux

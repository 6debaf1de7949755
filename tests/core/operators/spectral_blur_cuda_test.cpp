// tests/core/operators/spectral_blur_cuda_test.cpp
//
// Blur from channels into channels as a device does it, on the host and on devices, against the CPU's
// operator.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <sonolux/core/cuda/host_fft.hpp>
#include <sonolux/core/operators/spectral_blur_cuda.hpp>
#include <sonolux/core/random.hpp>

#include "tests/support/cuda_device.hpp"
#include "tests/support/normal_images.hpp"
#include "tests/support/relative_difference.hpp"

namespace sonolux {
namespace {

/// Blurs of odd and even sizes: from 2 channels into 3, channel by channel, and changing across the image.
std::vector<std::unique_ptr<SpectralBlur>> blurs() {
    std::vector<std::unique_ptr<SpectralBlur>> all;
    all.push_back(std::make_unique<SpectralBlur>(2, 3, 21, 30));
    all.back()->set_kernels(normal({3, 2, 5, 7}, 1));
    all.push_back(std::make_unique<SpectralBlur>(3, 3, 24, 17));
    all.back()->set_kernels(normal({3, 9, 9}, 2));
    all.push_back(std::make_unique<SpectralBlur>(2, 2, 20, 18));
    const Array<float> first = normal({2, 3, 3}, 3), second = normal({2, 5, 5}, 4);
    all.back()->set_kernels({first.view(), second.view()}, bilinear_windows(1, 2, 20, 18));
    return all;
}

TEST(SpectralBlurCuda, IsTheCpusThereAndBack) {
    Context context(make_serial_runner());
    for (const auto& blur : blurs()) {
        context.workspace().reserve(blur->workspace_bytes(context));
        const cuda::SpectralBlurLists lists(*blur);
        const Array<float> x = normal(blur->domain(), 5), y = normal(blur->range(), 6);
        Array<float> blurred(y.shape()), back(x.shape());
        blur->apply(x, blurred, context);
        blur->adjoint(y, back, context);
        std::vector<float> before;
        for (const auto order : {cuda::HostOrder::forward, cuda::HostOrder::backward}) {
            cuda::HostLauncher launcher(order);
            cuda::SpectralBlurProgram<cuda::HostLauncher> program(launcher, lists.layout);
            Array<float> ours(y.shape()), adjoint(x.shape());
            program.apply(x.data(), ours.data());
            program.adjoint(y.data(), adjoint.data());
            EXPECT_LT(relative_difference(ours, blurred), 2e-6);
            EXPECT_LT(relative_difference(adjoint, back), 2e-6);
            if (before.empty()) before.assign(ours.begin(), ours.end());
            EXPECT_EQ(std::memcmp(before.data(), ours.data(), before.size() * sizeof(float)), 0);
        }
    }
}

TEST(SpectralBlurCuda, NeedsKernels) {
    const SpectralBlur blur(1, 1, 8, 8);
    EXPECT_THROW(cuda::SpectralBlurLists{blur}, Error);
}

TEST(SpectralBlurCudaGpu, IsTheCpusWithTheSameBitsFromRunToRun) {
    SLX_NEEDS_CUDA_DEVICE(device);
    Context context(make_serial_runner());
    for (const auto& blur : blurs()) {
        context.workspace().reserve(blur->workspace_bytes(context));
        const Array<float> x = normal(blur->domain(), 5), y = normal(blur->range(), 6);
        Array<float> blurred(y.shape()), back(x.shape()), first(y.shape()), ours(y.shape()),
            adjoint(x.shape());
        blur->apply(x, blurred, context);
        blur->adjoint(y, back, context);
        SpectralBlurCuda on_device(*blur, *device);
        for (Array<float>* result : {&first, &ours}) {
            std::copy(x.begin(), x.end(), on_device.staging());
            ASSERT_EQ(on_device.apply(), Status::ok) << on_device.message();
            std::copy_n(on_device.staging(), result->elements(), result->data());
        }
        std::copy(y.begin(), y.end(), on_device.staging());
        ASSERT_EQ(on_device.adjoint(), Status::ok) << on_device.message();
        std::copy_n(on_device.staging(), adjoint.elements(), adjoint.data());
        EXPECT_LT(relative_difference(ours, blurred), 1e-5);
        EXPECT_LT(relative_difference(adjoint, back), 1e-5);
        EXPECT_TRUE(std::equal(first.begin(), first.end(), ours.begin()));
    }
}

}  // namespace
}  // namespace sonolux

// tests/core/cuda_kernel_test.cpp
//
// The model of kernels on the host: steps, shared memory, registers, and races that show.
#include <gmock/gmock.h>

#include <numeric>

#include <sonolux/core/cuda/host_launcher.hpp>

using namespace sonolux;
using namespace sonolux::cuda;

namespace {

/// Turns each block of 8 around, by way of shared memory and of a register.
struct Reverse {
    const float* in;
    float* out;

    struct Shared {
        float tile[8];
    };
    struct Registers {
        float value;
    };

    [[nodiscard]] SLX_KERNEL int steps() const { return 3; }

    SLX_KERNEL void run(int step, const Thread& thread, Shared& shared, Registers& own) const {
        if (step == 0) own.value = in[thread.global_x()];
        if (step == 1) shared.tile[thread.index.x] = own.value;
        if (step == 2) out[thread.global_x()] = shared.tile[thread.block.x - 1 - thread.index.x];
    }
};

/// The same without the barrier it needs.
struct Racing {
    const float* in;
    float* out;

    using Shared = Reverse::Shared;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared& shared, Registers&) const {
        shared.tile[thread.index.x] = in[thread.global_x()];
        out[thread.global_x()] = shared.tile[thread.block.x - 1 - thread.index.x];
    }
};

/// Which thread this is, written at its place in a volume.
struct Ranks {
    float* out;

    using Shared = Nothing;
    using Registers = Nothing;

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        const unsigned columns = thread.block.x * thread.grid.x, rows = thread.block.y * thread.grid.y;
        out[(thread.global_z() * rows + thread.global_y()) * columns + thread.global_x()] +=
            static_cast<float>(1 + thread.rank());
    }
};

template <class Kernel>
std::vector<float> reversed(HostOrder order) {
    HostLauncher launcher(order);
    std::vector<float> in(24), out(24);
    std::iota(in.begin(), in.end(), 0.0f);
    float* device_in = launcher.allocate<float>(24);
    float* device_out = launcher.allocate<float>(24);
    launcher.upload(device_in, in.data(), 24);
    launcher.record([&] { launcher.launch(Kernel{device_in, device_out}, {3}, {8}); });
    launcher.replay();
    launcher.download(out.data(), device_out, 24);
    launcher.wait();
    return out;
}

}  // namespace

TEST(CudaKernel, StepsOfABlockSeeWhatAllItsThreadsWroteBefore) {
    const std::vector<float> expected = {7,  6,  5, 4, 3,  2,  1,  0,  15, 14, 13, 12,
                                         11, 10, 9, 8, 23, 22, 21, 20, 19, 18, 17, 16};
    EXPECT_EQ(reversed<Reverse>(HostOrder::forward), expected);
    EXPECT_EQ(reversed<Reverse>(HostOrder::backward), expected);
}

TEST(CudaKernel, AMissingBarrierShows) {
    const std::vector<float> forward = reversed<Racing>(HostOrder::forward);
    const std::vector<float> backward = reversed<Racing>(HostOrder::backward);
    EXPECT_THAT(forward, testing::Contains(testing::Truly([](float value) { return std::isnan(value); })))
        << "shared memory that nobody has written holds NaN";
    EXPECT_FALSE(std::equal(forward.begin(), forward.end(), backward.begin()));
}

TEST(CudaKernel, EachThreadOfAGridRunsOnceAtItsPlace) {
    HostLauncher launcher;
    float* out = launcher.allocate<float>(4 * 6 * 6);
    launcher.fill_zero(out, 4 * 6 * 6);
    launcher.launch(Ranks{out}, {3, 2, 2}, {2, 3, 2});  // columns 6, rows 6, planes 4
    for (Index z = 0; z < 4; ++z)
        for (Index y = 0; y < 6; ++y)
            for (Index x = 0; x < 6; ++x)
                EXPECT_EQ(out[(z * 6 + y) * 6 + x], static_cast<float>(1 + (z % 2 * 3 + y % 3) * 2 + x % 2))
                    << z << ' ' << y << ' ' << x;
}

TEST(CudaKernel, GridsCoverTheirItems) {
    EXPECT_EQ(blocks_for(0, 128), 0u);
    EXPECT_EQ(blocks_for(1, 128), 1u);
    EXPECT_EQ(blocks_for(128, 128), 1u);
    EXPECT_EQ(blocks_for(129, 128), 2u);
}

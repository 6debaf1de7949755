// tests/core/cuda_device_test.cpp
//
// Asking for a CUDA device, on machines with one and on machines without.
#include <gmock/gmock.h>

#include <sonolux/core/context.hpp>
#include <sonolux/core/cuda/device.hpp>

#include "tests/support/cuda_device.hpp"

using namespace sonolux;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST(CudaDevice, WhatIsNotThereIsAnErrorThatSaysWhy) {
    // The thousandth device exists nowhere: without the module, a driver or a device the message says that.
    try {
        (void)open_cuda_device(1000);
        FAIL() << "a thousandth device";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::unsupported);
        EXPECT_THAT(error.what(), AnyOf(HasSubstr("cannot be loaded"), HasSubstr("no NVIDIA driver"),
                                        HasSubstr("a newer driver is needed"), HasSubstr("no device"),
                                        HasSubstr("CUDA device 1000 was asked for, and there are")));
    }
}

TEST(CudaDevice, IndicesStartAtZero) {
    try {
        (void)open_cuda_device(-1);
        FAIL() << "device -1";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::invalid_argument);
        EXPECT_THAT(error.what(), HasSubstr("at least 0, got -1"));
    }
}

TEST(CudaDevice, AContextWithoutOneSaysCpu) {
    Context context(make_serial_runner());
    EXPECT_EQ(context.device(), Device::cpu);
    EXPECT_EQ(context.cuda_device(), nullptr);
    EXPECT_THAT(context.description(), StartsWith("cpu, "));
}

TEST(CudaDeviceGpu, AContextSaysWhichOneItHas) {
    SLX_NEEDS_CUDA_DEVICE(device);
    EXPECT_GT(device->total_bytes(), std::size_t{1} << 30);
    EXPECT_LE(device->free_bytes(), device->total_bytes());
    EXPECT_EQ(device->status(), Status::ok);
    Context context(make_serial_runner());
    context.set_cuda_device(device);
    EXPECT_EQ(context.device(), Device::cuda);
    EXPECT_THAT(context.description(), StartsWith("cuda, " + device->name()));
}

// tests/sdk/files/channel_data_fixture.hpp
//
// Recordings to write to files and read again.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include <sonolux/core/acoustics/acquisition.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/channel_data_file.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>

namespace sonolux {

/// A folder of its own for each test.
class ChannelDataFiles : public ::testing::Test {
protected:
    void SetUp() override {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        folder_ = std::filesystem::path(::testing::TempDir()) /
                  sentence("sonolux_", test->test_suite_name(), "_", test->name());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }

    std::filesystem::path folder_;
};

/// One transmission of each kind.
inline Acquisition all_kinds(const TransducerArray& array) {
    Acquisition a{array};
    const Index n = array.size();
    a.transmissions = {plane_wave(array, 0.15, 1540), diverging_wave(array, {1e-3, -8e-3}, 1540),
                       focused_beam(array, {-1e-3, 22e-3}, 1540, aperture_weights(n, 2, n - 4)),
                       single_element(array, n / 2)};
    a.sampling_frequency = 31.25e6;
    a.centre_frequency = 5.2e6;
    a.start_times = {-0.3e-6, 0, 1.1e-6, 4.2e-6};
    a.samples = 37;
    a.peak_time = 0.31e-6;
    a.lens_delay = 0.12e-6;
    a.sound_speed = 1540;
    a.frame_rate = 23.7;
    return a;
}

inline ChannelData recording(Acquisition a, Index frames, bool integers = false) {
    const Index numbers = a.demodulated() ? 2 * a.samples : a.samples;
    ChannelData data{std::move(a), {}};
    data.values = Array<float>({frames, data.acquisition.sent(), data.acquisition.array.size(), numbers});
    fill_normal(data.values, Philox(7));
    if (integers)
        for (float& value : data.values) value = std::round(500 * value);
    return data;
}

inline void expect_same_values(const Array<float>& a, const Array<float>& b) {
    ASSERT_EQ(a.shape(), b.shape());
    for (Index i = 0; i < a.elements(); ++i)
        ASSERT_TRUE(a.data()[i] == b.data()[i] || (std::isnan(a.data()[i]) && std::isnan(b.data()[i])))
            << "value " << i << ": " << a.data()[i] << " and " << b.data()[i];
}

/// Largest difference against the largest value.
inline double distance(const Array<float>& a, const Array<float>& b) {
    EXPECT_EQ(a.shape(), b.shape());
    double difference = 0, largest = 1e-30;
    for (Index i = 0; i < std::min(a.elements(), b.elements()); ++i) {
        difference = std::max<double>(difference, std::abs(a.data()[i] - b.data()[i]));
        largest = std::max<double>(largest, std::abs(a.data()[i]));
    }
    return difference / largest;
}

template <class T>
void put(Hdf5File& file, const std::string& name, const std::vector<Index>& sizes,
         const std::vector<T>& values) {
    file.write<T>(name, sizes, std::span<const T>(values));
}

}  // namespace sonolux

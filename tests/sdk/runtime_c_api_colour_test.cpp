// tests/sdk/runtime_c_api_colour_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include <sonolux/sdk/runtime/sonolux.h>

#include "tests/support/reconstruct.hpp"

namespace sonolux {
namespace {

Model model_of(int channels) {
    VariationalNetworkOptions architecture = tiny_architecture();
    architecture.prior.filters.channels = channels;
    return tiny_model(architecture);
}

// A plan for 20 x 30 pixels, and the planes of an image in buffers that know nothing of each other, with gaps
// between their rows.
struct Device {
    explicit Device(int channels, std::size_t tile = 0) : image(tiny_image({3, 20, 30})) {
        const std::vector<std::byte> file = save_model(model_of(channels));
        slx_model* model = nullptr;
        EXPECT_EQ(slx_model_create_from_memory(file.data(), file.size(), &model, &error), SLX_OK)
            << error.text;
        model_info.size = sizeof model_info;
        EXPECT_EQ(slx_model_get_info(model, &model_info, &error), SLX_OK);
        slx_plan_options options{};
        options.size = sizeof options;
        options.rows = 20;
        options.columns = 30;
        options.tile_rows = options.tile_columns = tile;
        EXPECT_EQ(slx_plan_create(model, &options, &plan, &error), SLX_OK) << error.text;
        slx_model_destroy(model);
        EXPECT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK);
        plan_info.size = sizeof plan_info;
        EXPECT_EQ(slx_plan_get_info(plan, &plan_info, &error), SLX_OK);
        for (std::size_t c = 0; c < 3; ++c) {
            for (Index i = 0; i < 20; ++i)
                std::copy_n(image.view()[static_cast<Index>(c)].row(i), 30, noisy[c].begin() + i * stride);
            in.push_back({noisy[c].data(), 20, 30, stride});
            out.push_back({clean[c].data(), 20, 30, stride});
        }
    }
    ~Device() { slx_plan_destroy(plan); }
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    slx_status run(std::size_t channels) {
        return slx_plan_run_planes(plan, in.data(), out.data(), channels, &error);
    }

    static constexpr std::size_t stride = 37;
    Array<float> image;
    std::vector<std::vector<float>> noisy{3, std::vector<float>(20 * stride)}, clean{noisy};
    std::vector<slx_input> in;
    std::vector<slx_output> out;
    slx_model_info model_info{};
    slx_plan_info plan_info{};
    slx_plan* plan = nullptr;
    slx_error error{};
};

TEST(CInterfaceInColour, RunsThreePlanesAtATime) {
    for (const std::size_t tile : {0u, 7u}) {
        Device device(3, tile);
        EXPECT_EQ(device.model_info.channels, 3);
        EXPECT_EQ(device.plan_info.channels, 3);
        ASSERT_EQ(device.run(3), SLX_OK) << device.error.text;
        const Array<float> expected = run(model_of(3), device.image);
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t i = 0; i < 20; ++i)
                for (std::size_t j = 0; j < 30; ++j)
                    ASSERT_EQ(device.clean[c][i * device.stride + j],
                              expected(static_cast<Index>(c), static_cast<Index>(i), static_cast<Index>(j)));
    }
}

TEST(CInterfaceInColour, RefusesOtherNumbersOfChannelsInASentence) {
    Device colour(3), grey(1);
    EXPECT_EQ(slx_plan_run(colour.plan, colour.in.data(), colour.out.data(), &colour.error),
              SLX_SIZE_MISMATCH);
    EXPECT_STREQ(colour.error.text,
                 "the model looks at 3 channels together, got 1: call slx_plan_run_planes with all of them");
    EXPECT_EQ(colour.run(4), SLX_SIZE_MISMATCH);
    EXPECT_STREQ(colour.error.text, "the model looks at 3 channels together, got 4");
    EXPECT_EQ(grey.run(3), SLX_SIZE_MISMATCH);
    EXPECT_STREQ(grey.error.text, "the model looks at 1 channel together, got 3: run plane by plane");
    EXPECT_EQ(grey.run(1), SLX_OK);
}

TEST(CInterfaceInColour, RefusesPlanesThatDoNotFit) {
    Device device(3);
    device.out[2].data = device.noisy[0].data();
    EXPECT_EQ(device.run(3), SLX_INVALID_ARGUMENT) << "red would be lost before it is read";
    device.out[2].data = device.clean[0].data();
    EXPECT_EQ(device.run(3), SLX_INVALID_ARGUMENT) << "blue would lie over red";
    EXPECT_STREQ(device.error.text,
                 "planes of out must not overlap each other, nor any of in but, in a plan of one tile, the "
                 "same channel's, whole");
    device.out[2].data = device.clean[2].data();
    device.in[1].columns = 29;
    EXPECT_EQ(device.run(3), SLX_SIZE_MISMATCH);
    EXPECT_STREQ(device.error.text, "in[1] must be 20 x 30, the size of the plan, got 20 x 29");
    EXPECT_EQ(slx_plan_run_planes(device.plan, nullptr, device.out.data(), 3, &device.error),
              SLX_INVALID_ARGUMENT);
    EXPECT_STREQ(device.error.text, "in must not be NULL");
}

}  // namespace
}  // namespace sonolux

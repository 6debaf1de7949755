// tests/sdk/runtime_c_api_deblurring_test.cpp
//
// What version 0.2 of the C interface added: kernels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/sdk/runtime/sonolux.hpp>

#include "tests/support/reconstruct.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;

const std::vector<std::byte>& deblurring_file() {
    static const std::vector<std::byte> bytes = save_model(tiny_deblurring_model());
    return bytes;
}

slx_plan_options with_kernel(View<const float> kernel) {
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = 20;
    options.columns = 30;
    if (kernel.data() == nullptr) return options;
    options.kernel = kernel.data();
    options.kernel_rows = static_cast<std::size_t>(kernel.rows());
    options.kernel_columns = static_cast<std::size_t>(kernel.columns());
    return options;
}

struct CInterfaceDeblurs : testing::Test {
    slx_error error{};
    slx_model* model = nullptr;
    slx_plan* plan = nullptr;
    Array<float> kernel = tiny_kernel(5, 4), image = tiny_image({20, 30}), result = Array<float>({20, 30});

    CInterfaceDeblurs() { make_model(deblurring_file()); }
    ~CInterfaceDeblurs() override {
        slx_plan_destroy(plan);
        slx_model_destroy(model);
    }

    void make_model(const std::vector<std::byte>& file) {
        slx_model_destroy(model);
        EXPECT_EQ(slx_model_create_from_memory(file.data(), file.size(), &model, &error), SLX_OK)
            << error.text;
    }

    slx_status make_plan(const slx_plan_options& options) {
        slx_plan_destroy(plan);
        return slx_plan_create(model, &options, &plan, &error);
    }

    slx_status run() {
        const slx_input in{image.data(), 20, 30, 30};
        const slx_output out{result.data(), 20, 30, 30};
        return slx_plan_run(plan, &in, &out, &error);
    }
};

TEST_F(CInterfaceDeblurs, AsTheClassDoes) {
    ASSERT_EQ(make_plan(with_kernel(kernel)), SLX_OK) << error.text;
    ASSERT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK);
    std::fill(kernel.begin(), kernel.end(), 0.0f);  // it was copied
    EXPECT_EQ(run(), SLX_OK);
    EXPECT_TRUE(
        same_bits(result, sonolux::run(tiny_deblurring_model(), image, {.kernel = tiny_kernel(5, 4)})));
    const Array<float> other = tiny_kernel(3, 5, 7);
    ASSERT_EQ(slx_plan_set_kernel(plan, other.data(), 3, 5, &error), SLX_OK) << error.text;
    EXPECT_EQ(run(), SLX_OK);
    EXPECT_TRUE(same_bits(result, sonolux::run(tiny_deblurring_model(), image, {.kernel = other})));
}

TEST_F(CInterfaceDeblurs, AndSaysWhatItNeeds) {
    slx_model_info about{};
    about.size = sizeof about;
    ASSERT_EQ(slx_model_get_info(model, &about, &error), SLX_OK);
    EXPECT_STREQ(about.problem, "deblur");
    EXPECT_EQ(about.needs_kernel, 1);
    EXPECT_EQ(about.kernel_rows, 9u);
    EXPECT_EQ(about.kernel_columns, 7u);

    ASSERT_EQ(make_plan(with_kernel(tiny_kernel(11, 4))), SLX_OK) << error.text;
    slx_plan_info planned{};
    planned.size = sizeof planned;
    ASSERT_EQ(slx_plan_get_info(plan, &planned, &error), SLX_OK);
    EXPECT_EQ(planned.tiles, 1u);
    EXPECT_EQ(planned.kernel_rows, 11u);
    EXPECT_EQ(planned.kernel_columns, 7u);  // the border of the network is 3 wide
    EXPECT_GT(planned.plan_bytes, 20u * 30 * 12);
    EXPECT_EQ(planned.workspace_bytes, slx_plan_workspace_bytes(plan));

    make_model(tiny_file());
    ASSERT_EQ(slx_model_get_info(model, &about, &error), SLX_OK);
    EXPECT_EQ(about.needs_kernel, 0);
    EXPECT_EQ(about.kernel_rows, 0u);
    ASSERT_EQ(make_plan(with_kernel({})), SLX_OK) << error.text;
    ASSERT_EQ(slx_plan_get_info(plan, &planned, &error), SLX_OK);
    EXPECT_EQ(planned.plan_bytes, 0u);
    EXPECT_EQ(planned.kernel_rows, 0u);
}

TEST_F(CInterfaceDeblurs, AndRefusesKernelsByName) {
    const auto refuses = [&](const slx_plan_options& options, slx_status status, const char* why) {
        EXPECT_EQ(make_plan(options), status);
        EXPECT_EQ(plan, nullptr);
        EXPECT_THAT(error.text, HasSubstr(why));
    };
    refuses(with_kernel({}), SLX_INVALID_ARGUMENT,
            "a kernel must be given: model \"tiny\" takes a blur away");
    slx_plan_options options = with_kernel(kernel);
    options.kernel = nullptr;
    refuses(
        options, SLX_INVALID_ARGUMENT,
        "options->kernel must not be NULL where options->kernel_rows x options->kernel_columns are 5 x 4");
    options = with_kernel(kernel);
    options.kernel_rows = 0;
    refuses(options, SLX_INVALID_ARGUMENT, "the kernel must be [rows, columns], at least 1 x 1, got 0 x 4");
    options.kernel_rows = std::size_t{1} << 40;
    refuses(options, SLX_INVALID_ARGUMENT,
            "options->kernel_rows must be at most 16777216, got 1099511627776");
    refuses(with_kernel(tiny_kernel(3, 31)), SLX_INVALID_ARGUMENT, "the kernel must be at most 20 x 30");
    options = with_kernel(kernel);
    options.memory_limit = 20000;
    refuses(options, SLX_UNSUPPORTED, "memory_limit must be at least ");

    ASSERT_EQ(make_plan(with_kernel(kernel)), SLX_OK) << error.text;
    ASSERT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK);
    ASSERT_EQ(run(), SLX_OK);
    const Array<float> before = result.clone();
    EXPECT_EQ(slx_plan_set_kernel(plan, nullptr, 3, 3, &error), SLX_INVALID_ARGUMENT);
    EXPECT_STREQ(error.text, "kernel must not be NULL");
    EXPECT_EQ(slx_plan_set_kernel(plan, kernel.data(), 5, std::size_t{1} << 40, &error),
              SLX_INVALID_ARGUMENT);
    EXPECT_THAT(error.text, HasSubstr("kernel_columns must be at most"));
    EXPECT_EQ(slx_plan_set_kernel(plan, tiny_kernel(9, 3).data(), 9, 3, &error), SLX_INVALID_ARGUMENT);
    EXPECT_THAT(error.text, HasSubstr("the kernel must be at most 7 x 7, what was planned for, got 9 x 3"));
    EXPECT_EQ(slx_plan_set_kernel(nullptr, kernel.data(), 5, 4, &error), SLX_INVALID_ARGUMENT);
    EXPECT_EQ(run(), SLX_OK);
    EXPECT_TRUE(same_bits(result, before));

    make_model(tiny_file());
    refuses(with_kernel(kernel), SLX_INVALID_ARGUMENT, "a kernel must not be given: model \"tiny\"");
    ASSERT_EQ(make_plan(with_kernel({})), SLX_OK);
    EXPECT_EQ(slx_plan_set_kernel(plan, kernel.data(), 5, 4, &error), SLX_INVALID_ARGUMENT);
    EXPECT_THAT(error.text, HasSubstr("a kernel must not be given"));
}

// A program that was compiled against 0.1, whose structures end earlier.
TEST_F(CInterfaceDeblurs, AndServesCallersWhoKnowNoKernels) {
    make_model(tiny_file());
    slx_plan_options options = with_kernel({});
    options.size = offsetof(slx_plan_options, kernel);
    options.kernel = kernel.data();  // beyond the end of their structure: not read
    options.kernel_rows = 5;
    ASSERT_EQ(make_plan(options), SLX_OK) << error.text;
    slx_plan_info planned{};
    planned.size = offsetof(slx_plan_info, plan_bytes);
    planned.plan_bytes = 77;
    EXPECT_EQ(slx_plan_get_info(plan, &planned, &error), SLX_OK);
    EXPECT_EQ(planned.plan_bytes, 77u);
    slx_model_info about{};
    about.size = offsetof(slx_model_info, needs_kernel);
    about.needs_kernel = 77;
    EXPECT_EQ(slx_model_get_info(model, &about, &error), SLX_OK);
    EXPECT_EQ(about.needs_kernel, 77);

    make_model(deblurring_file());
    EXPECT_EQ(make_plan(options), SLX_INVALID_ARGUMENT);
    EXPECT_THAT(error.text, HasSubstr("a kernel must be given"));
}

TEST_F(CInterfaceDeblurs, AndSoInCxx) {
    const slx::Model file(deblurring_file().data(), deblurring_file().size());
    slx_plan_options options = with_kernel(kernel);
    slx::Plan plan_in_cxx(file, 20, 30, options);
    plan_in_cxx.bind();
    std::vector<float> in(image.begin(), image.end()), out(in.size());
    const Array<float> other = tiny_kernel(7, 7, 3);
    plan_in_cxx.set_kernel(other.data(), 7, 7);
    EXPECT_TRUE(plan_in_cxx.run(in, out));
    const Array<float> expected = sonolux::run(tiny_deblurring_model(), image, {.kernel = other});
    EXPECT_TRUE(std::equal(out.begin(), out.end(), expected.begin()));
    EXPECT_THROW(plan_in_cxx.set_kernel(other.data(), 1, 49), slx::Error);
}

}  // namespace
}  // namespace sonolux

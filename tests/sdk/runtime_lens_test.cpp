// tests/sdk/runtime_lens_test.cpp
//
// Captures through a lens, through the C interface and its C++ clothes: what firmware does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <sonolux/sdk/pipelines/tiled_lens_recovery.hpp>
#include <sonolux/sdk/runtime/lens_reconstructor.hpp>
#include <sonolux/sdk/runtime/sonolux.hpp>

#include "tests/support/tiny_lens_model.hpp"
#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr Index rows = 37, columns = 52;
constexpr std::size_t stride = 60, plane = static_cast<std::size_t>(rows) * stride;
constexpr float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();

std::vector<std::byte> file_of(const Model& model) { return save_model(model); }

/// What the C++ class makes of the scene, with a border as wide as the kernels reach.
Array<float> expected(double electrons = 0, View<const float> kernels = lens_kernels(tiny_lens_model())) {
    const Model model = tiny_lens_model();
    Context context;
    LensRecovery recovery(model, kernels, rows, columns, kernels.rows() / 2, context);
    const Array<float> capture = tiny_lens_scene(rows, columns);
    Array<float> image(capture.shape());
    const auto noise = noise_of_capture(lens_problem(model.problem, "tiny"), capture, electrons);
    EXPECT_EQ(recovery.run(capture, noise, image, context), Status::ok);
    return image;
}

/// A model and plans for it; captures in planes that know nothing of each other, with gaps between rows.
struct CInterfaceForLenses : testing::Test {
    slx_error error{};
    slx_model* model = nullptr;
    slx_plan* plan = nullptr;
    slx_plan_options options{};
    Array<float> scene = tiny_lens_scene(rows, columns);
    std::vector<float> captured[3], recovered[3];
    std::vector<slx_input> in;
    std::vector<slx_output> out;

    CInterfaceForLenses() {
        make_model(tiny_lens_model());
        options.size = sizeof options;
        options.rows = static_cast<std::size_t>(rows);
        options.columns = static_cast<std::size_t>(columns);
        for (std::size_t c = 0; c < 3; ++c) {
            captured[c].assign(plane, nan);  // what lies between rows is nobody's
            recovered[c].assign(plane, -7.0F);
            for (Index i = 0; i < rows; ++i)
                std::copy_n(&scene(static_cast<Index>(c), i, 0), columns,
                            captured[c].begin() + i * static_cast<Index>(stride));
            in.push_back({captured[c].data(), options.rows, options.columns, stride});
            out.push_back({recovered[c].data(), options.rows, options.columns, stride});
        }
    }
    ~CInterfaceForLenses() override {
        slx_plan_destroy(plan);
        slx_model_destroy(model);
    }

    void make_model(const Model& made) {
        slx_model_destroy(model);
        const std::vector<std::byte> bytes = file_of(made);
        EXPECT_EQ(slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error), SLX_OK)
            << error.text;
    }
    slx_status make_plan() {
        slx_plan_destroy(plan);
        return slx_plan_create(model, &options, &plan, &error);
    }
    void make_bound_plan() {
        ASSERT_EQ(make_plan(), SLX_OK) << error.text;
        ASSERT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK) << error.text;
    }
    slx_status run() { return slx_plan_run_planes(plan, in.data(), out.data(), 3, &error); }

    /// Whether the planes of `out` are this image, and nothing else was touched.
    bool is(const Array<float>& image) const {
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t i = 0; i < out[c].rows; ++i)
                for (std::size_t j = 0; j < out[c].columns; ++j)
                    if (out[c].data[i * stride + j] !=
                        image(static_cast<Index>(c), static_cast<Index>(i), static_cast<Index>(j)))
                        return false;
        return true;
    }
    bool untouched() const {
        for (const auto& values : recovered)
            for (const float value : values)
                if (value != -7.0F) return false;
        return true;
    }
    /// That no plan is made, and why.
    void refuses(slx_status status, const char* why) {
        EXPECT_EQ(make_plan(), status) << error.text;
        EXPECT_EQ(plan, nullptr);
        EXPECT_THAT(error.text, HasSubstr(why));
    }
};

TEST_F(CInterfaceForLenses, GivesTheBitsOfLensRecovery) {
    make_bound_plan();
    slx_model_destroy(model);  // the plan keeps what it needs
    model = nullptr;
    ASSERT_EQ(run(), SLX_OK) << error.text;
    EXPECT_STREQ(error.text, "");
    EXPECT_TRUE(is(expected()));
    for (std::size_t c = 0; c < 3; ++c)
        EXPECT_EQ(recovered[c][static_cast<std::size_t>(columns)], -7.0F) << "between rows";

    Context context;
    TiledLensRecovery tiled(tiny_lens_model(), nullptr, rows, columns, 0, context);
    Array<float> image(scene.shape());
    const auto noise = noise_of_capture(lens_problem(tiny_lens_model().problem, "tiny"), scene);
    ASSERT_EQ(tiled.run(scene, noise, image), Status::ok);
    EXPECT_TRUE(is(image)) << "nor does `sonolux reconstruct` give others";
}

TEST_F(CInterfaceForLenses, GivesTheSameInPlaceInMemoryOfOursOrYoursAndOnAnyThreads) {
    const Array<float> image = expected();
    for (const int threads : {1, 3}) {
        options.threads = threads;
        ASSERT_EQ(make_plan(), SLX_OK) << error.text;
        const std::size_t bytes = slx_plan_workspace_bytes(plan);
        EXPECT_EQ(bytes % SLX_ALIGNMENT, 0U);
        std::vector<char> block(bytes + SLX_ALIGNMENT);
        char* memory =
            block.data() +
            (SLX_ALIGNMENT - reinterpret_cast<std::uintptr_t>(block.data()) % SLX_ALIGNMENT) % SLX_ALIGNMENT;
        EXPECT_EQ(slx_plan_bind(plan, memory, bytes - 1, &error), SLX_SIZE_MISMATCH);
        EXPECT_EQ(slx_plan_bind(plan, memory + 4, bytes, &error), SLX_INVALID_ARGUMENT);
        ASSERT_EQ(slx_plan_bind(plan, memory, bytes, &error), SLX_OK) << error.text;
        ASSERT_EQ(run(), SLX_OK) << error.text;
        EXPECT_TRUE(is(image)) << threads;
        ASSERT_EQ(run(), SLX_OK);
        EXPECT_TRUE(is(image)) << "a second time";
    }
    ASSERT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK);  // yours has gone
    for (std::size_t c = 0; c < 3; ++c) out[c].data = captured[c].data();
    ASSERT_EQ(run(), SLX_OK) << error.text;
    EXPECT_TRUE(is(image));
}

TEST_F(CInterfaceForLenses, SaysWhatModelAndPlanAre) {
    slx_model_info about{};
    about.size = sizeof about;
    ASSERT_EQ(slx_model_get_info(model, &about, &error), SLX_OK);
    EXPECT_STREQ(about.problem, "lens");
    EXPECT_EQ(about.channels, 3);
    EXPECT_EQ(about.stages, 2);
    EXPECT_EQ(about.needs_kernel, 0);
    EXPECT_EQ(about.electrons_min, 5000);
    EXPECT_EQ(about.electrons_max, 20000);
    make_bound_plan();
    slx_plan_info planned{};
    planned.size = sizeof planned;
    ASSERT_EQ(slx_plan_get_info(plan, &planned, &error), SLX_OK);
    EXPECT_EQ(planned.rows, 37U);
    EXPECT_EQ(planned.columns, 52U);
    EXPECT_EQ(planned.tiles, 1U);
    EXPECT_EQ(planned.channels, 3);
    EXPECT_EQ(planned.electrons, 10000);
    EXPECT_EQ(planned.workspace_bytes, slx_plan_workspace_bytes(plan));
    EXPECT_GT(planned.plan_bytes, 3 * 37 * 52 * sizeof(float)) << "spectra of the kernels";
    EXPECT_STREQ(planned.device, "cpu");

    options.memory_limit = planned.workspace_bytes + planned.plan_bytes;
    EXPECT_EQ(make_plan(), SLX_OK) << error.text;
    --options.memory_limit;
    refuses(SLX_UNSUPPORTED, "memory_limit must be at least");
    options.memory_limit = 64;
    refuses(SLX_UNSUPPORTED, "recovered in one piece, got 64");
}

TEST_F(CInterfaceForLenses, TakesElectronsAndKernels) {
    options.electrons = 300;
    make_bound_plan();
    ASSERT_EQ(run(), SLX_OK);
    EXPECT_TRUE(is(expected(300)));
    EXPECT_FALSE(is(expected()));

    Array<float> kernels = gaussian_lens_kernels(13, 0.9, 0.4);
    options.electrons = 0;
    options.lens_kernels = kernels.data();
    options.lens_kernel_size = 13;
    make_bound_plan();
    std::fill(kernels.begin(), kernels.end(), nan);  // they were copied
    ASSERT_EQ(run(), SLX_OK);
    EXPECT_TRUE(is(expected(0, gaussian_lens_kernels(13, 0.9, 0.4))));
}

TEST_F(CInterfaceForLenses, RefusesOptionsThatMakeNoSense) {
    const std::string electrons = "electrons at white must be from 1 to 1e+12, or 0 for what the model";
    for (const double wrong : {-1.0, 0.5, 2e12, std::numeric_limits<double>::quiet_NaN(),
                               std::numeric_limits<double>::infinity()}) {
        options.electrons = wrong;
        refuses(SLX_INVALID_ARGUMENT, electrons.c_str());
    }
    options.electrons = 0;
    Array<float> kernels = tiny_lens_kernels();
    options.lens_kernel_size = 9;
    refuses(SLX_INVALID_ARGUMENT, "options->lens_kernels must not be NULL where lens_kernel_size is 9");
    options.lens_kernels = kernels.data();
    options.lens_kernel_size = 0;
    refuses(SLX_INVALID_ARGUMENT, "options->lens_kernel_size must be odd, got 0");
    options.lens_kernel_size = 8;
    refuses(SLX_INVALID_ARGUMENT, "options->lens_kernel_size must be odd, got 8");
    options.lens_kernel_size = SIZE_MAX;
    refuses(SLX_INVALID_ARGUMENT, "options->lens_kernel_size must be at most");
    options.lens_kernel_size = 9;
    for (const float wrong : {nan, infinity}) {
        kernels(2, 3, 4) = wrong;
        refuses(SLX_INVALID_ARGUMENT, "tap [2, 3, 4] of the kernels of the lens must be finite, got");
    }
    options.lens_kernels = nullptr;
    options.lens_kernel_size = 0;
    options.sigma = 25;
    refuses(SLX_INVALID_ARGUMENT, "the model recovers captures through a lens");
    options.sigma = 0;
    options.kernel = kernels.data();
    options.kernel_rows = options.kernel_columns = 9;
    refuses(SLX_INVALID_ARGUMENT, "options->kernel and sigma must not be given");
    options.kernel = nullptr;
    options.kernel_rows = options.kernel_columns = 0;
    options.rows = 7;
    refuses(SLX_INVALID_ARGUMENT, "rows of captures must be from 8 to 16777216, got 7");
    options.rows = 37;
    options.columns = 0;
    refuses(SLX_INVALID_ARGUMENT, "columns of captures must be from 8 to 16777216, got 0");
    options.columns = 52;
    options.threads = -1;
    refuses(SLX_INVALID_ARGUMENT, "threads must be from 0 to 1024, got -1");
    options.threads = 0;

    make_model(tiny_model());
    options.electrons = 1000;
    refuses(SLX_INVALID_ARGUMENT, "does not recover captures through a lens");
    options.electrons = 0;
    options.lens_kernels = kernels.data();
    options.lens_kernel_size = 9;
    refuses(SLX_INVALID_ARGUMENT, "options->electrons and lens_kernels must not be given");
}

TEST_F(CInterfaceForLenses, RefusesWhatOtherPlansTake) {
    make_bound_plan();
    EXPECT_EQ(slx_plan_set_sigma(plan, 25, &error), SLX_UNSUPPORTED);
    EXPECT_THAT(error.text,
                HasSubstr("recovers captures through a lens: the noise follows from the capture"));
    const float tap = 1;
    EXPECT_EQ(slx_plan_set_kernel(plan, &tap, 1, 1, &error), SLX_UNSUPPORTED);
    EXPECT_THAT(error.text, HasSubstr("those that the plan was created with"));
    const slx_delays delays{};
    const slx_speed_map map{};
    EXPECT_EQ(slx_plan_run_delays(plan, &delays, &map, nullptr, &error), SLX_UNSUPPORTED);
    EXPECT_THAT(error.text, HasSubstr("call slx_plan_run_planes"));
}

TEST_F(CInterfaceForLenses, RefusesCapturesThatDoNotFit) {
    ASSERT_EQ(make_plan(), SLX_OK);
    EXPECT_EQ(run(), SLX_INVALID_ARGUMENT);
    EXPECT_STREQ(error.text, "the plan has no workspace yet: call slx_plan_bind before");
    ASSERT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK);
    EXPECT_EQ(slx_plan_run(plan, in.data(), out.data(), &error), SLX_SIZE_MISMATCH);
    EXPECT_STREQ(error.text,
                 "the model looks at 3 channels together, got 1: call slx_plan_run_planes with all of them");
    EXPECT_EQ(slx_plan_run_planes(plan, in.data(), out.data(), 4, &error), SLX_SIZE_MISMATCH);
    in[1].columns = 51;
    EXPECT_EQ(run(), SLX_SIZE_MISMATCH);
    EXPECT_STREQ(error.text, "in[1] must be 37 x 52, the size of the plan, got 37 x 51");
    in[1].columns = 52;
    out[2].row_stride = 51;
    EXPECT_EQ(run(), SLX_SIZE_MISMATCH);
    EXPECT_THAT(error.text,
                HasSubstr("out[2]->row_stride must be at least the number of columns, 52, got 51"));
    out[2].row_stride = stride;
    out[2].data = recovered[0].data();
    EXPECT_EQ(run(), SLX_INVALID_ARGUMENT) << "blue would lie over red";
    EXPECT_THAT(error.text, HasSubstr("must not overlap each other"));
    out[2].data = captured[0].data();
    EXPECT_EQ(run(), SLX_INVALID_ARGUMENT) << "planes of other channels";
    out[2].data = recovered[2].data();
    for (const float wrong : {nan, infinity, -infinity}) {
        captured[1][3 * stride + 5] = wrong;
        EXPECT_EQ(run(), SLX_INVALID_ARGUMENT);
        EXPECT_STREQ(error.text, "every pixel of the capture must be finite");
    }
    EXPECT_TRUE(untouched());
    captured[1][3 * stride + 5] = scene(1, 3, 5);
    ASSERT_EQ(run(), SLX_OK) << "after all that";
    EXPECT_TRUE(is(expected()));
}

TEST_F(CInterfaceForLenses, RecoversBlackAsBlackEvenWithoutReadNoise) {
    Model silent = tiny_lens_model();
    set_lens(silent.problem, {8e-6, {0.8, 1.0, 0.7}, 5000, 20000, 0});
    make_model(silent);
    make_bound_plan();
    for (auto& values : captured) std::fill(values.begin(), values.end(), 0.0F);
    ASSERT_EQ(run(), SLX_OK) << error.text;
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(recovered[c][20 * stride + 20], 0, 1e-3);
}

int32_t count_and_stop(void* host, ptrdiff_t done, ptrdiff_t total) {
    EXPECT_EQ(total, 2);
    ++*static_cast<int*>(host);
    return done == 1 ? 1 : 0;
}

TEST_F(CInterfaceForLenses, StopsBetweenStagesWithWhatWasFinished) {
    make_bound_plan();
    // Before anything was begun: the capture.
    slx_plan_cancel(plan);
    EXPECT_EQ(run(), SLX_CANCELLED);
    EXPECT_TRUE(is(scene));
    ASSERT_EQ(run(), SLX_OK) << "later runs are not cancelled";
    const Array<float> finished = expected();
    EXPECT_TRUE(is(finished));
    EXPECT_EQ(slx_plan_set_time_limit(plan, -1, &error), SLX_INVALID_ARGUMENT);
    ASSERT_EQ(slx_plan_set_time_limit(plan, 1e-9, &error), SLX_OK);
    EXPECT_EQ(run(), SLX_DEADLINE_EXCEEDED);
    EXPECT_TRUE(is(scene));
    ASSERT_EQ(slx_plan_set_time_limit(plan, 0, &error), SLX_OK);
    EXPECT_EQ(run(), SLX_OK);

    int calls = 0;
    options.progress = count_and_stop;
    options.progress_host = &calls;
    make_bound_plan();
    EXPECT_EQ(run(), SLX_CANCELLED);
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE(is(scene));
    EXPECT_FALSE(is(finished));
    const float first = recovered[1][20 * stride + 20];
    EXPECT_EQ(run(), SLX_CANCELLED) << "it is asked again";
    EXPECT_EQ(recovered[1][20 * stride + 20], first);
}

// The deadline passes while the linear estimate is made: a runner that takes its time.
struct SlowRunner {
    static void run(void* host, ptrdiff_t items, slx_task task, void* data) {
        const auto until = Context::Clock::now() + std::chrono::milliseconds(*static_cast<int*>(host));
        while (Context::Clock::now() < until) {
        }
        for (ptrdiff_t item = 0; item < items; ++item) task(data, item, 0);
    }
};

TEST_F(CInterfaceForLenses, HoldsTheLinearEstimateWhereNoStageWasFinished) {
    int milliseconds = 0;
    const slx_thread_runner slow{&milliseconds, 2, SlowRunner::run};
    options.runner = &slow;
    make_bound_plan();
    ASSERT_EQ(slx_plan_set_time_limit(plan, 0.05, &error), SLX_OK);
    milliseconds = 60;
    EXPECT_EQ(run(), SLX_DEADLINE_EXCEEDED);
    Context context;
    LensRecovery recovery(tiny_lens_model(), rows, columns, 4, context);
    recovery.keep_linear();
    Array<float> image(scene.shape()), linear(scene.shape());
    const auto noise = noise_of_capture(lens_problem(tiny_lens_model().problem, "tiny"), scene);
    ASSERT_EQ(recovery.run(scene, noise, image, context), Status::ok);
    std::copy(recovery.linear().begin(), recovery.linear().end(), linear.begin());
    EXPECT_TRUE(is(linear));
}

TEST_F(CInterfaceForLenses, ServesProgramsThatKnowLess) {
    options.size = offsetof(slx_plan_options, electrons);
    options.electrons = nan;
    make_bound_plan();
    ASSERT_EQ(run(), SLX_OK);
    EXPECT_TRUE(is(expected()));
}

TEST(CppInterfaceForLenses, RunsPlanesAndWholeCaptures) {
    const std::vector<std::byte> bytes = file_of(tiny_lens_model());
    const slx::Model model(bytes.data(), bytes.size());
    slx_plan_options options{};
    options.electrons = 8000;
    slx::Plan plan(model, rows, columns, options);
    plan.bind();
    EXPECT_EQ(plan.info().electrons, 8000);
    const Array<float> scene = tiny_lens_scene(rows, columns), image = expected(8000);
    std::vector<float> capture(scene.begin(), scene.end()), result(capture.size());
    ASSERT_TRUE(plan.run(capture, result));
    EXPECT_TRUE(std::equal(result.begin(), result.end(), image.begin()));
    result.resize(result.size() / 3);
    EXPECT_THAT([&] { plan.run(capture, result); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("3 x 1924 values")));
    EXPECT_THAT([&] { plan.set_sigma(25); },
                ThrowsMessage<slx::Error>(HasSubstr("follows from the capture")));
}

TEST(LensReconstructor, RefusesKernelsOfOtherChannelsAndModelsOfOtherProblems) {
    const Array<float> two({2, 9, 9}), flat({9, 9}), oblong({3, 9, 7});
    const auto refuses = [](const Model& model, View<const float> kernels, const char* why) {
        EXPECT_THAT(([&] { LensReconstructor unused(model, rows, columns, {.kernels = kernels}); }),
                    ThrowsMessage<Error>(HasSubstr(why)));
    };
    refuses(tiny_lens_model(), two, "must be [3, size, size] for model \"tiny_lens\", got 2 x 9 x 9");
    refuses(tiny_lens_model(), flat, "must be [3, size, size] for model \"tiny_lens\", got 9 x 9");
    refuses(tiny_lens_model(), oblong, "must have an odd size, got 9 x 7");
    refuses(tiny_model(), {}, "not \"lens\"");
    Model grey = tiny_lens_model();
    set_lens(grey.problem, {8e-6, {1.0}, 5000, 20000, 10});
    refuses(grey, {}, "has kernels of 3 channels and a white of 1");
}

}  // namespace
}  // namespace sonolux

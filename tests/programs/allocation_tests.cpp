// tests/programs/allocation_tests.cpp
//
// A program of its own, because it takes the place of malloc: counts what is allocated while networks run,
// and makes allocations fail while they are set up.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <string>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/priors/convolutional_network.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

#include "tests/support/counted_allocations.hpp"
#include "tests/support/tiny_model.hpp"
#include "tests/support/tiny_speed_model.hpp"

namespace sonolux {
namespace {

constexpr int many_runs = 10000;

// So small that ten thousand runs take seconds, and yet worked on in several pieces by several threads.
VariationalNetworkOptions smallest_architecture() {
    VariationalNetworkOptions options = tiny_architecture();
    options.prior.filters.count = 1;
    options.momentum = true;
    options.sigma_degree = 1;
    return options;
}

struct Case {
    Index rows, columns, tile_rows;
    int threads;
};
constexpr Case cases[] = {{20, 24, 0, 1}, {20, 24, 9, 1}, {20, 24, 9, 2}, {150, 8, 0, 2}};

TEST(Allocation, IsSeenByThisProgram) {
    const long before = allocations;
    const auto image = tiny_image({4, 4});
    EXPECT_GT(allocations, before);
}

TEST(Allocation, DoesNotHappenInTenThousandRunsOfAReconstructor) {
    const Model model = tiny_model(smallest_architecture());
    for (const auto& [rows, columns, tile_rows, threads] : cases) {
        const Array<float> image = tiny_image({rows, columns});
        Array<float> result({rows, columns});
        Reconstructor reconstructor(model, rows, columns,
                                    {.sigma = 20, .tile_rows = tile_rows, .threads = threads});
        reconstructor.bind();
        bool all_ok = true;
        const long before = allocations;
        for (int i = 0; i < many_runs; ++i) all_ok &= reconstructor.run(image, result) == Status::ok;
        EXPECT_EQ(allocations, before) << rows << " x " << columns << ", " << threads << " threads";
        EXPECT_TRUE(all_ok);
    }
}

TEST(Allocation, DoesNotHappenInRunsOfASoundSpeedReconstructor) {
    const Model model = tiny_speed_model(2);
    const Array<float> delays = tiny_delays();
    Array<float> speed({20, 18}), support({20, 18});
    for (const int threads : {1, 2}) {
        SoundSpeedReconstructor reconstructor(model, {.threads = threads});
        reconstructor.bind();
        bool all_ok = true;
        const long before = allocations;
        for (int i = 0; i < 1000; ++i) all_ok &= reconstructor.run(delays, {}, speed, support) == Status::ok;
        EXPECT_EQ(allocations, before) << threads << " threads";
        EXPECT_TRUE(all_ok);
    }
}

TEST(Allocation, DoesNotHappenInTenThousandRunsOfThePlanInC) {
    const auto bytes = save_model(tiny_model(smallest_architecture()));
    slx_error error;
    slx_model* model = nullptr;
    ASSERT_EQ(slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error), SLX_OK) << error.text;
    for (const auto& [rows, columns, tile_rows, threads] : cases) {
        const Array<float> image = tiny_image({rows, columns});
        Array<float> result({rows, columns});
        int calls = 0;
        slx_plan_options options{};
        options.size = sizeof options;
        options.rows = static_cast<std::size_t>(rows);
        options.columns = static_cast<std::size_t>(columns);
        options.tile_rows = static_cast<std::size_t>(tile_rows);
        options.sigma = 20;
        options.threads = threads;
        options.progress_host = &calls;
        options.progress = [](void* host, std::ptrdiff_t, std::ptrdiff_t) -> std::int32_t {
            ++*static_cast<int*>(host);
            return 0;
        };
        slx_plan* plan = nullptr;
        ASSERT_EQ(slx_plan_create(model, &options, &plan, &error), SLX_OK) << error.text;
        Array<std::byte> memory({static_cast<Index>(slx_plan_workspace_bytes(plan))});
        ASSERT_EQ(slx_plan_bind(plan, memory.data(), slx_plan_workspace_bytes(plan), &error), SLX_OK);
        const slx_input in{image.data(), options.rows, options.columns, options.columns};
        const slx_output out{result.data(), options.rows, options.columns, options.columns};
        const slx_output wrong{result.data(), options.rows, options.columns + 1, options.columns};
        bool all_right = true;
        const long before = allocations;
        for (int i = 0; i < many_runs; ++i) {
            all_right &= slx_plan_run(plan, &in, &out, &error) == SLX_OK;
            if (i % 100 != 0) continue;  // what a device may also do between frames
            all_right &=
                slx_plan_set_sigma(plan, 5.0f + static_cast<float>(i % 5000) / 100, &error) == SLX_OK;
            all_right &= slx_plan_run(plan, &in, &wrong, &error) == SLX_SIZE_MISMATCH;
            slx_plan_cancel(plan);
            all_right &= slx_plan_run(plan, &in, &out, &error) == SLX_CANCELLED;
        }
        EXPECT_EQ(allocations, before) << rows << " x " << columns << ", " << threads << " threads";
        EXPECT_TRUE(all_right);
        EXPECT_GE(calls, 2 * many_runs);
        slx_plan_destroy(plan);
    }
    slx_model_destroy(model);
}

TEST(Allocation, DoesNotHappenInAConvolutionalNetwork) {
    for (BoundaryRule rule : {BoundaryRule::zero, BoundaryRule::circular, BoundaryRule::symmetric})
        for (int threads : {1, 2}) {
            ConvolutionalNetwork network({3, 5, 3, Nonlinearity::elu, rule});
            const std::vector<float> parameters = network.initial_parameters(1);
            network.update(parameters);
            const Array<float> image = tiny_image({70, 24});
            Array<float> result({70, 24});
            std::vector<float> parameter_bar(parameters.size());
            Context context(make_openmp_runner(threads));
            context.workspace().reserve(network.workspace_bytes(70, 24, context));
            network.gradient(image, result, context);  // OpenMP makes its threads
            const long before = allocations;
            for (int i = 0; i < 100; ++i) {
                network.update(parameters);
                network.gradient(image, result, context);
                network.gradient_vjp(image, image, result, parameter_bar, context);
            }
            EXPECT_EQ(allocations, before) << to_string(rule) << ", " << threads << " threads";
        }
}

TEST(Allocation, MayFailWhileAModelIsCreatedFromMemory) {
    const auto bytes = save_model(tiny_model());
    refuse_each_allocation(
        [&](slx_error& error) {
            slx_model* model = nullptr;
            slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error);
            return model;
        },
        slx_model_destroy);
}

TEST(Allocation, MayFailWhileAModelIsReadFromAFile) {
    const auto bytes = save_model(tiny_model());
    const auto path =
        (std::filesystem::temp_directory_path() / "sonolux_allocation_test.safetensors").string();
    std::FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
    refuse_each_allocation(
        [&](slx_error& error) {
            slx_model* model = nullptr;
            slx_model_create_from_file(path.c_str(), &model, &error);
            return model;
        },
        slx_model_destroy, true);
    std::filesystem::remove(path);
}

TEST(Allocation, MayFailWhileABadModelIsRefused) {
    auto bytes = save_model(tiny_model());
    bytes.back() ^= std::byte{1};
    for (long number = 1; number < 100000; ++number) {
        const long live_before = live;
        slx_error error;
        slx_model* model = nullptr;
        refusals = 0;
        last_refused = std::numeric_limits<long>::max();
        first_refused = allocations + number;
        slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error);
        first_refused = 0;
        EXPECT_EQ(model, nullptr);
        EXPECT_EQ(live, live_before);
        if (refusals == 0) {
            EXPECT_EQ(error.status, SLX_CORRUPT_DATA);
            break;
        }
        EXPECT_TRUE(error.status == SLX_OUT_OF_MEMORY || error.status == SLX_CORRUPT_DATA) << error.text;
    }
}

TEST(Allocation, MayFailWhileAPlanIsCreatedAndBound) {
    const auto bytes = save_model(tiny_model());
    slx_model* model = nullptr;
    ASSERT_EQ(slx_model_create_from_memory(bytes.data(), bytes.size(), &model, nullptr), SLX_OK);
    slx_thread_runner runner{nullptr, 2, [](void*, std::ptrdiff_t items, slx_task task, void* data) {
                                 for (std::ptrdiff_t i = 0; i < items; ++i) task(data, i, 0);
                             }};
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = options.columns = 100;
    options.tile_rows = 30;
    options.runner = &runner;
    refuse_each_allocation(
        [&](slx_error& error) {
            slx_plan* plan = nullptr;
            if (slx_plan_create(model, &options, &plan, &error) == SLX_OK &&
                slx_plan_bind(plan, nullptr, 0, &error) != SLX_OK) {
                slx_plan_destroy(plan);
                plan = nullptr;
            }
            return plan;
        },
        slx_plan_destroy);
    slx_model_destroy(model);
}

}  // namespace
}  // namespace sonolux

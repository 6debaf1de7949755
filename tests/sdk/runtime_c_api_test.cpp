#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/sdk/runtime/sonolux.hpp>

#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A model and a plan for 20 x 30 pixels with memory, and a pair of images.
struct Device {
    slx_error error{};
    slx_model* model = nullptr;
    slx_plan* plan = nullptr;
    Array<float> image = tiny_image({20, 30}), result = Array<float>({20, 30});
    slx_input in{image.data(), 20, 30, 30};
    slx_output out{result.data(), 20, 30, 30};

    explicit Device(slx_plan_options options = {}) {
        options.size = sizeof options;
        options.rows = 20;
        options.columns = 30;
        EXPECT_EQ(slx_model_create_from_memory(tiny_file().data(), tiny_file().size(), &model, &error),
                  SLX_OK);
        EXPECT_EQ(slx_plan_create(model, &options, &plan, &error), SLX_OK) << error.text;
        EXPECT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK) << error.text;
    }
    ~Device() {
        slx_plan_destroy(plan);
        slx_model_destroy(model);
    }

    slx_status run() { return slx_plan_run(plan, &in, &out, &error); }
    std::string text() const { return error.text; }
};

Array<float> expected_result(View<const float> image) {
    Reconstructor reconstructor(tiny_model(), image.rows(), image.columns());
    reconstructor.bind();
    Array<float> result(image.shape());
    EXPECT_EQ(reconstructor.run(image, result), Status::ok);
    return result;
}

bool same_bits(const Array<float>& a, const Array<float>& b) {
    return a.elements() == b.elements() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.elements()) * sizeof(float)) == 0;
}

TEST(CInterface, ReconstructsAsTheClassDoes) {
    Device device;
    EXPECT_EQ(device.run(), SLX_OK);
    EXPECT_EQ(device.error.status, SLX_OK);
    EXPECT_STREQ(device.error.text, "");
    EXPECT_TRUE(same_bits(device.result, expected_result(device.image)));
}

TEST(CInterface, SaysItsVersion) {
    EXPECT_EQ(slx_version(), static_cast<std::uint32_t>(SLX_VERSION_NUMBER));
    EXPECT_EQ(sentence(SLX_VERSION_MAJOR, ".", SLX_VERSION_MINOR, ".", SLX_VERSION_PATCH), "0.2.0");
}

TEST(CInterface, HasTheStatusCodesOfTheLibrary) {
    for (const auto& [code, status] : {std::pair{SLX_OK, Status::ok},
                                       {SLX_INVALID_ARGUMENT, Status::invalid_argument},
                                       {SLX_SIZE_MISMATCH, Status::size_mismatch},
                                       {SLX_UNSUPPORTED, Status::unsupported},
                                       {SLX_FILE_ERROR, Status::file_error},
                                       {SLX_CORRUPT_DATA, Status::corrupt_data},
                                       {SLX_OUT_OF_MEMORY, Status::out_of_memory},
                                       {SLX_CANCELLED, Status::cancelled},
                                       {SLX_DEADLINE_EXCEEDED, Status::deadline_exceeded},
                                       {SLX_DEVICE_ERROR, Status::device_error},
                                       {SLX_INTERNAL_ERROR, Status::internal_error}}) {
        EXPECT_EQ(static_cast<int>(code), static_cast<int>(status));
        EXPECT_STREQ(slx_status_text(code), to_string(status));
    }
    EXPECT_STREQ(slx_status_text(-7), "unknown status");
    EXPECT_STREQ(slx_status_text(11), "unknown status");
}

TEST(CInterface, TellsWhatAModelIs) {
    Device device;
    slx_model_info info{};
    info.size = sizeof info;
    ASSERT_EQ(slx_model_get_info(device.model, &info, &device.error), SLX_OK);
    EXPECT_STREQ(info.name, "tiny");
    EXPECT_STREQ(info.problem, "denoise");
    EXPECT_STREQ(info.licence, "Apache-2.0");
    EXPECT_FLOAT_EQ(info.sigma_min, 25);
    EXPECT_FLOAT_EQ(info.sigma_max, 25);
    EXPECT_EQ(info.channels, 1);
    EXPECT_EQ(info.stages, 2);
    EXPECT_EQ(info.parameter_count, network_from_model(tiny_model())->parameters().size());
}

TEST(CInterface, TellsWhatAPlanIs) {
    slx_plan_options options{};
    options.tile_rows = 10;
    options.tile_columns = 15;
    options.threads = 2;
    Device device(options);
    slx_plan_info info{};
    info.size = sizeof info;
    ASSERT_EQ(slx_plan_get_info(device.plan, &info, &device.error), SLX_OK);
    EXPECT_EQ(info.rows, 20u);
    EXPECT_EQ(info.columns, 30u);
    EXPECT_EQ(info.tile_rows, 10u);
    EXPECT_EQ(info.tile_columns, 15u);
    EXPECT_EQ(info.tiles, 4u);
    EXPECT_EQ(info.workspace_bytes, slx_plan_workspace_bytes(device.plan));
    EXPECT_FLOAT_EQ(info.sigma, 25);
    EXPECT_STREQ(info.isa, to_string(default_isa()));
    EXPECT_EQ(device.run(), SLX_OK);
    EXPECT_TRUE(same_bits(device.result, expected_result(device.image)));
}

TEST(CInterface, ServesCallersOfOtherVersions) {
    Device device;
    // An older caller knows the first fields only, and nothing behind them may be touched.
    struct {
        slx_model_info info;
        char guard[16];
    } older{};
    std::memset(&older, 0x5A, sizeof older);
    older.info.size = offsetof(slx_model_info, problem);
    ASSERT_EQ(slx_model_get_info(device.model, &older.info, nullptr), SLX_OK);
    EXPECT_STREQ(older.info.name, "tiny");
    for (std::size_t i = older.info.size; i < sizeof older; ++i)
        EXPECT_EQ(reinterpret_cast<unsigned char*>(&older)[i], 0x5A);

    // A newer caller's further fields come back as zero, and are refused where they ask for something.
    struct {
        slx_plan_options options;
        char more[16];
    } newer{};
    newer.options.size = sizeof newer;
    newer.options.rows = newer.options.columns = 8;
    slx_plan* plan = nullptr;
    EXPECT_EQ(slx_plan_create(device.model, &newer.options, &plan, &device.error), SLX_OK);
    slx_plan_destroy(plan);
    newer.more[3] = 1;
    EXPECT_EQ(slx_plan_create(device.model, &newer.options, &plan, &device.error), SLX_UNSUPPORTED);
    EXPECT_EQ(plan, nullptr);
    EXPECT_THAT(device.text(), HasSubstr("sets a field that this version of the library does not know"));

    slx_plan_options unset{};
    EXPECT_EQ(slx_plan_create(device.model, &unset, &plan, &device.error), SLX_INVALID_ARGUMENT);
    EXPECT_EQ(device.text(),
              sentence("options->size must be sizeof the structure, ", sizeof unset, ", got 0"));
}

TEST(CInterface, RefusesNullByName) {
    Device device;
    slx_error& error = device.error;
    slx_model* model = nullptr;
    slx_plan* plan = nullptr;
    slx_model_info model_info{};
    model_info.size = sizeof model_info;
    const auto refuses = [&](slx_status status, const char* name) {
        EXPECT_EQ(status, SLX_INVALID_ARGUMENT) << name;
        EXPECT_EQ(error.status, SLX_INVALID_ARGUMENT) << name;
        EXPECT_EQ(device.text(), sentence(name, " must not be NULL"));
        error = {};
    };
    refuses(slx_model_create_from_file(nullptr, &model, &error), "path");
    refuses(slx_model_create_from_file("x", nullptr, &error), "model");
    refuses(slx_model_create_from_memory(nullptr, 4, &model, &error), "bytes");
    refuses(slx_model_create_from_memory("x", 1, nullptr, &error), "model");
    refuses(slx_model_get_info(nullptr, &model_info, &error), "model");
    refuses(slx_model_get_info(device.model, nullptr, &error), "info");
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = options.columns = 4;
    refuses(slx_plan_create(nullptr, &options, &plan, &error), "model");
    refuses(slx_plan_create(device.model, nullptr, &plan, &error), "options");
    refuses(slx_plan_create(device.model, &options, nullptr, &error), "plan");
    slx_thread_runner runner{nullptr, 2, nullptr};
    options.runner = &runner;
    refuses(slx_plan_create(device.model, &options, &plan, &error), "options->runner->run");
    refuses(slx_plan_get_info(nullptr, nullptr, &error), "plan");
    refuses(slx_plan_get_info(device.plan, nullptr, &error), "info");
    refuses(slx_plan_bind(nullptr, nullptr, 0, &error), "plan");
    refuses(slx_plan_bind(device.plan, nullptr, 100, &error), "memory");
    refuses(slx_plan_set_sigma(nullptr, 25, &error), "plan");
    refuses(slx_plan_set_time_limit(nullptr, 1, &error), "plan");
    refuses(slx_plan_run(nullptr, &device.in, &device.out, &error), "plan");
    refuses(slx_plan_run(device.plan, nullptr, &device.out, &error), "in");
    refuses(slx_plan_run(device.plan, &device.in, nullptr, &error), "out");
    const slx_input no_data{nullptr, 20, 30, 30};
    refuses(slx_plan_run(device.plan, &no_data, &device.out, &error), "in->data");
    EXPECT_EQ(slx_plan_workspace_bytes(nullptr), 0u);
    slx_plan_cancel(nullptr);
    slx_plan_destroy(nullptr);
    slx_model_destroy(nullptr);
    EXPECT_EQ(slx_plan_run(nullptr, nullptr, nullptr, nullptr), SLX_INVALID_ARGUMENT);  // no error to fill
}

TEST(CInterface, RefusesOptionsByName) {
    Device device;
    const auto refuses = [&](auto change, slx_status status, const std::string& text) {
        slx_plan_options options{};
        options.size = sizeof options;
        options.rows = 20;
        options.columns = 30;
        change(options);
        slx_plan* plan = device.plan;
        EXPECT_EQ(slx_plan_create(device.model, &options, &plan, &device.error), status) << text;
        EXPECT_EQ(plan, nullptr);
        EXPECT_THAT(device.text(), HasSubstr(text));
    };
    refuses([](auto& o) { o.rows = 0; }, SLX_INVALID_ARGUMENT, "rows must be from 1 to 16777216, got 0");
    refuses([](auto& o) { o.columns = SIZE_MAX; }, SLX_INVALID_ARGUMENT,
            "options->columns must be at most 16777216, got 18446744073709551615");
    refuses([](auto& o) { o.sigma = std::nanf(""); }, SLX_INVALID_ARGUMENT, "sigma must be 25");
    refuses([](auto& o) { o.sigma = 15; }, SLX_INVALID_ARGUMENT,
            "sigma must be 25, what the model was trained for, got 15");
    refuses([](auto& o) { o.threads = -1; }, SLX_INVALID_ARGUMENT, "threads must be from 0 to 1024, got -1");
    refuses([](auto& o) { o.memory_limit = 10; }, SLX_INVALID_ARGUMENT, "memory_limit must be at least");
    refuses([](auto& o) { o.tile_rows = SIZE_MAX / 2; }, SLX_INVALID_ARGUMENT,
            "options->tile_rows must be at most");
    static slx_thread_runner none{nullptr, 0, [](void*, std::ptrdiff_t, slx_task, void*) {}};
    refuses([](auto& o) { o.runner = &none; }, SLX_INVALID_ARGUMENT,
            "threads of the runner must be from 1 to 1024, got 0");
}

TEST(CInterface, RefusesImagesByName) {
    Device device;
    device.in.rows = 30;
    device.in.columns = 20;
    EXPECT_EQ(device.run(), SLX_SIZE_MISMATCH);
    EXPECT_EQ(device.text(), "in must be 20 x 30, the size of the plan, got 30 x 20");
    device.in = {device.image.data(), 20, 30, 30};
    device.out.row_stride = 29;
    EXPECT_EQ(device.run(), SLX_SIZE_MISMATCH);
    EXPECT_EQ(device.text(), "out->row_stride must be at least the number of columns, 30, got 29");
    device.out.row_stride = SIZE_MAX;
    EXPECT_EQ(device.run(), SLX_SIZE_MISMATCH);
    EXPECT_EQ(device.text(), sentence("out->row_stride must be at most ", PTRDIFF_MAX / sizeof(float) / 20,
                                      ", for 20 rows in memory, got ", SIZE_MAX));
    device.out = {device.image.data() + 3, 20, 30, 30};
    EXPECT_EQ(device.run(), SLX_INVALID_ARGUMENT);
    EXPECT_EQ(device.text(), "in and out must be the same image or not overlap");
    device.out = {device.image.data(), 20, 30, 30};
    EXPECT_EQ(device.run(), SLX_OK);
}

TEST(CInterface, RefusesShortMemoryNamingNeedAndGot) {
    Device device;
    const std::size_t bytes = slx_plan_workspace_bytes(device.plan);
    EXPECT_EQ(bytes % SLX_ALIGNMENT, 0u);
    Array<std::byte> memory({static_cast<Index>(bytes)});
    EXPECT_EQ(slx_plan_bind(device.plan, memory.data(), bytes - 1, &device.error), SLX_SIZE_MISMATCH);
    EXPECT_EQ(device.text(), sentence("workspace must have at least ", bytes, " bytes, got ", bytes - 1));
    EXPECT_EQ(slx_plan_bind(device.plan, memory.data() + 1, bytes, &device.error), SLX_INVALID_ARGUMENT);
    EXPECT_THAT(device.text(), HasSubstr("must start at a multiple of 64 bytes"));
    EXPECT_EQ(slx_plan_bind(device.plan, memory.data(), bytes, &device.error), SLX_OK);
    EXPECT_EQ(device.run(), SLX_OK);
    EXPECT_TRUE(same_bits(device.result, expected_result(device.image)));
}

TEST(CInterface, RefusesToRunWithoutMemory) {
    Device device;
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = 20;
    options.columns = 30;
    slx_plan* plan = nullptr;
    ASSERT_EQ(slx_plan_create(device.model, &options, &plan, nullptr), SLX_OK);
    EXPECT_EQ(slx_plan_run(plan, &device.in, &device.out, &device.error), SLX_INVALID_ARGUMENT);
    EXPECT_EQ(device.text(), "the plan has no workspace yet: call slx_plan_bind before");
    slx_plan_destroy(plan);
}

TEST(CInterface, NamesTheFileThatIsNoModel) {
    Device device;
    slx_model* model = device.model;
    EXPECT_EQ(slx_model_create_from_file("/nowhere/m.safetensors", &model, &device.error), SLX_FILE_ERROR);
    EXPECT_EQ(model, nullptr);
    EXPECT_THAT(device.text(), StartsWith("/nowhere/m.safetensors: cannot be opened"));
    EXPECT_EQ(slx_model_create_from_memory("", 0, &model, &device.error), SLX_CORRUPT_DATA);
    EXPECT_THAT(device.text(), StartsWith("model in memory"));

    Model wrong = tiny_model();
    wrong.architecture.set("stages", 3);
    const auto bytes = save_model(wrong);
    const auto path =
        (std::filesystem::temp_directory_path() / "sonolux_c_interface_test.safetensors").string();
    std::FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
    EXPECT_EQ(slx_model_create_from_file(path.c_str(), &model, &device.error), SLX_CORRUPT_DATA);
    EXPECT_THAT(device.text(), StartsWith(path + ": "));
    std::filesystem::remove(path);
}

TEST(CInterface, CutsLongTextsAtACharacter) {
    Device device;
    std::string path = "/nowhere/";
    for (int i = 0; i < 400; ++i) path += "\xC3\xA9";  // e with an acute accent
    slx_model* model = nullptr;
    EXPECT_EQ(slx_model_create_from_file(path.c_str(), &model, &device.error), SLX_FILE_ERROR);
    const std::string text = device.text();
    ASSERT_LT(text.size(), sizeof device.error.text);
    EXPECT_GT(text.size(), sizeof device.error.text - 6);
    EXPECT_EQ(text.substr(text.size() - 4), "\xA9...");
}

TEST(CInterface, CancelsAndKeepsTime) {
    Device device;
    slx_plan_cancel(device.plan);
    EXPECT_EQ(device.run(), SLX_CANCELLED);
    EXPECT_EQ(device.run(), SLX_OK);
    EXPECT_EQ(slx_plan_set_time_limit(device.plan, 1e-9, &device.error), SLX_OK);
    EXPECT_EQ(device.run(), SLX_DEADLINE_EXCEEDED);
    EXPECT_EQ(device.text(), "time is up: the output is not finished");
    EXPECT_EQ(slx_plan_set_time_limit(device.plan, 0, &device.error), SLX_OK);
    EXPECT_EQ(device.run(), SLX_OK);
    EXPECT_EQ(slx_plan_set_time_limit(device.plan, -1, &device.error), SLX_INVALID_ARGUMENT);
    EXPECT_EQ(slx_plan_set_time_limit(device.plan, std::nan(""), &device.error), SLX_INVALID_ARGUMENT);
}

TEST(CInterface, TellsProgressAndStopsWhereItIsToldTo) {
    struct Host {
        std::vector<std::ptrdiff_t> done;
        std::ptrdiff_t stop_at = -1;
    } host;
    slx_plan_options options{};
    options.progress_host = &host;
    options.progress = [](void* data, std::ptrdiff_t done, std::ptrdiff_t total) -> std::int32_t {
        auto& seen = *static_cast<Host*>(data);
        EXPECT_EQ(total, 2);
        seen.done.push_back(done);
        return done == seen.stop_at;
    };
    Device device(options);
    EXPECT_EQ(device.run(), SLX_OK);
    EXPECT_THAT(host.done, testing::ElementsAre(1, 2));
    host.stop_at = 1;
    EXPECT_EQ(device.run(), SLX_CANCELLED);
    host.stop_at = 2;  // too late to be of use
    EXPECT_EQ(device.run(), SLX_OK);
    host.stop_at = -1;
    EXPECT_EQ(device.run(), SLX_OK);
}

TEST(CInterface, RunsOnTheHostsThreads) {
    struct Host {
        int regions = 0;
        std::ptrdiff_t items = 0;
    } host;
    slx_thread_runner runner{&host, 5, [](void* data, std::ptrdiff_t items, slx_task task, void* task_data) {
                                 auto& seen = *static_cast<Host*>(data);
                                 ++seen.regions;
                                 seen.items += items;
                                 for (std::ptrdiff_t i = items - 1; i >= 0; --i)
                                     task(task_data, i, static_cast<std::int32_t>(i % 5));
                             }};
    Device device;
    const Array<float> image = tiny_image({300, 200});
    Array<float> result({300, 200});
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = 300;
    options.columns = 200;
    options.runner = &runner;
    slx_plan* plan = nullptr;
    ASSERT_EQ(slx_plan_create(device.model, &options, &plan, nullptr), SLX_OK);
    runner = {};  // it was copied
    ASSERT_EQ(slx_plan_bind(plan, nullptr, 0, nullptr), SLX_OK);
    host = {};
    const slx_input in{image.data(), 300, 200, 200};
    const slx_output out{result.data(), 300, 200, 200};
    EXPECT_EQ(slx_plan_run(plan, &in, &out, nullptr), SLX_OK);
    EXPECT_GE(host.regions, 2);  // at least one a stage
    EXPECT_GT(host.items, 2);
    EXPECT_TRUE(same_bits(result, expected_result(image)));
    slx_plan_destroy(plan);
}

TEST(CInterface, ChangesTheNoiseLevelBetweenRuns) {
    VariationalNetworkOptions architecture = tiny_architecture();
    architecture.sigma_degree = 1;
    const auto bytes = save_model(tiny_model(architecture));
    const slx::Model model(bytes.data(), bytes.size());
    EXPECT_FLOAT_EQ(model.info().sigma_min, 5);
    slx_plan_options options{};
    EXPECT_THROW(slx::Plan(model, 20, 30, options), slx::Error);
    options.sigma = 10;
    slx::Plan plan(model, 20, 30, options), other(model, 20, 30, options);
    plan.bind();
    const Array<float> image = tiny_image({20, 30});
    const std::vector<float> in(image.begin(), image.end());
    std::vector<float> at_10(600), at_40(600), again(600);
    plan.run(in, at_10);
    plan.set_sigma(40);
    plan.run(in, at_40);
    plan.set_sigma(10);
    plan.run(in, again);
    EXPECT_EQ(at_10, again);
    EXPECT_NE(at_10, at_40);
    EXPECT_THROW(plan.set_sigma(60), slx::Error);
}

TEST(CppFacade, ThrowsTheSentencesOfTheLibrary) {
    try {
        slx::Model("/nowhere/m.safetensors");
        FAIL();
    } catch (const slx::Error& error) {
        EXPECT_EQ(error.status(), SLX_FILE_ERROR);
        EXPECT_THAT(error.what(), StartsWith("/nowhere/m.safetensors: cannot be opened"));
    }
    const slx::Model model(tiny_file().data(), tiny_file().size());
    slx::Plan plan(model, 4, 5);
    std::vector<float> image(20), small(19);
    EXPECT_THROW(plan.run(image, image), slx::Error);  // not bound
    plan.bind();
    EXPECT_TRUE(plan.run(image, image));
    EXPECT_THROW(plan.run(small, image), std::invalid_argument);
    plan.cancel();
    EXPECT_FALSE(plan.run(image, image));
    const slx::Plan moved = std::move(plan);
    EXPECT_EQ(moved.info().columns, 5u);
}

}  // namespace
}  // namespace sonolux

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Model small_model() {
    Model model;
    model.name = "denoise-25";
    model.architecture.set("family", "variational network").set("stages", 5);
    model.problem.sigma_min = model.problem.sigma_max = 25.0 / 255.0;
    model.problem.value_scale = 255;
    model.training = {"[training]\nsteps = 3\n", 7, "dead leaves", "0123abcd"};
    model.licence = "Apache-2.0";
    model.metrics.append(Json::object().set("protocol", "not clipped").set("psnr", 28.9));
    Array<float> filters({2, 1, 3, 3});
    for (Index i = 0; i < filters.elements(); ++i) filters.data()[i] = 0.5f - static_cast<float>(i);
    model.tensors.push_back({"stage1.filters", std::move(filters)});
    return model;
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// The file of small_model() after `edit` changed its JSON.
std::vector<std::byte> edited(const std::function<void(Json&)>& edit) {
    const auto bytes = save_model(small_model());
    const auto header = read_safetensors_header(bytes, "memory");
    Json json = parse_json(header.metadata.at("sonolux"), "memory");
    edit(json);
    return write_safetensors(read_tensors(header), {{"sonolux", to_text(json)}});
}

TEST(Model, ReadsBackWhatItWrites) {
    const Model model = small_model();
    const Model copy = load_model(save_model(model), "memory");
    EXPECT_EQ(copy.name, model.name);
    EXPECT_EQ(copy.architecture, model.architecture);
    EXPECT_EQ(copy.problem, model.problem);
    EXPECT_EQ(copy.training, model.training);
    EXPECT_EQ(copy.licence, model.licence);
    EXPECT_EQ(copy.metrics, model.metrics);
    EXPECT_EQ(copy.tensor("stage1.filters", {2, 1, 3, 3})(1, 0, 2, 2), -16.5f);
    EXPECT_EQ(save_model(copy), save_model(model));
}

TEST(Model, ReadsAFile) {
    const auto path = std::filesystem::path(::testing::TempDir()) / "sonolux_model_test.safetensors";
    const auto bytes = save_model(small_model());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    EXPECT_EQ(save_model(load_model_file(path.string())), bytes);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << "short";
    EXPECT_THAT([&] { (void)load_model_file(path.string()); },
                ThrowsMessage<Error>(HasSubstr(path.string())));
    std::filesystem::remove(path);
    try {
        (void)load_model_file(path.string());
        FAIL() << "a missing file was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::file_error);
        EXPECT_EQ(error.what(), path.string() + ": cannot be opened: No such file or directory");
    }
    EXPECT_THROW((void)load_model_file(::testing::TempDir()), Error);  // a folder
}

TEST(Model, NamesATensorThatIsMissingOrHasAnotherShape) {
    const Model model = small_model();
    EXPECT_THAT([&] { (void)model.tensor("stage2.filters", {1}); },
                ThrowsMessage<Error>("model \"denoise-25\" has no tensor \"stage2.filters\""));
    EXPECT_THAT(
        [&] {
            (void)model.tensor("stage1.filters", {4, 1, 3, 3});
        },
        ThrowsMessage<Error>("model \"denoise-25\": tensor \"stage1.filters\" is 2 x 1 x 3 x 3, the "
                             "architecture says 4 x 1 x 3 x 3"));
}

TEST(Model, ADamagedFileIsAnErrorWhereverTheDamageIs) {
    const auto bytes = save_model(small_model());
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_THROW((void)load_model(std::span(bytes).first(size), "memory"), Error) << size;

    const auto header = read_safetensors_header(bytes, "memory");
    for (std::size_t i = bytes.size() - header.payload.size(); i < bytes.size(); ++i) {
        auto flipped = bytes;
        flipped[i] ^= std::byte{1};
        EXPECT_THAT(
            [&] { (void)load_model(flipped, "m.safetensors"); },
            ThrowsMessage<Error>(HasSubstr("m.safetensors: the tensors are damaged: their SHA-256 is")));
    }
    for (std::size_t i = 0; i < bytes.size();
         ++i) {  // in the header: an error, or another text. Never a crash.
        auto flipped = bytes;
        flipped[i] ^= std::byte{4};
        try {
            (void)load_model(flipped, "memory");
        } catch (const Error&) {
        }
    }
}

TEST(Model, AFileOfANewerVersionIsNotGuessedAt) {
    const auto newer = edited([](Json& json) { json.set("schema", 2).set("something", "new"); });
    try {
        (void)load_model(newer, "m.safetensors");
        FAIL() << "schema 2 was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::unsupported);
        EXPECT_STREQ(
            error.what(),
            "m.safetensors: sonolux.schema is 2: written by a newer version of Sonolux; this one reads "
            "schema 1");
    }
}

TEST(Model, EveryFieldIsCheckedAndNamed) {
    const auto refuses = [](const std::function<void(Json&)>& edit, const char* why) {
        EXPECT_THAT([&] { (void)load_model(edited(edit), "m.safetensors"); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("m.safetensors: sonolux"), HasSubstr(why))));
    };
    EXPECT_NO_THROW((void)load_model(edited([](Json&) {}), "memory"));
    refuses([](Json& json) { json = Json::list(); }, "must be an object, got a list");
    refuses([](Json& json) { json.set("schema", 0); }, "schema must be an integer of at least 1, got 0");
    refuses([](Json& json) { json.set("schema", "1"); },
            "schema must be an integer of at least 1, got \"1\"");
    refuses([](Json& json) { json.set("nmae", "x"); }, "has an unknown key \"nmae\"");
    refuses([](Json& json) { json.set("name", 3); }, "name must be a string, got 3");
    refuses([](Json& json) { json.set("architecture", "tnrd"); },
            "architecture must be an object, got \"tnrd\"");
    refuses([](Json& json) { json.set("metrics", Json::list().append(Json::object().set("psnr", 1))); },
            "metrics[0] has no \"protocol\"");
    const auto problem = [](const char* key, Json value) {
        return [=](Json& json) {
            Json changed = *json.find("problem");
            json.set("problem", changed.set(key, value));
        };
    };
    refuses(problem("sigma", Json::list().append(0.2).append(0.1)),
            "sigma[1] must be a number from 0.2 to 10, got 0.1");
    refuses(problem("sigma", Json::list().append(0.2)), "sigma must be [lowest, highest], got 1 numbers");
    refuses(problem("value_scale", 0), "value_scale must be a number from");
    refuses(problem("boundary", "mirror"), "boundary must be one of \"zero\"");
    refuses(problem("geometry", 3), "geometry must be an object, got 3");
    const auto deblurring = [](Json geometry) {
        return [=](Json& json) {
            Json changed = *json.find("problem");
            json.set("problem", changed.set("kind", "deblur").set("geometry", geometry));
        };
    };
    const auto kernel = [](Json size) { return Json::object().set("largest_kernel", std::move(size)); };
    EXPECT_NO_THROW(
        (void)load_model(edited(deblurring(kernel(Json::list().append(3).append(65536)))), "memory"));
    refuses(deblurring(Json::object().set("kernel", 3)), "geometry has an unknown key \"kernel\"");
    refuses(deblurring(Json::object()), "geometry has no \"largest_kernel\"");
    refuses(deblurring(kernel(27)), "largest_kernel must be a list, got 27");
    refuses(deblurring(kernel(Json::list().append(27))),
            "largest_kernel must be [rows, columns], got 1 numbers");
    refuses(deblurring(kernel(Json::list().append(27).append(0))),
            "largest_kernel[1] must be an integer from 1 to 65536, got 0");
}

TEST(Model, OtherFilesAreNotModels) {
    EXPECT_THAT(
        [] {
            (void)load_model(write_safetensors({}, {{"format", "pt"}}), "other.safetensors");
        },
        ThrowsMessage<Error>("other.safetensors: not a Sonolux model: its metadata has no \"sonolux\""));
    EXPECT_THROW((void)load_model(bytes_of("\x89PNG\r\n\x1a\n and so on"), "picture.png"), Error);
}

TEST(Model, WhatCouldNotBeReadIsNotWritten) {
    Model model = small_model();
    model.problem.boundary = "mirror";
    try {
        (void)save_model(model);
        FAIL() << "saved with an unknown boundary";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::invalid_argument);
        EXPECT_THAT(error.what(), HasSubstr("model \"denoise-25\".problem.boundary must be one of"));
    }
    model = small_model();
    model.tensors[0].values(0, 0, 1, 1) = NAN;
    EXPECT_THROW((void)save_model(model), Error);
    model = small_model();
    model.problem.sigma_max = NAN;
    EXPECT_THROW((void)save_model(model), Error);
}

}  // namespace
}  // namespace sonolux

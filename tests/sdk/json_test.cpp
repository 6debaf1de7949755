#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sonolux/core/error.hpp>
#include <sonolux/sdk/runtime/json.hpp>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Json, ReadsBackWhatItWrites) {
    const Json json = Json::object()
                          .set("name", "caf\xc3\xa9 \"quoted\"\n\t\x01 \\")
                          .set("third", 1.0 / 3.0)
                          .set("tiny", 5e-324)
                          .set("five", 5)
                          .set("five point zero", 5.0)
                          .set("seed", std::numeric_limits<std::int64_t>::max())
                          .set("nothing", Json())
                          .set("list", Json::list().append(true).append(Json::list()).append(Json::object()));
    EXPECT_EQ(parse_json(to_text(json), "memory"), json);
    EXPECT_EQ(parse_json(to_text(json, 2), "memory"), json);
    EXPECT_EQ(to_text(Json::object().set("b", 5.0).set("a", 5)), R"({"b":5.0,"a":5})");
}

TEST(Json, DoublesSurviveToTheBit) {
    // 2^-1074 * k for awkward k: values on which fast conversions are off by one unit in the last place.
    for (const double value : {0.1, 1.7976931348623157e308, 2.2250738585072011e-308, 9007199254740993.0,
                               6.02214076e23, 0x1.fffffffffffffp-3})
        EXPECT_EQ(*parse_json(to_text(Json(value)), "memory").get_if<double>(), value);
}

TEST(Json, RefusesWhatIsNotOneCleanDocument) {
    for (const char* text : {"", "{", "[1,]", "{\"a\":1,}", "nul", "1 2", "{} x", "\"\xff\"", "1e999", "'a'",
                             "{\"a\":1 /* */}", "NaN", "\"a"})
        EXPECT_THROW((void)parse_json(text, "memory"), Error) << text;
    EXPECT_THAT([] { (void)parse_json(R"({"a": 1, "b": {"x": 1, "y": 2, "x": 3}})", "file.json"); },
                ThrowsMessage<Error>(HasSubstr("file.json: the key \"x\" is there more than once")));
}

TEST(Json, RefusesDeepAndLongDocuments) {
    EXPECT_NO_THROW((void)parse_json(std::string(32, '[') + std::string(32, ']'), "memory"));
    EXPECT_THROW((void)parse_json(std::string(33, '[') + std::string(33, ']'), "memory"), Error);
    EXPECT_THROW((void)parse_json(std::string(1000000, '['), "memory"), Error);
    std::string many = "[0";
    for (int i = 0; i < 300000; ++i) many += ",0";
    EXPECT_THROW((void)parse_json(many + "]", "memory"), Error);
}

TEST(Json, CannotHoldNaN) {
    EXPECT_THROW((void)to_text(Json(std::nan(""))), Error);
    EXPECT_THROW((void)to_text(Json::list().append(-INFINITY)), Error);
}

TEST(JsonField, NamesFileFieldValueAndExpectation) {
    const Json json = parse_json(R"({"problem": {"sigma": [1, "two", -3.5]}, "stages": 0})", "memory");
    const JsonField field(json, "m.safetensors: sonolux");
    EXPECT_THAT(
        [&] { (void)field["problem"]["sigma"].elements()[1].number(); },
        ThrowsMessage<Error>("m.safetensors: sonolux.problem.sigma[1] must be a number, got \"two\""));
    EXPECT_THAT([&] { (void)field["problem"]["sigma"].elements()[2].number(0, 1); },
                ThrowsMessage<Error>(
                    "m.safetensors: sonolux.problem.sigma[2] must be a number from 0 to 1, got -3.5"));
    EXPECT_THAT(
        [&] { (void)field["stages"].integer(1); },
        ThrowsMessage<Error>("m.safetensors: sonolux.stages must be an integer of at least 1, got 0"));
    EXPECT_THAT([&] { (void)field["stages"].text(); },
                ThrowsMessage<Error>("m.safetensors: sonolux.stages must be a string, got 0"));
    EXPECT_THAT([&] { (void)field["stage"]; },
                ThrowsMessage<Error>("m.safetensors: sonolux has no \"stage\""));
    EXPECT_THAT([&] { field.allow_only({"problem"}); },
                ThrowsMessage<Error>("m.safetensors: sonolux has an unknown key \"stages\""));
    EXPECT_THAT(
        [&] {
            (void)field["problem"].one_of({"denoise", "deblur"});
        },
        ThrowsMessage<Error>(
            "m.safetensors: sonolux.problem must be one of \"denoise\", \"deblur\", got an object"));
}

}  // namespace
}  // namespace sonolux

// tests/sdk/travel_time_problem_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/sdk/runtime/travel_time_problem.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TravelTimeProblem small_problem() {
    TravelTimeProblem problem;
    problem.geometry =
        element_pairs(centred_grid(12, 10, 1e-3), make_linear_array(16, 0.6e-3, 0.5e-3), {{2, 6}, {8, 12}});
    problem.geometry.measurements.push_back(transmission_difference(plane_rays(0.1), plane_rays(-0.1)));
    problem.margins = {1e-3, 1e-3, 0.5e-3};
    measure_norm(problem);
    return problem;
}

TEST(TravelTimeProblem, ComesBackFromItsJsonToTheLastBit) {
    const TravelTimeProblem problem = small_problem();
    const std::string text = to_text(to_json(problem));
    const Json json = parse_json(text, "test");
    const TravelTimeProblem read = travel_time_problem_from_json(JsonField(json, "geometry"));
    EXPECT_EQ(read.geometry, problem.geometry);
    EXPECT_EQ(read.operator_norm, problem.operator_norm);
    EXPECT_EQ(geometry_hash(read), geometry_hash(problem));
    EXPECT_EQ(to_text(to_json(read)), text);
}

TEST(TravelTimeProblem, KeepsWhatReceivesEchoes) {
    TravelTimeProblem problem = small_problem();
    for (const double x : {-3e-3, 0.0, 3e-3}) problem.receive.push_back(point_rays({x, 0}, 1));
    measure_norm(problem);
    const Json json = parse_json(to_text(to_json(problem)), "test");
    const TravelTimeProblem read = travel_time_problem_from_json(JsonField(json, "geometry"));
    EXPECT_EQ(read.receive, problem.receive);
    EXPECT_NE(geometry_hash(read), geometry_hash(small_problem()));
    EXPECT_NE(read.operator_norm, small_problem().operator_norm);
}

TEST(TravelTimeProblem, HasAnotherHashWhereAnythingIsOtherwise) {
    const TravelTimeProblem problem = small_problem();
    TravelTimeProblem other = problem;
    other.geometry.measurements[0][1].source.origin.x += 1e-9;
    EXPECT_NE(geometry_hash(other), geometry_hash(problem));
    other = problem;
    other.margins.near *= 1.01;
    EXPECT_NE(geometry_hash(other), geometry_hash(problem));
}

TEST(TravelTimeProblem, IsRefusedByNameWhereItIsNotWhatItClaims) {
    const std::string text = to_text(to_json(small_problem()));
    const auto refused = [&](const std::string& from, const std::string& to, const std::string& message) {
        std::string changed = text;
        const std::size_t at = changed.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        changed.replace(at, from.size(), to);
        const Json json = parse_json(changed, "test");
        EXPECT_THAT([&] { (void)travel_time_problem_from_json(JsonField(json, "geometry")); },
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    refused("\"rows\":12", "\"rows\":13", "geometry.hash must be that of the geometry");
    refused("\"rows\":12", "\"rows\":1", "rows");
    refused("\"row_spacing\":0.001", "\"row_spacing\":1.0", "row_spacing");
    refused("\"kind\":\"plane\"", "\"kind\":\"bent\"", "kind");
    refused("\"weight\":-1.0", "\"weight\":0.0", "weight");
    refused("\"hash\"", "\"hush\"", "hush");
}

TEST(TravelTimeProblem, MakesAnOperatorOfNormOne) {
    const TravelTimeProblem problem = small_problem();
    const OperatorPointer op = make_operator(problem);
    EXPECT_EQ(op->domain(), (Shape{12, 10}));
    EXPECT_EQ(op->range(), (Shape{3, 12, 10}));
    Context context(make_serial_runner());
    context.workspace().reserve(op->workspace_bytes(context));
    Array<float> x({12, 10}), y({3, 12, 10});
    std::fill(x.begin(), x.end(), 1.0f);
    op->apply(x, y, context);
    double squares = 0;
    for (float value : y) squares += double{value} * value;
    EXPECT_LE(std::sqrt(squares / 120), 1 + 1e-5);  // no image is made longer
    EXPECT_GT(std::sqrt(squares / 120), 1e-3);
}

}  // namespace
}  // namespace sonolux

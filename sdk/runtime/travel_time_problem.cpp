// sonolux/sdk/runtime/travel_time_problem.cpp
#include <sonolux/sdk/runtime/travel_time_problem.hpp>

#include <sonolux/core/check/dot_test.hpp>
#include <sonolux/core/operators/echo_path_integral.hpp>
#include <sonolux/sdk/runtime/sha256.hpp>

namespace sonolux {

namespace {

constexpr Index most_readings = Index{1} << 26;
constexpr std::int64_t most_measurements = 4096, most_pixels_across = 8192;

Json to_json(const ImageGrid& grid) {
    return Json::object()
        .set("rows", grid.rows)
        .set("columns", grid.columns)
        .set("row_spacing", grid.row_spacing)
        .set("column_spacing", grid.column_spacing)
        .set("first_z", grid.first_z)
        .set("first_x", grid.first_x);
}

ImageGrid grid_from_json(const JsonField& json) {
    json.allow_only({"rows", "columns", "row_spacing", "column_spacing", "first_z", "first_x"});
    ImageGrid grid;
    grid.rows = json["rows"].integer(2, most_pixels_across);
    grid.columns = json["columns"].integer(2, most_pixels_across);
    grid.row_spacing = json["row_spacing"].number(1e-6, 1e-2);
    grid.column_spacing = json["column_spacing"].number(1e-6, 1e-2);
    grid.first_z = json["first_z"].number(-1, 1);
    grid.first_x = json["first_x"].number(-1, 1);
    return grid;
}

Json to_json(const WeightedRays& rays) {
    const RaySource& source = rays.source;
    Json json = Json::object();
    if (source.kind == RaySource::Kind::point)
        json.set("kind", "point")
            .set("x", source.origin.x)
            .set("z", source.origin.z)
            .set("f_number", source.f_number);
    else
        json.set("kind", "plane").set("angle", source.angle);
    return json.set("surface", source.surface).set("weight", rays.weight);
}

WeightedRays rays_from_json(const JsonField& json) {
    WeightedRays rays;
    RaySource& source = rays.source;
    if (json["kind"].one_of({"point", "plane"}) == "point") {
        json.allow_only({"kind", "x", "z", "f_number", "surface", "weight"});
        source =
            point_rays({json["x"].number(-1, 1), json["z"].number(-1, 1)}, json["f_number"].number(0, 100));
    } else {
        json.allow_only({"kind", "angle", "surface", "weight"});
        source = plane_rays(json["angle"].number(-1.4, 1.4));
    }
    source.surface = json["surface"].number(-1, 1);
    rays.weight = json["weight"].number(-100, 100);
    return rays;
}

// Everything but the hash.
Json body(const TravelTimeProblem& problem) {
    Json measurements = Json::list();
    for (const PathSum& sum : problem.geometry.measurements) {
        Json list = Json::list();
        for (const WeightedRays& rays : sum) list.append(to_json(rays));
        measurements.append(std::move(list));
    }
    Json receive = Json::list();
    for (const RaySource& element : problem.receive) receive.append(to_json(WeightedRays{element, 1}));
    return Json::object()
        .set("map", to_json(problem.geometry.map))
        .set("measurements", std::move(measurements))
        .set("receive", std::move(receive))
        .set("margins", Json::object()
                            .set("near", problem.margins.near)
                            .set("far", problem.margins.far)
                            .set("side", problem.margins.side))
        .set("operator_norm", problem.operator_norm)
        .set("speed", Json::list().append(problem.slowest).append(problem.fastest));
}

}  // namespace

bool operator==(const TravelTimeProblem& a, const TravelTimeProblem& b) {
    return geometry_hash(a) == geometry_hash(b);
}

void measure_norm(TravelTimeProblem& problem) {
    problem.operator_norm = operator_norm(*make_delays_in_seconds(problem));
}

OperatorPointer make_delays_in_seconds(const TravelTimeProblem& problem) {
    if (problem.receive.empty()) return make_path_integral(problem.geometry);
    return std::make_shared<EchoPathIntegral>(problem.geometry, problem.receive);
}

namespace {

OperatorPointer over_norm(const TravelTimeProblem& problem, OperatorPointer op) {
    require(problem.operator_norm > 0, Status::invalid_argument,
            "the norm of the travel-time operator must be above 0, got ", problem.operator_norm);
    return std::make_shared<Scaled>(static_cast<float>(1 / problem.operator_norm), std::move(op));
}

}  // namespace

OperatorPointer make_operator(const TravelTimeProblem& problem) {
    return over_norm(problem, make_delays_in_seconds(problem));
}

OperatorPointer make_delay_operator(const TravelTimeProblem& problem) {
    return over_norm(problem, make_path_integral(problem.geometry));
}

Array<float> trusted(const TravelTimeProblem& problem) {
    Array<float> mask = measurement_mask(problem.geometry, problem.margins);
    if (problem.receive.empty()) return mask;
    const EchoPathIntegral echoes(problem.geometry, problem.receive);
    for (Index n = 0; n < mask.elements(); ++n) mask.data()[n] *= echoes.coverage().data()[n];
    return mask;
}

std::string geometry_hash(const TravelTimeProblem& problem) {
    const std::string text = to_text(body(problem));
    return sha256_text(std::as_bytes(std::span(text)));
}

Json to_json(const TravelTimeProblem& problem) { return body(problem).set("hash", geometry_hash(problem)); }

TravelTimeProblem travel_time_problem_from_json(const JsonField& json) {
    json.allow_only({"map", "measurements", "receive", "margins", "operator_norm", "speed", "hash"});
    TravelTimeProblem problem;
    problem.geometry.map = problem.geometry.points = grid_from_json(json["map"]);
    const auto measurements = json["measurements"].elements();
    const Index pixels = problem.geometry.map.rows * problem.geometry.map.columns;
    require(!measurements.empty() && std::ssize(measurements) <= most_measurements &&
                std::ssize(measurements) <= most_readings / pixels,
            Status::corrupt_data, json.where(), ".measurements must be 1 to ", most_measurements,
            ", and delays at most ", most_readings, ", got ", measurements.size(), " of ", pixels, " pixels");
    for (const JsonField& measurement : measurements) {
        PathSum sum;
        for (const JsonField& rays : measurement.elements()) sum.push_back(rays_from_json(rays));
        problem.geometry.measurements.push_back(std::move(sum));
    }
    const auto receive = json["receive"].elements();
    require(std::ssize(receive) <= most_measurements && std::ssize(receive) <= most_readings / pixels,
            Status::corrupt_data, json.where(), ".receive must be at most ", most_measurements,
            " elements, got ", receive.size());
    for (const JsonField& element : receive) {
        const WeightedRays rays = rays_from_json(element);
        require(rays.weight == 1 && rays.source.kind == RaySource::Kind::point, Status::corrupt_data,
                element.where(), " must be a point of weight 1");
        problem.receive.push_back(rays.source);
    }
    const JsonField margins = json["margins"];
    margins.allow_only({"near", "far", "side"});
    problem.margins = {margins["near"].number(0, 1), margins["far"].number(0, 1),
                       margins["side"].number(0, 1)};
    problem.operator_norm = json["operator_norm"].number(1e-12, 1e6);
    const auto speed = json["speed"].elements();
    require(speed.size() == 2, Status::corrupt_data, json.where(), ".speed must be [slowest, fastest], got ",
            speed.size(), " numbers");
    problem.slowest = speed[0].number(100, 10000);
    problem.fastest = speed[1].number(problem.slowest, 10000);
    try {
        validate(problem.geometry);
        if (!problem.receive.empty()) (void)EchoPathIntegral(problem.geometry, problem.receive);
    } catch (const Error& error) {
        fail(Status::corrupt_data, json.where(), ": ", error.what());
    }
    const std::string hash = geometry_hash(problem);
    require(json["hash"].text() == hash, Status::corrupt_data, json.where(),
            ".hash must be that of the geometry, ", hash, ", got \"", json["hash"].text(), "\"");
    return problem;
}

void set_travel_times(ModelProblem& problem, const TravelTimeProblem& travel_times) {
    problem.kind = "sound_speed";
    problem.geometry = to_json(travel_times);
}

TravelTimeProblem travel_time_problem(const ModelProblem& problem, const std::string& source) {
    require(problem.kind == "sound_speed", Status::unsupported, source, ": the model solves the problem \"",
            problem.kind, "\", not \"sound_speed\"");
    return travel_time_problem_from_json(JsonField(problem.geometry, source + ": sonolux.problem.geometry"));
}

}  // namespace sonolux

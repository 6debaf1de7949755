// sonolux/sdk/runtime/lens_problem.cpp
#include <sonolux/sdk/runtime/lens_problem.hpp>

#include <algorithm>
#include <cmath>

namespace sonolux {

double LensProblem::noise(std::size_t channel, double level, double full_well) const noexcept {
    const double electrons = full_well * white[channel];
    return (std::max(level, 0.0) * electrons + read_noise * read_noise) / (electrons * electrons);
}

double LensProblem::usual_full_well() const noexcept { return std::sqrt(least_full_well * most_full_well); }

void set_lens(ModelProblem& problem, const LensProblem& lens) {
    Json white = Json::list();
    for (const double value : lens.white) white.append(value);
    problem.kind = "lens";
    problem.geometry =
        Json::object()
            .set("pixel", lens.pixel)
            .set("white", std::move(white))
            .set("full_well", Json::list().append(lens.least_full_well).append(lens.most_full_well))
            .set("read_noise", lens.read_noise);
}

LensProblem lens_problem_from_json(const JsonField& geometry) {
    geometry.allow_only({"pixel", "white", "full_well", "read_noise"});
    LensProblem lens;
    lens.pixel = geometry["pixel"].number(1e-9, 1);
    for (const JsonField& value : geometry["white"].elements()) lens.white.push_back(value.number(1e-6, 1));
    require(!lens.white.empty() && lens.white.size() <= 4, Status::corrupt_data, geometry.where(),
            ".white must have 1 to 4 channels, got ", lens.white.size());
    const auto wells = geometry["full_well"].elements();
    require(wells.size() == 2, Status::corrupt_data, geometry.where(),
            ".full_well must be [lowest, highest], got ", wells.size(), " numbers");
    lens.least_full_well = wells[0].number(1, 1e12);
    lens.most_full_well = wells[1].number(lens.least_full_well, 1e12);
    lens.read_noise = geometry["read_noise"].number(0, 1e9);
    return lens;
}

LensProblem lens_problem(const ModelProblem& problem, const std::string& source) {
    require(problem.kind == "lens", Status::unsupported, source, ": solves the problem \"", problem.kind,
            "\", not \"lens\"");
    return lens_problem_from_json(JsonField(problem.geometry, source + ": sonolux.problem.geometry"));
}

View<const float> lens_kernels(const Model& model) {
    for (const NamedTensor& tensor : model.tensors) {
        if (tensor.name != kernels_tensor) continue;
        const View<const float> kernels = tensor.values.view();
        require(kernels.rank() == 3 && kernels.rows() == kernels.columns() && kernels.rows() % 2 == 1,
                Status::corrupt_data, "model \"", model.name, "\": tensor \"", kernels_tensor,
                "\" must be [channels, size, size] with an odd size, got ", to_string(kernels.shape()));
        for (const float tap : tensor.values)
            require(std::isfinite(tap), Status::corrupt_data, "model \"", model.name, "\": tensor \"",
                    kernels_tensor, "\" has a value that is not finite");
        return kernels;
    }
    fail(Status::corrupt_data, "model \"", model.name, "\" has no tensor \"", kernels_tensor,
         "\": the lens is not known");
}

}  // namespace sonolux

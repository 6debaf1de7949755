// sonolux/sdk/pipelines/model_card.cpp
#include <sonolux/sdk/pipelines/model_card.hpp>

#include <fmt/format.h>

#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {
namespace {

std::string text_of(const Json& value) {
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* number = value.get_if<double>()) return fmt::format("{:g}", *number);
    return to_text(value);
}

// Each metric in one line: "psnr_db 28.79, ssim 0.81 (protocol)".
std::vector<std::string> metric_lines(const Model& model) {
    std::vector<std::string> lines;
    const auto* metrics = model.metrics.get_if<Json::List>();
    if (metrics == nullptr) return lines;
    for (const Json& metric : *metrics) {
        const auto* members = metric.get_if<Json::Members>();
        if (members == nullptr) continue;
        std::string line, protocol;
        for (const auto& [key, value] : *members) {
            if (key == "protocol")
                protocol = text_of(value);
            else
                line += fmt::format("{}{} {}", line.empty() ? "" : ", ", key, text_of(value));
        }
        lines.push_back(fmt::format("{} ({})", line, protocol));
    }
    return lines;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> model_card(const Model& model) {
    Index parameters = 0;
    for (const NamedTensor& tensor : model.tensors)
        if (tensor.name != kernels_tensor) parameters += tensor.values.elements();
    const ModelProblem& problem = model.problem;
    const double lowest = 255 * problem.sigma_min, highest = 255 * problem.sigma_max;
    std::vector<std::pair<std::string, std::string>> facts{
        {"model", model.name},
        {"problem", problem.kind},
        {"images", channels(architecture_of(model)) == 1 ? "grey" : "colour, all channels together"},
        {"noise (sigma, white = 255)", lowest == highest ? fmt::format("{:.4g}", lowest)
                                                         : fmt::format("{:.4g} to {:.4g}", lowest, highest)},
        {"parameters", fmt::format("{}", parameters)},
        {"licence", model.licence},
        {"training data", model.training.data},
        {"seed", fmt::format("{}", model.training.seed)},
        {"trained with", "Sonolux " + model.training.git_hash}};
    if (problem.kind == "lens") {
        const LensProblem lens = lens_problem(problem, model.name);
        const View<const float> kernels = lens_kernels(model);
        facts[3] = {"noise", fmt::format("{:g} to {:g} electrons at white, read noise {:g}",
                                         lens.least_full_well, lens.most_full_well, lens.read_noise)};
        facts.insert(facts.begin() + 4,
                     {"kernels of the lens", fmt::format("{} x {} pixels of {:g} um", kernels.rows(),
                                                         kernels.columns(), 1e6 * lens.pixel)});
    }
    for (const std::string& line : metric_lines(model)) facts.emplace_back("measured", line);
    return facts;
}

}  // namespace sonolux

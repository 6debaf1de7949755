// sonolux/sdk/command_line/lens.hpp
//
// Captures through a lens: what `reconstruct` and `evaluate` do with a model for one.
#pragma once

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/evaluate_lens.hpp>

namespace sonolux::command_line {

struct LensArguments {
    std::string input, output, light = "auto";
    double electrons = 0;
    std::string lens;         ///< its recipe, or kernels of its field; empty: the model's kernels
    std::string kernels;      ///< file for those that are computed from a recipe; empty: none
    std::int64_t fields = 5;  ///< along each side
    std::int64_t tile = 0;
    int bits = 0;
};

void add_lens_options(CLI::App& command, LensArguments& arguments);

void reconstruct_lens(const Model& model, const LensArguments& arguments, const CommonOptions& common);

/// `options` are what the command line said.
void evaluate_lens_model(const Model& model, EvaluateLensOptions options, const std::string& csv,
                         const CommonOptions& common);

}  // namespace sonolux::command_line

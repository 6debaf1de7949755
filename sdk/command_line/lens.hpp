// sonolux/sdk/command_line/lens.hpp
//
// Captures through a lens: what `reconstruct` and `evaluate` do with a model for one.
#pragma once

#include <optional>

#include <sonolux/core/mosaic.hpp>
#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/evaluate_lens.hpp>

namespace sonolux::command_line {

struct LensArguments {
    std::string input, output, light = "auto";
    double electrons = 0;
    std::string lens;         ///< its recipe, or kernels of its field; empty: the model's kernels
    std::string kernels;      ///< file for those that are computed from a recipe; empty: none
    std::int64_t fields = 5;  ///< along each side
    std::string mosaic;       ///< empty: none
    std::string focus;        ///< of the sensor: "auto", or its distance over the model's; empty: the model's
    std::int64_t tile = 0;
    int bits = 0;
};

void add_lens_options(CLI::App& command, LensArguments& arguments);

/// Adds --mosaic.
CLI::Option* add_mosaic_option(CLI::App& command, std::string& pattern);

/// None for an empty pattern. Throws as BayerMosaic does.
[[nodiscard]] std::optional<BayerMosaic> mosaic_of(const std::string& pattern);

void reconstruct_lens(const Model& model, const LensArguments& arguments, const CommonOptions& common);

/// `options` are what the command line said.
void evaluate_lens_model(const Model& model, EvaluateLensOptions options, const std::string& csv,
                         const CommonOptions& common);

}  // namespace sonolux::command_line

// sonolux/sdk/command_line/evaluate_speed.hpp
//
// `evaluate MODEL --data SET` for models that map the speed of sound.
#pragma once

#include <sonolux/sdk/command_line/command.hpp>
#include <sonolux/sdk/pipelines/evaluate_sound_speed.hpp>

namespace sonolux::command_line {

struct SpeedEvaluationArguments {
    EvaluateSoundSpeedOptions sound;
    std::string csv;
    std::string calibrate;  ///< file for a calibrated copy of the model, or empty
    std::string report;     ///< folder for report.html and tables, or empty
    bool robustness = false;
};

void add_speed_evaluation_options(CLI::App& command, SpeedEvaluationArguments& arguments);

void evaluate_speed(Model model, SpeedEvaluationArguments arguments, const CommonOptions& common);

}  // namespace sonolux::command_line

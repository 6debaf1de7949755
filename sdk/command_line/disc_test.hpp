// sonolux/sdk/command_line/disc_test.hpp
//
// `sonolux evaluate METHOD --protocol discs`.
#pragma once

#include <string>

#include <sonolux/sdk/command_line/command.hpp>

namespace sonolux::command_line {

struct DiscTestArguments {
    std::string method, csv;
    std::string chart;  ///< .svg, or empty
    std::string model;  ///< whose transmissions and pairs are recorded; empty: none
    double lambda = 0;
    double centre_frequency = 5e6;  ///< Hz
    int refine = -1;                ///< -1: 2, of a network 0
    Index maps = 40;
};

void add_disc_test_options(CLI::App& command, DiscTestArguments& arguments);

/// Prints the table, and writes it to `csv` and the chart if these are not empty.
void evaluate_on_discs(const DiscTestArguments& arguments, const CommonOptions& common);

}  // namespace sonolux::command_line

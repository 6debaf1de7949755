// tests/support/command_line.hpp
//
// The program `sonolux`, run as people run it: exit status, what goes to standard output and what to standard
// error.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sonolux/core/random.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

#include "tests/support/paths.hpp"

namespace sonolux {

struct Outcome {
    int status = -1;  // -1 where a signal ended the program
    std::string out, err;
};

inline void PrintTo(const Outcome& outcome, std::ostream* stream) {
    *stream << "status " << outcome.status << ", output \"" << outcome.out << "\", errors \"" << outcome.err
            << "\"";
}

// An error is one line on standard error that begins with the program's name, and nothing on standard output.
MATCHER_P2(FailsWith, status, sentence, "") {
    return arg.status == status && arg.out.empty() && arg.err.starts_with("sonolux: ") &&
           std::count(arg.err.begin(), arg.err.end(), '\n') == 1 &&
           arg.err.find(sentence) != std::string::npos;
}

class CommandLine : public ::testing::Test {
protected:
    void SetUp() override {
        const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
        folder_ = std::filesystem::path(::testing::TempDir()) /
                  sentence("sonolux_", test->test_suite_name(), "_", test->name(), "_", ::getpid());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }

    // Words are separated by blanks; none of ours holds one.
    [[nodiscard]] Outcome run(const std::string& arguments, const std::string& environment = "") const {
        const std::string out = file("stdout.txt"), err = file("stderr.txt");
        // Waiting threads sleep: tests run beside each other.
        const std::string command = "cd '" + folder_.string() + "' && OMP_WAIT_POLICY=passive " +
                                    environment + " '" + sonolux_program() + "' " + arguments + " >" + out +
                                    " 2>" + err + " </dev/null";
        const int status = std::system(command.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text_file(out), read_text_file(err)};
    }

    // Two small stages with the parameters that training starts from: they denoise a little.
    void write_model(const std::string& name, double sigma_min = 25, double sigma_max = 25,
                     int channels = 1) const {
        VariationalNetworkOptions options;
        options.stages = 2;
        options.prior.filters.count = 8;
        options.prior.filters.size = 3;
        options.prior.filters.channels = channels;
        options.sigma_degree = sigma_min == sigma_max ? 0 : 1;
        auto network = make_variational_network(options);
        initialise(*network, options);
        Model model;
        model.name = std::filesystem::path(name).stem().string();
        model.problem.sigma_min = sigma_min / 255;
        model.problem.sigma_max = sigma_max / 255;
        model.problem.value_scale = 255;
        model.licence = "CC0-1.0";
        model.training.data = "none";
        model.metrics.append(Json::object().set("psnr_db", 12.5).set("protocol", "made up"));
        set_network(model, options, *network);
        write_file_atomically(file(name), save_model(model));
    }

    // A smooth picture with noise of standard deviation 25 / 255.
    void write_noisy(const std::string& name, Index channels, Index rows, Index columns, int bits = 8) const {
        Array<float> pixels({channels, rows, columns});
        fill_normal(pixels, Philox(1));
        for (Index c = 0; c < channels; ++c)
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j)
                    pixels(c, i, j) = 0.5F + 0.3F * std::sin(0.05F * static_cast<float>(i + 2 * j + 5 * c)) +
                                      25.0F / 255 * pixels(c, i, j);
        write_image(file(name), pixels, bits);
    }

    void write_bytes(const std::string& name, const std::string& bytes) const {
        std::ofstream(file(name), std::ios::binary) << bytes;
    }

    std::filesystem::path folder_;
};

}  // namespace sonolux

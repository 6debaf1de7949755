// sonolux/sdk/command_line/command.hpp
//
// What the sub-commands of the program `sonolux` share: options, errors, progress.
#pragma once

#include <CLI/CLI.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/files/image.hpp>

namespace sonolux::command_line {

/// Options that every sub-command takes.
struct CommonOptions {
    int threads = 0;  ///< 0: all processors
    std::string isa;  ///< empty: the fastest that this processor runs
    std::string device = "cpu";
};

/// A command line that cannot be meant: the program ends with status 2.
class UsageError : public std::exception {
public:
    explicit UsageError(std::string message) : message_(std::move(message)) {}
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

private:
    std::string message_;
};

/// Adds a sub-command to the program. `run` is called once everything on the command line was understood.
CLI::App* add_command(CLI::App& program, CommonOptions& common, const std::string& name,
                      const std::string& description, const std::string& examples, std::function<void()> run);

/// Adds --device to a command whose work can be done by a CUDA device, or some of it.
void add_device_option(CLI::App& command, CommonOptions& common);

/// The device that was asked for; null for the CPU. Throws Error{unsupported} where it is not there.
[[nodiscard]] std::shared_ptr<CudaDevice> device_of(const CommonOptions& common);

/// Throws Error{unsupported} where a device was asked for, for `what` ("tv"), which has no CUDA form.
void require_cpu(const CommonOptions& common, const std::string& what);

/// Checks of option values, whose complaint is a sentence: "--tile must be from 0 to 1048576, got -3".
[[nodiscard]] CLI::Validator number_from(double lowest, double highest);
[[nodiscard]] CLI::Validator noise_level();

/// Each of these is one file of this folder.
void add_demo(CLI::App& program, CommonOptions& common);
void add_simulate(CLI::App& program, CommonOptions& common);
void add_train(CLI::App& program, CommonOptions& common);
void add_evaluate(CLI::App& program, CommonOptions& common);
void add_reconstruct(CLI::App& program, CommonOptions& common);
void add_beamform(CLI::App& program, CommonOptions& common);
void add_inspect(CLI::App& program, CommonOptions& common);
void add_benchmark(CLI::App& program, CommonOptions& common);

/// A line on standard error that says how far the work is: rewritten in place on a terminal, otherwise a new
/// line every ten seconds. Nothing is said about work that takes less than half a second.
class ProgressLine {
public:
    ProgressLine() = default;
    ~ProgressLine() { clear(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    /// False once the user has pressed Ctrl-C.
    bool operator()(const Progress& progress);

    /// Takes the line off the terminal.
    void clear();

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point begun_ = Clock::now(), last_ = begun_;
    std::string activity_;
    bool shown_ = false;
};

/// Ctrl-C asks for the end instead of forcing it; a second one forces it.
void install_interrupt_handler();
[[nodiscard]] bool interrupted() noexcept;

/// With so many digits after the point; "-" for NaN.
[[nodiscard]] std::string fixed(double value, int digits);

/// Columns of text that line up: the first to the left, the others to the right.
[[nodiscard]] std::string aligned(const std::vector<std::string>& header,
                                  const std::vector<std::vector<std::string>>& rows);

/// Throws Error{file_error} if there is no folder for that file: before the work that it is to hold.
void require_folder_of(const std::string& path);

/// How many bits `output` is written with: `asked` for, or else as `image` (the content of `input`) has them.
/// Throws UsageError for a name or a number that cannot be written; called before the work and not after it.
[[nodiscard]] int bits_of_output(const std::string& output, int asked, const std::string& input,
                                 const Image& image);

/// `sonolux: warning: ...` on standard error.
void warn(const std::string& text);

}  // namespace sonolux::command_line

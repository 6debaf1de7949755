// sonolux/sdk/command_line/command.cpp
#include <sonolux/core/cuda/device.hpp>
#include <sonolux/sdk/command_line/command.hpp>

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

namespace sonolux::command_line {
namespace {

std::atomic<bool> interrupt_requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

std::string duration(double seconds) {
    const long whole = std::lround(std::max(0.0, seconds));
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

// How many columns of a terminal the UTF-8 text takes.
std::size_t letters(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](unsigned char byte) { return (byte & 0xC0U) != 0x80U; }));
}

}  // namespace

CLI::App* add_command(CLI::App& program, CommonOptions& common, const std::string& name,
                      const std::string& description, const std::string& examples,
                      std::function<void()> run) {
    CLI::App* command = program.add_subcommand(name, description);
    command->footer(examples);
    command->add_option("--threads", common.threads, "threads to use; 0: all processors")
        ->check(number_from(0, 1024))
        ->type_name("N");
    command->add_option("--isa", common.isa, "instruction set: baseline, avx2, avx512 or neon")
        ->check(CLI::IsMember({"baseline", "avx2", "avx512", "neon"}))
        ->type_name("NAME");
    command->callback([&common, run = std::move(run)] {
        // Before anything asks which instruction set to use.
        if (!common.isa.empty()) setenv("SONOLUX_ISA", common.isa.c_str(), 1);
        run();
    });
    return command;
}

void add_device_option(CLI::App& command, CommonOptions& common) {
    command
        .add_option("--device", common.device,
                    "where to work: cpu (default), cuda, or cuda:N for the Nth CUDA device from 0")
        ->check(CLI::Validator(
            [](std::string& text) {
                return names_device(text) ? std::string()
                                          : fmt::format("must be cpu, cuda or cuda:N, got {}", text);
            },
            ""))
        ->type_name("DEVICE");
}

std::shared_ptr<CudaDevice> device_of(const CommonOptions& common) { return open_device(common.device); }

void require_cpu(const CommonOptions& common, const std::string& what) {
    require(common.device == "cpu", Status::unsupported, what, " has no CUDA form: leave out --device ",
            common.device);
}

CLI::Validator number_from(double lowest, double highest) {
    return {[=](std::string& text) -> std::string {
                double value = 0;
                if (CLI::detail::lexical_cast(text, value) && value >= lowest && value <= highest) return {};
                return fmt::format("must be from {} to {}, got {}", lowest, highest, text);
            },
            ""};
}

CLI::Validator noise_level() {
    return {[](std::string& text) -> std::string {
                double value = 0;
                if (CLI::detail::lexical_cast(text, value) && value > 0 && value <= 255) return {};
                return fmt::format("must be above 0 and at most 255, got {}", text);
            },
            ""};
}

void install_interrupt_handler() {
    std::signal(SIGINT, [](int signal) {
        interrupt_requested = true;
        std::signal(signal, SIG_DFL);
    });
}

bool interrupted() noexcept { return interrupt_requested; }

bool ProgressLine::operator()(const Progress& progress) {
    const Clock::time_point now = Clock::now();
    if (progress.activity != activity_) activity_ = progress.activity;
    static const bool terminal = isatty(STDERR_FILENO) != 0;
    const double since_last = std::chrono::duration<double>(now - last_).count();
    const double elapsed = std::chrono::duration<double>(now - begun_).count();
    if (since_last >= (terminal ? shown_ ? 0.1 : 0.5 : 10.0)) {
        last_ = now;
        std::string line = fmt::format("{} {}/{}", activity_, progress.done, progress.total);
        if (progress.done > 0)
            line += fmt::format(", {:.3g}/s", static_cast<double>(progress.done) / elapsed);
        double left = progress.seconds_left;
        if (left < 0 && progress.done > 0)
            left = elapsed * static_cast<double>(progress.total - progress.done) /
                   static_cast<double>(progress.done);
        if (left >= 0) line += fmt::format(", {} left", duration(left));
        fmt::print(stderr, "{}{}{}", terminal ? "\r" : "", line, terminal ? "\x1b[K" : "\n");
        std::fflush(stderr);
        shown_ = terminal;
    }
    return !interrupted();
}

void ProgressLine::clear() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    shown_ = false;
}

std::string fixed(double value, int digits) {
    return std::isnan(value) ? "-" : fmt::format("{:.{}f}", value, digits);
}

std::string aligned(const std::vector<std::string>& header,
                    const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    auto widen = [&](const std::vector<std::string>& cells) {
        widths.resize(std::max(widths.size(), cells.size()));
        for (std::size_t c = 0; c < cells.size(); ++c) widths[c] = std::max(widths[c], letters(cells[c]));
    };
    widen(header);
    for (const auto& row : rows) widen(row);

    std::string text;
    auto put = [&](const std::vector<std::string>& cells) {
        std::string line;
        for (std::size_t c = 0; c < cells.size(); ++c) {
            const std::string padding(widths[c] - letters(cells[c]), ' ');
            line += c == 0 ? cells[c] + padding : "  " + padding + cells[c];
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    };
    put(header);
    for (const auto& row : rows) put(row);
    return text;
}

void require_folder_of(const std::string& path) {
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    require(folder.empty() || std::filesystem::is_directory(folder), Status::file_error, path,
            ": there is no folder ", folder.string());
}

int bits_of_output(const std::string& output, int asked, const std::string& input, const Image& image) {
    std::string extension = std::filesystem::path(output).extension().string();
    for (char& letter : extension)
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    const bool png = extension == ".png";
    if (!png && extension != ".tif" && extension != ".tiff")
        throw UsageError(fmt::format("OUTPUT must end in .png, .tif or .tiff, got \"{}\"", output));
    if (asked == 32 && png) throw UsageError("--bits 32 needs a TIFF file: PNG holds at most 16 bits");
    if (asked > 0) return asked;
    if (png && image.bits > 16) {
        warn(fmt::format("{} holds floats, {} keeps 16 bits of [0, 1]", input, output));
        return 16;
    }
    return image.bits;
}

void warn(const std::string& text) { fmt::print(stderr, "sonolux: warning: {}\n", text); }

}  // namespace sonolux::command_line

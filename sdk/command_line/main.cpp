// sonolux/sdk/command_line/main.cpp
//
// The program `sonolux`: learned reconstruction from the command line.
//
// Results go to standard output, everything else to standard error. The exit status is 0, 1 if the work
// failed, or 2 if the command line was wrong; an error is one sentence on standard error.
#include <algorithm>
#include <cstdio>
#include <new>

#include <fmt/format.h>

#include <sonolux/sdk/command_line/command.hpp>

namespace {

constexpr int failed = 1, bad_usage = 2;

int complain(const std::string& message, int status) {
    fmt::print(stderr, "sonolux: {}\n", message);
    return status;
}

// CLI11 begins its sentences with a capital letter and parts option and complaint with a colon.
std::string in_our_manner(std::string message) {
    auto lower = [](char letter) { return letter == ' ' || (letter >= 'a' && letter <= 'z'); };
    if (message.size() > 1 && lower(message[1]) && message[0] >= 'A' && message[0] <= 'Z')
        message[0] = static_cast<char>(message[0] - 'A' + 'a');
    if (const std::size_t colon = message.find(": must be"); colon != std::string::npos)
        message.erase(colon, 1);
    while (!message.empty() && (message.back() == '\n' || message.back() == '.')) message.pop_back();
    std::replace(message.begin(), message.end(), '\n', ' ');
    return message;
}

void require_command(const CLI::App& program, const std::string& name) {
    for (const char* option : {"-h", "--help", "--version"})
        if (name == option) return;
    std::string names;
    for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
        if (command->get_name() == name) return;
        names += (names.empty() ? "" : ", ") + command->get_name();
    }
    throw sonolux::command_line::UsageError(
        fmt::format("there is no command \"{}\"; there are {}", name, names));
}

}  // namespace

int main(int argument_count, char** arguments) {
    using namespace sonolux::command_line;

    CLI::App program("Sonolux: learned reconstruction of sound and light.", "sonolux");
    program.set_version_flag("--version", "sonolux " SLX_VERSION, "say which version this is");
    program.set_help_flag("-h,--help", "show this help");
    program.require_subcommand(1);
    program.footer(
        "sonolux COMMAND --help says more about a command.\n\n"
        "Results go to standard output, progress and errors to standard error.\n"
        "Exit status: 0, 1 if the work failed, 2 if the command line was wrong.\n\n"
        "Example:\n  sonolux demo --output out/demo");
    CommonOptions common;
    add_demo(program, common);
    add_simulate(program, common);
    add_train(program, common);
    add_evaluate(program, common);
    add_reconstruct(program, common);
    add_beamform(program, common);
    add_inspect(program, common);
    add_benchmark(program, common);

    install_interrupt_handler();
    try {
        if (argument_count > 1) require_command(program, arguments[1]);
        program.parse(argument_count, arguments);
        // A full disk shows only now.
        return std::fflush(stdout) == 0 ? 0 : complain("standard output could not be written", failed);
    } catch (const CLI::Success& help_or_version) {
        return program.exit(help_or_version);
    } catch (const CLI::ParseError& error) {
        std::string command = "sonolux";
        for (const CLI::App* chosen : program.get_subcommands()) command += " " + chosen->get_name();
        return complain(fmt::format("{} (see {} --help)", in_our_manner(error.what()), command), bad_usage);
    } catch (const UsageError& error) {
        return complain(error.what(), bad_usage);
    } catch (const sonolux::Error& error) {
        return complain(error.what(), failed);
    } catch (const std::bad_alloc&) {
        return complain("there is not enough memory", failed);
    } catch (const std::exception& error) {
        return complain(error.what(), failed);
    }
}

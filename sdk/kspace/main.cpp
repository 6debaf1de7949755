// sonolux/sdk/kspace/main.cpp
//
// The program `sonolux-kspace`: runs an input file of k-Wave, and takes the options of k-Wave's own programs,
// in whose place it can be used. Errors go to standard error as one sentence; the exit status is 0, 1 if the
// work failed, or 2 if the command line was wrong.
#include <CLI/CLI.hpp>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>

#include <fmt/format.h>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/pipelines/kspace_run.hpp>

namespace {

constexpr int failed = 1, bad_usage = 2;

std::atomic<bool> interrupt_requested = false;

extern "C" void request_interrupt(int) { interrupt_requested = true; }

struct Options {
    sonolux::KspaceRunOptions run;
    int threads = 0, verbose = 0, device = 0, compression = 0;
    double progress = 5;  // percent
    sonolux::Index start = 1, benchmark = 0;
    std::string checkpoint;
    bool measure = false, fast = false;
};

void add_options(CLI::App& program, Options& options) {
    auto& run = options.run;
    program.add_option("-i", run.input, "HDF5 input file")->required();
    program.add_option("-o", run.output, "HDF5 output file")->required();
    program.add_option("-t", options.threads, "threads (by default, one for each processor)")
        ->check(CLI::Range(1, 4096));
    program.add_option("-r", options.progress, "say how far the run is every so many percent")
        ->check(CLI::Range(1.0, 100.0));
    program.add_option("-s", options.start, "first recorded step, from 1")->check(CLI::Range(1, 1 << 30));
    program.add_option("--benchmark", options.benchmark, "do only so many steps")
        ->check(CLI::Range(1, 1 << 30));
    program.add_option("--verbose", options.verbose, "0, 1 or 2")->check(CLI::Range(0, 2));
    program.add_flag("--measure", options.measure,
                     "let FFTW look for faster transforms, with other last bits");
    program.add_flag(
        "--fast", options.fast,
        "take the second-order scheme, several times faster, where it is valid (linear sound in a "
        "plane, no velocities)");
    program.add_option("-g", options.device, "taken for k-Wave's sake: there is no GPU here");
    program.add_option("-c", options.compression, "taken for k-Wave's sake: output is not compressed");
    for (const char* name : {"--checkpoint_file", "--checkpoint_interval", "--checkpoint_timesteps"})
        program.add_option(name, options.checkpoint, "taken for k-Wave's sake: runs go to their end");

    program.add_flag("--copy_sensor_mask", run.copy_sensor, "write the sensor's points into the output");
    program.add_flag("-p,--p_raw", run.pressure.raw, "pressure at the sensor (the default)");
    program.add_flag("--p_rms", run.pressure.rms, "its root mean square");
    program.add_flag("--p_max", run.pressure.max, "its maximum");
    program.add_flag("--p_min", run.pressure.min, "its minimum");
    program.add_flag("--p_max_all", run.pressure.max_all, "maximum of the pressure everywhere");
    program.add_flag("--p_min_all", run.pressure.min_all, "minimum of the pressure everywhere");
    program.add_flag("--p_final", run.pressure_final, "pressure everywhere after the last step");
    program.add_flag("-u,--u_raw", run.velocity.raw, "velocity at the sensor");
    program.add_flag("--u_non_staggered_raw", run.velocity_non_staggered,
                     "the same, at the points of the pressure");
    program.add_flag("--u_rms", run.velocity.rms, "its root mean square");
    program.add_flag("--u_max", run.velocity.max, "its maximum");
    program.add_flag("--u_min", run.velocity.min, "its minimum");
    program.add_flag("--u_max_all", run.velocity.max_all, "maximum of the velocity everywhere");
    program.add_flag("--u_min_all", run.velocity.min_all, "minimum of the velocity everywhere");
    program.add_flag("--u_final", run.velocity_final, "velocity everywhere after the last step");
}

void simulate(Options& options) {
    options.run.start = options.start;
    options.run.steps = options.benchmark;
    if (options.fast) options.run.scheme = sonolux::KspaceScheme::automatic;
    if (options.measure) options.run.planning = sonolux::FftPlanning::measure;
    sonolux::Context context(options.threads == 1 ? sonolux::make_serial_runner()
                                                  : sonolux::make_openmp_runner(options.threads));
    std::signal(SIGINT, request_interrupt);
    std::signal(SIGTERM, request_interrupt);
    double next = options.progress;
    context.set_progress([&](const sonolux::Progress& progress) {
        const double percent =
            100.0 * static_cast<double>(progress.done) / static_cast<double>(progress.total);
        if (interrupt_requested) return false;
        if (percent < next) return true;
        while (next <= percent) next += options.progress;
        fmt::print(stderr, "{:3.0f} %  step {} of {}, {:.0f} s left\n", percent, progress.done,
                   progress.total, progress.seconds_left);
        return true;
    });
    const sonolux::KspaceRunResult result = sonolux::run_kspace(options.run, context);
    for (const std::string& warning : result.warnings)
        fmt::print(stderr, "sonolux-kspace: warning: {}\n", warning);
    const auto& size = result.grid.size;
    fmt::print("{}\ngrid {} x {} x {}, {} steps\n", result.description, size.columns, size.rows, size.planes,
               result.steps);
    fmt::print(
        "set-up {:.2f} s, steps {:.2f} s, {:.1f} ns per point and step, {:.1f} MB, {:.0f} bytes per point\n",
        result.setup_seconds, result.step_seconds, result.nanoseconds_per_point_and_step(),
        static_cast<double>(result.memory_bytes) / 1e6,
        static_cast<double>(result.memory_bytes) / static_cast<double>(size.points()));
    if (options.verbose > 0) fmt::print("written to {}\n", options.run.output);
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App program("Full-wave simulation of an input file of k-Wave.", "sonolux-kspace");
    program.set_version_flag("--version", "sonolux-kspace " SLX_VERSION, "say which version this is");
    program.set_help_flag("-h,--help", "show this help");
    program.footer("Example:\n  sonolux-kspace -i input.h5 -o output.h5 -t 1 --p_raw --p_final");
    Options options;
    try {
        add_options(program, options);
        program.parse(argument_count, arguments);
        simulate(options);
        if (std::fflush(stdout) == 0) return 0;
        fmt::print(stderr, "sonolux-kspace: standard output could not be written\n");
        return failed;
    } catch (const CLI::Success& help_or_version) {
        return program.exit(help_or_version);
    } catch (const CLI::ParseError& error) {
        fmt::print(stderr, "sonolux-kspace: {} (sonolux-kspace --help says more)\n", error.what());
        return bad_usage;
    } catch (const std::bad_alloc&) {
        fmt::print(stderr, "sonolux-kspace: out of memory\n");
        return failed;
    } catch (const std::exception& error) {
        fmt::print(stderr, "sonolux-kspace: {}\n", error.what());
        return failed;
    }
}

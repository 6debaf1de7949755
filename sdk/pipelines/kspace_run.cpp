// sonolux/sdk/pipelines/kspace_run.cpp
#include <algorithm>
#include <chrono>
#include <complex>
#include <optional>

#include <sonolux/core/error.hpp>
#include <sonolux/core/line_fft.hpp>
#include <sonolux/sdk/files/kwave_output.hpp>
#include <sonolux/sdk/pipelines/kspace_run.hpp>

namespace sonolux {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::span<const float> all(View<const float> field) {
    return {field.data(), static_cast<std::size_t>(field.elements())};
}

void require_finite(View<const float> pressure, Index step) {
    // One sum finds any NaN or infinity; it may overflow on its own only where the pressure has long been
    // absurd.
    float sum = 0;  // 0 times anything finite
    for (float p : all(pressure)) sum += 0.0f * p;
    require(sum == 0.0f, Status::internal_error, "after step ", step,
            " the pressure is not finite: the time step is too long for this medium, or a source too strong");
}

/// The share of the energy of a source's first signal at frequencies above `limit`.
double share_above(const PointSource& source, double time_step, double limit) {
    const Index width = source.one_for_all ? 1 : static_cast<Index>(source.points.size());
    const Index length = 2 * source.samples;  // with as many zeros
    Array<std::complex<float>> signal({length}), spectrum({length});
    for (Index n = 0; n < source.samples; ++n) signal(n) = source.signal[static_cast<std::size_t>(n * width)];
    make_complex_line_fft(length)->forward(signal.data(), spectrum.data());
    double above = 0, all = 0;
    for (Index bin = 0; bin <= length / 2; ++bin) {
        const double energy = static_cast<double>(std::norm(spectrum(bin)));
        all += energy;
        if (static_cast<double>(bin) / (static_cast<double>(length) * time_step) > limit) above += energy;
    }
    return all > 0 ? above / all : 0;
}

std::vector<std::string> warnings_of(const KspaceSetup& setup) {
    // Points per wavelength fall with the frequency; at this one there are 2.
    const double limit = points_per_wavelength(setup.grid, setup.medium, 1) / 2;
    std::vector<std::string> warnings;
    const auto look = [&](const PointSource& source, const char* name) {
        if (source.empty()) return;
        const double share = share_above(source, setup.grid.time_step, limit);
        if (share > 0.01)
            warnings.push_back(sentence("the ", name, " has ", 100 * share, " % of its energy above ",
                                        limit / 1e6,
                                        " MHz, where the grid has less than 2 points per wavelength"));
    };
    look(setup.sources.pressure, "pressure source");
    for (const PointSource& source : setup.sources.velocity) look(source, "velocity source");
    return warnings;
}

/// One field's recorder with its name in the file.
struct Named {
    std::string name;
    FieldRecorder recorder;
};

/// Everything that is recorded, and when it goes to the file.
class Records {
public:
    Records(const KspaceRunOptions& options, const KwaveInput& input, Index steps)
        : options_(options),
          axes_(input.setup.grid.size.axes()),
          start_(options.start - 1),
          block_(block_steps(input, steps)),
          output_(options.output, input, options.start - 1, steps - start_) {
        const Index points = input.setup.grid.size.points();
        const std::span<const Index> sensor = input.sensor_points;
        pressure_ = {"p", FieldRecorder(options.pressure, sensor, points, block_)};
        const char* const names[] = {"ux", "uy", "uz"};
        for (int axis = 0; axis < axes_; ++axis) {
            velocity_.push_back({names[axis], FieldRecorder(options.velocity, sensor, points, block_)});
            if (options.velocity_non_staggered)
                shifted_.push_back({std::string(names[axis]) + "_non_staggered",
                                    FieldRecorder({.raw = true}, sensor, points, block_)});
        }
        if (options.velocity_non_staggered) {
            unstagger_.emplace(input.setup.grid.size);
            scratch_ = Array<float>({points});
        }
        if (options.copy_sensor) output_.write_sensor(input);
        if (options.pressure.raw) output_.make_signals("p");
        for (const Named& named : velocity_)
            if (options.velocity.raw) output_.make_signals(named.name);
        for (const Named& named : shifted_) output_.make_signals(named.name);
    }

    void take(const KspaceSimulation& simulation) {
        if (simulation.done() <= start_) return;
        pressure_.recorder.record(simulation.pressure().data(), filled_);
        if (simulation.first_order() != nullptr) take_velocities(*simulation.first_order());
        if (++filled_ == block_) flush(simulation);
    }

    void take_velocities(const KspaceFirstOrder& simulation) {
        for (int axis = 0; axis < axes_; ++axis) {
            const auto a = static_cast<std::size_t>(axis);
            const View<const float> velocity = simulation.velocity(axis);
            if (options_.velocity.any()) velocity_[a].recorder.record(velocity.data(), filled_);
            if (!unstagger_) continue;
            unstagger_->shift(velocity, axis, scratch_);
            shifted_[a].recorder.record(scratch_.data(), filled_);
        }
    }

    void finish(const KspaceSimulation& simulation, double setup_seconds, double step_seconds) {
        flush(simulation);
        write_statistics(pressure_, options_.pressure);
        for (const Named& named : velocity_) write_statistics(named, options_.velocity);
        if (options_.pressure_final) output_.write_field("p_final", all(simulation.pressure()));
        if (options_.velocity_final)
            for (int axis = 0; axis < axes_; ++axis)
                output_.write_field(velocity_[static_cast<std::size_t>(axis)].name + "_final",
                                    all(simulation.first_order()->velocity(axis)));
        output_.write_number("preprocessing_phase_execution_time", setup_seconds);
        output_.write_number("simulation_phase_execution_time", step_seconds);
        output_.commit();
    }

private:
    /// About 16 MiB of signals at a time.
    static Index block_steps(const KwaveInput& input, Index steps) {
        const Index points = std::max<Index>(1, static_cast<Index>(input.sensor_points.size()));
        return std::clamp<Index>((Index{1} << 22) / points, 1, std::max<Index>(1, steps));
    }

    void flush(const KspaceSimulation& simulation) {
        require_finite(simulation.pressure(), simulation.done());
        if (filled_ == 0) return;
        const auto write = [&](const Named& named) {
            const std::span<const float> raw = named.recorder.raw();
            const std::size_t row = raw.size() / static_cast<std::size_t>(block_);
            output_.write_signals(named.name, written_, raw.first(row * static_cast<std::size_t>(filled_)));
        };
        if (options_.pressure.raw) write(pressure_);
        for (const Named& named : velocity_)
            if (options_.velocity.raw) write(named);
        for (const Named& named : shifted_) write(named);
        written_ += filled_;
        filled_ = 0;
    }

    void write_statistics(const Named& named, const RecordedQuantities& what) {
        const FieldRecorder& recorder = named.recorder;
        if (what.max) output_.write_values(named.name + "_max", recorder.max());
        if (what.min) output_.write_values(named.name + "_min", recorder.min());
        if (what.rms) output_.write_values(named.name + "_rms", recorder.rms());
        if (what.max_all) output_.write_field(named.name + "_max_all", recorder.max_all());
        if (what.min_all) output_.write_field(named.name + "_min_all", recorder.min_all());
    }

    KspaceRunOptions options_;
    int axes_;
    Index start_, block_, filled_ = 0, written_ = 0;
    KwaveOutput output_;
    Named pressure_;
    std::vector<Named> velocity_, shifted_;
    std::optional<UnstaggeredVelocity> unstagger_;
    Array<float> scratch_;
};

}  // namespace

KspaceRunResult run_kspace(const KspaceRunOptions& given, Context& context) {
    const auto start = Clock::now();
    KspaceRunOptions options = given;
    if (!options.pressure.any() && !options.velocity.any() && !options.pressure_final &&
        !options.velocity_final && !options.velocity_non_staggered)
        options.pressure.raw = true;
    KwaveInput input = read_kwave_input(options.input);
    input.setup.planning = options.planning;
    const Index steps =
        options.steps > 0 ? std::min(options.steps, input.setup.grid.steps) : input.setup.grid.steps;
    require(options.start >= 1 && options.start <= std::max<Index>(1, steps), Status::invalid_argument,
            "the first recorded step must be 1 to ", steps, ", got ", options.start);
    if (options.velocity.any() || options.velocity_final || options.velocity_non_staggered) {
        require(options.scheme != KspaceScheme::second_order, Status::unsupported,
                "the second-order scheme has no velocities to record");
        options.scheme = KspaceScheme::first_order;
    }
    KspaceSimulation simulation(input.setup, context, options.scheme);
    Records records(options, input, steps);
    KspaceRunResult result{simulation.description(),  input.setup.grid,        steps, seconds_since(start), 0,
                           simulation.memory_bytes(), warnings_of(input.setup)};

    const auto stepping = Clock::now();
    while (simulation.done() < steps) {
        const Status status = context.poll();
        require(status == Status::ok, status, options.output, ": not written: ", to_string(status),
                " after step ", simulation.done(), " of ", steps);
        simulation.step(context);
        if (simulation.done() % 100 == 0) require_finite(simulation.pressure(), simulation.done());
        records.take(simulation);
        const double elapsed = seconds_since(stepping);
        context.report({"simulating", simulation.done(), steps,
                        elapsed * static_cast<double>(steps - simulation.done()) /
                            static_cast<double>(simulation.done())});
    }
    result.step_seconds = seconds_since(stepping);
    records.finish(simulation, result.setup_seconds, result.step_seconds);
    return result;
}

}  // namespace sonolux

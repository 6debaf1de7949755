// sonolux/solvers/training/trainer.cpp
#include <sonolux/solvers/training/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <sonolux/solvers/training/knot_smoothness.hpp>
#include <sonolux/solvers/training/projection.hpp>

namespace sonolux {

namespace {

/// "stage3.filters" belongs to stage 2 of 0, 1, 2 ...; what belongs to no stage learns with the first.
Index stage_number(const std::string& name) {
    constexpr std::string_view prefix = "stage";
    if (name.compare(0, prefix.size(), prefix) != 0) return 0;
    return std::max<Index>(std::strtol(name.c_str() + prefix.size(), nullptr, 10) - 1, 0);
}

std::string_view name_in_stage(const std::string& name) {
    return std::string_view(name).substr(std::min(name.find('.') + 1, name.size()));
}

void check(const TrainingOptions& options, Index network_steps) {
    const auto refuse_unless = [](bool good, const auto&... parts) {
        require(good, Status::invalid_argument, parts...);
    };
    const NoiseLevels& noise = options.noise;
    refuse_unless(noise.low > 0 && noise.low <= noise.high && std::isfinite(noise.high),
                  "noise levels must be 0 < low <= high, got ", noise.low, " to ", noise.high);
    refuse_unless(noise.per_step >= 1 && options.batch.batch % noise.per_step == 0,
                  "noise levels per step must be at least 1 and divide the batch of ", options.batch.batch,
                  ", got ", noise.per_step);
    refuse_unless(std::isfinite(noise.weight_power), "weight_power must be finite, got ", noise.weight_power);
    refuse_unless(options.fixed_patches >= 1, "fixed_patches must be at least 1, got ",
                  options.fixed_patches);
    refuse_unless(options.validate_every >= 1, "validate_every must be at least 1, got ",
                  options.validate_every);
    refuse_unless(!options.phases.empty(), "training needs at least one phase");
    for (const TrainingPhase& phase : options.phases) {
        refuse_unless(phase.steps >= 1, "phase \"", phase.name, "\": steps must be at least 1, got ",
                      phase.steps);
        refuse_unless(phase.depth >= 1 && phase.depth <= network_steps, "phase \"", phase.name,
                      "\": depth must be from 1 to the network's ", network_steps, " steps, got ",
                      phase.depth);
        refuse_unless(phase.first_stage >= 0 && phase.first_stage < phase.depth, "phase \"", phase.name,
                      "\": first_stage must be at least 0 and below depth, got ", phase.first_stage);
        refuse_unless(phase.step_weights.size() == static_cast<std::size_t>(phase.depth), "phase \"",
                      phase.name, "\": there must be ", phase.depth, " step weights, got ",
                      phase.step_weights.size());
        refuse_unless(phase.learning_rate.rate > 0, "phase \"", phase.name,
                      "\": the learning rate must be above 0, got ", phase.learning_rate.rate);
    }
}

std::vector<float> typical_changes(const UnrolledNetwork& network) {
    std::vector<float> typical(network.parameters().size(), 1.0f);
    for (const Parameter& parameter : network.layout())
        std::fill_n(typical.begin() + parameter.offset, parameter.shape.elements(), parameter.typical);
    return typical;
}

TrainingOptions checked(TrainingOptions options, Index network_steps) {
    check(options, network_steps);
    return options;
}

}  // namespace

std::vector<TrainingPhase> greedy_then_joint(Index network_steps, Index greedy, Index joint,
                                             const LearningRate& greedy_rate, const LearningRate& joint_rate,
                                             std::vector<double> joint_step_weights) {
    require(greedy >= 0 && joint >= 0 && greedy + joint > 0, Status::invalid_argument,
            "greedy and joint training steps must be at least 0 and not both 0, got ", greedy, " and ",
            joint);
    std::vector<TrainingPhase> phases;
    for (Index stage = 0; greedy > 0 && stage < network_steps; ++stage) {
        TrainingPhase phase;
        phase.name = sentence("stage ", stage + 1);
        phase.steps = greedy;
        phase.depth = stage + 1;
        phase.first_stage = stage;
        phase.copy_previous_stage = stage > 0;
        phase.learning_rate = greedy_rate;
        phase.step_weights.assign(static_cast<std::size_t>(phase.depth), 0.0);
        phase.step_weights.back() = 1;
        phases.push_back(std::move(phase));
    }
    if (joint > 0) {
        TrainingPhase phase;
        phase.name = "joint";
        phase.steps = joint;
        phase.depth = network_steps;
        phase.learning_rate = joint_rate;
        phase.step_weights = std::move(joint_step_weights);
        phases.push_back(std::move(phase));
    }
    return phases;
}

Trainer::Trainer(UnrolledNetwork& network, TrainingOptions options, PatchFunction source, const Loss& loss,
                 Validation* validation, Context& context)
    : network_(network),
      options_(checked(std::move(options), network.steps())),
      source_(std::move(source)),
      loss_(loss),
      validation_(validation != nullptr && !validation->empty() ? validation : nullptr),
      batch_(network, options_.batch, context, options_.blur ? &*options_.blur : nullptr),
      adam_(options_.adam, typical_changes(network)),
      typical_(typical_changes(network)) {
    prepare();
}

Trainer::Trainer(UnrolledNetwork& network, TrainingOptions options, const CaseFactory& cases,
                 const Loss& loss, Validation* validation, Context& context)
    : network_(network),
      options_(checked(std::move(options), network.steps())),
      loss_(loss),
      validation_(validation != nullptr && !validation->empty() ? validation : nullptr),
      batch_(network, options_.batch, context, cases),
      adam_(options_.adam, typical_changes(network)),
      typical_(typical_changes(network)) {
    for (const TrainingPhase& phase : options_.phases)
        require(phase.optimiser != Optimiser::lbfgs, Status::unsupported, "phase \"", phase.name,
                "\": problems that make their own samples are learned by Adam");
    prepare();
}

void Trainer::prepare() {
    UnrolledNetwork& network = network_;
    const std::size_t count = network.parameters().size();
    stage_of_.resize(count);
    bool constrained = false;
    for (const Parameter& parameter : network.layout()) {
        const Index stage = stage_number(parameter.name);
        std::fill_n(stage_of_.begin() + parameter.offset, parameter.shape.elements(), stage);
        distinct_stages_ = std::max(distinct_stages_, stage + 1);
        constrained = constrained || parameter.constraint != Constraint::none;
    }
    for (const TrainingPhase& phase : options_.phases)
        require(phase.optimiser != Optimiser::lbfgs || !constrained, Status::unsupported, "phase \"",
                phase.name, "\": L-BFGS cannot keep constraints; use filters of kind \"dct\", or Adam");
    trained_.resize(count);
    gradient_.resize(count);
    part_.resize(count);
    best_parameters_.assign(network.parameters().begin(), network.parameters().end());
    running_peaks_.assign(static_cast<std::size_t>(network.range_count()), 0.0f);
}

Index Trainer::total_steps() const noexcept {
    Index total = 0;
    for (const TrainingPhase& phase : options_.phases) total += phase.steps;
    return total;
}

void Trainer::begin_phase() {
    const TrainingPhase& phase = options_.phases[static_cast<std::size_t>(phase_)];
    adam_.reset();
    const Index target = phase.first_stage % distinct_stages_;
    if (phase.copy_previous_stage && phase.first_stage > 0) {
        const Index origin = (phase.first_stage - 1) % distinct_stages_;
        for (const Parameter& to : network_.layout())
            for (const Parameter& from : network_.layout())
                if (stage_number(to.name) == target && stage_number(from.name) == origin &&
                    name_in_stage(to.name) == name_in_stage(from.name) && to.shape == from.shape)
                    std::copy_n(network_.parameters().begin() + from.offset, from.shape.elements(),
                                network_.parameters().begin() + to.offset);
    }
    best_psnr_ = -std::numeric_limits<double>::infinity();
    best_step_ = step_;
    std::copy(network_.parameters().begin(), network_.parameters().end(), best_parameters_.begin());
}

double Trainer::noise_level(std::uint64_t draw, Index part, Index parts) const noexcept {
    const NoiseLevels& noise = options_.noise;
    if (noise.low == noise.high) return noise.low;
    Philox random(options_.seed, static_cast<std::uint64_t>(TrainingStream::noise_level), draw);
    const double u = (static_cast<double>(part) + random.uniform()) / static_cast<double>(parts);
    if (!noise.logarithmic) return noise.low + u * (noise.high - noise.low);
    return noise.low * std::exp(u * std::log(noise.high / noise.low));
}

double Trainer::weight(double sigma) const noexcept {
    const NoiseLevels& noise = options_.noise;
    return noise.weight_power == 0 ? 1.0 : std::pow(sigma / noise.high, noise.weight_power);
}

double Trainer::adam_step(const TrainingPhase& phase, double rate) {
    const Index parts = options_.noise.per_step;
    const Index part_size = options_.batch.batch / parts;
    double loss = 0;
    std::fill(gradient_.begin(), gradient_.end(), 0.0);
    for (Index part = 0; part < parts; ++part) {
        const auto draw = static_cast<std::uint64_t>(step_ * parts + part);
        const double sigma = noise_level(draw, part, parts);
        network_.update(static_cast<float>(sigma));
        const double value =
            batch_.evaluate(source_, draw * static_cast<std::uint64_t>(part_size), part_size, options_.seed,
                            TrainingStream::noise, sigma, loss_, phase.step_weights, part_);
        const double share = weight(sigma) / static_cast<double>(parts);
        loss += share * value;
        for (std::size_t i = 0; i < part_.size(); ++i) gradient_[i] += share * part_[i];
    }
    if (options_.knot_smoothness > 0)
        loss += add_knot_smoothness(network_.parameters(), network_.layout(), options_.knot_smoothness,
                                    gradient_);
    double finite = loss;
    for (double value : gradient_) finite += 0 * value;  // NaN or infinite as soon as one is
    require(batch_.device_message()[0] == '\0', Status::device_error, "step ", step_ + 1, ": ",
            batch_.device_message());
    require(std::isfinite(finite), Status::internal_error, "the loss is not finite at step ", step_ + 1,
            " (phase \"", phase.name, "\", learning rate ", rate, "); a smaller learning rate may help");
    adam_.step(network_.parameters(), gradient_, trained_, rate);
    project(network_.parameters(), network_.layout());
    if (!running_peaks_.empty()) follow_peaks();
    return loss;
}

void Trainer::follow_peaks() {
    constexpr float smallest = 1e-3f;  // of a range: functions of nothing keep knots apart
    const RangeOptions& options = options_.ranges;
    const std::span<const float> peaks = batch_.peaks();
    for (std::size_t i = 0; i < running_peaks_.size(); ++i) {
        float& running = running_peaks_[i];
        running = step_ == 0 ? peaks[i]
                             : static_cast<float>(options.decay * running + (1 - options.decay) * peaks[i]);
    }
    const Index every = step_ < options.early_steps ? options.early_every : options.late_every;
    if ((step_ + 1) % every != 0) return;
    std::vector<float> ranges(running_peaks_);
    for (float& range : ranges) range = std::max(static_cast<float>(options.margin) * range, smallest);
    network_.resample(ranges);
}

double Trainer::fixed_set_gradient(const TrainingPhase& phase, std::span<double> gradient) noexcept {
    const Index patches = options_.fixed_patches;
    const Index size = options_.batch.batch / options_.noise.per_step;
    const Index parts = (patches + size - 1) / size;
    double loss = 0;
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (Index part = 0; part < parts; ++part) {
        const Index first = part * size, count = std::min(size, patches - first);
        const double sigma = noise_level(static_cast<std::uint64_t>(part), part, parts);
        network_.update(static_cast<float>(sigma));
        const double value =
            batch_.evaluate(source_, static_cast<std::uint64_t>(first), count, options_.seed,
                            TrainingStream::fixed_noise, sigma, loss_, phase.step_weights, part_);
        const double share = weight(sigma) * static_cast<double>(count) / static_cast<double>(patches);
        loss += share * value;
        for (std::size_t i = 0; i < part_.size(); ++i) gradient[i] += share * part_[i];
    }
    return loss;
}

double Trainer::lbfgs_step(const TrainingPhase& phase) {
    // The variables are the parameters that learn, in units of their typical changes.
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < trained_.size(); ++i)
        if (trained_[i]) places.push_back(i);
    const std::span<float> parameters = network_.parameters();
    std::vector<double> x(places.size());
    for (std::size_t k = 0; k < places.size(); ++k)
        x[k] = parameters[places[k]] / static_cast<double>(typical_[places[k]]);
    const auto place = [&](std::span<const double> variables) {
        for (std::size_t k = 0; k < places.size(); ++k)
            parameters[places[k]] = static_cast<float>(variables[k] * typical_[places[k]]);
    };
    const LbfgsResult result = minimise_lbfgs(
        [&](std::span<const double> variables, std::span<double> gradient) {
            place(variables);
            const double loss = fixed_set_gradient(phase, gradient_);
            for (std::size_t k = 0; k < places.size(); ++k)
                gradient[k] = gradient_[places[k]] * typical_[places[k]];
            return loss;
        },
        x, options_.lbfgs);
    place(x);
    return result.value;
}

StepReport Trainer::step() {
    assert(!finished());
    const TrainingPhase& phase = options_.phases[static_cast<std::size_t>(phase_)];
    if (step_in_phase_ == 0) begin_phase();
    std::fill(trained_.begin(), trained_.end(), static_cast<unsigned char>(0));
    for (Index stage = phase.first_stage; stage < phase.depth; ++stage)
        for (std::size_t i = 0; i < trained_.size(); ++i)
            if (stage_of_[i] == stage % distinct_stages_) trained_[i] = 1;
    for (const Parameter& parameter : network_.layout())
        if (parameter.constraint == Constraint::fixed)
            std::fill_n(trained_.begin() + parameter.offset, parameter.shape.elements(),
                        static_cast<unsigned char>(0));

    StepReport report;
    report.phase = phase_;
    if (phase.optimiser == Optimiser::adam) {
        report.learning_rate = phase.learning_rate.at(step_in_phase_, phase.steps);
        report.loss = adam_step(phase, report.learning_rate);
    } else {
        report.loss = lbfgs_step(phase);
    }
    report.step = ++step_;
    ++step_in_phase_;

    const bool last = step_in_phase_ == phase.steps;
    if (validation_ != nullptr && (last || step_in_phase_ % options_.validate_every == 0)) {
        const double psnr = validation_->psnr(network_, phase.depth);
        report.validation_psnr = psnr;
        if (psnr > best_psnr_) {
            best_psnr_ = psnr;
            best_step_ = step_;
            std::copy(network_.parameters().begin(), network_.parameters().end(), best_parameters_.begin());
        }
    }
    if (last) {
        if (validation_ != nullptr)
            std::copy(best_parameters_.begin(), best_parameters_.end(), network_.parameters().begin());
        ++phase_;
        step_in_phase_ = 0;
    }
    return report;
}

TrainingState Trainer::state() const {
    TrainingState state;
    state.step = step_;
    state.phase = phase_;
    state.step_in_phase = step_in_phase_;
    const UnrolledNetwork& network = network_;
    state.parameters.assign(network.parameters().begin(), network.parameters().end());
    state.adam = adam_.state();
    state.running_peaks = running_peaks_;
    state.best_parameters = best_parameters_;
    state.best_psnr = best_psnr_;
    state.best_step = best_step_;
    return state;
}

void Trainer::restore(const TrainingState& state) {
    const std::size_t count = network_.parameters().size();
    require(state.parameters.size() == count && state.best_parameters.size() == count, Status::size_mismatch,
            "a training state of ", state.parameters.size(), " parameters does not fit a network of ", count);
    const auto phases = static_cast<Index>(options_.phases.size());
    require(state.phase >= 0 && state.phase <= phases && state.step_in_phase >= 0 && state.step >= 0 &&
                (state.phase == phases
                     ? state.step_in_phase == 0
                     : state.step_in_phase < options_.phases[static_cast<std::size_t>(state.phase)].steps),
            Status::size_mismatch, "a training state at step ", state.step_in_phase, " of phase ",
            state.phase + 1, " does not fit the ", phases, " phases of this training");
    Index before = state.step_in_phase;
    for (Index phase = 0; phase < state.phase; ++phase)
        before += options_.phases[static_cast<std::size_t>(phase)].steps;
    require(before == state.step, Status::size_mismatch, "a training state at step ", state.step,
            " does not fit phases that put it at step ", before);
    require(state.running_peaks.size() == running_peaks_.size(), Status::size_mismatch,
            "a training state of ", state.running_peaks.size(), " ranges does not fit a network of ",
            running_peaks_.size());
    adam_.restore(state.adam);
    running_peaks_ = state.running_peaks;
    std::copy(state.parameters.begin(), state.parameters.end(), network_.parameters().begin());
    best_parameters_ = state.best_parameters;
    best_psnr_ = state.best_psnr;
    best_step_ = state.best_step;
    step_ = state.step;
    phase_ = state.phase;
    step_in_phase_ = state.step_in_phase;
}

}  // namespace sonolux

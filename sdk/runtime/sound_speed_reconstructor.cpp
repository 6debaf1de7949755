// sonolux/sdk/runtime/sound_speed_reconstructor.cpp
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include <sonolux/sdk/runtime/bind_workspace.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {

void to_sound_speed(View<const float> x, const Whitening& whitening, const TravelTimeProblem& problem,
                    View<float> speed) noexcept {
    const double slow = 0.5 * problem.slowest, fast = 2 * problem.fastest, norm = problem.operator_norm;
    for (Index i = 0; i < x.elements(); ++i) {
        const double slowness = whitening.deviation * x.data()[i] + whitening.level;
        speed.data()[i] = static_cast<float>(slowness * fast <= norm   ? fast
                                             : slowness * slow >= norm ? slow
                                                                       : norm / slowness);
    }
}

SoundSpeedReconstructor::SoundSpeedReconstructor(const Model& model, const SoundSpeedOptions& options)
    : problem_(travel_time_problem(model.problem, sentence("model \"", model.name, "\""))),
      hash_(geometry_hash(problem_)),
      forward_(make_operator(problem_)),
      trust_(trusted(problem_)),
      network_(network_from_model(model)),
      time_limit_(std::numeric_limits<double>::infinity()),
      least_measured_(options.least_measured),
      context_(make_runner(options.runner, options.threads)) {
    require(options.least_measured >= 0 && options.least_measured <= 1, Status::invalid_argument,
            "least_measured must be from 0 to 1, got ", options.least_measured);
    const auto architecture = std::get<MaskedVariationalOptions>(architecture_of(model));
    require(architecture.preconditioner == 0 || architecture.preconditioner == forward_->range().elements(),
            Status::corrupt_data, "model \"", model.name, "\": the preconditioner is of ",
            architecture.preconditioner, " readings, the geometry has ", forward_->range().elements());
    if (architecture.coarse.any())
        coarse_ = std::make_unique<CoarseInverse>(forward_, trust_, architecture.coarse);
    if (!model.trust.is_null())
        calibration_ = trust_calibration_from_json(
            JsonField(model.trust, sentence("model \"", model.name, "\": trust")));
    readings_ = static_cast<Index>(std::count(trust_.begin(), trust_.end(), 1.0f));
    require(readings_ > 0, Status::corrupt_data, "model \"", model.name,
            "\": the geometry's margins leave no delay");
    network_->update(1);
    {
        Context serial(make_serial_runner());
        const OperatorPointer uniform = make_delay_operator(problem_);
        serial.workspace().reserve(uniform->workspace_bytes(serial));
        whitening_ = std::make_unique<UniformWhitening>(*uniform, serial);
    }
    const Index pixels = forward_->domain().elements(), all = forward_->range().elements();
    const Observation observation{.data = {}, .forward = forward_.get(), .coarse = coarse_.get()};
    const Index rows = forward_->domain()[0], columns = forward_->domain()[1];
    workspace_bytes_ = 2 * Workspace::bytes<float>(all) + 2 * Workspace::bytes<float>(pixels) +
                       std::max({network_->run_workspace_bytes(rows, columns, context_, observation),
                                 coarse_ != nullptr ? coarse_->workspace_bytes(context_)
                                                    : forward_->workspace_bytes(context_),
                                 Workspace::bytes<float>(pixels) + judging_bytes()});
    if (!options.progress) return;
    context_.set_progress([this, progress = options.progress](const Progress& stage) {
        stopped_ = !progress(stage);
        return !stopped_;
    });
}

void SoundSpeedReconstructor::bind() {
    bound_ = false;
    bind_own_workspace(context_, workspace_bytes_);
    bound_ = true;
}

void SoundSpeedReconstructor::bind(std::span<std::byte> memory) {
    bind_workspace(context_, workspace_bytes_, memory);
    bound_ = true;
}

void SoundSpeedReconstructor::set_time_limit(double seconds) {
    require(seconds > 0, Status::invalid_argument, "time limit must be above 0 seconds, got ", seconds);
    time_limit_ = seconds;
}

Status SoundSpeedReconstructor::refuse(Refusal reason) noexcept {
    refusal_ = reason;
    return reason == Refusal::sizes ? Status::size_mismatch : Status::invalid_argument;
}

Status SoundSpeedReconstructor::run(View<const float> delays, View<const float> mask, View<float> speed,
                                    View<float> support, MapTrust* trust) noexcept {
    report_ = {};
    refusal_ = Refusal::none;
    if (trust != nullptr) {
        trust->unexplained = std::numeric_limits<double>::quiet_NaN();
        trust->score = calibrated() ? 0 : std::numeric_limits<double>::quiet_NaN();
        trust->frame = {};
    }
    if (!bound_) return refuse(Refusal::not_bound);
    const Shape range = forward_->range(), domain = forward_->domain();
    const auto fits = [](View<const float> view, const Shape& shape) {
        return view.empty() || view.shape() == shape;
    };
    if (delays.shape() != range || !fits(mask, range) || speed.shape() != domain || !fits(support, domain) ||
        (trust != nullptr && (!fits(trust->deviation, domain) || !fits(trust->residual, range) ||
                              !fits(trust->features, {trust_pixel_features, domain[0], domain[1]}))))
        return refuse(Refusal::sizes);
    limit_time(context_, time_limit_);
    stopped_ = false;

    Scratch scratch(context_.workspace());
    const View<float> counts = scratch.take<float>(range), whitened = scratch.take<float>(range);
    const View<float> start = scratch.take<float>(domain), image = scratch.take<float>(domain);
    for (Index i = 0; i < delays.elements(); ++i) {
        const float d = delays.data()[i], m = mask.empty() ? 1.0f : mask.data()[i];
        if (m != 0 && m != 1) return refuse(Refusal::mask);
        const bool counted = m != 0 && trust_.data()[i] != 0 && !std::isnan(d);
        if (counted && std::isinf(d)) return refuse(Refusal::infinite);
        counts.data()[i] = counted ? 1.0f : 0.0f;
    }
    Whitening found = whitening_->whiten(delays, counts, whitened);
    report_.measured = static_cast<double>(found.measured) / static_cast<double>(readings_);
    report_.deviation = found.deviation;
    if (!found.found() || report_.measured < least_measured_) return refuse(Refusal::too_little);
    report_.uniform_speed = problem_.operator_norm / found.level;
    if (!(report_.uniform_speed >= problem_.slowest && report_.uniform_speed <= problem_.fastest))
        return refuse(Refusal::implausible);

    if (coarse_ != nullptr)
        coarse_->start(whitened, counts, start, found, context_);
    else
        forward_->adjoint(whitened, start, context_);
    const Observation observation{.data = whitened,
                                  .forward = forward_.get(),
                                  .coarse = coarse_.get(),
                                  .mask = counts,
                                  .measured = static_cast<float>(report_.measured)};
    const Status status = network_->run_from(start, observation, image, context_);
    to_sound_speed(image, found, problem_, speed);
    if (!support.empty()) {
        const Index pixels = domain.elements(), measurements = range[0];
        for (Index p = 0; p < pixels; ++p) {
            float sum = 0;
            for (Index m = 0; m < measurements; ++m) sum += counts.data()[m * pixels + p];
            support.data()[p] = sum / static_cast<float>(measurements);
        }
    }
    if (trust != nullptr) {
        Scratch more(context_.workspace());
        const View<float> started = more.take<float>(domain);
        if (coarse_ != nullptr)
            to_sound_speed(start, found, problem_, started);
        else
            std::fill_n(started.data(), started.elements(), static_cast<float>(report_.uniform_speed));
        judge({whitened, counts, image, start, found}, speed, started, *trust);
    }
    if (status == Status::cancelled || stopped_) context_.clear_cancel();
    return status;
}

void SoundSpeedReconstructor::explain(char* text, std::size_t room) const noexcept {
    switch (refusal_) {
        case Refusal::none: std::snprintf(text, room, "%s", to_string(Status::ok)); break;
        case Refusal::not_bound:
            std::snprintf(text, room, "there is no workspace yet: bind comes before run");
            break;
        case Refusal::sizes:
            std::snprintf(
                text, room,
                "delays and mask must be %td x %td x %td, and maps %td x %td, as the model's geometry",
                measurements(), rows(), columns(), rows(), columns());
            break;
        case Refusal::infinite:
            std::snprintf(text, room,
                          "delays must be finite, or NaN where nothing was measured, got infinity");
            break;
        case Refusal::mask: std::snprintf(text, room, "the mask must be 0 or 1 everywhere"); break;
        case Refusal::too_little:
            std::snprintf(text, room, "at least %.3g %% of the delays must be measured, got %.3g %%",
                          100 * least_measured_, 100 * report_.measured);
            break;
        case Refusal::implausible:
            std::snprintf(
                text, room,
                "delays must fit a uniform speed from %g to %g m/s, these fit %.4g m/s; are they in "
                "seconds, and of the model's geometry?",
                problem_.slowest, problem_.fastest, report_.uniform_speed);
            break;
    }
}

}  // namespace sonolux

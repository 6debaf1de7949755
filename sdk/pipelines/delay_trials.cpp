// sonolux/sdk/pipelines/delay_trials.cpp
#include <sonolux/sdk/pipelines/delay_trials.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sonolux {

namespace {

constexpr float nowhere = std::numeric_limits<float>::quiet_NaN();
constexpr std::uint64_t noise_stream = 150;

Array<float> applied_to_ones(const LinearOperator& op, Context& context) {
    Array<float> ones(op.domain()), result(op.range());
    std::fill(ones.begin(), ones.end(), 1.0f);
    context.workspace().reserve(op.workspace_bytes(context));
    op.apply(ones, result, context);
    return result;
}

std::vector<RaySource> different_sources(const TravelTimeProblem& problem) {
    std::vector<RaySource> sources;
    for (const PathSum& sum : problem.geometry.measurements)
        for (const WeightedRays& rays : sum)
            if (std::ranges::find(sources, rays.source) == sources.end()) sources.push_back(rays.source);
    return sources;
}

}  // namespace

DelayTrialMaker::DelayTrialMaker(const SoundSpeedSetup& setup, Context& context)
    : setup_(setup), of_uniform_(applied_to_ones(*make_delays_in_seconds(setup.problem), context)) {}

DelayTrial DelayTrialMaker::finished(DelayTrial trial) const {
    Array<float> whitened(trial.delays.shape());
    const Whitening found = setup_.whitening->whiten(trial.delays, trial.mask, whitened);
    const double slowness = found.level / setup_.problem.operator_norm;
    trial.uniform_speed = found.found() ? 1 / slowness : std::numeric_limits<double>::quiet_NaN();
    trial.to_invert = Array<float>(trial.delays.shape());
    for (Index n = 0; n < whitened.elements(); ++n)
        trial.to_invert.data()[n] = static_cast<float>(found.deviation * double{whitened.data()[n]} +
                                                       slowness * double{of_uniform_.data()[n]});
    return trial;
}

DelayTrial DelayTrialMaker::of(View<const float> delays) const { return spoilt(delays, 0, 0, 0, 0); }

DelayTrial DelayTrialMaker::spoilt(View<const float> delays, double missing, double noise, std::uint64_t seed,
                                   std::uint64_t number) const {
    constexpr Index patch_nodes = 16;
    DelayTrial trial{Array<float>(delays.shape()), {}, Array<float>(delays.shape()), 0};
    for (Index n = 0; n < delays.elements(); ++n)
        trial.mask.data()[n] = setup_.trust.data()[n] != 0 && std::isfinite(delays.data()[n]) ? 1.0f : 0.0f;
    if (missing > 0) leave_out_patches(trial.mask, missing, patch_nodes, Philox(seed, noise_stream, number));
    Array<float> normal(noise > 0 ? delays.shape() : Shape{1});
    if (noise > 0) fill_normal(normal, Philox(seed, noise_stream + 1, number));
    for (Index n = 0; n < delays.elements(); ++n) {
        const float more = noise > 0 ? static_cast<float>(noise) * normal.data()[n] : 0.0f;
        trial.delays.data()[n] = trial.mask.data()[n] != 0 ? delays.data()[n] + more : nowhere;
    }
    return finished(std::move(trial));
}

DelayTrial DelayTrialMaker::of(const DelayCase& one) const {
    const Observation observation = one.observation();
    const Shape& shape = setup_.forward->range();
    DelayTrial trial{Array<float>(shape), {}, Array<float>(shape), 0};
    for (Index n = 0; n < trial.delays.elements(); ++n) {
        trial.mask.data()[n] = observation.mask.data()[n];
        trial.delays.data()[n] =
            static_cast<float>(one.whitening().deviation * double{observation.data.data()[n]} +
                               one.whitening().level * double{setup_.whitening->response().data()[n]});
    }
    return finished(std::move(trial));
}

DelayModel::DelayModel(const TravelTimeProblem& problem, Context& context)
    : lengths_(make_path_integral(problem.geometry)),
      echoes_(make_delays_in_seconds(problem)),
      of_uniform_(applied_to_ones(*lengths_, context)),
      seen_(coverage(problem.geometry)) {
    context.workspace().reserve(echoes_->workspace_bytes(context));
}

void DelayModel::delays_of(View<const float> speed, View<float> delays, Context& context) const {
    Array<float> deviation(speed.shape());
    double mean = 0;
    for (Index n = 0; n < speed.elements(); ++n) mean += 1 / double{speed.data()[n]};
    mean /= static_cast<double>(speed.elements());
    for (Index n = 0; n < speed.elements(); ++n)
        deviation.data()[n] = static_cast<float>(1 / double{speed.data()[n]} - mean);
    context.workspace().reserve(echoes_->workspace_bytes(context));
    echoes_->apply(deviation, delays, context);
    for (Index n = 0; n < delays.elements(); ++n)
        delays.data()[n] =
            seen_.data()[n] != 0
                ? static_cast<float>(mean * double{of_uniform_.data()[n]} + double{delays.data()[n]})
                : nowhere;
}

TravelTimeProblem with_pitch(TravelTimeProblem problem, double ratio) {
    require(ratio > 0, Status::invalid_argument, "the ratio of pitches must be above 0, got ", ratio);
    const auto change = [&](RaySource& source) {
        source.origin.x *= ratio;
        if (source.kind == RaySource::Kind::plane) {
            const RaySource steered =
                plane_rays(std::asin(std::clamp(std::sin(source.angle) / ratio, -0.98, 0.98)));
            source = steered;
        }
    };
    for (PathSum& sum : problem.geometry.measurements)
        for (WeightedRays& rays : sum) change(rays.source);
    for (RaySource& element : problem.receive) change(element);
    return problem;
}

TravelTimeProblem with_swapped_sources(TravelTimeProblem problem, Index a, Index b) {
    const std::vector<RaySource> sources = different_sources(problem);
    require(a >= 0 && b >= 0 && a < std::ssize(sources) && b < std::ssize(sources), Status::invalid_argument,
            "sources to swap must be 0 to ", sources.size() - 1, ", got ", a, " and ", b);
    const RaySource first = sources[static_cast<std::size_t>(a)],
                    second = sources[static_cast<std::size_t>(b)];
    for (PathSum& sum : problem.geometry.measurements)
        for (WeightedRays& rays : sum)
            if (rays.source == first)
                rays.source = second;
            else if (rays.source == second)
                rays.source = first;
    return problem;
}

Index sources_of(const TravelTimeProblem& problem) { return std::ssize(different_sources(problem)); }

}  // namespace sonolux

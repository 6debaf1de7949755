// sonolux/sdk/pipelines/evaluate_trust.cpp
#include <sonolux/sdk/pipelines/evaluate_trust.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/sdk/pipelines/delay_trials.hpp>
#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

namespace sonolux {

namespace {

constexpr float nowhere = std::numeric_limits<float>::quiet_NaN();
constexpr std::uint64_t disturbance_stream = 160, calibration_stream = 164;

/// A model and a set.
struct Bench {
    Context context;
    SoundSpeedReconstructor network;
    SoundSpeedSetup setup;
    DelaySamples samples;
    DelayTrialMaker maker;
    Array<float> speed, deviation, features;

    Bench(const Model& model, const EvaluateTrustOptions& options)
        : context(make_openmp_runner(options.threads)),
          network(model, {.threads = options.threads}),
          setup(network.problem(), {}, context),
          samples({.path = options.set, .augmentation = {}}, setup.problem, options.samples),
          maker(setup, context),
          speed(setup.forward->domain()),
          deviation(setup.forward->domain()),
          features({trust_pixel_features, network.rows(), network.columns()}) {
        network.bind();
    }
};

double root_mean_square(View<const float> values) {
    double squares = 0;
    for (Index n = 0; n < values.elements(); ++n)
        squares += double{values.data()[n]} * double{values.data()[n]};
    return std::sqrt(squares / static_cast<double>(values.elements()));
}

Array<float> error_of(View<const float> speed, View<const float> truth) {
    Array<float> error(speed.shape());
    for (Index n = 0; n < error.elements(); ++n) error.data()[n] = speed.data()[n] - truth.data()[n];
    return error;
}

Array<float> copy_of(View<const float> values) {
    Array<float> copy(values.shape());
    std::copy_n(values.data(), values.elements(), copy.data());
    return copy;
}

/// Noise of unit deviation that is smooth over 9 x 3 pixels, as blocks of tracking overlap.
void fill_smooth_noise(View<float> values, Philox random) {
    constexpr Index down = 4, across = 1;
    Array<float> white(values.shape());
    fill_normal(white, random);
    const Index rows = values.shape()[1], columns = values.shape()[2];
    for (Index m = 0; m < values.shape()[0]; ++m)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) {
                double sum = 0, count = 0;
                for (Index k = std::max<Index>(0, i - down); k <= std::min(rows - 1, i + down); ++k)
                    for (Index l = std::max<Index>(0, j - across); l <= std::min(columns - 1, j + across);
                         ++l) {
                        sum += double{white(m, k, l)};
                        ++count;
                    }
                values(m, i, j) = static_cast<float>(sum / std::sqrt(count));
            }
}

/// Delays of sample i that are not of this probe and of tissue; which kind by number.
class Disturbances {
public:
    explicit Disturbances(Bench& bench, std::uint64_t seed)
        : bench_(bench), seed_(seed), model_(bench.setup.problem, bench.context) {
        for (const double ratio : {0.7, 0.8, 0.9, 1.2})
            pitches_.push_back(
                std::make_unique<DelayModel>(with_pitch(bench.setup.problem, ratio), bench.context));
        uniform_ = Array<float>(bench.setup.forward->range());
        Array<float> speed(bench.setup.forward->domain());
        std::fill(speed.begin(), speed.end(), 1500.0f);
        model_.delays_of(speed, uniform_, bench.context);
    }

    static constexpr std::array names{"another pitch", "swapped", "noise", "no contact", "water"};

    [[nodiscard]] Array<float> make(std::size_t kind, Index i) const {
        Philox random(seed_, disturbance_stream + kind, static_cast<std::uint64_t>(i));
        const View<const float> truth = bench_.samples.speed(i);
        switch (kind) {
            case 0: return changed(i, *pitches_[static_cast<std::size_t>(random.below(4))], truth);
            case 1: {
                const Index sources = sources_of(bench_.setup.problem);
                const Index a = random.below(sources), b = (a + 1 + random.below(sources - 1)) % sources;
                return changed(
                    i, DelayModel(with_swapped_sources(bench_.setup.problem, a, b), bench_.context), truth);
            }
            case 2: return noise(i, random, {});
            case 3: {
                const bool left = random.below(2) == 0;
                std::vector<bool> heard;
                for (const PathSum& sum : bench_.setup.problem.geometry.measurements)
                    heard.push_back(std::ranges::none_of(sum, [&](const WeightedRays& rays) {
                        const bool plane = rays.source.kind == RaySource::Kind::plane;
                        const double place = plane ? rays.source.angle : rays.source.origin.x;
                        return left ? place < 0 : place > 0;
                    }));
                return noise(i, random, heard);
            }
            default: {
                constexpr double path = 20e-3, water = 1482;
                const ImageGrid& map = bench_.setup.problem.geometry.map;
                Array<float> speed = copy_of(truth);
                const Index beyond = std::clamp<Index>(std::lround(path / map.row_spacing), 0, map.rows - 1);
                for (Index r = 0; r < map.rows; ++r)
                    for (Index c = 0; c < map.columns; ++c)
                        speed(r, c) = r < beyond ? static_cast<float>(water) : truth(r - beyond, c);
                Array<float> made = changed(i, model_, speed);
                for (Index m = 0; m < made.shape()[0]; ++m)
                    for (Index r = 0; r < beyond; ++r)
                        for (Index c = 0; c < map.columns; ++c) made(m, r, c) = nowhere;
                return made;
            }
        }
    }

private:
    [[nodiscard]] Array<float> changed(Index i, const DelayModel& model, View<const float> speed) const {
        const View<const float> delays = bench_.samples.delays(i);
        Array<float> mine(delays.shape()), made(delays.shape());
        model_.delays_of(bench_.samples.speed(i), mine, bench_.context);
        model.delays_of(speed, made, bench_.context);
        for (Index n = 0; n < made.elements(); ++n) made.data()[n] += delays.data()[n] - mine.data()[n];
        return made;
    }

    /// `heard` says which measurements stay; empty: none.
    [[nodiscard]] Array<float> noise(Index i, Philox& random, const std::vector<bool>& heard) const {
        const View<const float> delays = bench_.samples.delays(i);
        const double deviation = random.uniform(30e-9, 150e-9);
        Array<float> made(delays.shape());
        fill_smooth_noise(made, Philox(seed_, disturbance_stream + 3, static_cast<std::uint64_t>(1000 + i)));
        const Index pixels = delays.shape()[1] * delays.shape()[2];
        for (Index n = 0; n < made.elements(); ++n) {
            const bool stays = !heard.empty() && heard[static_cast<std::size_t>(n / pixels)];
            made.data()[n] = stays ? delays.data()[n]
                                   : uniform_.data()[n] + static_cast<float>(deviation) * made.data()[n] +
                                         0 * delays.data()[n];  // NaN where nothing was measured
        }
        return made;
    }

    Bench& bench_;
    std::uint64_t seed_;
    DelayModel model_;
    std::vector<std::unique_ptr<DelayModel>> pitches_;
    Array<float> uniform_;
};

void tell(const EvaluateTrustOptions& options, const char* activity, Index done, Index total) {
    require(!options.progress ||
                options.progress({.activity = activity, .done = done, .total = total, .seconds_left = -1}),
            Status::cancelled, "cancelled");
}

}  // namespace

TrustFit calibrate_trust(const Model& model, const EvaluateTrustOptions& options) {
    Bench bench(model, options);
    std::vector<TrustFrame> frames;
    const Index count = bench.samples.count();
    for (Index draw = 0; draw < 2; ++draw)
        for (Index i = 0; i < count; ++i) {
            Philox random(options.seed, calibration_stream, static_cast<std::uint64_t>(i));
            const double missing = draw == 0 ? 0 : random.uniform(0.1, 0.7);
            const double noise = draw == 0 ? 0 : random.uniform(0, 10e-9);
            const DelayTrial trial = bench.maker.spoilt(bench.samples.delays(i), missing, noise, options.seed,
                                                        static_cast<std::uint64_t>(i));
            MapTrust trust{.features = bench.features};
            const Status status = bench.network.run(trial.delays, {}, bench.speed, {}, &trust);
            char why[300];
            bench.network.explain(why, sizeof why);
            require(status == Status::ok, status, options.set, ": sample ", i, ": ", why);
            frames.push_back({copy_of(bench.features), error_of(bench.speed, bench.samples.speed(i)),
                              trust.frame, draw == 0, i});
            tell(options, "calibrating", std::ssize(frames), 2 * count);
        }
    TrustFit fit = fit_trust(frames);
    fit.calibration.protocol =
        sentence(bench.samples.description(),
                 ", as they are and with up to 70 % of the delays taken away and 10 ns of "
                 "noise, seed ",
                 options.seed, "; 90 % intervals hold ", fit.held_out.at_90,
                 " of the errors of frames that were left out");
    return fit;
}

TrustEvaluation evaluate_trust(const Model& model, const EvaluateTrustOptions& options) {
    Bench bench(model, options);
    require(bench.network.calibrated(), Status::unsupported, "model \"", model.name,
            "\" does not say how far its maps are to be trusted: calibrate it");
    const Disturbances disturbances(bench, options.seed);
    const Index count = bench.samples.count();
    const auto kinds = static_cast<Index>(disturbances.names.size());
    TrustEvaluation evaluation;
    Index done = 0;
    std::vector<Array<float>> deviations, errors;
    std::vector<double> rms_deviations, rms_errors;
    evaluation.frames.push_back({.kind = "as they are", .scores = {}, .features = {}});
    for (Index i = 0; i < count; ++i) {
        MapTrust trust{.deviation = bench.deviation};
        const DelayTrial trial = bench.maker.of(bench.samples.delays(i));
        const Status status = bench.network.run(trial.delays, {}, bench.speed, {}, &trust);
        char why[300];
        bench.network.explain(why, sizeof why);
        require(status == Status::ok, status, options.set, ": sample ", i, ": ", why);
        deviations.push_back(copy_of(bench.deviation));
        errors.push_back(error_of(bench.speed, bench.samples.speed(i)));
        rms_deviations.push_back(root_mean_square(deviations.back()));
        rms_errors.push_back(root_mean_square(errors.back()));
        evaluation.frames[0].scores.push_back(trust.score);
        evaluation.frames[0].features.push_back(trust.frame);
        tell(options, "trying", ++done, (1 + kinds) * count);
    }
    evaluation.reliability = reliability_of(deviations, errors);
    evaluation.median_deviation = median(rms_deviations);
    evaluation.median_error = median(rms_errors);
    for (std::size_t kind = 0; kind < disturbances.names.size(); ++kind) {
        FrameScores& scores = evaluation.frames.emplace_back();
        scores.kind = disturbances.names[kind];
        for (Index i = 0; i < count; ++i) {
            MapTrust trust;
            const DelayTrial trial = bench.maker.of(disturbances.make(kind, i));
            const Status status = bench.network.run(trial.delays, {}, bench.speed, {}, &trust);
            scores.refused += status != Status::ok;
            scores.scores.push_back(trust.score);
            scores.features.push_back(trust.frame);
            tell(options, "disturbing", ++done, (1 + kinds) * count);
        }
    }
    for (FrameScores& scores : evaluation.frames) {
        scores.flagged =
            static_cast<double>(std::ranges::count_if(scores.scores, [](double s) { return s < 0.5; })) /
            static_cast<double>(scores.scores.size());
        scores.roc_area = roc_area(evaluation.frames[0].scores, scores.scores);
    }
    return evaluation;
}

}  // namespace sonolux

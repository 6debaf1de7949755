#include <sonolux/sdk/pipelines/sound_speed.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include <sonolux/core/operators/echo_path_integral.hpp>
#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/sdk/pipelines/map_delays.hpp>
#include <sonolux/sdk/pipelines/measured_traces.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr float nowhere = std::numeric_limits<float>::quiet_NaN();

SoundSpeedPipelineOptions completed(SoundSpeedPipelineOptions options, const Acquisition& acquisition) {
    validate(acquisition, "sound speed");
    require((options.method == InversionMethod::network) == (options.model != nullptr), invalid,
            "sound speed: a network needs a model, and nothing else does");
    if (options.model != nullptr) {
        const TravelTimeProblem problem = travel_time_problem(options.model->problem, options.model->name);
        options.map = problem.geometry.map;
        options.delays.pairs.pairs = pairs_of(problem, acquisition);
        options.delays.pairs.margins = problem.margins;
        const RaySource& source = problem.geometry.measurements[0][0].source;
        if (source.kind == RaySource::Kind::point) options.delays.pairs.transmit_f_number = source.f_number;
    }
    if (options.delays.pairs.pairs.empty()) options.delays.pairs.pairs = default_pairs(acquisition);
    if (options.delays.pairs.sound_speed == 0)
        options.delays.pairs.sound_speed = acquisition.sound_speed > 0 ? acquisition.sound_speed : 1540;
    if (options.map.rows == 0) options.map = default_map(acquisition, options.delays.pairs.sound_speed);
    require(options.half_band >= 0 && options.half_band < 1, invalid,
            "sound speed: half_band must be at least 0 and below 1, got ", options.half_band);
    require(options.least_valid_share > 0 && options.least_valid_share <= 1, invalid,
            "sound speed: least_valid_share must be above 0 and at most 1, got ", options.least_valid_share);
    return options;
}

/// Evenly spaced elements that take part in receiving.
std::vector<RaySource> receiving(const Acquisition& acquisition, const PairDelaysOptions& pairs,
                                 Index count) {
    const Index all = acquisition.array.size(), every = std::max<Index>(1, all / std::max<Index>(count, 1));
    std::vector<RaySource> elements;
    for (Index e = every / 2; e < all; e += every)
        elements.push_back(rays_of(single_element(acquisition.array, e),
                                   std::max(0.1, pairs.beamforming.f_number.value_or(0.1))));
    return elements;
}

double seconds_since(Context::Clock::time_point begin) noexcept {
    return std::chrono::duration<double>(Context::Clock::now() - begin).count();
}

}  // namespace

SoundSpeedPipeline::SoundSpeedPipeline(const Acquisition& acquisition, View<const float> first,
                                       SoundSpeedPipelineOptions options, Context& context)
    : options_(completed(std::move(options), acquisition)),
      acquisition_(acquisition),
      alone_(std::make_unique<Context>(make_serial_runner())) {
    // Before anything is filtered: what the filter reads must be there.
    require(!acquisition.demodulated(), Status::unsupported,
            "sound speed: samples must be RF, these are demodulated with ",
            acquisition.demodulation_frequency, " Hz");
    validate(options_.delays.pairs.beamforming, acquisition);
    const Shape recorded{acquisition.sent(), acquisition.array.size(), acquisition.samples};
    require(first.shape() == recorded, Status::size_mismatch,
            "sound speed: a frame must be transmissions x elements x samples of RF, ", to_string(recorded),
            ", got ", to_string(first.shape()));
    filtered_ = Array<float>(recorded);
    if (options_.half_band > 0) {
        const double f = acquisition.centre_frequency, most = 0.475 * acquisition.sampling_frequency;
        band_pass_ = std::make_unique<BandPass>(
            acquisition.samples, acquisition.sampling_frequency, (1 - options_.half_band) * f,
            std::min((1 + options_.half_band) * f, most), 9, context.threads());
    }
    filter(first, context);
    MeasuredDelays measured = measure_delays(acquisition, filtered_, options_.map, options_.delays, context);
    rounds_ = measured.rounds;
    settled_ = measured.settled;
    measurement_ = std::move(measured.plan);
    options_.delays.pairs = measurement_->options();

    const PairDelaysOptions& pairs = options_.delays.pairs;
    Array<float> possible(measurement_->mask().shape());
    std::copy_n(measurement_->mask().data(), possible.elements(), possible.data());
    if (options_.model != nullptr) {
        network_ = std::make_unique<SoundSpeedReconstructor>(*options_.model,
                                                             SoundSpeedOptions{.threads = context.threads()});
        network_->bind();
        path_ = make_delays_in_seconds(network_->problem());
        options_.model = nullptr;  // it may go now
    } else if (options_.receiving_elements > 0) {
        auto echoes = std::make_shared<EchoPathIntegral>(
            measurement_->geometry(), receiving(acquisition, pairs, options_.receiving_elements));
        for (Index n = 0; n < possible.elements(); ++n) possible.data()[n] *= echoes->coverage().data()[n];
        path_ = std::move(echoes);
    } else {
        path_ = make_path_integral(measurement_->geometry());
    }
    to_invert_ = Array<float>(path_->range());
    uniform_shift_ = Array<float>(path_->range());
    shift_ = Array<float>(path_->range());
    Array<float> uniform(options_.map.shape());
    std::fill(uniform.begin(), uniform.end(), 1.0f);
    reserve(context);
    set_shift(uniform, context);
    std::copy(shift_.begin(), shift_.end(), uniform_shift_.begin());
    for (float& shift : shift_) shift *= static_cast<float>(1 / pairs.sound_speed);
    const Array<float> density = ray_density(measurement_->geometry(), measurement_->mask());
    seen_ = Array<float>(options_.map.shape());
    for (Index n = 0; n < seen_.elements(); ++n)
        seen_.data()[n] = density.data()[n] + density.data()[seen_.elements() + n];
    if (network_ != nullptr) return;
    InversionProblem problem{.forward = path_, .possible = std::move(possible)};
    problem.least_fraction = options_.least_valid_share;
    if (options_.method == InversionMethod::tikhonov) {
        inverter_ = make_tikhonov(std::move(problem), options_.tikhonov);
    } else {
        if (options_.lbfgs.weights.elements() == 0) options_.lbfgs.weights = density_weights(density);
        inverter_ = make_travel_time_lbfgs(std::move(problem), std::move(options_.lbfgs));
    }
    reserve(context);
}

void SoundSpeedPipeline::reserve(Context& context) const {
    context.workspace().reserve(
        std::max(measurement_->workspace_bytes(context), path_->workspace_bytes(context)));
    if (inverter_ != nullptr) alone_->workspace().reserve(inverter_->workspace_bytes(*alone_));
}

void SoundSpeedPipeline::set_shift(View<const float> slowness, Context& context) {
    const OperatorPointer rays = make_path_integral(measurement_->geometry());
    Array<float> along_rays(shift_.shape());
    context.workspace().reserve(std::max(rays->workspace_bytes(context), path_->workspace_bytes(context)));
    rays->apply(slowness, along_rays, context);
    path_->apply(slowness, shift_, context);
    for (Index n = 0; n < shift_.elements(); ++n) shift_.data()[n] -= along_rays.data()[n];
}

SoundSpeedFrame SoundSpeedPipeline::make_frame() const {
    SoundSpeedFrame frame;
    if (inverter_ != nullptr) frame.record = InversionRecord(inverter_->most_iterations());
    frame.delays = measurement_->make_frame();
    frame.sound_speed = Array<float>(options_.map.shape());
    frame.slowness = Array<float>(options_.map.shape());
    frame.residual = Array<float>(measurement_->mask().shape());
    frame.deviation = Array<float>(options_.map.shape());
    return frame;
}

void SoundSpeedPipeline::filter(View<const float> rf, Context& context) noexcept {
    const std::vector<MeasuredRange>& measured = options_.delays.pairs.beamforming.measured;
    if (measured.empty() || band_pass_ == nullptr)
        std::copy_n(rf.data(), rf.elements(), filtered_.data());
    else
        fill_unmeasured(measured, rf, filtered_);
    if (band_pass_ != nullptr) band_pass_->apply(filtered_, filtered_, context);
}

Status SoundSpeedPipeline::run(View<const float> rf, SoundSpeedFrame& frame, Context& context) noexcept {
    std::fill(frame.sound_speed.begin(), frame.sound_speed.end(), nowhere);
    std::fill(frame.residual.begin(), frame.residual.end(), nowhere);
    std::fill(frame.deviation.begin(), frame.deviation.end(), nowhere);
    frame.score = nowhere;
    if (rf.shape() != filtered_.shape()) return Status::size_mismatch;
    const auto begin = Context::Clock::now();
    filter(rf, context);
    frame.filter_seconds = seconds_since(begin);
    const auto filtered = Context::Clock::now();
    if (const Status status = measurement_->run(filtered_, frame.delays, context); status != Status::ok)
        return status;
    frame.delay_seconds = seconds_since(filtered);
    if (frame.delays.valid_share < options_.least_valid_share) return Status::corrupt_data;

    const auto measured = Context::Clock::now();
    if (const Status stop = context.poll(); stop != Status::ok) return stop;
    // The echoes' places count on the deviation from what the images were formed with, and the operator on
    // slowness itself: what lies between is known.
    const double deviation = 1 / frame.delays.uniform_speed - 1 / measurement_->options().sound_speed;
    for (Index n = 0; n < to_invert_.elements(); ++n)
        to_invert_.data()[n] = frame.delays.delays.data()[n] +
                               (shift_.data()[n] + static_cast<float>(deviation) * uniform_shift_.data()[n]);
    const Status status = network_ != nullptr ? run_network(frame) : invert(frame, context);
    const bool late = status == Status::cancelled || status == Status::deadline_exceeded;
    if (status != Status::ok && !late) return status == Status::out_of_memory ? status : Status::corrupt_data;

    path_->apply(frame.slowness, frame.residual, context);
    double squares = 0;
    Index count = 0;
    for (Index n = 0; n < frame.residual.elements(); ++n) {
        const float left = frame.residual.data()[n] = to_invert_.data()[n] - frame.residual.data()[n];
        if (!std::isfinite(left)) continue;
        squares += double{left} * double{left};
        ++count;
    }
    if (network_ != nullptr) frame.record.misfit_after = std::sqrt(squares / static_cast<double>(count));
    for (Index n = 0; n < frame.slowness.elements(); ++n)
        if (seen_.data()[n] > 0)
            frame.sound_speed.data()[n] = 1 / frame.slowness.data()[n];
        else
            frame.deviation.data()[n] = nowhere;
    frame.inversion_seconds = seconds_since(measured);
    return status;
}

Status SoundSpeedPipeline::invert(SoundSpeedFrame& frame, Context& context) noexcept {
    // The caller's context hears of every iteration, and says when to stop. A pointer in a std::function
    // takes no memory.
    alone_->clear_cancel();
    alone_->set_progress([caller = &context](const Progress& progress) {
        caller->report(progress);
        return caller->poll() == Status::ok;
    });
    const Status status = inverter_->run(to_invert_, {}, frame.slowness, *alone_, &frame.record);
    alone_->set_progress(nullptr);
    return status == Status::cancelled ? context.poll() : status;
}

Status SoundSpeedPipeline::run_network(SoundSpeedFrame& frame) noexcept {
    MapTrust trust{.deviation = frame.deviation};
    const Status status =
        network_->run(frame.delays.delays, {}, frame.slowness, {}, network_->calibrated() ? &trust : nullptr);
    if (network_->calibrated()) frame.score = trust.score;
    const FrameReport& report = network_->report();
    frame.record.fraction = report.measured;
    frame.record.uniform_slowness = report.uniform_speed > 0 ? 1 / report.uniform_speed : 0;
    frame.record.misfit_before = report.deviation;
    if (status == Status::ok || status == Status::cancelled || status == Status::deadline_exceeded)
        for (float& value : frame.slowness) value = 1 / value;
    return status;
}

FocusingDelays SoundSpeedPipeline::focusing(const SoundSpeedFrame& frame, Context& context) const {
    const ImageGrid& map = options_.map;
    const PairDelaysOptions& pairs = measurement_->options();
    // The map, continued to where images and array reach.
    const ImageGrid image = PairDelays::image_grid_for(acquisition_, map, pairs);
    const auto beyond = [](double places) {
        return static_cast<Index>(std::ceil(std::max(0.0, places))) + 1;
    };
    const Index left =
        std::max(beyond(-map.column(image.first_x)), beyond(-map.column(acquisition_.array[0].position.x)));
    const double last = static_cast<double>(map.columns - 1);
    const Index right =
        std::max(beyond(map.column(image.x(static_cast<double>(image.columns - 1))) - last),
                 beyond(map.column(acquisition_.array[acquisition_.array.size() - 1].position.x) - last));
    const Index above = beyond(-map.row(std::min(0.0, highest_element(acquisition_.array))));
    const Index below =
        beyond(map.row(image.z(static_cast<double>(image.rows - 1))) - static_cast<double>(map.rows - 1));
    ImageGrid wide = map;
    wide.rows += above + below;
    wide.columns += left + right;
    wide.first_z = map.z(-static_cast<double>(above));
    wide.first_x = map.x(-static_cast<double>(left));
    Array<float> speed(wide.shape());
    for (Index i = 0; i < wide.rows; ++i)
        for (Index j = 0; j < wide.columns; ++j)
            speed(i, j) = 1 / frame.slowness(std::clamp<Index>(i - above, 0, map.rows - 1),
                                             std::clamp<Index>(j - left, 0, map.columns - 1));
    return map_delays(acquisition_, image, wide, speed, context);
}

Array<float> SoundSpeedPipeline::corrected_images(const SoundSpeedFrame& frame, Context& context) const {
    const DelayAndSum beamformer(acquisition_, focusing(frame, context), measurement_->options().beamforming,
                                 context);
    Array<float> images(beamformer.range());
    context.workspace().reserve(beamformer.workspace_bytes(context));
    beamformer.apply(filtered_, images, context);
    return images;
}

void SoundSpeedPipeline::refine(const SoundSpeedFrame& frame, Context& context) {
    measurement_ = std::make_unique<PairDelays>(acquisition_, options_.map, measurement_->options(),
                                                focusing(frame, context), frame.slowness, context);
    reserve(context);
    set_shift(frame.slowness, context);
}

void SoundSpeedPipeline::explain(Status status, const SoundSpeedFrame& frame) const {
    if (status == Status::ok) return;
    if (status == Status::corrupt_data && frame.delays.valid_share < options_.least_valid_share)
        throw Error(
            status,
            sentence("sound speed: only ", 100 * frame.delays.valid_share,
                     " % of the delays could be measured, at least ", 100 * options_.least_valid_share,
                     " % are needed: echoes of pairs do not correlate; is there speckle, and are "
                     "array and times those of this recording?"));
    if (status == Status::corrupt_data && network_ != nullptr) {
        char why[300];
        network_->explain(why, sizeof why);
        throw Error(status, sentence("sound speed: ", why));
    }
    if (status == Status::corrupt_data) inverter_->check(to_invert_);
    throw Error(status, sentence("sound speed: ", to_string(status)));
}

double highest_element(const TransducerArray& array) noexcept {
    double highest = array[0].position.z;
    for (const ArrayElement& element : array.elements()) highest = std::min(highest, element.position.z);
    return highest;
}

ImageGrid default_map(const Acquisition& acquisition, double sound_speed) {
    const TransducerArray& array = acquisition.array;
    require(array.size() >= 8, invalid, "sound speed: name a map, an array of ", array.size(),
            " elements does not suggest one");
    const double spacing = 2 * array.pitch();
    const double latest = acquisition.focusing_start(0) +
                          static_cast<double>(acquisition.samples) / acquisition.sampling_frequency;
    const double depth = std::min(50e-3, 0.5 * sound_speed * latest);
    const auto pixels = [&](double size) { return static_cast<Index>(size / spacing + 1e-6); };
    const ArrayElement &first = array[0], &last = array[array.size() - 1];
    if (first.angle == 0 && last.angle == 0)
        return centred_grid(std::max<Index>(2, pixels(depth)), array.size() / 2, spacing);
    // Elements at the ends face outwards: as far as the recording reaches along their normals.
    const double top = highest_element(array);
    const double half = std::max(-(first.position.x + depth * std::sin(first.angle)),
                                 last.position.x + depth * std::sin(last.angle));
    return centred_grid(std::max<Index>(2, pixels(depth - top)), std::max<Index>(2, pixels(2 * half)),
                        spacing, top);
}

std::vector<std::pair<Index, Index>> pairs_of(const TravelTimeProblem& problem,
                                              const Acquisition& acquisition) {
    const auto transmission_of = [&](const RaySource& wanted, std::size_t pair) {
        const bool plane = wanted.kind == RaySource::Kind::plane;
        for (std::size_t k = 0; k < acquisition.transmissions.size(); ++k) {
            const Transmission& sent = acquisition.transmissions[k];
            if (sent.wavefront == Wavefront::focused || (sent.wavefront == Wavefront::plane) != plane)
                continue;
            const RaySource here = rays_of(sent);
            if (plane ? std::abs(here.angle - wanted.angle) < 1e-5
                      : length(here.origin - wanted.origin) < 1e-6)
                return static_cast<Index>(k);
        }
        fail(invalid, "sound speed: pair ", pair + 1, " of the model needs a transmission ",
             plane ? sentence("of a plane wave of ", wanted.angle, " rad")
                   : sentence("from x ", 1e3 * wanted.origin.x, " mm, z ", 1e3 * wanted.origin.z, " mm"),
             "; the recording has none");
    };
    std::vector<std::pair<Index, Index>> pairs;
    for (std::size_t m = 0; m < problem.geometry.measurements.size(); ++m) {
        const PathSum& sum = problem.geometry.measurements[m];
        require(sum.size() == 2 && sum[0].weight == 1 && sum[1].weight == -1, Status::unsupported,
                "sound speed: measurement ", m + 1, " of the model is no pair of transmissions");
        pairs.emplace_back(transmission_of(sum[0].source, m), transmission_of(sum[1].source, m));
    }
    return pairs;
}

InversionMethod inversion_method_from_string(const std::string& name) {
    if (name == "lbfgs") return InversionMethod::lbfgs;
    if (name == "tikhonov") return InversionMethod::tikhonov;
    fail(invalid, "the method of inversion must be lbfgs or tikhonov, got \"", name, "\"");
}

}  // namespace sonolux

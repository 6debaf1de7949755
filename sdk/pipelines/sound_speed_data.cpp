// sonolux/sdk/pipelines/sound_speed_data.cpp
#include <sonolux/sdk/pipelines/sound_speed_data.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/sdk/files/training_set.hpp>
#include <sonolux/sdk/pipelines/median.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

namespace sonolux {

namespace {

constexpr Index most_patch_nodes = 256;
constexpr double longest_delay = 1e-4;  // s: 15 cm of tissue

std::size_t field_number(const SetManifest& manifest, const char* name, const std::vector<Index>& sizes,
                         const std::string& path) {
    for (std::size_t f = 0; f < manifest.fields.size(); ++f) {
        if (manifest.fields[f].name != name) continue;
        const std::vector<Index>& have = manifest.fields[f].sizes;
        require(have == sizes, Status::size_mismatch, path, ": field \"", name, "\" has ", have.size(),
                " sizes", have.empty() ? "" : sentence(", the first ", have[0], ", the last ", have.back()),
                "; the recipe's geometry says ", sizes.size(), ", the first ", sizes[0], ", the last ",
                sizes.back());
        return f;
    }
    fail(Status::invalid_argument, path, ": the set of domain \"", manifest.domain, "\" has no field \"",
         name, "\"");
}

// Where a shard says what its pairs are, they must be those of the problem.
void check_pairs(const std::string& file, const TravelTimeProblem& problem) {
    const std::vector<PathSum>& measurements = problem.geometry.measurements;
    const bool plane = measurements[0][0].source.kind == RaySource::Kind::plane;
    const Hdf5File shard = Hdf5File::open(file);
    const auto pairs = static_cast<Index>(measurements.size());
    const char* here = plane ? "pairs/angle" : "pairs/x";
    const char* other = plane ? "pairs/x" : "pairs/angle";
    require(!shard.has(other), Status::invalid_argument, file, ": has ", other,
            "; the recipe's geometry is of ", plane ? "plane waves" : "elements or virtual sources");
    if (!shard.has(here)) return;
    const std::vector<float> places = shard.read<float>(here, {pairs, 2});
    for (Index p = 0; p < pairs; ++p)
        for (Index side = 0; side < 2; ++side) {
            const RaySource& source =
                measurements[static_cast<std::size_t>(p)][static_cast<std::size_t>(side)].source;
            const double place = plane ? source.angle : source.origin.x;
            const double there = places[static_cast<std::size_t>(2 * p + side)];
            require(std::abs(place - there) < 1e-6, Status::invalid_argument, file, ": ", here,
                    " says that source ", side + 1, " of pair ", p + 1, " is at ", there,
                    plane ? " rad" : " m", ", the recipe's geometry at ", place, plane ? " rad" : " m");
        }
}

}  // namespace

DelaySamples::DelaySamples(const DelaySource& source, const TravelTimeProblem& problem, Index most)
    : augmentation_(source.augmentation) {
    const TrainingSet set = TrainingSet::open(source.path);
    const SetManifest& manifest = set.manifest();
    const ImageGrid& map = problem.geometry.map;
    const auto pairs = static_cast<Index>(problem.geometry.measurements.size());
    const std::size_t speed = field_number(manifest, "sound_speed", {map.rows, map.columns}, source.path);
    const std::size_t delays = field_number(manifest, "delays", {pairs, map.rows, map.columns}, source.path);
    std::vector<Index> wanted;
    for (const Index sample : set.available())
        if (sample >= source.first && (source.count == 0 || sample < source.first + source.count) &&
            std::ssize(wanted) < most)
            wanted.push_back(sample);
    require(!wanted.empty(), Status::invalid_argument, source.path, ": there is no sample from ",
            source.first,
            source.count > 0 ? sentence(" to ", source.first + source.count - 1) : std::string(" on"));
    const auto count = static_cast<Index>(wanted.size());
    maps_ = Array<float>({count, map.rows, map.columns});
    delays_ = Array<float>({count, pairs, map.rows, map.columns});
    std::string checked;
    for (Index i = 0; i < count; ++i) {
        const Index sample = wanted[static_cast<std::size_t>(i)];
        const std::string file = set.file_of(sample);
        if (file != checked) check_pairs(checked = file, problem);
        const SampleBlock block = set.read(sample);
        const std::span<const float> speeds = block.field(0, manifest, speed);
        const std::span<const float> times = block.field(0, manifest, delays);
        for (const float c : speeds)
            require(c >= 100 && c <= 10000, Status::corrupt_data, file, ": sample ", sample,
                    " has a sound_speed of ", c, " m/s");
        for (const float t : times)
            require(std::isnan(t) || std::abs(t) < longest_delay, Status::corrupt_data, file, ": sample ",
                    sample, " has a delay of ", t, " s; are they in another unit?");
        std::copy(speeds.begin(), speeds.end(), maps_.view()[i].data());
        std::copy(times.begin(), times.end(), delays_.view()[i].data());
    }
    // Models carry this: where a set lay is nobody's concern.
    description_ = sentence(manifest.name, ": ", count, " samples of domain \"", manifest.domain, "\", seed ",
                            manifest.seed);
}

namespace {

TravelTimeProblem with_norm(TravelTimeProblem problem) {
    if (problem.operator_norm == 0) measure_norm(problem);
    return problem;
}

}  // namespace

SoundSpeedSetup::SoundSpeedSetup(TravelTimeProblem travel_times, const CoarseInverseOptions& options,
                                 Context& context)
    : problem(with_norm(std::move(travel_times))),
      forward(make_operator(problem)),
      trust(trusted(problem)),
      readings(static_cast<Index>(std::count(trust.begin(), trust.end(), 1.0f))) {
    require(readings > 0, Status::invalid_argument, "the geometry's margins leave no delay");
    const OperatorPointer uniform = make_delay_operator(problem);
    context.workspace().reserve(uniform->workspace_bytes(context));
    whitening = std::make_unique<UniformWhitening>(*uniform, context);
    if (options.any()) coarse = std::make_unique<CoarseInverse>(forward, trust, options);
}

DelayResiduals::DelayResiduals(const DelaySamples& samples, const SoundSpeedSetup& setup, Context& context)
    : residuals_({samples.count(), setup.forward->range()[0], setup.forward->range()[1],
                  setup.forward->range()[2]}) {
    Array<float> deviation(setup.forward->domain()), left(setup.forward->range()), mask(left.shape());
    context.workspace().reserve(setup.forward->workspace_bytes(context));
    for (Index i = 0; i < samples.count(); ++i) {
        const View<const float> delays = samples.delays(i);
        for (Index n = 0; n < mask.elements(); ++n)
            mask.data()[n] = setup.trust.data()[n] != 0 && std::isfinite(delays.data()[n]) ? 1.0f : 0.0f;
        // What a uniform speed explains is of path integrals, whatever the operator makes of the rest.
        const Whitening uniform = setup.whitening->whiten(delays, mask, left);
        for (Index n = 0; n < deviation.elements(); ++n)
            deviation.data()[n] = static_cast<float>(
                setup.problem.operator_norm / double{samples.speed(i).data()[n]} - uniform.level);
        const View<float> residual = residuals_.view()[i];
        setup.forward->apply(deviation, residual, context);
        for (Index n = 0; n < residual.elements(); ++n)
            residual.data()[n] =
                mask.data()[n] != 0
                    ? static_cast<float>(uniform.deviation * left.data()[n] - residual.data()[n])
                    : std::numeric_limits<float>::quiet_NaN();
    }
}

namespace {

/// Memory for patches.
struct PatchBuffers {
    View<float> field, sorted, nodes;
};

void leave_out_patch(View<float> mask, double fraction, Index nodes, Philox& random,
                     const PatchBuffers& buffers) noexcept {
    const Index rows = mask.rows(), columns = mask.columns();
    for (Index i = 0; i < nodes * nodes; ++i) buffers.nodes.data()[i] = static_cast<float>(random.uniform());
    const auto place = [nodes](Index i, Index size) {
        return static_cast<double>(i * (nodes - 1)) / static_cast<double>(std::max<Index>(size - 1, 1));
    };
    for (Index i = 0; i < rows; ++i) {
        const double y = place(i, rows);
        const auto m = std::min(static_cast<Index>(y), nodes - 2);
        const float* above = buffers.nodes.data() + m * nodes;
        for (Index j = 0; j < columns; ++j) {
            const double x = place(j, columns);
            const auto n = std::min(static_cast<Index>(x), nodes - 2);
            const double t = x - static_cast<double>(n), u = y - static_cast<double>(m);
            buffers.field(i, j) =
                static_cast<float>((1 - u) * ((1 - t) * above[n] + t * above[n + 1]) +
                                   u * ((1 - t) * above[nodes + n] + t * above[nodes + n + 1]));
        }
    }
    const Index pixels = rows * columns;
    std::copy_n(buffers.field.data(), pixels, buffers.sorted.data());
    const auto missing = static_cast<Index>(fraction * static_cast<double>(pixels));
    if (missing == 0) return;
    float* sorted = buffers.sorted.data();
    std::nth_element(sorted, sorted + (missing - 1), sorted + pixels);
    const float threshold = sorted[missing - 1];
    for (Index i = 0; i < pixels; ++i)
        if (buffers.field.data()[i] <= threshold) mask.data()[i] = 0;
}

}  // namespace

void leave_out_patches(View<float> mask, double fraction, Index nodes, Philox random) {
    require(nodes >= 2 && nodes <= most_patch_nodes, Status::invalid_argument, "patches need 2 to ",
            most_patch_nodes, " nodes, got ", nodes);
    const Shape plane{mask.shape()[1], mask.shape()[2]};
    Array<float> field(plane), sorted(plane), values({nodes, nodes});
    for (Index m = 0; m < mask.shape()[0]; ++m)
        leave_out_patch(mask[m], fraction, nodes, random, {field, sorted, values});
}

DelayCase::DelayCase(const SoundSpeedSetup& setup, const DelayResiduals* residuals)
    : setup_(setup),
      residuals_(residuals),
      data_(setup.forward->range()),
      mask_(setup.forward->range()),
      start_(setup.forward->domain()),
      truth_(setup.forward->domain()),
      noise_(setup.forward->range()),
      field_(setup.forward->domain()),
      sorted_(setup.forward->domain()),
      nodes_({most_patch_nodes, most_patch_nodes}) {}

void DelayCase::make(const DelaySamples& samples, Index i, std::uint64_t seed, std::uint64_t stream,
                     std::uint64_t number, Context& context) noexcept {
    Philox random(seed, stream, number), patches(seed, stream + 2, number);
    const DelayAugmentation& augmentation = samples.augmentation();
    const View<const float> delays = samples.delays(i), speed = samples.speed(i);
    const double missing = augmentation.least_missing +
                           random.uniform() * (augmentation.most_missing - augmentation.least_missing);
    const double deviation = augmentation.noise * random.uniform();
    fill_normal(noise_, Philox(seed, stream + 1, number));
    for (Index n = 0; n < data_.elements(); ++n) {
        const float d = delays.data()[n];
        mask_.data()[n] = setup_.trust.data()[n] != 0 && std::isfinite(d) ? 1.0f : 0.0f;
        data_.data()[n] = mask_.data()[n] != 0 ? d + static_cast<float>(deviation) * noise_.data()[n] : 0.0f;
    }
    if (augmentation.residual > 0 && residuals_ != nullptr) {
        Philox choice(seed, stream + 3, number);
        const View<const float> residual = residuals_->of(choice.below(residuals_->count()));
        const auto factor = static_cast<float>(augmentation.residual * choice.uniform());
        for (Index n = 0; n < data_.elements(); ++n)
            if (!std::isfinite(residual.data()[n]))
                mask_.data()[n] = 0;
            else if (mask_.data()[n] != 0)
                data_.data()[n] += factor * residual.data()[n];
    }
    if (missing > 0)
        for (Index pair = 0; pair < mask_.shape()[0]; ++pair)
            leave_out_patch(mask_.view()[pair], missing, augmentation.patch_nodes, patches,
                            {field_, sorted_, nodes_});
    found_ = setup_.whitening->whiten(data_, mask_, data_);
    measured_ =
        static_cast<float>(static_cast<double>(found_.measured) / static_cast<double>(setup_.readings));
    if (setup_.coarse != nullptr)
        setup_.coarse->start(data_, mask_, start_, found_, context);
    else
        setup_.forward->adjoint(data_, start_, context);
    const double norm = setup_.problem.operator_norm;
    for (Index n = 0; n < truth_.elements(); ++n)
        truth_.data()[n] =
            found_.found() ? static_cast<float>((norm / speed.data()[n] - found_.level) / found_.deviation)
                           : 0.0f;
}

SoundSpeedValidation::SoundSpeedValidation(const SoundSpeedSetup& setup, const UnrolledNetwork& network,
                                           std::vector<DelaySamples> sources, std::uint64_t seed,
                                           Context& context)
    : Validation(context), setup_(setup), sources_(std::move(sources)), threads_(context) {
    constexpr std::uint64_t stream = 130;
    Context serial(make_serial_runner());
    for (const DelaySamples& samples : sources_)
        for (Index i = 0; i < samples.count(); ++i) {
            cases_.push_back(std::make_unique<DelayCase>(setup));
            serial.workspace().reserve(cases_.back()->workspace_bytes(serial));
            cases_.back()->make(samples, i, seed, stream, cases_.size() - 1, serial);
            truths_.push_back(samples.speed(i));
        }
    errors_.resize(cases_.size());
    if (cases_.empty()) return;
    const Shape domain = setup.forward->domain();
    workers_ = make_validation_workers(
        domain, network.run_workspace_bytes(domain.last(1), domain.last(0), serial, cases_[0]->observation()),
        context);
}

double SoundSpeedValidation::psnr(UnrolledNetwork& network, Index steps) noexcept {
    network.update(1);
    parallel_for(threads_, static_cast<Index>(cases_.size()), [&](Index item, int thread) noexcept {
        const auto i = static_cast<std::size_t>(item);
        ValidationWorker& worker = *workers_[static_cast<std::size_t>(thread)];
        const DelayCase& one = *cases_[i];
        network.forward(one.start(), one.observation(), worker.estimate, steps, worker.context);
        to_sound_speed(worker.estimate, one.whitening(), setup_.problem, worker.estimate);
        double squares = 0;
        for (Index n = 0; n < worker.estimate.elements(); ++n) {
            const double error = double{worker.estimate.data()[n]} - truths_[i].data()[n];
            squares += error * error;
        }
        errors_[i] = std::sqrt(squares / static_cast<double>(worker.estimate.elements()));
    });
    return -median(errors_);
}

}  // namespace sonolux

// sonolux/solvers/training/batch_gradient.cpp
#include <sonolux/solvers/training/batch_gradient.hpp>

#include <algorithm>
#include <limits>

namespace sonolux {

namespace {

Index group_count(Index patches, Index group) { return (patches + group - 1) / group; }

const BatchOptions& checked(const BatchOptions& options) {
    require(options.rows >= 1 && options.columns >= 1, Status::invalid_argument,
            "a training patch must have at least 1 x 1 pixels, got ", options.rows, " x ", options.columns);
    require(options.batch >= 1, Status::invalid_argument, "batch must be at least 1, got ", options.batch);
    require(options.group >= 1, Status::invalid_argument, "group must be at least 1, got ", options.group);
    return options;
}

}  // namespace

BatchGradient::Worker::Worker(const UnrolledNetwork& network, const BatchOptions& options, Isa isa,
                              const TrainingBlur* blur)
    : context(make_serial_runner()), sample(options.rows, options.columns, blur, network.channels()) {
    context.set_isa(isa);
    const Shape domain = sample.domain();
    context.workspace().reserve(std::max(
        sample.workspace_bytes(context),
        network.training_workspace_bytes(domain.last(1), domain.last(0), context, sample.observation())));
}

BatchGradient::Worker::Worker(const UnrolledNetwork& network, Isa isa, std::unique_ptr<TrainingCase> made)
    : context(make_serial_runner()), sample(1, 1, nullptr), own(std::move(made)) {
    context.set_isa(isa);
    const Shape domain = own->domain();
    network.check(domain.last(1), domain.last(0), own->observation());
    context.workspace().reserve(std::max(
        own->workspace_bytes(context),
        network.training_workspace_bytes(domain.last(1), domain.last(0), context, own->observation())));
}

BatchGradient::BatchGradient(const UnrolledNetwork& network, const BatchOptions& options, Context& context,
                             const TrainingBlur* blur)
    : network_(network), options_(checked(options)), context_(context) {
    CudaDevice* device = context.cuda_device();
    require(device == nullptr || blur == nullptr, Status::unsupported,
            "training of networks with Fourier steps has no CUDA form");
    for (int thread = 0; thread < context.threads(); ++thread)
        workers_.push_back(std::make_unique<Worker>(network, options_, context.isa(), blur));
    reserve();
    if (device != nullptr)
        compute_by(std::make_unique<VariationalTrainingCuda>(network, options_.rows, options_.columns,
                                                             static_cast<int>(options_.batch), *device));
}

BatchGradient::BatchGradient(const UnrolledNetwork& network, const BatchOptions& options, Context& context,
                             const CaseFactory& cases)
    : network_(network), options_(checked(options)), context_(context) {
    require(context.cuda_device() == nullptr, Status::unsupported,
            "training on samples of its own problem has no CUDA form");
    for (int thread = 0; thread < context.threads(); ++thread)
        workers_.push_back(std::make_unique<Worker>(network, context.isa(), cases()));
    reserve();
}

void BatchGradient::reserve() {
    const Index groups = group_count(options_.batch, options_.group);
    gradients_ = Array<float>({groups, static_cast<Index>(network_.parameters().size())});
    losses_.resize(static_cast<std::size_t>(groups));
    ranges_ = static_cast<std::size_t>(network_.range_count());
    peaks_.resize(static_cast<std::size_t>(groups) * ranges_);
}

double BatchGradient::evaluate(const PatchFunction& source, std::uint64_t first, Index count,
                               std::uint64_t seed, TrainingStream stream, double sigma, const Loss& loss,
                               std::span<const double> step_weights, std::span<double> gradient) noexcept {
    assert(count >= 1 && count <= options_.batch);
    const double mean = 1.0 / static_cast<double>(count);
    if (device_) {
        const SampleNoise noise{seed, static_cast<std::uint64_t>(stream), 0, sigma};
        device_->failed = evaluate_on_device(source, first, count, noise, loss, step_weights) != Status::ok;
        constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
        double loss_sum = 0;
        for (Index patch = 0; patch < count; ++patch)
            loss_sum += device_->losses[static_cast<std::size_t>(patch)];
        std::transform(device_->gradient.begin(), device_->gradient.end(), gradient.begin(),
                       [&](float value) { return device_->failed ? nothing : mean * value; });
        return device_->failed ? nothing : mean * loss_sum;
    }
    const Index groups = group_count(count, options_.group);
    const Index parameters = gradients_.view().columns();
    const float scale = network_.entry_scale() / 255.0f;
    std::fill(peaks_.begin(), peaks_.end(), 0.0f);

    parallel_for(context_, groups, [&](Index group, int thread) noexcept {
        Worker& worker = *workers_[static_cast<std::size_t>(thread)];
        float* row = gradients_.view().row(group);
        std::fill_n(row, parameters, 0.0f);
        const std::span<float> sum(row, static_cast<std::size_t>(parameters));
        double loss_sum = 0;
        const Index end = std::min(count, (group + 1) * options_.group);
        float* peaks = ranges_ > 0 ? peaks_.data() + static_cast<std::size_t>(group) * ranges_ : nullptr;
        for (Index patch = group * options_.group; patch < end; ++patch) {
            const std::uint64_t sample = first + static_cast<std::uint64_t>(patch);
            if (worker.own) {
                TrainingCase& one = *worker.own;
                one.make(sample, worker.context);
                loss_sum += network_.loss_gradient(one.start(), one.observation(), one.truth(), loss,
                                                   step_weights, sum, worker.context, {}, {}, peaks);
                continue;
            }
            source(sample, worker.sample.clean());
            worker.sample.degrade(sample, {seed, static_cast<std::uint64_t>(stream), sample, sigma}, scale,
                                  worker.context);
            const Observation observation = worker.sample.observation();
            loss_sum += network_.loss_gradient(observation.data, observation, worker.sample.truth(), loss,
                                               step_weights, sum, worker.context);
        }
        losses_[static_cast<std::size_t>(group)] = loss_sum;
    });

    // Group after group, in double: few enough for their order not to matter to anything but the bits.
    double loss_sum = 0;
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (Index group = 0; group < groups; ++group) {
        const float* row = gradients_.view().row(group);
        for (Index p = 0; p < parameters; ++p) gradient[static_cast<std::size_t>(p)] += row[p];
        loss_sum += losses_[static_cast<std::size_t>(group)];
        for (std::size_t r = 0; r < ranges_; ++r)
            peaks_[r] = std::max(peaks_[r], peaks_[static_cast<std::size_t>(group) * ranges_ + r]);
    }
    for (double& value : gradient) value *= mean;
    return mean * loss_sum;
}

}  // namespace sonolux

// sonolux/solvers/training/batch_gradient.cpp
#include <sonolux/solvers/training/batch_gradient.hpp>

#include <algorithm>

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

BatchGradient::Worker::Worker(const BatchOptions& options, std::size_t workspace, Isa isa)
    : context(make_serial_runner()),
      clean({options.rows, options.columns}),
      data({options.rows, options.columns}) {
    context.set_isa(isa);
    context.workspace().reserve(workspace);
}

BatchGradient::BatchGradient(const UnrolledNetwork& network, const BatchOptions& options, Context& context)
    : network_(network), options_(checked(options)), context_(context) {
    const Context serial(make_serial_runner());
    const std::size_t workspace = network.training_workspace_bytes(options.rows, options.columns, serial);
    for (int thread = 0; thread < context.threads(); ++thread)
        workers_.push_back(std::make_unique<Worker>(options, workspace, context.isa()));
    const Index groups = group_count(options.batch, options.group);
    gradients_ = Array<float>({groups, static_cast<Index>(network.parameters().size())});
    losses_.resize(static_cast<std::size_t>(groups));
}

double BatchGradient::evaluate(const PatchFunction& source, std::uint64_t first, Index count,
                               std::uint64_t seed, TrainingStream stream, double sigma, const Loss& loss,
                               std::span<const double> step_weights, std::span<double> gradient) noexcept {
    assert(count >= 1 && count <= options_.batch);
    const Index groups = group_count(count, options_.group);
    const Index parameters = gradients_.view().columns();
    const float scale = network_.entry_scale() / 255.0f;
    const auto deviation = static_cast<float>(sigma);

    parallel_for(context_, groups, [&](Index group, int thread) noexcept {
        Worker& worker = *workers_[static_cast<std::size_t>(thread)];
        float* row = gradients_.view().row(group);
        std::fill_n(row, parameters, 0.0f);
        const std::span<float> sum(row, static_cast<std::size_t>(parameters));
        double loss_sum = 0;
        const Index end = std::min(count, (group + 1) * options_.group);
        for (Index patch = group * options_.group; patch < end; ++patch) {
            const std::uint64_t sample = first + static_cast<std::uint64_t>(patch);
            source(sample, worker.clean.view());
            fill_normal(worker.data.view(), Philox(seed, static_cast<std::uint64_t>(stream), sample));
            float* clean = worker.clean.data();
            float* data = worker.data.data();
            for (Index i = 0; i < worker.clean.elements(); ++i) {
                data[i] = scale * (clean[i] + deviation * data[i]);
                clean[i] *= scale;
            }
            const View<const float> start = worker.data.view();
            loss_sum += network_.loss_gradient(start, {.data = start}, worker.clean.view(), loss, step_weights,
                                               sum, worker.context);
        }
        losses_[static_cast<std::size_t>(group)] = loss_sum;
    });

    // Group after group, in double: few enough for their order not to matter to anything but the bits.
    const double mean = 1.0 / static_cast<double>(count);
    double loss_sum = 0;
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (Index group = 0; group < groups; ++group) {
        const float* row = gradients_.view().row(group);
        for (Index p = 0; p < parameters; ++p) gradient[static_cast<std::size_t>(p)] += row[p];
        loss_sum += losses_[static_cast<std::size_t>(group)];
    }
    for (double& value : gradient) value *= mean;
    return mean * loss_sum;
}

}  // namespace sonolux

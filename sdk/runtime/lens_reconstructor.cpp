// sonolux/sdk/runtime/lens_reconstructor.cpp
#include <sonolux/sdk/runtime/lens_reconstructor.hpp>

#include <cmath>
#include <limits>

#include <sonolux/sdk/runtime/bind_workspace.hpp>
#include <sonolux/sdk/runtime/image_overlap.hpp>

namespace sonolux {

namespace {

constexpr std::size_t most_channels = ChannelSpectrum::most_channels;

// The model's kernels, or those in their place.
View<const float> kernels_for(const Model& model, View<const float> given) {
    const View<const float> own = lens_kernels(model);
    if (given.data() == nullptr) return own;
    require(given.rank() == 3 && given.size(0) == own.size(0), Status::size_mismatch,
            "the kernels of the lens must be [", own.size(0), ", size, size] for model \"", model.name,
            "\", got ", to_string(given.shape()));
    require(given.rows() == given.columns() && given.rows() % 2 == 1, Status::invalid_argument,
            "the kernels of the lens must have an odd size, got ", given.rows(), " x ", given.columns());
    for (Index c = 0; c < given.size(0); ++c)
        for (Index i = 0; i < given.rows(); ++i)
            for (Index j = 0; j < given.columns(); ++j)
                require(std::isfinite(given(c, i, j)), Status::invalid_argument, "tap [", c, ", ", i, ", ", j,
                        "] of the kernels of the lens must be finite, got ", given(c, i, j));
    return given;
}

}  // namespace

LensReconstructor::LensReconstructor(const Model& model, Index rows, Index columns,
                                     const LensOptions& options)
    : lens_(lens_problem(model.problem, sentence("model \"", model.name, "\""))),
      rows_(rows),
      columns_(columns),
      electrons_(options.electrons == 0 ? lens_.usual_full_well() : options.electrons),
      time_limit_(std::numeric_limits<double>::infinity()),
      context_(make_runner(options.runner, options.threads)) {
    const auto require_size = [](Index size, const char* what) {
        require(size >= smallest_size && size <= largest_size, Status::invalid_argument, what,
                " of captures must be from ", smallest_size, " to ", largest_size, ", got ", size);
    };
    require_size(rows, "rows");
    require_size(columns, "columns");
    require(electrons_ >= 1 && electrons_ <= most_electrons, Status::invalid_argument,
            "electrons at white must be from 1 to ", most_electrons,
            ", or 0 for what the model was trained for, got ", options.electrons);
    const View<const float> kernels = kernels_for(model, options.kernels);
    require(kernels.size(0) == std::ssize(lens_.white), Status::corrupt_data, "model \"", model.name,
            "\": has kernels of ", kernels.size(0), " channels and a white of ", lens_.white.size());
    // Not even begun where it cannot end well: spectra of the kernels take 4 bytes a pixel and channel at
    // least.
    const double least =
        4.0 * static_cast<double>(kernels.size(0)) * static_cast<double>(rows) * static_cast<double>(columns);
    const auto require_memory = [&](auto needed) {
        require(options.memory_limit == 0 ||
                    static_cast<double>(options.memory_limit) >= static_cast<double>(needed),
                Status::unsupported, "memory_limit must be at least ", needed,
                " bytes, since captures through a lens are recovered in one piece, got ",
                options.memory_limit);
    };
    require_memory(least);
    recovery_ = std::make_unique<LensRecovery>(model, kernels, rows, columns, kernels.rows() / 2);
    workspace_bytes_ = recovery_->workspace_bytes(context_);
    require_memory(workspace_bytes_ + plan_bytes());
    if (!options.progress) return;
    context_.set_progress([this, progress = options.progress](const Progress& stage) {
        stopped_ = !progress(stage);
        return !stopped_;
    });
}

void LensReconstructor::bind() {
    bound_ = false;
    bind_own_workspace(context_, workspace_bytes_);
    bound_ = true;
}

void LensReconstructor::bind(std::span<std::byte> memory) {
    bind_workspace(context_, workspace_bytes_, memory);
    bound_ = true;
}

void LensReconstructor::set_time_limit(double seconds) {
    require(seconds > 0, Status::invalid_argument, "time limit must be above 0 seconds, got ", seconds);
    time_limit_ = seconds;
}

Status LensReconstructor::refuse(Refusal reason) noexcept {
    refusal_ = reason;
    return reason == Refusal::sizes ? Status::size_mismatch : Status::invalid_argument;
}

Status LensReconstructor::run(LensRecovery::Planes in, LensRecovery::OutPlanes out) noexcept {
    refusal_ = Refusal::none;
    if (!bound_) return refuse(Refusal::not_bound);
    const Status fit = check_planes(in, out, channels(), rows_, columns_, true);
    if (fit != Status::ok) return refuse(fit == Status::size_mismatch ? Refusal::sizes : Refusal::overlap);
    limit_time(context_, time_limit_);
    stopped_ = false;
    double variances[most_channels];
    const std::span<double> noise(variances, in.size());
    noise_of_capture(lens_, in, electrons_, noise);
    for (const double variance : noise)
        if (!std::isfinite(variance)) return refuse(Refusal::not_finite);
    Status status = context_.poll();
    if (status == Status::ok)
        status = recovery_->run(in, noise, out, context_);
    else
        for (std::size_t c = 0; c < in.size(); ++c) copy_plane(in[c], out[c]);
    // Also where the last stage of all was told to stop, so that the next run is not.
    if (status == Status::cancelled || stopped_) context_.clear_cancel();
    return status;
}

const char* LensReconstructor::explain() const noexcept {
    switch (refusal_) {
        case Refusal::none: break;
        case Refusal::not_bound: return "there is no workspace yet: bind comes before run";
        case Refusal::sizes:
            return "capture and image must have the size of the plan and the channels of the model";
        case Refusal::overlap:
            return "planes of the image must not overlap each other, nor any of the capture but the same "
                   "channel's, whole";
        case Refusal::not_finite: return "every pixel of the capture must be finite";
    }
    return to_string(Status::ok);
}

}  // namespace sonolux

// sonolux/sdk/runtime/lens_recovery.cpp
#include <sonolux/sdk/runtime/lens_recovery.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/core/boundary.hpp>
#include <sonolux/core/smooth_size.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {

ChannelSpectrum spectrum_of(const UnrolledNetwork& network, const std::string& name) {
    for (const Parameter& parameter : network.layout())
        if (parameter.name == "stage1.spectrum")
            return {network.channels(),
                    network.parameters().subspan(static_cast<std::size_t>(parameter.offset),
                                                 static_cast<std::size_t>(parameter.shape.elements()))};
    fail(Status::unsupported, name, ": is no network for lenses: it has no tensor stage1.spectrum");
}

void noise_of_capture(const LensProblem& lens, std::span<const View<const float>> capture, double full_well,
                      std::span<double> noise) noexcept {
    constexpr double least = 1e-12;  // black, and a sensor that reads without noise
    for (std::size_t c = 0; c < capture.size(); ++c) {
        double mean = 0;
        for (Index i = 0; i < capture[c].rows(); ++i)
            for (Index j = 0; j < capture[c].columns(); ++j) mean += double{capture[c](i, j)};
        mean /= static_cast<double>(capture[c].elements());
        noise[c] =
            std::isfinite(mean)
                ? std::max(lens.noise(c, mean, full_well > 0 ? full_well : lens.usual_full_well()), least)
                : std::numeric_limits<double>::quiet_NaN();
    }
}

std::vector<double> noise_of_capture(const LensProblem& lens, View<const float> capture, double full_well) {
    require(capture.rank() == 3 && capture.size(0) == std::ssize(lens.white), Status::size_mismatch,
            "a capture of this lens must be [", lens.white.size(), ", rows, columns], got ",
            to_string(capture.shape()));
    std::vector<View<const float>> planes;
    for (Index c = 0; c < capture.size(0); ++c) planes.push_back(capture[c]);
    std::vector<double> noise(planes.size());
    noise_of_capture(lens, planes, full_well, noise);
    return noise;
}

LensRecovery::LensRecovery(const Model& model, View<const float> kernels, Index rows, Index columns,
                           Index border)
    : name_(model.name),
      network_(network_from_model(model)),
      rows_(rows),
      columns_(columns),
      border_(border),
      domain_rows_(border == 0 ? rows : smooth_size(rows + 2 * border)),
      domain_columns_(border == 0 ? columns : smooth_size(columns + 2 * border)),
      blur_(network_->channels(), network_->channels(), domain_rows_, domain_columns_) {
    require(rows >= 8 && columns >= 8 && border >= 0, Status::invalid_argument,
            "captures must be at least 8 x 8 with a border of at least 0, got ", rows, " x ", columns,
            " and ", border);
    const ChannelSpectrum spectrum = spectrum_of(*network_, model.name);
    set_kernels(kernels);
    start_solver_ = std::make_unique<ChannelLmmse>(
        blur_, spectrum, std::vector<double>(static_cast<std::size_t>(channels()), 1e-4));
    noise_ = Array<float>({channels()});
    network_->update(1);
}

LensRecovery::LensRecovery(const Model& model, View<const float> kernels, Index rows, Index columns,
                           Index border, Context& context)
    : LensRecovery(model, kernels, rows, columns, border) {
    context.workspace().reserve(workspace_bytes(context));
}

void LensRecovery::set_kernels(View<const float> kernels) {
    require(kernels.rank() >= 3 && kernels.size(0) == channels(), Status::size_mismatch, name_, ": has ",
            channels(), " channels, the kernels are ", to_string(kernels.shape()));
    blur_.set_kernels(fold_kernels(kernels, domain_rows_, domain_columns_));
}

std::size_t LensRecovery::workspace_bytes(const Context& context) const noexcept {
    return 2 * Workspace::bytes<float>(blur_.domain().elements()) +
           std::max(start_solver_->workspace_bytes(context),
                    network_->run_workspace_bytes(domain_rows_, domain_columns_, context, observation()));
}

void LensRecovery::extend(View<const float> plane, View<float> domain) const noexcept {
    const float scale = network_->entry_scale();
    // Beyond the far border what continues this side fades into what precedes the other.
    const auto fade = [this](Index place, Index size, Index period) {
        const Index past = place - border_ - size + 1;  // 1, 2, ... beyond the far border
        return past <= 0 ? 1.0F : 1 - static_cast<float>(past) / static_cast<float>(period - size + 1);
    };
    for (Index i = 0; i < domain_rows_; ++i) {
        // The gap between the last row and, a period on, the first one.
        const Index at = i < border_ ? i + domain_rows_ : i;
        const float down = fade(at, rows_, domain_rows_);
        const Index below = boundary_index(BoundaryRule::symmetric, at - border_, rows_);
        const Index above = boundary_index(BoundaryRule::symmetric, at - border_ - domain_rows_, rows_);
        for (Index j = 0; j < domain_columns_; ++j) {
            const Index to = j < border_ ? j + domain_columns_ : j;
            const float right = fade(to, columns_, domain_columns_);
            const Index after = boundary_index(BoundaryRule::symmetric, to - border_, columns_);
            const Index before =
                boundary_index(BoundaryRule::symmetric, to - border_ - domain_columns_, columns_);
            domain(i, j) =
                scale * (down * (right * plane(below, after) + (1 - right) * plane(below, before)) +
                         (1 - down) * (right * plane(above, after) + (1 - right) * plane(above, before)));
        }
    }
}

void LensRecovery::cut(View<const float> domain, View<float> plane) const noexcept {
    const float back = 1 / network_->entry_scale();
    for (Index i = 0; i < rows_; ++i)
        for (Index j = 0; j < columns_; ++j)
            plane(i, j) = std::max(0.0F, back * domain(border_ + i, border_ + j));
}

Status LensRecovery::run(View<const float> capture, std::span<const double> noise, View<float> image,
                         Context& context) noexcept {
    const Shape expected{channels(), rows_, columns_};
    if (capture.shape() != expected || image.shape() != expected) return Status::size_mismatch;
    View<const float> from[ChannelSpectrum::most_channels];
    View<float> to[ChannelSpectrum::most_channels];
    for (Index c = 0; c < channels(); ++c) {
        from[c] = capture[c];
        to[c] = image[c];
    }
    const auto count = static_cast<std::size_t>(channels());
    return run(Planes{from, count}, noise, OutPlanes{to, count}, context);
}

Status LensRecovery::run(Planes capture, std::span<const double> noise, OutPlanes image,
                         Context& context) noexcept {
    const Index count = channels();
    const Shape expected{rows_, columns_};
    if (std::ssize(capture) != count || std::ssize(image) != count || std::ssize(noise) != count)
        return Status::size_mismatch;
    for (const View<const float>& plane : capture)
        if (plane.shape() != expected) return Status::size_mismatch;
    for (const View<float>& plane : image)
        if (plane.shape() != expected) return Status::size_mismatch;
    for (const double variance : noise)
        if (!(variance > 0)) return Status::invalid_argument;
    if (context.workspace().size() - context.workspace().used() < workspace_bytes(context))
        return Status::out_of_memory;
    Scratch scratch(context.workspace());
    const View<float> data = scratch.take<float>(blur_.domain());
    const View<float> estimate = scratch.take<float>(blur_.domain());
    for (Index c = 0; c < count; ++c) {
        extend(capture[static_cast<std::size_t>(c)], data[c]);
        noise_.data()[c] = static_cast<float>(noise[static_cast<std::size_t>(c)]);
    }
    start_solver_->set_noise(noise);
    if (const Status status = start_solver_->run(data, estimate, context); status != Status::ok)
        return status;
    if (linear_.elements() > 0)
        for (Index c = 0; c < count; ++c) cut(estimate[c], linear_.view()[c]);
    Observation seen = observation();
    seen.data = data;
    const Status status = network_->run_from(estimate, seen, estimate, context);
    for (Index c = 0; c < count; ++c) cut(estimate[c], image[static_cast<std::size_t>(c)]);
    return status;
}

}  // namespace sonolux

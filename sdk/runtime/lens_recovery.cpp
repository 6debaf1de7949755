// sonolux/sdk/runtime/lens_recovery.cpp
#include <sonolux/sdk/runtime/lens_recovery.hpp>

#include <algorithm>

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

std::vector<double> noise_of_capture(const LensProblem& lens, View<const float> capture, double full_well) {
    require(capture.rank() == 3 && capture.size(0) == std::ssize(lens.white), Status::size_mismatch,
            "a capture of this lens must be [", lens.white.size(), ", rows, columns], got ",
            to_string(capture.shape()));
    std::vector<double> noise;
    for (Index c = 0; c < capture.size(0); ++c) {
        double mean = 0;
        for (Index n = 0; n < capture[c].elements(); ++n) mean += double{capture[c].data()[n]};
        noise.push_back(lens.noise(static_cast<std::size_t>(c),
                                   mean / static_cast<double>(capture[c].elements()),
                                   full_well > 0 ? full_well : lens.usual_full_well()));
    }
    return noise;
}

LensRecovery::LensRecovery(const Model& model, View<const float> kernels, Index rows, Index columns,
                           Index border, Context& context)
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
    const Index channels = network_->channels();
    const ChannelSpectrum spectrum = spectrum_of(*network_, model.name);
    set_kernels(kernels);
    start_solver_ = std::make_unique<ChannelLmmse>(
        blur_, spectrum, std::vector<double>(static_cast<std::size_t>(channels), 1e-4));
    data_ = Array<float>(blur_.domain());
    estimate_ = Array<float>(data_.shape());
    noise_ = Array<float>({channels});
    network_->update(1);
    const Observation observation{.data = {}, .forward = &blur_, .spectral = &blur_, .noise = noise_};
    context.workspace().reserve(
        std::max(start_solver_->workspace_bytes(context),
                 network_->run_workspace_bytes(domain_rows_, domain_columns_, context, observation)));
}

void LensRecovery::set_kernels(View<const float> kernels) {
    const Index channels = network_->channels();
    require(kernels.rank() >= 3 && kernels.size(0) == channels, Status::size_mismatch, name_, ": has ",
            channels, " channels, the kernels are ", to_string(kernels.shape()));
    blur_.set_kernels(fold_kernels(kernels, domain_rows_, domain_columns_));
}

void LensRecovery::cut(View<const float> domain, View<float> image) const noexcept {
    const float back = 1 / network_->entry_scale();
    for (Index c = 0; c < image.size(0); ++c)
        for (Index i = 0; i < rows_; ++i)
            for (Index j = 0; j < columns_; ++j)
                image(c, i, j) = std::max(0.0F, back * domain(c, border_ + i, border_ + j));
}

Status LensRecovery::run(View<const float> capture, std::span<const double> noise, View<float> image,
                         Context& context) noexcept {
    const Shape expected{data_.shape()[0], rows_, columns_};
    if (capture.shape() != expected || image.shape() != expected || std::ssize(noise) != noise_.elements())
        return Status::size_mismatch;
    for (const double variance : noise)
        if (!(variance > 0)) return Status::invalid_argument;
    const float scale = network_->entry_scale();
    // Beyond the far border what continues this side fades into what precedes the other.
    const auto fade = [this](Index place, Index size, Index domain) {
        const Index past = place - border_ - size + 1;  // 1, 2, ... beyond the far border
        return past <= 0 ? 1.0F : 1 - static_cast<float>(past) / static_cast<float>(domain - size + 1);
    };
    for (Index c = 0; c < capture.size(0); ++c)
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
                data_(c, i, j) =
                    scale *
                    (down * (right * capture(c, below, after) + (1 - right) * capture(c, below, before)) +
                     (1 - down) *
                         (right * capture(c, above, after) + (1 - right) * capture(c, above, before)));
            }
        }
    for (Index c = 0; c < noise_.elements(); ++c)
        noise_.data()[c] = static_cast<float>(noise[static_cast<std::size_t>(c)]);
    start_solver_->set_noise(noise);
    if (const Status status = start_solver_->run(data_, estimate_, context); status != Status::ok)
        return status;
    if (linear_.elements() > 0) cut(estimate_, linear_.view());
    const Observation observation{.data = data_, .forward = &blur_, .spectral = &blur_, .noise = noise_};
    const Status status = network_->run_from(estimate_, observation, estimate_, context);
    cut(estimate_, image);
    return status;
}

}  // namespace sonolux

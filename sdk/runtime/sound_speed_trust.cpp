// sonolux/sdk/runtime/sound_speed_trust.cpp
//
// How far a map is to be trusted, by the reconstructor that made it.
#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

namespace sonolux {

namespace {

constexpr float nowhere = std::numeric_limits<float>::quiet_NaN();

}  // namespace

std::size_t SoundSpeedReconstructor::judging_bytes() const noexcept {
    const Shape domain = forward_->domain();
    const Index all = forward_->range().elements(), pixels = domain.elements();
    return Workspace::bytes<float>(all) + Workspace::bytes<float>(trust_pixel_features * pixels) +
           std::max(forward_->workspace_bytes(context_), trust_features_bytes(domain[0], domain[1]));
}

void SoundSpeedReconstructor::judge(const Mapped& mapped, View<const float> speed, View<const float> start,
                                    MapTrust& trust) noexcept {
    Scratch scratch(context_.workspace());
    const Shape range = forward_->range(), domain = forward_->domain();
    const View<float> residual = scratch.take<float>(range);
    const View<float> features = scratch.take<float>({trust_pixel_features, domain[0], domain[1]});
    forward_->apply(mapped.image, residual, context_);
    for (Index i = 0; i < residual.elements(); ++i)
        residual.data()[i] = static_cast<float>(
            mapped.whitening.deviation * (double{mapped.whitened.data()[i]} - double{residual.data()[i]}));
    const TrustInput frame{.speed = speed,
                           .start = start,
                           .residual = residual,
                           .counts = mapped.counts,
                           .uniform_speed = report_.uniform_speed,
                           .deviation = report_.deviation,
                           .measured = report_.measured};
    const bool of_pixels = !trust.features.empty() || (!trust.deviation.empty() && calibrated());
    trust.frame = trust_features(frame, of_pixels ? features : View<float>(), context_.workspace());
    trust.unexplained = trust.frame.unexplained;
    if (calibrated()) trust.score = trust_score(*calibration_, trust_distance(*calibration_, trust.frame));
    if (!trust.features.empty()) std::copy_n(features.data(), features.elements(), trust.features.data());
    if (!trust.deviation.empty() && calibrated())
        trust_deviation(*calibration_, features, trust.deviation);
    else if (!trust.deviation.empty())
        std::fill_n(trust.deviation.data(), trust.deviation.elements(), nowhere);
    if (!trust.residual.empty())
        for (Index i = 0; i < residual.elements(); ++i)
            trust.residual.data()[i] = mapped.counts.data()[i] != 0 ? residual.data()[i] : nowhere;
}

}  // namespace sonolux

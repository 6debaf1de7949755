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
    const std::size_t halves = 3 * Workspace::bytes<float>(all) + Workspace::bytes<float>(pixels) +
                               std::max(forward_->workspace_bytes(context_),
                                        coarse_ != nullptr ? coarse_->workspace_bytes(context_) : 0);
    return Workspace::bytes<float>(all) + 3 * Workspace::bytes<float>(pixels) +
           Workspace::bytes<float>(trust_pixel_features * pixels) +
           std::max(halves, trust_features_bytes(domain[0], domain[1]));
}

double SoundSpeedReconstructor::halve(const Mapped& mapped, View<float> of_even,
                                      View<float> of_odd) noexcept {
    Scratch scratch(context_.workspace());
    const Shape range = forward_->range(), domain = forward_->domain();
    const View<float> data = scratch.take<float>(range), half = scratch.take<float>(range);
    const View<float> told = scratch.take<float>(range), x0 = scratch.take<float>(domain);
    const Index pixels = domain.elements();
    double left = 0, all = 0;
    for (const Index parity : {0, 1}) {
        for (Index n = 0; n < half.elements(); ++n) {
            half.data()[n] = n / pixels % 2 == parity ? mapped.counts.data()[n] : 0.0f;
            data.data()[n] = half.data()[n] != 0 ? mapped.whitened.data()[n] : 0.0f;
        }
        Whitening whitening = mapped.whitening;
        coarse_->start(data, half, x0, whitening, context_);
        to_sound_speed(x0, whitening, problem_, parity == 0 ? of_even : of_odd);
        forward_->apply(x0, told, context_);
        for (Index n = 0; n < told.elements(); ++n) {
            if (mapped.counts.data()[n] == 0 || half.data()[n] != 0) continue;
            const double there = mapped.whitening.deviation * double{mapped.whitened.data()[n]};
            const double less = there - whitening.deviation * double{told.data()[n]};
            left += less * less;
            all += there * there;
        }
    }
    return all > 0 ? std::sqrt(left / all) : 1;
}

void SoundSpeedReconstructor::judge(const Mapped& mapped, View<const float> speed, View<const float> start,
                                    MapTrust& trust) noexcept {
    Scratch scratch(context_.workspace());
    const Shape range = forward_->range(), domain = forward_->domain();
    const View<float> residual = scratch.take<float>(range);
    const View<float> features = scratch.take<float>({trust_pixel_features, domain[0], domain[1]});
    const View<float> of_even = scratch.take<float>(domain), of_odd = scratch.take<float>(domain);
    forward_->apply(mapped.image, residual, context_);
    for (Index i = 0; i < residual.elements(); ++i)
        residual.data()[i] = static_cast<float>(
            mapped.whitening.deviation * (double{mapped.whitened.data()[i]} - double{residual.data()[i]}));
    TrustInput frame{.speed = speed,
                     .start = start,
                     .of_even = {},
                     .of_odd = {},
                     .residual = residual,
                     .counts = mapped.counts,
                     .uniform_speed = report_.uniform_speed,
                     .deviation = report_.deviation,
                     .measured = report_.measured};
    if (coarse_ != nullptr && range[0] > 1) {
        frame.held_out = halve(mapped, of_even, of_odd);
        frame.of_even = of_even;
        frame.of_odd = of_odd;
    }
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

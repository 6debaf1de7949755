// sonolux/solvers/split_stage.hpp
//
// One step of half-quadratic splitting (D. Geman and C. Yang 1995) for images of light behind a periodic blur
// K of channels into as many, whose noise has variance N in each of them:
//
//     p  = max(x, 0)                                            light is not negative
//     q  = R'(v) / (dv / dp),    v = s sqrt(p / s + e)          what the regulariser objects to
//     x' = p + (K^H N^-1 K + D)^-1 [ K^H N^-1 (y - K p) - P q ]
//
// R is a field of experts over all channels. It looks at v, in which edges in the dark count about as they do
// for the eye and photon noise has about the same size everywhere; s is the network's value_scale and e =
// 1/512. D, the trust in p, and P, how q spreads, are at each frequency f
//
//     D = diag(c) + a S(f)^-1,    P = diag(b) + g S(f)^-1
//
// with the cross-power S of the channels of sharp images (channel_spectrum.hpp), which is part of the
// parameters but is not learned, and S(0)^-1 = 0. D = S^-1, p = q = 0 is the linear estimate of least mean
// squared error (classical/channel_lmmse.hpp), from which such networks usually start. The bracket is solved
// exactly: in spectra it is a small Hermitian system at each frequency, solved in double.
#pragma once

#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/solvers/channel_spectrum.hpp>
#include <sonolux/solvers/stage.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux {

/// Parameters, in order:
///
///     filters               [filters, coefficients]
///     activation            [1, filters * nodes]
///     log_coupling          [channels]                log c
///     log_spectrum          [1]                       log a
///     log_push              [channels]                log b
///     log_push_spectrum     [1]                       log g
///     spectrum              [bins, channels^2]        S, for image values in [0, 1]; fixed
///
/// Observations need `spectral`, of one patch and the prior's number of channels, and `noise`.
class SplitStage final : public Stage {
public:
    static constexpr Index most_channels = 4;
    static constexpr float curve_offset = 1.0f / 512;  ///< e

    /// Throws Error{invalid_argument} naming the field: neither momentum nor polynomials in sigma, and a
    /// prior that is as periodic as the blur.
    explicit SplitStage(const VariationalNetworkOptions& options);

    [[nodiscard]] Index channels() const noexcept override { return prior_.channels(); }
    [[nodiscard]] Index planes() const noexcept override { return channels(); }
    [[nodiscard]] std::vector<Parameter> parameters() const override;
    void update(std::span<const float> parameters, float sigma) override;
    void check(Index rows, Index columns, const Observation&) const override;
    [[nodiscard]] std::size_t workspace_bytes(Index rows, Index columns, const Observation&,
                                              const Context&) const noexcept override;
    [[nodiscard]] std::size_t forward_workspace_bytes(Index rows, Index columns, const Observation&,
                                                      const Context&) const noexcept override;
    [[nodiscard]] Index kept_floats(Index rows, Index columns) const noexcept override {
        return channels() * rows * columns + prior_.kept_floats(rows, columns);
    }
    void forward(View<const float> state, const Observation&, View<float> next,
                 Context&) const noexcept override;
    void backward(View<const float> state, const Observation&, View<const float> next,
                  View<const float> next_bar, View<float> state_bar, std::span<float> parameter_bar,
                  View<float> data_bar, Context&) const noexcept override;

private:
    struct System;
    [[nodiscard]] Index prior_parameters() const noexcept { return prior_.parameter_count(); }
    // Where the regulariser keeps its responses, behind its result; null: nowhere.
    [[nodiscard]] float* kept_responses(const Observation&, View<const float> state) const noexcept;
    void curve(View<const float> state, View<float> p, View<float> v) const noexcept;

    VariationalNetworkOptions options_;
    FieldsOfExperts prior_;
    ChannelSpectrum inverse_;                                         // S^-1
    double coupling_[most_channels] = {}, push_[most_channels] = {};  // c, b
    double spectrum_weight_ = 0, push_spectrum_ = 0;                  // a, g
};

}  // namespace sonolux

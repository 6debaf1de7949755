// sonolux/priors/convolutional_network.hpp
//
// A small convolutional network in the place of a prior's gradient, as the Fourier deconvolution network uses
// one (Kruse, Rother and Schmidt 2017, Learning to push the limits of efficient FFT-based image
// deconvolution).
//
//     h_0 = x
//     h_l = a(W_l * B h_{l-1} + b_l)         l = 1 ... L - 1,   `features` channels each
//     n(x) = W_L * B h_{L-1} + b_L           one channel
//
//     (W * h)[o, r, c] = sum over i, u, v of W[o, i, u, v] h[i, r + u - radius, c + v - radius]
//
// W * is the cross-correlation of deep learning frameworks, B extends every channel by the boundary rule
// (`zero` is their padding "same"), and a is
//
//     elu     a(z) = z where z > 0, exp(z) - 1 elsewhere       (Clevert, Unterthiner and Hochreiter 2016)
//     relu    a(z) = max(z, 0), a'(0) = 0
//
// NaN stays NaN under both.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/core/boundary.hpp>
#include <sonolux/priors/prior.hpp>

namespace sonolux {

enum class Nonlinearity { elu, relu };

[[nodiscard]] const char* to_string(Nonlinearity nonlinearity) noexcept;

/// Throws Error{invalid_argument} for any other word.
[[nodiscard]] Nonlinearity nonlinearity_from_string(std::string_view word);

struct ConvolutionalNetworkOptions {
    int layers = 6;     ///< L, 1 to 16 convolutions; the last one makes one channel
    int features = 32;  ///< channels between the layers, 1 to 64
    int size = 3;       ///< of the filters: odd, 3 to 7
    Nonlinearity nonlinearity = Nonlinearity::elu;
    BoundaryRule boundary = BoundaryRule::zero;

    friend bool operator==(const ConvolutionalNetworkOptions&, const ConvolutionalNetworkOptions&) = default;
};

namespace cnn {
struct PackedLayer;
}

/// Parameters: layer by layer, weights [outputs, inputs, size, size] and then biases [outputs].
///
/// The network is no Prior: it has a `gradient`, n(x), and no energy, because its Jacobian is not symmetric.
class ConvolutionalNetwork final : public PriorGradient {
public:
    /// Throws Error{invalid_argument} naming the field.
    explicit ConvolutionalNetwork(const ConvolutionalNetworkOptions& options);

    [[nodiscard]] const ConvolutionalNetworkOptions& options() const noexcept { return options_; }

    /// One convolution, and where its parameters begin in the flat array.
    struct Layer {
        Index outputs, inputs;
        Index weights, biases;
    };
    [[nodiscard]] std::span<const Layer> layers() const noexcept { return layers_; }

    [[nodiscard]] Index parameter_count() const noexcept override;

    /// Where training starts: weights uniform on +-sqrt(6 / (size^2 (inputs + outputs))) (Glorot and Bengio
    /// 2010), biases 0.
    [[nodiscard]] std::vector<float> initial_parameters(std::uint64_t seed) const;

    void update(std::span<const float> parameters) override;

    /// Enough for `gradient` and for `gradient_vjp`; for images beyond 256 x 256 it does not grow.
    [[nodiscard]] std::size_t workspace_bytes(Index rows, Index columns,
                                              const Context&) const noexcept override;

    /// Enough for `gradient` alone, which needs far less: the last rows of every layer, for each thread.
    [[nodiscard]] std::size_t gradient_workspace_bytes(Index rows, Index columns,
                                                       const Context&) const noexcept;

    /// gradient = n(x), on tiles, in parallel. In a tile all layers advance together, row by row, and keep no
    /// more rows than the next layer reads. Every pixel has one order of additions, whatever tile or thread
    /// it falls to. The image and its result must not overlap.
    void gradient(View<const float> x, View<float> gradient, Context&) const noexcept override;

    /// Keeps all layers of a tile of up to 256 x 256 pixels, and goes through them in parallel over rows;
    /// tiles come one after the other, and larger images are computed again where tiles overlap. Sums over
    /// pixels have one order, whatever the number of threads.
    void gradient_vjp(View<const float> x, View<const float> v, View<float> x_bar,
                      std::span<float> parameter_bar, Context&) const noexcept override;

    /// The definition as plain loops in double, allocating as they go: the specification of `gradient` and
    /// `gradient_vjp`.
    void gradient_reference(View<const float> x, View<double> gradient) const;
    void gradient_vjp_reference(View<const float> x, View<const float> v, View<double> x_bar,
                                std::span<double> parameter_bar) const;

    /// How far a pixel of the result sees.
    [[nodiscard]] Index reach() const noexcept { return Index{options_.layers} * (options_.size / 2); }

private:
    [[nodiscard]] cnn::PackedLayer packed(int layer) const noexcept;
    [[nodiscard]] std::size_t vjp_workspace_bytes(Index rows, Index columns, const Context&) const noexcept;

    ConvolutionalNetworkOptions options_;
    std::vector<Layer> layers_;
    std::vector<float> parameters_;

    // The parameters as the kernels want them, and where each layer's begin.
    struct Place {
        Index weights, transposed, biases;
    };
    std::vector<Place> places_;
    Array<float> packed_;
};

}  // namespace sonolux

// sonolux/priors/convolutional_network.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/random.hpp>
#include <sonolux/priors/convolutional_network.hpp>

namespace sonolux {

const char* to_string(Nonlinearity nonlinearity) noexcept {
    return nonlinearity == Nonlinearity::elu ? "elu" : "relu";
}

Nonlinearity nonlinearity_from_string(std::string_view word) {
    for (Nonlinearity nonlinearity : {Nonlinearity::elu, Nonlinearity::relu})
        if (word == to_string(nonlinearity)) return nonlinearity;
    fail(Status::invalid_argument, "nonlinearity must be elu or relu, got \"", word, "\"");
}

ConvolutionalNetwork::ConvolutionalNetwork(const ConvolutionalNetworkOptions& options) : options_(options) {
    require(options.layers >= 1 && options.layers <= 16, Status::invalid_argument,
            "network layers must be 1 to 16, got ", options.layers);
    require(options.features >= 1 && options.features <= 64, Status::invalid_argument,
            "network features must be 1 to 64, got ", options.features);
    require(options.size >= 3 && options.size <= 7 && options.size % 2 == 1, Status::invalid_argument,
            "network filter size must be odd and 3 to 7, got ", options.size);
    require(options.nonlinearity == Nonlinearity::elu || options.nonlinearity == Nonlinearity::relu,
            Status::invalid_argument, "network nonlinearity must be elu or relu, got number ",
            static_cast<int>(options.nonlinearity));
    Index offset = 0;
    for (int l = 0; l < options.layers; ++l) {
        Layer layer;
        layer.inputs = l == 0 ? 1 : options.features;
        layer.outputs = l == options.layers - 1 ? 1 : options.features;
        layer.weights = offset;
        layer.biases = offset + layer.outputs * layer.inputs * options.size * options.size;
        offset = layer.biases + layer.outputs;
        layers_.push_back(layer);
    }
    parameters_.resize(static_cast<std::size_t>(offset));
}

Index ConvolutionalNetwork::parameter_count() const noexcept {
    return static_cast<Index>(parameters_.size());
}

std::vector<float> ConvolutionalNetwork::initial_parameters(std::uint64_t seed) const {
    std::vector<float> parameters(parameters_.size());
    Philox random(seed);
    for (const Layer& layer : layers_) {
        const Index taps = Index{options_.size} * options_.size;
        const double limit = std::sqrt(6.0 / static_cast<double>(taps * (layer.inputs + layer.outputs)));
        for (Index k = layer.weights; k < layer.biases; ++k)
            parameters[k] = static_cast<float>(random.uniform(-limit, limit));
    }
    return parameters;
}

void ConvolutionalNetwork::update(std::span<const float> parameters) {
    require(static_cast<Index>(parameters.size()) == parameter_count(), Status::size_mismatch,
            "this convolutional network takes ", parameter_count(), " parameters, got ", parameters.size());
    std::copy(parameters.begin(), parameters.end(), parameters_.begin());
}

std::size_t ConvolutionalNetwork::workspace_bytes(Index, Index, const Context&) const noexcept { return 0; }

void ConvolutionalNetwork::gradient(View<const float> x, View<float> gradient, Context&) const noexcept {
    Array<double> sum(x.shape());
    gradient_reference(x, sum);
    std::transform(sum.begin(), sum.end(), gradient.begin(), [](double v) { return static_cast<float>(v); });
}

void ConvolutionalNetwork::gradient_vjp(View<const float> x, View<const float> v, View<float> x_bar,
                                        std::span<float> parameter_bar, Context&) const noexcept {
    Array<double> image_sum(x.shape());
    std::vector<double> parameter_sum(parameter_bar.size());
    gradient_vjp_reference(x, v, image_sum, parameter_sum);
    std::transform(image_sum.begin(), image_sum.end(), x_bar.begin(),
                   [](double value) { return static_cast<float>(value); });
    for (std::size_t k = 0; k < parameter_bar.size(); ++k)
        parameter_bar[k] += static_cast<float>(parameter_sum[k]);
}

}  // namespace sonolux

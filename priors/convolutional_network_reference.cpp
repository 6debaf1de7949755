// sonolux/priors/convolutional_network_reference.cpp
//
// A convolutional network from plain loops over the definition. What convolutional_network.cpp computes fast,
// said simply.
#include <algorithm>
#include <cmath>

#include <sonolux/priors/convolutional_network.hpp>

namespace sonolux {

namespace {

double activate(Nonlinearity nonlinearity, double z) {
    if (nonlinearity == Nonlinearity::relu) return z < 0 ? 0 : z;
    return z < 0 ? std::expm1(z) : z;
}

double slope(Nonlinearity nonlinearity, double z) {
    if (std::isnan(z) || z > 0) return std::isnan(z) ? z : 1;
    return nonlinearity == Nonlinearity::relu ? 0 : std::exp(z);
}

// Calls body(output, input, weight, pixel of the output, pixel of the input) for every
// product in the convolution; products with the zero outside are left out.
template <class Body>
void for_each_product(const ConvolutionalNetworkOptions& options, const ConvolutionalNetwork::Layer& layer,
                      Index rows, Index columns, Body body) {
    const Index size = options.size, radius = size / 2;
    for (Index o = 0; o < layer.outputs; ++o)
        for (Index i = 0; i < layer.inputs; ++i)
            for (Index u = 0; u < size; ++u)
                for (Index v = 0; v < size; ++v) {
                    const Index weight = layer.weights + ((o * layer.inputs + i) * size + u) * size + v;
                    for (Index row = 0; row < rows; ++row) {
                        const Index from_row = boundary_index(options.boundary, row + u - radius, rows);
                        if (from_row < 0) continue;
                        for (Index column = 0; column < columns; ++column) {
                            const Index from_column =
                                boundary_index(options.boundary, column + v - radius, columns);
                            if (from_column < 0) continue;
                            body(o, i, weight, row * columns + column, from_row * columns + from_column);
                        }
                    }
                }
}

// z_1 ... z_L, each [outputs, rows * columns], and h_0 ... h_{L-1}.
struct Trace {
    std::vector<Array<double>> before, after;
};

Trace run(const ConvolutionalNetworkOptions& options, std::span<const ConvolutionalNetwork::Layer> layers,
          std::span<const float> parameters, View<const float> x) {
    const Index rows = x.rows(), columns = x.columns(), pixels = rows * columns;
    Trace trace;
    trace.after.emplace_back(Shape{1, pixels});
    std::copy_n(x.data(), pixels, trace.after[0].data());
    for (const ConvolutionalNetwork::Layer& layer : layers) {
        Array<double> z({layer.outputs, pixels});
        for (Index o = 0; o < layer.outputs; ++o)
            std::fill_n(&z(o, 0), pixels, double{parameters[layer.biases + o]});
        const Array<double>& h = trace.after.back();
        for_each_product(options, layer, rows, columns,
                         [&](Index o, Index i, Index weight, Index to, Index from) {
                             z(o, to) += double{parameters[weight]} * h(i, from);
                         });
        Array<double> next(z.shape());
        std::transform(z.begin(), z.end(), next.begin(),
                       [&](double value) { return activate(options.nonlinearity, value); });
        trace.before.push_back(std::move(z));
        trace.after.push_back(std::move(next));
    }
    return trace;
}

}  // namespace

void ConvolutionalNetwork::gradient_reference(View<const float> x, View<double> gradient) const {
    const Trace trace = run(options_, layers_, parameters_, x);
    std::copy(trace.before.back().begin(), trace.before.back().end(), gradient.begin());
}

void ConvolutionalNetwork::gradient_vjp_reference(View<const float> x, View<const float> v,
                                                  View<double> x_bar, std::span<double> parameter_bar) const {
    const Trace trace = run(options_, layers_, parameters_, x);
    const Index pixels = x.elements();
    Array<double> z_bar({1, pixels});
    std::copy(v.begin(), v.end(), z_bar.begin());
    for (std::size_t l = layers_.size(); l-- > 0;) {
        const Layer& layer = layers_[l];
        const Array<double>& h = trace.after[l];
        Array<double> h_bar(h.shape());
        for (Index o = 0; o < layer.outputs; ++o)
            for (Index p = 0; p < pixels; ++p) parameter_bar[layer.biases + o] += z_bar(o, p);
        for_each_product(options_, layer, x.rows(), x.columns(),
                         [&](Index o, Index i, Index weight, Index to, Index from) {
                             parameter_bar[weight] += z_bar(o, to) * h(i, from);
                             h_bar(i, from) += z_bar(o, to) * double{parameters_[weight]};
                         });
        if (l > 0)
            for (Index k = 0; k < h_bar.elements(); ++k)
                h_bar.data()[k] *= slope(options_.nonlinearity, trace.before[l - 1].data()[k]);
        z_bar = std::move(h_bar);
    }
    std::copy(z_bar.begin(), z_bar.end(), x_bar.begin());
}

}  // namespace sonolux

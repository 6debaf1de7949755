// tests/support/tiny_lens_model.hpp
//
// A lens that blurs by a few pixels, and an network for it that nobody trained.
#pragma once

#include <algorithm>
#include <cmath>

#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {

/// Gaussians of sum 1, in channel c of deviation first + c step pixels.
inline Array<float> gaussian_lens_kernels(Index size, double first, double step) {
    Array<float> kernels({3, size, size});
    for (Index c = 0; c < 3; ++c) {
        const double sigma = first + step * static_cast<double>(c);
        double sum = 0;
        for (int pass = 0; pass < 2; ++pass)
            for (Index i = 0; i < size; ++i)
                for (Index j = 0; j < size; ++j) {
                    const auto y = static_cast<double>(i - size / 2), x = static_cast<double>(j - size / 2);
                    const double tap = std::exp(-(x * x + y * y) / (2 * sigma * sigma));
                    if (pass == 0)
                        sum += tap;
                    else
                        kernels(c, i, j) = static_cast<float>(tap / sum);
                }
    }
    return kernels;
}

inline Array<float> tiny_lens_kernels(Index size = 9) { return gaussian_lens_kernels(size, 0.6, 0.5); }

inline Model tiny_lens_model() {
    VariationalNetworkOptions options;
    options.stages = 2;
    options.step = StepRule::split;
    options.prior.filters = {FilterKind::dct, 6, 3, 3};
    options.prior.boundary = BoundaryRule::circular;
    options.prior.border = BorderGradient::exact;
    const auto network = make_variational_network(options);
    initialise(*network, options);
    // The data and the spectrum decide, the regulariser says little.
    for (const Parameter& parameter : network->layout())
        if (parameter.name.ends_with(".log_coupling") || parameter.name.ends_with(".log_push"))
            std::fill_n(network->parameters().begin() + parameter.offset, parameter.shape.elements(), 2.0F);
    Model model;
    model.name = "tiny_lens";
    set_lens(model.problem, {8e-6, {0.8, 1.0, 0.7}, 5000, 20000, 10});
    set_network(model, options, *network);
    model.tensors.push_back({kernels_tensor, tiny_lens_kernels()});
    return model;
}

/// Bars and a slope in three colours, in light.
inline Array<float> tiny_lens_scene(Index rows, Index columns) {
    Array<float> scene({3, rows, columns});
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)
                scene(c, i, j) = static_cast<float>(((i / 7 + j / 9 + c) % 3 == 0 ? 0.6 : 0.1) +
                                                    0.2 * static_cast<double>(i) / static_cast<double>(rows));
    return scene;
}

}  // namespace sonolux

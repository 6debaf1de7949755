// sonolux/priors/response_weights_simd.cpp
//
// Weights of responses, interpolated row by row: first between the two rows of nodes, then along the columns
// with the tabulated hats. Hats that are left out are zero on the whole vector, so that a weight has the same
// bits wherever the window begins. Compiled once per instruction set; see sonolux_add_simd_source.
#include <algorithm>

#include <sonolux/priors/fields_of_experts_simd.hpp>

namespace sonolux::foe::SLX_ISA_NAMESPACE {

namespace {

// The row of nodes above a response, and how far it is from it to the next.
struct Place {
    int node;
    double beyond;
};

inline Place place(const Weights& weights, Index row) noexcept {
    const double at = static_cast<double>(weights.row + row) * weights.row_step;
    const int node = std::min(static_cast<int>(at), weights.count - 2);
    return {node, at - node};
}

// The nodes that matter to a vector of columns from `column` of the responses on.
struct Nodes {
    int begin, end;
};

inline Nodes nodes_of(const Weights& weights, Index column) noexcept {
    return {weights.first[column], weights.first[column + lanes - 1] + 2};
}

}  // namespace

void weigh(Plane phi, Index rows, Index columns, const Weights& weights) noexcept {
    float between[most_weight_nodes];
    for (Index r = 0; r < rows; ++r) {
        const Place above = place(weights, r);
        const float* nodes = weights.nodes + Index{above.node} * weights.count;
        const auto t = static_cast<float>(above.beyond);
        for (int n = 0; n < weights.count; ++n)
            between[n] = multiply_add(t, nodes[weights.count + n] - nodes[n], nodes[n]);
        float* values = phi.at(r, 0);
        for (Index j = 0; j < columns; j += lanes) {
            const Nodes near = nodes_of(weights, weights.column + j);
            Vector w{};
            for (int n = near.begin; n < near.end; ++n)
                w = multiply_add(splat(between[n]),
                                 load(weights.hats + n * weights.stride + weights.column + j), w);
            store(values + j, load(values + j) * w);
        }
    }
}

void weight_gradient(Plane a, Plane b, Index rows, Index columns, const Weights& weights,
                     double* gradient) noexcept {
    Vector sum[most_weight_nodes];
    for (Index r = 0; r < rows; ++r) {
        for (int n = 0; n < weights.count; ++n) sum[n] = Vector{};
        for (Index j = 0; j < columns; j += lanes) {
            const Vector product = load(a.at(r, j)) * load(b.at(r, j));
            const Nodes near = nodes_of(weights, weights.column + j);
            for (int n = near.begin; n < near.end; ++n)
                sum[n] = multiply_add(product, load(weights.hats + n * weights.stride + weights.column + j),
                                      sum[n]);
        }
        const Place above = place(weights, r);
        double* row = gradient + Index{above.node} * weights.count;
        for (int n = 0; n < weights.count; ++n) {
            double total = 0;
            for (int i = 0; i < lanes; ++i) total += static_cast<double>(sum[n][i]);
            row[n] += (1 - above.beyond) * total;
            row[weights.count + n] += above.beyond * total;
        }
    }
}

}  // namespace sonolux::foe::SLX_ISA_NAMESPACE

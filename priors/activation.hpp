// sonolux/priors/activation.hpp
//
// Learned scalar functions phi: R -> R, one per filter, linear in their weights.
//
// Two families:
//
//     gaussian_rbf    phi(z) = sum_j w_j exp(-(z - mu_j)^2 / (2 s^2)),  mu_j equally spaced on [lower, upper]
//     linear_knots    phi(z) = linear interpolation of w_j at equally spaced knots on [lower, upper]
//
// (Schmidt and Roth 2014, eq. 10; Chen and Pock 2017, eq. 13; linear knots as in Vishnevskiy et al. 2019.)
// Outside [table_lower, table_upper] phi keeps the value it has at the end.
//
// The fast path evaluates phi from a table of cubic Hermite segments. The table is a linear map of the
// weights, so training through the table has the exact gradient of what inference computes. Its error against
// the exact Gaussian mixture is below (h / s)^4 / 128 per unit of weight for segments of length h (Hermite
// remainder h^4 / 384 times the largest fourth derivative, 3 / s^4); knots on segment ends are reproduced
// exactly.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include <sonolux/core/view.hpp>

namespace sonolux {

enum class ActivationKind { gaussian_rbf, linear_knots };

struct ActivationOptions {
    ActivationKind kind = ActivationKind::gaussian_rbf;
    int nodes = 31;            ///< Gaussians or knots, 2 to 256
    float lower = -150;        ///< centre of the first node
    float upper = 150;         ///< centre of the last node
    float width = 10;          ///< standard deviation s of a Gaussian; knots ignore it
    float table_lower = -160;  ///< where the table begins
    float table_upper = 160;   ///< and ends
    int segments = 64;         ///< cubic segments of the table, 1 to 1024

    friend bool operator==(const ActivationOptions&, const ActivationOptions&) = default;
};

/// Turns weights into tables and table gradients into weight gradients.
///
/// A table is [4, segments]: on segment k, with t in [0, 1], phi = c0[k] + t (c1[k] + t (c2[k] + t c3[k])).
/// Knots must lie on segment ends: their tables cover exactly [lower, upper] with a multiple of nodes - 1
/// segments.
class Activation {
public:
    /// Throws Error{invalid_argument} naming the field.
    explicit Activation(const ActivationOptions& options);

    [[nodiscard]] const ActivationOptions& options() const noexcept { return options_; }
    [[nodiscard]] Index table_size() const noexcept { return Index{4} * options_.segments; }

    /// phi(z) from the definition, in double. The specification.
    [[nodiscard]] double exact(std::span<const float> weights, double z) const noexcept;

    /// phi'(z) from the definition, in double.
    [[nodiscard]] double exact_derivative(std::span<const float> weights, double z) const noexcept;

    [[nodiscard]] float inverse_step() const noexcept {
        return static_cast<float>(options_.segments / (double{options_.table_upper} - options_.table_lower));
    }

    /// weights [nodes] -> table [4, segments].
    void tabulate(std::span<const float> weights, float* table) const noexcept;

    /// The transpose of `tabulate`: adds d(table)/d(weights)^T table_bar to weights_bar [nodes].
    void tabulate_vjp(const double* table_bar, std::span<float> weights_bar) const noexcept;

    /// Weights with which phi comes close to a given function: node values for knots, and for Gaussians the
    /// least-squares fit between the outer nodes.
    [[nodiscard]] std::vector<float> fit(const std::function<double(double z)>& function) const;

private:
    // Value and slope of each node's basis function at z, in double.
    [[nodiscard]] double basis(int node, double z) const noexcept;
    [[nodiscard]] double basis_slope(int node, double z) const noexcept;
    [[nodiscard]] double clamped(double z) const noexcept;

    ActivationOptions options_;
    // value and derivative of each node's basis function at the segment ends, slopes per segment: [segments +
    // 1, nodes]
    std::vector<double> value_, slope_;
    struct Range {
        int begin, end;
    };
    std::vector<Range> near_;  // the nodes that matter at a segment end: [segments + 1]
};

}  // namespace sonolux

// sonolux/priors/activation.cpp
#include <algorithm>
#include <cmath>

#include <Eigen/Dense>

#include <sonolux/core/error.hpp>
#include <sonolux/priors/activation.hpp>

namespace sonolux {

Activation::Activation(const ActivationOptions& options) : options_(options) {
    const auto& o = options_;
    require(o.nodes >= 2 && o.nodes <= 256, Status::invalid_argument,
            "activation nodes must be 2 to 256, got ", o.nodes);
    require(std::isfinite(o.lower) && std::isfinite(o.upper) && o.lower < o.upper, Status::invalid_argument,
            "activation lower must be below upper, got ", o.lower, " and ", o.upper);
    require(std::isfinite(o.table_lower) && std::isfinite(o.table_upper) && o.table_lower < o.table_upper,
            Status::invalid_argument, "activation table_lower must be below table_upper, got ", o.table_lower,
            " and ", o.table_upper);
    require(o.segments >= 1 && o.segments <= 1024, Status::invalid_argument,
            "activation segments must be 1 to 1024, got ", o.segments);
    if (o.kind == ActivationKind::gaussian_rbf)
        require(std::isfinite(o.width) && o.width > 0, Status::invalid_argument,
                "activation width must be above 0, got ", o.width);
    else
        require(o.table_lower == o.lower && o.table_upper == o.upper && o.segments % (o.nodes - 1) == 0,
                Status::invalid_argument,
                "the table of linear knots must cover exactly [lower, upper] with a multiple of nodes - 1 = ",
                o.nodes - 1, " segments, got ", o.segments, " on [", o.table_lower, ", ", o.table_upper, "]");

    const double step = (double{o.table_upper} - o.table_lower) / o.segments;
    for (int k = 0; k <= o.segments; ++k)
        for (int j = 0; j < o.nodes; ++j) {
            value_.push_back(basis(j, o.table_lower + k * step));
            slope_.push_back(basis_slope(j, o.table_lower + k * step) * step);
        }
    // A Gaussian 9 standard deviations away is below 2^-58: less than a double can add to the near ones.
    constexpr double negligible = 0x1p-58;
    for (int k = 0; k <= o.segments; ++k) {
        Range range{o.nodes, 0};
        for (int j = 0; j < o.nodes; ++j) {
            const int i = k * o.nodes + j;
            if (std::abs(value_[i]) <= negligible && std::abs(slope_[i]) <= negligible) continue;
            range = {std::min(range.begin, j), j + 1};
        }
        near_.push_back(range);
    }
}

double Activation::basis(int node, double z) const noexcept {
    const double spacing = (double{options_.upper} - options_.lower) / (options_.nodes - 1);
    const double distance = z - (options_.lower + node * spacing);
    if (options_.kind == ActivationKind::linear_knots) return std::max(0.0, 1 - std::abs(distance) / spacing);
    const double u = distance / options_.width;
    return std::exp(-0.5 * u * u);
}

double Activation::basis_slope(int node, double z) const noexcept {
    const double spacing = (double{options_.upper} - options_.lower) / (options_.nodes - 1);
    const double distance = z - (options_.lower + node * spacing);
    if (options_.kind == ActivationKind::linear_knots)
        return distance >= -spacing && distance < 0  ? 1 / spacing
               : distance >= 0 && distance < spacing ? -1 / spacing
                                                     : 0;
    return -distance / (double{options_.width} * options_.width) * basis(node, z);
}

double Activation::clamped(double z) const noexcept {
    return std::isnan(z) ? z : std::clamp<double>(z, options_.table_lower, options_.table_upper);
}

double Activation::exact(std::span<const float> weights, double z) const noexcept {
    double sum = 0;
    for (int j = 0; j < options_.nodes; ++j) sum += weights[j] * basis(j, clamped(z));
    return sum;
}

double Activation::exact_derivative(std::span<const float> weights, double z) const noexcept {
    if (z < options_.table_lower || z > options_.table_upper) return 0;
    double sum = 0;
    for (int j = 0; j < options_.nodes; ++j) sum += weights[j] * basis_slope(j, z);
    return sum;
}

void Activation::tabulate(std::span<const float> weights, float* table) const noexcept {
    const int n = options_.nodes, segments = options_.segments;
    auto at_end = [&](const std::vector<double>& basis, int k) {
        double sum = 0;
        for (int j = near_[k].begin; j < near_[k].end; ++j) sum += weights[j] * basis[k * n + j];
        return sum;
    };
    double f0 = at_end(value_, 0), m0 = at_end(slope_, 0);
    for (int k = 0; k < segments; ++k) {
        const double f1 = at_end(value_, k + 1), m1 = at_end(slope_, k + 1);
        const bool linear = options_.kind == ActivationKind::linear_knots;
        table[k] = static_cast<float>(f0);
        table[segments + k] = static_cast<float>(linear ? f1 - f0 : m0);
        table[2 * segments + k] = static_cast<float>(linear ? 0 : 3 * (f1 - f0) - 2 * m0 - m1);
        table[3 * segments + k] = static_cast<float>(linear ? 0 : 2 * (f0 - f1) + m0 + m1);
        f0 = f1;
        m0 = m1;
    }
}

void Activation::tabulate_vjp(const double* table_bar, std::span<float> weights_bar) const noexcept {
    const int n = options_.nodes, segments = options_.segments;
    const bool linear = options_.kind == ActivationKind::linear_knots;
    double sum[256] = {};
    // Upstreams of value and slope at segment end k, which segments k - 1 and k share.
    double value = 0, slope = 0;
    for (int k = 0; k <= segments; ++k) {
        double next_value = 0, next_slope = 0;
        if (k < segments) {
            const double c0 = table_bar[k], c1 = table_bar[segments + k];
            const double c2 = table_bar[2 * segments + k], c3 = table_bar[3 * segments + k];
            value += linear ? c0 - c1 : c0 - 3 * c2 + 2 * c3;
            slope += linear ? 0 : c1 - 2 * c2 + c3;
            next_value = linear ? c1 : 3 * c2 - 2 * c3;
            next_slope = linear ? 0 : c3 - c2;
        }
        if (value != 0 || slope != 0)
            for (int j = near_[k].begin; j < near_[k].end; ++j)
                sum[j] += value * value_[k * n + j] + slope * slope_[k * n + j];
        value = next_value;
        slope = next_slope;
    }
    for (int j = 0; j < n; ++j) weights_bar[j] += static_cast<float>(sum[j]);
}

std::vector<float> Activation::fit(const std::function<double(double)>& function) const {
    const auto& o = options_;
    // Least squares at the segment ends between the outer nodes, with a little ridge: neighbouring Gaussians
    // are nearly dependent, and without it their weights would alternate.
    Eigen::MatrixXd basis_at = Eigen::MatrixXd::Zero(o.segments + 1, o.nodes);
    Eigen::VectorXd wanted = Eigen::VectorXd::Zero(o.segments + 1);
    const double step = (double{o.table_upper} - o.table_lower) / o.segments;
    for (int k = 0; k <= o.segments; ++k) {
        const double z = o.table_lower + k * step;
        if (z < o.lower || z > o.upper) continue;
        for (int j = 0; j < o.nodes; ++j) basis_at(k, j) = value_[k * o.nodes + j];
        wanted(k) = function(z);
    }
    Eigen::MatrixXd normal = basis_at.transpose() * basis_at;
    normal.diagonal().array() += 1e-4 * normal.diagonal().maxCoeff();
    const Eigen::VectorXd weights = normal.ldlt().solve(basis_at.transpose() * wanted);
    std::vector<float> result(o.nodes);
    for (int j = 0; j < o.nodes; ++j) result[j] = static_cast<float>(weights(j));
    return result;
}

}  // namespace sonolux

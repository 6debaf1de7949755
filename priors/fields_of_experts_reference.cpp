// sonolux/priors/fields_of_experts_reference.cpp
//
// Fields of experts from plain loops over the definition. What fields_of_experts.cpp computes fast, said
// simply.
#include <algorithm>
#include <cmath>
#include <vector>

#include <sonolux/priors/fields_of_experts.hpp>

namespace sonolux {

namespace {

// phi from a table, as the fast path reads it.
double tabulated(const ActivationOptions& options, const float* table, double z) {
    const int n = options.segments;
    if (std::isnan(z)) return z;
    const double position = std::clamp<double>(
        (z - options.table_lower) * n / (double{options.table_upper} - options.table_lower), 0, n);
    const int k = std::min(static_cast<int>(position), n - 1);
    const double t = position - k;
    return table[k] + t * (table[n + k] + t * (table[2 * n + k] + t * double{table[3 * n + k]}));
}

// The weight of response (row, column) of rows x columns, bilinear between nodes on [count, count].
double weight(const float* nodes, int count, Index row, Index column, Index rows, Index columns) {
    if (count == 0) return 1;
    const auto place = [count](Index i, Index size) {
        return size > 1 ? static_cast<double>(i) * (count - 1) / static_cast<double>(size - 1) : 0.0;
    };
    const double r = place(row, rows), c = place(column, columns);
    const int m = std::min(static_cast<int>(r), count - 2), n = std::min(static_cast<int>(c), count - 2);
    const auto node = [&](int i, int j) { return double{nodes[i * count + j]}; };
    const auto along = [&](int i) { return node(i, n) + (c - n) * (node(i, n + 1) - node(i, n)); };
    return along(m) + (r - m) * (along(m + 1) - along(m));
}

// sum_i K_i^T (w_i phi_i(K_i x)) with phi(filter, z) given, by any border rule.
template <class Phi>
void reference(const FieldsOfExpertsOptions& options, View<const float> filters, const float* maps,
               View<const float> x, Phi phi, View<double> gradient) {
    const Index rows = x.rows(), columns = x.columns(), size = options.filters.size;
    const Index channels = options.filters.channels;
    const bool valid = options.border == BorderGradient::valid;
    // Responses are at [-grow, rows + grow - cut), their filters' first taps `radius` before them.
    const Index radius = valid ? 0 : size / 2, cut = valid ? size - 1 : 0;
    const Index grow = options.border == BorderGradient::cropped ? radius : 0;
    const int nodes = options.weight_nodes;
    auto pixel = [&](Index c, Index i, Index j) -> double {
        const Index row = boundary_index(options.boundary, i, rows);
        const Index column = boundary_index(options.boundary, j, columns);
        return row < 0 || column < 0 ? 0.0 : plane_of(x, c)(row, column);
    };
    std::fill(gradient.begin(), gradient.end(), 0.0);
    for (Index f = 0; f < options.filters.count; ++f) {
        auto tap = [&](Index c, Index row, Index column) { return plane_of(filters[f], c)(row, column); };
        for (Index i = -grow; i < rows + grow - cut; ++i)
            for (Index j = -grow; j < columns + grow - cut; ++j) {
                double z = 0;
                for (Index c = 0; c < channels; ++c)
                    for (Index dy = -radius; dy < size - radius; ++dy)
                        for (Index dx = -radius; dx < size - radius; ++dx)
                            z += tap(c, dy + radius, dx + radius) * pixel(c, i + dy, j + dx);
                const double w = weight(maps + f * nodes * nodes, nodes, i + grow, j + grow,
                                        rows + 2 * grow - cut, columns + 2 * grow - cut);
                const double response = options.scale * w * phi(f, z);
                for (Index dy = -radius; dy < size - radius; ++dy)
                    for (Index dx = -radius; dx < size - radius; ++dx) {
                        Index row = i + dy, column = j + dx;
                        const bool inside = row >= 0 && row < rows && column >= 0 && column < columns;
                        if (!inside) {
                            if (options.border == BorderGradient::cropped) continue;
                            row = boundary_index(options.boundary, row, rows);
                            column = boundary_index(options.boundary, column, columns);
                            if (row < 0 || column < 0) continue;
                        }
                        for (Index c = 0; c < channels; ++c)
                            plane_of(gradient, c)(row, column) += tap(c, dy + radius, dx + radius) * response;
                    }
            }
    }
}

}  // namespace

void FieldsOfExperts::gradient_reference(View<const float> x, View<float> gradient) const {
    Array<double> sum(x.shape());
    reference(
        options_, filters_, maps_.data(), x,
        [&](Index f, double z) {
            return tabulated(options_.activation, tables_.data() + f * activation_.table_size(), z / range_);
        },
        sum.view());
    std::transform(sum.begin(), sum.end(), gradient.begin(), [](double v) { return static_cast<float>(v); });
}

void FieldsOfExperts::gradient_exact(View<const float> x, View<double> gradient) const {
    const Index nodes = options_.activation.nodes;
    reference(
        options_, filters_, maps_.data(), x,
        [&](Index f, double z) {
            return activation_.exact(
                std::span(parameters_).subspan(filter_parameter_count() + f * nodes, nodes), z / range_);
        },
        gradient);
}

double FieldsOfExperts::value(View<const float> x, Context&) const noexcept {
    const bool valid = options_.border == BorderGradient::valid;
    const Index size = options_.filters.size, radius = valid ? 0 : size / 2, cut = valid ? size - 1 : 0;
    const Index rows = x.rows() - cut, columns = x.columns() - cut;  // of responses
    const int nodes = options_.weight_nodes;
    const ActivationOptions& a = options_.activation;
    const int n = a.segments;
    const double step = (double{a.table_upper} - a.table_lower) / n;
    double total = 0;
    for (Index f = 0; f < options_.filters.count; ++f) {
        const float* table = tables_.data() + f * activation_.table_size();
        // The integral of phi over [table_lower, z]; phi continues at its end values outside.
        auto integral = [&](double z) {
            const double position = (z - a.table_lower) / step;
            if (position < 0) return position * step * table[0];
            double sum = 0;
            auto over = [&](int k, double t) {
                return step * t *
                       (table[k] +
                        t * (table[n + k] / 2.0 + t * (table[2 * n + k] / 3.0 + t * table[3 * n + k] / 4.0)));
            };
            const int last = std::min(static_cast<int>(position), n - 1);
            for (int k = 0; k < last; ++k) sum += over(k, 1);
            sum += over(last, std::min(position - last, 1.0));
            if (position > n) sum += (position - n) * step * tabulated(a, table, a.table_upper);
            return sum;
        };
        const double at_zero = integral(0), range = range_;
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) {
                double z = 0;
                for (Index c = 0; c < channels(); ++c)
                    for (Index dy = -radius; dy < size - radius; ++dy)
                        for (Index dx = -radius; dx < size - radius; ++dx) {
                            const Index row = boundary_index(options_.boundary, i + dy, x.rows());
                            const Index column = boundary_index(options_.boundary, j + dx, x.columns());
                            if (row >= 0 && column >= 0)
                                z += plane_of(filters()[f], c)(dy + radius, dx + radius) *
                                     plane_of(x, c)(row, column);
                        }
                const double w = weight(maps_.data() + f * nodes * nodes, nodes, i, j, rows, columns);
                total += w * range * (integral(z / range) - at_zero);
            }
    }
    return options_.scale * total;
}

}  // namespace sonolux

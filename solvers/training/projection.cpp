// sonolux/solvers/training/projection.cpp
#include <sonolux/solvers/training/projection.hpp>

#include <algorithm>
#include <cmath>

namespace sonolux {

namespace {

void project_row(float* row, Index count) noexcept {
    double mean = 0;
    for (Index i = 0; i < count; ++i) mean += row[i];
    mean /= static_cast<double>(count);
    double square = 0;
    for (Index i = 0; i < count; ++i) square += (row[i] - mean) * (row[i] - mean);
    const double norm = std::max(1.0, std::sqrt(square));
    for (Index i = 0; i < count; ++i) row[i] = static_cast<float>((row[i] - mean) / norm);
}

}  // namespace

void project(std::span<float> parameters, const std::vector<Parameter>& layout) noexcept {
    for (const Parameter& parameter : layout) {
        float* values = parameters.data() + parameter.offset;
        const Index count = parameter.shape.elements();
        switch (parameter.constraint) {
            case Constraint::none:
            case Constraint::fixed: break;
            case Constraint::unit_interval:
                for (Index i = 0; i < count; ++i) values[i] = std::clamp(values[i], 0.0f, 1.0f);
                break;
            case Constraint::zero_mean_unit_ball: {
                const Index rows = parameter.shape.rank() > 1 ? parameter.shape[0] : 1;
                for (Index row = 0; row < rows; ++row)
                    project_row(values + row * (count / rows), count / rows);
                break;
            }
            case Constraint::positive:
                for (Index i = 0; i < count; ++i)
                    values[i] = std::max(values[i], smallest_positive_parameter);
                break;
        }
    }
}

}  // namespace sonolux

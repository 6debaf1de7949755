// sonolux/core/operators/finite_difference.cpp
#include <sonolux/core/operators/finite_difference.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

FiniteDifference::FiniteDifference(Index rows, Index columns) : rows_(rows), columns_(columns) {
    require(rows >= 1, Status::invalid_argument, "finite difference: rows must be at least 1, got ", rows);
    require(columns >= 1, Status::invalid_argument, "finite difference: columns must be at least 1, got ",
            columns);
}

void FiniteDifference::apply(View<const float> x, View<float> gradient, Context& context) const noexcept {
    parallel_rows(context, rows_, columns_, [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i) {
            const float* row = x.row(i);
            float* along_columns = gradient[0].row(i);
            float* along_rows = gradient[1].row(i);
            for (Index j = 0; j + 1 < columns_; ++j) along_columns[j] = row[j + 1] - row[j];
            along_columns[columns_ - 1] = 0;
            const float* below = i + 1 < rows_ ? x.row(i + 1) : row;
            for (Index j = 0; j < columns_; ++j) along_rows[j] = below[j] - row[j];
        }
    });
}

void FiniteDifference::adjoint(View<const float> gradient, View<float> x, Context& context) const noexcept {
    // x[i, j] gains p[0, i, j-1] - p[0, i, j] + p[1, i-1, j] - p[1, i, j], without the differences that are
    // zero across the last column and row.
    parallel_rows(context, rows_, columns_, [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i) {
            const float* along_columns = gradient[0].row(i);
            float* row = x.row(i);
            if (columns_ == 1) {
                row[0] = 0;
            } else {
                row[0] = -along_columns[0];
                for (Index j = 1; j + 1 < columns_; ++j) row[j] = along_columns[j - 1] - along_columns[j];
                row[columns_ - 1] = along_columns[columns_ - 2];
            }
            if (i > 0) {
                const float* above = gradient[1].row(i - 1);
                for (Index j = 0; j < columns_; ++j) row[j] += above[j];
            }
            if (i + 1 < rows_) {
                const float* here = gradient[1].row(i);
                for (Index j = 0; j < columns_; ++j) row[j] -= here[j];
            }
        }
    });
}

}  // namespace sonolux

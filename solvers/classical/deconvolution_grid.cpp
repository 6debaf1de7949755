// sonolux/solvers/classical/deconvolution_grid.cpp
#include <sonolux/solvers/classical/deconvolution_grid.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

namespace {

Index next_product_of_2_3_5(Index size) {
    for (;; ++size) {
        Index rest = size;
        for (Index factor : {2, 3, 5})
            while (rest % factor == 0) rest /= factor;
        if (rest == 1) return size;
    }
}

Index grid_size(Index image, Index kernel, DeconvolutionBorder border) {
    return border == DeconvolutionBorder::circular ? image : next_product_of_2_3_5(image + kernel - 1);
}

/// The kernel with sum 1.
Array<float> normalised(View<const float> kernel) {
    require(kernel.rank() == 2 && !kernel.empty(), Status::invalid_argument,
            "deconvolution: kernel must have rows and columns, at least 1 x 1, got ",
            to_string(kernel.shape()));
    double sum = 0;
    for (Index u = 0; u < kernel.rows(); ++u)
        for (Index v = 0; v < kernel.columns(); ++v) {
            require(std::isfinite(kernel(u, v)) && kernel(u, v) >= 0, Status::invalid_argument,
                    "deconvolution: kernel must be at least 0, got ", kernel(u, v), " at row ", u,
                    ", column ", v);
            sum += double{kernel(u, v)};
        }
    require(sum > 0, Status::invalid_argument, "deconvolution: kernel must have sum 1, got zeros only");
    require(std::abs(sum - 1) <= 1e-3, Status::invalid_argument,
            "deconvolution: kernel must have sum 1 to within 0.001, got ", sum);
    Array<float> result(kernel.shape());
    for (Index u = 0; u < kernel.rows(); ++u)
        for (Index v = 0; v < kernel.columns(); ++v)
            result(u, v) = static_cast<float>(double{kernel(u, v)} / sum);
    return result;
}

const BlurProblem& checked(const BlurProblem& problem) {
    require(problem.rows >= 1, Status::invalid_argument, "deconvolution: rows must be at least 1, got ",
            problem.rows);
    require(problem.columns >= 1, Status::invalid_argument, "deconvolution: columns must be at least 1, got ",
            problem.columns);
    require(std::isfinite(problem.sigma) && problem.sigma > 0 && problem.sigma <= 255,
            Status::invalid_argument,
            "deconvolution: sigma must be above 0 and at most 255, in units of 1/255, got ", problem.sigma);
    require(problem.kernel.rows() <= problem.rows && problem.kernel.columns() <= problem.columns,
            Status::invalid_argument, "deconvolution: kernel must not be larger than the image of ",
            problem.rows, " x ", problem.columns, ", got ", to_string(problem.kernel.shape()));
    return problem;
}

/// 1 - z / max z for the autocorrelation z of period size - 1 of a kernel's marginal, so that the first and
/// the last sample of the line have z = max z.
std::vector<float> taper(const std::vector<double>& marginal, Index size) {
    std::vector<float> weights(static_cast<std::size_t>(size), 1.0f);
    if (size < 2) return weights;
    const Index taps = static_cast<Index>(marginal.size()), period = size - 1;
    std::vector<double> z(weights.size(), 0.0);
    for (Index m = 0; m < taps; ++m)
        for (Index n = 0; n < taps; ++n)
            z[static_cast<std::size_t>(boundary_index(BoundaryRule::circular, n - m, period))] +=
                marginal[static_cast<std::size_t>(m)] * marginal[static_cast<std::size_t>(n)];
    z.back() = z.front();
    for (std::size_t i = 0; i < z.size(); ++i) weights[i] = static_cast<float>(1 - z[i] / z.front());
    return weights;
}

/// |exp(2 pi i k / size) - 1|^2
std::vector<double> difference_power_of(Index size, Index count) {
    std::vector<double> power;
    for (Index k = 0; k < count; ++k) {
        const double half = std::sin(std::numbers::pi * static_cast<double>(k) / static_cast<double>(size));
        power.push_back(4 * half * half);
    }
    return power;
}

/// Which sample stands at a position of a periodic line: what lies between the last and the first is shared
/// between them.
Index continued(Index position, Index first, Index size, Index period) {
    const Index i = boundary_index(BoundaryRule::circular, position - first, period);
    if (i < size) return i;
    return i - size < (period - size + 1) / 2 ? size - 1 : 0;
}

}  // namespace

DeconvolutionBorder deconvolution_border_from_string(std::string_view word) {
    for (auto border :
         {DeconvolutionBorder::circular, DeconvolutionBorder::taper, DeconvolutionBorder::valid})
        if (word == to_string(border)) return border;
    fail(Status::invalid_argument, "border must be circular, taper or valid, got \"", word, "\"");
}

DeconvolutionGrid::DeconvolutionGrid(const BlurProblem& problem)
    : image_rows_(checked(problem).rows),
      image_columns_(problem.columns),
      sigma_(problem.sigma / 255),
      border_(problem.border),
      blur_(grid_size(problem.rows, problem.kernel.rows(), problem.border),
            grid_size(problem.columns, problem.kernel.columns(), problem.border), problem.fft),
      row_power_(difference_power_of(rows(), rows())),
      column_power_(difference_power_of(columns(), columns() / 2 + 1)) {
    const Array<float> kernel = normalised(problem.kernel);
    const Index kernel_rows = kernel.shape()[0], kernel_columns = kernel.shape()[1];
    blur_.set_kernel(kernel, problem.centre);
    scene_rows_ = rows(), scene_columns_ = columns();
    if (border_ == DeconvolutionBorder::valid) {
        // y[i] = sum of k[u] x[i + c - u]: the scene begins kernel - 1 - c before the image.
        const KernelCentre centre =
            problem.centre.value_or(KernelCentre{kernel_rows / 2, kernel_columns / 2});
        top_ = kernel_rows - 1 - centre.row;
        left_ = kernel_columns - 1 - centre.column;
        scene_rows_ = image_rows_ + kernel_rows - 1;
        scene_columns_ = image_columns_ + kernel_columns - 1;
    } else if (border_ == DeconvolutionBorder::taper) {
        // In the middle, where `continued` and the taper meet the grid's edge at the same place.
        top_ = (rows() - image_rows_) / 2;
        left_ = (columns() - image_columns_) / 2;
        std::vector<double> of_rows(static_cast<std::size_t>(kernel_rows), 0.0),
            of_columns(static_cast<std::size_t>(kernel_columns), 0.0);
        for (Index u = 0; u < kernel_rows; ++u)
            for (Index v = 0; v < kernel_columns; ++v) {
                of_rows[static_cast<std::size_t>(u)] += double{kernel(u, v)};
                of_columns[static_cast<std::size_t>(v)] += double{kernel(u, v)};
            }
        row_taper_ = taper(of_rows, rows());
        column_taper_ = taper(of_columns, columns());
    }
}

double DeconvolutionGrid::observed_pixels() const noexcept {
    return static_cast<double>(masked() ? image_rows_ * image_columns_ : pixels());
}

std::size_t DeconvolutionGrid::enter_workspace_bytes(const Context& context) const noexcept {
    return blur_.workspace_bytes(context) + Workspace::bytes<float>(pixels());
}

void DeconvolutionGrid::enter(View<const float> image, View<float> x, Context& context) const noexcept {
    parallel_rows(context, rows(), columns(), [&](Index begin, Index end, int) {
        for (Index i = begin; i < end; ++i) {
            const float* row = image.row(continued(i, top_, image_rows_, rows()));
            for (Index j = 0; j < columns(); ++j)
                x(i, j) = row[continued(j, left_, image_columns_, columns())];
        }
    });
    if (border_ != DeconvolutionBorder::taper) return;
    Scratch scratch(context.workspace());
    const View<float> blurred = scratch.take<float>(shape());
    for (int pass = 0; pass < 3; ++pass) {
        blur_.apply(x, blurred, context);
        parallel_rows(context, rows(), columns(), [&](Index begin, Index end, int) {
            for (Index i = begin; i < end; ++i)
                for (Index j = 0; j < columns(); ++j) {
                    const float a =
                        row_taper_[static_cast<std::size_t>(i)] * column_taper_[static_cast<std::size_t>(j)];
                    x(i, j) = a * x(i, j) + (1 - a) * blurred(i, j);
                }
        });
    }
}

void DeconvolutionGrid::leave(View<const float> x, View<float> image) const noexcept {
    for (Index i = 0; i < image_rows_; ++i)
        std::copy_n(x.row(top_ + i) + left_, image_columns_, image.row(i));
}

}  // namespace sonolux

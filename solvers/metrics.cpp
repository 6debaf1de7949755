// sonolux/solvers/metrics.cpp
#include <sonolux/solvers/metrics.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <sonolux/core/error.hpp>

namespace sonolux {
namespace {

void require_planes(View<const float> image, View<const float> truth) {
    require(image.rank() == 2 && truth.rank() == 2, Status::size_mismatch,
            "image and truth must be planes [rows, columns], got ", to_string(image.shape()), " and ",
            to_string(truth.shape()));
    require(image.shape() == truth.shape(), Status::size_mismatch, "the image is ", to_string(image.shape()),
            " pixels, the truth ", to_string(truth.shape()));
    require(image.elements() > 0, Status::invalid_argument, "the image has no pixels (",
            to_string(image.shape()), ")");
}

template <class Change>
double mean_square(View<const float> image, View<const float> truth, Change change) {
    require_planes(image, truth);
    double total = 0;
    for (Index i = 0; i < image.rows(); ++i) {
        double row = 0;
        for (Index j = 0; j < image.columns(); ++j) {
            const double error = change(double{image(i, j)}) - double{truth(i, j)};
            row += error * error;
        }
        total += row;
    }
    return total / static_cast<double>(image.elements());
}

double decibels(double mean_squared, double peak) {
    if (mean_squared == 0) return std::numeric_limits<double>::infinity();
    return 10 * std::log10(peak * peak / mean_squared);
}

std::array<double, ssim_window> gaussian_window() {
    constexpr double deviation = 1.5;
    std::array<double, ssim_window> window{};
    double sum = 0;
    for (Index k = 0; k < ssim_window; ++k) {
        const double distance = static_cast<double>(k - ssim_window / 2);
        window[k] = std::exp(-distance * distance / (2 * deviation * deviation));
        sum += window[k];
    }
    for (double& weight : window) weight /= sum;
    return window;
}

// The five windowed moments of one column of windows: x, y, x^2, y^2, x y.
struct Moments {
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0;

    void add(double weight, const Moments& other) {
        x += weight * other.x;
        y += weight * other.y;
        xx += weight * other.xx;
        yy += weight * other.yy;
        xy += weight * other.xy;
    }
};

}  // namespace

double mean_squared_error(View<const float> image, View<const float> truth) {
    return mean_square(image, truth, [](double value) { return value; });
}

double finite_rms_difference(View<const float> map, View<const float> truth) {
    require_planes(map, truth);
    double squares = 0;
    Index count = 0;
    for (Index i = 0; i < map.rows(); ++i)
        for (Index j = 0; j < map.columns(); ++j) {
            const double difference = double{map(i, j)} - double{truth(i, j)};
            if (!std::isfinite(difference)) continue;
            squares += difference * difference;
            ++count;
        }
    return count == 0 ? std::numeric_limits<double>::quiet_NaN()
                      : std::sqrt(squares / static_cast<double>(count));
}

double psnr(View<const float> image, View<const float> truth, double peak) {
    return decibels(mean_squared_error(image, truth), peak);
}

double clipped_psnr(View<const float> image, View<const float> truth, double peak) {
    return decibels(mean_square(image, truth, [peak](double value) { return std::clamp(value, 0.0, peak); }),
                    peak);
}

double ssim(View<const float> image, View<const float> truth, double peak) {
    require_planes(image, truth);
    const Index rows = image.rows(), columns = image.columns();
    require(rows >= ssim_window && columns >= ssim_window, Status::invalid_argument,
            "SSIM needs at least 11 x 11 pixels, got ", to_string(image.shape()));
    const double c1 = (0.01 * peak) * (0.01 * peak), c2 = (0.03 * peak) * (0.03 * peak);
    const auto window = gaussian_window();

    // The window is separable: down each column first, then along the row of sums.
    std::vector<Moments> down(columns);
    double total = 0;
    for (Index i = 0; i + ssim_window <= rows; ++i) {
        std::fill(down.begin(), down.end(), Moments{});
        for (Index k = 0; k < ssim_window; ++k)
            for (Index j = 0; j < columns; ++j) {
                const double x = image(i + k, j), y = truth(i + k, j);
                down[j].add(window[k], {x, y, x * x, y * y, x * y});
            }
        double row = 0;
        for (Index j = 0; j + ssim_window <= columns; ++j) {
            Moments m;
            for (Index k = 0; k < ssim_window; ++k) m.add(window[k], down[j + k]);
            const double variance_x = m.xx - m.x * m.x, variance_y = m.yy - m.y * m.y;
            const double covariance = m.xy - m.x * m.y;
            row += (2 * m.x * m.y + c1) * (2 * covariance + c2) /
                   ((m.x * m.x + m.y * m.y + c1) * (variance_x + variance_y + c2));
        }
        total += row;
    }
    return total / static_cast<double>((rows - ssim_window + 1) * (columns - ssim_window + 1));
}

}  // namespace sonolux

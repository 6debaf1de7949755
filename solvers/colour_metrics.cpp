// sonolux/solvers/colour_metrics.cpp
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include <Eigen/Dense>

#include <sonolux/core/srgb.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

namespace sonolux {

namespace {

void require_pair(View<const float> image, View<const float> truth, Index border) {
    require(image.rank() == 3 && truth.rank() == 3, Status::size_mismatch,
            "image and truth must be [channels, rows, columns], got ", to_string(image.shape()), " and ",
            to_string(truth.shape()));
    require(image.shape() == truth.shape(), Status::size_mismatch, "the image is ", to_string(image.shape()),
            ", the truth ", to_string(truth.shape()));
    require(image.elements() > 0 && border >= 0 && 2 * border < image.rows() && 2 * border < image.columns(),
            Status::invalid_argument, "nothing is left of an image ", to_string(image.shape()),
            " without a border of ", border);
}

/// body(i, j) for each pixel inside the border.
template <class Body>
void for_each_pixel(View<const float> image, Index border, Body&& body) {
    for (Index i = border; i < image.rows() - border; ++i)
        for (Index j = border; j < image.columns() - border; ++j) body(i, j);
}

template <class Change>
double psnr_of(View<const float> image, View<const float> truth, double peak, Index border, Change change) {
    require_pair(image, truth, border);
    double sum = 0, count = 0;
    for (Index c = 0; c < image.size(0); ++c)
        for_each_pixel(image, border, [&](Index i, Index j) {
            const double error = change(image(c, i, j)) - change(truth(c, i, j));
            sum += error * error;
            count += 1;
        });
    if (sum == 0) return std::numeric_limits<double>::infinity();
    return 10 * std::log10(peak * peak * count / sum);
}

constexpr double degree = std::numbers::pi / 180;

double seventh(double x) { return x * x * x * x * x * x * x; }

void require_colour(View<const float> image) {
    require(image.size(0) == 3, Status::size_mismatch,
            "colour differences are of 3 channels in linear sRGB, got ", image.size(0));
}

}  // namespace

double channel_psnr(View<const float> image, View<const float> truth, double peak, Index border) {
    return psnr_of(image, truth, peak, border, [](float value) { return double{value}; });
}

double srgb_psnr(View<const float> image, View<const float> truth, Index border) {
    return psnr_of(image, truth, 1, border,
                   [](float value) { return linear_to_srgb(std::clamp(double{value}, 0.0, 1.0)); });
}

double channel_edge_mismatch(View<const float> image, Index border) {
    require(image.rank() == 3 && image.size(0) >= 2, Status::size_mismatch,
            "edges of channels: an image must be [channels, rows, columns] of at least 2 channels, got ",
            to_string(image.shape()));
    const Index rows = image.rows() - 2 * border, columns = image.columns() - 2 * border;
    require(border >= 0 && rows >= 2 && columns >= 2, Status::invalid_argument,
            "edges of channels: nothing is left of ", to_string(image.shape()), " within a border of ",
            border);
    const Index channels = image.size(0);
    double crossed = 0, edges = 0, light = 0;
    for (Index i = border; i < border + rows - 1; ++i)
        for (Index j = border; j < border + columns - 1; ++j)
            for (Index c = 0; c < channels; ++c) {
                const double x = image(c, i, j), below = image(c, i + 1, j) - x,
                             right = image(c, i, j + 1) - x;
                light += x;
                edges += std::abs(below) + std::abs(right);
                for (Index d = c + 1; d < channels; ++d) {
                    const double y = image(d, i, j);
                    crossed += std::abs(below * y - (image(d, i + 1, j) - y) * x) +
                               std::abs(right * y - (image(d, i, j + 1) - y) * x);
                }
            }
    const double mean = light / static_cast<double>(channels * (rows - 1) * (columns - 1));
    return crossed / (mean * edges);
}

double spectral_angle(View<const float> image, View<const float> truth, double dark, Index border) {
    require_pair(image, truth, border);
    double sum = 0, count = 0;
    for_each_pixel(image, border, [&](Index i, Index j) {
        double xx = 0, yy = 0, xy = 0;
        for (Index c = 0; c < image.size(0); ++c) {
            const double x = image(c, i, j), y = truth(c, i, j);
            xx += x * x;
            yy += y * y;
            xy += x * y;
        }
        if (!(yy > dark * dark)) return;
        sum += xx == 0 ? std::numbers::pi / 2 : std::acos(std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0));
        count += 1;
    });
    return count > 0 ? sum / count / degree : std::numeric_limits<double>::quiet_NaN();
}

Lab lab_from_xyz(const std::array<double, 3>& xyz, const std::array<double, 3>& white) noexcept {
    const auto f = [](double t) {
        constexpr double delta = 6.0 / 29;
        return t > delta * delta * delta ? std::cbrt(t) : t / (3 * delta * delta) + 4.0 / 29;
    };
    const double x = f(xyz[0] / white[0]), y = f(xyz[1] / white[1]), z = f(xyz[2] / white[2]);
    return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

Lab lab_from_srgb_light(double red, double green, double blue) noexcept {
    const double r = std::clamp(red, 0.0, 1.0), g = std::clamp(green, 0.0, 1.0),
                 b = std::clamp(blue, 0.0, 1.0);
    return lab_from_xyz({0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
                         0.2126729 * r + 0.7151522 * g + 0.0721750 * b,
                         0.0193339 * r + 0.1191920 * g + 0.9503041 * b});
}

double ciede2000(const Lab& x, const Lab& y) noexcept {
    // Equations 2 to 7: chroma and hue, with a* stretched near grey.
    const double chroma = (std::hypot(x.a, x.b) + std::hypot(y.a, y.b)) / 2;
    const double g = 0.5 * (1 - std::sqrt(seventh(chroma) / (seventh(chroma) + seventh(25))));
    const double a1 = (1 + g) * x.a, a2 = (1 + g) * y.a;
    const double c1 = std::hypot(a1, x.b), c2 = std::hypot(a2, y.b);
    const auto hue = [](double a, double b) {
        if (a == 0 && b == 0) return 0.0;
        const double h = std::atan2(b, a) / degree;
        return h < 0 ? h + 360 : h;
    };
    const double h1 = hue(a1, x.b), h2 = hue(a2, y.b);
    const bool grey = c1 * c2 == 0;
    // Equations 8 to 11.
    double dh = grey ? 0 : h2 - h1;
    if (dh > 180) dh -= 360;
    if (dh < -180) dh += 360;
    const double dL = y.L - x.L, dC = c2 - c1, dH = 2 * std::sqrt(c1 * c2) * std::sin(dh / 2 * degree);
    // Equations 12 to 14: means.
    const double L = (x.L + y.L) / 2, C = (c1 + c2) / 2;
    double h = h1 + h2;
    if (!grey) {
        if (std::abs(h1 - h2) > 180) h += h < 360 ? 360 : -360;
        h /= 2;
    }
    // Equations 15 to 22.
    const double t = 1 - 0.17 * std::cos((h - 30) * degree) + 0.24 * std::cos(2 * h * degree) +
                     0.32 * std::cos((3 * h + 6) * degree) - 0.20 * std::cos((4 * h - 63) * degree);
    const double turn = 30 * std::exp(-std::pow((h - 275) / 25, 2));
    const double rc = 2 * std::sqrt(seventh(C) / (seventh(C) + seventh(25)));
    const double distance = (L - 50) * (L - 50);
    const double lightness = dL / (1 + 0.015 * distance / std::sqrt(20 + distance));
    const double colour = dC / (1 + 0.045 * C), tint = dH / (1 + 0.015 * C * t);
    // In this order NaN stays NaN.
    return std::sqrt(std::max(lightness * lightness + colour * colour + tint * tint -
                                  std::sin(2 * turn * degree) * rc * colour * tint,
                              0.0));
}

Array<float> colour_difference_map(View<const float> image, View<const float> truth) {
    require_pair(image, truth, 0);
    require_colour(image);
    Array<float> map({image.rows(), image.columns()});
    const auto lab = [](View<const float> rgb, Index i, Index j) {
        return lab_from_srgb_light(rgb(0, i, j), rgb(1, i, j), rgb(2, i, j));
    };
    for_each_pixel(image, 0, [&](Index i, Index j) {
        map(i, j) = static_cast<float>(ciede2000(lab(image, i, j), lab(truth, i, j)));
    });
    return map;
}

ColourDifference colour_difference(View<const float> image, View<const float> truth, Index border) {
    require_pair(image, truth, border);
    const Array<float> map = colour_difference_map(image, truth);
    std::vector<float> values;
    double sum = 0;
    for_each_pixel(image, border, [&](Index i, Index j) {
        values.push_back(map(i, j));
        sum += double{map(i, j)};
    });
    if (std::isnan(sum)) return {sum, sum};  // what is not a number has no order
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 95 / 100);
    std::nth_element(values.begin(), place, values.end());
    return {sum / static_cast<double>(values.size()), double{*place}};
}

Array<float> fit_colour_matrix(View<const float> from, View<const float> to) {
    require(from.rank() == 2 && to.rank() == 2 && from.rows() == to.rows(), Status::size_mismatch,
            "colour matrix: patches ", to_string(from.shape()), " and ", to_string(to.shape()),
            " must be [patches, channels] of the same number");
    require(from.rows() >= from.columns() && from.columns() >= 1 && to.columns() >= 1,
            Status::invalid_argument, "colour matrix: ", from.rows(),
            " patches do not determine a matrix of ", from.columns(), " channels");
    const auto matrix_of = [](View<const float> v) {
        Eigen::MatrixXd m(v.rows(), v.columns());
        for (Index i = 0; i < v.rows(); ++i)
            for (Index j = 0; j < v.columns(); ++j) m(i, j) = double{v(i, j)};
        return m;
    };
    const Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(matrix_of(from));
    require(qr.rank() == from.columns(), Status::invalid_argument,
            "colour matrix: the patches do not determine it, they span ", qr.rank(), " of ", from.columns(),
            " channels");
    const Eigen::MatrixXd solution = qr.solve(matrix_of(to));
    Array<float> matrix({to.columns(), from.columns()});
    for (Index i = 0; i < to.columns(); ++i)
        for (Index j = 0; j < from.columns(); ++j) matrix(i, j) = static_cast<float>(solution(j, i));
    return matrix;
}

Array<float> apply_colour_matrix(View<const float> matrix, View<const float> image) {
    require(matrix.rank() == 2 && image.rank() == 3 && matrix.columns() == image.size(0),
            Status::size_mismatch, "colour matrix: ", to_string(matrix.shape()), " does not fit an image ",
            to_string(image.shape()));
    Array<float> result({matrix.rows(), image.rows(), image.columns()});
    for (Index o = 0; o < matrix.rows(); ++o)
        for (Index c = 0; c < matrix.columns(); ++c)
            for (Index i = 0; i < image.rows(); ++i)
                for (Index j = 0; j < image.columns(); ++j) result(o, i, j) += matrix(o, c) * image(c, i, j);
    return result;
}

}  // namespace sonolux

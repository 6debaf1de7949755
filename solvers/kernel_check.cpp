// sonolux/solvers/kernel_check.cpp
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <sonolux/solvers/kernel_check.hpp>
#include <sonolux/solvers/padded_blur.hpp>

namespace sonolux {

namespace {

constexpr Status bad = Status::invalid_argument;
using Complex = CircularConvolution::Complex;

Array<float> rotated_by_180(View<const float> kernel) {
    Array<float> rotated({kernel.rows(), kernel.columns()});
    for (Index u = 0; u < kernel.rows(); ++u)
        for (Index v = 0; v < kernel.columns(); ++v)
            rotated(u, v) = kernel(kernel.rows() - 1 - u, kernel.columns() - 1 - v);
    return rotated;
}

/// max over shifts of sum k[u] k[s - u], over sum k[u]^2.
double symmetry_of(View<const float> kernel) noexcept {
    const Index rows = kernel.rows(), columns = kernel.columns();
    double largest = 0, energy = 0;
    for (Index u = 0; u < rows; ++u)
        for (Index v = 0; v < columns; ++v)
            energy += static_cast<double>(kernel(u, v)) * static_cast<double>(kernel(u, v));
    for (Index s = 0; s < 2 * rows - 1; ++s)
        for (Index t = 0; t < 2 * columns - 1; ++t) {
            double sum = 0;
            for (Index u = std::max<Index>(0, s - rows + 1); u <= std::min(s, rows - 1); ++u)
                for (Index v = std::max<Index>(0, t - columns + 1); v <= std::min(t, columns - 1); ++v)
                    sum += static_cast<double>(kernel(u, v)) * static_cast<double>(kernel(s - u, t - v));
            largest = std::max(largest, sum);
        }
    return energy > 0 ? largest / energy : 1;
}

/// The square of this size with the largest sum of squared differences, among squares half a size apart.
View<const float> liveliest(View<const float> image, Index size) noexcept {
    const Index rows = std::min(size, image.rows()), columns = std::min(size, image.columns());
    View<const float> best = image.block(0, 0, rows, columns);
    double most = -1;
    for (Index top = 0;; top = std::min(top + (rows + 1) / 2, image.rows() - rows)) {
        for (Index left = 0;; left = std::min(left + (columns + 1) / 2, image.columns() - columns)) {
            const View<const float> block = image.block(top, left, rows, columns);
            double sum = 0;
            for (Index i = 0; i + 1 < rows; ++i)
                for (Index j = 0; j + 1 < columns; ++j) {
                    const double x = static_cast<double>(block(i, j + 1) - block(i, j));
                    const double y = static_cast<double>(block(i + 1, j) - block(i, j));
                    sum += x * x + y * y;
                }
            if (sum > most) most = sum, best = block;
            if (left == image.columns() - columns) break;
        }
        if (top == image.rows() - rows) return best;
    }
}

constexpr int blocks = 8;  // along each direction, for the standard error

/// The energies of an estimate's blocks, and of the whole.
struct Fit {
    OrientationFit total;
    std::array<double, blocks * blocks> energies{};
};

Fit fit(View<const float> y, View<const float> kernel, double weight, Context& context) {
    const Index reach_rows = kernel.rows() / 2, reach_columns = kernel.columns() / 2;
    PaddedBlur blur(y.rows(), y.columns(), reach_rows, reach_columns, BorderTreatment::taper);
    blur.set_kernel(kernel);
    const Shape shape = blur.domain();
    const Index rows = shape[0], columns = shape[1];
    RealFft2& fft = blur.blur().fft();
    const View<const Complex> transfer = blur.blur().spectrum();
    context.workspace().reserve(blur.workspace_bytes(context));

    Array<float> data(shape), x(shape), source(shape);
    Array<float> split({2, rows, columns}), dual({2, rows, columns});
    Array<Complex> of_data(transfer.shape()), spectrum(transfer.shape());
    blur.enter(y, data, context);
    fft.forward(data, of_data);
    std::copy(data.begin(), data.end(), x.begin());

    const auto below = [rows](Index i) { return i + 1 < rows ? i + 1 : 0; };
    const auto above = [rows](Index i) { return i > 0 ? i - 1 : rows - 1; };
    const auto left_of = [columns](Index j) { return j > 0 ? j - 1 : columns - 1; };
    const auto right = [columns](Index j) { return j + 1 < columns ? j + 1 : 0; };
    const auto difference = [&](Index axis, Index i, Index j) {
        return (axis == 0 ? x(i, right(j)) : x(below(i), j)) - x(i, j);
    };
    // |D|^2 of the periodic differences.
    const auto power = [](Index size) {
        std::vector<float> values(static_cast<std::size_t>(size));
        for (Index k = 0; k < size; ++k) {
            const double sine =
                std::sin(std::numbers::pi * static_cast<double>(k) / static_cast<double>(size));
            values[static_cast<std::size_t>(k)] = static_cast<float>(4 * sine * sine);
        }
        return values;
    };
    const std::vector<float> row_power = power(rows), column_power = power(columns);

    // Differences up to 1/50 are shrunk away at first: weight / penalty.
    const float penalty = static_cast<float>(50 * weight);
    const auto shrink = [](float d) { return std::copysign(std::max(std::abs(d) - 1.0f / 50, 0.0f), d); };
    for (int iteration = 0; iteration <= 30; ++iteration) {
        // z = shrink(D x + u), u += D x - z, from z = D x, u = 0. Kept is v = z - u.
        for (Index axis = 0; axis < 2; ++axis)
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j) {
                    const float wanted = difference(axis, i, j) + dual(axis, i, j);
                    const float z = iteration == 0 ? wanted : shrink(wanted);
                    dual(axis, i, j) = wanted - z;
                    split(axis, i, j) = z - dual(axis, i, j);
                }
        if (iteration == 30) break;
        // x = (K^T K + penalty D^T D)^-1 (K^T y + penalty D^T v)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)
                source(i, j) =
                    split(0, i, left_of(j)) - split(0, i, j) + split(1, above(i), j) - split(1, i, j);
        fft.forward(source, spectrum);
        for (Index k = 0; k < rows; ++k)
            for (Index l = 0; l <= columns / 2; ++l) {
                const Complex h = transfer(k, l), b = of_data(k, l), d = spectrum(k, l);
                const float power_of_differences =
                    row_power[static_cast<std::size_t>(k)] + column_power[static_cast<std::size_t>(l)];
                const float quotient =
                    1 / (h.real() * h.real() + h.imag() * h.imag() + penalty * power_of_differences);
                spectrum(k, l) = {
                    (h.real() * b.real() + h.imag() * b.imag() + penalty * d.real()) * quotient,
                    (h.real() * b.imag() - h.imag() * b.real() + penalty * d.imag()) * quotient};
            }
        fft.inverse(spectrum, x);
    }
    blur.blur().apply(x, source, context);

    // What the taper made up, and what depends on it, is not counted.
    const Index top = 2 * reach_rows, left = 2 * reach_columns;
    const Index counted_rows = y.rows() - 2 * reach_rows, counted_columns = y.columns() - 2 * reach_columns;
    Fit result;
    std::array<double, blocks * blocks> pixels{};
    double squares = 0, variation = 0;
    for (Index i = 0; i < counted_rows; ++i)
        for (Index j = 0; j < counted_columns; ++j) {
            const double r = static_cast<double>(source(top + i, left + j) - data(top + i, left + j));
            const double d = static_cast<double>(std::abs(difference(0, top + i, left + j)) +
                                                 std::abs(difference(1, top + i, left + j)));
            const auto block =
                static_cast<std::size_t>(i * blocks / counted_rows * blocks + j * blocks / counted_columns);
            result.energies[block] += r * r / 2 + weight * d;
            pixels[block] += 1;
            squares += r * r;
            variation += d;
        }
    for (std::size_t b = 0; b < pixels.size(); ++b) result.energies[b] /= pixels[b];
    const double count = static_cast<double>(counted_rows * counted_columns);
    result.total = {std::sqrt(squares / count), variation / count,
                    squares / count / 2 + weight * variation / count};
    return result;
}

}  // namespace

NormalisedKernel normalise_kernel(View<const float> kernel, const Shape& image, std::string_view name,
                                  double tolerance, std::optional<KernelCentre> centre) {
    require(tolerance >= 0 && tolerance <= 1, bad, "tolerance must be between 0 and 1, got ", tolerance);
    require(kernel.rank() == 2 && kernel.elements() > 0, bad, name,
            ": a blur kernel must be [rows, columns], at least 1 x 1, got ", to_string(kernel.shape()));
    const Index rows = kernel.rows(), columns = kernel.columns();
    const KernelCentre c = centre.value_or(KernelCentre{rows / 2, columns / 2});
    require(c.row >= 0 && c.row < rows && c.column >= 0 && c.column < columns, bad, name, ": the centre [",
            c.row, ", ", c.column, "] must be one of the ", to_string(kernel.shape()), " taps");

    float largest = 0;
    for (Index u = 0; u < rows; ++u)
        for (Index v = 0; v < columns; ++v) {
            require(std::isfinite(kernel(u, v)), bad, name, ": tap [", u, ", ", v,
                    "] of the blur kernel must be finite, got ", kernel(u, v));
            largest = std::max(largest, kernel(u, v));
        }
    NormalisedKernel result;
    Index reach_rows = 0, reach_columns = 0;
    double sum = 0;
    for (Index u = 0; u < rows; ++u)
        for (Index v = 0; v < columns; ++v) {
            const double tap = static_cast<double>(kernel(u, v));
            result.sum += tap;
            if (tap <= 0) {
                require(tap >= -tolerance * static_cast<double>(largest), bad, name, ": tap [", u, ", ", v,
                        "] of the blur kernel must be at least 0 (or ", -tolerance,
                        " times the largest tap, ", largest, "), got ", tap);
                result.removed += tap;
                continue;
            }
            sum += tap;
            result.mass_row += tap * static_cast<double>(u - c.row);
            result.mass_column += tap * static_cast<double>(v - c.column);
            reach_rows = std::max(reach_rows, std::abs(u - c.row));
            reach_columns = std::max(reach_columns, std::abs(v - c.column));
        }
    require(sum > 0, bad, name, ": the blur kernel of ", to_string(kernel.shape()),
            " taps must have one above 0, all are 0");
    result.mass_row /= sum;
    result.mass_column /= sum;

    const Shape odd{2 * reach_rows + 1, 2 * reach_columns + 1};
    require(odd[0] <= image.last(1) && odd[1] <= image.last(0), bad, name,
            ": the blur kernel must not be larger ", "than the image of ",
            to_string(Shape{image.last(1), image.last(0)}), " pixels; it has ", to_string(odd),
            " taps about its centre");
    result.kernel = Array<float>(odd);
    double rounded = 0;
    for (Index u = std::max<Index>(0, c.row - reach_rows); u <= std::min(rows - 1, c.row + reach_rows); ++u)
        for (Index v = std::max<Index>(0, c.column - reach_columns);
             v <= std::min(columns - 1, c.column + reach_columns); ++v) {
            const float tap = static_cast<float>(std::max(static_cast<double>(kernel(u, v)), 0.0) / sum);
            result.kernel(u - c.row + reach_rows, v - c.column + reach_columns) = tap;
            rounded += static_cast<double>(tap);
        }
    // What rounding left over goes to the largest tap, which notices least.
    float& top = *std::max_element(result.kernel.begin(), result.kernel.end());
    top = static_cast<float>(static_cast<double>(top) + (1 - rounded));
    result.identity = odd == Shape{1, 1};

    auto note = [&result](const std::string& text) { result.notes.push_back(text); };
    if (std::abs(result.sum - 1) > 1e-3)
        note(sentence("its taps sum to ", result.sum, "; it was divided by that"));
    if (result.removed < 0) note(sentence("negative taps, ", result.removed, " in all, were set to 0"));
    if (odd != kernel.shape())
        note(sentence("its ", to_string(kernel.shape()), " taps became ", to_string(odd), ", with tap [",
                      c.row, ", ", c.column, "] in the middle and zeros ", "added or cut off"));
    if (std::hypot(result.mass_row, result.mass_column) > 1)
        note(sentence("its centre of mass is ", result.mass_row, " rows below and ", result.mass_column,
                      " columns to the right of its centre: the image will be shifted back by as much"));
    if (result.identity) note("it has a single tap: it blurs nothing, and deblurring will only denoise");
    return result;
}

std::string OrientationReport::sentence() const {
    const char* verdict = !decisive ? "which way round it belongs cannot be told"
                          : better == KernelOrientation::convolution
                              ? "the kernel stands the right way round"
                              : "the kernel fits better rotated by 180 degrees";
    return sonolux::sentence("as given the kernel leaves a residual of ", given.residual,
                             ", rotated by 180 degrees ", rotated.residual, " (ratio ", residual_ratio,
                             "; energy ratio ", energy_ratio, ", ", significance,
                             " standard errors): ", verdict);
}

OrientationReport check_orientation(View<const float> blurred, View<const float> kernel, double sigma,
                                    Context& context) {
    require(kernel.rank() == 2 && kernel.rows() % 2 == 1 && kernel.columns() % 2 == 1, bad,
            "the kernel whose orientation is checked must have odd rows and columns, got ",
            to_string(kernel.shape()));
    require(blurred.rank() == 2 && blurred.rows() >= 4 * kernel.rows() &&
                blurred.columns() >= 4 * kernel.columns() && blurred.rows() >= 4 * blocks &&
                blurred.columns() >= 4 * blocks,
            bad, "the orientation of a kernel of ", to_string(kernel.shape()),
            " needs a blurred image [rows, columns] four times as large, and at least 32 x 32, got ",
            to_string(blurred.shape()));
    require(sigma >= 0 && std::isfinite(sigma), bad, "sigma must be at least 0, got ", sigma);
    for (const View<const float>& image : {blurred, kernel})
        for (Index i = 0; i < image.rows(); ++i)
            for (Index j = 0; j < image.columns(); ++j)
                require(std::isfinite(image(i, j)), bad,
                        "the blurred image and its kernel must be finite, got ", image(i, j), " at [", i,
                        ", ", j, "]");

    const Index size = std::max<Index>(512, 8 * std::max(kernel.rows(), kernel.columns()));
    const View<const float> y = liveliest(blurred, size);
    const double weight = std::pow(std::max(sigma, 1.0 / 255), 1.5);
    const Fit given = fit(y, kernel, weight, context);
    const Fit rotated = fit(y, rotated_by_180(kernel), weight, context);

    OrientationReport report;
    report.given = given.total;
    report.rotated = rotated.total;
    const auto ratio = [](double a, double b) { return a == b ? 1 : a / b; };
    report.residual_ratio = ratio(rotated.total.residual, given.total.residual);
    report.energy_ratio = ratio(rotated.total.energy, given.total.energy);
    report.symmetry = symmetry_of(kernel);

    constexpr double count = blocks * blocks;
    double mean = 0, squares = 0;
    for (std::size_t b = 0; b < given.energies.size(); ++b)
        mean += (rotated.energies[b] - given.energies[b]) / count;
    for (std::size_t b = 0; b < given.energies.size(); ++b) {
        const double d = rotated.energies[b] - given.energies[b] - mean;
        squares += d * d;
    }
    const double error = std::sqrt(squares / (count * (count - 1)));
    report.significance = mean == 0 ? 0 : mean / error;
    report.better = mean >= 0 ? KernelOrientation::convolution : KernelOrientation::correlation;
    report.decisive = std::abs(report.significance) >= 3 && std::abs(std::log(report.energy_ratio)) >= 0.002;
    return report;
}

}  // namespace sonolux

// sonolux/simulation/optics/fresnel_psf.cpp
#include <sonolux/simulation/optics/fresnel_psf.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/simulation/optics/field_transform.hpp>
#include <sonolux/simulation/optics/radial_pixels.hpp>
#include <sonolux/simulation/optics/sinc_interpolation.hpp>

namespace sonolux::detail {

namespace {

using Complex = std::complex<double>;
constexpr Index taps = SincInterpolation::taps;
constexpr Index lines_at_once = 8;  // neighbours in memory, of which a cache line has four

/// A part of the samples of a periodic axis, which may begin before 0 and go beyond the end.
struct Part {
    Index first = 0, count = 0;

    /// What interpolation between positions from `least` to `most` looks at.
    Part(double least, double most) : first(static_cast<Index>(std::floor(least)) - taps), count(0) {
        count = static_cast<Index>(std::floor(most)) + taps + 1 - first;
    }
};

double square(double x) { return x * x; }

/// The transform of a square cell, at each sample of a spectrum.
std::vector<double> cell_spectrum(Index size) {
    std::vector<double> factor(static_cast<std::size_t>(size));
    for (Index k = 0; k < size; ++k) {
        const double turns = static_cast<double>(k < (size + 1) / 2 ? k : k - size) /
                             static_cast<double>(size) * std::numbers::pi;
        factor[static_cast<std::size_t>(k)] = k == 0 ? 1 : std::sin(turns) / turns;
    }
    return factor;
}

/// Transforms lines of `cells` samples about sample 0, and looks at a part of each spectrum.
class PartTransform {
public:
    PartTransform(Index size, Index cells, Part part, double scale)
        : transform_(size), cells_(cells), size_(size) {
        const std::vector<double> factor = cell_spectrum(size);
        for (Index k = 0; k < part.count; ++k) {
            const Index at = ((part.first + k) % size + size) % size;
            place_.push_back(at);
            factor_.push_back(scale * factor[static_cast<std::size_t>(at)]);
        }
    }

    /// Sample `cell` is from(cell); spectrum sample k goes to to(k, value).
    template <class From, class To>
    void run(const From& from, const To& to) {
        Complex* line = transform_.line();
        const Index before = cells_ / 2;
        for (Index cell = before; cell < cells_; ++cell) line[cell - before] = from(cell);
        std::fill(line + (cells_ - before), line + (size_ - before), Complex(0));
        for (Index cell = 0; cell < before; ++cell) line[size_ - before + cell] = from(cell);
        transform_.forward();
        for (std::size_t k = 0; k < place_.size(); ++k)
            to(static_cast<Index>(k), factor_[k] * line[place_[k]]);
    }

private:
    LineTransform transform_;
    Index cells_, size_;
    std::vector<Index> place_;
    std::vector<double> factor_;
};

/// Points of the rule in all pixels of one axis: X or Y.
std::vector<double> points_of(const GaussLegendre& rule, const PsfWindow& window, double middle) {
    std::vector<double> places;
    for (Index i = 0; i < window.size; ++i)
        for (const double node : rule.nodes)
            places.push_back(middle + (static_cast<double>(i - window.size / 2) + node / 2) * window.pixel);
    return places;
}

}  // namespace

Array<float> fresnel_window(const ReliefField& field, const FieldGrid& grid, double wavelength,
                            double distance, const PsfWindow& window, int points, double light) {
    const double z = distance, middle_x = z * window.tan_x, middle_y = z * window.tan_y;
    const double slant = std::hypot(middle_x, middle_y, z);
    const double p0 = middle_x / slant, q0 = middle_y / slant;
    const double scale = static_cast<double>(grid.size) * grid.pitch / wavelength;  // samples per cosine
    const GaussLegendre rule(points);
    const SincInterpolation interpolation;
    const std::vector<double> across = points_of(rule, window, middle_x),
                              down = points_of(rule, window, middle_y);
    const auto column_of = [&](double x, double y) {
        return (x / std::sqrt(x * x + y * y + z * z) - p0) * scale;
    };
    // Where X is not given but p, of a column.
    const auto row_of = [&](double p, double y) {
        return (y * std::sqrt((1 - p * p) / (y * y + z * z)) - q0) * scale;
    };
    double least = HUGE_VAL, most = -HUGE_VAL;
    for (const double y : down) {
        least = std::min(least, column_of(across.front(), y));
        most = std::max(most, column_of(across.back(), y));
    }
    const Part columns(least, most);
    const auto cosine = [&](Index k) { return p0 + static_cast<double>(columns.first + k) / scale; };
    least = HUGE_VAL, most = -HUGE_VAL;
    for (Index k = 0; k < columns.count; ++k) {
        least = std::min(least, row_of(cosine(k), down.front()));
        most = std::max(most, row_of(cosine(k), down.back()));
    }
    const Part rows(least, most);

    // Along the rows of the field.
    const Index cells = field.shape()[0];
    Array<Complex> halfway({cells, columns.count});
    PartTransform along_x(grid.size, cells, columns, 1), along_y(grid.size, cells, rows, square(grid.pitch));
    for (Index i = 0; i < cells; ++i)
        along_x.run([&](Index j) { return field(i, j); }, [&](Index k, Complex v) { halfway(i, k) = v; });

    // Along its columns, and from there to the points of the window.
    const auto lines = static_cast<Index>(down.size());
    Array<Complex> seen({columns.count, lines}), block({lines_at_once, cells});
    std::vector<Complex> spectrum(static_cast<std::size_t>(rows.count));
    double weights[taps];
    for (Index begin = 0; begin < columns.count; begin += lines_at_once) {
        const Index count = std::min(lines_at_once, columns.count - begin);
        for (Index i = 0; i < cells; ++i)
            for (Index k = 0; k < count; ++k) block(k, i) = halfway(i, begin + k);
        for (Index k = 0; k < count; ++k) {
            along_y.run([&](Index i) { return block(k, i); },
                        [&](Index r, Complex v) { spectrum[static_cast<std::size_t>(r)] = v; });
            const double p = cosine(begin + k);
            for (Index t = 0; t < lines; ++t) {
                const Index first =
                    interpolation.weights(row_of(p, down[static_cast<std::size_t>(t)]), weights);
                const Complex* from = spectrum.data() + (first - rows.first);
                Complex value = 0;
                for (Index tap = 0; tap < taps; ++tap) value += weights[tap] * from[tap];
                seen(begin + k, t) = value;
            }
        }
    }

    Array<float> psf({window.size, window.size});
    Array<Complex> line({points, columns.count});
    std::vector<double> sums(static_cast<std::size_t>(window.size));
    for (Index i = 0; i < window.size; ++i) {
        for (Index k = 0; k < columns.count; ++k)
            for (Index a = 0; a < points; ++a) line(a, k) = seen(k, points * i + a);
        std::fill(sums.begin(), sums.end(), 0.0);
        for (Index a = 0; a < points; ++a) {
            const double y = down[static_cast<std::size_t>(points * i + a)], rest = y * y + z * z;
            const double* x = across.data();
            for (double& sum : sums)
                for (const double weight : rule.weights) {
                    const double root = std::sqrt(*x * *x + rest);
                    const Index first = interpolation.weights((*x / root - p0) * scale, weights);
                    const Complex* from = line.view().row(a) + (first - columns.first);
                    Complex value = 0;
                    for (Index tap = 0; tap < taps; ++tap) value += weights[tap] * from[tap];
                    // Obliquity, and how far the light has spread.
                    sum += rule.weights[static_cast<std::size_t>(a)] * weight *
                           square(z / (wavelength * root * root)) * std::norm(value);
                    ++x;
                }
        }
        for (Index j = 0; j < window.size; ++j)
            psf(i, j) =
                static_cast<float>(sums[static_cast<std::size_t>(j)] * square(window.pixel) / (4 * light));
    }
    return psf;
}

}  // namespace sonolux::detail

// sonolux/simulation/phantoms/fractal_noise.cpp
#include <cmath>
#include <vector>

#include <sonolux/simulation/phantoms/fractal_noise.hpp>

namespace sonolux {

namespace {

/// Weights of the uniform cubic B-spline at t in [0, 1) past the second of four knots.
std::array<double, 4> b_spline(double t) {
    const double s = 1 - t;
    return {s * s * s / 6, (3 * t * t * t - 6 * t * t + 4) / 6, (3 * s * s * s - 6 * s * s + 4) / 6,
            t * t * t / 6};
}

/// Adds amplitude times one octave, whose knots have unit variance, to `field`.
void add_octave(Index spacing, double amplitude, Philox& random, Array<float>& field) {
    const Index size = field.shape()[0], knots = size / spacing;
    Array<float> lattice({knots, knots});
    for (float& knot : lattice) knot = random.normal();
    if (spacing == 1) {
        for (Index i = 0; i < field.elements(); ++i)
            field.data()[i] += static_cast<float>(amplitude) * lattice.data()[i];
        return;
    }
    std::vector<std::array<double, 4>> weights(static_cast<std::size_t>(spacing));
    for (Index t = 0; t < spacing; ++t)
        weights[static_cast<std::size_t>(t)] =
            b_spline(static_cast<double>(t) / static_cast<double>(spacing));
    for (Index i = 0; i < size; ++i) {
        const auto& down = weights[static_cast<std::size_t>(i % spacing)];
        for (Index j = 0; j < size; ++j) {
            const auto& right = weights[static_cast<std::size_t>(j % spacing)];
            double sum = 0;
            for (int a = 0; a < 4; ++a)
                for (int b = 0; b < 4; ++b)
                    sum += down[static_cast<std::size_t>(a)] * right[static_cast<std::size_t>(b)] *
                           lattice((i / spacing + a) % knots, (j / spacing + b) % knots);
            field(i, j) += static_cast<float>(amplitude * sum);
        }
    }
}

}  // namespace

Array<float> make_fractal_noise(Index size, double exponent, Philox random) {
    require(size >= 8 && (size & (size - 1)) == 0, Status::invalid_argument,
            "the size of fractal noise must be a power of two of at least 8, got ", size);
    require(exponent >= 0 && exponent <= 4, Status::invalid_argument,
            "the exponent of fractal noise must be between 0 and 4, got ", exponent);
    Array<float> field({size, size});
    add_octave(1, 1, random, field);
    for (Index spacing = 2; spacing <= size / 4; spacing *= 2) {
        const double s = static_cast<double>(spacing);
        add_octave(spacing, std::sqrt(std::pow(s, exponent) - std::pow(s / 2, exponent)) / s, random, field);
    }

    double sum = 0, squares = 0;
    for (float v : field) sum += v;
    const double mean = sum / static_cast<double>(field.elements());
    for (float v : field) squares += (v - mean) * (v - mean);
    const double scale = 1 / std::sqrt(squares / static_cast<double>(field.elements()));
    for (float& v : field) v = static_cast<float>((v - mean) * scale);
    return field;
}

}  // namespace sonolux

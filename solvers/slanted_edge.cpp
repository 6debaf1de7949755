// sonolux/solvers/slanted_edge.cpp
#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include <sonolux/core/error.hpp>
#include <sonolux/solvers/slanted_edge.hpp>

namespace sonolux {

using std::numbers::pi;

namespace {

struct Line {
    double slope = 0, offset = 0;  // column = slope row + offset
};

double hamming(double distance, double half_width) {
    return std::abs(distance) >= half_width ? 0 : 0.54 + 0.46 * std::cos(pi * distance / half_width);
}

/// Centroids of the derivative of each row about `start`, and the line through them.
Line fit_line(View<const float> plane, const Line& start, double half_width) {
    double n = 0, r = 0, c = 0, rr = 0, rc = 0;
    for (Index i = 0; i < plane.rows(); ++i) {
        const double expected = start.slope * static_cast<double>(i) + start.offset;
        double sum = 0, moment = 0;
        for (Index j = 0; j + 1 < plane.columns(); ++j) {
            const double place = static_cast<double>(j) + 0.5;
            const double difference =
                (double{plane(i, j + 1)} - double{plane(i, j)}) * hamming(place - expected, half_width);
            sum += difference;
            moment += difference * place;
        }
        if (sum == 0) continue;
        const double centroid = moment / sum, row = static_cast<double>(i);
        if (!(centroid > -1 && centroid < static_cast<double>(plane.columns()))) continue;
        n += 1, r += row, c += centroid, rr += row * row, rc += row * centroid;
    }
    const double denominator = n * rr - r * r;
    require(n >= 10 && denominator > 0, Status::invalid_argument,
            "slanted edge: there is no edge in the plane");
    const double slope = (n * rc - r * c) / denominator;
    return {slope, (c - slope * r) / n};
}

}  // namespace

EdgeMtf slanted_edge_mtf(View<const float> plane) {
    require(plane.rank() == 2 && plane.rows() >= 10 && plane.columns() >= 16, Status::invalid_argument,
            "slanted edge: a plane must be at least 10 x 16 pixels, got ", to_string(plane.shape()));
    const auto columns = static_cast<double>(plane.columns());
    const Line rough = fit_line(plane, {0, columns / 2}, columns);
    const Line line = fit_line(plane, rough, columns / 4);
    require(std::abs(line.slope) * static_cast<double>(plane.rows()) >= 1 && std::abs(line.slope) <= 1,
            Status::invalid_argument, "slanted edge: an edge that moves by ", line.slope,
            " pixels from row to row is not slanted by a pixel in all and at most 45 degrees");

    // Distances are across the edge, not along the row.
    constexpr int oversampling = 4;
    const double across = std::cos(std::atan(line.slope)) * oversampling;
    const double reach = std::min(columns / 2, 32.0);
    const auto half = static_cast<Index>(reach * oversampling);
    std::vector<double> sum(static_cast<std::size_t>(2 * half)), count(sum.size());
    for (Index i = 0; i < plane.rows(); ++i)
        for (Index j = 0; j < plane.columns(); ++j) {
            const double distance =
                (static_cast<double>(j) - line.slope * static_cast<double>(i) - line.offset) * across;
            const auto bin = static_cast<Index>(std::floor(distance)) + half;
            if (bin < 0 || bin >= 2 * half) continue;
            sum[static_cast<std::size_t>(bin)] += double{plane(i, j)};
            count[static_cast<std::size_t>(bin)] += 1;
        }
    const auto middle = static_cast<std::size_t>(half);
    // Where the slope is a fraction such as 1/2, rows repeat each other's distances and leave bins empty.
    const auto near = static_cast<std::size_t>(std::min<Index>(half, 4 * oversampling));
    for (std::size_t k = middle - near; k < middle + near; ++k)
        require(count[k] > 0, Status::invalid_argument, "slanted edge: an edge that moves by ", line.slope,
                " pixels from row to row leaves bins of a quarter of a pixel empty: another slant is needed");
    // Empty bins at the ends, where the edge leaves the plane, repeat their neighbours.
    for (std::size_t k = middle; k < sum.size(); ++k) sum[k] = count[k] > 0 ? sum[k] / count[k] : sum[k - 1];
    for (std::size_t k = middle; k-- > 0;) sum[k] = count[k] > 0 ? sum[k] / count[k] : sum[k + 1];
    require(sum.front() != sum.back(), Status::invalid_argument,
            "slanted edge: there is no edge in the plane");

    // The line spread function, and its transform.
    std::vector<double> spread(sum.size());
    for (std::size_t k = 1; k + 1 < sum.size(); ++k)
        spread[k] =
            (sum[k + 1] - sum[k - 1]) / 2 *
            hamming(static_cast<double>(k) - static_cast<double>(middle) + 0.5, static_cast<double>(half));
    EdgeMtf mtf;
    mtf.slope = line.slope;
    double at_zero = 0;
    for (int step = 0; step <= 200; ++step) {
        const double frequency = step / 200.0, turn = 2 * pi * frequency / oversampling;
        std::complex<double> value = 0;
        for (std::size_t k = 0; k < spread.size(); ++k)
            value += spread[k] * std::polar(1.0, -turn * static_cast<double>(k));
        // Bins of a quarter pixel are means; differences over two bins are sines.
        const double bins = step == 0 ? 1 : std::sin(turn / 2) / (turn / 2);
        const double difference = step == 0 ? 1 : std::sin(turn) / turn;
        const double modulation = std::abs(value) / (bins * difference);
        if (step == 0) at_zero = modulation;
        require(at_zero > 0, Status::invalid_argument, "slanted edge: there is no edge in the plane");
        mtf.frequency.push_back(frequency);
        mtf.modulation.push_back(modulation / at_zero);
    }
    mtf.mtf50 = 1;
    for (std::size_t k = 1; k < mtf.modulation.size(); ++k)
        if (mtf.modulation[k] < 0.5) {
            const double above = mtf.modulation[k - 1], below = mtf.modulation[k];
            mtf.mtf50 = mtf.frequency[k - 1] +
                        (above - 0.5) / (above - below) * (mtf.frequency[k] - mtf.frequency[k - 1]);
            break;
        }
    return mtf;
}

}  // namespace sonolux

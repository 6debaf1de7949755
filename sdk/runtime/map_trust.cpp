// sonolux/sdk/runtime/map_trust.cpp
#include <sonolux/sdk/runtime/map_trust.hpp>

#include <algorithm>
#include <cmath>

namespace sonolux {

namespace {

constexpr Index reach = 3;  // pixels to each side that are near
constexpr Index far = 4;    // columns

template <std::size_t size>
Json list_of(const std::array<double, size>& values) {
    Json list = Json::list();
    for (const double value : values) list.append(value);
    return list;
}

template <std::size_t size>
std::array<double, size> array_of(const JsonField& json) {
    const std::vector<JsonField> elements = json.elements();
    require(elements.size() == size, Status::corrupt_data, json.where(), " must be ", size, " numbers, got ",
            elements.size());
    std::array<double, size> values{};
    for (std::size_t i = 0; i < size; ++i) values[i] = elements[i].number(-1e6, 1e6);
    return values;
}

/// Means over what of 7 x 7 pixels lies inside, in place.
void average_near(float* values, Index rows, Index columns, float* lines) noexcept {
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            const Index first = std::max<Index>(0, j - reach), last = std::min(columns - 1, j + reach);
            float sum = 0;
            for (Index k = first; k <= last; ++k) sum += values[i * columns + k];
            lines[i * columns + j] = sum / static_cast<float>(last - first + 1);
        }
    for (Index i = 0; i < rows; ++i) {
        const Index first = std::max<Index>(0, i - reach), last = std::min(rows - 1, i + reach);
        for (Index j = 0; j < columns; ++j) {
            float sum = 0;
            for (Index k = first; k <= last; ++k) sum += lines[k * columns + j];
            values[i * columns + j] = sum / static_cast<float>(last - first + 1);
        }
    }
}

double log_ratio(double a, double b) noexcept { return std::log(std::max(a, 1e-15) / std::max(b, 1e-15)); }

/// Sums over a frame's residuals: of measurements, and of differences between neighbours.
struct ResidualSums {
    double squares = 0, neighbour_squares = 0, far_squares = 0, mean_squares = 0, largest = 0;
    double products = 0, first_squares = 0, second_squares = 0;  // of one measurement and the next
    Index count = 0, neighbours = 0, far = 0, measurements = 0;
};

ResidualSums sums_of(const TrustInput& frame) noexcept {
    const Index measurements = frame.residual.shape()[0], rows = frame.speed.rows(),
                columns = frame.speed.columns(), pixels = rows * columns;
    ResidualSums sums;
    for (Index m = 0; m < measurements; ++m) {
        const float* r = frame.residual.data() + m * pixels;
        const float* c = frame.counts.data() + m * pixels;
        double squares = 0, sum = 0;
        Index count = 0;
        const auto pair = [&](Index a, Index b, double& total, Index& pairs) {
            if (c[b] == 0) return;
            const double difference = double{r[a]} - double{r[b]};
            total += difference * difference;
            ++pairs;
        };
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) {
                const Index p = i * columns + j;
                if (c[p] == 0) continue;
                squares += double{r[p]} * double{r[p]};
                sum += double{r[p]};
                ++count;
                if (j + 1 < columns) pair(p, p + 1, sums.neighbour_squares, sums.neighbours);
                if (i + 1 < rows) pair(p, p + columns, sums.neighbour_squares, sums.neighbours);
                if (j + far < columns) pair(p, p + far, sums.far_squares, sums.far);
                if (m + 1 < measurements && c[p + pixels] != 0) {
                    const double a = double{r[p]}, b = double{r[p + pixels]};
                    sums.products += a * b;
                    sums.first_squares += a * a;
                    sums.second_squares += b * b;
                }
            }
        if (count == 0) continue;
        const auto n = static_cast<double>(count);
        sums.squares += squares;
        sums.count += count;
        sums.mean_squares += sum / n * (sum / n);
        sums.largest = std::max(sums.largest, squares / n);
        ++sums.measurements;
    }
    return sums;
}

}  // namespace

Json to_json(const TrustCalibration& calibration) {
    return Json::object()
        .set("deviation", list_of(calibration.deviation))
        .set("centre", list_of(calibration.centre))
        .set("whitener", list_of(calibration.whitener))
        .set("limit", calibration.limit)
        .set("noise_centre", calibration.noise_centre)
        .set("noise_limit", calibration.noise_limit)
        .set("protocol", calibration.protocol);
}

TrustCalibration trust_calibration_from_json(const JsonField& json) {
    json.allow_only({"deviation", "centre", "whitener", "limit", "noise_centre", "noise_limit", "protocol"});
    TrustCalibration calibration;
    calibration.deviation = array_of<trust_pixel_features>(json["deviation"]);
    calibration.centre = array_of<trust_frame_features>(json["centre"]);
    calibration.whitener = array_of<trust_frame_features * trust_frame_features>(json["whitener"]);
    calibration.limit = json["limit"].number(1e-6, 1e6);
    calibration.noise_centre = json["noise_centre"].number(-1e6, 1e6);
    calibration.noise_limit = json["noise_limit"].number(1e-6, 1e6);
    calibration.protocol = json["protocol"].text();
    return calibration;
}

std::size_t trust_features_bytes(Index rows, Index columns) noexcept {
    return Workspace::bytes<float>(rows * columns);
}

FrameFeatures trust_features(const TrustInput& frame, View<float> features, Workspace& workspace) noexcept {
    const Index measurements = frame.residual.shape()[0], rows = frame.speed.rows(),
                columns = frame.speed.columns(), pixels = rows * columns;
    const ResidualSums sums = sums_of(frame);
    const double unexplained = std::sqrt(sums.squares / static_cast<double>(std::max<Index>(sums.count, 1)));
    double contrast = 0, change = 0;
    for (Index p = 0; p < pixels; ++p) {
        const double less = double{frame.speed.data()[p]} - frame.uniform_speed;
        contrast += less * less;
        change += std::abs(double{frame.speed.data()[p]} - double{frame.start.data()[p]});
    }
    contrast = std::sqrt(contrast / static_cast<double>(pixels));
    change /= static_cast<double>(pixels);
    FrameFeatures found;
    found.unexplained = unexplained;
    found.values = {
        frame.uniform_speed / 100,
        frame.measured,
        std::log(std::max(unexplained, 1e-12) * 1e9),
        log_ratio(unexplained, frame.deviation),
        log_ratio(
            std::sqrt(sums.neighbour_squares / static_cast<double>(std::max<Index>(sums.neighbours, 1))),
            unexplained),
        log_ratio(std::sqrt(sums.largest), unexplained),
        std::log(1 + contrast),
        std::log(1 + change),
        log_ratio(std::sqrt(sums.mean_squares / static_cast<double>(std::max<Index>(sums.measurements, 1))),
                  unexplained),
        log_ratio(std::sqrt(sums.far_squares / static_cast<double>(std::max<Index>(sums.far, 1))),
                  unexplained),
        sums.products / std::max(std::sqrt(sums.first_squares * sums.second_squares), 1e-30)};
    if (features.empty()) return found;

    Scratch scratch(workspace);
    float* lines = scratch.take<float>({rows, columns}).data();
    const auto plane = [&](Index f) { return features.data() + f * pixels; };
    const auto constant = [&](Index f, double value) {
        std::fill_n(plane(f), pixels, static_cast<float>(value));
    };
    const auto logarithm = [&](Index f, float offset) {
        float* values = plane(f);
        for (Index p = 0; p < pixels; ++p) values[p] = std::log(offset + values[p]);
    };
    constant(0, 1);
    constant(1, std::log(1 + 1e9 * unexplained));
    constant(2, std::log(1 + contrast));
    constant(4, std::log(1 + change));
    const float* speed = frame.speed.data();
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j) {
            const Index p = i * columns + j;
            plane(3)[p] = std::abs(speed[p] - frame.start.data()[p]);
            plane(12)[p] = std::abs(speed[p] - static_cast<float>(frame.uniform_speed));
            const float down = i + 1 < rows ? speed[p + columns] - speed[p] : speed[p] - speed[p - columns];
            const float across = j + 1 < columns ? speed[p + 1] - speed[p] : speed[p] - speed[p - 1];
            plane(6)[p] = std::sqrt(down * down + across * across);
            float squares = 0, share = 0;
            for (Index m = 0; m < measurements; ++m)
                if (frame.counts.data()[m * pixels + p] != 0) {
                    const float r = 1e9f * frame.residual.data()[m * pixels + p];
                    squares += r * r;
                    share += 1;
                }
            plane(5)[p] = squares;
            plane(7)[p] = share;
            const double depth = static_cast<double>(i) / static_cast<double>(rows - 1);
            const double side = 2 * static_cast<double>(j) / static_cast<double>(columns - 1) - 1;
            plane(9)[p] = static_cast<float>(depth);
            plane(10)[p] = static_cast<float>(depth * depth);
            plane(11)[p] = static_cast<float>(side * side);
        }
    for (const Index f : {3, 5, 6, 7, 12}) average_near(plane(f), rows, columns, lines);
    for (Index p = 0; p < pixels; ++p) {
        plane(5)[p] = std::sqrt(plane(5)[p] / std::max(plane(7)[p], 0.25f));
        plane(7)[p] /= static_cast<float>(measurements);
    }
    for (Index j = 0; j < columns; ++j) {
        float below = 0;
        for (Index i = rows - 1; i >= 0; --i) {
            below += plane(7)[i * columns + j];
            plane(8)[i * columns + j] = below / static_cast<float>(rows - i);
        }
    }
    for (const Index f : {3, 5, 6, 12}) logarithm(f, 1);
    for (const Index f : {7, 8}) logarithm(f, 0.05f);
    return found;
}

void trust_deviation(const TrustCalibration& calibration, View<const float> features,
                     View<float> deviation) noexcept {
    const Index pixels = deviation.elements();
    for (Index p = 0; p < pixels; ++p) {
        double exponent = 0;
        for (Index f = 0; f < trust_pixel_features; ++f)
            exponent +=
                calibration.deviation[static_cast<std::size_t>(f)] * double{features.data()[f * pixels + p]};
        deviation.data()[p] = static_cast<float>(std::clamp(std::exp(exponent), 0.01, 1e4));
    }
}

FrameDistance trust_distance(const TrustCalibration& calibration, const FrameFeatures& frame) noexcept {
    std::array<double, trust_frame_features> less{};
    for (std::size_t j = 0; j < trust_frame_features; ++j) less[j] = frame.values[j] - calibration.centre[j];
    less[1] = std::min(less[1], 0.0);
    double squares = 0;
    for (std::size_t i = 0; i < trust_frame_features; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < trust_frame_features; ++j)
            sum += calibration.whitener[i * trust_frame_features + j] * less[j];
        squares += sum * sum;
    }
    return {std::sqrt(squares), (noise_likeness(frame) - calibration.noise_centre) / calibration.noise_limit};
}

double trust_score(const TrustCalibration& calibration, const FrameDistance& distance) noexcept {
    const double ratio = std::max(distance.from_frames / calibration.limit, distance.towards_noise);
    return 1 / (1 + ratio * ratio);
}

}  // namespace sonolux

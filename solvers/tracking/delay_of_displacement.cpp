// sonolux/solvers/tracking/delay_of_displacement.cpp
#include <cmath>
#include <limits>

#include <sonolux/solvers/tracking/delay_of_displacement.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;

bool finite(Point p) { return std::isfinite(p.x) && std::isfinite(p.z); }

void require_path(const EchoPath& path, const char* name) {
    const Transmission& sent = path.transmission;
    if (sent.wavefront == Wavefront::plane)
        require(std::abs(sent.angle) <= 1.4, invalid, "delay factors: transmission ", name,
                ": angle must be within 1.4 rad of straight down, got ", sent.angle,
                std::abs(sent.angle) > 1.4 ? " rad; is it in degrees?" : "");
    else
        require(finite(sent.focus), invalid, "delay factors: transmission ", name, ": focus must be finite");
    const ReceivePath& receive = path.receive;
    switch (receive.kind) {
        case ReceivePath::Kind::angle:
            require(std::abs(receive.angle) <= 1.4, invalid, "delay factors: receive path ", name,
                    ": angle must be within 1.4 rad of straight above, got ", receive.angle,
                    " rad; is it in degrees?");
            break;
        case ReceivePath::Kind::element:
            require(finite(receive.position), invalid, "delay factors: receive path ", name,
                    ": position must be finite");
            break;
        case ReceivePath::Kind::aperture:
            require(receive.f_number >= 0.1 && receive.f_number <= 100, invalid,
                    "delay factors: receive path ", name, ": f_number must be between 0.1 and 100, got ",
                    receive.f_number);
            break;
    }
}

/// Cosine between +z and the way from `from` to p; 0 at `from` itself.
double cosine(Point from, Point p) noexcept {
    const Point way = p - from;
    const double distance = length(way);
    return distance > 0 ? way.z / distance : 0;
}

}  // namespace

double transmit_rate(const Transmission& transmission, Point p) noexcept {
    if (transmission.wavefront == Wavefront::plane) return std::cos(transmission.angle);
    const double rate = cosine(transmission.focus, p);
    // Before its focus a beam comes nearer to it: |p - focus| falls as time goes on.
    return transmission.wavefront == Wavefront::focused ? std::abs(rate) : rate;
}

double receive_rate(const ReceivePath& path, Point p) noexcept {
    switch (path.kind) {
        case ReceivePath::Kind::angle: return std::cos(path.angle);
        case ReceivePath::Kind::element: return cosine(path.position, p);
        case ReceivePath::Kind::aperture: break;
    }
    const double tangent = 0.5 / path.f_number;
    return std::asinh(tangent) / tangent;
}

Array<float> delay_factors(const ImageGrid& grid, double row_spacing, double sound_speed, const EchoPath& a,
                           const EchoPath& b) {
    require(row_spacing >= 1e-6 && row_spacing <= 1e-2, invalid,
            "delay factors: row_spacing must be between 1e-06 m and 0.01 m, got ", row_spacing,
            row_spacing > 1e-2 ? " m; is it in millimetres?" : " m");
    require(sound_speed >= 100 && sound_speed <= 10000, invalid,
            "delay factors: sound_speed must be between 100 and 10000 m/s, got ", sound_speed);
    require(grid.rows >= 1 && grid.columns >= 1 && std::isfinite(grid.row_spacing + grid.first_z) &&
                std::isfinite(grid.column_spacing + grid.first_x),
            invalid, "delay factors: the grid must have pixels and finite places, got ", grid.rows, " x ",
            grid.columns);
    require_path(a, "a");
    require_path(b, "b");
    Array<float> factors(grid.shape());
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j) {
            const Point p = grid.point(static_cast<double>(i), static_cast<double>(j));
            const double first = transmit_rate(a.transmission, p) + receive_rate(a.receive, p);
            const double second = transmit_rate(b.transmission, p) + receive_rate(b.receive, p);
            const double rate = first > 0 && second > 0 ? 2 / (1 / first + 1 / second)
                                                        : std::numeric_limits<double>::quiet_NaN();
            factors(i, j) = static_cast<float>(row_spacing * rate / sound_speed);
        }
    return factors;
}

Status delays_of_displacements(View<const float> displacement, View<const float> factors,
                               View<float> delay) noexcept {
    if (displacement.shape() != factors.shape() || displacement.shape() != delay.shape() ||
        !displacement.contiguous() || !factors.contiguous() || !delay.contiguous())
        return Status::size_mismatch;
    const Index n = delay.elements();
    for (Index k = 0; k < n; ++k) delay.data()[k] = factors.data()[k] * displacement.data()[k];
    return Status::ok;
}

}  // namespace sonolux

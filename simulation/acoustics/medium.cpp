// sonolux/simulation/acoustics/medium.cpp
#include <sonolux/simulation/acoustics/medium.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace sonolux {

namespace {

constexpr Status bad = Status::invalid_argument;

/// Checks every value of a map; `hint` says which unit may have been meant by a value outside.
void check_map(const PropertyMap& map, const ImageGrid& grid, const char* name, double lowest, double highest,
               const char* unit, const char* hint) {
    const auto allowed = [&](float value) { return value >= lowest && value <= highest; };  // no NaN
    if (map.constant()) {
        require(allowed(map.value()), bad, name, " must be from ", lowest, " to ", highest, unit, ", got ",
                map.value(), hint);
        return;
    }
    require(map.values().shape() == grid.shape(), Status::size_mismatch, name, " is ",
            to_string(map.values().shape()), ", the grid is ", to_string(grid.shape()));
    for (Index i = 0; i < grid.rows; ++i)
        for (Index j = 0; j < grid.columns; ++j)
            require(allowed(map(i, j)), bad, name, " must be from ", lowest, " to ", highest, unit, ", got ",
                    map(i, j), " in row ", i, ", column ", j, hint);
}

/// One axis of the resampling: each output is a weighted sum of neighbouring inputs.
struct Axis {
    struct Term {
        Index first;
        std::vector<double> weights;
    };
    std::vector<Term> terms;
};

/// Integral of the hat function of half-width 1 from minus infinity to u.
double hat_integral(double u) noexcept {
    if (u <= -1) return 0;
    if (u >= 1) return 1;
    return u <= 0 ? (u + 1) * (u + 1) / 2 : 1 - (1 - u) * (1 - u) / 2;
}

/// Weights for output points at first + k step, in units of input points of which there are `inputs`. The
/// linear interpolant is a sum of hats; those at both ends go on at their height.
Axis axis_weights(Index inputs, Index outputs, double first, double step) {
    const bool averaged = step > 1 + 1e-6;  // equal spacings may differ by rounding
    const auto last = static_cast<double>(inputs - 1);
    Axis axis;
    for (Index k = 0; k < outputs; ++k) {
        const double centre = first + static_cast<double>(k) * step;
        const double from = centre - step / 2, to = centre + step / 2;
        const auto lowest = static_cast<Index>(std::floor(std::clamp(averaged ? from : centre, 0.0, last)));
        const auto highest = static_cast<Index>(std::ceil(std::clamp(averaged ? to : centre, 0.0, last)));
        Axis::Term term{lowest, {}};
        double sum = 0;
        for (Index n = lowest; n <= highest; ++n) {
            const auto at = static_cast<double>(n);
            double weight = std::max(0.0, 1 - std::abs(std::clamp(centre, 0.0, last) - at));
            if (averaged) {
                const double a = std::min(from, at) - at, b = std::min(to, at) - at;
                const double c = std::max(from, at) - at, d = std::max(to, at) - at;
                weight = (n == 0 ? b - a : hat_integral(b) - hat_integral(a)) +
                         (n == inputs - 1 ? d - c : hat_integral(d) - hat_integral(c));
            }
            term.weights.push_back(weight);
            sum += weight;
        }
        for (double& weight : term.weights) weight /= sum;
        axis.terms.push_back(std::move(term));
    }
    return axis;
}

void require_inside(const ImageGrid& from, const ImageGrid& to) {
    const auto check = [](const char* name, double first, double last, double lowest, double highest,
                          double cell) {
        require(first >= lowest - cell / 2 && last <= highest + cell / 2, bad, "the grid reaches from ", name,
                " = ", first, " to ", last, " m, the map only from ", lowest, " to ", highest, " m");
    };
    const double tolerant = 1 + 1e-6;
    check("z", to.z(0), to.z(static_cast<double>(to.rows - 1)), from.z(0),
          from.z(static_cast<double>(from.rows - 1)), from.row_spacing * tolerant);
    check("x", to.x(0), to.x(static_cast<double>(to.columns - 1)), from.x(0),
          from.x(static_cast<double>(from.columns - 1)), from.column_spacing * tolerant);
}

PropertyMap resampled(const PropertyMap& map, const ImageGrid& from, const ImageGrid& to, Outside outside) {
    if (map.constant()) return map.value();
    return resample(map.values(), from, to, outside);
}

}  // namespace

void validate(const Medium& medium) {
    validate(medium.grid);
    check_map(medium.sound_speed, medium.grid, "sound_speed", 200, 20000, " m/s",
              " (km/s and mm/us are 1000 m/s)");
    check_map(medium.density, medium.grid, "density", 0.05, 25000, " kg/m^3", " (g/cm^3 are 1000 kg/m^3)");
    check_map(medium.attenuation, medium.grid, "attenuation", 0, 1000, " dB/(MHz^y cm)", "");
    check_map(medium.nonlinearity, medium.grid, "nonlinearity", 0, 100, "", "");
    require(medium.attenuation_power >= 0 && medium.attenuation_power <= 3, bad,
            "attenuation_power must be from 0 to 3, got ", medium.attenuation_power);
    // No gas but hydrogen and helium lets sound travel that fast, and no liquid or solid is that light.
    const bool both = medium.sound_speed.constant() && medium.density.constant();
    for (Index i = 0; i < (both ? 1 : medium.grid.rows); ++i)
        for (Index j = 0; j < (both ? 1 : medium.grid.columns); ++j)
            require(medium.sound_speed(i, j) <= 1000 || medium.density(i, j) >= 20, bad, "density is ",
                    medium.density(i, j), " kg/m^3 where sound_speed is ", medium.sound_speed(i, j),
                    " m/s, in row ", i, ", column ", j, ": it must be at least 20 (g/cm^3 are 1000 kg/m^3)");
}

SpeedRange speed_range(const Medium& medium) noexcept {
    if (medium.sound_speed.constant()) return {medium.sound_speed.value(), medium.sound_speed.value()};
    const View<const float> values = medium.sound_speed.values();
    const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
    return {*lowest, *highest};
}

Array<float> slowness(const Medium& medium) {
    Array<float> map(medium.grid.shape());
    for (Index i = 0; i < medium.grid.rows; ++i)
        for (Index j = 0; j < medium.grid.columns; ++j) map(i, j) = 1 / medium.sound_speed(i, j);
    return map;
}

Array<float> resample(View<const float> values, const ImageGrid& from, const ImageGrid& to, Outside outside) {
    validate(from);
    validate(to);
    require(values.shape() == from.shape(), Status::size_mismatch, "the map is ", to_string(values.shape()),
            ", its grid is ", to_string(from.shape()));
    if (outside == Outside::refuse) require_inside(from, to);
    const Axis down =
        axis_weights(from.rows, to.rows, from.row(to.first_z), to.row_spacing / from.row_spacing);
    const Axis across = axis_weights(from.columns, to.columns, from.column(to.first_x),
                                     to.column_spacing / from.column_spacing);

    Array<double> rows_done({to.rows, from.columns});
    for (Index i = 0; i < to.rows; ++i) {
        const Axis::Term& term = down.terms[static_cast<std::size_t>(i)];
        for (std::size_t n = 0; n < term.weights.size(); ++n)
            for (Index j = 0; j < from.columns; ++j)
                rows_done(i, j) += term.weights[n] * values(term.first + static_cast<Index>(n), j);
    }
    Array<float> result(to.shape());
    for (Index i = 0; i < to.rows; ++i)
        for (Index j = 0; j < to.columns; ++j) {
            const Axis::Term& term = across.terms[static_cast<std::size_t>(j)];
            double sum = 0;
            for (std::size_t n = 0; n < term.weights.size(); ++n)
                sum += term.weights[n] * rows_done(i, term.first + static_cast<Index>(n));
            result(i, j) = static_cast<float>(sum);
        }
    return result;
}

Medium resample(const Medium& medium, const ImageGrid& to, Outside outside) {
    validate(medium);
    Medium result{.grid = to, .attenuation_power = medium.attenuation_power};
    if (medium.sound_speed.constant()) {
        result.sound_speed = medium.sound_speed.value();
    } else {
        Array<float> map = resample(slowness(medium), medium.grid, to, outside);
        for (float& value : map) value = 1 / value;
        result.sound_speed = std::move(map);
    }
    result.density = resampled(medium.density, medium.grid, to, outside);
    result.attenuation = resampled(medium.attenuation, medium.grid, to, outside);
    result.nonlinearity = resampled(medium.nonlinearity, medium.grid, to, outside);
    return result;
}

}  // namespace sonolux

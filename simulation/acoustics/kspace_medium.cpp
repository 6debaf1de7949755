// sonolux/simulation/acoustics/kspace_medium.cpp
#include <sonolux/simulation/acoustics/kspace_medium.hpp>

namespace sonolux {
namespace {

ScalarOrField same(const PropertyMap& map) {
    if (map.constant()) return static_cast<double>(map.value());
    return map.values();
}

bool is_zero(const PropertyMap& map) { return map.constant() && map.value() == 0; }

}  // namespace

KspaceMedium kspace_medium(const Medium& medium) {
    validate(medium);
    KspaceMedium result;
    result.sound_speed = same(medium.sound_speed);
    result.density = same(medium.density);
    if (!is_zero(medium.attenuation)) {
        result.absorption =
            medium.attenuation_power == 2 ? KspaceAbsorption::stokes : KspaceAbsorption::power_law;
        result.attenuation = same(medium.attenuation);
        result.attenuation_power = medium.attenuation_power;
    }
    result.nonlinear = !is_zero(medium.nonlinearity);
    if (result.nonlinear) result.nonlinearity = same(medium.nonlinearity);
    return result;
}

KspaceGrid kspace_grid(const Medium& medium, double time_step, Index steps) {
    validate(medium);
    const ImageGrid& grid = medium.grid;
    return {{1, grid.rows, grid.columns}, {grid.column_spacing, grid.row_spacing, 0}, time_step, steps};
}

}  // namespace sonolux

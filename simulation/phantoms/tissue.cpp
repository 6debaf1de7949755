// sonolux/simulation/phantoms/tissue.cpp
#include <sonolux/simulation/phantoms/tissue.hpp>

#include <algorithm>
#include <cmath>

namespace sonolux {

double TissueRegion::depth_within(Point p) const noexcept {
    if (kind == Kind::below) {
        double surface = centre.z + tilt * (p.x - centre.x);
        for (const Wave& wave : waves) surface += wave.amplitude * std::cos(wave.order * p.x + wave.phase);
        return p.z - surface;
    }
    const Point from_centre = p - centre;
    const double along = (from_centre.x * cosine + from_centre.z * sine) / stretch;
    const double across = (from_centre.z * cosine - from_centre.x * sine) * stretch;
    const double distance = std::hypot(along, across);
    double boundary = radius;
    if (!waves.empty()) {
        const double angle = std::atan2(across, along);
        for (const Wave& wave : waves)
            boundary += radius * wave.amplitude * std::cos(wave.order * angle + wave.phase);
    }
    // The stretched plane has another measure along this ray.
    const double measure = distance > 0 ? length(from_centre) / distance : 1;
    return (boundary - distance) * measure;
}

double TissueRegion::weight(Point p) const noexcept {
    const double depth = depth_within(p);
    if (!(edge > 0)) return depth >= 0 ? 1 : 0;
    const double t = std::clamp(0.5 + depth / edge, 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

double TissueRegion::reach() const noexcept {
    double largest = 1;
    for (const Wave& wave : waves) largest += std::abs(wave.amplitude);
    return radius * largest * std::max(stretch, 1 / stretch) + edge;
}

namespace {

/// `above` covers a part w of `below`.
void cover(Tissue& below, const Tissue& above, double w) noexcept {
    const auto mix = [w](double& value, double other) { value += w * (other - value); };
    mix(below.sound_speed, above.sound_speed);
    mix(below.density, above.density);
    mix(below.attenuation, above.attenuation);
    mix(below.nonlinearity, above.nonlinearity);
    mix(below.echogenicity, above.echogenicity);
}

}  // namespace

Tissue TissuePhantom::at(Point p) const noexcept {
    Tissue tissue = background_;
    for (const TissueRegion& region : regions_) cover(tissue, region.tissue, region.weight(p));
    for (const SpeedField& field : fields_) tissue.sound_speed += field.deviation * field.field(p);
    tissue.sound_speed =
        std::clamp(tissue.sound_speed, options_.speed_limits.low, options_.speed_limits.high);
    return tissue;
}

Medium TissuePhantom::render(const ImageGrid& grid) const {
    validate(grid);
    const Index points = options_.supersampling;
    const Index across = grid.columns * points;
    const double step = 1 / static_cast<double>(points);
    const double spacing = grid.column_spacing * step;
    const double first_x = grid.x((step - 1) / 2);
    Array<float> speed(grid.shape()), density(grid.shape()), attenuation(grid.shape()),
        nonlinearity(grid.shape());
    std::vector<double> variation(static_cast<std::size_t>(across)), one(variation);
    std::vector<const TissueRegion*> here;
    std::vector<Tissue> sums(static_cast<std::size_t>(grid.columns));
    for (Index i = 0; i < grid.rows; ++i) {
        std::fill(sums.begin(), sums.end(), Tissue{});
        for (Index a = 0; a < points; ++a) {
            const double z = grid.z(static_cast<double>(i) + (static_cast<double>(a) + 0.5) * step - 0.5);
            here.clear();
            for (const TissueRegion& region : regions_)
                if (region.kind == TissueRegion::Kind::below ||
                    std::abs(z - region.centre.z) <= region.reach())
                    here.push_back(&region);
            std::fill(variation.begin(), variation.end(), 0.0);
            for (const SpeedField& field : fields_) {
                field.field.row(z, first_x, spacing, across, one.data());
                for (std::size_t j = 0; j < one.size(); ++j) variation[j] += field.deviation * one[j];
            }
            for (Index j = 0; j < across; ++j) {
                const Point p{first_x + static_cast<double>(j) * spacing, z};
                Tissue tissue = background_;
                for (const TissueRegion* region : here) cover(tissue, region->tissue, region->weight(p));
                Tissue& sum = sums[static_cast<std::size_t>(j / points)];
                sum.sound_speed += 1 / std::clamp(tissue.sound_speed + variation[static_cast<std::size_t>(j)],
                                                  options_.speed_limits.low, options_.speed_limits.high);
                sum.density += tissue.density;
                sum.attenuation += tissue.attenuation;
                sum.nonlinearity += tissue.nonlinearity;
            }
        }
        const auto count = static_cast<double>(points * points);
        for (Index j = 0; j < grid.columns; ++j) {
            const Tissue& sum = sums[static_cast<std::size_t>(j)];
            speed(i, j) = static_cast<float>(count / sum.sound_speed);
            density(i, j) = static_cast<float>(sum.density / count);
            attenuation(i, j) = static_cast<float>(sum.attenuation / count);
            nonlinearity(i, j) = static_cast<float>(sum.nonlinearity / count);
        }
    }
    Medium medium{.grid = grid, .attenuation_power = options_.attenuation_power};
    medium.sound_speed = std::move(speed);
    medium.density = std::move(density);
    medium.attenuation = std::move(attenuation);
    medium.nonlinearity = std::move(nonlinearity);
    return medium;
}

}  // namespace sonolux

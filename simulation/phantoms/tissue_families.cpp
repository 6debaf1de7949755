// sonolux/simulation/phantoms/tissue_families.cpp
//
// How the phantoms of each family are drawn (tissue.hpp). The order in which random numbers are taken is part
// of what a seed means.
#include <cmath>

#include <sonolux/simulation/phantoms/tissue.hpp>

namespace sonolux {

namespace {

constexpr double pi = 3.14159265358979323846;

Tissue draw(const TissueRanges& ranges, Philox& random) noexcept {
    Tissue tissue;
    tissue.sound_speed = ranges.sound_speed.draw(random);
    tissue.density = ranges.density.draw(random);
    tissue.attenuation = ranges.attenuation.draw(random);
    tissue.nonlinearity = ranges.nonlinearity.draw(random);
    tissue.echogenicity = ranges.echogenicity.draw(random);
    return tissue;
}

Index draw_count(const Range& count, Philox& random) noexcept {
    return static_cast<Index>(std::floor(count.draw(random)));
}

/// An ellipse anywhere in x = -width / 2 .. width / 2, z = top .. bottom, deformed up to `roughness`.
TissueRegion draw_curve(const Range& radius, const Range& aspect, double roughness, double width, double top,
                        double bottom, Philox& random) {
    TissueRegion region;
    region.centre = {random.uniform(-width / 2, width / 2), random.uniform(top, bottom)};
    region.radius = radius.draw(random);
    region.stretch = std::sqrt(aspect.draw(random));
    const double angle = random.uniform(0, pi);
    region.cosine = std::cos(angle);
    region.sine = std::sin(angle);
    for (int order = 2; roughness > 0 && order <= 6; ++order) {
        const double amplitude = random.uniform(-1, 1) * roughness / order;
        region.waves.push_back({static_cast<double>(order), amplitude, random.uniform(0, 2 * pi)});
    }
    return region;
}

/// Everything below a tilted line through (0, depth) with three waves on it.
TissueRegion draw_surface(double depth, double tilt, const Range& amplitude, const Range& wavelength,
                          Philox& random) {
    TissueRegion region;
    region.kind = TissueRegion::Kind::below;
    region.centre = {0, depth};
    region.tilt = tilt;
    for (int wave = 0; wave < 3; ++wave) {
        const double height = amplitude.draw(random), order = 2 * pi / wavelength.draw(random);
        region.waves.push_back({order, height, random.uniform(0, 2 * pi)});
    }
    return region;
}

constexpr Range flat{0, 0}, any_wavelength{1, 1}, slight_aspect{1, 2};

}  // namespace

TissuePhantom::TissuePhantom(const TissueOptions& options, std::uint64_t seed, std::uint64_t index)
    : options_(options) {
    validate(options);
    Philox random(seed, streams::tissue, index);
    double sum = 0;
    for (const double weight : options.weights) sum += weight;
    double which = random.uniform(0, sum);
    // The last family that has a weight catches what rounding leaves.
    for (std::size_t f = 0; f < tissue_families.size(); ++f) {
        if (options.weights[f] <= 0) continue;
        family_ = tissue_families[f];
        which -= options.weights[f];
        if (which < 0) break;
    }
    Philox field_random(seed, streams::tissue_field, index);
    background_ = draw(options.background, random);
    switch (family_) {
        case TissueFamily::ellipses: draw_ellipses(random); break;
        case TissueFamily::inclusions: draw_inclusions(random); break;
        case TissueFamily::layers: draw_layers(random); break;
        case TissueFamily::breast: draw_breast(random); break;
        case TissueFamily::random_field: draw_field(options.random_field, field_random); break;
    }
    draw_field(options.heterogeneity, field_random);
}

void TissuePhantom::draw_ellipses(Philox& random) {
    const EllipsesOptions& o = options_.ellipses;
    const Index count = draw_count(o.count, random);
    for (Index n = 0; n < count; ++n) {
        TissueRegion region = draw_curve(o.radius, o.aspect, 0, options_.width, 0, options_.depth, random);
        region.tissue = background_;
        region.tissue.sound_speed += o.contrast.draw(random);
        region.tissue.density += o.density_contrast.draw(random);
        region.tissue.echogenicity += o.echogenicity_contrast.draw(random);
        regions_.push_back(std::move(region));
    }
}

void TissuePhantom::draw_inclusions(Philox& random) {
    const InclusionsOptions& o = options_.inclusions;
    const Index count = draw_count(o.count, random);
    for (Index n = 0; n < count; ++n) {
        const double roughness = o.roughness.draw(random);
        TissueRegion region =
            draw_curve(o.radius, o.aspect, roughness, options_.width, 0, options_.depth, random);
        region.edge = o.edge.draw(random);
        region.tissue = background_;
        region.tissue.sound_speed += o.contrast.draw(random);
        region.tissue.density += o.density_contrast.draw(random);
        region.tissue.echogenicity += o.echogenicity_contrast.draw(random);
        regions_.push_back(std::move(region));
    }
}

void TissuePhantom::draw_layers(Philox& random) {
    const LayersOptions& o = options_.layers;
    background_ = draw(o.skin, random);
    double depth = 0;
    const auto add = [&](const Range& thickness, const TissueRanges& below) {
        depth += thickness.draw(random);
        TissueRegion region = draw_surface(depth, o.tilt.draw(random), o.undulation, o.wavelength, random);
        region.tissue = draw(below, random);
        regions_.push_back(std::move(region));
    };
    add(o.skin_thickness, o.fat);
    add(o.fat_thickness, o.muscle);
    add(o.muscle_thickness, o.organ);
}

void TissuePhantom::draw_breast(Philox& random) {
    const BreastOptions& o = options_.breast;
    background_ = draw(o.skin, random);
    const Tissue fat = draw(o.fat, random);
    const double skin_depth = o.skin_thickness.draw(random);
    const double gland_depth = skin_depth + o.fat_thickness.draw(random);
    const double chest_depth = std::max(gland_depth, o.chest_depth.draw(random));

    TissueRegion region = draw_surface(skin_depth, 0, flat, any_wavelength, random);
    region.tissue = fat;
    regions_.push_back(std::move(region));
    region = draw_surface(gland_depth, random.uniform(-0.1, 0.1), o.scallop, o.scallop_wavelength, random);
    region.tissue = draw(o.gland, random);
    region.edge = 0.5e-3;
    regions_.push_back(std::move(region));

    const Index lobules = draw_count(o.lobules, random);
    for (Index n = 0; n < lobules; ++n) {
        region =
            draw_curve(o.lobule_radius, slight_aspect, 0.3, options_.width, gland_depth, chest_depth, random);
        region.tissue = fat;
        regions_.push_back(std::move(region));
    }
    if (random.uniform() < o.lesion_fraction) {
        region = draw_curve(o.lesion_radius, slight_aspect, random.uniform(0, 0.6), options_.width / 2,
                            gland_depth, chest_depth, random);
        region.tissue = draw(o.lesion, random);
        region.edge = 0.3e-3;
        regions_.push_back(std::move(region));
    }
    region = draw_surface(chest_depth, random.uniform(-0.1, 0.1), flat, any_wavelength, random);
    region.tissue = draw(o.muscle, random);
    regions_.push_back(std::move(region));
}

void TissuePhantom::draw_field(const SpeedFieldOptions& options, Philox& random) {
    const double deviation = options.deviation.draw(random);
    const double correlation_length = options.correlation_length.draw(random);
    const double aspect = options.aspect.draw(random);
    if (!(deviation > 0)) return;
    fields_.push_back({deviation, GaussianField(options.covariance, correlation_length, aspect, random)});
}

}  // namespace sonolux

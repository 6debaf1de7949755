// sonolux/simulation/phantoms/tissue_options.cpp
#include <sonolux/simulation/phantoms/tissue_options.hpp>

#include <string>

namespace sonolux {

namespace {

constexpr Status bad = Status::invalid_argument;

void check(const std::string& name, const Range& range, double lowest, double highest,
           const char* unit = "") {
    require(range.low <= range.high, bad, name, " is reversed: it goes from ", range.low, " to ", range.high);
    require(range.low >= lowest && range.high <= highest, bad, name, " must be from ", lowest, " to ",
            highest, unit, ", got ", range.low, " to ", range.high);
}

void check(const std::string& name, const TissueRanges& tissue) {
    check(name + ".sound_speed", tissue.sound_speed, 300, 10000, " m/s");
    check(name + ".density", tissue.density, 20, 25000, " kg/m^3");
    check(name + ".attenuation", tissue.attenuation, 0, 100, " dB/(MHz^y cm)");
    check(name + ".nonlinearity", tissue.nonlinearity, 0, 100);
    check(name + ".echogenicity", tissue.echogenicity, -100, 100, " dB");
}

void check(const std::string& name, const SpeedFieldOptions& field) {
    check(name + ".deviation", field.deviation, 0, 1000, " m/s");
    check(name + ".correlation_length", field.correlation_length, 1e-5, 1, " m");
    check(name + ".aspect", field.aspect, 0.01, 100);
}

/// What ellipses and inclusions share.
template <class Options>
void check_shapes(const std::string& name, const Options& options) {
    check(name + ".count", options.count, 0, 1000);
    check(name + ".radius", options.radius, 1e-5, 1, " m");
    check(name + ".aspect", options.aspect, 1, 100);
    check(name + ".contrast", options.contrast, -5000, 5000, " m/s");
    check(name + ".density_contrast", options.density_contrast, -5000, 5000, " kg/m^3");
    check(name + ".echogenicity_contrast", options.echogenicity_contrast, -100, 100, " dB");
}

constexpr double longest = 1;  // m

}  // namespace

const char* to_string(TissueFamily family) noexcept {
    switch (family) {
        case TissueFamily::ellipses: return "ellipses";
        case TissueFamily::inclusions: return "inclusions";
        case TissueFamily::layers: return "layers";
        case TissueFamily::breast: return "breast";
        case TissueFamily::random_field: break;
    }
    return "random_field";
}

void validate(const TissueOptions& options) {
    const auto size = [](const char* name, double value) {
        require(value >= 1e-4 && value <= longest, bad, name, " must be from 0.0001 to 1 m, got ", value);
    };
    size("width", options.width);
    size("depth", options.depth);
    double sum = 0;
    for (std::size_t f = 0; f < options.weights.size(); ++f) {
        require(options.weights[f] >= 0 && options.weights[f] <= 1e6, bad, "the weight of ",
                to_string(tissue_families[f]), " must be from 0 to 1e6, got ", options.weights[f]);
        sum += options.weights[f];
    }
    require(sum > 0, bad, "no family of phantoms has a weight above 0");
    check("background", options.background);
    check_shapes("ellipses", options.ellipses);
    check_shapes("inclusions", options.inclusions);
    for (const auto& [name, contrast] : {std::pair{"ellipses", options.ellipses.density_contrast},
                                         {"inclusions", options.inclusions.density_contrast}})
        require(options.background.density.low + contrast.low > 0, bad, name, ".density_contrast of ",
                contrast.low, " kg/m^3 leaves no density of a background of ", options.background.density.low,
                " kg/m^3");
    check("inclusions.roughness", options.inclusions.roughness, 0, 0.9);
    check("inclusions.edge", options.inclusions.edge, 0, longest, " m");

    const LayersOptions& layers = options.layers;
    check("layers.skin_thickness", layers.skin_thickness, 0, longest, " m");
    check("layers.fat_thickness", layers.fat_thickness, 0, longest, " m");
    check("layers.muscle_thickness", layers.muscle_thickness, 0, longest, " m");
    check("layers.tilt", layers.tilt, -1, 1);
    check("layers.undulation", layers.undulation, 0, longest, " m");
    check("layers.wavelength", layers.wavelength, 1e-4, 10, " m");
    check("layers.skin", layers.skin);
    check("layers.fat", layers.fat);
    check("layers.muscle", layers.muscle);
    check("layers.organ", layers.organ);

    const BreastOptions& breast = options.breast;
    check("breast.skin_thickness", breast.skin_thickness, 0, longest, " m");
    check("breast.fat_thickness", breast.fat_thickness, 0, longest, " m");
    check("breast.chest_depth", breast.chest_depth, 0, longest, " m");
    check("breast.scallop", breast.scallop, 0, longest, " m");
    check("breast.scallop_wavelength", breast.scallop_wavelength, 1e-4, 10, " m");
    check("breast.lobules", breast.lobules, 0, 1000);
    check("breast.lobule_radius", breast.lobule_radius, 1e-5, longest, " m");
    check("breast.lesion_radius", breast.lesion_radius, 1e-5, longest, " m");
    require(breast.lesion_fraction >= 0 && breast.lesion_fraction <= 1, bad,
            "breast.lesion_fraction must be from 0 to 1, got ", breast.lesion_fraction);
    check("breast.skin", breast.skin);
    check("breast.fat", breast.fat);
    check("breast.gland", breast.gland);
    check("breast.muscle", breast.muscle);
    check("breast.lesion", breast.lesion);

    check("random_field", options.random_field);
    check("heterogeneity", options.heterogeneity);
    check("speed_limits", options.speed_limits, 300, 10000, " m/s");
    require(options.attenuation_power >= 0 && options.attenuation_power <= 3, bad,
            "attenuation_power must be from 0 to 3, got ", options.attenuation_power);
    require(options.supersampling >= 1 && options.supersampling <= 8, bad,
            "supersampling must be from 1 to 8, got ", options.supersampling);
}

}  // namespace sonolux

// sonolux/sdk/pipelines/phantom_recipe.cpp
//
// [phantom] of simulation recipes: every range of simulation/phantoms/tissue_options.hpp has a key of its
// name.
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>

namespace sonolux {

namespace {

class PhantomReader {
public:
    explicit PhantomReader(RecipeTable& table) : table_(table) {}

    TissueOptions read() {
        TissueOptions o;
        o.width = table_.number("phantom.width", o.width, 1e-4, 1);
        o.depth = table_.number("phantom.depth", o.depth, 1e-4, 1);
        read_weights(o);
        range("phantom.speed_limits", o.speed_limits, 300);
        o.attenuation_power = table_.number("phantom.attenuation_power", o.attenuation_power, 0, 3);
        o.supersampling = static_cast<int>(table_.integer("phantom.supersampling", o.supersampling, 1, 8));
        if (has(o, TissueFamily::ellipses) || has(o, TissueFamily::inclusions) ||
            has(o, TissueFamily::random_field))
            tissue("phantom.background", o.background);
        if (has(o, TissueFamily::ellipses)) shapes("phantom.ellipses", o.ellipses);
        if (has(o, TissueFamily::inclusions)) {
            shapes("phantom.inclusions", o.inclusions);
            range("phantom.inclusions.roughness", o.inclusions.roughness, 0);
            range("phantom.inclusions.edge", o.inclusions.edge, 0);
        }
        if (has(o, TissueFamily::layers)) read_layers(o.layers);
        if (has(o, TissueFamily::breast)) read_breast(o.breast);
        if (has(o, TissueFamily::random_field)) field("phantom.random_field", o.random_field);
        field("phantom.heterogeneity", o.heterogeneity);
        try {
            validate(o);
        } catch (const Error& error) {
            throw Error(error.status(), table_.where("phantom") + ": " + error.what());
        }
        return o;
    }

private:
    static bool has(const TissueOptions& options, TissueFamily family) {
        return options.weights[static_cast<std::size_t>(family)] > 0;
    }

    void range(const std::string& key, Range& value, double lowest = -1e9) {
        value = read_range(table_, key, value, lowest);
    }

    void read_weights(TissueOptions& options) {
        std::vector<std::string> all;
        for (const TissueFamily family : tissue_families) all.emplace_back(to_string(family));
        const std::vector<std::string> names = table_.texts("phantom.families", all);
        const std::vector<double> weights =
            table_.numbers("phantom.weights", std::vector<double>(names.size(), 1.0), 0, 1e6);
        require(weights.size() == names.size(), Status::invalid_argument, table_.where("phantom.weights"),
                " has ", weights.size(), " numbers for ", names.size(), " families");
        options.weights = {};
        for (std::size_t n = 0; n < names.size(); ++n) {
            const auto found = std::find(all.begin(), all.end(), names[n]);
            std::string known;
            for (const std::string& name : all) known += (known.empty() ? "\"" : ", \"") + name + "\"";
            require(found != all.end(), Status::invalid_argument, table_.where("phantom.families"),
                    " must be some of ", known, ", got \"", names[n], "\"");
            double& weight = options.weights[static_cast<std::size_t>(found - all.begin())];
            require(weight == 0, Status::invalid_argument, table_.where("phantom.families"), " has \"",
                    names[n], "\" twice");
            weight = weights[n];
        }
    }

    void tissue(const std::string& key, TissueRanges& ranges) {
        range(key + ".sound_speed", ranges.sound_speed);
        range(key + ".density", ranges.density);
        range(key + ".attenuation", ranges.attenuation);
        range(key + ".nonlinearity", ranges.nonlinearity);
        range(key + ".echogenicity", ranges.echogenicity);
    }

    template <class Options>
    void shapes(const std::string& key, Options& options) {
        range(key + ".count", options.count);
        range(key + ".radius", options.radius);
        range(key + ".aspect", options.aspect);
        range(key + ".contrast", options.contrast);
        range(key + ".density_contrast", options.density_contrast);
        range(key + ".echogenicity_contrast", options.echogenicity_contrast);
    }

    void field(const std::string& key, SpeedFieldOptions& options) {
        range(key + ".deviation", options.deviation);
        range(key + ".correlation_length", options.correlation_length);
        range(key + ".aspect", options.aspect);
        options.covariance = field_covariance_from_string(table_.one_of(
            key + ".covariance", to_string(options.covariance), {"gaussian", "matern", "exponential"}));
    }

    void read_layers(LayersOptions& layers) {
        range("phantom.layers.skin_thickness", layers.skin_thickness);
        range("phantom.layers.fat_thickness", layers.fat_thickness);
        range("phantom.layers.muscle_thickness", layers.muscle_thickness);
        range("phantom.layers.tilt", layers.tilt);
        range("phantom.layers.undulation", layers.undulation);
        range("phantom.layers.wavelength", layers.wavelength);
        tissue("phantom.layers.skin", layers.skin);
        tissue("phantom.layers.fat", layers.fat);
        tissue("phantom.layers.muscle", layers.muscle);
        tissue("phantom.layers.organ", layers.organ);
    }

    void read_breast(BreastOptions& breast) {
        range("phantom.breast.skin_thickness", breast.skin_thickness);
        range("phantom.breast.fat_thickness", breast.fat_thickness);
        range("phantom.breast.chest_depth", breast.chest_depth);
        range("phantom.breast.scallop", breast.scallop);
        range("phantom.breast.scallop_wavelength", breast.scallop_wavelength);
        range("phantom.breast.lobules", breast.lobules);
        range("phantom.breast.lobule_radius", breast.lobule_radius);
        breast.lesion_fraction =
            table_.number("phantom.breast.lesion_fraction", breast.lesion_fraction, 0, 1);
        range("phantom.breast.lesion_radius", breast.lesion_radius);
        tissue("phantom.breast.skin", breast.skin);
        tissue("phantom.breast.fat", breast.fat);
        tissue("phantom.breast.gland", breast.gland);
        tissue("phantom.breast.muscle", breast.muscle);
        tissue("phantom.breast.lesion", breast.lesion);
    }

    RecipeTable& table_;
};

}  // namespace

TissueOptions read_phantoms(RecipeTable& recipe) { return PhantomReader(recipe).read(); }

}  // namespace sonolux

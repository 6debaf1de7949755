// sonolux/sdk/pipelines/simulation_domain.cpp
#include <sonolux/sdk/pipelines/simulation_domain.hpp>

namespace sonolux {

const std::vector<SimulationDomainEntry>& simulation_domains() {
    static const std::vector<SimulationDomainEntry> domains = {
        {"maps", "maps of sound speed, density, attenuation and nonlinearity", make_maps_domain},
        {"ray", "differences of travel times along straight or bent rays", make_ray_domain},
        {"echo", "channel data of scatterers, with travel times through the map (zea files)",
         make_echo_domain},
        {"wave", "channel data by full-wave simulation (zea files)", make_wave_domain},
        {"lens", "photographs through a diffractive lens, and what a perfect one would take",
         make_lens_domain, false},
    };
    return domains;
}

SampleField map_field(const std::string& name, const std::string& unit, const std::string& description,
                      const ImageGrid& grid) {
    return {name, unit, description, {grid.rows, grid.columns}, {"row", "column"}};
}

void describe_grid(Hdf5File& shard, const ImageGrid& grid) {
    std::vector<float> x, z;
    for (Index j = 0; j < grid.columns; ++j) x.push_back(static_cast<float>(grid.x(static_cast<double>(j))));
    for (Index i = 0; i < grid.rows; ++i) z.push_back(static_cast<float>(grid.z(static_cast<double>(i))));
    shard.write<float>("grid/x", {grid.columns}, x);
    shard.write<float>("grid/z", {grid.rows}, z);
    for (const char* axis : {"grid/x", "grid/z"}) shard.set_attribute(axis, "unit", "m");
}

void describe_pairs(Hdf5File& shard, const std::vector<float>& places, bool plane) {
    const char* name = plane ? "pairs/angle" : "pairs/x";
    shard.write<float>(name, {static_cast<Index>(places.size()) / 2, 2}, places);
    shard.set_attribute(name, "unit", plane ? "rad" : "m");
    shard.set_attribute(name, "description",
                        plane ? "directions of the two plane waves of each pair, from z towards x"
                              : "where the two sources of each pair are");
}

std::span<float> put_map(const Medium& medium, const PropertyMap& map, std::span<float> sample) {
    for (Index i = 0; i < medium.grid.rows; ++i)
        for (Index j = 0; j < medium.grid.columns; ++j)
            sample[static_cast<std::size_t>(i * medium.grid.columns + j)] = map(i, j);
    return sample.subspan(static_cast<std::size_t>(medium.grid.rows * medium.grid.columns));
}

namespace {

/// Phantoms alone: what other simulators can begin with.
class MapsDomain final : public SimulationDomain {
public:
    explicit MapsDomain(const SimulationSetup& setup) : setup_(setup) {
        fields_ = {map_field("sound_speed", "m/s", "sound speed", setup.grid),
                   map_field("density", "kg/m^3", "density", setup.grid),
                   map_field("attenuation", "dB/(MHz^y cm)", "attenuation coefficient", setup.grid),
                   map_field("nonlinearity", "1", "nonlinearity B/A", setup.grid)};
    }

    TissueFamily simulate(std::uint64_t index, std::span<float> sample, Context& /*context*/) const override {
        const TissuePhantom phantom(setup_.phantoms, setup_.seed, index);
        const Medium medium = phantom.render(setup_.grid);
        for (const PropertyMap* map :
             {&medium.sound_speed, &medium.density, &medium.attenuation, &medium.nonlinearity})
            sample = put_map(medium, *map, sample);
        return phantom.family();
    }

    void describe(Hdf5File& shard, Index /*samples*/) const override {
        describe_grid(shard, setup_.grid);
        shard.set_attribute("attenuation", "power", setup_.phantoms.attenuation_power);
    }

private:
    SimulationSetup setup_;
};

}  // namespace

std::unique_ptr<SimulationDomain> make_maps_domain(RecipeTable& /*recipe*/, const SimulationSetup& setup) {
    return std::make_unique<MapsDomain>(setup);
}

}  // namespace sonolux

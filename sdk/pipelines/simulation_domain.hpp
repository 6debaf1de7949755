// sonolux/sdk/pipelines/simulation_domain.hpp
//
// A domain of simulation: what one sample of a training set is, and how it is made. From maps alone to waves,
// each is one file simulation_domain_NAME.cpp and one line in simulation_domains().
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/files/recipe.hpp>
#include <sonolux/sdk/files/training_set.hpp>
#include <sonolux/simulation/phantoms/tissue.hpp>

namespace sonolux {

/// What all domains of a recipe share.
struct SimulationSetup {
    std::uint64_t seed = 1;
    TissueOptions phantoms;  ///< [phantom]
    ImageGrid grid;          ///< [grid]: of the maps that samples keep
};

/// Makes samples. Several threads call `simulate` at the same time.
class SimulationDomain {
public:
    virtual ~SimulationDomain() = default;

    [[nodiscard]] const std::vector<SampleField>& fields() const noexcept { return fields_; }

    /// Sample `index`: a function of the recipe and the index alone. `sample` has the fields one after the
    /// other. The context is the caller's own, of one thread; long work reports to it, and throws
    /// Error{cancelled} where it says so. Returns the phantom's family, a place in `tissue_families`, or the
    /// first where there is no tissue. Throws Error where the physics cannot be had of this sample.
    virtual TissueFamily simulate(std::uint64_t index, std::span<float> sample, Context& context) const = 0;

    /// Whether samples may hold NaN, for what was not measured. A simulator without gaps that gives one has
    /// failed.
    [[nodiscard]] virtual bool has_gaps() const noexcept { return false; }

    /// Adds what is the same for all samples to a shard: geometry, times, pulse.
    virtual void describe(Hdf5File& /*shard*/, Index /*samples*/) const {}

protected:
    std::vector<SampleField> fields_;  ///< set by the constructor
};

/// A line in the register.
struct SimulationDomainEntry {
    const char* name;
    const char* makes;  ///< for people who choose
    std::unique_ptr<SimulationDomain> (*make)(RecipeTable& recipe, const SimulationSetup& setup);
    bool tissue = true;  ///< has [phantom] and [grid]
};

[[nodiscard]] const std::vector<SimulationDomainEntry>& simulation_domains();

/// Of simulation_domains(): each reads its keys from the recipe, and throws as RecipeTable does.
std::unique_ptr<SimulationDomain> make_maps_domain(RecipeTable& recipe, const SimulationSetup& setup);
std::unique_ptr<SimulationDomain> make_ray_domain(RecipeTable& recipe, const SimulationSetup& setup);
std::unique_ptr<SimulationDomain> make_echo_domain(RecipeTable& recipe, const SimulationSetup& setup);
std::unique_ptr<SimulationDomain> make_wave_domain(RecipeTable& recipe, const SimulationSetup& setup);
std::unique_ptr<SimulationDomain> make_lens_domain(RecipeTable& recipe, const SimulationSetup& setup);

/// The field of a map on a grid, [rows, columns].
[[nodiscard]] SampleField map_field(const std::string& name, const std::string& unit,
                                    const std::string& description, const ImageGrid& grid);

/// Writes `grid/x` and `grid/z`, where the columns and rows of the maps lie, in m.
void describe_grid(Hdf5File& shard, const ImageGrid& grid);

/// Writes where the two transmissions of each pair come from, [pair, 2]: `pairs/x` in m, or of plane waves
/// `pairs/angle` in rad.
void describe_pairs(Hdf5File& shard, const std::vector<float>& places, bool plane = false);

/// Copies a property of a medium into its place in a sample, and returns the rest of the sample.
std::span<float> put_map(const Medium& medium, const PropertyMap& map, std::span<float> sample);

}  // namespace sonolux

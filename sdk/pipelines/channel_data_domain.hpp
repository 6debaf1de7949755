// sonolux/sdk/pipelines/channel_data_domain.hpp
//
// What the domains that make channel data share: arrays, transmissions, pulse, scatterers, recording, and
// shards that are zea files, with one frame for each sample.
#pragma once

#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/sdk/pipelines/simulation_domain.hpp>
#include <sonolux/simulation/acoustics/pulse.hpp>
#include <sonolux/simulation/phantoms/scatterers.hpp>

namespace sonolux {

struct ChannelDataOptions {
    TransducerArray array;
    PulseOptions pulse = {};
    ZeaScan scan = {};
    Index samples = 0;  ///< of each trace
    ScattererOptions scatterers = {};
};

/// [array], [pulse], [transmit], [scatterers] and [recording] of a recipe.
[[nodiscard]] ChannelDataOptions read_channel_data(RecipeTable& recipe, const SimulationSetup& setup);

class ChannelDataDomain : public SimulationDomain {
public:
    void describe(Hdf5File& shard, Index samples) const override;

    TissueFamily simulate(std::uint64_t index, std::span<float> sample, Context& context) const final;

protected:
    ChannelDataDomain(const SimulationSetup& setup, ChannelDataOptions options);

    /// Writes the recording of all transmissions, [transmission, element, time].
    virtual void record(const TissuePhantom& phantom, const std::vector<PointScatterer>& scatterers,
                        View<float> rf, Context& context) const = 0;

    SimulationSetup setup_;
    ChannelDataOptions options_;
    Pulse pulse_;
};

}  // namespace sonolux

// sonolux/sdk/pipelines/channel_data_domain.hpp
//
// What the domains that make channel data share: arrays, transmissions, pulse, scatterers, recording.
//
// A sample is either the recording itself, in shards that are zea files, with one frame for each sample; or
// the delays that were measured from it, by beamforming and tracking, with the fields of the ray domain.
// Networks learn from the latter what tracking does wrong.
#pragma once

#include <optional>

#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/sdk/pipelines/measured_delays.hpp>
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
    std::optional<MeasuredDelaysOptions> delays = {};  ///< what samples keep instead of the recording
};

/// [array], [pulse], [transmit], [scatterers] and [recording] of a recipe, and [delays] if
/// recording.keep = "delays".
[[nodiscard]] ChannelDataOptions read_channel_data(RecipeTable& recipe, const SimulationSetup& setup);

class ChannelDataDomain : public SimulationDomain {
public:
    void describe(Hdf5File& shard, Index samples) const override;

    TissueFamily simulate(std::uint64_t index, std::span<float> sample, Context& context) const final;

    [[nodiscard]] bool has_gaps() const noexcept override { return options_.delays.has_value(); }

protected:
    ChannelDataDomain(const SimulationSetup& setup, ChannelDataOptions options);

    /// Writes the recording of all transmissions, [transmission, element, time].
    virtual void record(const TissuePhantom& phantom, const std::vector<PointScatterer>& scatterers,
                        View<float> rf, Context& context) const = 0;

    /// What a reader of the recording is told.
    [[nodiscard]] Acquisition acquisition() const;

    SimulationSetup setup_;
    ChannelDataOptions options_;
    Pulse pulse_;
};

}  // namespace sonolux

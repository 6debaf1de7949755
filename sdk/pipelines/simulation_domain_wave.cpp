// sonolux/sdk/pipelines/simulation_domain_wave.cpp
//
// The wave domain: channel data by a full-wave simulation of each transmission, in the plane, with scatterers
// as changes of density. The medium is lossless and linear, for which the fast scheme is valid, unless the
// recipe asks for more.
#include <algorithm>
#include <cmath>

#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>
#include <sonolux/sdk/pipelines/channel_data_domain.hpp>
#include <sonolux/simulation/acoustics/kspace_medium.hpp>
#include <sonolux/simulation/acoustics/kspace_simulation.hpp>

namespace sonolux {

namespace {

struct WaveOptions {
    double spacing = 0;        // m
    Index steps_a_sample = 1;  // time steps between two samples of the recording
    bool absorption = false, nonlinearity = false;
    double scatterer_strength = 0;
    Index layer = 20;  // points of the absorbing layer at each side
};

/// The next product of 2, 3 and 5: what Fourier transforms are fast at.
Index next_smooth(Index size) noexcept {
    for (;; ++size) {
        Index rest = size;
        for (const Index factor : {2, 3, 5})
            while (rest % factor == 0) rest /= factor;
        if (rest == 1) return size;
    }
}

class WaveDomain final : public ChannelDataDomain {
public:
    WaveDomain(const SimulationSetup& setup, ChannelDataOptions options, const WaveOptions& wave,
               const ImageGrid& inner)
        : ChannelDataDomain(setup, std::move(options)), wave_(wave) {
        // The inner grid begins at the array; around it is the absorbing layer.
        const Index rows = next_smooth(inner.rows + 2 * wave.layer),
                    columns = next_smooth(inner.columns + 2 * wave.layer);
        grid_ = centred_grid(rows, columns, wave.spacing, -static_cast<double>(wave.layer) * wave.spacing);
        for (const ArrayElement& element : options_.array.elements()) {
            std::vector<Index>& points = elements_.emplace_back();
            const double half = options_.array.element_width() / 2;
            const auto first = static_cast<Index>(std::ceil(grid_.column(element.position.x - half)));
            const auto last = static_cast<Index>(std::ceil(grid_.column(element.position.x + half)));
            for (Index column = first; column < last; ++column)
                points.push_back(wave.layer * columns + column);
        }
        // What cannot be simulated is refused before the first sample.
        const Medium slowest{.grid = grid_,
                             .sound_speed = static_cast<float>(setup.phantoms.speed_limits.low)};
        require_resolved(kspace_grid(slowest, time_step(), 1), kspace_medium(slowest),
                         pulse_.highest_frequency());
    }

private:
    [[nodiscard]] double time_step() const noexcept {
        return 1 / (options_.scan.sampling_frequency * static_cast<double>(wave_.steps_a_sample));
    }

    /// Each active element plays the pulse, later by its delay.
    [[nodiscard]] KspaceSources sources_of(const Transmission& transmission, const Medium& medium,
                                           const KspaceGrid& grid) const {
        KspaceSources sources;
        PointSource& source = sources.pressure;
        source.mode = SourceMode::additive;
        source.one_for_all = false;
        std::vector<std::size_t> element_of;
        double latest = 0;
        for (std::size_t e = 0; e < elements_.size(); ++e) {
            if (transmission.apodization[e] == 0) continue;
            latest = std::max(latest, transmission.delays[e]);
            for (const Index point : elements_[e]) {
                source.points.push_back(point);
                element_of.push_back(e);
            }
        }
        source.samples = static_cast<Index>(std::ceil((latest + pulse_.duration()) / time_step())) + 1;
        for (Index n = 0; n < source.samples; ++n)
            for (std::size_t p = 0; p < source.points.size(); ++p) {
                const std::size_t e = element_of[p];
                const Index point = source.points[p];
                const double speed = medium.sound_speed(point / grid_.columns, point % grid_.columns);
                const double pressure = transmission.apodization[e] *
                                        pulse_(static_cast<double>(n) * time_step() - transmission.delays[e]);
                source.signal.push_back(
                    static_cast<float>(pressure * pressure_source_scale(grid, speed, source.mode)));
            }
        return sources;
    }

    void record(const TissuePhantom& phantom, const std::vector<PointScatterer>& scatterers, View<float> rf,
                Context& context) const override {
        Medium medium = phantom.render(grid_);
        if (!wave_.absorption) medium.attenuation = 0.0F;
        if (!wave_.nonlinearity) medium.nonlinearity = 0.0F;
        add_scatterers(medium, scatterers, wave_.scatterer_strength);
        const Index first = std::lround(options_.scan.start_time / time_step());
        KspaceSetup setup;
        setup.grid = kspace_grid(medium, time_step(), first + options_.samples * wave_.steps_a_sample);
        setup.medium = kspace_medium(medium);
        setup.layer.points = {wave_.layer, wave_.layer, 0};
        for (std::size_t k = 0; k < options_.scan.transmissions.size(); ++k) {
            setup.sources = sources_of(options_.scan.transmissions[k], medium, setup.grid);
            KspaceSimulation simulation(setup, context);
            const View<float> traces = rf[static_cast<Index>(k)];
            for (Index n = 0; n < options_.samples; ++n) {
                while (simulation.done() <= first + n * wave_.steps_a_sample) simulation.step(context);
                hear(simulation.pressure(), traces, n);
            }
        }
    }

    /// The mean pressure on the face of each element.
    void hear(View<const float> pressure, View<float> traces, Index time) const noexcept {
        for (std::size_t e = 0; e < elements_.size(); ++e) {
            double sum = 0;
            for (const Index point : elements_[e]) sum += pressure.data()[point];
            traces(static_cast<Index>(e), time) =
                static_cast<float>(sum / static_cast<double>(elements_[e].size()));
        }
    }

    WaveOptions wave_;
    ImageGrid grid_;
    std::vector<std::vector<Index>> elements_;  // points of the grid that each element covers
};

}  // namespace

std::unique_ptr<SimulationDomain> make_wave_domain(RecipeTable& recipe, const SimulationSetup& setup) {
    ChannelDataOptions options = read_channel_data(recipe, setup);
    require(options.array.radius() == 0, Status::invalid_argument, recipe.where("array.kind"),
            " must be \"linear\" in the wave domain");
    WaveOptions wave;
    const Range& speeds = setup.phantoms.speed_limits;
    const double highest = Pulse(options.pulse).highest_frequency();
    const ImageGrid inner =
        read_fine_grid(recipe, "wave.spacing", speeds.low / (2.2 * highest), options.array, setup.grid);
    wave.spacing = inner.row_spacing;
    require(wave.spacing <= options.array.element_width(), Status::invalid_argument,
            recipe.where("wave.spacing"), " is ", wave.spacing, " m, wider than an element of ",
            options.array.element_width(), " m");
    const double courant = recipe.number("wave.courant", 0.3, 0.01, 0.6);
    wave.steps_a_sample = static_cast<Index>(
        std::ceil(speeds.high / (courant * wave.spacing * options.scan.sampling_frequency)));
    const double first =
        options.scan.start_time * options.scan.sampling_frequency * static_cast<double>(wave.steps_a_sample);
    require(std::abs(first - std::round(first)) < 1e-6, Status::invalid_argument,
            recipe.where("recording.start_time"), " must be a whole number of time steps of ",
            1 / (options.scan.sampling_frequency * static_cast<double>(wave.steps_a_sample)), " s, got ",
            first);
    wave.absorption = recipe.flag("wave.absorption", false);
    wave.nonlinearity = recipe.flag("wave.nonlinearity", false);
    wave.layer = recipe.integer("wave.layer", wave.layer, 8, 200);
    wave.scatterer_strength = recipe.number("wave.scatterer_strength", 0.05, 0, 0.5);
    return std::make_unique<WaveDomain>(setup, std::move(options), wave, inner);
}

}  // namespace sonolux

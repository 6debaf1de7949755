// sonolux/sdk/pipelines/simulation_domain_wave.cpp
//
// The wave domain: channel data by a full-wave simulation of each transmission, in the plane. Scatterers are
// changes of density, or of compressibility where the density shall be constant, which is several times
// faster. The medium is lossless and linear, for which the fast scheme is valid, unless the recipe asks for
// more. The map's speed is that of the pulse's centre frequency, whatever absorbs.
#include <algorithm>
#include <cmath>

#include <sonolux/core/smooth_size.hpp>
#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>
#include <sonolux/sdk/pipelines/channel_data_domain.hpp>
#include <sonolux/simulation/acoustics/kspace_medium.hpp>
#include <sonolux/simulation/acoustics/kspace_simulation.hpp>
#include <sonolux/simulation/acoustics/power_law_absorption.hpp>

namespace sonolux {

namespace {

struct WaveOptions {
    double spacing = 0;        // m
    Index steps_a_sample = 1;  // time steps between two samples of the recording
    bool absorption = false, nonlinearity = false, constant_density = false;
    double scatterer_strength = 0;
    Index layer = 20;  // points of the absorbing layer at each side
};

class WaveDomain final : public ChannelDataDomain {
public:
    WaveDomain(const SimulationSetup& setup, ChannelDataOptions options, const WaveOptions& wave,
               const ImageGrid& inner)
        : ChannelDataDomain(setup, std::move(options)), wave_(wave) {
        // The inner grid begins at the array; around it is the absorbing layer.
        const Index rows = smooth_size(inner.rows + 2 * wave.layer, 7),
                    columns = smooth_size(inner.columns + 2 * wave.layer, 7);
        grid_ = centred_grid(rows, columns, wave.spacing, -static_cast<double>(wave.layer) * wave.spacing);
        for (const ArrayElement& element : options_.array.elements()) {
            std::vector<Index>& points = elements_.emplace_back();
            const double half = options_.array.element_width() / 2;
            const auto first = static_cast<Index>(std::ceil(grid_.column(element.position.x - half)));
            const auto last = static_cast<Index>(std::ceil(grid_.column(element.position.x + half)));
            for (Index column = first; column < last; ++column)
                points.push_back(wave.layer * columns + column);
            require(!points.empty(), Status::invalid_argument, "wave.spacing of ", wave.spacing,
                    " m leaves element ", elements_.size(), ", ", options_.array.element_width(),
                    " m wide, without a point of the grid");
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
        if (wave_.constant_density) {
            medium.density = 1000.0F;
            add_compressible_scatterers(medium, scatterers, wave_.scatterer_strength);
        } else {
            add_scatterers(medium, scatterers, wave_.scatterer_strength);
        }
        const Index first = std::lround(options_.scan.start_time / time_step());
        const Index steps = first + options_.samples * wave_.steps_a_sample;
        KspaceSetup setup;
        setup.grid = kspace_grid(medium, time_step(), steps);
        const double reference = reference_speed(medium, setup.grid);
        set_speeds(medium, reference);
        setup.medium = kspace_medium(medium);
        setup.medium.reference_speed = reference;
        setup.layer.points = {wave_.layer, wave_.layer, 0};
        const auto sent = static_cast<Index>(options_.scan.transmissions.size());
        for (Index k = 0; k < sent; ++k) {
            setup.sources =
                sources_of(options_.scan.transmissions[static_cast<std::size_t>(k)], medium, setup.grid);
            KspaceSimulation simulation(setup, context);
            const View<float> traces = rf[k];
            for (Index n = 0; n < options_.samples; ++n) {
                while (simulation.done() <= first + n * wave_.steps_a_sample) {
                    simulation.step(context);
                    if (simulation.done() % 64 == 0)
                        go_on(context, k * steps + simulation.done(), sent * steps);
                }
                hear(simulation.pressure(), traces, n);
            }
        }
    }

    static void go_on(Context& context, Index done, Index total) {
        context.report({"simulating waves", done, total, -1});
        const Status status = context.poll();
        require(status == Status::ok, status, "wave: ", to_string(status), " after step ", done, " of ",
                total);
    }

    /// The mean speed, for which time steps err least, or as much more as keeps them stable.
    [[nodiscard]] static double reference_speed(const Medium& medium, const KspaceGrid& grid) {
        KspaceMedium seen = kspace_medium(medium);
        double mean = 0, fastest = 0;
        for (Index i = 0; i < medium.grid.rows; ++i)
            for (Index j = 0; j < medium.grid.columns; ++j) {
                const double speed = medium.sound_speed(i, j);
                mean += speed / static_cast<double>(grid.size.points());
                fastest = std::max(fastest, speed);
            }
        for (int tenth = 0; tenth < 10; ++tenth) {
            seen.reference_speed = mean + tenth * (fastest - mean) / 10;
            if (grid.time_step < 0.95 * stable_time_step(grid, seen)) return seen.reference_speed;
        }
        return fastest;
    }

    /// From the map's speeds, at the centre frequency, to those that make them so.
    void set_speeds(Medium& medium, double reference) const {
        const double frequency = pulse_.centre_frequency();
        Array<float> speed(grid_.shape());
        for (Index i = 0; i < grid_.rows; ++i)
            for (Index j = 0; j < grid_.columns; ++j) {
                double own = medium.sound_speed(i, j);
                if (medium.attenuation(i, j) > 0)
                    own = speed_without_dispersion(frequency, medium.attenuation(i, j),
                                                   medium.attenuation_power, own);
                speed(i, j) =
                    static_cast<float>(discrete_sound_speed(own, reference, time_step(), frequency));
            }
        medium.sound_speed = std::move(speed);
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
    const double power = setup.phantoms.attenuation_power;
    require(!wave.absorption || (power > 0 && power < 3 && std::abs(power - 1) >= 0.05),
            Status::invalid_argument, recipe.where("phantom.attenuation_power"),
            " must be above 0, below 3 and at least 0.05 from 1 where waves are absorbed, got ", power);
    wave.constant_density = recipe.one_of("wave.density", "varying", {"varying", "constant"}) == "constant";
    wave.layer = recipe.integer("wave.layer", wave.layer, 8, 200);
    wave.scatterer_strength = recipe.number("wave.scatterer_strength", 0.05, 0, 0.5);
    return std::make_unique<WaveDomain>(setup, std::move(options), wave, inner);
}

}  // namespace sonolux

// sonolux/sdk/pipelines/simulation_domain_echo.cpp
//
// The echo domain: channel data of point scatterers whose travel times bend through the map
// (simulation/acoustics/echo.hpp).
#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>
#include <sonolux/sdk/pipelines/channel_data_domain.hpp>
#include <sonolux/simulation/acoustics/echo.hpp>

namespace sonolux {

namespace {

class EchoDomain final : public ChannelDataDomain {
public:
    EchoDomain(const SimulationSetup& setup, ChannelDataOptions options, const EchoOptions& echo,
               const ImageGrid& fine, double motion)
        : ChannelDataDomain(setup, std::move(options)), echo_(echo), fine_(fine), motion_(motion) {}

private:
    void record(const TissuePhantom& phantom, const std::vector<PointScatterer>& points, View<float> rf,
                Context& context) const override {
        Scatterers scatterers;
        for (const PointScatterer& point : points) {
            scatterers.positions.push_back(point.position);
            scatterers.reflectivity.push_back(point.amplitude);
        }
        const Medium medium = phantom.render(fine_);
        const EchoMedium seen{.grid = medium.grid,
                              .sound_speed = medium.sound_speed.values(),
                              .attenuation = medium.attenuation.values(),
                              .attenuation_power = medium.attenuation_power};
        const EchoSimulator simulator(options_.array, seen, pulse_, echo_, context);
        const std::vector<Transmission>& sent = options_.scan.transmissions;
        if (motion_ == 0) return simulator.simulate(sent, scatterers, rf, context);
        const Shape one{1, rf.shape()[1], rf.shape()[2]};
        for (std::size_t k = 0; k < sent.size(); ++k) {
            simulator.simulate({sent[k]}, scatterers, {rf[static_cast<Index>(k)].data(), one}, context);
            for (Point& position : scatterers.positions) position.z += motion_;
        }
    }

    EchoOptions echo_;
    ImageGrid fine_;  // where travel times are computed
    double motion_;   // m that scatterers move down by from one transmission to the next
};

}  // namespace

std::unique_ptr<SimulationDomain> make_echo_domain(RecipeTable& recipe, const SimulationSetup& setup) {
    ChannelDataOptions options = read_channel_data(recipe, setup);
    EchoOptions echo;
    echo.sampling_frequency = options.scan.sampling_frequency;
    echo.start_time = options.scan.start_time;
    echo.samples = options.samples;
    echo.spreading =
        recipe.one_of("echo.spreading", "cylindrical", {"cylindrical", "spherical"}) == "spherical"
            ? Spreading::spherical
            : Spreading::cylindrical;
    echo.baffle =
        recipe.one_of("echo.baffle", "soft", {"soft", "rigid"}) == "soft" ? Baffle::soft : Baffle::rigid;
    echo.transmit =
        recipe.one_of("echo.transmit_model", "wavefront", {"wavefront", "superposition"}) == "wavefront"
            ? TransmitModel::wavefront
            : TransmitModel::superposition;
    const ImageGrid fine = read_fine_grid(recipe, "echo.spacing", 0.3e-3, options.array, setup.grid);
    const double motion = recipe.number("echo.motion", 0, -1e-4, 1e-4);
    return std::make_unique<EchoDomain>(setup, std::move(options), echo, fine, motion);
}

}  // namespace sonolux

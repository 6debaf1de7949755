// sonolux/sdk/pipelines/simulation_domain_ray.cpp
//
// The ray domain: differences of travel times, as an ideal tracking of displacements would measure them.
//
//     delays[p, i, j] = T(first source of pair p -> pixel (i, j)) - T(second source -> the same)
//
// The way back to the receiver is the same for both and cancels. With receiving elements, they are what
// tracking echoes through images of one speed would measure, the one that a search for it ends with:
//
//     delays = k (length of first - length of second) + E (slowness - k),    k the best uniform slowness
//
// with E of core/operators/echo_path_integral.hpp. Times come from a finer map than the one
// that a sample keeps, so that whoever inverts them does not find the very discretisation that made them.
#include <cmath>
#include <limits>

#include <sonolux/simulation/acoustics/eikonal.hpp>

#include <sonolux/core/acoustics/straight_ray.hpp>
#include <sonolux/core/operators/echo_path_integral.hpp>
#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>
#include <sonolux/sdk/pipelines/simulation_domain.hpp>

namespace sonolux {

namespace {

struct RayOptions {
    PathGeometry geometry;  // both its grids are the map that a sample keeps
    std::vector<RaySource> receive = {};
    MaskMargins margins;
    bool eikonal = false;
    ImageGrid fine = {};  // where travel times are computed
};

class RayDomain final : public SimulationDomain {
public:
    RayDomain(const SimulationSetup& setup, RayOptions options)
        : setup_(setup),
          options_(std::move(options)),
          mask_(measurement_mask(options_.geometry, options_.margins)) {
        fields_ = {
            map_field("sound_speed", "m/s", "sound speed", setup.grid),
            {"delays",
             "s",
             "travel time from the first source of a pair minus that from the second; NaN: not seen by both",
             {mask_.shape()[0], setup.grid.rows, setup.grid.columns},
             {"pair", "row", "column"}}};
        for (const PathSum& pair : options_.geometry.measurements)
            for (const WeightedRays& rays : pair)
                if (std::find(sources_.begin(), sources_.end(), rays.source) == sources_.end())
                    sources_.push_back(rays.source);
        if (!options_.receive.empty()) {
            echoes_ = std::make_unique<EchoPathIntegral>(options_.geometry, options_.receive);
            for (Index n = 0; n < mask_.elements(); ++n) mask_.data()[n] *= echoes_->coverage().data()[n];
            sources_.clear();
            for (const PathSum& family : echoes_->families().measurements)
                sources_.push_back(family[0].source);
        }
        const ImageGrid& grid = setup.grid;
        for (Index i = 0; i < grid.rows; ++i)
            for (Index j = 0; j < grid.columns; ++j)
                pixels_.push_back(grid.point(static_cast<double>(i), static_cast<double>(j)));
    }

    TissueFamily simulate(std::uint64_t index, std::span<float> sample, Context& context) const override {
        const TissuePhantom phantom(setup_.phantoms, setup_.seed, index);
        const Medium medium = phantom.render(setup_.grid);
        sample = put_map(medium, medium.sound_speed, sample);

        const std::vector<std::vector<double>> times = times_from_sources(phantom.render(options_.fine));
        if (echoes_ != nullptr) {
            hear(times, sample, context);
            return phantom.family();
        }
        const auto times_of = [&](const WeightedRays& rays) -> const std::vector<double>& {
            return times[static_cast<std::size_t>(std::find(sources_.begin(), sources_.end(), rays.source) -
                                                  sources_.begin())];
        };
        const std::vector<PathSum>& pairs = options_.geometry.measurements;
        for (std::size_t pair = 0; pair < pairs.size(); ++pair) {
            const std::vector<double>& a = times_of(pairs[pair][0]);
            const std::vector<double>& b = times_of(pairs[pair][1]);
            for (std::size_t n = 0; n < pixels_.size(); ++n) {
                const std::size_t at = pair * pixels_.size() + n;
                sample[at] = mask_.data()[at] != 0 ? static_cast<float>(a[n] - b[n])
                                                   : std::numeric_limits<float>::quiet_NaN();
            }
        }
        return phantom.family();
    }

    [[nodiscard]] bool has_gaps() const noexcept override { return true; }

    void describe(Hdf5File& shard, Index /*samples*/) const override {
        describe_grid(shard, setup_.grid);
        const bool plane = sources_[0].kind == RaySource::Kind::plane;
        std::vector<float> places;
        for (const PathSum& pair : options_.geometry.measurements)
            for (const WeightedRays& rays : pair)
                places.push_back(static_cast<float>(plane ? rays.source.angle : rays.source.origin.x));
        describe_pairs(shard, places, plane);
    }

private:
    /// Of each source, to each pixel that its rays reach inside the map.
    [[nodiscard]] std::vector<std::vector<double>> times_from_sources(const Medium& medium) const {
        std::vector<std::vector<double>> times;
        if (options_.eikonal) {
            const SlownessMap map(medium.grid, medium.sound_speed.values());
            EikonalSolver solver(map);
            for (const RaySource& source : sources_) {
                const TravelTimes from = solver.solve(EikonalSource::point(source.origin));
                std::vector<double>& here = times.emplace_back();
                for (const Point& pixel : pixels_) here.push_back(from.time(pixel));
            }
        } else {
            const Array<float> map = slowness(medium);
            for (const RaySource& source : sources_) {
                std::vector<double>& here = times.emplace_back();
                for (const Point& pixel : pixels_)
                    here.push_back(
                        straight_ray_time(medium.grid, map.view(), source.entry_point(pixel), pixel));
            }
        }
        return times;
    }

    void hear(const std::vector<std::vector<double>>& times, std::span<float> delays,
              Context& context) const {
        const auto family_of = [&](const RaySource& source) {
            return static_cast<std::size_t>(std::find(sources_.begin(), sources_.end(), source) -
                                            sources_.begin());
        };
        const auto length_of = [&](const RaySource& source, std::size_t pixel) {
            return length(pixels_[pixel] - source.entry_point(pixels_[pixel]));
        };
        const std::size_t pixels = pixels_.size();
        std::vector<double> lengths(delays.size());
        double of_both = 0, of_lengths = 0;
        for (std::size_t m = 0; m < options_.geometry.measurements.size(); ++m) {
            const RaySource& first = options_.geometry.measurements[m][0].source;
            const RaySource& second = options_.geometry.measurements[m][1].source;
            const std::vector<double>& a = times[family_of(first)];
            const std::vector<double>& b = times[family_of(second)];
            for (std::size_t n = 0; n < pixels; ++n) {
                const double path = length_of(first, n) - length_of(second, n);
                lengths[m * pixels + n] = path;
                if (mask_.data()[m * pixels + n] == 0) continue;
                of_both += path * (a[n] - b[n]);
                of_lengths += path * path;
            }
        }
        const double uniform = of_both / of_lengths;
        Array<float> integrals({std::ssize(sources_), setup_.grid.rows, setup_.grid.columns});
        for (std::size_t s = 0; s < sources_.size(); ++s)
            for (std::size_t n = 0; n < pixels; ++n)
                integrals.data()[s * pixels + n] =
                    static_cast<float>(times[s][n] - uniform * length_of(sources_[s], n));
        Array<float> deviations(mask_.shape());
        context.workspace().reserve(echoes_->workspace_bytes(context));
        echoes_->combine(integrals, deviations, context);
        for (std::size_t n = 0; n < delays.size(); ++n)
            delays[n] = mask_.data()[n] != 0
                            ? static_cast<float>(uniform * lengths[n] + double{deviations.data()[n]})
                            : std::numeric_limits<float>::quiet_NaN();
    }

    SimulationSetup setup_;
    RayOptions options_;
    Array<float> mask_;                         // [pair, rows, columns]: 1 where both sources see the pixel
    std::unique_ptr<EchoPathIntegral> echoes_;  // null where nothing receives
    std::vector<RaySource> sources_;            // of the pairs, then those that receive
    std::vector<Point> pixels_;
};

}  // namespace

std::unique_ptr<SimulationDomain> make_ray_domain(RecipeTable& recipe, const SimulationSetup& setup) {
    const TransducerArray array = read_array(recipe);
    RayOptions options;
    options.geometry = {setup.grid, setup.grid, read_ray_pairs(recipe, "ray", array)};
    options.receive = read_receive(recipe, "ray", array);
    options.margins = read_margins(recipe, "ray");
    options.eikonal = recipe.one_of("ray.solver", "straight", {"straight", "eikonal"}) == "eikonal";
    require(!options.eikonal || options.receive.empty(), Status::invalid_argument,
            recipe.where("ray.receive_every"), " must be 0 where ray.solver is \"eikonal\"");
    for (const PathSum& pair : options.geometry.measurements)
        for (const WeightedRays& rays : pair)
            require(!options.eikonal || (rays.source.kind == RaySource::Kind::point &&
                                         rays.source.origin.z >= rays.source.surface),
                    Status::invalid_argument, recipe.where("ray.solver"),
                    " must be \"straight\" where ray.kind is not \"elements\"");
    options.fine = read_fine_grid(recipe, "ray.spacing", 0.45e-3, array, setup.grid);
    return std::make_unique<RayDomain>(setup, std::move(options));
}

}  // namespace sonolux

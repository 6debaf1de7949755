// sonolux/sdk/pipelines/simulation_domain_ray.cpp
//
// The ray domain: differences of travel times, as an ideal tracking of displacements would measure them.
//
//     delays[p, i, j] = T(first element of pair p -> pixel (i, j)) - T(second element -> the same)
//
// The way back to the receiver is the same for both and cancels. Times come from a finer map than the one
// that a sample keeps, so that whoever inverts them does not find the very discretisation that made them.
#include <cmath>
#include <limits>

#include <sonolux/simulation/acoustics/eikonal.hpp>

#include <sonolux/core/acoustics/straight_ray.hpp>
#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>
#include <sonolux/sdk/pipelines/simulation_domain.hpp>

namespace sonolux {

namespace {

struct RayOptions {
    TransducerArray array;
    std::vector<Index> first = {}, second = {};  // elements of each pair, from 0
    bool eikonal = false;
    ImageGrid fine = {};  // where travel times are computed
    double f_number = 0, near = 0, far = 0, side = 0;
};

class RayDomain final : public SimulationDomain {
public:
    RayDomain(const SimulationSetup& setup, RayOptions options)
        : setup_(setup), options_(std::move(options)) {
        const auto pairs = static_cast<Index>(options_.first.size());
        fields_ = {
            map_field("sound_speed", "m/s", "sound speed", setup.grid),
            {"delays",
             "s",
             "travel time from the first element of a pair minus that from the second; NaN: not seen by both",
             {pairs, setup.grid.rows, setup.grid.columns},
             {"pair", "row", "column"}}};
        for (std::size_t pair = 0; pair < options_.first.size(); ++pair)
            for (const Index element : {options_.first[pair], options_.second[pair]})
                if (std::find(elements_.begin(), elements_.end(), element) == elements_.end())
                    elements_.push_back(element);
        const ImageGrid& grid = setup.grid;
        for (Index i = 0; i < grid.rows; ++i)
            for (Index j = 0; j < grid.columns; ++j)
                pixels_.push_back(grid.point(static_cast<double>(i), static_cast<double>(j)));
    }

    TissueFamily simulate(std::uint64_t index, std::span<float> sample, Context& /*context*/) const override {
        const TissuePhantom phantom(setup_.phantoms, setup_.seed, index);
        const Medium medium = phantom.render(setup_.grid);
        sample = put_map(medium, medium.sound_speed, sample);

        const std::vector<std::vector<double>> times = times_from_elements(phantom.render(options_.fine));
        const auto place = [&](Index element) {
            return static_cast<std::size_t>(std::find(elements_.begin(), elements_.end(), element) -
                                            elements_.begin());
        };
        for (std::size_t pair = 0; pair < options_.first.size(); ++pair) {
            const std::vector<double>& a = times[place(options_.first[pair])];
            const std::vector<double>& b = times[place(options_.second[pair])];
            for (std::size_t n = 0; n < pixels_.size(); ++n)
                sample[pair * pixels_.size() + n] =
                    sees(options_.first[pair], pixels_[n]) && sees(options_.second[pair], pixels_[n])
                        ? static_cast<float>(a[n] - b[n])
                        : std::numeric_limits<float>::quiet_NaN();
        }
        return phantom.family();
    }

    [[nodiscard]] bool has_gaps() const noexcept override { return true; }

    void describe(Hdf5File& shard, Index /*samples*/) const override {
        describe_grid(shard, setup_.grid);
        std::vector<float> places;
        for (std::size_t pair = 0; pair < options_.first.size(); ++pair)
            for (const Index element : {options_.first[pair], options_.second[pair]})
                places.push_back(static_cast<float>(options_.array[element].position.x));
        describe_pairs(shard, places);
    }

private:
    [[nodiscard]] std::vector<std::vector<double>> times_from_elements(const Medium& medium) const {
        std::vector<std::vector<double>> times;
        if (options_.eikonal) {
            const SlownessMap map(medium.grid, medium.sound_speed.values());
            EikonalSolver solver(map);
            for (const Index element : elements_) {
                const TravelTimes from = solver.solve(EikonalSource::point(options_.array[element].position));
                std::vector<double>& here = times.emplace_back();
                for (const Point& pixel : pixels_) here.push_back(from.time(pixel));
            }
        } else {
            const Array<float> map = slowness(medium);
            for (const Index element : elements_)
                times.push_back(
                    straight_ray_times(medium.grid, map.view(), options_.array[element].position, pixels_));
        }
        return times;
    }

    /// Whether a pixel is within the opening of an element, and not too near to an edge.
    [[nodiscard]] bool sees(Index element, Point pixel) const noexcept {
        const ImageGrid& grid = setup_.grid;
        const double bottom = grid.z(static_cast<double>(grid.rows - 1)) - options_.far;
        const double right = grid.x(static_cast<double>(grid.columns - 1)) - options_.side;
        return pixel.z >= options_.near && pixel.z <= bottom && std::abs(pixel.x) <= right &&
               std::abs(pixel.x - options_.array[element].position.x) * 2 * options_.f_number <= pixel.z;
    }

    SimulationSetup setup_;
    RayOptions options_;
    std::vector<Index> elements_;  // that occur in pairs
    std::vector<Point> pixels_;
};

}  // namespace

std::unique_ptr<SimulationDomain> make_ray_domain(RecipeTable& recipe, const SimulationSetup& setup) {
    RayOptions options{.array = read_array(recipe)};
    // Those of M. Bernhardt et al. 2020 for 128 elements.
    options.first = read_elements(recipe, "ray.first", {15, 35, 55, 75, 95, 105}, options.array);
    options.second = read_elements(recipe, "ray.second", {25, 45, 65, 85, 105, 115}, options.array);
    require(options.first.size() == options.second.size(), Status::invalid_argument,
            recipe.where("ray.second"), " has ", options.second.size(), " elements, ray.first has ",
            options.first.size());
    options.eikonal = recipe.one_of("ray.solver", "straight", {"straight", "eikonal"}) == "eikonal";
    options.f_number = recipe.number("ray.f_number", 0.5, 0, 100);
    options.near = recipe.number("ray.near", 5e-3, 0, 1);
    options.far = recipe.number("ray.far", 2e-3, 0, 1);
    options.side = recipe.number("ray.side", 4e-3, 0, 1);
    options.fine = read_fine_grid(recipe, "ray.spacing", 0.45e-3, options.array, setup.grid);
    return std::make_unique<RayDomain>(setup, std::move(options));
}

}  // namespace sonolux

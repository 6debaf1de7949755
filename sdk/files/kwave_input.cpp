// sonolux/sdk/files/kwave_input.cpp
#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/kwave_input.hpp>
#include <sonolux/sdk/files/kwave_names.hpp>

namespace sonolux {
namespace {

/// Reads datasets by name, whatever the number of dimensions that hold their elements.
class Reader {
public:
    Reader(const Hdf5File& file, KwaveInput& input) : file_(file), input_(input) {}

    template <class T>
    [[nodiscard]] std::vector<T> values(const std::string& name, Index expected) const {
        const Index found = file_.content(name).elements();
        require(expected < 0 || found == expected, Status::corrupt_data, file_.path(), ": dataset \"", name,
                "\" has ", found, " values, ", expected, " are expected");
        return file_.read<T>(name);
    }

    [[nodiscard]] double number(const std::string& name) const {
        return static_cast<double>(values<float>(name, 1).front());
    }

    [[nodiscard]] Index count(const std::string& name) const {
        const std::uint64_t value = values<std::uint64_t>(name, 1).front();
        require(value < std::uint64_t{1} << 40, Status::corrupt_data, file_.path(), ": dataset \"", name,
                "\" is ", value, ": too large");
        return static_cast<Index>(value);
    }
    [[nodiscard]] Index count_between(const std::string& name, Index least, Index most) const {
        const Index value = count(name);
        require(value >= least && value <= most, Status::corrupt_data, file_.path(), ": dataset \"", name,
                "\" must be ", least, " to ", most, ", got ", value);
        return value;
    }
    [[nodiscard]] Index count_or(const std::string& name, Index otherwise) const {
        return file_.has(name) ? count(name) : otherwise;
    }

    /// One value or one for each point of the grid.
    [[nodiscard]] ScalarOrField property(const std::string& name) {
        if (file_.content(name).elements() == 1) return number(name);
        return field(name);
    }

    [[nodiscard]] View<const float> field(const std::string& name) {
        const KspaceSize& size = input_.setup.grid.size;
        const std::vector<float> read = file_.read<float>(name, {size.planes, size.rows, size.columns});
        Array<float> kept({size.planes * size.rows, size.columns});
        std::copy(read.begin(), read.end(), kept.data());
        input_.fields.push_back(std::move(kept));  // moving keeps the memory where it is
        return input_.fields.back().view();
    }

    /// Points of the grid, which the file counts from 1.
    [[nodiscard]] std::vector<Index> points(const std::string& name) const {
        const Index most = input_.setup.grid.size.points();
        std::vector<Index> result;
        for (std::uint64_t value : values<std::uint64_t>(name, -1)) {
            require(value >= 1 && value <= static_cast<std::uint64_t>(most), Status::corrupt_data,
                    file_.path(), ": dataset \"", name, "\": point ", value,
                    " is outside the grid, which has 1 to ", most);
            result.push_back(static_cast<Index>(value) - 1);
        }
        return result;
    }

    [[nodiscard]] PointSource source(const std::string& quantity, const std::string& signal,
                                     Index samples) const {
        PointSource source;
        if (samples == 0) return source;
        const Index mode = count_between(quantity + "_source_mode", 0, 2);
        source.mode = mode == 0   ? SourceMode::dirichlet
                      : mode == 1 ? SourceMode::no_correction
                                  : SourceMode::additive;
        source.one_for_all = count(quantity + "_source_many") == 0;
        source.points = points(quantity + "_source_index");
        source.samples = samples;
        const Index width = source.one_for_all ? 1 : static_cast<Index>(source.points.size());
        require(width == 0 || samples <= std::numeric_limits<Index>::max() / width, Status::corrupt_data,
                file_.path(), ": dataset \"", signal, "\" cannot have ", samples, " samples of ", width);
        source.signal = values<float>(signal, samples * width);
        return source;
    }

    /// A transducer plays one signal, later at some points: u_x of `delay_mask` samples further.
    [[nodiscard]] PointSource transducer(Index samples) const {
        PointSource source;
        source.mode = SourceMode::no_correction;
        source.one_for_all = false;
        source.points = points("u_source_index");
        source.samples = samples;
        const std::vector<float> signal = values<float>("transducer_source_input", -1);
        require(samples <= static_cast<Index>(signal.size()), Status::corrupt_data, file_.path(),
                ": dataset \"transducer_source_flag\" asks for ", samples,
                " samples, \"transducer_source_input\" has ", signal.size());
        const auto delays = values<std::uint64_t>("delay_mask", static_cast<Index>(source.points.size()));
        for (Index step = 0; step < samples; ++step)
            for (std::uint64_t delay : delays) {
                const std::uint64_t at = delay - 1 + static_cast<std::uint64_t>(step);
                require(delay >= 1 && at < signal.size(), Status::corrupt_data, file_.path(),
                        ": dataset \"delay_mask\": delay ", delay,
                        " is beyond \"transducer_source_input\", which has ", signal.size(), " values");
                source.signal.push_back(signal[at]);
            }
        return source;
    }

    void sensor() const {
        const KspaceSize& size = input_.setup.grid.size;
        if (!file_.has("sensor_mask_type") || count_between("sensor_mask_type", 0, 1) == 0) {
            input_.sensor_points = points("sensor_mask_index");
            return;
        }
        const auto corners = values<std::uint64_t>("sensor_mask_corners", -1);
        require(!corners.empty() && corners.size() % 6 == 0, Status::corrupt_data, file_.path(),
                ": dataset \"sensor_mask_corners\" has ", corners.size(),
                " values, six for each box are expected");
        for (std::size_t i = 0; i < corners.size(); i += 6) {
            SensorCuboid cuboid;
            for (std::size_t axis = 0; axis < 3; ++axis) {
                const std::uint64_t first = corners[i + axis], last = corners[i + 3 + axis];
                require(first >= 1 && first <= last &&
                            last <= static_cast<std::uint64_t>(size.along(static_cast<int>(axis))),
                        Status::corrupt_data, file_.path(), ": dataset \"sensor_mask_corners\": box ",
                        i / 6 + 1, " goes from ", first, " to ", last, " along ",
                        axis == 0   ? "x"
                        : axis == 1 ? "y"
                                    : "z",
                        ", the grid has 1 to ", size.along(static_cast<int>(axis)));
                cuboid.first[axis] = static_cast<Index>(first) - 1;
                cuboid.last[axis] = static_cast<Index>(last) - 1;
            }
            input_.sensor_cuboids.push_back(cuboid);
        }
        // The grid has at most 2^60 points, so that a sum which has not yet been refused cannot overflow.
        Index total = 0;
        for (const SensorCuboid& box : input_.sensor_cuboids) {
            total += (box.last[0] - box.first[0] + 1) * (box.last[1] - box.first[1] + 1) *
                     (box.last[2] - box.first[2] + 1);
            require(total <= 4 * std::max<Index>(size.points(), 1 << 20), Status::corrupt_data, file_.path(),
                    ": dataset \"sensor_mask_corners\": boxes of ", total, " points and more, the grid has ",
                    size.points());
        }
        input_.sensor_points = points_of(input_.sensor_cuboids, size);
    }

private:
    const Hdf5File& file_;
    KwaveInput& input_;
};

void read_grid(const Reader& read, KspaceSetup& setup) {
    KspaceGrid& grid = setup.grid;
    constexpr Index longest = Index{1} << 20;  // so that no product of the three overflows
    grid.size = {read.count_between("Nz", 1, longest), read.count_between("Ny", 1, longest),
                 read.count_between("Nx", 1, longest)};
    grid.steps = read.count_between("Nt", 1, Index{1} << 40);
    grid.time_step = read.number("dt");
    const char* const names[] = {"x", "y", "z"};
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(grid.size.axes()); ++axis) {
        const std::string name = names[axis];
        grid.spacing[axis] = read.number("d" + name);
        setup.layer.points[axis] = read.count("pml_" + name + "_size");
        setup.layer.strength[axis] = read.number("pml_" + name + "_alpha");
    }
    if (!grid.size.volume()) setup.layer.points[2] = 0;
}

void read_medium(const Hdf5File& file, Reader& read, KspaceSetup& setup) {
    KspaceMedium& medium = setup.medium;
    medium.sound_speed = read.property("c0");
    medium.density = read.property("rho0");
    medium.reference_speed = read.number("c_ref");
    require(medium.reference_speed > 0 && std::isfinite(medium.reference_speed), Status::corrupt_data,
            file.path(), ": dataset \"c_ref\" must be a positive speed, got ", medium.reference_speed);
    const char* const names[] = {"rho0_sgx", "rho0_sgy", "rho0_sgz"};
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(setup.grid.size.axes()); ++axis) {
        medium.has_staggered_density[axis] = file.has(names[axis]);
        if (medium.has_staggered_density[axis]) medium.staggered_density[axis] = read.property(names[axis]);
    }
    const Index absorbing = read.count_or("absorbing_flag", 0);
    require(absorbing <= 2, Status::corrupt_data, file.path(),
            ": dataset \"absorbing_flag\" must be 0, 1 or 2, got ", absorbing);
    if (absorbing > 0) {
        medium.absorption = absorbing == 2 ? KspaceAbsorption::stokes : KspaceAbsorption::power_law;
        medium.attenuation = read.property("alpha_coeff");
        medium.attenuation_power = absorbing == 2 ? 2.0 : read.number("alpha_power");
    }
    medium.nonlinear = read.count_or("nonlinear_flag", 0) != 0;
    if (medium.nonlinear) medium.nonlinearity = read.property("BonA");
}

}  // namespace

KwaveInput read_kwave_input(const std::string& path) {
    const Hdf5File file = Hdf5File::open(path);
    KwaveInput input;
    Reader read(file, input);
    if (file.has_attribute("/", "file_type")) {
        const std::string type = file.text_attribute("/", "file_type");
        require(type == "input", Status::corrupt_data, path, ": is k-Wave's ", type, ", not its input");
    }
    if (file.has_attribute("/", "file_description"))
        input.description = file.text_attribute("/", "file_description");
    for (const char* flag : {"axisymmetric_flag", "elastic_flag", "nonuniform_grid_flag"})
        require(read.count_or(flag, 0) == 0, Status::unsupported, path, ": dataset \"", flag,
                "\" is set: only regular grids of fluids are simulated");
    KspaceSetup& setup = input.setup;
    read_grid(read, setup);
    read_medium(file, read, setup);
    if (read.count_or("p0_source_flag", 0) != 0)
        setup.sources.initial_pressure = read.field("p0_source_input");
    setup.sources.pressure = read.source("p", "p_source_input", read.count_or("p_source_flag", 0));
    const char* const names[] = {"ux", "uy", "uz"};
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(setup.grid.size.axes()); ++axis) {
        const std::string name = names[axis];
        setup.sources.velocity[axis] =
            read.source("u", name + "_source_input", read.count_or(name + "_source_flag", 0));
    }
    if (const Index samples = read.count_or("transducer_source_flag", 0); samples > 0) {
        require(setup.sources.velocity[0].empty(), Status::corrupt_data, path,
                ": has both a transducer and a velocity source along x");
        setup.sources.velocity[0] = read.transducer(samples);
    }
    read.sensor();
    try {
        require_valid(setup);
    } catch (const Error& error) {
        fail(error.status(), path, ": ", error.what());  // names the quantity, its value and the limit
    }
    return input;
}

std::vector<Index> points_of(const std::vector<SensorCuboid>& cuboids, const KspaceSize& size) {
    std::vector<Index> points;
    for (const SensorCuboid& box : cuboids)
        for (Index z = box.first[2]; z <= box.last[2]; ++z)
            for (Index y = box.first[1]; y <= box.last[1]; ++y)
                for (Index x = box.first[0]; x <= box.last[0]; ++x)
                    points.push_back((z * size.rows + y) * size.columns + x);
    return points;
}

}  // namespace sonolux

// sonolux/sdk/files/kwave_input_write.cpp
#include <algorithm>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/kwave_input.hpp>
#include <sonolux/sdk/files/kwave_names.hpp>
#include <sonolux/simulation/acoustics/absorbing_layer.hpp>
#include <sonolux/simulation/acoustics/kspace_factors.hpp>

namespace sonolux {
namespace {

/// The sizes of a line of values along an axis; complex ones take two places each.
std::vector<Index> along(int axis, Index length) {
    std::vector<Index> sizes{1, 1, 1};
    sizes[static_cast<std::size_t>(2 - axis)] = length;
    return sizes;
}

class Writer {
public:
    Writer(Hdf5File& file, const KspaceSize& size) : file_(file), size_(size) {}

    void property(const std::string& name, const ScalarOrField& values) {
        if (!values.varies()) return kwave::write(file_, name, values.scalar);
        field(name, values.field);
    }

    void field(const std::string& name, View<const float> values) {
        kwave::write<float>(file_, name, {size_.planes, size_.rows, size_.columns},
                            {values.data(), static_cast<std::size_t>(size_.points())});
    }

    void points(const std::string& name, const std::vector<Index>& points) {
        std::vector<std::uint64_t> from_one;
        for (Index point : points) from_one.push_back(static_cast<std::uint64_t>(point) + 1);
        kwave::write<std::uint64_t>(file_, name, {1, 1, static_cast<Index>(from_one.size())}, from_one);
    }

    void signal(const std::string& name, const PointSource& source) {
        const Index width = source.one_for_all ? 1 : static_cast<Index>(source.points.size());
        kwave::write<float>(file_, name, {1, source.samples, width}, source.signal);
    }

    /// What sources of one quantity share.
    void source(const std::string& quantity, const PointSource& source) {
        const Index mode = source.mode == SourceMode::dirichlet       ? 0
                           : source.mode == SourceMode::no_correction ? 1
                                                                      : 2;
        kwave::write(file_, quantity + "_source_mode", mode);
        kwave::write(file_, quantity + "_source_many", Index{!source.one_for_all});
        points(quantity + "_source_index", source.points);
    }

    void line(const std::string& name, int axis, const std::vector<float>& values) {
        kwave::write<float>(file_, name, along(axis, static_cast<Index>(values.size())), values);
    }

    void complex_line(const std::string& name, int axis, const std::vector<std::complex<float>>& values) {
        const auto* parts = reinterpret_cast<const float*>(values.data());
        kwave::write<float>(file_, name, along(axis, 2 * static_cast<Index>(values.size())),
                            {parts, 2 * values.size()}, true);
    }

private:
    Hdf5File& file_;
    KspaceSize size_;
};

constexpr const char* axis_names[] = {"x", "y", "z"};

void write_grid(Hdf5File& file, const KspaceSetup& setup) {
    const KspaceGrid& grid = setup.grid;
    kwave::write(file, "Nx", grid.size.columns);
    kwave::write(file, "Ny", grid.size.rows);
    kwave::write(file, "Nz", grid.size.planes);
    kwave::write(file, "Nt", grid.steps);
    kwave::write(file, "dt", grid.time_step);
    for (int axis = 0; axis < 3; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const bool used = axis < grid.size.axes();
        const std::string name = axis_names[axis];
        kwave::write(file, "pml_" + name + "_size", used ? setup.layer.points[a] : 0);
        if (!used) continue;
        kwave::write(file, "d" + name, grid.spacing[a]);
        kwave::write(file, "pml_" + name + "_alpha", setup.layer.strength[a]);
    }
    for (const char* flag :
         {"nonuniform_grid_flag", "axisymmetric_flag", "elastic_flag", "transducer_source_flag"})
        kwave::write(file, flag, Index{0});
}

void write_medium(Hdf5File& file, Writer& writer, const KspaceSetup& setup, double reference_speed) {
    const KspaceMedium& medium = setup.medium;
    kwave::write(file, "c_ref", reference_speed);
    writer.property("c0", medium.sound_speed);
    writer.property("rho0", medium.density);
    const KspaceSize& size = setup.grid.size;
    for (int axis = 0; axis < size.axes(); ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const std::string name = std::string("rho0_sg") + axis_names[axis];
        if (medium.has_staggered_density[a]) {
            writer.property(name, medium.staggered_density[a]);
        } else if (!medium.density.varies()) {
            writer.property(name, medium.density);
        } else {
            const Index step = axis == 0 ? 1 : axis == 1 ? size.columns : size.columns * size.rows;
            Array<float> mean({size.points()});
            for (Index i = 0; i < size.points(); ++i) {
                const bool last = i / step % size.along(axis) + 1 == size.along(axis);
                mean(i) =
                    static_cast<float>((medium.density.at(i) + medium.density.at(last ? i : i + step)) / 2);
            }
            writer.field(name, mean);
        }
    }
    const Index absorbing = medium.absorption == KspaceAbsorption::none     ? 0
                            : medium.absorption == KspaceAbsorption::stokes ? 2
                                                                            : 1;
    kwave::write(file, "absorbing_flag", absorbing);
    if (absorbing > 0) {
        writer.property("alpha_coeff", medium.attenuation);
        kwave::write(file, "alpha_power", absorbing == 2 ? 2.0 : medium.attenuation_power);
    }
    kwave::write(file, "nonlinear_flag", Index{medium.nonlinear});
    if (medium.nonlinear) writer.property("BonA", medium.nonlinearity);
}

void write_sources(Hdf5File& file, Writer& writer, const KspaceSources& sources, int axes) {
    kwave::write(file, "p0_source_flag", Index{!sources.initial_pressure.empty()});
    if (!sources.initial_pressure.empty()) writer.field("p0_source_input", sources.initial_pressure);
    kwave::write(file, "p_source_flag", sources.pressure.samples);
    if (!sources.pressure.empty()) {
        writer.source("p", sources.pressure);
        writer.signal("p_source_input", sources.pressure);
    }
    const PointSource* shared = nullptr;
    for (int axis = 0; axis < 3; ++axis) {
        const PointSource& source = sources.velocity[static_cast<std::size_t>(axis)];
        const std::string name = std::string("u") + axis_names[axis];
        kwave::write(file, name + "_source_flag", axis < axes ? source.samples : 0);
        if (source.empty() || axis >= axes) continue;
        if (shared == nullptr) {
            shared = &source;
            writer.source("u", source);
        }
        require(source.mode == shared->mode && source.one_for_all == shared->one_for_all &&
                    source.points == shared->points,
                Status::unsupported, file.path(),
                ": velocity sources along different axes must have the same points, mode and kind of signal");
        writer.signal(name + "_source_input", source);
    }
}

void write_sensor(Hdf5File& file, Writer& writer, const KwaveInput& input) {
    kwave::write(file, "sensor_mask_type", Index{!input.sensor_cuboids.empty()});
    if (input.sensor_cuboids.empty()) return writer.points("sensor_mask_index", input.sensor_points);
    std::vector<std::uint64_t> corners;
    for (const SensorCuboid& box : input.sensor_cuboids)
        for (const auto& corner : {box.first, box.last})
            for (Index place : corner) corners.push_back(static_cast<std::uint64_t>(place) + 1);
    kwave::write<std::uint64_t>(file, "sensor_mask_corners",
                                {1, static_cast<Index>(input.sensor_cuboids.size()), 6}, corners);
}

/// What version 1.2 leaves to the program: shift operators and absorbing layers.
void write_operators(Writer& writer, const KspaceSetup& setup, double reference_speed) {
    const KspaceGrid& grid = setup.grid;
    for (int axis = 0; axis < grid.size.axes(); ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const std::string name = axis_names[axis];
        const Index length = grid.size.along(axis);
        for (bool forward : {true, false}) {
            auto shift = shifted_derivative(length, grid.spacing[a], forward ? 1 : -1);
            if (axis == 0) shift.resize(static_cast<std::size_t>(length / 2 + 1));
            writer.complex_line(
                "dd" + name + "_k_shift_" + (forward ? "pos" : "neg") + (axis == 0 ? "_r" : ""), axis, shift);
        }
        for (bool staggered : {false, true})
            writer.line("pml_" + name + (staggered ? "_sg" + name : ""), axis,
                        absorbing_profile(length, setup.layer.points[a], setup.layer.strength[a],
                                          grid.spacing[a], reference_speed, grid.time_step, staggered));
    }
}

}  // namespace

void write_kwave_input(const std::string& path, const KwaveInput& input, int minor_version) {
    require(minor_version == 1 || minor_version == 2, Status::invalid_argument,
            "k-Wave's input files are written as version 1.1 or 1.2, got 1.", minor_version);
    const KspaceSetup& setup = input.setup;
    require_valid(setup);
    const double reference_speed = setup.medium.reference_speed > 0
                                       ? setup.medium.reference_speed
                                       : setup.medium.sound_speed.largest(setup.grid.size.points());
    Hdf5File file = Hdf5File::create(path);
    kwave::write_header(file, "input", minor_version, input.description);
    Writer writer(file, setup.grid.size);
    write_grid(file, setup);
    write_medium(file, writer, setup, reference_speed);
    write_sources(file, writer, setup.sources, setup.grid.size.axes());
    write_sensor(file, writer, input);
    if (minor_version == 1) write_operators(writer, setup, reference_speed);
    file.commit();
}

}  // namespace sonolux

// sonolux/sdk/files/kwave_output.cpp
#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/kwave_names.hpp>
#include <sonolux/sdk/files/kwave_output.hpp>

namespace sonolux {

KwaveOutput::KwaveOutput(const std::string& path, const KwaveInput& input, Index start, Index steps)
    : file_(Hdf5File::create(path)),
      size_(input.setup.grid.size),
      steps_(steps),
      points_(static_cast<Index>(input.sensor_points.size())),
      cuboids_(input.sensor_cuboids) {
    kwave::write_header(file_, "output", 2, input.description);
    const KspaceSetup& setup = input.setup;
    const KspaceGrid& grid = setup.grid;
    kwave::write(file_, "Nx", size_.columns);
    kwave::write(file_, "Ny", size_.rows);
    kwave::write(file_, "Nz", size_.planes);
    kwave::write(file_, "Nt", start + steps);  // of what was done, which may be less than the input asks for
    kwave::write(file_, "t_index", start + steps);
    kwave::write(file_, "dt", grid.time_step);
    kwave::write(file_, "c_ref", setup.medium.reference_speed);
    const char* const names[] = {"x", "y", "z"};
    for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::string name = names[axis];
        kwave::write(file_, "d" + name, grid.spacing[axis]);
        kwave::write(file_, "pml_" + name + "_size", setup.layer.points[axis]);
        kwave::write(file_, "pml_" + name + "_alpha", setup.layer.strength[axis]);
        kwave::write(file_, "u" + name + "_source_flag", setup.sources.velocity[axis].samples);
    }
    kwave::write(file_, "p_source_flag", setup.sources.pressure.samples);
    kwave::write(file_, "p0_source_flag", Index{!setup.sources.initial_pressure.empty()});
    for (const char* flag :
         {"transducer_source_flag", "nonuniform_grid_flag", "axisymmetric_flag", "elastic_flag"})
        kwave::write(file_, flag, Index{0});
    kwave::write(file_, "absorbing_flag",
                 Index{setup.medium.absorption == KspaceAbsorption::none        ? 0
                       : setup.medium.absorption == KspaceAbsorption::power_law ? 1
                                                                                : 2});
    kwave::write(file_, "nonlinear_flag", Index{setup.medium.nonlinear});
    kwave::write(file_, "sensor_mask_type", Index{!cuboids_.empty()});
    kwave::write(file_, "sensor_start_index", start + 1);
}

/// each(name of the dataset, sizes of the box, points before it)
template <class Each>
void KwaveOutput::over_boxes(const std::string& name, Each each) const {
    Index before = 0, number = 0;
    for (const SensorCuboid& box : cuboids_) {
        std::array<Index, 3> size;
        for (std::size_t axis = 0; axis < 3; ++axis) size[axis] = box.last[axis] - box.first[axis] + 1;
        each(sentence(name, "/", ++number), size, before);
        before += size[0] * size[1] * size[2];
    }
}

void KwaveOutput::make_signals(const std::string& name) {
    if (cuboids_.empty()) {
        file_.make<float>(name, {1, steps_, points_});
        kwave::describe<float>(file_, name);
        return;
    }
    over_boxes(name, [&](const std::string& box, const std::array<Index, 3>& size, Index) {
        file_.make<float>(box, {steps_, size[2], size[1], size[0]});
        kwave::describe<float>(file_, box);
    });
}

void KwaveOutput::write_signals(const std::string& name, Index from, std::span<const float> values) {
    const Index steps = points_ == 0 ? 0 : static_cast<Index>(values.size()) / points_;
    if (cuboids_.empty()) {
        file_.write_part<float>(name, {0, from, 0}, {1, steps, points_}, values);
        return;
    }
    std::vector<float> part;
    over_boxes(name, [&](const std::string& box, const std::array<Index, 3>& size, Index before) {
        const Index points = size[0] * size[1] * size[2];
        part.clear();
        for (Index step = 0; step < steps; ++step) {
            const float* row = values.data() + step * points_ + before;
            part.insert(part.end(), row, row + points);
        }
        file_.write_part<float>(box, {from, 0, 0, 0}, {steps, size[2], size[1], size[0]}, part);
    });
}

void KwaveOutput::write_values(const std::string& name, std::span<const float> values) {
    if (cuboids_.empty()) {
        kwave::write<float>(file_, name, {1, 1, points_}, values);
        return;
    }
    over_boxes(name, [&](const std::string& box, const std::array<Index, 3>& size, Index before) {
        const auto points = static_cast<std::size_t>(size[0] * size[1] * size[2]);
        kwave::write<float>(file_, box, {1, size[2], size[1], size[0]},
                            values.subspan(static_cast<std::size_t>(before), points));
    });
}

void KwaveOutput::write_field(const std::string& name, std::span<const float> values) {
    kwave::write<float>(file_, name, {size_.planes, size_.rows, size_.columns}, values);
}

void KwaveOutput::write_number(const std::string& name, double value) { kwave::write(file_, name, value); }

void KwaveOutput::write_sensor(const KwaveInput& input) {
    std::vector<std::uint64_t> numbers;
    if (cuboids_.empty()) {
        for (Index point : input.sensor_points) numbers.push_back(static_cast<std::uint64_t>(point) + 1);
        kwave::write<std::uint64_t>(file_, "sensor_mask_index", {1, 1, points_}, numbers);
        return;
    }
    for (const SensorCuboid& box : cuboids_)
        for (const auto& corner : {box.first, box.last})
            for (Index place : corner) numbers.push_back(static_cast<std::uint64_t>(place) + 1);
    kwave::write<std::uint64_t>(file_, "sensor_mask_corners", {1, static_cast<Index>(cuboids_.size()), 6},
                                numbers);
}

}  // namespace sonolux

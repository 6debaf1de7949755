// sonolux/sdk/pipelines/lens_field.cpp
#include <sonolux/sdk/pipelines/lens_field.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/numpy_file.hpp>
#include <sonolux/sdk/files/recipe.hpp>
#include <sonolux/sdk/pipelines/lens_recipe.hpp>
#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/simulation/optics/field_kernels.hpp>

namespace sonolux {

namespace {

/// Between which two of `count` fields a place is, and how far towards the second.
struct Between {
    Index first, second;
    double weight;

    Between(double place, Index size, Index count) {
        const double at =
            std::clamp((place + 0.5) * static_cast<double>(count) / static_cast<double>(size) - 0.5, 0.0,
                       static_cast<double>(count - 1));
        first = static_cast<Index>(at);
        second = std::min(first + 1, count - 1);
        weight = at - static_cast<double>(first);
    }
};

LensSystem read_system(const std::string& recipe, Context& context) {
    RecipeTable table = RecipeTable::read(recipe);
    const std::string domain = table.text("domain", std::nullopt);
    require(domain == "lens", Status::unsupported, recipe,
            ": only recipes of the domain lens have kernels, this is of ", domain);
    return read_lens_system(table, context);
}

}  // namespace

Array<float> LensField::at(double row, double column, Index rows, Index columns) const {
    const Between down(row, rows, grid_rows), across(column, columns, grid_columns);
    const auto of = [&](Index i, Index j) {
        return kernels[static_cast<std::size_t>(i * grid_columns + j)].data();
    };
    const float* corner[4] = {of(down.first, across.first), of(down.first, across.second),
                              of(down.second, across.first), of(down.second, across.second)};
    const double weight[4] = {(1 - down.weight) * (1 - across.weight), (1 - down.weight) * across.weight,
                              down.weight * (1 - across.weight), down.weight * across.weight};
    Array<float> result(kernels.front().shape());
    for (Index n = 0; n < result.elements(); ++n) {
        double sum = 0;
        for (int k = 0; k < 4; ++k) sum += weight[k] * double{corner[k][n]};
        result.data()[n] = static_cast<float>(sum);
    }
    return result;
}

LensField lens_axis_from_recipe(const std::string& recipe, Context& context) {
    LensField axis;
    axis.kernels.push_back(read_system(recipe, context).white_kernels);
    return axis;
}

LensField lens_field_from_recipe(const std::string& recipe, Index rows, Index columns, Index grid_rows,
                                 Index grid_columns, Context& context) {
    const LensSystem system = read_system(recipe, context);
    // The outermost zone of a lens of order m is m wavelengths of path: the narrowest of its relief.
    const double half = system.lens.diameter / 2;
    const double zone = system.lens.order * system.lens.wavelength *
                        std::sqrt(half * half + system.lens.focal_length * system.lens.focal_length) / half;
    const MapOptics optics{map_of(relief_of(system.lens), std::min(zone / 4, system.bank.pixel / 2)),
                           system.lens.material, system.distance, 0};
    LensField field{grid_rows, grid_columns, {}};
    field.kernels = field_kernels(optics, bank_options(system), system.response,
                                  {rows, columns, grid_rows, grid_columns, true}, context);
    return field;
}

LensField read_lens_field(const std::string& path) {
    const std::vector<std::byte> bytes = read_file(path);
    const NumpyArray array = decode_numpy(bytes, path);
    const std::vector<Index>& n = array.sizes;
    const auto shape = [&] {
        std::string text;
        for (const Index size : n) text += (text.empty() ? "" : " x ") + std::to_string(size);
        return text;
    };
    require(
        n.size() == 5 && *std::min_element(n.begin(), n.end()) >= 1 && n[3] == n[4] && n[3] % 2 == 1,
        Status::corrupt_data, path,
        ": kernels of a lens must be [grid rows, grid columns, channels, size, size] with an odd size, got ",
        shape());
    LensField field{n[0], n[1], {}};
    const double* value = array.values.data();
    for (Index g = 0; g < n[0] * n[1]; ++g)
        for (float& tap : field.kernels.emplace_back(Shape{n[2], n[3], n[4]})) {
            require(std::isfinite(*value), Status::corrupt_data, path, ": field ", g + 1,
                    " has a tap that is not finite");
            tap = static_cast<float>(*value++);
        }
    return field;
}

void write_lens_field(const std::string& path, const LensField& field) {
    const Shape shape = field.kernels.front().shape();
    const Index sizes[] = {field.grid_rows, field.grid_columns, shape[0], shape[1], shape[2]};
    std::vector<float> values;
    for (const Array<float>& kernels : field.kernels)
        values.insert(values.end(), kernels.begin(), kernels.end());
    write_file_atomically(path, encode_numpy(values, sizes));
}

double difference_from_model(const LensField& field, const Model& model) {
    const View<const float> own = lens_kernels(model);
    const Array<float> middle = field.at(0.5, 0.5, 2, 2);
    require(middle.shape()[0] == own.size(0), Status::size_mismatch, model.name, ": has ", own.size(0),
            " channels, the kernels of the field have ", middle.shape()[0]);
    const Index size = std::max(own.rows(), middle.view().rows());
    const auto tap = [size](View<const float> kernel, Index i, Index j) {
        const Index row = i - size / 2 + kernel.rows() / 2, column = j - size / 2 + kernel.columns() / 2;
        const bool inside = row >= 0 && row < kernel.rows() && column >= 0 && column < kernel.columns();
        return inside ? double{kernel(row, column)} : 0.0;
    };
    double difference = 0, power = 0;
    for (Index c = 0; c < own.size(0); ++c)
        for (Index i = 0; i < size; ++i)
            for (Index j = 0; j < size; ++j) {
                const double ours = tap(own[c], i, j), theirs = tap(middle.view()[c], i, j);
                difference += (ours - theirs) * (ours - theirs);
                power += ours * ours;
            }
    return std::sqrt(difference / power);
}

}  // namespace sonolux

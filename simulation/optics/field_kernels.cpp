// sonolux/simulation/optics/field_kernels.cpp
#include <cmath>
#include <map>

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/optics/field_kernels.hpp>

namespace sonolux {

namespace {

/// Kernels of the field (x, y) from those of (|x|, |y|), or of (|y|, |x|) where `transposed`.
Array<float> mirrored(View<const float> kernels, bool left, bool up, bool transposed) {
    const Index last = kernels.rows() - 1;
    Array<float> result(kernels.shape());
    for (Index c = 0; c < kernels.size(0); ++c)
        for (Index i = 0; i <= last; ++i)
            for (Index j = 0; j <= last; ++j) {
                const Index row = up ? last - i : i, column = left ? last - j : j;
                result(c, i, j) = transposed ? kernels(c, column, row) : kernels(c, row, column);
            }
    return result;
}

}  // namespace

std::vector<Array<float>> field_kernels(const MapOptics& optics, const PsfBankOptions& options,
                                        const CameraResponse& response, const FieldGridOptions& fields,
                                        Context& context) {
    require(fields.grid_rows >= 1 && fields.grid_columns >= 1 && fields.grid_rows <= fields.rows &&
                fields.grid_columns <= fields.columns,
            Status::invalid_argument, "field kernels: a grid of ", fields.grid_rows, " x ",
            fields.grid_columns, " fields does not fit a sensor of ", fields.rows, " x ", fields.columns,
            " pixels");
    require(!fields.symmetric || options.size % 2 == 1, Status::invalid_argument,
            "field kernels: kernels that are mirrored need a middle pixel, the size is ", options.size);
    // Middles of fields from the axis, in half fields: whole numbers, so that mirror images have equal keys.
    const auto place = [](Index g, Index count) { return 2 * g + 1 - count; };
    const double width = static_cast<double>(fields.columns) / static_cast<double>(fields.grid_columns);
    const double height = static_cast<double>(fields.rows) / static_cast<double>(fields.grid_rows);
    const bool square = width == height;
    std::map<std::pair<Index, Index>, Array<float>> known;
    std::vector<Array<float>> kernels;
    for (Index g = 0; g < fields.grid_rows * fields.grid_columns; ++g) {
        const Index y = place(g / fields.grid_columns, fields.grid_rows);
        const Index x = place(g % fields.grid_columns, fields.grid_columns);
        Index at_x = x, at_y = y;
        bool transposed = false;
        if (fields.symmetric) {
            at_x = std::abs(x), at_y = std::abs(y);
            transposed = square && at_y > at_x;
            if (transposed) std::swap(at_x, at_y);
        }
        auto found = known.find({at_x, at_y});
        if (found == known.end()) {
            require(context.poll() == Status::ok, Status::cancelled, "field kernels: stopped");
            const double scale = options.pixel / (2 * optics.distance);
            const PsfBank bank = make_psf_bank(optics, options, static_cast<double>(at_x) * width * scale,
                                               static_cast<double>(at_y) * height * scale, context);
            found = known.emplace(std::pair{at_x, at_y}, white_kernels(bank, response)).first;
        }
        kernels.push_back(fields.symmetric ? mirrored(found->second.view(), x < 0, y < 0, transposed)
                                           : found->second.clone());
        context.report({.activity = "computing kernels",
                        .done = g + 1,
                        .total = fields.grid_rows * fields.grid_columns,
                        .seconds_left = -1});
    }
    return kernels;
}

}  // namespace sonolux

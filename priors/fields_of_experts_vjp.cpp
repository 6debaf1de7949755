// sonolux/priors/fields_of_experts_vjp.cpp
//
// The way back through gradient(x) = scale * sum_i K_i^T phi_i(z_i), z_i = K_i x. With q_i = phi_i'(z_i) K_i
// v,
//
//     x_bar          = scale * sum_i K_i^T q_i
//     filter_i_bar   = scale * (phi_i(z_i) correlated with v, plus q_i correlated with x)
//     table_i_bar    = scale * the histogram of K_i v over the places of z_i in the table
//
// (x and v extended as the border rule says; x_bar folded back). Filter by filter, tile by tile.
#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/priors/fields_of_experts_tile.hpp>

namespace sonolux {

using namespace foe;

void FieldsOfExperts::gradient_vjp(View<const float> x, View<const float> v, View<float> x_bar,
                                   std::span<float> parameter_bar, Context& context) const noexcept {
    gradient_vjp(x, nullptr, v, x_bar, parameter_bar, context);
}

void FieldsOfExperts::gradient_vjp(View<const float> x, float* kept, View<const float> v, View<float> x_bar,
                                   std::span<float> parameter_bar, Context& context) const noexcept {
    const Domain d = domain();
    const KernelTable& kernel = kernels(context.isa());
    const Rectangle image_area{0, x.rows(), 0, x.columns()};
    const Rectangle output = grown(image_area, d.pad);
    const Rectangle responses = grown(image_area, d.pad - d.radius);
    // Extending with the rule is the transpose of folding; cropping's transpose extends with zeros.
    const BoundaryRule v_rule = d.output_pad > 0 ? options_.boundary : BoundaryRule::zero;
    const Tiling tiling(output, most_vjp_tile_rows, d.tile_columns);
    const Index stride = plane_stride(tiling.tile_columns, d.radius);
    const Index floats = plane_floats(tiling.tile_rows, tiling.tile_columns, d.radius);
    const int size = options_.filters.size, segments = options_.activation.segments;
    const Index taps = Index{size} * size, nodes = options_.activation.nodes;
    const double scale = options_.scale;
    assert(kept == nullptr || tiling.count == 1);

    Scratch scratch(context.workspace());
    const View<float> padded = scratch.take<float>(Shape{output.rows(), output.columns()});
    Plane planes[6];
    for (Plane& plane : planes) plane = {scratch.take<float>(floats), stride};
    const auto [image, upstream, z_plane, q_plane, sum, own_plane] = planes;
    float* histogram = scratch.take<float>(histogram_floats * segments);
    double* filters_bar = scratch.take<double>(filters_.elements());
    const Index table_floats = options_.filters.count * activation_.table_size();
    double* tables_bar = scratch.take<double>(table_floats);
    std::fill_n(filters_bar, filters_.elements(), 0.0);
    std::fill_n(tables_bar, table_floats, 0.0);

    // One tile after the other: training runs its samples in parallel, and the sums below need one order.
    for (Index i = 0; i < tiling.count; ++i) {
        const Rectangle tile = tiling.tile(i);
        const Rectangle reach = grown(tile, d.radius);
        const Rectangle area = common(reach, responses);
        load_tile(x, options_.boundary, grown(tile, 2 * d.radius), image);
        load_tile(v, v_rule, grown(tile, 2 * d.radius), upstream);
        std::fill_n(q_plane.data, floats, 0.0f);
        const Index row = area.row - reach.row, column = area.column - reach.column;
        const Index rows = area.rows(), columns = area.columns();
        const Plane q{q_plane.at(row, column), stride};
        const Plane x_window{image.at(row, column), stride}, v_window{upstream.at(row, column), stride};
        // The responses whose parameter gradients this tile counts: those under the tile itself.
        const Rectangle core = common(tile, responses);
        const Rectangle own{core.row - area.row, core.row_end - area.row, core.column - area.column,
                            core.column_end - area.column};
        const bool whole = own.rows() == rows && own.columns() == columns;
        auto add_filter_gradient = [&](Plane a, Plane b, double* out) {
            if (whole) return kernel.filter_gradient(a, b, rows, columns, size, out);
            if (own.rows() <= 0 || own.columns() <= 0) return;
            for (Index r = 0; r < own.rows(); ++r) {  // the kernel wants zeros after the last column
                float* part = own_plane.at(r, 0);
                std::copy_n(a.at(own.row + r, own.column), own.columns(), part);
                std::fill(part + own.columns(), part + round_up(own.columns()), 0.0f);
            }
            kernel.filter_gradient(own_plane, {b.at(own.row, own.column), stride}, own.rows(), own.columns(),
                                   size, out);
        };
        for (Index f = 0; f < options_.filters.count; ++f) {
            float flipped[121];
            const float* filter = filters_.data() + f * taps;
            flip(filter, taps, flipped);
            const Plane z = kept == nullptr ? z_plane : kept_plane(kept, f, responses);
            if (kept == nullptr) kernel.correlate(x_window, filter, size, z, rows, columns, false);
            kernel.correlate(v_window, filter, size, q, rows, columns, false);
            std::fill_n(histogram, histogram_floats * segments, 0.0f);
            kernel.activate_vjp(z, q, rows, columns, own, table(f), histogram);  // z is phi(z) from here on
            add_filter_gradient(z, v_window, filters_bar + f * taps);
            add_filter_gradient(q, x_window, filters_bar + f * taps);
            if (!x_bar.empty())
                kernel.correlate(q_plane, flipped, size, sum, tile.rows(), tile.columns(), f > 0);
            double* bins = tables_bar + f * activation_.table_size();
            for (int k = 0; k < segments; ++k)
                for (int power = 0; power < 4; ++power) {
                    const float* bin = histogram + k * histogram_floats + power;
                    bins[power * segments + k] += scale * (bin[0] + bin[4] + bin[8] + bin[12]);
                }
        }
        if (!x_bar.empty()) store_tile(sum, tile, output, options_.scale, padded);
    }
    if (!x_bar.empty()) fold(padded, d.pad, options_.boundary, x_bar);

    float* rounded = scratch.take<float>(filters_.elements());
    for (Index t = 0; t < filters_.elements(); ++t) rounded[t] = static_cast<float>(scale * filters_bar[t]);
    const std::span<const float> parameters(parameters_);
    bank_.realise_vjp(parameters.first(filter_parameter_count()),
                      View<const float>(rounded, filters_.shape()),
                      parameter_bar.first(filter_parameter_count()));
    for (Index f = 0; f < options_.filters.count; ++f)
        activation_.tabulate_vjp(tables_bar + f * activation_.table_size(),
                                 parameter_bar.subspan(filter_parameter_count() + f * nodes, nodes));
}

}  // namespace sonolux

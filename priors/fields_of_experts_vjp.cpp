// sonolux/priors/fields_of_experts_vjp.cpp
//
// The way back through gradient(x) = scale * sum_i K_i^T (w_i phi_i(z_i)), z_i = K_i x. With q_i = w_i
// phi_i'(z_i) K_i v,
//
//     x_bar          = scale * sum_i K_i^T q_i          (channel by channel, as all that follows)
//     filter_i_bar   = scale * (w_i phi_i(z_i) correlated with v, plus q_i correlated with x)
//     table_i_bar    = scale * the histogram of w_i K_i v over the places of z_i in the table
//     w_i_bar        = scale * phi_i(z_i) K_i v, added up on the nodes of the weights
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
    const Rectangle responses = this->responses(x.rows(), x.columns());
    // Extending with the rule is the transpose of folding; cropping's transpose extends with zeros.
    const BoundaryRule v_rule = d.output_pad > 0 ? options_.boundary : BoundaryRule::zero;
    const Tiling tiling(output, most_vjp_tile_rows, d.tile_columns);
    const Index stride = plane_stride(tiling.tile_columns, d.span);
    const Index floats = plane_floats(tiling.tile_rows, tiling.tile_columns, d.span);
    const int size = options_.filters.size, segments = options_.activation.segments;
    const Index taps = Index{size} * size, channels = this->channels();
    const double scale = options_.scale;
    assert(plane_count(x) == channels && plane_count(v) == channels);
    assert(kept == nullptr || tiling.count == 1);

    Scratch scratch(context.workspace());
    const View<float> padded = scratch.take<float>(image_shape(channels, output.rows(), output.columns()));
    const auto take_plane = [&] { return Plane{scratch.take<float>(floats), stride}; };
    const Plane z_plane = take_plane(), q_plane = take_plane(), own_plane = take_plane();
    Plane image[most_channels], upstream[most_channels], sum[most_channels];
    for (Index c = 0; c < channels; ++c) {
        image[c] = take_plane();
        upstream[c] = take_plane();
        sum[c] = take_plane();
    }
    float* histogram = scratch.take<float>(histogram_floats * segments);
    double* filters_bar = scratch.take<double>(filters_.elements());
    const Index table_floats = options_.filters.count * activation_.table_size();
    double* tables_bar = scratch.take<double>(table_floats);
    std::fill_n(filters_bar, filters_.elements(), 0.0);
    std::fill_n(tables_bar, table_floats, 0.0);
    const bool weighted = options_.weight_nodes > 0;
    double* maps_bar = scratch.take<double>(maps_.elements());
    std::fill_n(maps_bar, maps_.elements(), 0.0);
    Weights weights{};
    if (weighted) weights = weight_table(responses, scratch.take<float>(weight_table_floats(x.columns())));

    // One tile after the other: training runs its samples in parallel, and the sums below need one order.
    for (Index i = 0; i < tiling.count; ++i) {
        const Rectangle tile = tiling.tile(i);
        const Rectangle reach = reaching(tile, d.span, d.lead);
        const Rectangle area = common(reach, responses);
        for (Index c = 0; c < channels; ++c) {
            load_tile(plane_of(x, c), options_.boundary, grown(tile, d.span), image[c]);
            load_tile(plane_of(v, c), v_rule, grown(tile, d.span), upstream[c]);
        }
        std::fill_n(q_plane.data, floats, 0.0f);
        const Index row = area.row - reach.row, column = area.column - reach.column;
        const Index rows = area.rows(), columns = area.columns();
        const Plane q{q_plane.at(row, column), stride};
        const auto x_window = [&](Index c) { return Plane{image[c].at(row, column), stride}; };
        const auto v_window = [&](Index c) { return Plane{upstream[c].at(row, column), stride}; };
        // The responses whose parameter gradients this tile counts: those under the tile itself.
        const Rectangle core = common(tile, responses);
        const Rectangle own{core.row - area.row, core.row_end - area.row, core.column - area.column,
                            core.column_end - area.column};
        const bool whole = own.rows() == rows && own.columns() == columns;
        const Rectangle core_area{area.row + own.row, area.row + own.row_end, area.column + own.column,
                                  area.column + own.column_end};
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
            const float* filter = filters_.data() + f * channels * taps;
            double* filter_bar = filters_bar + f * channels * taps;
            const Plane z = kept == nullptr ? z_plane : kept_plane(kept, f, responses);
            for (Index c = 0; c < channels; ++c) {
                if (kept == nullptr)
                    kernel.correlate(x_window(c), filter + c * taps, size, z, rows, columns, c > 0);
                kernel.correlate(v_window(c), filter + c * taps, size, q, rows, columns, c > 0);
            }
            if (weighted) {
                // What phi is to be multiplied with: where the tile counts it, and before q is weighed.
                for (Index r = 0; r < own.rows(); ++r) {
                    float* part = own_plane.at(r, 0);
                    std::copy_n(q.at(own.row + r, own.column), own.columns(), part);
                    std::fill(part + own.columns(), part + round_up(own.columns()), 0.0f);
                }
                kernel.weigh(q, rows, columns, weights_of(weights, f, responses, area));
            }
            std::fill_n(histogram, histogram_floats * segments, 0.0f);
            kernel.activate_vjp(z, q, rows, columns, own, table(f), histogram);  // z is phi(z) from here on
            if (weighted) {
                kernel.weight_gradient(own_plane, {z.at(own.row, own.column), z.stride}, own.rows(),
                                       own.columns(), weights_of(weights, f, responses, core_area),
                                       maps_bar + f * weights.count * weights.count);
                kernel.weigh(z, rows, columns, weights_of(weights, f, responses, area));
            }
            for (Index c = 0; c < channels; ++c) {
                add_filter_gradient(z, v_window(c), filter_bar + c * taps);
                add_filter_gradient(q, x_window(c), filter_bar + c * taps);
                if (x_bar.empty()) continue;
                float flipped[121];
                flip(filter + c * taps, taps, flipped);
                kernel.correlate(q_plane, flipped, size, sum[c], tile.rows(), tile.columns(), f > 0);
            }
            double* bins = tables_bar + f * activation_.table_size();
            for (int k = 0; k < segments; ++k)
                for (int power = 0; power < 4; ++power) {
                    const float* bin = histogram + k * histogram_floats + power;
                    bins[power * segments + k] += scale * (bin[0] + bin[4] + bin[8] + bin[12]);
                }
        }
        for (Index c = 0; c < channels && !x_bar.empty(); ++c)
            store_tile(sum[c], tile, output, options_.scale, plane_of(padded, c));
    }
    for (Index c = 0; c < channels && !x_bar.empty(); ++c)
        fold(plane_of(padded, c), d.pad, options_.boundary, plane_of(x_bar, c));

    for (Index t = 0; t < filters_.elements(); ++t) filters_bar[t] *= scale;
    update_vjp(filters_bar, tables_bar, parameter_bar, context);
    const Index map_offset = filter_parameter_count() + activation_parameter_count();
    for (Index m = 0; m < maps_.elements(); ++m) {
        const double w = maps_.data()[m];
        parameter_bar[static_cast<std::size_t>(map_offset + m)] +=
            static_cast<float>(scale * weight_slope * w * (1 - w) * maps_bar[m]);
    }
}

void FieldsOfExperts::update_vjp(const double* filters_bar, const double* tables_bar,
                                 std::span<float> parameter_bar, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    float* rounded = scratch.take<float>(filters_.elements());
    for (Index t = 0; t < filters_.elements(); ++t) rounded[t] = static_cast<float>(filters_bar[t]);
    const Index nodes = options_.activation.nodes;
    const std::span<const float> parameters(parameters_);
    bank_.realise_vjp(parameters.first(filter_parameter_count()),
                      View<const float>(rounded, filters_.shape()),
                      parameter_bar.first(filter_parameter_count()));
    for (Index f = 0; f < options_.filters.count; ++f)
        activation_.tabulate_vjp(tables_bar + f * activation_.table_size(),
                                 parameter_bar.subspan(filter_parameter_count() + f * nodes, nodes));
}

}  // namespace sonolux

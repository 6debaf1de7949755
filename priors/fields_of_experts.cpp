// sonolux/priors/fields_of_experts.cpp
//
// Tiles. The image x lives on [0, rows) x [0, columns). It is extended by `pad` to the padded domain;
// responses z live on that domain less the radius; what comes out of the adjoint lives on
//
//     cropped   the image itself                  (pad = 2 radius)
//     exact     the padded domain, then folded    (pad = radius)
//
// A tile covers a rectangle of the output. It loads x on the rectangle grown by twice the radius, computes z
// on the rectangle grown by once the radius as far as the response domain reaches (0 elsewhere), and sums the
// adjoint.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/priors/fields_of_experts_kernel.hpp>

namespace sonolux {

namespace foe {

const KernelTable& kernels(Isa isa) noexcept {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::avx512: return avx512::table();
        case Isa::avx2: return avx2::table();
#elif defined(__aarch64__)
        case Isa::neon: return neon::table();
#endif
        default: return baseline::table();
    }
}

namespace {

// Responses of 192 columns are 12 long vectors, and the four planes of a tile stay in a 1 MiB cache.
constexpr Index most_response_columns = 192, most_tile_rows = 64;

// A domain cut into nearly equal tiles.
struct Tiling {
    Rectangle domain;
    Index tile_rows, tile_columns, across, count;

    Tiling(const Rectangle& whole, Index most_rows, Index most_columns) noexcept : domain(whole) {
        const Index down = (whole.rows() + most_rows - 1) / most_rows;
        across = (whole.columns() + most_columns - 1) / most_columns;
        tile_rows = (whole.rows() + down - 1) / down;
        tile_columns = (whole.columns() + across - 1) / across;
        count = down * across;
    }

    [[nodiscard]] Rectangle tile(Index i) const noexcept {
        const Index row = domain.row + i / across * tile_rows,
                    column = domain.column + i % across * tile_columns;
        return {row, std::min(row + tile_rows, domain.row_end), column,
                std::min(column + tile_columns, domain.column_end)};
    }
};

Rectangle grown(const Rectangle& r, Index by) noexcept {
    return {r.row - by, r.row_end + by, r.column - by, r.column_end + by};
}

Rectangle common(const Rectangle& a, const Rectangle& b) noexcept {
    return {std::max(a.row, b.row), std::min(a.row_end, b.row_end), std::max(a.column, b.column),
            std::min(a.column_end, b.column_end)};
}

// Rows of an odd number of cache lines: neighbouring rows fall into different sets of the cache.
Index plane_stride(Index tile_columns, Index radius) noexcept {
    return (round_up(tile_columns + 4 * radius) / slack + 1) / 2 * 2 * slack + slack;
}

Index plane_floats(Index tile_rows, Index tile_columns, Index radius) noexcept {
    return (tile_rows + 4 * radius) * plane_stride(tile_columns, radius) + slack;
}

// Fills the plane with x on `r`, continued by the rule; 0 in the spare columns.
void load_tile(View<const float> x, BoundaryRule rule, const Rectangle& r, Plane plane) noexcept {
    const Index rows = x.rows(), columns = x.columns();
    const Index left = std::clamp<Index>(-r.column, 0, r.columns());
    const Index right = std::clamp<Index>(columns - r.column, left, r.columns());
    for (Index i = 0; i < r.rows(); ++i) {
        float* out = plane.at(i, 0);
        const Index from = boundary_index(rule, r.row + i, rows);
        if (from < 0) {
            std::fill_n(out, plane.stride, 0.0f);
            continue;
        }
        const float* in = x.row(from);
        auto outside = [&](Index j) {
            const Index column = boundary_index(rule, r.column + j, columns);
            return column < 0 ? 0.0f : in[column];
        };
        for (Index j = 0; j < left; ++j) out[j] = outside(j);
        std::copy(in + r.column + left, in + r.column + right, out + left);
        for (Index j = right; j < r.columns(); ++j) out[j] = outside(j);
        std::fill(out + r.columns(), out + plane.stride, 0.0f);
    }
}

// The transpose of extending by the rule: adds what lies outside to where it came from.
void fold(View<const float> padded, Index pad, BoundaryRule rule, View<float> x) noexcept {
    for (Index i = 0; i < x.rows(); ++i) std::copy_n(padded.row(i + pad) + pad, x.columns(), x.row(i));
    if (rule == BoundaryRule::zero) return;
    for (Index i = -pad; i < x.rows() + pad; ++i) {
        const bool inside_row = i >= 0 && i < x.rows();
        float* out = x.row(boundary_index(rule, i, x.rows()));
        const float* in = padded.row(i + pad) + pad;
        auto add = [&](Index from, Index to) {
            for (Index j = from; j < to; ++j) out[boundary_index(rule, j, x.columns())] += in[j];
        };
        add(-pad, 0);
        if (!inside_row) add(0, x.columns());
        add(x.columns(), x.columns() + pad);
    }
}

void flip(const float* filter, Index taps, float* flipped) noexcept {
    for (Index t = 0; t < taps; ++t) flipped[t] = filter[taps - 1 - t];
}

}  // namespace
}  // namespace foe

using namespace foe;

FieldsOfExperts::FieldsOfExperts(const FieldsOfExpertsOptions& options)
    : options_(options),
      bank_(options.filters),
      activation_(options.activation),
      parameters_(parameter_count()),
      filters_({options.filters.count, options.filters.size, options.filters.size}),
      tables_({options.filters.count, 4, options.activation.segments}) {
    require(std::isfinite(options.scale) && options.scale != 0, Status::invalid_argument,
            "prior scale must be finite and not 0, got ", options.scale);
}

Index FieldsOfExperts::activation_parameter_count() const noexcept {
    return Index{options_.filters.count} * options_.activation.nodes;
}

Index FieldsOfExperts::parameter_count() const noexcept {
    return filter_parameter_count() + activation_parameter_count();
}

void FieldsOfExperts::update(std::span<const float> parameters) {
    require(static_cast<Index>(parameters.size()) == parameter_count(), Status::size_mismatch,
            "fields of experts take ", parameter_count(), " parameters, got ", parameters.size());
    std::copy(parameters.begin(), parameters.end(), parameters_.begin());
    bank_.realise(parameters.first(filter_parameter_count()), filters_);
    const Index nodes = options_.activation.nodes;
    for (Index i = 0; i < options_.filters.count; ++i)
        activation_.tabulate(parameters.subspan(filter_parameter_count() + i * nodes, nodes),
                             tables_.data() + i * activation_.table_size());
}

FieldsOfExperts::Domain FieldsOfExperts::domain() const noexcept {
    const Index radius = options_.filters.size / 2;
    const bool cropped = options_.border == BorderGradient::cropped;

    Domain d;
    d.radius = radius;
    d.pad = cropped ? 2 * radius : radius;
    d.output_pad = cropped ? 0 : radius;
    d.tile_columns = most_response_columns - 2 * radius;
    return d;
}

std::size_t FieldsOfExperts::workspace_bytes(Index rows, Index columns,
                                             const Context& context) const noexcept {
    const Domain d = domain();
    auto padded = [&](Index pad) { return Workspace::bytes<float>((rows + 2 * pad) * (columns + 2 * pad)); };
    auto planes = [&](Index pad, Index count) {
        // The largest tiles there can be: nearly equal tiles of a smaller image may be larger than those of
        // this.
        const Index tile_rows = std::min(most_tile_rows, rows + 2 * pad);
        const Index tile_columns = std::min(d.tile_columns, columns + 2 * pad);
        return count * Workspace::bytes<float>(plane_floats(tile_rows, tile_columns, d.radius));
    };
    const std::size_t forward = padded(d.output_pad) + context.threads() * planes(d.output_pad, 3);
    const std::size_t backward =
        padded(d.pad) + planes(d.pad, 6) + Workspace::bytes<float>(16 * options_.activation.segments) +
        Workspace::bytes<double>(filters_.elements()) + Workspace::bytes<float>(filters_.elements()) +
        Workspace::bytes<double>(tables_.elements());
    return std::max(forward, backward);
}

void FieldsOfExperts::gradient(View<const float> x, View<float> gradient, Context& context) const noexcept {
    const Domain d = domain();
    const KernelTable& kernel = kernels(context.isa());
    const Rectangle output = grown({0, x.rows(), 0, x.columns()}, d.output_pad);
    const Rectangle responses = grown({0, x.rows(), 0, x.columns()}, d.pad - d.radius);
    const Tiling tiling(output, most_tile_rows, d.tile_columns);
    const Index stride = plane_stride(tiling.tile_columns, d.radius);
    const Index floats = plane_floats(tiling.tile_rows, tiling.tile_columns, d.radius);
    const int size = options_.filters.size;
    const Index taps = Index{size} * size;

    Scratch scratch(context.workspace());
    View<float> padded = gradient;
    if (d.output_pad > 0) padded = scratch.take<float>(Shape{output.rows(), output.columns()});
    float* planes[3];
    const Index thread_floats = static_cast<Index>(Workspace::bytes<float>(floats) / sizeof(float));
    for (float*& plane : planes) plane = scratch.take<float>(context.threads() * thread_floats);

    parallel_for(context, tiling.count, [&](Index i, int thread) {
        const Rectangle tile = tiling.tile(i);
        const Rectangle input = grown(tile, 2 * d.radius);
        const Rectangle reach = grown(tile, d.radius);
        const Rectangle z_area = common(reach, responses);
        const Plane image{planes[0] + thread * thread_floats, stride};
        const Plane response{planes[1] + thread * thread_floats, stride};
        const Plane sum{planes[2] + thread * thread_floats, stride};
        load_tile(x, options_.boundary, input, image);
        std::fill_n(response.data, floats, 0.0f);
        const Index row = z_area.row - reach.row, column = z_area.column - reach.column;
        const Plane z{response.at(row, column), stride};
        for (Index f = 0; f < options_.filters.count; ++f) {
            float flipped[121];
            const float* filter = filters_.data() + f * taps;
            flip(filter, taps, flipped);
            kernel.correlate({image.at(row, column), stride}, filter, size, z, z_area.rows(),
                             z_area.columns(), false);
            kernel.activate(z, z_area.rows(), z_area.columns(), table(f));
            kernel.correlate(response, flipped, size, sum, tile.rows(), tile.columns(), f > 0);
        }
        for (Index r = 0; r < tile.rows(); ++r) {
            const float* in = sum.at(r, 0);
            float* out = padded.row(tile.row - output.row + r) + (tile.column - output.column);
            for (Index c = 0; c < tile.columns(); ++c) out[c] = options_.scale * in[c];
        }
    });
    if (d.output_pad > 0) fold(padded, d.output_pad, options_.boundary, gradient);
}

foe::Table FieldsOfExperts::table(Index filter) const noexcept {
    return {tables_.data() + filter * activation_.table_size(), options_.activation.segments,
            options_.activation.table_lower, activation_.inverse_step()};
}

void FieldsOfExperts::gradient_vjp(View<const float> x, View<const float> v, View<float> x_bar,
                                   std::span<float> parameter_bar, Context& context) const noexcept {
    const Domain d = domain();
    const KernelTable& kernel = kernels(context.isa());
    const Rectangle image_area{0, x.rows(), 0, x.columns()};
    const Rectangle output = grown(image_area, d.pad);
    const Rectangle responses = grown(image_area, d.pad - d.radius);
    // Extending with the rule is the transpose of folding; cropping's transpose extends with zeros.
    const BoundaryRule v_rule = d.output_pad > 0 ? options_.boundary : BoundaryRule::zero;
    const Tiling tiling(output, most_tile_rows, d.tile_columns);
    const Index stride = plane_stride(tiling.tile_columns, d.radius);
    const Index floats = plane_floats(tiling.tile_rows, tiling.tile_columns, d.radius);
    const int size = options_.filters.size, segments = options_.activation.segments;
    const Index taps = Index{size} * size, nodes = options_.activation.nodes;

    Scratch scratch(context.workspace());
    const View<float> padded = scratch.take<float>(Shape{output.rows(), output.columns()});
    Plane planes[6];
    for (Plane& plane : planes) plane = {scratch.take<float>(floats), stride};
    const auto [image, upstream, z_plane, q_plane, sum, own_plane] = planes;
    float* histogram = scratch.take<float>(16 * segments);
    double* filters_bar = scratch.take<double>(filters_.elements());
    double* tables_bar = scratch.take<double>(tables_.elements());
    std::fill_n(filters_bar, filters_.elements(), 0.0);
    std::fill_n(tables_bar, tables_.elements(), 0.0);

    // One tile after the other: training runs its samples in parallel, and the sums below need one order.
    for (Index i = 0; i < tiling.count; ++i) {
        const Rectangle tile = tiling.tile(i);
        const Rectangle reach = grown(tile, d.radius);
        const Rectangle z_area = common(reach, responses);
        load_tile(x, options_.boundary, grown(tile, 2 * d.radius), image);
        load_tile(v, v_rule, grown(tile, 2 * d.radius), upstream);
        std::fill_n(z_plane.data, floats, 0.0f);
        std::fill_n(q_plane.data, floats, 0.0f);
        const Index row = z_area.row - reach.row, column = z_area.column - reach.column;
        const Index rows = z_area.rows(), columns = z_area.columns();
        const Plane z{z_plane.at(row, column), stride}, q{q_plane.at(row, column), stride};
        // The responses whose parameter gradients this tile counts: those under the tile itself.
        const Rectangle core = common(tile, responses);
        const Rectangle own{core.row - z_area.row, core.row_end - z_area.row, core.column - z_area.column,
                            core.column_end - z_area.column};
        const bool whole = own.rows() == rows && own.columns() == columns;
        auto add_filter_gradient = [&](Plane a, Plane b, double* out) {
            if (own.rows() <= 0 || own.columns() <= 0) return;
            Plane part = a;
            if (!whole) {  // the kernel wants zeros after the last column
                part = own_plane;
                for (Index r = 0; r < own.rows(); ++r) {
                    std::copy_n(a.at(own.row + r, own.column), own.columns(), part.at(r, 0));
                    std::fill(part.at(r, own.columns()), part.at(r, round_up(own.columns())), 0.0f);
                }
            }
            const Plane window{b.at(row + (whole ? 0 : own.row), column + (whole ? 0 : own.column)), stride};
            kernel.filter_gradient(part, window, own.rows(), own.columns(), size, out);
        };
        for (Index f = 0; f < options_.filters.count; ++f) {
            float flipped[121];
            const float* filter = filters_.data() + f * taps;
            flip(filter, taps, flipped);
            kernel.correlate({image.at(row, column), stride}, filter, size, z, rows, columns, false);
            kernel.correlate({upstream.at(row, column), stride}, filter, size, q, rows, columns, false);
            std::fill_n(histogram, 16 * segments, 0.0f);
            kernel.activate_vjp(z, q, rows, columns, own, table(f), histogram);
            add_filter_gradient(z, upstream, filters_bar + f * taps);
            add_filter_gradient(q, image, filters_bar + f * taps);
            kernel.correlate(q_plane, flipped, size, sum, tile.rows(), tile.columns(), f > 0);
            double* bins = tables_bar + f * activation_.table_size();
            for (int lane = 0; lane < 4; ++lane)
                for (int k = 0; k < segments; ++k)
                    for (int power = 0; power < 4; ++power)
                        bins[power * segments + k] += histogram[(lane * segments + k) * 4 + power];
        }
        for (Index r = 0; r < tile.rows(); ++r) {
            const float* in = sum.at(r, 0);
            float* out = padded.row(tile.row - output.row + r) + (tile.column - output.column);
            for (Index c = 0; c < tile.columns(); ++c) out[c] = options_.scale * in[c];
        }
    }
    fold(padded, d.pad, options_.boundary, x_bar);

    float* rounded = scratch.take<float>(filters_.elements());
    for (Index t = 0; t < filters_.elements(); ++t)
        rounded[t] = static_cast<float>(options_.scale * filters_bar[t]);
    for (Index t = 0; t < tables_.elements(); ++t) tables_bar[t] *= options_.scale;
    const std::span<const float> parameters(parameters_);
    bank_.realise_vjp(parameters.first(filter_parameter_count()),
                      View<const float>(rounded, filters_.shape()),
                      parameter_bar.first(filter_parameter_count()));
    for (Index f = 0; f < options_.filters.count; ++f)
        activation_.tabulate_vjp(tables_bar + f * activation_.table_size(),
                                 parameter_bar.subspan(filter_parameter_count() + f * nodes, nodes));
}

}  // namespace sonolux

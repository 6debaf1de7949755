// sonolux/priors/fields_of_experts.cpp
#include <cmath>

#include <sonolux/priors/fields_of_experts.hpp>
#include <sonolux/priors/fields_of_experts_tile.hpp>

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

}  // namespace foe

using namespace foe;

FieldsOfExperts::FieldsOfExperts(const FieldsOfExpertsOptions& options)
    : options_(options),
      bank_(options.filters),
      activation_(options.activation),
      parameters_(parameter_count()),
      filters_(bank_.filters_shape()),
      tables_({2, options.filters.count, activation_.table_size()}),
      maps_({options.filters.count, options.weight_nodes, options.weight_nodes}) {
    require(std::isfinite(options.scale) && options.scale != 0, Status::invalid_argument,
            "prior scale must be finite and not 0, got ", options.scale);
    require(options.filters.size % 2 == 1 || options.border == BorderGradient::valid,
            Status::invalid_argument, "filter size must be odd where the border is not \"valid\", got ",
            options.filters.size);
    require(
        options.weight_nodes == 0 || (options.weight_nodes >= 2 && options.weight_nodes <= most_weight_nodes),
        Status::invalid_argument, "weight_nodes must be 0, or 2 to ", most_weight_nodes, ", got ",
        options.weight_nodes);
}

Index FieldsOfExperts::activation_parameter_count() const noexcept {
    return Index{options_.filters.count} * options_.activation.nodes;
}

Index FieldsOfExperts::weight_parameter_count() const noexcept {
    return Index{options_.filters.count} * options_.weight_nodes * options_.weight_nodes;
}

Index FieldsOfExperts::parameter_count() const noexcept {
    return filter_parameter_count() + activation_parameter_count() + weight_parameter_count();
}

void FieldsOfExperts::update(std::span<const float> parameters) {
    require(static_cast<Index>(parameters.size()) == parameter_count(), Status::size_mismatch,
            "fields of experts take ", parameter_count(), " parameters, got ", parameters.size());
    std::copy(parameters.begin(), parameters.end(), parameters_.begin());
    bank_.realise(parameters.first(filter_parameter_count()), filters_);
    const Index nodes = options_.activation.nodes;
    const Index segments = options_.activation.segments;
    for (Index i = 0; i < options_.filters.count; ++i) {
        float* table = &tables_(0, i, 0);
        activation_.tabulate(parameters.subspan(filter_parameter_count() + i * nodes, nodes), table);
        for (Index k = 0; k < segments; ++k)
            for (Index power = 0; power < 4; ++power)
                tables_(1, i, 4 * k + power) = table[power * segments + k];
    }
    const std::span<const float> maps = parameters.last(weight_parameter_count());
    for (std::size_t i = 0; i < maps.size(); ++i)
        maps_.data()[i] = static_cast<float>(1 / (1 + std::exp(-weight_slope * maps[i])));
}

FieldsOfExperts::Domain FieldsOfExperts::domain() const noexcept {
    Domain d;
    d.span = options_.filters.size - 1;
    d.lead = options_.border == BorderGradient::valid ? 0 : d.span / 2;
    d.pad = options_.border == BorderGradient::cropped ? d.span : d.lead;
    d.output_pad = options_.border == BorderGradient::exact ? d.lead : 0;
    d.tile_columns = most_response_columns - d.span;
    return d;
}

Rectangle FieldsOfExperts::responses(Index rows, Index columns) const noexcept {
    const Domain d = domain();
    const Rectangle image{0, rows, 0, columns};
    if (options_.border != BorderGradient::valid) return grown(image, d.pad - d.lead);
    return common(image, {0, rows - d.span, 0, columns - d.span});
}

foe::Table FieldsOfExperts::table(Index filter) const noexcept {
    return {&tables_(0, filter, 0), &tables_(1, filter, 0), options_.activation.segments,
            range_ * options_.activation.table_lower, activation_.inverse_step() / range_};
}

Index FieldsOfExperts::weight_table_floats(Index columns) const noexcept {
    const Rectangle all = responses(1, columns);
    return options_.weight_nodes > 0 ? (options_.weight_nodes + 1) * (round_up(all.columns()) + 2 * slack)
                                     : 0;
}

Weights FieldsOfExperts::weight_table(const Rectangle& all, float* table) const noexcept {
    const int count = options_.weight_nodes;
    const auto step = [count](Index size) {
        return size > 1 ? static_cast<double>(count - 1) / static_cast<double>(size - 1) : 0.0;
    };
    const Index stride = round_up(all.columns()) + 2 * slack;
    auto* first = reinterpret_cast<int*>(table + count * stride);
    std::fill_n(table, count * stride, 0.0f);
    std::fill_n(first, stride, count - 2);
    for (Index j = 0; j < all.columns(); ++j) {
        const double at = static_cast<double>(j) * step(all.columns());
        first[j] = std::min(static_cast<int>(at), count - 2);
        const double beyond = at - first[j];
        table[first[j] * stride + j] = static_cast<float>(1 - beyond);
        table[(first[j] + 1) * stride + j] = static_cast<float>(beyond);
    }
    return {nullptr, count, table, first, stride, step(all.rows()), 0, 0};
}

Weights FieldsOfExperts::weights_of(Weights table, Index filter, const Rectangle& all,
                                    const Rectangle& area) const noexcept {
    table.nodes = maps_.data() + filter * table.count * table.count;
    table.row = area.row - all.row;
    table.column = area.column - all.column;
    return table;
}

std::size_t FieldsOfExperts::workspace_bytes(Index rows, Index columns,
                                             const Context& context) const noexcept {
    const Domain d = domain();
    auto padded = [&](Index pad) {
        return Workspace::bytes<float>(channels() * (rows + 2 * pad) * (columns + 2 * pad));
    };
    auto planes = [&](Index pad, Index most_rows, Index count) {
        // The largest tiles there can be: nearly equal tiles of a smaller image may be larger than those of
        // this.
        const Index tile_rows = std::min(most_rows, rows + 2 * pad);
        const Index tile_columns = std::min(d.tile_columns, columns + 2 * pad);
        return count * Workspace::bytes<float>(plane_floats(tile_rows, tile_columns, d.span));
    };
    const std::size_t forward =
        padded(d.output_pad) +
        context.threads() * planes(d.output_pad, most_tile_rows, forward_planes(channels()));
    const std::size_t backward =
        padded(d.pad) + planes(d.pad, most_vjp_tile_rows, backward_planes(channels())) +
        Workspace::bytes<float>(histogram_floats * options_.activation.segments) +
        Workspace::bytes<double>(filters_.elements()) + Workspace::bytes<float>(filters_.elements()) +
        Workspace::bytes<double>(options_.filters.count * activation_.table_size()) +
        Workspace::bytes<double>(maps_.elements());
    return std::max(forward, backward) + Workspace::bytes<float>(weight_table_floats(columns));
}

Index FieldsOfExperts::kept_floats(Index rows, Index columns) const noexcept {
    const Domain d = domain();
    // Kept responses are those of one tile, which with valid borders may be as large on both ways.
    const Index most_rows = d.pad == 0 ? most_vjp_tile_rows : most_tile_rows;
    const bool one_tile = rows + 2 * d.output_pad <= most_rows && rows + 2 * d.pad <= most_vjp_tile_rows &&
                          columns + 2 * d.pad <= d.tile_columns;
    const Rectangle all = responses(rows, columns);
    return one_tile ? options_.filters.count * all.rows() * round_up(all.columns()) : 0;
}

float FieldsOfExperts::largest_kept(const float* kept, Index rows, Index columns) const noexcept {
    const Rectangle all = responses(rows, columns);
    const Index stride = round_up(all.columns());
    float largest = 0;
    for (Index row = 0; row < options_.filters.count * all.rows(); ++row)
        for (Index j = 0; j < all.columns(); ++j)
            largest = std::max(largest, std::abs(kept[row * stride + j]));
    return largest;
}

void FieldsOfExperts::gradient(View<const float> x, View<float> gradient, Context& context) const noexcept {
    this->gradient(x, gradient, nullptr, context);
}

void FieldsOfExperts::gradient(View<const float> x, View<float> gradient, float* kept,
                               Context& context) const noexcept {
    const Domain d = domain();
    const KernelTable& kernel = kernels(context.isa());
    const Rectangle output = grown({0, x.rows(), 0, x.columns()}, d.output_pad);
    const Rectangle responses = this->responses(x.rows(), x.columns());
    // Of images of fewer rows than a tile each thread takes a part: no pixel's sum depends on the tiles.
    const Index share =
        std::max(least_tile_rows, (output.rows() + context.threads() - 1) / context.threads());
    const Tiling tiling(output, kept != nullptr ? most_vjp_tile_rows : std::min(most_tile_rows, share),
                        d.tile_columns);
    const Index stride = plane_stride(tiling.tile_columns, d.span);
    const Index floats = plane_floats(tiling.tile_rows, tiling.tile_columns, d.span);
    const int size = options_.filters.size;
    const Index taps = Index{size} * size, channels = this->channels();
    assert(plane_count(x) == channels);
    assert(kept == nullptr || tiling.count == 1);

    Scratch scratch(context.workspace());
    View<float> padded = gradient;
    if (d.output_pad > 0)
        padded = scratch.take<float>(image_shape(channels, output.rows(), output.columns()));
    // Of each thread: the response, then the image and the sum of each channel.
    const Index apart = static_cast<Index>(Workspace::bytes<float>(floats) / sizeof(float));
    const Index thread_floats = forward_planes(channels) * apart;
    float* planes = scratch.take<float>(context.threads() * thread_floats);
    Weights weights{};
    if (options_.weight_nodes > 0)
        weights = weight_table(responses, scratch.take<float>(weight_table_floats(x.columns())));

    parallel_for(context, tiling.count, [&](Index i, int thread) {
        const Rectangle tile = tiling.tile(i);
        const Rectangle reach = reaching(tile, d.span, d.lead);
        const Rectangle area = common(reach, responses);
        float* own = planes + thread * thread_floats;
        const Plane response{own, stride};
        const auto image = [&](Index c) { return Plane{own + (1 + c) * apart, stride}; };
        const auto sum = [&](Index c) { return Plane{own + (1 + channels + c) * apart, stride}; };
        for (Index c = 0; c < channels; ++c)
            load_tile(plane_of(x, c), options_.boundary, grown(tile, d.span), image(c));
        std::fill_n(response.data, floats, 0.0f);
        const Index row = area.row - reach.row, column = area.column - reach.column;
        const Plane phi{response.at(row, column), stride};
        for (Index f = 0; f < options_.filters.count; ++f) {
            const float* filter = filters_.data() + f * channels * taps;
            const Plane z = kept == nullptr ? phi : kept_plane(kept, f, responses);
            for (Index c = 0; c < channels; ++c)
                kernel.correlate({image(c).at(row, column), stride}, filter + c * taps, size, z, area.rows(),
                                 area.columns(), c > 0);
            kernel.activate(z, phi, area.rows(), area.columns(), table(f));
            if (options_.weight_nodes > 0)
                kernel.weigh(phi, area.rows(), area.columns(), weights_of(weights, f, responses, area));
            for (Index c = 0; c < channels; ++c) {
                float flipped[121];
                flip(filter + c * taps, taps, flipped);
                kernel.correlate(response, flipped, size, sum(c), tile.rows(), tile.columns(), f > 0);
            }
        }
        for (Index c = 0; c < channels; ++c)
            store_tile(sum(c), tile, output, options_.scale, plane_of(padded, c));
    });
    for (Index c = 0; c < channels && d.output_pad > 0; ++c)
        fold(plane_of(padded, c), d.output_pad, options_.boundary, plane_of(gradient, c));
}

}  // namespace sonolux

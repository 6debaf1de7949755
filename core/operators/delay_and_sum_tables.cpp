// sonolux/core/operators/delay_and_sum_tables.cpp
#include <sonolux/core/operators/delay_and_sum_tables.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace sonolux {

namespace {

using namespace delay_and_sum_kernel;

constexpr auto invalid = Status::invalid_argument;
constexpr double unit_weight = 32767;  // a weight of 1 in 16 bits
constexpr int position_bits = 30, most_fraction_bits = 23;

/// A range of times, for messages.
struct Times {
    double first = std::numeric_limits<double>::infinity(), last = -first;

    void add(double t) {
        first = std::min(first, t);
        last = std::max(last, t);
    }
    void add(const Times& other) {
        first = std::min(first, other.first);
        last = std::max(last, other.last);
    }
    [[nodiscard]] double largest() const { return std::max(std::abs(first), std::abs(last)); }
};

struct Builder {
    const Acquisition& acquisition;
    const FocusingDelays& delays;
    const DelayAndSumOptions& options;
    Context& context;
    DelayAndSumTables& t;

    [[nodiscard]] double weight(Index e, Index row, Index column) const noexcept {
        const ImageGrid& grid = delays.grid();
        return receive_weight(options, acquisition.array[e],
                              grid.point(static_cast<double>(row), static_cast<double>(column)));
    }

    void shapes() {
        t.sent = acquisition.sent();
        t.elements = acquisition.array.size();
        t.samples = acquisition.samples;
        t.rows = delays.grid().rows;
        t.columns = delays.grid().columns;
        t.tiles_across = (t.columns + lanes - 1) / lanes;
        t.tiles = t.tiles_across * ((t.rows + tile_rows - 1) / tile_rows);
        t.parts = acquisition.demodulated() ? 2 : 1;
        t.compound = options.compound;
        t.interpolation = options.interpolation;
    }

    /// Which elements take part in which tile, and for how long sound is under way.
    Times pieces() {
        std::vector<std::uint8_t> seen(static_cast<std::size_t>(t.tiles * t.elements));
        std::vector<Times> times(static_cast<std::size_t>(t.tiles));
        parallel_for(context, t.tiles, [&](Index number, int) {
            for (Index e = 0; e < t.elements; ++e)
                t.for_each_pixel(number, [&](Index, Index row, Index column) {
                    if (weight(e, row, column) <= 0) return;
                    seen[static_cast<std::size_t>(number * t.elements + e)] = 1;
                    const double time = delays.receive(e, row, column);
                    if (!std::isnan(time)) times[static_cast<std::size_t>(number)].add(time);
                });
        });
        Times all;
        for (Index number = 0; number < t.tiles; ++number) {
            t.first_piece.push_back(static_cast<Index>(t.piece_element.size()));
            all.add(times[static_cast<std::size_t>(number)]);
            for (Index e = 0; e < t.elements; ++e)
                if (seen[static_cast<std::size_t>(number * t.elements + e)] != 0) {
                    t.piece_element.push_back(static_cast<std::int32_t>(e));
                    t.tile_of_piece.push_back(number);
                }
        }
        const auto count = static_cast<Index>(t.piece_element.size());
        t.first_piece.push_back(count);
        // Pieces by element: counted, then filled in.
        t.first_of_element.assign(static_cast<std::size_t>(t.elements) + 1, 0);
        for (const std::int32_t e : t.piece_element) ++t.first_of_element[static_cast<std::size_t>(e) + 1];
        std::partial_sum(t.first_of_element.begin(), t.first_of_element.end(), t.first_of_element.begin());
        std::vector<Index> next(t.first_of_element.begin(), t.first_of_element.end() - 1);
        t.pieces_of_element.resize(t.piece_element.size());
        for (Index i = 0; i < count; ++i) {
            const auto e = static_cast<std::size_t>(t.piece_element[static_cast<std::size_t>(i)]);
            t.pieces_of_element[static_cast<std::size_t>(next[e]++)] = i;
        }
        return all;
    }

    /// How long sound is under way to the image, from sample 0 on.
    [[nodiscard]] Times transmit_times() const {
        Times all;
        for (Index k = 0; k < t.sent; ++k)
            for (Index i = 0; i < t.rows; ++i)
                for (Index j = 0; j < t.columns; ++j) {
                    const double time = delays.transmit(k, i, j) - acquisition.focusing_start(k);
                    if (!std::isnan(time)) all.add(time);
                }
        return all;
    }

    void positions(const Times& receive, const Times& transmit) {
        const double largest =
            acquisition.sampling_frequency * std::max(receive.largest(), transmit.largest());
        const double whole = std::max(largest, static_cast<double>(t.samples)) + 2;
        require(whole < 0x1p30, invalid, "delay and sum: times of flight of ", largest, " samples");
        t.bits = std::min(most_fraction_bits, position_bits - static_cast<int>(std::ceil(std::log2(whole))));
    }

    [[nodiscard]] std::int32_t position(double time) const noexcept {
        const auto units = static_cast<double>(1 << t.bits);  // in a sample; the product by it is exact
        return static_cast<std::int32_t>(std::lround(time * acquisition.sampling_frequency * units));
    }

    void traces() {
        const Index before = t.interpolation == SampleInterpolation::cubic ? 1 : 0;
        const Index after = t.interpolation == SampleInterpolation::cubic ? 1 : 0;
        const Index fewest = t.interpolation == SampleInterpolation::nearest  ? 1
                             : t.interpolation == SampleInterpolation::linear ? 2
                                                                              : 4;
        static const float there = 0;
        for (Index k = 0; k < t.sent; ++k)
            for (Index e = 0; e < t.elements; ++e) {
                const auto [first, last] = measured_of(options, acquisition, k, e);
                Trace trace{nullptr, 1, 0, 0};
                if (last - first + 1 >= fewest) {
                    trace.samples = &there;
                    trace.lowest = static_cast<std::uint32_t>(first + before) << t.bits;
                    trace.span = (static_cast<std::uint32_t>(last - after) << t.bits) - trace.lowest;
                    trace.last = static_cast<std::int32_t>(last - after - 1);
                }
                t.traces.push_back(trace);
            }
    }

    /// Transmit positions of a tile, and the weight of each transmission in `scale` for now.
    void fill_transmissions(Index number) noexcept {
        for (Index k = 0; k < t.sent; ++k) {
            std::int32_t* positions = t.transmit.data() + (k * t.tiles + number) * tile;
            float* scale = t.scale.data() + (k * t.tiles + number) * t.parts * tile;
            std::fill_n(positions, tile, no_transmission);
            t.for_each_pixel(number, [&](Index p, Index row, Index column) {
                const double time = delays.transmit(k, row, column) - acquisition.focusing_start(k);
                if (std::isnan(time)) return;
                positions[p] = position(time);
                scale[p] = static_cast<float>(transmit_weight(options, delays, k, row, column));
            });
        }
    }

    /// Sums over the elements of weights and of their squares, as far as they were measured, and of all.
    struct Sums {
        double measured, squares, all;
    };

    void fill_pieces(Index number, Sums* sums) noexcept {
        const double turns = 2 * std::numbers::pi * acquisition.demodulation_frequency;
        for (Index i = t.first_piece[static_cast<std::size_t>(number)];
             i < t.first_piece[static_cast<std::size_t>(number) + 1]; ++i) {
            const Index e = t.piece_element[static_cast<std::size_t>(i)];
            std::int32_t* receive = t.receive.data() + i * tile;
            std::int16_t* weights = t.weights.data() + i * t.parts * tile;
            std::fill_n(receive, tile, no_reception);
            t.for_each_pixel(number, [&](Index p, Index row, Index column) {
                const double w = weight(e, row, column);
                if (w <= 0) return;
                const double time = delays.receive(e, row, column);
                const auto quantised = [](double x) {
                    return static_cast<std::int16_t>(std::lround(unit_weight * (std::isnan(x) ? 0 : x)));
                };
                double effective = w;
                if (t.parts == 1) {
                    weights[p] = quantised(w);
                    effective = weights[p] / unit_weight;
                } else {
                    weights[p] = quantised(w * std::cos(turns * time));
                    weights[tile + p] = quantised(w * std::sin(turns * time));
                }
                if (effective <= 0) return;
                receive[p] = std::isnan(time) ? no_reception : position(time);
                for (Index k = 0; k < t.sent; ++k) {
                    const Trace& trace = t.traces[static_cast<std::size_t>(k * t.elements + e)];
                    const std::int32_t transmit = t.transmit.data()[(k * t.tiles + number) * tile + p];
                    const std::uint32_t at =
                        static_cast<std::uint32_t>(receive[p]) + static_cast<std::uint32_t>(transmit);
                    Sums& sum = sums[k * tile + p];
                    sum.all += effective;
                    if (trace.samples == nullptr || at - trace.lowest > trace.span) continue;
                    sum.measured += effective;
                    sum.squares += effective * effective;
                }
            });
        }
    }

    /// From weights of transmissions and sums over elements to what sums are multiplied by.
    void finish(Index number, const Sums* sums) noexcept {
        t.for_each_pixel(number, [&](Index p, Index row, Index column) {
            Sums together{};
            const auto scale_of = [&](Index k) -> float& {
                return t.scale.data()[(k * t.tiles + number) * t.parts * tile + p];
            };
            for (Index k = 0; k < t.sent; ++k) {
                const double w = double{scale_of(k)};
                const Sums& sum = sums[k * tile + p];
                together.measured += w * sum.measured;
                together.squares += w * w * sum.squares;
                together.all += w * sum.all;
            }
            for (Index k = 0; k < t.sent; ++k) {
                float& scale = scale_of(k);
                const double w = double{scale};
                Sums sum = sums[k * tile + p];
                // The images of single transmissions are not weighted against each other, but masked.
                if (t.compound) sum = together;
                double norm = 1;
                if (options.normalisation == ApertureNormalisation::weights) norm = sum.measured;
                if (options.normalisation == ApertureNormalisation::energy) norm = std::sqrt(sum.squares);
                const bool known = w > 0 && sums[k * tile + p].measured > 0;
                const bool divided = options.normalisation != ApertureNormalisation::none;
                const double factor = known ? (t.compound || !divided ? w : 1) / norm / unit_weight : 0;
                scale = static_cast<float>(factor);
                if (t.parts == 2) {
                    const double time = delays.transmit(k, row, column) - acquisition.focusing_start(k) +
                                        acquisition.start_times[static_cast<std::size_t>(k)];
                    const double turn = 2 * std::numbers::pi * acquisition.demodulation_frequency * time;
                    scale = known ? static_cast<float>(factor * std::cos(turn)) : 0;
                    (&scale)[tile] = known ? static_cast<float>(factor * std::sin(turn)) : 0;
                }
                if (known) t.active[static_cast<std::size_t>(k * t.tiles + number)] = 1;
                if (!t.compound || k == 0)
                    t.coverage.data()[((t.compound ? 0 : k) * t.rows + row) * t.columns + column] =
                        static_cast<float>(w > 0 || t.compound ? (sum.all > 0 ? sum.measured / sum.all : 0)
                                                               : 0);
            }
        });
    }

    void build() {
        shapes();
        const Times receive = pieces(), transmit = transmit_times();
        require(!t.piece_element.empty(), invalid,
                "delay and sum: no element has a pixel of the grid within its f-number: is the grid in front "
                "of the array?");
        require(transmit.first <= transmit.last, invalid, "delay and sum: no transmission reaches the grid");
        positions(receive, transmit);
        traces();
        const auto pieces_count = static_cast<Index>(t.piece_element.size());
        t.receive = Array<std::int32_t>({pieces_count, tile});
        t.weights = Array<std::int16_t>({pieces_count, t.parts, tile});
        t.transmit = Array<std::int32_t>({t.sent, t.tiles, tile});
        t.scale = Array<float>({t.sent, t.tiles, t.parts, tile});
        t.active.assign(static_cast<std::size_t>(t.sent * t.tiles), 0);
        t.coverage =
            t.compound ? Array<float>({t.rows, t.columns}) : Array<float>({t.sent, t.rows, t.columns});
        const Index share = t.sent * tile;
        std::vector<Sums> sums(static_cast<std::size_t>(share * context.threads()));
        std::vector<Index> points(static_cast<std::size_t>(t.tiles));
        parallel_for(context, t.tiles, [&](Index number, int thread) {
            Sums* mine = sums.data() + thread * share;
            std::fill_n(mine, share, Sums{});
            fill_transmissions(number);
            fill_pieces(number, mine);
            finish(number, mine);
            points[static_cast<std::size_t>(number)] = count_points(number);
        });
        for (const Index n : points) t.points += n;
        require(std::find(t.active.begin(), t.active.end(), 1) != t.active.end(), invalid,
                "delay and sum: no pixel of the grid has an echo in the recording: echoes would arrive ",
                1e6 * (receive.first + transmit.first), " to ", 1e6 * (receive.last + transmit.last),
                " us after sample 0, and ",
                1e6 * static_cast<double>(t.samples - 1) / acquisition.sampling_frequency,
                " us were recorded (or channels, sends or frequencies are not what they should be)");
    }

    [[nodiscard]] Index count_points(Index number) const noexcept {
        Index transmissions = 0, pixels = 0;
        for (Index k = 0; k < t.sent; ++k)
            transmissions += t.active[static_cast<std::size_t>(k * t.tiles + number)];
        for (Index i = t.first_piece[static_cast<std::size_t>(number)] * tile;
             i < t.first_piece[static_cast<std::size_t>(number) + 1] * tile; ++i)
            pixels += t.receive.data()[i] != no_reception;
        return transmissions * pixels;
    }
};

}  // namespace

double transmit_weight(const DelayAndSumOptions& options, const FocusingDelays& delays, Index transmission,
                       Index row, Index column) noexcept {
    const double compounding = options.compounding_weights.empty()
                                   ? 1
                                   : options.compounding_weights[static_cast<std::size_t>(transmission)];
    const TransmitField& field = delays.field(transmission);
    const bool beam = field.wavefront() == Wavefront::focused;
    if (!beam && !options.insonified_only && !options.transmit_f_number) return compounding;
    const TransmitField::Ray ray =
        field.ray(delays.grid().point(static_cast<double>(row), static_cast<double>(column)));
    if (beam) return compounding * window_value(options.transmit_window, options.transmit_taper, ray.across);
    if (options.insonified_only && !ray.inside) return 0;
    if (!options.transmit_f_number) return compounding;
    return compounding * window_value(options.transmit_window, options.transmit_taper,
                                      2 * *options.transmit_f_number * ray.steepness);
}

MeasuredRange measured_of(const DelayAndSumOptions& options, const Acquisition& acquisition,
                          Index transmission, Index element) noexcept {
    if (options.measured.empty()) return {0, acquisition.samples - 1};
    return options.measured[static_cast<std::size_t>(transmission * acquisition.array.size() + element)];
}

DelayAndSumTables make_delay_and_sum_tables(const Acquisition& acquisition, const FocusingDelays& delays,
                                            const DelayAndSumOptions& options, Context& context) {
    validate(options, acquisition);
    require(delays.sent() == acquisition.sent() && delays.elements() == acquisition.array.size(),
            Status::size_mismatch, "delay and sum: the delays are of ", delays.sent(), " transmissions and ",
            delays.elements(), " elements, the acquisition has ", acquisition.sent(), " and ",
            acquisition.array.size());
    DelayAndSumTables tables;
    Builder{acquisition, delays, options, context, tables}.build();
    return tables;
}

}  // namespace sonolux

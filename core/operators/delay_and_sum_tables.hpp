// sonolux/core/operators/delay_and_sum_tables.hpp
//
// What DelayAndSum works out once. Private to core/operators.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/core/operators/delay_and_sum_kernel.hpp>

namespace sonolux {

struct DelayAndSumTables {
    static constexpr Index tile = delay_and_sum_kernel::tile;

    Index sent = 0, elements = 0, samples = 0;
    Index rows = 0, columns = 0, tiles_across = 0, tiles = 0;
    Index parts = 1;  ///< numbers in a pixel and in a sample: 2 of demodulated data
    bool compound = true;
    SampleInterpolation interpolation = SampleInterpolation::linear;
    int bits = 0;  ///< of the fraction of positions

    // Tile t is seen by the elements piece_element[first_piece[t]] to [first_piece[t + 1] - 1].
    std::vector<Index> first_piece;
    std::vector<std::int32_t> piece_element;
    std::vector<Index> first_of_element, pieces_of_element, tile_of_piece;

    Array<std::int32_t> receive;   ///< [piece, tile]
    Array<std::int16_t> weights;   ///< [piece, parts, tile]
    Array<std::int32_t> transmit;  ///< [transmission, tile number, tile]

    /// [transmission, tile number, parts, tile]: what a sum is multiplied by, with everything in it that does
    /// not depend on the element; of demodulated data a complex number.
    Array<float> scale;
    std::vector<std::uint8_t> active;  ///< [transmission, tile number]: whether any scale is not 0

    /// [transmission, element]; samples of what was not measured are null, others count from the trace's.
    std::vector<delay_and_sum_kernel::Trace> traces;

    Array<float> coverage;
    Index points = 0;

    [[nodiscard]] Index images() const noexcept { return compound ? 1 : sent; }
    [[nodiscard]] const float* scale_of(Index k, Index t) const noexcept {
        return scale.data() + (k * tiles + t) * parts * tile;
    }
    [[nodiscard]] delay_and_sum_kernel::Piece piece(Index k, Index t, Index number) const noexcept {
        return {receive.data() + number * tile, weights.data() + number * parts * tile,
                transmit.data() + (k * tiles + t) * tile};
    }

    /// visit(pixel in the tile, row, column) for the pixels of the image that are in tile t.
    template <class Visit>
    void for_each_pixel(Index t, Visit&& visit) const noexcept {
        constexpr Index lanes = delay_and_sum_kernel::lanes, tile_rows = delay_and_sum_kernel::tile_rows;
        const Index top = t / tiles_across * tile_rows, left = t % tiles_across * lanes;
        for (Index i = 0; i < std::min(tile_rows, rows - top); ++i)
            for (Index j = 0; j < std::min(lanes, columns - left); ++j)
                visit(i * lanes + j, top + i, left + j);
    }
};

/// Throws as DelayAndSum does.
[[nodiscard]] DelayAndSumTables make_delay_and_sum_tables(const Acquisition& acquisition,
                                                          const FocusingDelays& delays,
                                                          const DelayAndSumOptions& options,
                                                          Context& context);

/// The weight of a transmission in a pixel, its compounding weight in it.
[[nodiscard]] double transmit_weight(const DelayAndSumOptions& options, const FocusingDelays& delays,
                                     Index transmission, Index row, Index column) noexcept;

/// What was measured of a trace, as far as samples exist.
[[nodiscard]] MeasuredRange measured_of(const DelayAndSumOptions& options, const Acquisition& acquisition,
                                        Index transmission, Index element) noexcept;

}  // namespace sonolux

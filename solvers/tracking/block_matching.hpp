// sonolux/solvers/tracking/block_matching.hpp
//
// Block matching by normalised cross-correlation: how far the echoes of a block moved along the columns.
//
// With the block of B x C samples around a result, sums over its samples (u, v), and means over the block
// taken out of both images:
//
//     rho(l) = sum r(u, v) m(u + l, v) / sqrt(sum r(u, v)^2  sum m(u + l, v)^2)        |l| <= search
//
// The displacement is where rho is largest, between samples too (PeakInterpolation). The cost of a result
// does not grow with the block: sums run down the columns, and are added up across columns in pairs, pairs of
// pairs and so on.
//
// Sources: B. Friemel, L. Bohs, G. Trahey, IEEE Ultrason. Symp. 1995, 1447; J. Luo and E. Konofagou, IEEE
// Trans. Ultrason. 57, 2010, 1347 (running sums). Defaults are those of M.
// Bernhardt et al., Med. Image Comput. 2020, as their code has them (161 x 9 samples, 5 each way,
// correlations below 0.2 dropped).
#pragma once

#include <sonolux/core/context.hpp>
#include <sonolux/solvers/tracking/track_image.hpp>

namespace sonolux {

/// How the peak is found between samples. With p samples of the image per period of the echoes (of two-way
/// depth, lambda / 2) and a flat spectrum, the bias is at most, in thousandths of a period:
///
///     bandwidth      30 % of f0             60 %                   90 %
///     p              4      6      8        4      6      8        4      6      8
///     parabola      12     3.2    1.3      13     3.6    1.5      15     4.1    1.7
///     cosine         0.46  0.11   0.04      1.8   0.42   0.16      4.2   0.92   0.36
///     polynomial     2.6   0.20   0.03      3.6   0.30   0.05      5.4   0.47   0.08
enum class PeakInterpolation {
    /// Through three lags (S. Foster, P. Embree, W. O'Brien, IEEE Trans. Ultrason. 37, 1990, 164).
    parabola,

    /// A cosine through three lags (I. Cespedes et al., Ultrason. Imaging 17, 1995, 142): exact for one
    /// frequency, and the least biased below six samples a period.
    cosine,

    /// The polynomial of degree six through seven lags, its maximum by Newton's method: interpolation of the
    /// correlation, the least biased from six samples a period on.
    polynomial,
};

[[nodiscard]] const char* to_string(PeakInterpolation peak) noexcept;

struct BlockMatchingOptions {
    Index block_rows = 161, block_columns = 9;
    Index search = 5;  ///< samples each way, at least 1
    Index row_step = 1, column_step = 1;
    PeakInterpolation peak = PeakInterpolation::cosine;
    double minimum_correlation = 0.2;  ///< results below it are not valid; 0 to 1

    friend bool operator==(const BlockMatchingOptions&, const BlockMatchingOptions&) = default;
};

/// Tracks images of one size. Set-up allocates; `run` does not.
///
/// A correlation has peaks a period of the echoes apart: a search of more than half a period may take the
/// wrong one where noise is strong or images are little alike. Medians over neighbours find such jumps.
class BlockMatcher {
public:
    /// Throws Error{invalid_argument} naming the field of the options (see validate(BlockLayout)); a search
    /// must be in [1, 4096].
    BlockMatcher(Index rows, Index columns, const BlockMatchingOptions& options = {});

    [[nodiscard]] const BlockMatchingOptions& options() const noexcept { return options_; }

    /// The margin is the search, and what the interpolation looks at beyond it: 1, or 3 for the polynomial.
    [[nodiscard]] const BlockLayout& layout() const noexcept { return layout_; }
    [[nodiscard]] Shape shape() const noexcept { return layout_.results(rows_, columns_); }
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// Not valid are blocks in which
    ///  - a sample that the search looks at is NaN or infinite;
    ///  - either image has no texture: a variance below 1e-12 of the image's largest absolute value, squared
    ///    (-120 dB);
    ///  - the correlation has no peak within the search, or one below minimum_correlation.
    ///
    /// Images [rows, columns], rows may be further apart; they must not overlap the results. Same bits for
    /// any number of threads and every instruction set. Returns Status::size_mismatch, and writes nothing,
    /// where images or results are of another size; Status::cancelled or deadline_exceeded where the context
    /// says so before the search.
    [[nodiscard]] Status run(View<const float> reference, View<const float> moved, TrackImage tracks,
                             Context& context) const noexcept;

private:
    struct Block;
    void search_strip(Index strip, const Block& shared, std::byte* memory, TrackImage tracks,
                      Isa isa) const noexcept;
    [[nodiscard]] Index places() const noexcept { return rows_ - layout_.block_rows + 1; }
    [[nodiscard]] Index across() const noexcept { return columns_ - layout_.block_columns + 1; }
    [[nodiscard]] Index lags() const noexcept { return 2 * layout_.margin + 1; }
    [[nodiscard]] std::size_t share_bytes() const noexcept;

    Index rows_, columns_;
    BlockMatchingOptions options_;
    BlockLayout layout_;
};

/// Plans, allocates and runs once. Throws as BlockMatcher, and Error{size_mismatch} for images of different
/// sizes.
[[nodiscard]] Tracks match_blocks(View<const float> reference, View<const float> moved,
                                  const BlockMatchingOptions& options, Context& context);

}  // namespace sonolux

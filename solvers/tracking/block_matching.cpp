// sonolux/solvers/tracking/block_matching.cpp
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/solvers/tracking/block_matching.hpp>
#include <sonolux/solvers/tracking/block_matching_kernel.hpp>
#include <sonolux/solvers/tracking/peak_interpolation.hpp>

namespace sonolux {

using namespace block_matching_kernel;

namespace {

constexpr Index most_search = 4096;
constexpr double texture_floor = 1e-12;  // of the largest absolute value, squared
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

Index guard(PeakInterpolation peak) { return peak == PeakInterpolation::polynomial ? 3 : 1; }

/// Rows of places that one task takes: at least as many as the block has, so that summing the first block
/// costs less than sliding it. Depends on sizes alone, and so do the bits.
Index strip_rows(Index block_rows) { return std::max<Index>(64, block_rows); }

/// An image without what is not finite, and what is known of it.
struct Cleaned {
    float* samples;  ///< [rows, columns]; 0 in the place of NaN and infinity
    double* mean;    ///< [places, across] of every block
    double* inverse_norm;
    float largest = 0;
    bool finite = true;
};

void clean(View<const float> image, Cleaned& out, Context& context) noexcept {
    // The largest value and a flag do not depend on the order in which strips report them.
    std::atomic<float> largest{0};
    std::atomic<bool> finite{true};
    const Index columns = image.columns();
    parallel_rows(context, image.rows(), columns, [&](Index begin, Index end, int) {
        float most = 0;
        bool good = true;
        for (Index i = begin; i < end; ++i) {
            const float* in = image.row(i);
            float* row = out.samples + i * columns;
            for (Index j = 0; j < columns; ++j) {
                const bool usable = std::isfinite(in[j]);
                row[j] = usable ? in[j] : 0.0f;
                most = std::max(most, std::abs(row[j]));
                good = good && usable;
            }
        }
        if (!good) finite.store(false, std::memory_order_relaxed);
        float seen = largest.load(std::memory_order_relaxed);
        while (most > seen && !largest.compare_exchange_weak(seen, most, std::memory_order_relaxed)) {
        }
    });
    out.largest = largest.load();
    out.finite = finite.load();
}

/// Mean and inverse norm of every block.
void measure(Cleaned& image, const BlockLayout& layout, Index places, Index columns, double* memory,
             const Kernel& kernel, Context& context) noexcept {
    const Index across = columns - layout.block_columns + 1, strip = strip_rows(layout.block_rows);
    const double samples = static_cast<double>(layout.block_rows * layout.block_columns);
    const double largest = image.largest, floor = texture_floor * samples * largest * largest;
    parallel_for(context, (places + strip - 1) / strip, [&](Index item, int thread) {
        double* sums = memory + thread * 5 * columns;
        double* squares = sums + columns;
        double* values = squares + columns;
        double *window = values + columns, *square_window = window + columns;
        const Index begin = item * strip, end = std::min(places, begin + strip);
        std::fill_n(sums, 2 * columns, 0.0);
        for (Index i = begin; i < begin + layout.block_rows; ++i) {
            const float* row = image.samples + i * columns;
            for (Index j = 0; j < columns; ++j) sums[j] += static_cast<double>(row[j]);
            kernel.accumulate(squares, row, row, columns);
        }
        for (Index i = begin; i < end; ++i) {
            if (i > begin) {
                const float* in = image.samples + (i + layout.block_rows - 1) * columns;
                const float* out = image.samples + (i - 1) * columns;
                for (Index j = 0; j < columns; ++j)
                    sums[j] = (sums[j] + static_cast<double>(in[j])) - static_cast<double>(out[j]);
                kernel.slide(squares, in, in, out, out, columns);
            }
            std::copy_n(sums, columns, values);
            kernel.sum_windows(values, window, columns, layout.block_columns);
            std::copy_n(squares, columns, values);
            kernel.sum_windows(values, square_window, columns, layout.block_columns);
            double* mean = image.mean + i * across;
            double* inverse_norm = image.inverse_norm + i * across;
            for (Index j = 0; j < across; ++j) {
                mean[j] = window[j] / samples;
                const double norm = square_window[j] - window[j] * mean[j];
                inverse_norm[j] = norm > floor ? 1 / std::sqrt(norm) : 0.0;
            }
        }
    });
}

/// Inverse norm 0 wherever a block holds a sample that is not finite. On the calling thread: rare.
void drop_unmeasured(View<const float> view, Cleaned& image, const BlockLayout& layout,
                     Index places) noexcept {
    const Index columns = view.columns(), across = columns - layout.block_columns + 1;
    // Up each column, `next` is the row of the nearest such sample from there on.
    for (Index j = 0; j < columns; ++j) {
        Index next = view.rows() + layout.block_rows;
        for (Index i = view.rows() - 1; i >= 0; --i) {
            if (!std::isfinite(view(i, j))) next = i;
            if (i >= places || next >= i + layout.block_rows) continue;
            const Index first = std::max<Index>(0, j - layout.block_columns + 1),
                        last = std::min(j, across - 1);
            for (Index k = first; k <= last; ++k) image.inverse_norm[i * across + k] = 0;
        }
    }
}

}  // namespace

const char* to_string(PeakInterpolation peak) noexcept {
    switch (peak) {
        case PeakInterpolation::parabola: return "parabola";
        case PeakInterpolation::cosine: return "cosine";
        case PeakInterpolation::polynomial: return "polynomial";
    }
    return "unknown";
}

/// What all strips read.
struct BlockMatcher::Block {
    const Cleaned& reference;
    const Cleaned& moved;
};

BlockMatcher::BlockMatcher(Index rows, Index columns, const BlockMatchingOptions& options)
    : rows_(rows), columns_(columns), options_(options) {
    const auto invalid = Status::invalid_argument;
    require(options.search >= 1 && options.search <= most_search, invalid,
            "block matching: search must be between 1 and ", most_search, " samples, got ", options.search);
    require(options.minimum_correlation >= 0 && options.minimum_correlation <= 1, invalid,
            "block matching: minimum_correlation must be between 0 and 1, got ", options.minimum_correlation);
    layout_ = {options.block_rows, options.block_columns, options.row_step, options.column_step,
               options.search + guard(options.peak)};
    validate(layout_, rows, columns, "block matching");
}

std::size_t BlockMatcher::share_bytes() const noexcept {
    return Workspace::bytes<double>((lags() + 2) * columns_) +
           Workspace::bytes<float>((lags() + 1) * across()) + Workspace::bytes<int>(across());
}

std::size_t BlockMatcher::workspace_bytes(const Context& context) const noexcept {
    const auto threads = static_cast<std::size_t>(context.threads());
    return 2 * (Workspace::bytes<float>(rows_ * columns_) +
                2 * Workspace::bytes<double>(places() * across())) +
           std::max(Workspace::bytes<double>(static_cast<Index>(threads) * 5 * columns_),
                    threads * share_bytes());
}

Status BlockMatcher::run(View<const float> reference, View<const float> moved, TrackImage tracks,
                         Context& context) const noexcept {
    const Shape image{rows_, columns_};
    if (reference.shape() != image || moved.shape() != image) return Status::size_mismatch;
    for (const View<float>& result : {tracks.displacement, tracks.correlation, tracks.valid})
        if (result.shape() != shape() || !result.contiguous()) return Status::size_mismatch;

    Scratch scratch(context.workspace());
    const Kernel& kernel = kernel_for(context.isa());
    Cleaned images[2];
    for (Cleaned& one : images)
        one = {scratch.take<float>(rows_ * columns_), scratch.take<double>(places() * across()),
               scratch.take<double>(places() * across())};
    {
        Scratch rows(context.workspace());
        double* memory = rows.take<double>(context.threads() * 5 * columns_);
        for (int n : {0, 1}) {
            const View<const float> view = n == 0 ? reference : moved;
            clean(view, images[n], context);
            measure(images[n], layout_, places(), columns_, memory, kernel, context);
            if (!images[n].finite) drop_unmeasured(view, images[n], layout_, places());
        }
    }
    if (const Status status = context.poll(); status != Status::ok) return status;

    const auto share = static_cast<Index>(share_bytes());
    std::byte* shares = scratch.take<std::byte>(share * context.threads());
    const Index searched = (shape()[0] - 1) * layout_.row_step + 1, strip = strip_rows(layout_.block_rows);
    const Block block{images[0], images[1]};
    parallel_for(context, (searched + strip - 1) / strip, [&](Index item, int thread) {
        search_strip(item, block, shares + thread * share, tracks, context.isa());
    });
    return Status::ok;
}

void BlockMatcher::search_strip(Index strip, const Block& shared, std::byte* memory, TrackImage tracks,
                                Isa isa) const noexcept {
    const Kernel& kernel = kernel_for(isa);
    const Index height = layout_.block_rows, width = across(), reach = layout_.margin;
    const Index searched = (shape()[0] - 1) * layout_.row_step + 1;
    auto* sums = reinterpret_cast<double*>(memory);  // [lags, columns]
    double *values = sums + lags() * columns_, *window = values + columns_;
    memory += Workspace::bytes<double>((lags() + 2) * columns_);
    auto* rho = reinterpret_cast<float*>(memory);  // [lags, across]
    float* highest = rho + lags() * width;
    memory += Workspace::bytes<float>((lags() + 1) * width);
    auto* place = reinterpret_cast<int*>(memory);

    const auto row_of = [&](const Cleaned& image, Index i) { return image.samples + i * columns_; };
    const auto moments = [&](const Cleaned& image, Index i) {
        return Moments{image.mean + i * width, image.inverse_norm + i * width};
    };
    const double samples = static_cast<double>(height * layout_.block_columns);
    const Index begin = strip * strip_rows(height), end = std::min(searched, begin + strip_rows(height));

    std::fill_n(sums, lags() * columns_, 0.0);
    for (Index i = begin; i < begin + height; ++i)
        for (Index l = 0; l < lags(); ++l)
            kernel.accumulate(sums + l * columns_, row_of(shared.reference, i + reach),
                              row_of(shared.moved, i + l), columns_);
    for (Index i = begin; i < end; ++i) {
        if (i > begin)
            for (Index l = 0; l < lags(); ++l)
                kernel.slide(sums + l * columns_, row_of(shared.reference, i + height - 1 + reach),
                             row_of(shared.moved, i + height - 1 + l),
                             row_of(shared.reference, i - 1 + reach), row_of(shared.moved, i - 1 + l),
                             columns_);
        if (i % layout_.row_step != 0) continue;
        const Moments here = moments(shared.reference, i + reach);
        for (Index l = 0; l < lags(); ++l) {
            std::copy_n(sums + l * columns_, columns_, values);
            kernel.sum_windows(values, window, columns_, layout_.block_columns);
            kernel.normalise(window, samples, here, moments(shared.moved, i + l), rho + l * width, width);
        }
        const Index first = guard(options_.peak);
        kernel.largest(rho + first * width, width, 2 * options_.search + 1, highest, place, width);

        const Index r = i / layout_.row_step;
        for (Index c = 0; c < shape()[1]; ++c) {
            const Index j = c * layout_.column_step, l = first + place[j];
            const auto lag = [&](Index k) { return static_cast<double>(rho[k * width + j]); };
            bool usable = here.inverse_norm[j] > 0;
            for (Index k = 0; k < lags() && usable; ++k)
                usable = moments(shared.moved, i + k).inverse_norm[j] > 0;
            // Where rho still rises beyond the search, its peak is not in it.
            const bool peaks = usable && lag(l) >= lag(l - 1) && lag(l) >= lag(l + 1);
            CorrelationPeak peak{0, lag(l)};
            if (peaks) switch (options_.peak) {
                    case PeakInterpolation::parabola:
                        peak = parabola_peak(lag(l - 1), lag(l), lag(l + 1));
                        break;
                    case PeakInterpolation::cosine: peak = cosine_peak(lag(l - 1), lag(l), lag(l + 1)); break;
                    case PeakInterpolation::polynomial:
                        peak = polynomial_peak(
                            {lag(l - 3), lag(l - 2), lag(l - 1), lag(l), lag(l + 1), lag(l + 2), lag(l + 3)});
                        break;
                }
            const bool valid = peaks && peak.value >= options_.minimum_correlation;
            tracks.displacement(r, c) =
                valid ? static_cast<float>(static_cast<double>(l - reach) + peak.lag) : nan;
            tracks.correlation(r, c) = usable ? static_cast<float>(std::min(peak.value, 1.0)) : nan;
            tracks.valid(r, c) = valid ? 1.0f : 0.0f;
        }
    }
}

Tracks match_blocks(View<const float> reference, View<const float> moved, const BlockMatchingOptions& options,
                    Context& context) {
    require_pair(reference, moved, "block matching");
    const BlockMatcher matcher(reference.rows(), reference.columns(), options);
    Tracks tracks(matcher.shape());
    context.workspace().reserve(matcher.workspace_bytes(context));
    const Status status = matcher.run(reference, moved, tracks, context);
    require(status == Status::ok, status, "block matching: ", to_string(status));
    return tracks;
}

}  // namespace sonolux

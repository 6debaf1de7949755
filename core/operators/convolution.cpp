// sonolux/core/operators/convolution.cpp
#include <cstring>

#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/core/operators/require_image.hpp>
#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/core/target.hpp>

namespace sonolux {

namespace {

const Shape& checked(const Shape& image, View<const float> kernel) {
    require_image("convolution", image);
    require(kernel.rank() == 2 && !kernel.empty(), Status::invalid_argument,
            "convolution: the kernel must have rows and columns, at least 1 x 1, got ",
            to_string(kernel.shape()));
    return image;
}

/// The centre of the kernel as it is correlated.
KernelCentre correlated_centre(View<const float> kernel, KernelOrientation orientation,
                               std::optional<KernelCentre> centre) {
    const KernelCentre c = centre.value_or(KernelCentre{kernel.rows() / 2, kernel.columns() / 2});
    require(c.row >= 0 && c.row < kernel.rows() && c.column >= 0 && c.column < kernel.columns(),
            Status::invalid_argument, "convolution: the centre must lie in the kernel of ",
            to_string(kernel.shape()), ", got row ", c.row, ", column ", c.column);
    if (orientation == KernelOrientation::correlation) return c;
    return {kernel.rows() - 1 - c.row, kernel.columns() - 1 - c.column};
}

// ---- The kernel of both directions: out[j] (+)= sum over lines r and taps v of taps[r][v] lines[r][j + v]
// ----

/// One row of taps and the line of samples it slides along.
struct Line {
    const float* samples;
    const float* taps;
};

using Correlate = void (*)(const Line* lines, Index count, Index taps, float* out, Index length,
                           bool accumulate) noexcept;

typedef float Float4 __attribute__((vector_size(16)));
typedef float Float8 __attribute__((vector_size(32)));
typedef float Float16 __attribute__((vector_size(64)));

/// `blocks` vectors of outputs stay in registers while all taps pass over them.
template <class Vector, int blocks>
SLX_INLINE void correlate_any(const Line* lines, Index count, Index taps, float* out, Index length,
                              bool accumulate) noexcept {
    constexpr Index lanes = sizeof(Vector) / sizeof(float);
    Index j = 0;
    for (; j + blocks * lanes <= length; j += blocks * lanes) {
        Vector sum[blocks];
        for (int b = 0; b < blocks; ++b) {
            sum[b] = Vector{};
            if (accumulate) std::memcpy(&sum[b], out + j + b * lanes, sizeof(Vector));
        }
        for (Index r = 0; r < count; ++r)
            for (Index v = 0; v < taps; ++v) {
                const float tap = lines[r].taps[v];
                const float* samples = lines[r].samples + j + v;
                for (int b = 0; b < blocks; ++b) {
                    Vector x;
                    std::memcpy(&x, samples + b * lanes, sizeof(Vector));
                    sum[b] += x * tap;
                }
            }
        for (int b = 0; b < blocks; ++b) std::memcpy(out + j + b * lanes, &sum[b], sizeof(Vector));
    }
    for (; j < length; ++j) {
        float sum = accumulate ? out[j] : 0.0f;
        for (Index r = 0; r < count; ++r)
            for (Index v = 0; v < taps; ++v) sum += lines[r].samples[j + v] * lines[r].taps[v];
        out[j] = sum;
    }
}

void correlate_baseline(const Line* lines, Index count, Index taps, float* out, Index length,
                        bool accumulate) noexcept {
    correlate_any<Float4, 8>(lines, count, taps, out, length, accumulate);
}

#ifdef SLX_TARGET_AVX2
SLX_TARGET_AVX2 void correlate_avx2(const Line* lines, Index count, Index taps, float* out, Index length,
                                    bool accumulate) noexcept {
    correlate_any<Float8, 8>(lines, count, taps, out, length, accumulate);
}

SLX_TARGET_AVX512 void correlate_avx512(const Line* lines, Index count, Index taps, float* out, Index length,
                                        bool accumulate) noexcept {
    correlate_any<Float16, 8>(lines, count, taps, out, length, accumulate);
}
#endif

Correlate correlate_for(Isa isa) noexcept {
#ifdef SLX_TARGET_AVX2
    if (isa == Isa::avx512) return correlate_avx512;
    if (isa == Isa::avx2) return correlate_avx2;
#endif
    (void)isa;
    return correlate_baseline;
}

/// What one thread needs to filter a line: pieces near the border are copied out, continued, before they are
/// filtered; the rest is read where it is.
struct LineScratch {
    Line* lines;    // kernel rows
    Line* moved;    // kernel rows
    float* copies;  // kernel rows x piece
    float* padded;  // one padded row

    static Index piece(Index kernel_columns) { return 2 * kernel_columns; }

    static std::size_t bytes(Index kernel_rows, Index kernel_columns, Index padded) {
        return 2 * Workspace::bytes<Line>(kernel_rows) +
               Workspace::bytes<float>(kernel_rows * piece(kernel_columns)) + Workspace::bytes<float>(padded);
    }

    LineScratch(std::byte* memory, Index kernel_rows, Index kernel_columns)
        : lines(reinterpret_cast<Line*>(memory)),
          moved(reinterpret_cast<Line*>(memory += Workspace::bytes<Line>(kernel_rows))),
          copies(reinterpret_cast<float*>(memory += Workspace::bytes<Line>(kernel_rows))),
          padded(reinterpret_cast<float*>(memory +
                                          Workspace::bytes<float>(kernel_rows * piece(kernel_columns)))) {}
};

/// out[j] (+)= sum of taps[r][v] x~_r[j + v] for j in [0, length), where the lines x_r, of `columns` samples,
/// start at position `before` of x~ and `unfold(x_r, begin, end, copy)` gives x~_r[begin, end).
template <class Unfold>
void correlate_continued(const LineScratch& scratch, Index count, Index taps, Index before, Index columns,
                         float* out, Index length, bool accumulate, Correlate correlate,
                         const Unfold& unfold) noexcept {
    // In [left, right) all taps fall on samples.
    const Index left = std::min(before, length);
    const Index right = std::max(left, before + columns - taps + 1);
    auto near_an_end = [&](Index begin, Index end) {
        while (begin < end) {
            const Index some = std::min(end - begin, taps);  // some + taps - 1 samples fit into a piece
            for (Index r = 0; r < count; ++r) {
                float* copy = scratch.copies + r * LineScratch::piece(taps);
                unfold(scratch.lines[r].samples, begin, begin + some + taps - 1, copy);
                scratch.moved[r] = {copy, scratch.lines[r].taps};
            }
            correlate(scratch.moved, count, taps, out + begin, some, accumulate);
            begin += some;
        }
    };
    near_an_end(0, left);
    if (left < right) {
        for (Index r = 0; r < count; ++r)
            scratch.moved[r] = {scratch.lines[r].samples + (left - before), scratch.lines[r].taps};
        correlate(scratch.moved, count, taps, out + left, right - left, accumulate);
    }
    near_an_end(right, length);
}

}  // namespace

Convolution::Convolution(const Shape& image, View<const float> kernel, BoundaryRule rule,
                         KernelOrientation orientation, std::optional<KernelCentre> centre)
    : shape_(checked(image, kernel)),
      kernel_rows_(kernel.rows()),
      kernel_columns_(kernel.columns()),
      rows_(rule, image.last(1), correlated_centre(kernel, orientation, centre).row,
            kernel_rows_ - 1 - correlated_centre(kernel, orientation, centre).row),
      columns_(rule, image.last(0), correlated_centre(kernel, orientation, centre).column,
               kernel_columns_ - 1 - correlated_centre(kernel, orientation, centre).column) {
    const bool flip = orientation == KernelOrientation::convolution;
    for (Index u = 0; u < kernel_rows_; ++u)
        for (Index v = 0; v < kernel_columns_; ++v)
            taps_.push_back(flip ? kernel(kernel_rows_ - 1 - u, kernel_columns_ - 1 - v) : kernel(u, v));
    for (Index u = 0; u < kernel_rows_; ++u)
        for (Index v = kernel_columns_ - 1; v >= 0; --v)
            reversed_.push_back(taps_[static_cast<std::size_t>(u * kernel_columns_ + v)]);
}

std::size_t Convolution::workspace_bytes(const Context& context) const noexcept {
    return static_cast<std::size_t>(context.threads()) *
           LineScratch::bytes(kernel_rows_, kernel_columns_, columns_.padded());
}

// ---- The definition ----

void Convolution::apply_reference(View<const float> x, View<float> y) const noexcept {
    const Index planes = shape_.elements() / (rows_.size() * columns_.size());
    for (Index plane = 0; plane < planes; ++plane) {
        const float* input = x.data() + plane * rows_.size() * columns_.size();
        float* output = y.data() + plane * rows_.size() * columns_.size();
        for (Index i = 0; i < rows_.size(); ++i)
            for (Index j = 0; j < columns_.size(); ++j) {
                float sum = 0;
                for (Index u = 0; u < kernel_rows_; ++u)
                    for (Index v = 0; v < kernel_columns_; ++v) {
                        const Index row = rows_.source(i + u), column = columns_.source(j + v);
                        if (row < 0 || column < 0) continue;
                        sum += input[row * columns_.size() + column] *
                               taps_[static_cast<std::size_t>(u * kernel_columns_ + v)];
                    }
                output[i * columns_.size() + j] = sum;
            }
    }
}

void Convolution::adjoint_reference(View<const float> y, View<float> x) const noexcept {
    const Index planes = shape_.elements() / (rows_.size() * columns_.size());
    std::fill_n(x.data(), shape_.elements(), 0.0f);
    for (Index plane = 0; plane < planes; ++plane) {
        const float* input = y.data() + plane * rows_.size() * columns_.size();
        float* output = x.data() + plane * rows_.size() * columns_.size();
        for (Index i = 0; i < rows_.size(); ++i)
            for (Index j = 0; j < columns_.size(); ++j)
                for (Index u = 0; u < kernel_rows_; ++u)
                    for (Index v = 0; v < kernel_columns_; ++v) {
                        const Index row = rows_.source(i + u), column = columns_.source(j + v);
                        if (row < 0 || column < 0) continue;
                        output[row * columns_.size() + column] +=
                            taps_[static_cast<std::size_t>(u * kernel_columns_ + v)] *
                            input[i * columns_.size() + j];
                    }
    }
}

// ---- The fast path ----

void Convolution::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    const Index planes = shape_.elements() / (rows_.size() * columns_.size());
    const Index columns = columns_.size();
    const Correlate correlate = correlate_for(context.isa());
    const std::size_t share = LineScratch::bytes(kernel_rows_, kernel_columns_, columns_.padded());
    Scratch memory(context.workspace());
    std::byte* shares = memory.take<std::byte>(static_cast<Index>(share) * context.threads());
    parallel_rows(context, planes * rows_.size(), columns, [&](Index begin, Index end, int thread) {
        const LineScratch scratch(shares + static_cast<std::size_t>(thread) * share, kernel_rows_,
                                  kernel_columns_);
        for (Index line = begin; line < end; ++line) {
            const float* plane = x.data() + line / rows_.size() * rows_.size() * columns;
            Index count = 0;
            for (Index u = 0; u < kernel_rows_; ++u) {
                const Index row = rows_.source(line % rows_.size() + u);
                if (row >= 0) scratch.lines[count++] = {plane + row * columns, &taps_[u * kernel_columns_]};
            }
            correlate_continued(scratch, count, kernel_columns_, columns_.before(), columns,
                                y.data() + line * columns, columns, false, correlate,
                                [&](const float* samples, Index first, Index last, float* copy) {
                                    columns_.unfold(samples, first, last, copy);
                                });
        }
    });
}

void Convolution::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    // With z[p, q] = sum of taps[u, v] y[p - u, q - v], y zero outside: x = z folded. Rows of z that show the
    // same row of x are added up before they are folded.
    const Index planes = shape_.elements() / (rows_.size() * columns_.size());
    const Index columns = columns_.size();
    const Correlate correlate = correlate_for(context.isa());
    const std::size_t share = LineScratch::bytes(kernel_rows_, kernel_columns_, columns_.padded());
    Scratch memory(context.workspace());
    std::byte* shares = memory.take<std::byte>(static_cast<Index>(share) * context.threads());
    const Index margin = kernel_columns_ - 1;
    auto unfold_with_zeros = [&](const float* samples, Index first, Index last, float* copy) {
        for (Index q = first; q < last; ++q) {
            const Index j = q - margin;
            *copy++ = j >= 0 && j < columns ? samples[j] : 0.0f;
        }
    };
    parallel_rows(context, planes * rows_.size(), columns, [&](Index begin, Index end, int thread) {
        const LineScratch scratch(shares + static_cast<std::size_t>(thread) * share, kernel_rows_,
                                  kernel_columns_);
        for (Index line = begin; line < end; ++line) {
            const float* plane = y.data() + line / rows_.size() * rows_.size() * columns;
            bool accumulate = false;
            for (Index position : rows_.positions(line % rows_.size())) {
                Index count = 0;
                for (Index u = 0; u < kernel_rows_; ++u) {
                    const Index row = position - u;
                    if (row < 0 || row >= rows_.size()) continue;
                    scratch.lines[count++] = {plane + row * columns, &reversed_[u * kernel_columns_]};
                }
                correlate_continued(scratch, count, kernel_columns_, margin, columns, scratch.padded,
                                    columns_.padded(), accumulate, correlate, unfold_with_zeros);
                accumulate = true;
            }
            columns_.fold(scratch.padded, x.data() + line * columns);
        }
    });
}

}  // namespace sonolux

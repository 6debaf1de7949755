// sonolux/core/operators/convolution.cpp
#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/core/operators/convolution_kernel.hpp>
#include <sonolux/core/operators/require_image.hpp>
#include <sonolux/core/parallel_rows.hpp>

namespace sonolux {

using namespace convolution_kernel;

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

Correlate correlate_for(Isa isa) noexcept {
    switch (isa) {
#if defined(__x86_64__)
        case Isa::avx512: return avx512::correlate;
        case Isa::avx2: return avx2::correlate;
#elif defined(__aarch64__)
        case Isa::neon: return neon::correlate;
#endif
        default: return baseline::correlate;
    }
}

/// The rows that one thread has under its kernel, continued past their ends. A window of as many rows as the
/// kernel slides down the image, so each row is continued once.
class Window {
public:
    /// Rows an odd number of cache lines apart, so that those of an image of 512 columns do not share cache
    /// sets.
    static Index stride(Index width) {
        const Index cache_lines = Workspace::bytes<float>(width) / Workspace::alignment;
        return (cache_lines | 1) * static_cast<Index>(Workspace::alignment / sizeof(float));
    }

    static std::size_t bytes(Index kernel_rows, Index width, Index padded) {
        return Workspace::bytes<float>(kernel_rows * stride(width)) + Workspace::bytes<float>(padded) +
               Workspace::bytes<Line>(kernel_rows) + Workspace::bytes<Index>(kernel_rows);
    }

    /// In `memory`, `bytes` long. `width` is the most that a continued row has.
    Window(std::byte* memory, Index kernel_rows, Index width, Index padded)
        : kernel_rows_(kernel_rows), stride_(stride(width)), rows_(reinterpret_cast<float*>(memory)) {
        memory += Workspace::bytes<float>(kernel_rows * stride_);
        padded_ = reinterpret_cast<float*>(memory);
        memory += Workspace::bytes<float>(padded);
        lines_ = reinterpret_cast<Line*>(memory);
        memory += Workspace::bytes<Line>(kernel_rows);
        held_ = reinterpret_cast<Index*>(memory);
        std::fill_n(held_, kernel_rows, Index{-1});
    }

    /// A row by its number, at least 0; `fill(float*)` writes it if it is not held. Any kernel_rows
    /// consecutive rows are held at the same time.
    template <class Fill>
    const float* row(Index number, const Fill& fill) noexcept {
        const Index slot = number % kernel_rows_;
        float* samples = rows_ + slot * stride_;
        if (held_[slot] != number) {
            fill(samples);
            held_[slot] = number;
        }
        return samples;
    }

    [[nodiscard]] Line* lines() const noexcept { return lines_; }     // room for kernel_rows
    [[nodiscard]] float* padded() const noexcept { return padded_; }  // room for one padded row

private:
    Index kernel_rows_, stride_;
    float* rows_;
    float* padded_;
    Line* lines_;
    Index* held_;
};

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

Index Convolution::window_width() const noexcept { return columns_.size() + 2 * (kernel_columns_ - 1); }

std::size_t Convolution::workspace_bytes(const Context& context) const noexcept {
    return static_cast<std::size_t>(context.threads()) *
           Window::bytes(kernel_rows_, window_width(), columns_.padded());
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

/// body(window, line) for each row of all planes, with a window for each thread.
template <class Body>
void Convolution::for_each_row(Context& context, const Body& body) const noexcept {
    const std::size_t share = Window::bytes(kernel_rows_, window_width(), columns_.padded());
    Scratch scratch(context.workspace());
    std::byte* shares = scratch.take<std::byte>(static_cast<Index>(share) * context.threads());
    const Index lines = shape_.elements() / columns_.size();
    parallel_rows(context, lines, columns_.size(), [&](Index begin, Index end, int thread) {
        Window window(shares + static_cast<std::size_t>(thread) * share, kernel_rows_, window_width(),
                      columns_.padded());
        for (Index line = begin; line < end; ++line) body(window, line);
    });
}

void Convolution::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    const Index rows = rows_.size(), columns = columns_.size();
    const Correlate correlate = correlate_for(context.isa());
    for_each_row(context, [&](Window& window, Index line) {
        const Index plane = line / rows, i = line % rows;
        Index count = 0;
        for (Index u = 0; u < kernel_rows_; ++u) {
            const Index source = rows_.source(i + u);
            if (source < 0) continue;
            const float* samples = window.row(plane * rows_.padded() + i + u, [&](float* continued) {
                columns_.unfold(x.data() + (plane * rows + source) * columns, continued);
            });
            window.lines()[count++] = {samples, &taps_[static_cast<std::size_t>(u * kernel_columns_)]};
        }
        correlate(window.lines(), count, kernel_columns_, y.data() + line * columns, columns, false);
    });
}

void Convolution::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    // With z[p, q] = sum over u, v of taps[u, v] y[p - u, q - v], and y zero outside: x is z folded. Rows of
    // z that show the same row of x are added up before they are folded.
    const Index rows = rows_.size(), columns = columns_.size(), margin = kernel_columns_ - 1;
    const Correlate correlate = correlate_for(context.isa());
    for_each_row(context, [&](Window& window, Index line) {
        const Index plane = line / rows;
        bool accumulate = false;
        for (Index position : rows_.positions(line % rows)) {
            Index count = 0;
            for (Index u = 0; u < kernel_rows_; ++u) {
                const Index row = position - u;
                if (row < 0 || row >= rows) continue;
                const float* samples = window.row(plane * rows + row, [&](float* continued) {
                    std::fill_n(continued, margin, 0.0f);
                    std::copy_n(y.data() + (plane * rows + row) * columns, columns, continued + margin);
                    std::fill_n(continued + margin + columns, margin, 0.0f);
                });
                window.lines()[count++] = {samples,
                                           &reversed_[static_cast<std::size_t>(u * kernel_columns_)]};
            }
            correlate(window.lines(), count, kernel_columns_, window.padded(), columns_.padded(), accumulate);
            accumulate = true;
        }
        columns_.fold(window.padded(), x.data() + line * columns);
    });
}

}  // namespace sonolux

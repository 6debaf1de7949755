// sonolux/simulation/acoustics/kspace_transform.hpp
//
// Fourier transforms of two- and three-dimensional real fields, cut open where a wave simulation has
// something to do with a line while it is in the cache.
//
// A field is [rows, columns] or [planes, rows, columns]; x is along the columns, y along the rows, z along
// the planes. Its half spectrum has the columns l in [0, columns / 2] of the transform along x, padded to
// whole cache lines. A step of a simulation goes through memory only in two ways:
//
//     over rows     two at a time, from half spectra to real rows, whatever is to be done to them, and back
//     over lines    of the last axis (y, or z): transformed, multiplied, and transformed back
//
// and never transforms a field for its own sake. Nothing here is normalised: forward and back multiplies by
// scale(), which belongs into the factors of the middle.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/core/line_fft.hpp>

namespace sonolux {

/// The sizes of a field; planes = 1 is two-dimensional.
struct KspaceSize {
    Index planes = 1, rows = 0, columns = 0;

    [[nodiscard]] bool volume() const noexcept { return planes > 1; }
    [[nodiscard]] int axes() const noexcept { return volume() ? 3 : 2; }
    [[nodiscard]] Index points() const noexcept { return planes * rows * columns; }
    [[nodiscard]] Index along(int axis) const noexcept {  ///< axis 0 is x
        return axis == 0 ? columns : axis == 1 ? rows : planes;
    }
};

class KspaceTransform {
public:
    using Complex = std::complex<float>;

    /// Throws Error{invalid_argument} for sizes that are not in [1, 2^20], Error{out_of_memory}.
    KspaceTransform(const KspaceSize& size, int threads, FftBackend backend = default_fft_backend(),
                    FftPlanning planning = FftPlanning::estimate);

    [[nodiscard]] const KspaceSize& size() const noexcept { return size_; }
    [[nodiscard]] Index half() const noexcept { return size_.columns / 2 + 1; }
    [[nodiscard]] Index row_stride() const noexcept { return stride_; }  ///< of half spectra, in numbers
    [[nodiscard]] Array<Complex> make_spectrum() const {
        return Array<Complex>({size_.planes * size_.rows, stride_});
    }

    /// Lines of the last axis: how many, how long, and what is the place of each.
    [[nodiscard]] Index last_length() const noexcept { return size_.volume() ? size_.planes : size_.rows; }
    [[nodiscard]] Index last_groups() const noexcept { return size_.volume() ? size_.rows : 1; }

    /// What forward and inverse multiply by: 2 times the number of points. (The 2 is left by the packing of
    /// two real rows into one complex one.)
    [[nodiscard]] double scale() const noexcept { return 2.0 * static_cast<double>(size_.points()); }

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// --- for the bodies below, on the thread they are given ---

    /// The half spectra of two real rows. `b` null: of one.
    void rows_forward(int thread, const float* a, const float* b, Complex* a_half, Complex* b_half) noexcept;
    void rows_inverse(int thread, const Complex* a_half, const Complex* b_half, float* a, float* b) noexcept;

    /// body(first row, end row, thread), rows counted through all planes, first even within its plane. In a
    /// volume the half spectra `before` come back from y before the rows of a plane, and those `after` go to
    /// y behind them.
    template <class Body>
    void over_rows(Context& context, std::span<Complex* const> before, std::span<Complex* const> after,
                   Body&& body) noexcept {
        if (!size_.volume()) {
            constexpr Index strip = 16;
            parallel_for(context, (size_.rows + strip - 1) / strip, [&](Index item, int thread) {
                body(item * strip, std::min(size_.rows, (item + 1) * strip), thread);
            });
            return;
        }
        parallel_for(context, size_.planes, [&](Index plane, int thread) {
            for (Complex* spectrum : before) plane_along_y(spectrum, plane, thread, true);
            body(plane * size_.rows, (plane + 1) * size_.rows, thread);
            for (Complex* spectrum : after) plane_along_y(spectrum, plane, thread, false);
        });
    }

    /// For each line of the last axis: transforms it in every spectrum of `in`, calls
    /// body(group, column, lines in, lines out, scratch for one float line), group being the row in a volume
    /// and 0 otherwise, and transforms the lines out back into `out`, which may be `in`.
    template <class Body>
    void over_lines(Context& context, std::span<Complex* const> in, std::span<Complex* const> out,
                    Body&& body) noexcept {
        const Index length = last_length(), blocks = (half() + at_once - 1) / at_once;
        const Index step = size_.volume() ? size_.rows * stride_ : stride_;
        parallel_for(context, last_groups() * blocks, [&](Index item, int thread) {
            const Index group = item / blocks, first = item % blocks * at_once;
            const Index some = std::min(at_once, half() - first);
            const Index start = group * stride_ + first;
            Lane& lane = lanes_[static_cast<std::size_t>(thread)];
            Complex *wide_in[most_spectra], *wide_out[most_spectra], *line_in[most_spectra],
                *line_out[most_spectra];
            for (std::size_t s = 0; s < in.size(); ++s) {
                wide_in[s] = lane.wide.data() + static_cast<Index>(s) * at_once * line_stride_;
                gather(in[s] + start, step, length, some, wide_in[s]);
            }
            for (std::size_t s = 0; s < out.size(); ++s) {
                wide_out[s] =
                    lane.wide.data() + static_cast<Index>(most_spectra + s) * at_once * line_stride_;
                line_out[s] = lane.middle.data() + static_cast<Index>(most_spectra + s) * line_stride_;
            }
            for (Index l = 0; l < some; ++l) {
                for (std::size_t s = 0; s < in.size(); ++s) {
                    line_in[s] = lane.middle.data() + static_cast<Index>(s) * line_stride_;
                    lane.last->forward(wide_in[s] + l * line_stride_, line_in[s]);
                }
                body(group, first + l, line_in, line_out, lane.factors.data());
                for (std::size_t s = 0; s < out.size(); ++s)
                    lane.last->inverse(line_out[s], wide_out[s] + l * line_stride_);
            }
            for (std::size_t s = 0; s < out.size(); ++s)
                scatter(wide_out[s], step, length, some, out[s] + start);
        });
    }

private:
    static constexpr Index at_once = 8;             // one cache line of complex numbers
    static constexpr std::size_t most_spectra = 3;  // one for each axis

    /// What one thread works with.
    struct Lane {
        std::unique_ptr<ComplexLineFft> x, y, last;
        Array<Complex> row;     // [2, padded columns]
        Array<Complex> wide;    // [2 * most_spectra, at_once, padded line]
        Array<Complex> middle;  // [2 * most_spectra, padded line]
        Array<float> factors;   // [padded line]
    };

    void gather(const Complex* from, Index step, Index length, Index some, Complex* to) const noexcept;
    void scatter(const Complex* from, Index step, Index length, Index some, Complex* to) const noexcept;
    void plane_along_y(Complex* spectrum, Index plane, int thread, bool inverse) noexcept;

    KspaceSize size_;
    Index stride_, row_line_, line_stride_;
    std::vector<Lane> lanes_;
};

}  // namespace sonolux

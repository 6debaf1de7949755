// sonolux/simulation/acoustics/kspace_transform.hpp
//
// Fourier transforms of two- and three-dimensional real fields, cut open where a wave simulation has
// something to do with a part of them while it is in the cache.
//
// A field is [rows, columns] or [planes, rows, columns]; x is along the columns, y along the rows, z along
// the planes. Its half spectrum has the columns l in [0, columns / 2] of the transform along x, in blocks of
// sixteen (kspace_kernels.hpp). A step of a simulation goes through memory only in two ways:
//
//     over rows     a strip of 32 at a time, from half spectra to real rows, whatever is to be done to them,
//                   and back
//     over lines    sixteen of the last axis (y, or z) at a time: transformed, multiplied, transformed back
//
// and never transforms a field for its own sake. Nothing here is normalised: forward and back multiplies by
// scale(), which belongs into the factors of the middle.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include <sonolux/core/context.hpp>
#include <sonolux/simulation/acoustics/kspace_kernels.hpp>

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
    /// Throws Error{invalid_argument} for sizes that are not in [1, 2^20], Error{out_of_memory}. The backend
    /// serves lengths that LaneFft finds awkward.
    KspaceTransform(const KspaceSize& size, const Context& context,
                    FftBackend backend = default_fft_backend(), FftPlanning planning = FftPlanning::estimate);

    [[nodiscard]] const KspaceSize& size() const noexcept { return size_; }
    [[nodiscard]] const KspaceKernels& kernels() const noexcept { return *kernels_; }
    [[nodiscard]] Index half() const noexcept { return size_.columns / 2 + 1; }
    [[nodiscard]] Index blocks() const noexcept { return (half() + fft_lanes - 1) / fft_lanes; }

    /// Floats from one row of a half spectrum to the next.
    [[nodiscard]] Index row_floats() const noexcept { return row_floats_; }
    [[nodiscard]] Array<float> make_spectrum() const {
        return Array<float>({size_.planes * size_.rows, row_floats_});
    }

    /// Lines of the last axis: how many, how long, and what is the place of each.
    [[nodiscard]] Index last_length() const noexcept { return size_.volume() ? size_.planes : size_.rows; }
    [[nodiscard]] Index last_groups() const noexcept { return size_.volume() ? size_.rows : 1; }

    /// What forward and inverse multiply by: 2 times the number of points. (The 2 is left by the packing of
    /// two real rows into one complex line.)
    [[nodiscard]] double scale() const noexcept { return 2.0 * static_cast<double>(size_.points()); }

    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// --- for the bodies below, on the thread they are given ---

    /// The half spectra of the rows of a strip, `row` being the first, and back.
    void rows_forward(int thread, const float* rows, Index stride, Index count, float* spectrum,
                      Index row) noexcept;
    void rows_inverse(int thread, const float* spectrum, Index row, float* rows, Index stride,
                      Index count) noexcept;

    /// body(first row, end row, thread) for strips of at most strip_rows rows within a plane, rows counted
    /// through all planes. In a volume the half spectra `before` come back from y before the rows of a plane,
    /// and those `after` go to y behind them.
    template <class Body>
    void over_rows(Context& context, std::span<float* const> before, std::span<float* const> after,
                   Body&& body) noexcept {
        const Index strips = (size_.rows + strip_rows - 1) / strip_rows;
        const auto strip_of = [&](Index plane, Index item, int thread) {
            body(plane * size_.rows + item * strip_rows,
                 plane * size_.rows + std::min(size_.rows, (item + 1) * strip_rows), thread);
        };
        if (!size_.volume()) {
            parallel_for(context, strips, [&](Index item, int thread) { strip_of(0, item, thread); });
            return;
        }
        parallel_for(context, size_.planes, [&](Index plane, int thread) {
            for (float* spectrum : before) plane_along_y(spectrum, plane, thread, true);
            for (Index item = 0; item < strips; ++item) strip_of(plane, item, thread);
            for (float* spectrum : after) plane_along_y(spectrum, plane, thread, false);
        });
    }

    /// For sixteen lines of the last axis at a time: transforms them in every spectrum of `in`, calls
    /// body(group, block, lines), group being the row in a volume and 0 otherwise, and transforms the first
    /// lines back into the spectra `out`. lines[s] are those of in[s]; lines beyond are free for results.
    template <class Body>
    void over_lines(Context& context, std::span<float* const> in, std::span<float* const> out,
                    Body&& body) noexcept {
        const Index step = size_.volume() ? size_.rows * row_floats_ : row_floats_;
        parallel_for(context, last_groups() * blocks(), [&](Index item, int thread) {
            const Index group = item / blocks(), block = item % blocks();
            const Index start = group * row_floats_ + block * lane_floats;
            Lane& lane = lanes_[static_cast<std::size_t>(thread)];
            float* lines[most_spectra];
            for (std::size_t s = 0; s < most_spectra; ++s)
                lines[s] = lane.lines.data() + static_cast<Index>(s) * last_length() * lane_floats;
            for (std::size_t s = 0; s < in.size(); ++s)
                lane.last->forward(in[s] + start, step, lines[s], lane_floats, lane.scratch.data());
            body(group, block, static_cast<float* const*>(lines));
            for (std::size_t s = 0; s < out.size(); ++s)
                lane.last->inverse(lines[s], lane_floats, out[s] + start, step, lane.scratch.data());
        });
    }

private:
    static constexpr std::size_t most_spectra = 3;  // one for each axis

    /// What one thread works with.
    struct Lane {
        std::unique_ptr<LaneFft> x, y, last;
        Array<float> lines;    // [most_spectra, last length, lane_floats]
        Array<float> rows;     // [columns, lane_floats]
        Array<float> scratch;  // of the longest axis
    };

    void plane_along_y(float* spectrum, Index plane, int thread, bool inverse) noexcept;

    KspaceSize size_;
    const KspaceKernels* kernels_;
    Index row_floats_;
    std::vector<Lane> lanes_;
};

}  // namespace sonolux

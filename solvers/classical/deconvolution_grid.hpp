// sonolux/solvers/classical/deconvolution_grid.hpp
//
// The grid on which a blur is undone: larger than the photograph, because a blur brings in light from beyond
// its border, and periodic, because a periodic blur is diagonal in the Fourier basis.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <sonolux/core/operators/circular_convolution.hpp>

namespace sonolux {

/// What is assumed about the scene beyond the border:
///
///     circular   it repeats. The grid is the image.
///     taper      nothing: the image is continued, and its outer parts are blurred until they fit together
///                across the border (three times x <- a x + (1 - a) k * x, a = 1 - the autocorrelation of the
///                kernel's marginals, as U. Schmidt and S. Roth do, CVPR 2014).
///     valid      it is unknown, like the rest of the scene: the data are observed in the image only, and the
///                scene is sought on all pixels that reach into it.
enum class DeconvolutionBorder { circular, taper, valid };

[[nodiscard]] constexpr const char* to_string(DeconvolutionBorder border) noexcept {
    switch (border) {
        case DeconvolutionBorder::circular: return "circular";
        case DeconvolutionBorder::taper: return "taper";
        case DeconvolutionBorder::valid: return "valid";
    }
    return "unknown";
}

/// Throws Error{invalid_argument} for any other word.
[[nodiscard]] DeconvolutionBorder deconvolution_border_from_string(std::string_view word);

/// A blurred photograph, apart from its pixels.
struct BlurProblem {
    Index rows = 0, columns = 0;
    View<const float> kernel;  ///< [rows, columns], at least 0, of sum 1 to within 1e-3 (normalised exactly)
    std::optional<KernelCentre> centre = std::nullopt;  ///< the middle tap
    double sigma = 0;  ///< standard deviation of the noise in units of 1/255; above 0, at most 255
    DeconvolutionBorder border = DeconvolutionBorder::valid;
    FftBackend fft = default_fft_backend();
};

/// Sizes are rounded up to products of 2, 3 and 5 for the Fourier transform, except with a circular border.
class DeconvolutionGrid {
public:
    using Complex = CircularConvolution::Complex;

    /// Throws Error{invalid_argument} naming the field of the problem.
    explicit DeconvolutionGrid(const BlurProblem& problem);

    [[nodiscard]] Index image_rows() const noexcept { return image_rows_; }
    [[nodiscard]] Index image_columns() const noexcept { return image_columns_; }
    [[nodiscard]] Index rows() const noexcept { return blur_.rows(); }
    [[nodiscard]] Index columns() const noexcept { return blur_.columns(); }
    [[nodiscard]] Shape shape() const noexcept { return {rows(), columns()}; }
    [[nodiscard]] Index pixels() const noexcept { return rows() * columns(); }
    [[nodiscard]] DeconvolutionBorder border() const noexcept { return border_; }
    [[nodiscard]] double sigma() const noexcept { return sigma_; }  ///< for images in [0, 1]

    /// K.
    [[nodiscard]] const CircularConvolution& blur() const noexcept { return blur_; }

    /// |K|^2, and |D|^2 of the periodic differences below.
    [[nodiscard]] double blur_power(Index k, Index l) const noexcept {
        return std::norm(std::complex<double>(blur_.spectrum()(k, l)));
    }
    [[nodiscard]] double difference_power(Index k, Index l) const noexcept {
        return row_power_[static_cast<std::size_t>(k)] + column_power_[static_cast<std::size_t>(l)];
    }

    /// Whether some pixels of the grid have no data: M is not 1 everywhere.
    [[nodiscard]] bool masked() const noexcept { return border_ == DeconvolutionBorder::valid; }
    [[nodiscard]] double observed_pixels() const noexcept;

    /// The columns [begin, end) of row i that have data.
    struct Interval {
        Index begin = 0, end = 0;
        [[nodiscard]] bool has(Index j) const noexcept { return j >= begin && j < end; }
    };
    [[nodiscard]] Interval observed(Index i) const noexcept {
        if (!masked()) return {0, columns()};
        if (i < top_ || i >= top_ + image_rows_) return {};
        return {left_, left_ + image_columns_};
    }

    /// Differences to the right and below,
    ///
    ///     (D x)[0, i, j] = x[i, j + 1] - x[i, j]        (D x)[1, i, j] = x[i + 1, j] - x[i, j]
    ///
    /// wrap around. The border valid counts only those within the scene that reaches into the image: for them
    /// these intervals say which columns of row i count.
    [[nodiscard]] Interval counted_right(Index i) const noexcept {
        if (!masked()) return {0, columns()};
        return {0, i < scene_rows_ ? scene_columns_ - 1 : 0};
    }
    [[nodiscard]] Interval counted_down(Index i) const noexcept {
        if (!masked()) return {0, columns()};
        return {0, i + 1 < scene_rows_ ? scene_columns_ : 0};
    }
    [[nodiscard]] Index below(Index i) const noexcept { return i + 1 < rows() ? i + 1 : 0; }
    [[nodiscard]] Index above(Index i) const noexcept { return i > 0 ? i - 1 : rows() - 1; }

    /// Continues `image` over the grid: tapered if the border says so.
    void enter(View<const float> image, View<float> x, Context& context) const noexcept;
    [[nodiscard]] std::size_t enter_workspace_bytes(const Context& context) const noexcept;

    /// The image's part of the grid.
    void leave(View<const float> x, View<float> image) const noexcept;

private:
    Index image_rows_, image_columns_;
    double sigma_;
    DeconvolutionBorder border_;
    Index top_ = 0, left_ = 0;
    Index scene_rows_ = 0, scene_columns_ = 0;
    CircularConvolution blur_;
    std::vector<double> row_power_, column_power_;
    std::vector<float> row_taper_, column_taper_;  // 1 - autocorrelation
};

}  // namespace sonolux

// sonolux/solvers/padded_blur.hpp
//
// A blur on an image with a border around that was not observed: what Fourier-domain steps know of a
// measurement.
//
// Fourier steps are periodic, photographs are not. So the image is reconstructed on a larger, periodic
// domain, and four ways are known to deal with the border that this adds:
//
//     circular    none is added: the image is periodic (simulations)
//     replicate   before each step the border repeats the nearest pixel that was observed; so does that of
//     the
//                 measurement (Schmidt and Roth 2014, for denoising)
//     taper       the same, and then edges are tapered: x <- a x + (1 - a) A x, three times, where a falls
//                 from 1 to 0 over the reach of the kernel at the ends of the domain; so for the measurement
//                 (Schmidt and Roth 2014, for deblurring; MATLAB's edgetaper)
//     valid       the border is an unknown like any other: the misfit is counted only where something was
//                 observed. A step whose normal equations are periodic gets there by taking y on the border
//                 to be what the present x says, y~ = M y + (1 - M) A x, M the mask of what was observed; the
//                 fixed points are those of the masked misfit |M (A x - y)|^2 (a majorisation; boundary
//                 adjustment of Kruse, Rother and Schmidt 2017). For the first step y and x_0 have a tapered
//                 border around what was observed, which no step sees changed.
#pragma once

#include <string_view>
#include <vector>

#include <sonolux/core/operators/circular_convolution.hpp>

namespace sonolux {

enum class BorderTreatment { circular, replicate, taper, valid };

[[nodiscard]] const char* to_string(BorderTreatment treatment) noexcept;

/// Throws Error{invalid_argument} for any other word.
[[nodiscard]] BorderTreatment border_treatment_from_string(std::string_view word);

/// How the size of the domain is chosen.
enum class DomainSize {
    exact,  ///< the image and its border
    fast,   ///< more at the bottom and right, up to the next size that transforms fast
};

/// Observed images are [rows, columns]; the domain is what they lie in, with `border_rows` above and
/// `border_columns` to the left, and at least as much below and to the right.
///
/// Owns the transform of the domain, so it serves one caller at a time, const or not. Nothing but the
/// constructor allocates. All images are contiguous.
class PaddedBlur {
public:
    /// Begins with the identity as blur. Throws Error{invalid_argument} naming the field if a size is below 1
    /// or a border below 0, or if a circular image is given one.
    PaddedBlur(Index rows, Index columns, Index border_rows, Index border_columns, BorderTreatment treatment,
               DomainSize size = DomainSize::fast, FftBackend backend = default_fft_backend());

    /// The kernel of the true convolution, its centre as in CircularConvolution. Throws
    /// Error{invalid_argument} if it is empty, or reaches further than the border (circular images: than the
    /// image).
    void set_kernel(View<const float> kernel);
    void set_identity() noexcept;

    [[nodiscard]] BorderTreatment treatment() const noexcept { return treatment_; }
    [[nodiscard]] Shape observed() const noexcept { return {rows_, columns_}; }
    [[nodiscard]] Shape domain() const noexcept { return blur_.domain(); }
    [[nodiscard]] Index border_rows() const noexcept { return top_; }
    [[nodiscard]] Index border_columns() const noexcept { return left_; }
    [[nodiscard]] const CircularConvolution& blur() const noexcept { return blur_; }

    /// What this object itself holds.
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// Of each of the calls below.
    [[nodiscard]] std::size_t workspace_bytes(const Context& context) const noexcept;

    /// The observed part of an image on the domain.
    template <class T>
    [[nodiscard]] View<T> inside(View<T> image) const noexcept {
        return image.block(top_, left_, rows_, columns_);
    }

    /// What the first step starts from, and what stands for y on the domain: y with its border replicated
    /// and tapered by treatment: over its edges too (taper), or the border alone (valid), so that nothing
    /// counts as measured that was not. `y` may be a block of something larger, inside(image) too.
    void enter(View<const float> y, View<float> image, Context& context) const noexcept;

    /// B: gives an image the border that it has before each step. In place. Does nothing where the border is
    /// a part of the image (circular, valid).
    void renew_border(View<float> image, Context& context) const noexcept;
    void renew_border_adjoint(View<float> image, Context& context) const noexcept;

    [[nodiscard]] bool renews_border() const noexcept {
        return treatment_ == BorderTreatment::replicate || treatment_ == BorderTreatment::taper;
    }

    /// Whether y is the same in all steps.
    [[nodiscard]] bool keeps_data() const noexcept { return treatment_ != BorderTreatment::valid; }

    /// Whether a step (from 0) replaces the border of y by what x says.
    [[nodiscard]] bool completes_data(Index step) const noexcept {
        return treatment_ == BorderTreatment::valid && step > 0;
    }

private:
    void replicate(View<float> image) const noexcept;
    void replicate_adjoint(View<float> image) const noexcept;
    void taper(View<float> image, Context& context) const noexcept;
    void taper_adjoint(View<float> image, Context& context) const noexcept;

    Index rows_, columns_, top_, left_;
    BorderTreatment treatment_;
    CircularConvolution blur_;
    std::vector<float> row_taper_, column_taper_;  // a is their outer product
};

}  // namespace sonolux

// sonolux/core/operators/circular_convolution.cpp
#include <algorithm>

#include <sonolux/core/boundary.hpp>
#include <sonolux/core/operators/circular_convolution.hpp>

namespace sonolux {

CircularConvolution::CircularConvolution(Index rows, Index columns, FftBackend backend)
    : fft_(make_real_fft2(rows, columns, backend)),
      wrapped_(fft_->image_shape()),
      spectrum_(fft_->spectrum_shape()) {
    set_identity();
}

void CircularConvolution::set_identity() noexcept {
    std::fill(spectrum_.begin(), spectrum_.end(), Complex(1, 0));
    identity_ = true;
}

void CircularConvolution::set_kernel(View<const float> kernel, std::optional<KernelCentre> centre) {
    require(kernel.rank() == 2 && kernel.elements() > 0, Status::invalid_argument,
            "a kernel must be [rows, columns], at least 1 x 1, got ", to_string(kernel.shape()));
    const KernelCentre c = centre.value_or(KernelCentre{kernel.rows() / 2, kernel.columns() / 2});
    require(c.row >= 0 && c.row < kernel.rows() && c.column >= 0 && c.column < kernel.columns(),
            Status::invalid_argument, "the centre of a kernel must be one of its ", to_string(kernel.shape()),
            " taps, got [", c.row, ", ", c.column, "]");
    std::fill(wrapped_.begin(), wrapped_.end(), 0.0f);
    for (Index u = 0; u < kernel.rows(); ++u)
        for (Index v = 0; v < kernel.columns(); ++v)
            wrapped_(boundary_index(BoundaryRule::circular, u - c.row, rows()),
                     boundary_index(BoundaryRule::circular, v - c.column, columns())) += kernel(u, v);
    fft_->forward(wrapped_, spectrum_);
    identity_ = false;
}

std::size_t CircularConvolution::memory_bytes() const noexcept {
    return static_cast<std::size_t>(wrapped_.elements()) * sizeof(float) +
           static_cast<std::size_t>(spectrum_.elements()) * sizeof(Complex) + fft_->memory_bytes();
}

std::size_t CircularConvolution::workspace_bytes(const Context&) const noexcept {
    return Workspace::bytes<Complex>(spectrum_.elements());
}

template <class Multiply>
void CircularConvolution::filter(View<const float> in, View<float> out, Context& context,
                                 const Multiply& multiply) const noexcept {
    if (identity_) {
        for (Index i = 0; i < in.rows(); ++i) std::copy_n(in.row(i), in.columns(), out.row(i));
        return;
    }
    Scratch scratch(context.workspace());
    const View<Complex> spectrum = scratch.take<Complex>(spectrum_.shape());
    fft_->forward(in, spectrum);
    for (Index i = 0; i < spectrum.elements(); ++i)
        spectrum.data()[i] = multiply(spectrum_.data()[i], spectrum.data()[i]);
    fft_->inverse(spectrum, out);
}

namespace {

// std::complex multiplication looks for NaN first; blurs need none of that.
using Complex = CircularConvolution::Complex;

Complex product(const Complex& a, const Complex& b) noexcept {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

}  // namespace

void CircularConvolution::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    filter(x, y, context, [](const Complex& k, const Complex& value) { return product(k, value); });
}

void CircularConvolution::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    filter(y, x, context,
           [](const Complex& k, const Complex& value) { return product(std::conj(k), value); });
}

}  // namespace sonolux

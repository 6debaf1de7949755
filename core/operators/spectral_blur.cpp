// sonolux/core/operators/spectral_blur.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/boundary.hpp>
#include <sonolux/core/operators/spectral_blur.hpp>

namespace sonolux {

SpectralBlur::SpectralBlur(Index inputs, Index outputs, Index rows, Index columns, FftBackend backend)
    : inputs_(inputs), outputs_(outputs), rows_(rows), columns_(columns) {
    require(inputs >= 1 && outputs >= 1, Status::invalid_argument, "spectral blur: ", inputs,
            " channels into ", outputs, ": there must be at least 1 of both");
    for (Index channel = 0; channel < std::max(inputs, outputs); ++channel)
        ffts_.push_back(make_real_fft2(rows, columns, backend));
}

void SpectralBlur::set_kernels(View<const float> kernels) {
    std::vector<Array<Complex>> spectra;
    add_patch(kernels, spectra);
    spectra_ = std::move(spectra);
    windows_ = {};
    patches_ = 1;
}

void SpectralBlur::set_kernels(const std::vector<View<const float>>& kernels, View<const float> windows) {
    require(!kernels.empty(), Status::invalid_argument, "spectral blur: there is no patch");
    const Shape expected{static_cast<Index>(kernels.size()), rows_, columns_};
    require(windows.shape() == expected && windows.contiguous(), Status::size_mismatch,
            "spectral blur: windows of ", kernels.size(), " patches must be ", to_string(expected), ", got ",
            to_string(windows.shape()));
    std::vector<Array<Complex>> spectra;
    for (const View<const float>& patch : kernels) add_patch(patch, spectra);
    Array<float> copy(expected);
    std::copy_n(windows.data(), windows.elements(), copy.data());
    spectra_ = std::move(spectra);
    windows_ = std::move(copy);
    patches_ = expected[0];
}

void SpectralBlur::add_patch(View<const float> kernels, std::vector<Array<Complex>>& spectra) {
    const bool by_channel = kernels.rank() == 3;
    require(
        by_channel ? inputs_ == outputs_ && kernels.size(0) == inputs_
                   : kernels.rank() == 4 && kernels.size(0) == outputs_ && kernels.size(1) == inputs_,
        Status::invalid_argument, "spectral blur: kernels of ", inputs_, " channels into ", outputs_,
        " must be [outputs, inputs, rows, columns], or [channels, rows, columns] where both are equal, got ",
        to_string(kernels.shape()));
    require(kernels.rows() >= 1 && kernels.columns() >= 1 && kernels.rows() <= rows_ &&
                kernels.columns() <= columns_,
            Status::invalid_argument, "spectral blur: a kernel of ", kernels.rows(), " x ", kernels.columns(),
            " does not fit an image of ", rows_, " x ", columns_);
    Array<float> wrapped({rows_, columns_});
    for (Index output = 0; output < outputs_; ++output)
        for (Index input = 0; input < inputs_; ++input) {
            Array<Complex>& spectrum = spectra.emplace_back();
            if (by_channel && input != output) continue;
            const View<const float> kernel = by_channel ? kernels[input] : kernels[output][input];
            std::fill(wrapped.begin(), wrapped.end(), 0.0f);
            bool any = false;
            for (Index u = 0; u < kernel.rows(); ++u)
                for (Index v = 0; v < kernel.columns(); ++v) {
                    const float value = kernel(u, v);
                    require(std::isfinite(value), Status::invalid_argument, "spectral blur: tap (", u, ", ",
                            v, ") of the kernel from channel ", input, " to ", output, " is not finite");
                    any = any || value != 0;
                    wrapped(boundary_index(BoundaryRule::circular, u - kernel.rows() / 2, rows_),
                            boundary_index(BoundaryRule::circular, v - kernel.columns() / 2, columns_)) =
                        value;
                }
            if (!any) continue;
            spectrum = Array<Complex>(ffts_[0]->spectrum_shape());
            ffts_[0]->forward(wrapped, spectrum);
        }
}

View<const SpectralBlur::Complex> SpectralBlur::spectrum(Index patch, Index output,
                                                         Index input) const noexcept {
    const auto& spectrum = spectra_[static_cast<std::size_t>((patch * outputs_ + output) * inputs_ + input)];
    return spectrum.elements() > 0 ? spectrum.view() : View<const Complex>();
}

std::size_t SpectralBlur::memory_bytes() const noexcept {
    std::size_t bytes = static_cast<std::size_t>(windows_.elements()) * sizeof(float);
    for (const Array<Complex>& spectrum : spectra_)
        bytes += static_cast<std::size_t>(spectrum.elements()) * sizeof(Complex);
    for (const auto& fft : ffts_) bytes += fft->memory_bytes();
    return bytes;
}

std::size_t SpectralBlur::workspace_bytes(const Context&) const noexcept {
    const Index bins = ffts_[0]->spectrum_shape().elements(), channels = std::max(inputs_, outputs_);
    return Workspace::bytes<Complex>(inputs_ * bins) + Workspace::bytes<Complex>(outputs_ * bins) +
           (windows_.elements() > 0 ? Workspace::bytes<float>(channels * rows_ * columns_) : 0);
}

namespace {

using Complex = SpectralBlur::Complex;

/// sum += k value, or conj(k) value: without std::complex's search for NaN.
void add_product(const Complex* k, const Complex* value, bool conjugate, Complex* sum, Index n) noexcept {
    const float sign = conjugate ? -1.0f : 1.0f;
    for (Index i = 0; i < n; ++i) {
        const float re = k[i].real(), im = sign * k[i].imag();
        sum[i] +=
            Complex(re * value[i].real() - im * value[i].imag(), re * value[i].imag() + im * value[i].real());
    }
}

}  // namespace

void SpectralBlur::apply(View<const float> x, View<float> y, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const Shape bins = ffts_[0]->spectrum_shape();
    const auto from = scratch.take<Complex>({inputs_, bins[0], bins[1]});
    const auto to = scratch.take<Complex>({outputs_, bins[0], bins[1]});
    const bool windowed = windows_.elements() > 0;
    const auto plane = windowed ? scratch.take<float>({inputs_, rows_, columns_}) : View<float>();
    std::fill_n(to.data(), to.elements(), Complex());
    for (Index patch = 0; patch < patches_; ++patch) {
        parallel_for(context, inputs_, [&](Index input, int) {
            View<const float> image = x[input];
            if (windowed) {
                const View<const float> window = windows_.view()[patch];
                for (Index n = 0; n < image.elements(); ++n)
                    plane[input].data()[n] = window.data()[n] * image.data()[n];
                image = plane[input];
            }
            ffts_[static_cast<std::size_t>(input)]->forward(image, from[input]);
        });
        parallel_for(context, outputs_, [&](Index output, int) {
            for (Index input = 0; input < inputs_; ++input)
                if (const View<const Complex> k = spectrum(patch, output, input); !k.empty())
                    add_product(k.data(), from[input].data(), false, to[output].data(), k.elements());
        });
    }
    parallel_for(context, outputs_, [&](Index output, int) {
        ffts_[static_cast<std::size_t>(output)]->inverse(to[output], y[output]);
    });
}

void SpectralBlur::adjoint(View<const float> y, View<float> x, Context& context) const noexcept {
    Scratch scratch(context.workspace());
    const Shape bins = ffts_[0]->spectrum_shape();
    const auto to = scratch.take<Complex>({inputs_, bins[0], bins[1]});
    const auto from = scratch.take<Complex>({outputs_, bins[0], bins[1]});
    const bool windowed = windows_.elements() > 0;
    const auto plane = windowed ? scratch.take<float>({inputs_, rows_, columns_}) : View<float>();
    parallel_for(context, outputs_, [&](Index output, int) {
        ffts_[static_cast<std::size_t>(output)]->forward(y[output], from[output]);
    });
    std::fill_n(x.data(), x.elements(), 0.0f);
    for (Index patch = 0; patch < patches_; ++patch)
        parallel_for(context, inputs_, [&](Index input, int) {
            std::fill_n(to[input].data(), to[input].elements(), Complex());
            for (Index output = 0; output < outputs_; ++output)
                if (const View<const Complex> k = spectrum(patch, output, input); !k.empty())
                    add_product(k.data(), from[output].data(), true, to[input].data(), k.elements());
            RealFft2& fft = *ffts_[static_cast<std::size_t>(input)];
            if (!windowed) {
                fft.inverse(to[input], x[input]);
                return;
            }
            fft.inverse(to[input], plane[input]);
            const View<const float> window = windows_.view()[patch];
            float* image = x[input].data();
            for (Index n = 0; n < window.elements(); ++n)
                image[n] += window.data()[n] * plane[input].data()[n];
        });
}

Array<float> fold_kernels(View<const float> kernels, Index rows, Index columns) {
    require(rows >= 1 && columns >= 1 && kernels.rank() >= 2 && kernels.contiguous(),
            Status::invalid_argument, "kernels ", to_string(kernels.shape()), " cannot be folded into ", rows,
            " x ", columns, " pixels");
    const Index from_rows = kernels.rows(), from_columns = kernels.columns();
    const Index to_rows = std::min(rows, from_rows), to_columns = std::min(columns, from_columns);
    const Index planes = kernels.elements() / std::max<Index>(from_rows * from_columns, 1);
    Shape shape = kernels.rank() == 4   ? Shape{kernels.size(0), kernels.size(1), to_rows, to_columns}
                  : kernels.rank() == 3 ? Shape{kernels.size(0), to_rows, to_columns}
                                        : Shape{to_rows, to_columns};
    Array<float> folded(shape);
    for (Index p = 0; p < planes; ++p)
        for (Index u = 0; u < to_rows; ++u)
            for (Index v = 0; v < to_columns; ++v) {
                // All taps of this place modulo the period, summed in double.
                const auto first = [](Index tap, Index to, Index from, Index period) {
                    const Index place = tap - to / 2 + from / 2;  // the tap in the large kernel
                    return to == from ? place : place % period;
                };
                double sum = 0;
                for (Index i = first(u, to_rows, from_rows, rows); i < from_rows; i += rows)
                    for (Index j = first(v, to_columns, from_columns, columns); j < from_columns;
                         j += columns)
                        sum += double{kernels.data()[(p * from_rows + i) * from_columns + j]};
                folded.data()[(p * to_rows + u) * to_columns + v] = static_cast<float>(sum);
            }
    return folded;
}

Array<float> bilinear_windows(Index grid_rows, Index grid_columns, Index rows, Index columns) {
    require(grid_rows >= 1 && grid_columns >= 1 && grid_rows <= rows && grid_columns <= columns,
            Status::invalid_argument, "windows: a grid of ", grid_rows, " x ", grid_columns,
            " fields does not fit an image of ", rows, " x ", columns);
    // Of field g at position i along one axis.
    const auto hat = [](Index g, Index fields, Index i, Index size) {
        const double place = std::clamp(
            (static_cast<double>(i) + 0.5) * static_cast<double>(fields) / static_cast<double>(size) - 0.5,
            0.0, static_cast<double>(fields - 1));
        return std::max(0.0, 1 - std::abs(place - static_cast<double>(g)));
    };
    Array<float> windows({grid_rows * grid_columns, rows, columns});
    for (Index g = 0; g < grid_rows * grid_columns; ++g)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)
                windows(g, i, j) = static_cast<float>(hat(g / grid_columns, grid_rows, i, rows) *
                                                      hat(g % grid_columns, grid_columns, j, columns));
    return windows;
}

}  // namespace sonolux

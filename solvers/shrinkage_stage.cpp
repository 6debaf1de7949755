// sonolux/solvers/shrinkage_stage.cpp
//
// Spectra are those of real images: with W = F w and real D, every product below is again one. <a, b> of
// images is (1 / N) times the sum over all frequencies of Re(A* B), N the number of pixels.
#include <algorithm>
#include <cmath>

#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/core/reduction.hpp>
#include <sonolux/solvers/filter_power.hpp>
#include <sonolux/solvers/shrinkage_stage.hpp>
#include <sonolux/solvers/sigma_polynomial.hpp>

namespace sonolux {

namespace {

using Complex = std::complex<float>;

constexpr float smallest_denominator = 1e-20f;  // where neither blur nor filters pass a frequency

// std::complex multiplication looks for NaN first; spectra of images need none of that.
Complex product(Complex a, Complex b) noexcept {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

float squared(Complex a) noexcept { return a.real() * a.real() + a.imag() * a.imag(); }

// <a, b> of the images that these are the spectra of.
double spectral_dot(View<const Complex> a, View<const Complex> b, Index columns) noexcept {
    double sum = 0;
    for (Index k = 0; k < a.rows(); ++k) {
        const Complex* p = a.row(k);
        const Complex* q = b.row(k);
        double row = 0;
        for (Index l = 0; l < a.columns(); ++l) {
            const double weight = l == 0 || 2 * l == columns ? 1 : 2;  // the other half is the conjugate
            row += weight * (double{p[l].real()} * q[l].real() + double{p[l].imag()} * q[l].imag());
        }
        sum += row;
    }
    return sum / (static_cast<double>(a.rows()) * static_cast<double>(columns));
}

// body(row) for each row of a spectrum, on the context's threads.
template <class Body>
void over_rows(View<const Complex> spectrum, Context& context, const Body& body) noexcept {
    parallel_for(context, spectrum.rows(), [&](Index row, int) { body(row, spectrum.columns()); });
}

void remove_mean(View<float> image, Context& context) noexcept {
    const auto mean = static_cast<float>(sum(image, context) / static_cast<double>(image.elements()));
    parallel_rows(context, image.rows(), image.columns(), [&](Index begin, Index end, int) {
        for (Index i = begin * image.columns(); i < end * image.columns(); ++i) image.data()[i] -= mean;
    });
}

void copy(View<const float> from, View<float> to) noexcept {
    for (Index i = 0; i < from.rows(); ++i) std::copy_n(from.row(i), from.columns(), to.row(i));
}

}  // namespace

void ShrinkageStage::prior_gradient(View<const float> u, View<float> out, float* kept,
                                    Context& context) const noexcept {
    if (has_experts()) {
        experts_->gradient(u, out, kept, context);
        if (zero_mean_) remove_mean(out, context);
        return;
    }
    const Index pad = margin(), rows = u.rows(), columns = u.columns();
    Scratch scratch(context.workspace());
    const View<float> larger = scratch.take<float>(Shape{rows + 2 * pad, columns + 2 * pad});
    const View<float> result = scratch.take<float>(larger.shape());
    for (Index i = 0; i < larger.rows(); ++i) {
        const float* row = u.row(boundary_index(BoundaryRule::replicate, i - pad, rows));
        for (Index j = 0; j < larger.columns(); ++j)
            larger(i, j) = row[boundary_index(BoundaryRule::replicate, j - pad, columns)];
    }
    network_->gradient(larger, result, context);
    copy(result.block(pad, pad, rows, columns), out);
}

void ShrinkageStage::prior_vjp(View<const float> u, float* kept, View<const float> v, View<float> u_bar,
                               std::span<float> bar, Context& context) const noexcept {
    if (has_experts()) {
        experts_->gradient_vjp(u, kept, v, u_bar, bar, context);
        return;
    }
    const Index pad = margin(), rows = u.rows(), columns = u.columns();
    Scratch scratch(context.workspace());
    const View<float> larger = scratch.take<float>(Shape{rows + 2 * pad, columns + 2 * pad});
    const View<float> upstream = scratch.take<float>(larger.shape());
    const View<float> larger_bar = scratch.take<float>(larger.shape());
    std::fill_n(upstream.data(), upstream.elements(), 0.0f);
    copy(v, upstream.block(pad, pad, rows, columns));
    for (Index i = 0; i < larger.rows(); ++i) {
        const float* row = u.row(boundary_index(BoundaryRule::replicate, i - pad, rows));
        for (Index j = 0; j < larger.columns(); ++j)
            larger(i, j) = row[boundary_index(BoundaryRule::replicate, j - pad, columns)];
    }
    network_->gradient_vjp(larger, upstream, larger_bar, bar, context);
    std::fill_n(u_bar.data(), u_bar.elements(), 0.0f);
    for (Index i = 0; i < larger.rows(); ++i) {
        float* row = u_bar.row(boundary_index(BoundaryRule::replicate, i - pad, rows));
        for (Index j = 0; j < larger.columns(); ++j)
            row[boundary_index(BoundaryRule::replicate, j - pad, columns)] += larger_bar(i, j);
    }
}

void ShrinkageStage::data_spectrum(const Observation& observation, View<const Complex> u_spectrum,
                                   View<Complex> out, View<float> spare, Context& context) const noexcept {
    const PaddedBlur& blur = *observation.blur;
    RealFft2& fft = blur.blur().fft();
    if (!blur.completes_data(observation.step)) {
        const View<const Complex> known = observation.data_spectrum;
        if (known.data() == nullptr)
            fft.forward(observation.data, out);
        else
            std::copy_n(known.data(), known.elements(), out.data());
        return;
    }
    const View<const Complex> kernel = blur.blur().spectrum();
    over_rows(out, context, [&](Index k, Index count) {
        for (Index l = 0; l < count; ++l) out.row(k)[l] = product(kernel.row(k)[l], u_spectrum.row(k)[l]);
    });
    fft.inverse(out, spare);
    copy(blur.inside(observation.data), blur.inside(spare));
    fft.forward(spare, out);
}

// Large images are bounded by memory, so every buffer here serves several times: `image`, which ends up as
// the next state, holds the learned part and the completed data before; `spectrum` those of u and of the
// data.
void ShrinkageStage::forward(View<const float> state, const Observation& observation, View<float> next,
                             Context& context) const noexcept {
    const PaddedBlur& blur = *observation.blur;
    RealFft2& fft = blur.blur().fft();
    const View<const Complex> kernel = blur.blur().spectrum();
    Scratch scratch(context.workspace());
    const View<float> image = next[0];
    const View<float> power = scratch.take<float>(fft.spectrum_shape());
    const View<Complex> spectrum = scratch.take<Complex>(fft.spectrum_shape());
    const View<Complex> numerator = scratch.take<Complex>(fft.spectrum_shape());
    const bool residual = options_.form == ShrinkageForm::residual;

    View<const float> u = state[0];
    if (blur.renews_border()) {
        const View<float> renewed = scratch.take<float>(blur.domain());
        std::copy_n(state.data(), renewed.elements(), renewed.data());
        blur.renew_border(renewed, context);
        u = renewed;
    }
    prior_gradient(u, image, observation.kept, context);
    fft.forward(image, numerator);
    filter_power(filters_, fft.columns(), power, context);
    if (residual || blur.completes_data(observation.step)) fft.forward(u, spectrum);
    if (residual)
        over_rows(numerator, context, [&](Index k, Index count) {
            Complex* n = numerator.row(k);
            const Complex* before = spectrum.row(k);
            const float* filter = power.row(k);
            for (Index l = 0; l < count; ++l) n[l] = filter[l] * before[l] - n[l];
        });
    data_spectrum(observation, spectrum, spectrum, image, context);
    over_rows(numerator, context, [&](Index k, Index count) {
        Complex* n = numerator.row(k);
        const Complex* y = spectrum.row(k);
        const Complex* blurring = kernel.row(k);
        const float* filter = power.row(k);
        for (Index l = 0; l < count; ++l) {
            const float denominator = data_weight_ * squared(blurring[l]) + filter[l];
            n[l] = (n[l] + data_weight_ * product(std::conj(blurring[l]), y[l])) *
                   (1 / std::max(denominator, smallest_denominator));
        }
    });
    fft.inverse(numerator, image);
}

// With S = lambda |K|^2 + D and w = S^-1 x'_bar (S is symmetric):
//
//     n_bar      = w                                     of the numerator n, x' = S^-1 n
//     lambda_bar = <w, K^H (y~ - K x')> = <K w, y~ - K x'>
//     y~_bar     = lambda K w,   and y~ = M y + (1 - M) K u where the border is completed
//     D_bar      = <w, dD q>,    q = -x' (direct) or u - x' (residual): its correlation with w, lag by lag
void ShrinkageStage::backward(View<const float> state, const Observation& observation, View<const float> next,
                              View<const float> next_bar, View<float> state_bar,
                              std::span<float> parameter_bar, View<float> data_bar,
                              Context& context) const noexcept {
    const PaddedBlur& blur = *observation.blur;
    RealFft2& fft = blur.blur().fft();
    const View<const Complex> kernel = blur.blur().spectrum();
    const bool residual = options_.form == ShrinkageForm::residual;
    const bool completes = blur.completes_data(observation.step);
    const float lambda = data_weight_;
    Scratch scratch(context.workspace());
    const View<float> u = scratch.take<float>(blur.domain()), image = scratch.take<float>(blur.domain());
    const View<float> u_bar = scratch.take<float>(blur.domain());
    const View<float> power = scratch.take<float>(fft.spectrum_shape());
    const View<Complex> u_spectrum = scratch.take<Complex>(fft.spectrum_shape());
    const View<Complex> data = scratch.take<Complex>(fft.spectrum_shape());
    const View<Complex> x = scratch.take<Complex>(fft.spectrum_shape());
    const View<Complex> w = scratch.take<Complex>(fft.spectrum_shape());
    const View<Complex> spare = scratch.take<Complex>(fft.spectrum_shape());
    const View<float> filters_bar = scratch.take<float>(filters_.shape());
    const std::span<float> prior_bar(scratch.take<float>(static_cast<Index>(prior_parameters_.size())),
                                     prior_parameters_.size());

    std::copy_n(state.data(), u.elements(), u.data());
    blur.renew_border(u, context);
    filter_power(filters_, fft.columns(), power, context);
    fft.forward(next_bar[0], w);
    fft.forward(next[0], x);
    if (residual || completes) fft.forward(u, u_spectrum);
    data_spectrum(observation, u_spectrum, data, image, context);
    over_rows(w, context, [&](Index k, Index count) {
        for (Index l = 0; l < count; ++l) {
            const float denominator = lambda * squared(kernel.row(k)[l]) + power.row(k)[l];
            w.row(k)[l] *= 1 / std::max(denominator, smallest_denominator);
            data.row(k)[l] -= product(kernel.row(k)[l], x.row(k)[l]);
            spare.row(k)[l] = product(kernel.row(k)[l], w.row(k)[l]);
        }
    });
    const double lambda_bar = spectral_dot(spare, data, fft.columns());

    // The learned part of the numerator.
    fft.inverse(w, image);
    // Free filters could have a mean, so their gradient has one.
    if (zero_mean_ && options_.experts.filters.kind == FilterKind::dct) remove_mean(image, context);
    if (residual)
        for (Index i = 0; i < image.elements(); ++i) image.data()[i] = -image.data()[i];
    std::fill(prior_bar.begin(), prior_bar.end(), 0.0f);
    prior_vjp(u, observation.kept, image, u_bar, prior_bar, context);

    // The data, and the image through the border that it completes.
    if (completes || !data_bar.empty()) {
        fft.inverse(spare, image);
        if (!data_bar.empty()) {
            const View<float> into = completes ? blur.inside(data_bar) : data_bar;
            const View<float> from = completes ? blur.inside(image) : image;
            for (Index i = 0; i < into.rows(); ++i)
                for (Index j = 0; j < into.columns(); ++j) into(i, j) += lambda * from(i, j);
        }
        if (completes) {
            const View<float> inside = blur.inside(image);
            for (Index i = 0; i < inside.rows(); ++i) std::fill_n(inside.row(i), inside.columns(), 0.0f);
            fft.forward(image, spare);
        }
    }
    // What is left of u_bar is collected in one spectrum: lambda K^H (1 - M) K w, and D w of the residual
    // form.
    if (completes || residual) {
        over_rows(spare, context, [&](Index k, Index count) {
            for (Index l = 0; l < count; ++l) {
                Complex sum = 0;
                if (completes) sum = lambda * product(std::conj(kernel.row(k)[l]), spare.row(k)[l]);
                if (residual) sum += power.row(k)[l] * w.row(k)[l];
                spare.row(k)[l] = sum;
            }
        });
        fft.inverse(spare, image);
        for (Index i = 0; i < image.elements(); ++i) u_bar.data()[i] += image.data()[i];
    }

    // The filters of the denominator.
    over_rows(spare, context, [&](Index k, Index count) {
        for (Index l = 0; l < count; ++l) {
            const Complex q = residual ? u_spectrum.row(k)[l] - x.row(k)[l] : -x.row(k)[l];
            spare.row(k)[l] = product(std::conj(w.row(k)[l]), q);
        }
    });
    fft.inverse(spare, image);
    std::fill_n(filters_bar.data(), filters_bar.elements(), 0.0f);
    filter_power_vjp(filters_, image, filters_bar);

    const Index filters = filter_parameters();
    bank_.realise_vjp(coefficients_, filters_bar, parameter_bar.first(static_cast<std::size_t>(filters)));
    float* learned_bar = parameter_bar.data() + filters;
    if (has_experts()) {
        const Index weights = experts_->activation_parameter_count();
        for (Index i = 0; i < filters; ++i) parameter_bar[i] += prior_bar[i];
        add_sigma_polynomial_vjp(prior_bar.data() + filters, options_.sigma_degree, level_, weights,
                                 learned_bar);
        learned_bar += (options_.sigma_degree + 1) * weights;
    } else {
        for (std::size_t i = 0; i < prior_bar.size(); ++i) learned_bar[i] += prior_bar[i];
        learned_bar += prior_bar.size();
    }
    const auto log_weight_bar = static_cast<float>(lambda_bar * lambda);
    add_sigma_polynomial_vjp(&log_weight_bar, options_.sigma_degree, level_, 1, learned_bar);

    if (state_bar.empty()) return;
    blur.renew_border_adjoint(u_bar, context);
    std::copy_n(u_bar.data(), u_bar.elements(), state_bar.data());
}

}  // namespace sonolux

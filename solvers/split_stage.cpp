// sonolux/solvers/split_stage.cpp
#include <algorithm>
#include <cassert>
#include <cmath>
#include <complex>

#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/solvers/split_stage.hpp>

namespace sonolux {

namespace {

using Complex = std::complex<float>;
constexpr Index most = SplitStage::most_channels;

struct Number {
    double re = 0, im = 0;
};

Number number(Complex value) noexcept { return {value.real(), value.imag()}; }
Complex complex(Number value) noexcept {
    return {static_cast<float>(value.re), static_cast<float>(value.im)};
}

// a += b c and a += conj(b) c: without std::complex's search for NaN.
void add(Number& a, Number b, Number c) noexcept {
    a.re += b.re * c.re - b.im * c.im;
    a.im += b.re * c.im + b.im * c.re;
}
void add_conjugate(Number& a, Number b, Number c) noexcept { add(a, {b.re, -b.im}, c); }
void add(Number& a, double b, Number c) noexcept {
    a.re += b * c.re;
    a.im += b * c.im;
}

// Solves m x = b for a Hermitian positive definite m, of which the lower triangle is read and overwritten; x
// replaces b. M = L D L^H; below the diagonal m has L D.
void solve_hermitian(Number (&m)[most][most], Number (&b)[most], Index n) noexcept {
    for (Index j = 0; j < n; ++j) {
        const double pivot = 1 / m[j][j].re;
        for (Index i = j + 1; i < n; ++i) {
            const Number l{m[i][j].re * pivot, m[i][j].im * pivot};
            for (Index k = j + 1; k <= i; ++k) {  // m[i][k] -= l conj(m[k][j])
                m[i][k].re -= l.re * m[k][j].re + l.im * m[k][j].im;
                m[i][k].im -= l.im * m[k][j].re - l.re * m[k][j].im;
            }
            add(b[i], {-l.re, -l.im}, b[j]);
        }
    }
    for (Index j = n - 1; j >= 0; --j) {
        for (Index i = j + 1; i < n; ++i) add_conjugate(b[j], {-m[i][j].re, -m[i][j].im}, b[i]);
        b[j].re /= m[j][j].re;
        b[j].im /= m[j][j].re;
    }
}

double square_sum(const Number (&a)[most], const Number (&b)[most], Index c) noexcept {
    return a[c].re * b[c].re + a[c].im * b[c].im;
}

}  // namespace

// The matrices at one frequency after the other.
struct SplitStage::System {
    const SplitStage& stage;
    Index n;
    Shape bins;
    Index rows, columns;
    View<const Complex> kernels[most][most];
    double weight[most];  // 1 / noise

    Number k[most][most];
    double inverse[most * most];  // S^-1

    System(const SplitStage& owner, const Observation& observation) noexcept
        : stage(owner), n(owner.channels()) {
        const SpectralBlur& blur = *observation.spectral;
        bins = blur.fft(0).spectrum_shape();
        rows = blur.domain()[1];
        columns = blur.domain()[2];
        for (Index o = 0; o < n; ++o) {
            weight[o] = 1 / double{observation.noise.data()[o]};
            for (Index i = 0; i < n; ++i) kernels[o][i] = blur.spectrum(0, o, i);
        }
    }

    void go_to(Index row, Index column) noexcept {
        for (Index o = 0; o < n; ++o)
            for (Index i = 0; i < n; ++i)
                k[o][i] = kernels[o][i].empty() ? Number{} : number(kernels[o][i](row, column));
        const double f = bin_frequency(row, column, rows, columns);
        if (f > 0)
            stage.inverse_.at(f, inverse);
        else
            std::fill_n(inverse, n * n, 0.0);
    }

    // sum_i += (diag(flat) + spectral S^-1) x
    void add_diagonal(Number (&sum)[most], const double (&flat)[most], double spectral,
                      const Number (&x)[most], double sign) const noexcept {
        for (Index i = 0; i < n; ++i) {
            add(sum[i], sign * flat[i], x[i]);
            for (Index j = 0; j < n; ++j) add(sum[i], sign * spectral * inverse[i * n + j], x[j]);
        }
    }

    void solve(Number (&right)[most]) const noexcept {
        Number m[most][most];
        for (Index i = 0; i < n; ++i)
            for (Index j = 0; j <= i; ++j) {
                m[i][j].re = stage.spectrum_weight_ * inverse[i * n + j] + (i == j ? stage.coupling_[i] : 0);
                for (Index o = 0; o < n; ++o)
                    add_conjugate(m[i][j], {weight[o] * k[o][i].re, weight[o] * k[o][i].im}, k[o][j]);
            }
        solve_hermitian(m, right, n);
    }
};

SplitStage::SplitStage(const VariationalNetworkOptions& options)
    : options_(options), prior_(options.prior), inverse_(options.prior.filters.channels) {
    require(!options.momentum, Status::invalid_argument, "step \"split\" has no momentum");
    require(options.sigma_degree == 0 && options.filter_sigma_degree == 0, Status::invalid_argument,
            "step \"split\" needs sigma_degree 0, got ", options.sigma_degree);
    require(channels() <= most_channels, Status::invalid_argument, "step \"split\" needs 1 to ",
            most_channels, " channels, got ", channels());
    require(options.prior.boundary == BoundaryRule::circular, Status::invalid_argument,
            "step \"split\" needs a prior with boundary \"circular\", got \"",
            to_string(options.prior.boundary), "\"");
    require(options.prior.weight_nodes == 0 && options.prior.filters.kind != FilterKind::unit_with_mean,
            Status::invalid_argument,
            "variational networks of images take no weights of place, nor filters with a mean");
}

std::vector<Parameter> SplitStage::parameters() const {
    const FieldsOfExpertsOptions& prior = options_.prior;
    const bool free = prior.filters.kind == FilterKind::free;
    const float size = static_cast<float>(prior.filters.size);
    // As in VariationalStage.
    const float activation_size =
        0.4f * prior.activation.table_upper / 5 / (size * size * std::abs(prior.scale));
    std::vector<Parameter> list{{.name = "filters",
                                 .shape = {Index{prior.filters.count}, prior_.filter_bank().coefficients()},
                                 .constraint = free ? Constraint::zero_mean_unit_ball : Constraint::none,
                                 .typical = free ? 1 / size : 0.3f},
                                {.name = "activation",
                                 .shape = {1, Index{prior.filters.count} * prior.activation.nodes},
                                 .typical = activation_size},
                                {.name = "log_coupling", .shape = {channels()}},
                                {.name = "log_spectrum", .shape = {1}},
                                {.name = "log_push", .shape = {channels()}},
                                {.name = "log_push_spectrum", .shape = {1}},
                                {.name = "spectrum",
                                 .shape = {ChannelSpectrum::bins, channels() * channels()},
                                 .constraint = Constraint::fixed}};
    Index offset = 0;
    for (Parameter& parameter : list) {
        parameter.offset = offset;
        offset += parameter.shape.elements();
    }
    return list;
}

void SplitStage::update(std::span<const float> parameters, float /*sigma*/) {
    prior_.update(parameters.first(static_cast<std::size_t>(prior_parameters())));
    const float* at = parameters.data() + prior_parameters();
    for (Index c = 0; c < channels(); ++c) coupling_[c] = std::exp(double{*at++});
    spectrum_weight_ = std::exp(double{*at++});
    for (Index c = 0; c < channels(); ++c) push_[c] = std::exp(double{*at++});
    push_spectrum_ = std::exp(double{*at++});
    const auto size = static_cast<std::size_t>(ChannelSpectrum::bins * channels() * channels());
    inverse_ = ChannelSpectrum(channels(), {at, size}).inverse();
}

void SplitStage::check(Index rows, Index columns, const Observation& observation) const {
    const SpectralBlur* blur = observation.spectral;
    require(blur != nullptr && blur->patches() == 1, Status::invalid_argument,
            "step \"split\" needs a blur that is the same everywhere, got ",
            blur == nullptr ? "none" : sentence("one of ", blur->patches(), " patches"));
    const Shape expected{channels(), rows, columns};
    require(blur->domain() == expected && blur->range() == expected, Status::size_mismatch,
            "step \"split\" needs a blur from ", to_string(expected), " to the same, got ",
            to_string(blur->domain()), " to ", to_string(blur->range()));
    require(!observation.noise.empty() && observation.noise.elements() == channels(), Status::size_mismatch,
            "step \"split\" needs the variance of the noise of ", channels(), " channels, got ",
            observation.noise.empty() ? 0 : observation.noise.elements());
    for (Index c = 0; c < channels(); ++c)
        require(observation.noise.data()[c] > 0 && std::isfinite(observation.noise.data()[c]),
                Status::invalid_argument, "the variance of the noise of channel ", c,
                " must be above 0, got ", observation.noise.data()[c]);
    require(observation.data.empty() || observation.data.elements() == expected.elements(),
            Status::size_mismatch, "data behind the blur must be ", to_string(expected), ", got ",
            to_string(observation.data.shape()));
}

std::size_t SplitStage::forward_workspace_bytes(Index rows, Index columns, const Observation& /*observation*/,
                                                const Context& context) const noexcept {
    const std::size_t spectra = Workspace::bytes<Complex>(3 * channels() * rows * (columns / 2 + 1));
    return std::max(spectra, prior_.workspace_bytes(rows, columns, context)) +
           3 * Workspace::bytes<float>(channels() * rows * columns);
}

std::size_t SplitStage::workspace_bytes(Index rows, Index columns, const Observation& observation,
                                        const Context& context) const noexcept {
    // On the way back there are twice as many images, and sums of each row.
    return forward_workspace_bytes(rows, columns, observation, context) +
           3 * Workspace::bytes<float>(channels() * rows * columns) +
           Workspace::bytes<double>(rows * (2 * channels() + 2));
}

float* SplitStage::kept_responses(const Observation& observation, View<const float> state) const noexcept {
    // Large images have none.
    if (observation.kept == nullptr || prior_.kept_floats(state.rows(), state.columns()) == 0) return nullptr;
    return observation.kept + channels() * state.rows() * state.columns();
}

void SplitStage::curve(View<const float> state, View<float> p, View<float> v) const noexcept {
    const float s = options_.value_scale, offset = s * s * curve_offset;
    for (Index i = 0; i < p.elements(); ++i) {
        const float light = std::max(state.data()[i], 0.0f);
        p.data()[i] = light;
        v.data()[i] = std::sqrt(s * light + offset);
    }
}

namespace {

// One transform serves one caller: the channels of one image are transformed at a time.
void transform(const SpectralBlur& blur, View<const float> image, View<Complex> spectra,
               Context& context) noexcept {
    const Shape plane{image.rows(), image.columns()};
    parallel_for(context, spectra.size(0), [&](Index c, int) {
        blur.fft(c).forward(View<const float>(image.data() + c * plane.elements(), plane), spectra[c]);
    });
}

void transform_back(const SpectralBlur& blur, View<const Complex> spectra, View<float> image,
                    Context& context) noexcept {
    const Shape plane{image.rows(), image.columns()};
    parallel_for(context, spectra.size(0), [&](Index c, int) {
        // The spectra are scratch that nobody reads again.
        const View<Complex> mine(const_cast<Complex*>(spectra[c].data()), spectra[c].shape());
        blur.fft(c).inverse(mine, View<float>(image.data() + c * plane.elements(), plane));
    });
}

}  // namespace

void SplitStage::forward(View<const float> state, const Observation& observation, View<float> next,
                         Context& context) const noexcept {
    assert(observation.spectral != nullptr && observation.spectral->patches() == 1);
    const Shape shape = image_shape(channels(), state.rows(), state.columns());
    const Index count = shape.elements();
    Scratch scratch(context.workspace());
    const View<float> p = scratch.take<float>(shape), v = scratch.take<float>(shape),
                      q = scratch.take<float>(shape);
    curve(state, p, v);
    prior_.gradient(v, q, kept_responses(observation, state), context);
    if (observation.kept != nullptr) std::copy_n(q.data(), count, observation.kept);
    const float slope = 2 / options_.value_scale;
    for (Index i = 0; i < count; ++i) q.data()[i] *= slope * v.data()[i];

    const Index n = channels();
    const SpectralBlur& blur = *observation.spectral;
    System system(*this, observation);
    const auto all = scratch.take<Complex>({3, n, system.bins[0] * system.bins[1]});
    const auto spectra = [&](Index which) {
        return View<Complex>(all[which].data(), {n, system.bins[0], system.bins[1]});
    };
    const View<Complex> trusted = spectra(0), pushed = spectra(1), data = spectra(2);
    transform(blur, p, trusted, context);
    transform(blur, q, pushed, context);
    transform(blur, View<const float>(observation.data.data(), {n, state.rows(), state.columns()}), data,
              context);
    parallel_rows(context, system.bins[0], 100 * system.bins[1], [&](Index begin, Index end, int) {
        System here = system;
        for (Index row = begin; row < end; ++row)
            for (Index column = 0; column < here.bins[1]; ++column) {
                here.go_to(row, column);
                Number right[most], x[most], r[most];
                for (Index i = 0; i < n; ++i) {
                    x[i] = number(trusted(i, row, column));
                    r[i] = number(pushed(i, row, column));
                }
                here.add_diagonal(right, coupling_, spectrum_weight_, x, 1);
                here.add_diagonal(right, push_, push_spectrum_, r, -1);
                for (Index o = 0; o < n; ++o) {
                    const Number y = number(data(o, row, column));
                    const Number weighted{here.weight[o] * y.re, here.weight[o] * y.im};
                    for (Index i = 0; i < n; ++i) add_conjugate(right[i], here.k[o][i], weighted);
                }
                here.solve(right);
                for (Index i = 0; i < n; ++i) trusted(i, row, column) = complex(right[i]);
            }
    });
    transform_back(blur, trusted, next, context);
}

void SplitStage::backward(View<const float> state, const Observation& observation, View<const float> next,
                          View<const float> next_bar, View<float> state_bar, std::span<float> parameter_bar,
                          View<float> data_bar, Context& context) const noexcept {
    const Shape shape = image_shape(channels(), state.rows(), state.columns());
    const Index count = shape.elements(), n = channels();
    Scratch scratch(context.workspace());
    const View<float> p = scratch.take<float>(shape), v = scratch.take<float>(shape),
                      r = scratch.take<float>(shape), q = scratch.take<float>(shape);
    const float s = options_.value_scale, slope = 2 / s;
    curve(state, p, v);
    if (observation.kept != nullptr)
        std::copy_n(observation.kept, count, r.data());
    else
        prior_.gradient(v, r, context);
    for (Index i = 0; i < count; ++i) {
        q.data()[i] = slope * v.data()[i] * r.data()[i];
        p.data()[i] -= next.data()[i];
    }

    // w = (K^H N^-1 K + D)^-1 next_bar. Then p_bar = D w, q_bar = -P w, data_bar = N^-1 K w, and the
    // derivatives by what D and P are made of are <w, (p - x')> and -<w, q> with that part in between.
    const SpectralBlur& blur = *observation.spectral;
    System system(*this, observation);
    const View<float> p_bar = scratch.take<float>(shape), q_bar = scratch.take<float>(shape);
    {
        Scratch inner(context.workspace());
        const auto all = inner.take<Complex>({3, n, system.bins[0] * system.bins[1]});
        const auto spectra = [&](Index which) {
            return View<Complex>(all[which].data(), {n, system.bins[0], system.bins[1]});
        };
        const View<Complex> upstream = spectra(0), gap = spectra(1), pushed = spectra(2);
        const Index sums = 2 * n + 2;
        const View<double> products = inner.take<double>({system.bins[0], sums});
        transform(blur, next_bar, upstream, context);
        transform(blur, p, gap, context);
        transform(blur, q, pushed, context);
        parallel_rows(context, system.bins[0], 100 * system.bins[1], [&](Index begin, Index end, int) {
            System here = system;
            for (Index row = begin; row < end; ++row) {
                double* sum = &products(row, 0);
                std::fill_n(sum, sums, 0.0);
                for (Index column = 0; column < here.bins[1]; ++column) {
                    here.go_to(row, column);
                    Number w[most], x[most], y[most], of_p[most], of_q[most];
                    for (Index i = 0; i < n; ++i) {
                        w[i] = number(upstream(i, row, column));
                        x[i] = number(gap(i, row, column));
                        y[i] = number(pushed(i, row, column));
                    }
                    here.solve(w);
                    // Columns but two stand for their mirror images too.
                    const double times = column == 0 || 2 * column == here.columns ? 1 : 2;
                    for (Index c = 0; c < n; ++c) {
                        sum[c] += times * square_sum(w, x, c);
                        sum[n + 1 + c] -= times * square_sum(w, y, c);
                        Number sx, sy;
                        for (Index j = 0; j < n; ++j) {
                            add(sx, here.inverse[c * n + j], x[j]);
                            add(sy, here.inverse[c * n + j], y[j]);
                        }
                        sum[n] += times * (w[c].re * sx.re + w[c].im * sx.im);
                        sum[2 * n + 1] -= times * (w[c].re * sy.re + w[c].im * sy.im);
                    }
                    here.add_diagonal(of_p, coupling_, spectrum_weight_, w, 1);
                    here.add_diagonal(of_q, push_, push_spectrum_, w, -1);
                    for (Index i = 0; i < n; ++i) {
                        upstream(i, row, column) = complex(of_p[i]);
                        gap(i, row, column) = complex(of_q[i]);
                    }
                    for (Index o = 0; o < n; ++o) {
                        Number blurred;
                        for (Index i = 0; i < n; ++i) add(blurred, here.k[o][i], w[i]);
                        pushed(o, row, column) =
                            complex({here.weight[o] * blurred.re, here.weight[o] * blurred.im});
                    }
                }
            }
        });
        transform_back(blur, upstream, p_bar, context);
        transform_back(blur, gap, q_bar, context);
        if (!data_bar.empty()) {
            transform_back(blur, pushed, q, context);
            for (Index i = 0; i < count; ++i) data_bar.data()[i] += q.data()[i];
        }
        float* bar = parameter_bar.data() + prior_parameters();
        const double pixels = static_cast<double>(system.rows * system.columns);
        for (Index m = 0; m < sums; ++m) {
            double sum = 0;
            for (Index row = 0; row < system.bins[0]; ++row) sum += products(row, m);
            const double scale = m < n          ? coupling_[m]
                                 : m == n       ? spectrum_weight_
                                 : m < sums - 1 ? push_[m - n - 1]
                                                : push_spectrum_;
            bar[m] += static_cast<float>(scale * sum / pixels);
        }
    }
    // q = (2 / s) v r(v), and dv / dp = s / (2 v).
    const View<float> r_bar = q, v_bar = p;
    for (Index i = 0; i < count; ++i) {
        r_bar.data()[i] = slope * v.data()[i] * q_bar.data()[i];
        r.data()[i] *= slope * q_bar.data()[i];
    }
    prior_.gradient_vjp(v, kept_responses(observation, state), r_bar, v_bar,
                        parameter_bar.first(static_cast<std::size_t>(prior_parameters())), context);
    if (state_bar.empty()) return;
    for (Index i = 0; i < count; ++i)
        state_bar.data()[i] = state.data()[i] > 0
                                  ? p_bar.data()[i] + (v_bar.data()[i] + r.data()[i]) * s / (2 * v.data()[i])
                                  : 0.0f;
}

}  // namespace sonolux

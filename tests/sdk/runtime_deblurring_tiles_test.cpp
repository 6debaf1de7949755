// tests/sdk/runtime_deblurring_tiles_test.cpp
//
// Large images and shrinkage fields: the learned part runs in small tiles, which changes nothing; the Fourier
// steps run on the whole image, since cutting it would change something.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>
#include <sonolux/solvers/filter_power.hpp>
#include <sonolux/solvers/sigma_polynomial.hpp>

#include "tests/support/data.hpp"
#include "tests/support/reconstruct.hpp"

namespace sonolux {
namespace {

using Complex = std::complex<float>;

Model shipped_model() { return load_model_file((source_folder() / "models/deblur.safetensors").string()); }

Array<float> line(Index length) {
    Array<float> kernel({1, length});
    std::fill(kernel.begin(), kernel.end(), 1.0F / static_cast<float>(length));
    return kernel;
}

// Occluding leaves behind a kernel, with noise of sigma / 255.
Array<float> blurred_leaves(Index rows, Index columns, View<const float> kernel, float sigma) {
    Context context(make_serial_runner());
    DeadLeavesOptions options;
    options.value_scale = 1;
    const DeadLeaves leaves(options, 1);
    context.workspace().reserve(leaves.workspace_bytes(rows, columns, context));
    Array<float> scene({rows, columns}), blurred({rows, columns});
    leaves.render(0, scene, context);
    const Convolution camera({rows, columns}, kernel, BoundaryRule::symmetric);
    context.workspace().reserve(camera.workspace_bytes(context));
    camera.apply(scene, blurred, context);
    Philox random(1);
    for (float& value : blurred) value += sigma / 255 * random.normal();
    return blurred;
}

double largest_difference(View<const float> a, View<const float> b) {
    double largest = 0;
    for (Index i = 0; i < a.rows(); ++i)
        for (Index j = 0; j < a.columns(); ++j)
            largest = std::max(largest, std::abs(double{a(i, j)} - double{b(i, j)}));
    return largest;
}

// The learned numbers of one step at this noise level, in the order in which `name` appears in the layout.
std::vector<float> learned(const UnrolledNetwork& network, const ShrinkageFieldsOptions& options, Index step,
                           const std::string& name, double sigma) {
    for (const Parameter& parameter : network.layout()) {
        if (parameter.name != sentence("stage", step + 1, ".", name)) continue;
        const float* values = network.parameters().data() + parameter.offset;
        if (name == "filters") return {values, values + parameter.shape.elements()};
        const Index count = parameter.shape.elements() / (options.sigma_degree + 1);
        std::vector<float> at_sigma(static_cast<std::size_t>(count));
        evaluate_sigma_polynomial(values, options.sigma_degree, std::log2(sigma / options.sigma_reference),
                                  count, at_sigma.data());
        return at_sigma;
    }
    ADD_FAILURE() << "no parameter " << name;
    return {};
}

// The formula of solvers/shrinkage_fields.hpp (residual form, valid border) written down again, with the
// learned part from the plain loops that specify it, over the whole domain at once.
Array<float> deblur_plainly(const Model& model, View<const float> image, View<const float> kernel,
                            double sigma) {
    const auto options = std::get<ShrinkageFieldsOptions>(architecture_of(model));
    EXPECT_EQ(options.form, ShrinkageForm::residual);
    EXPECT_EQ(options.border, BorderTreatment::valid);
    EXPECT_FALSE(options.scale_by_sigma);
    const auto network = network_from_model(model);
    const auto blur =
        make_padded_blur(options, image.rows(), image.columns(), kernel.rows() / 2, kernel.columns() / 2);
    blur->set_kernel(kernel);
    RealFft2& fft = blur->blur().fft();
    Context context(make_serial_runner());
    context.workspace().reserve(blur->workspace_bytes(context) + blur->blur().workspace_bytes(context) +
                                filter_power_workspace_bytes(options.experts.filters.size, fft.columns()));

    Array<float> scaled({image.rows(), image.columns()});
    for (Index i = 0; i < scaled.elements(); ++i) scaled.data()[i] = options.value_scale * image.data()[i];
    Array<float> x(blur->domain()), data(x.shape()), gradient(x.shape()), power(fft.spectrum_shape());
    Array<Complex> u_spectrum(fft.spectrum_shape()), y_spectrum(fft.spectrum_shape()),
        r_spectrum(fft.spectrum_shape());
    blur->enter(scaled, x, context);
    std::copy(x.begin(), x.end(), data.begin());
    const Array<float> entered = x.clone();
    FieldsOfExperts prior(options.experts);
    const FilterBank bank(options.experts.filters);
    Array<float> filters(
        {options.experts.filters.count, options.experts.filters.size, options.experts.filters.size});
    for (Index step = 0; step < network->steps(); ++step) {
        std::vector<float> parameters = learned(*network, options, step, "filters", sigma);
        bank.realise(parameters, filters);
        filter_power(filters, fft.columns(), power, context);
        const std::vector<float> activation = learned(*network, options, step, "activation", sigma);
        parameters.insert(parameters.end(), activation.begin(), activation.end());
        prior.update(parameters);
        prior.gradient_reference(x, gradient);
        double mean = 0;  // filters without a mean pass none on; rounding would
        for (const float value : gradient) mean += double{value} / static_cast<double>(gradient.elements());
        for (float& value : gradient) value -= static_cast<float>(mean);
        const double weight = std::exp(double{learned(*network, options, step, "log_data_weight", sigma)[0]});

        if (step > 0) {  // the border of the data, as x says it
            blur->blur().apply(x, data, context);
            for (Index i = 0; i < image.rows(); ++i)
                std::copy_n(blur->inside(entered.view()).row(i), image.columns(),
                            blur->inside(data.view()).row(i));
        }
        fft.forward(x, u_spectrum);
        fft.forward(data, y_spectrum);
        fft.forward(gradient, r_spectrum);
        for (Index k = 0; k < u_spectrum.elements(); ++k) {
            const std::complex<double> u = u_spectrum.data()[k], y = y_spectrum.data()[k],
                                       r = r_spectrum.data()[k], h = blur->blur().spectrum().data()[k];
            u_spectrum.data()[k] =
                static_cast<Complex>(u + (weight * std::conj(h) * (y - h * u) - r) /
                                             (weight * std::norm(h) + double{power.data()[k]}));
        }
        fft.inverse(u_spectrum, x);
    }
    Array<float> result({image.rows(), image.columns()});
    for (Index i = 0; i < image.rows(); ++i)
        for (Index j = 0; j < image.columns(); ++j)
            result(i, j) = blur->inside(x.view())(i, j) / options.value_scale;
    return result;
}

// With its border the image is 2 x 3 of the tiles that the learned part runs in: at most 96 rows and 192
// columns.
TEST(DeblurringTiles, OfTheLearnedPartChangeTheResultByNoMoreThanRounding) {
    const Model model = shipped_model();
    const Array<float> kernel = line(27), image = blurred_leaves(120, 380, kernel, 2);
    const Array<float> tiled = run(model, image, {.sigma = 2, .kernel = kernel});
    const double difference = largest_difference(tiled, deblur_plainly(model, image, kernel, 2));
    RecordProperty("largest_difference", sentence(difference));
    EXPECT_LT(difference, 1e-5);
    EXPECT_GT(largest_difference(tiled, image), 0.05) << "and that is no result of doing nothing";
}

// Why the Fourier steps are not cut into tiles: after a blur along a line pixels see each other across
// hundreds of others. A tile with 64 pixels around it would be off by far more than a grey level allows.
TEST(DeblurringTiles, OfTheFourierStepsWouldChangeTheResult) {
    const Model model = shipped_model();
    constexpr Index tile = 32, around = 64, size = 320, middle = (size - tile) / 2;
    const Array<float> kernel = line(27), image = blurred_leaves(size, size, kernel, 1.5F);
    const Array<float> whole = run(model, image, {.sigma = 1.5F, .kernel = kernel});
    Array<float> cut({tile + 2 * around, tile + 2 * around});
    for (Index i = 0; i < cut.view().rows(); ++i)
        std::copy_n(image.view().row(middle - around + i) + middle - around, cut.view().columns(),
                    cut.view().row(i));
    const Array<float> part = run(model, cut, {.sigma = 1.5F, .kernel = kernel});
    const double difference = largest_difference(part.view().block(around, around, tile, tile),
                                                 whole.view().block(middle, middle, tile, tile));
    RecordProperty("largest_difference", sentence(difference));
    EXPECT_GT(difference, 1e-4);
}

}  // namespace
}  // namespace sonolux

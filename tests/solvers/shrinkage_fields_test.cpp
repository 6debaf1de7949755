// tests/solvers/shrinkage_fields_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <map>
#include <numbers>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/filter_power.hpp>
#include <sonolux/solvers/shrinkage_fields.hpp>
#include <sonolux/solvers/shrinkage_stage.hpp>
#include <sonolux/solvers/training/losses.hpp>

#include "tests/support/normal_images.hpp"

namespace sonolux {
namespace {

// A smooth image with some noise, in 0..255.
Array<float> photograph(Index rows, Index columns, std::uint64_t seed) {
    Array<float> image = normal({rows, columns}, seed);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j)
            image(i, j) = 120 + 50 * std::sin(0.5f * static_cast<float>(i) + 0.3f * static_cast<float>(j)) +
                          15 * image(i, j);
    return image;
}

// Not symmetric in any way, all taps positive, sum 1.
Array<float> kernel(Index rows, Index columns) {
    Array<float> taps({rows, columns});
    double sum = 0;
    for (Index i = 0; i < taps.elements(); ++i) sum += taps.data()[i] = 1 + static_cast<float>(i * i % 7);
    for (float& tap : taps) tap /= static_cast<float>(sum);
    return taps;
}

ShrinkageFieldsOptions small_options() {
    ShrinkageFieldsOptions options;
    options.stages = 3;
    options.experts.filters = {FilterKind::dct, 6, 3};
    options.experts.activation = {ActivationKind::gaussian_rbf, 21, -150, 150, 15, -160, 160, 64};
    options.network = {.layers = 3, .features = 4};
    options.border_width = 2;
    options.value_scale = 255;
    return options;
}

// Parameters near the start of training, moved at random so that nothing is zero or equal by chance.
void disturb(UnrolledNetwork& network, const ShrinkageFieldsOptions& options) {
    initialise(network, options);
    Philox random(5);
    for (const Parameter& parameter : network.layout())
        for (Index i = 0; i < parameter.shape.elements(); ++i)
            network.parameters()[parameter.offset + i] += 0.3f * parameter.typical * random.normal();
    for (const Parameter& parameter : network.layout())  // responses stay inside the tables
        if (parameter.constraint == Constraint::zero_mean_unit_ball)
            FilterBank(options.experts.filters)
                .project(network.parameters().subspan(static_cast<std::size_t>(parameter.offset),
                                                      static_cast<std::size_t>(parameter.shape.elements())));
}

TEST(FilterPower, IsTheSumOfTheSquaredTransforms) {
    for (auto [rows, columns] : {std::pair<Index, Index>{8, 8}, {7, 5}, {13, 9}, {3, 2}, {1, 1}}) {
        const Array<float> filters = normal({4, 5, 5}, 1);
        Array<float> power({rows, columns / 2 + 1});
        Context context;
        context.workspace().reserve(filter_power_workspace_bytes(5, columns));
        filter_power(filters, columns, power, context);
        for (Index k = 0; k < rows; ++k)
            for (Index l = 0; l <= columns / 2; ++l) {
                double expected = 0;
                for (Index i = 0; i < 4; ++i) {
                    std::complex<double> sum = 0;
                    for (Index u = 0; u < 5; ++u)
                        for (Index v = 0; v < 5; ++v)
                            sum += double{filters(i, u, v)} *
                                   std::polar(1.0, -2 * std::numbers::pi *
                                                       (double(k * u) / double(rows) +
                                                        double(l * v) / double(columns)));
                    expected += std::norm(sum);
                }
                EXPECT_NEAR(power(k, l), expected, 1e-5 * (1 + expected)) << rows << " x " << columns;
            }
    }
}

TEST(FilterPower, IsZeroAtZeroFrequencyForFiltersWithoutMean) {
    const FilterBank bank({FilterKind::dct, 48, 7});
    Array<float> filters({48, 7, 7}), power({64, 33});
    std::vector<float> coefficients(static_cast<std::size_t>(bank.parameter_count()));
    fill_normal(View<float>(coefficients.data(), {bank.parameter_count()}), Philox(1));
    bank.realise(coefficients, filters);
    Context context;
    context.workspace().reserve(filter_power_workspace_bytes(7, 64));
    filter_power(filters, 64, power, context);
    EXPECT_LT(power(0, 0), 1e-13);  // float transforms of the filters would leave about 1e-6 here
}

// The step written out as a linear system over all pixels, solved by Eigen.
TEST(ShrinkageStage, SolvesItsNormalEquations) {
    constexpr Index rows = 7, columns = 6, pixels = rows * columns;
    for (ShrinkageForm form : {ShrinkageForm::direct, ShrinkageForm::residual}) {
        ShrinkageFieldsOptions options = small_options();
        options.form = form;
        options.border = BorderTreatment::circular;
        options.border_width = 0;
        options.stages = 1;
        auto network = make_shrinkage_fields(options);
        disturb(*network, options);
        network->update(25);
        const auto& stage = dynamic_cast<const ShrinkageStage&>(network->stage(0));
        PaddedBlur blur(rows, columns, 0, 0, BorderTreatment::circular);
        const Array<float> taps = kernel(3, 5), x = photograph(rows, columns, 1),
                           y = photograph(rows, columns, 2);
        blur.set_kernel(taps);
        const Observation observation{.data = y, .blur = &blur};
        Context context;
        context.workspace().reserve(network->run_workspace_bytes(rows, columns, context, observation));
        Array<float> next({rows, columns});
        network->forward(x, observation, next, 1, context);

        const auto at = [&](Index i, Index j) {
            return (i + rows) % rows * columns + (j + columns) % columns;
        };
        Eigen::MatrixXd blurring = Eigen::MatrixXd::Zero(pixels, pixels);
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)
                for (Index u = 0; u < 3; ++u)
                    for (Index v = 0; v < 5; ++v) blurring(at(i, j), at(i + 1 - u, j + 2 - v)) += taps(u, v);
        const auto vector = [&](const Array<float>& image) {
            return Eigen::Map<const Eigen::VectorXf>(image.data(), pixels).cast<double>().eval();
        };
        const double lambda = stage.data_weight();
        Eigen::MatrixXd system = lambda * blurring.transpose() * blurring;
        Eigen::VectorXd right = lambda * blurring.transpose() * vector(y);
        const FieldsOfExperts prior(options.experts);
        const Activation activation(options.experts.activation);
        for (Index f = 0; f < 6; ++f) {
            Eigen::MatrixXd filter = Eigen::MatrixXd::Zero(pixels, pixels);
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j)
                    for (Index u = 0; u < 3; ++u)
                        for (Index v = 0; v < 3; ++v)
                            filter(at(i, j), at(i + u - 1, j + v - 1)) += stage.filters()(f, u, v);
            const Eigen::VectorXd response = filter * vector(x);
            const std::span<const float> weights =
                network->parameters().subspan(static_cast<std::size_t>(6 * 8 + f * 21), 21);
            Eigen::VectorXd shrunk(pixels);
            for (Index p = 0; p < pixels; ++p) {
                const double phi = activation.exact(weights, response(p));
                shrunk(p) = form == ShrinkageForm::direct ? phi : response(p) - phi;
            }
            system += filter.transpose() * filter;
            right += filter.transpose() * shrunk;
        }
        const Eigen::VectorXd expected = system.ldlt().solve(right);
        for (Index p = 0; p < pixels; ++p) EXPECT_NEAR(next.data()[p], expected(p), 2e-2) << "of 255";
    }
}

struct GradientCase {
    const char* what;
    ShrinkageFieldsOptions options;
    Index rows, columns;
    bool blurred = true;
    float white = 255;  // of images and network
};

std::vector<GradientCase> gradient_cases() {
    std::vector<GradientCase> cases;
    ShrinkageFieldsOptions options = small_options();
    cases.push_back({"valid border, residual", options, 13, 17});
    options.form = ShrinkageForm::direct;
    cases.push_back({"valid border, direct", options, 12, 16});
    options.border = BorderTreatment::taper;
    cases.push_back({"tapered border, direct", options, 11, 14});
    options.border = BorderTreatment::replicate;
    options.experts.boundary = BoundaryRule::symmetric;
    options.experts.border = BorderGradient::cropped;
    cases.push_back({"replicated border, symmetric prior, no blur", options, 13, 10, false});
    options = small_options();
    options.border = BorderTreatment::circular;
    options.border_width = 0;
    options.experts.filters.kind = FilterKind::free;
    options.sigma_degree = 2;
    options.scale_by_sigma = true;
    cases.push_back({"circular border, free filters, noise level as an input", options, 19, 12});
    options = small_options();
    options.shared_parameters = true;
    options.prior = ShrinkagePrior::convolutional_network;
    options.form = ShrinkageForm::direct;
    options.value_scale = 1;  // what an ELU bends for
    cases.push_back({"convolutional network, shared parameters", options, 9, 11, true, 1});
    return cases;
}

// Start and data move the loss much less than linearly resolvable in float when all pixels count alike, so
// inputs are checked along their own gradient like the parameters.
TEST(ShrinkageFields, GradientsPassTheTaylorTestForEveryKindOfParameterAndInput) {
    for (const GradientCase& c : gradient_cases()) {
        const ShrinkageFieldsOptions& options = c.options;
        auto network = make_shrinkage_fields(options);
        disturb(*network, options);
        const float sigma = options.sigma_degree > 0 ? 40.0f : 25.0f;
        network->update(sigma);
        const bool circular = options.border == BorderTreatment::circular;
        PaddedBlur blur(c.rows, c.columns, circular ? 0 : 2, circular ? 0 : 2, options.border,
                        DomainSize::exact);
        if (c.blurred) blur.set_kernel(kernel(3, 5));
        const Index rows = blur.domain()[0], columns = blur.domain()[1];
        Array<float> truth = photograph(c.rows, c.columns, 2), start = photograph(rows, columns, 3),
                     data = photograph(rows, columns, 1);
        for (Array<float>* image : {&truth, &start, &data})
            for (float& pixel : *image) pixel *= c.white / 255;
        Context context(make_serial_runner());
        Observation observation{.data = data, .blur = &blur};
        context.workspace().reserve(network->training_workspace_bytes(rows, columns, context, observation));
        const std::vector<double> weights{0.3, 0, 1};
        const SquaredLoss loss;
        std::vector<float> gradient(network->parameters().size()), unused(gradient.size());
        Array<float> start_bar({rows, columns}), data_bar({rows, columns});
        (void)network->loss_gradient(start, observation, truth, loss, weights, gradient, context, start_bar,
                                     data_bar);
        const auto value = [&] {
            return network->loss_gradient(start, observation, truth, loss, weights, unused, context);
        };
        // The change of the loss along the gradient, both ways, against what the gradient says. Float sums
        // drown second-order remainders of small steps, so this is sharper than the order of the remainder.
        const auto explained = [&](float* at, const float* bar, Index count, double typical, auto&& refresh) {
            const std::vector<float> before(at, at + count);
            double squares = 0;
            for (Index i = 0; i < count; ++i) squares += double{bar[i]} * bar[i];
            EXPECT_GT(squares, 0);
            const double step = 0.01 * typical / std::sqrt(squares);
            double values[2], expected = 0;
            for (int side = 0; side < 2; ++side) {
                for (Index i = 0; i < count; ++i) {
                    at[i] = before[static_cast<std::size_t>(i)] +
                            static_cast<float>((side == 0 ? -step : step) * bar[i]);
                    expected +=
                        (side == 0 ? -1 : 1) * (double{at[i]} - before[static_cast<std::size_t>(i)]) * bar[i];
                }
                refresh();
                values[side] = value();
            }
            std::copy(before.begin(), before.end(), at);
            refresh();
            return (values[1] - values[0]) / expected;
        };
        for (const Parameter& group : network->layout()) {
            const Index count = group.shape.elements();
            const auto refresh = [&] { network->update(sigma); };
            EXPECT_NEAR(explained(network->parameters().data() + group.offset, gradient.data() + group.offset,
                                  count, group.typical, refresh),
                        1, 1e-2)
                << c.what << ": " << group.name;
        }
        // One kind of parameter at a time, over all stages (a data weight alone moves the loss too little),
        // as theta = theta_0 + typical z from z = 0.
        std::map<std::string, std::vector<std::size_t>> kinds;
        std::map<std::string, float> typical;
        for (const Parameter& group : network->layout()) {
            const std::string kind = group.name.substr(group.name.find('.') + 1);
            typical[kind] = 0.5f * group.typical;
            for (Index i = 0; i < group.shape.elements(); ++i)
                kinds[kind].push_back(static_cast<std::size_t>(group.offset + i));
        }
        for (const auto& [kind, places] : kinds) {
            std::vector<float> before, slope;
            for (std::size_t place : places) {
                before.push_back(network->parameters()[place]);
                slope.push_back(typical[kind] * gradient[place]);
            }
            const auto place_all = [&](const float* values) {
                for (std::size_t i = 0; i < places.size(); ++i)
                    network->parameters()[places[i]] = before[i] + typical[kind] * values[i];
                network->update(sigma);
            };
            const Array<float> origin({static_cast<Index>(places.size())});
            const double order = taylor_test(
                [&](View<const float> parameters) {
                    place_all(parameters.data());
                    return value();
                },
                origin.view(), View<const float>(slope.data(), origin.shape()));
            EXPECT_GT(order, 1.7) << c.what << ": " << kind;
            place_all(origin.data());
        }
        EXPECT_NEAR(explained(data.data(), data_bar.data(), data.elements(), 0.4 * c.white, [] {}), 1, 1e-2)
            << c.what;
        if (options.form == ShrinkageForm::residual || !circular) {
            EXPECT_NEAR(explained(start.data(), start_bar.data(), start.elements(), 0.4 * c.white, [] {}), 1,
                        5e-3)
                << c.what;
        }
    }
}

// Where the image is what the blurred data say and nothing is to be shrunk, nothing moves: the border is an
// unknown, not a guess.
TEST(ShrinkageFields, TheTruthIsAFixedPointOfTheValidBorder) {
    ShrinkageFieldsOptions options = small_options();
    auto network = make_shrinkage_fields(options);
    initialise(*network, options);
    for (const Parameter& parameter : network->layout())  // psi = 0: no regulariser
        if (parameter.name.ends_with(".activation"))
            std::fill_n(network->parameters().begin() + parameter.offset, parameter.shape.elements(), 0.0f);
    network->update(25);
    PaddedBlur blur(20, 21, 2, 2, BorderTreatment::valid);
    blur.set_kernel(kernel(5, 5));
    const Array<float> truth = photograph(blur.domain()[0], blur.domain()[1], 1);
    Array<float> data(truth.shape()), estimate(truth.shape());
    Context context;
    Observation observation{.data = data, .blur = &blur, .step = 1};
    context.workspace().reserve(
        network->run_workspace_bytes(truth.shape()[0], truth.shape()[1], context, observation));
    blur.blur().apply(truth, data, context);
    for (Index i = 0; i < data.elements(); ++i) data.data()[i] += 1000;  // the border of y is not looked at
    const View<float> inside = blur.inside(data.view());
    for (Index i = 0; i < inside.rows(); ++i)
        for (Index j = 0; j < inside.columns(); ++j) inside(i, j) -= 1000;
    network->stage(0).forward(View<const float>(truth.data(), {1, truth.shape()[0], truth.shape()[1]}),
                              observation,
                              View<float>(estimate.data(), {1, truth.shape()[0], truth.shape()[1]}), context);
    for (Index i = 0; i < truth.elements(); ++i) EXPECT_NEAR(estimate.data()[i], truth.data()[i], 1e-2);
}

TEST(ShrinkageFields, BitsDoNotDependOnTheNumberOfThreads) {
    const ShrinkageFieldsOptions options = small_options();
    auto network = make_shrinkage_fields(options);
    disturb(*network, options);
    network->update(25);
    const Array<float> data = photograph(40, 33, 1);
    Array<float> first(data.shape());
    for (int threads : {1, 2, 3}) {
        Context context(make_openmp_runner(threads));
        PaddedBlur blur(40, 33, 3, 3, options.border);
        blur.set_kernel(kernel(7, 5));
        const Observation observation{.data = data, .blur = &blur};
        context.workspace().reserve(
            network->run_workspace_bytes(blur.domain()[0], blur.domain()[1], context, observation));
        Array<float> image(data.shape());
        EXPECT_EQ(network->run(observation, image, context), Status::ok);
        if (threads == 1) first = image.clone();
        EXPECT_TRUE(std::equal(image.begin(), image.end(), first.begin())) << threads;
    }
}

// `run` transforms the data once where no step changes them, `forward` in each step.
TEST(ShrinkageFields, RunGivesTheBitsOfItsSteps) {
    for (BorderTreatment border :
         {BorderTreatment::replicate, BorderTreatment::taper, BorderTreatment::valid}) {
        ShrinkageFieldsOptions options = small_options();
        options.border = border;
        options.value_scale = 1;
        auto network = make_shrinkage_fields(options);
        disturb(*network, options);
        network->update(25);
        PaddedBlur blur(21, 26, 2, 2, border);
        blur.set_kernel(kernel(5, 3));
        const Array<float> y = photograph(21, 26, 1);
        Context context;
        Observation observation{.data = y, .blur = &blur};
        const Index rows = blur.domain()[0], columns = blur.domain()[1];
        context.workspace().reserve(network->run_workspace_bytes(rows, columns, context, observation));
        Array<float> image(y.shape()), start({rows, columns}), whole({rows, columns});
        ASSERT_EQ(network->run(observation, image, context), Status::ok);
        blur.enter(y, start, context);
        observation.data = start;
        network->forward(start, observation, whole, options.stages, context);
        const View<const float> inside = blur.inside(View<const float>(whole.view()));
        for (Index i = 0; i < 21; ++i)
            EXPECT_TRUE(std::equal(inside.row(i), inside.row(i) + 26, &image(i, 0))) << to_string(border);
    }
}

TEST(ShrinkageFields, NamesTheFieldThatIsWrong) {
    ShrinkageFieldsOptions options;
    options.stages = 0;
    EXPECT_THAT([&] { (void)make_shrinkage_fields(options); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("stages must be 1 to 100, got 0")));
    options = {};
    options.border = BorderTreatment::circular;
    EXPECT_THAT([&] { (void)make_shrinkage_fields(options); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("border_width must be 0")));
    PaddedBlur blur(8, 8, 2, 2, BorderTreatment::valid);
    EXPECT_THAT([&] { blur.set_kernel(kernel(7, 3)); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("at most 5 x 5 here, got 7 x 3")));
}

}  // namespace
}  // namespace sonolux

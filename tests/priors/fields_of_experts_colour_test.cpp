// tests/priors/fields_of_experts_colour_test.cpp
//
// Fields of experts whose filters look at several channels together.
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/priors/fields_of_experts.hpp>

namespace sonolux {
namespace {

FieldsOfExpertsOptions colour_options(int channels, int size = 5) {
    FieldsOfExpertsOptions options;
    options.filters = {FilterKind::dct, 3, size, channels};
    options.activation.nodes = 15;
    options.activation.lower = -140;
    options.activation.width = 20;
    options.activation.upper = 140;
    options.scale = 0.5f;
    return options;
}

std::vector<float> random_parameters(const FieldsOfExperts& prior) {
    std::vector<float> parameters(prior.parameter_count());
    fill_normal(View<float>(parameters.data(), {prior.parameter_count()}), Philox(7));
    return parameters;
}

// A deviation of 20 keeps responses inside the tables, where phi has a derivative; 60 goes beyond.
Array<float> random_image(const Shape& shape, float deviation, std::uint64_t seed = 3) {
    Array<float> image(shape);
    fill_normal(image, Philox(seed));
    for (float& value : image) value *= deviation;
    return image;
}

void reserve(Context& context, const FieldsOfExperts& prior, const Array<float>& x) {
    context.workspace().reserve(prior.workspace_bytes(x.view().rows(), x.view().columns(), context));
}

double dot(const Array<float>& a, View<const float> b) {
    double sum = 0;
    for (Index i = 0; i < a.elements(); ++i) sum += double{a.data()[i]} * b.data()[i];
    return sum;
}

class ColourFieldsOfExpertsOnEveryIsa : public testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(Isas, ColourFieldsOfExpertsOnEveryIsa, testing::ValuesIn(available_isas()),
                         [](const auto& instance) { return to_string(instance.param); });

TEST_P(ColourFieldsOfExpertsOnEveryIsa, EqualTheirReferenceForEveryNumberOfChannelsRuleAndBorder) {
    for (int channels : {2, 3, 4})
        for (int size : {3, 5, 7}) {
            if (channels != 3 && size != 5) continue;  // time
            for (BoundaryRule rule : boundary_rules)
                for (BorderGradient border : {BorderGradient::exact, BorderGradient::cropped})
                    for (auto [rows, columns] : {std::pair<Index, Index>{1, 1}, {1, 7}, {5, 3}, {17, 31}}) {
                        FieldsOfExpertsOptions options = colour_options(channels, size);
                        options.boundary = rule;
                        options.border = border;
                        FieldsOfExperts prior(options);
                        prior.update(random_parameters(prior));
                        const Array<float> x = random_image({channels, rows, columns}, 60);
                        Array<float> fast(x.shape()), plain(x.shape());
                        Context context;
                        context.set_isa(GetParam());
                        reserve(context, prior, x);
                        prior.gradient(x, fast, context);
                        prior.gradient_reference(x, plain);
                        double largest = 0, difference = 0;
                        for (Index i = 0; i < x.elements(); ++i) {
                            largest = std::max(largest, std::abs(double{plain.data()[i]}));
                            difference =
                                std::max(difference, std::abs(double{plain.data()[i]} - fast.data()[i]));
                        }
                        // As for one channel: some hundred roundings of 2^-24 each.
                        EXPECT_LT(difference, 1e-4 * (1 + largest))
                            << channels << " channels, " << size << ", " << to_string(rule) << " "
                            << static_cast<int>(border) << ", " << rows << " x " << columns;
                    }
        }
}

TEST_P(ColourFieldsOfExpertsOnEveryIsa, GradientsPassTheTaylorTestAlsoInTiles) {
    for (BorderGradient border : {BorderGradient::exact, BorderGradient::cropped})
        for (const Shape& shape : {Shape{3, 64, 91}, Shape{3, 103, 211}}) {  // one tile, and 2 x 2
            if (border == BorderGradient::exact && shape[1] > 64) continue;  // time
            FieldsOfExpertsOptions options = colour_options(3);
            options.border = border;
            FieldsOfExperts prior(options);
            const std::vector<float> parameters = random_parameters(prior);
            prior.update(parameters);
            const Array<float> x = random_image(shape, 20), v = random_image(shape, 20, 9);
            Array<float> x_bar(shape), gradient(shape);
            std::vector<float> parameter_bar(parameters.size());
            Context context;
            context.set_isa(GetParam());
            reserve(context, prior, x);
            prior.gradient_vjp(x, v, x_bar, parameter_bar, context);
            const auto count = static_cast<Index>(parameters.size());
            EXPECT_GT(taylor_test(
                          [&](View<const float> p) {
                              prior.update({p.data(), parameters.size()});
                              prior.gradient(x, gradient, context);
                              return dot(gradient, v);
                          },
                          View<const float>(parameters.data(), {count}),
                          View<const float>(parameter_bar.data(), {count})),
                      1.8)
                << to_string(shape);
            prior.update(parameters);
            EXPECT_GT(taylor_test(
                          [&](View<const float> moved) {
                              prior.gradient(moved, gradient, context);
                              return dot(gradient, v);
                          },
                          x.view(), x_bar.view()),
                      1.8)
                << to_string(shape);
        }
}

TEST_P(ColourFieldsOfExpertsOnEveryIsa, WhatIsKeptThreadsAndTilesDoNotChangeABit) {
    FieldsOfExperts prior(colour_options(3));
    prior.update(random_parameters(prior));
    Context serial(make_serial_runner()), parallel(make_openmp_runner(3));
    const Array<float> x = random_image({3, 150, 420}, 60);
    for (Context* context : {&serial, &parallel}) {
        context->set_isa(GetParam());
        reserve(*context, prior, x);
    }
    Array<float> one(x.shape()), three(x.shape());
    prior.gradient(x, one, serial);
    prior.gradient(x, three, parallel);
    EXPECT_EQ(0, std::memcmp(one.data(), three.data(), one.elements() * sizeof(float)));

    // A part of the image cut out: the same bits where its own border is out of reach.
    const Index reach = prior.reach();
    Array<float> part({3, 53, 61}), of_part(part.shape());
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < 53; ++i)
            for (Index j = 0; j < 61; ++j) part(c, i, j) = x(c, i + 37, j + 150);
    prior.gradient(part, of_part, serial);
    for (Index c = 0; c < 3; ++c)
        for (Index i = reach; i < 53 - reach; ++i)
            for (Index j = reach; j < 61 - reach; ++j)
                ASSERT_EQ(of_part(c, i, j), one(c, i + 37, j + 150)) << c << ", " << i << ", " << j;

    // Responses that were kept.
    ASSERT_GT(prior.kept_floats(53, 61), 0);
    Array<float> kept({prior.kept_floats(53, 61)}), keeping(part.shape()), bar(part.shape()),
        kept_bar(part.shape());
    std::vector<float> parameter_bar(prior.parameter_count()), kept_parameter_bar(parameter_bar);
    prior.gradient(part, keeping, kept.data(), serial);
    prior.gradient_vjp(part, of_part, bar, parameter_bar, serial);
    prior.gradient_vjp(part, kept.data(), of_part, kept_bar, kept_parameter_bar, serial);
    EXPECT_EQ(0, std::memcmp(of_part.data(), keeping.data(), part.elements() * sizeof(float)));
    EXPECT_EQ(0, std::memcmp(bar.data(), kept_bar.data(), part.elements() * sizeof(float)));
    EXPECT_EQ(parameter_bar, kept_parameter_bar);
}

TEST(ColourFieldsOfExperts, TheExactGradientIsTheGradientOfTheValue) {
    FieldsOfExpertsOptions options = colour_options(3);
    options.border = BorderGradient::exact;
    FieldsOfExperts prior(options);
    prior.update(random_parameters(prior));
    const Array<float> x = random_image({3, 39, 53}, 20);
    Array<float> gradient(x.shape());
    Context context;
    reserve(context, prior, x);
    prior.gradient(x, gradient, context);
    EXPECT_GT(taylor_test([&](View<const float> moved) { return prior.value(moved, context); }, x.view(),
                          gradient.view()),
              1.8);
}

// The mean of the channels is the first opponent channel: on a grey image, filters of that alone are filters
// of one channel on sqrt(3) times the image.
TEST(ColourFieldsOfExperts, OfTheMeanOfChannelsAreThoseOfAGreyImage) {
    FieldsOfExperts colour(colour_options(3)), grey(colour_options(1));
    const Index own = grey.filter_bank().coefficients(), all = colour.filter_bank().coefficients();
    const std::vector<float> parameters = random_parameters(grey);
    std::vector<float> extended(colour.parameter_count());
    for (Index f = 0; f < 3; ++f) std::copy_n(parameters.begin() + f * own, own, extended.begin() + f * all);
    std::copy(parameters.begin() + grey.filter_parameter_count(), parameters.end(),
              extended.begin() + colour.filter_parameter_count());
    colour.update(extended);
    grey.update(parameters);
    const Array<float> plane = random_image({19, 23}, 20);
    Array<float> scaled({19, 23}), image({3, 19, 23}), of_grey({19, 23}), of_colour({3, 19, 23});
    for (Index i = 0; i < plane.elements(); ++i) {
        scaled.data()[i] = std::sqrt(3.0f) * plane.data()[i];
        for (Index c = 0; c < 3; ++c) image.view()[c].data()[i] = plane.data()[i];
    }
    Context context;
    reserve(context, colour, image);
    grey.gradient(scaled, of_grey, context);
    colour.gradient(image, of_colour, context);
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < plane.elements(); ++i)
            EXPECT_NEAR(of_colour.view()[c].data()[i], of_grey.data()[i] / std::sqrt(3.0f), 1e-3);
}

TEST(FilterBankOfSeveralChannels, HasUnitNormAndIsBlindToEveryConstantColour) {
    for (int channels : {2, 3, 4}) {
        FilterBank bank({FilterKind::dct, 5, 7, channels});
        EXPECT_EQ(bank.coefficients(), channels * 48);
        std::vector<float> c(bank.parameter_count());
        fill_normal(View<float>(c.data(), {bank.parameter_count()}), Philox(1));
        Array<float> filters(bank.filters_shape());
        bank.realise(c, filters);
        for (Index f = 0; f < 5; ++f) {
            double squares = 0;
            for (Index channel = 0; channel < channels; ++channel) {
                double sum = 0;
                for (float tap : filters.view()[f][channel].block(0, 0, 7, 7))
                    sum += tap, squares += double{tap} * tap;
                EXPECT_NEAR(sum, 0, 1e-7);
            }
            EXPECT_NEAR(squares, 1, 1e-6);
        }
    }
}

TEST(FilterBankOfSeveralChannels, RefusesFreeFiltersAndTooManyChannels) {
    EXPECT_THAT(
        [] {
            FilterBank({FilterKind::free, 4, 5, 3});
        },
        testing::ThrowsMessage<Error>(
            testing::HasSubstr("filter channels must be 1 for free filters, got 3")));
    EXPECT_THAT(
        [] {
            FilterBank({FilterKind::dct, 4, 5, 5});
        },
        testing::ThrowsMessage<Error>(testing::HasSubstr("filter channels must be 1 to 4, got 5")));
}

}  // namespace
}  // namespace sonolux

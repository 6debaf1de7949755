// tests/priors/fields_of_experts_valid_test.cpp
//
// Fields of experts whose filters lie inside the image, with filters of even size, learned means, weights of
// place and ranges.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/priors/fields_of_experts.hpp>

#include "tests/support/normal_images.hpp"

namespace sonolux {
namespace {

bool same_bits(const Array<float>& a, const Array<float>& b) {
    return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

FieldsOfExpertsOptions small_options(int size, int weight_nodes) {
    FieldsOfExpertsOptions options;
    options.filters = {FilterKind::unit_with_mean, 3, size};
    options.activation = {ActivationKind::linear_knots, 9, -1, 1, 1, -1, 1, 16};
    options.border = BorderGradient::valid;
    options.weight_nodes = weight_nodes;
    options.scale = 0.5f;
    return options;
}

void randomise(FieldsOfExperts& prior, float range = 3) {
    const Array<float> parameters = normal({prior.parameter_count()}, 7);
    prior.set_range(range);
    prior.update({parameters.data(), static_cast<std::size_t>(parameters.elements())});
}

double largest_difference(const Array<float>& a, const Array<float>& b) {
    double largest = 0;
    for (Index i = 0; i < a.elements(); ++i)
        largest = std::max(largest, std::abs(double{a.data()[i]} - b.data()[i]));
    return largest;
}

double dot(const Array<float>& a, const Array<float>& b) {
    double sum = 0;
    for (Index i = 0; i < a.elements(); ++i) sum += double{a.data()[i]} * b.data()[i];
    return sum;
}

class ValidFieldsOfExpertsOnEveryIsa : public testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(Isas, ValidFieldsOfExpertsOnEveryIsa, testing::ValuesIn(available_isas()),
                         [](const auto& instance) { return to_string(instance.param); });

TEST_P(ValidFieldsOfExpertsOnEveryIsa, EqualTheirReferenceForEverySizeAndImage) {
    for (int size : {3, 4, 5, 6, 7, 8, 9, 10, 11})
        for (auto [rows, columns] :
             {std::pair<Index, Index>{11, 11}, {12, 31}, {13, 17}, {84, 64}, {70, 201}})
            for (int nodes : {0, 2, 8}) {
                if (rows > 40 && size % 4 != 0) continue;  // time
                FieldsOfExperts prior(small_options(size, nodes));
                randomise(prior);
                const Array<float> x = normal({rows, columns}, 3);
                Array<float> fast({rows, columns}), plain({rows, columns});
                Context context(make_openmp_runner(3));
                context.set_isa(GetParam());
                context.workspace().reserve(prior.workspace_bytes(rows, columns, context));
                prior.gradient(x, fast, context);
                prior.gradient_reference(x, plain);
                // Sums of 3 filters of up to 121 taps of size 1: some hundred roundings of 2^-24.
                EXPECT_LT(largest_difference(fast, plain), 1e-4)
                    << size << ", " << rows << " x " << columns << ", " << nodes;
            }
}

TEST(ValidFieldsOfExperts, GiveNothingWhereNoFilterFits) {
    FieldsOfExperts prior(small_options(8, 8));
    randomise(prior);
    for (auto [rows, columns] : {std::pair<Index, Index>{1, 1}, {7, 30}, {30, 7}}) {
        const Array<float> x = normal({rows, columns}, 3);
        Array<float> gradient = normal({rows, columns}, 4);
        Context context(make_serial_runner());
        context.workspace().reserve(prior.workspace_bytes(rows, columns, context));
        prior.gradient(x, gradient, context);
        for (float value : gradient) EXPECT_EQ(value, 0) << rows << " x " << columns;
    }
}

TEST(ValidFieldsOfExperts, AreTheGradientOfTheirEnergy) {
    FieldsOfExperts prior(small_options(4, 3));
    randomise(prior);
    const Array<float> x = normal({13, 17}, 3);
    Array<float> gradient(x.shape());
    Context context(make_serial_runner());
    context.workspace().reserve(prior.workspace_bytes(13, 17, context));
    prior.gradient(x, gradient, context);
    EXPECT_GT(taylor_test([&](View<const float> at) { return prior.value(at, context); }, x.view(),
                          gradient.view()),
              1.9);
}

// How much of the change of `value` along a gradient, both ways, the gradient explains: 1 if it is right.
template <class Value>
double explained(Value&& value, View<const float> at, View<const float> gradient, double length) {
    double squares = 0, change = 0;
    for (Index i = 0; i < gradient.elements(); ++i)
        squares += double{gradient.data()[i]} * gradient.data()[i];
    const double step = length / std::sqrt(squares);
    Array<float> moved(at.shape());
    for (double sign : {-1.0, 1.0}) {
        for (Index i = 0; i < at.elements(); ++i)
            moved.data()[i] = static_cast<float>(at.data()[i] + sign * step * gradient.data()[i]);
        change += sign * value(moved);
    }
    return change / (2 * step * squares);
}

TEST(ValidFieldsOfExperts, HaveExactVectorJacobianProductsOfImageAndEveryParameter) {
    for (bool keep : {false, true})
        for (int size : {4, 8}) {
            FieldsOfExperts prior(small_options(size, 3));
            const Index rows = 19, columns = 23;
            const Array<float> x = normal({rows, columns}, 3), v = normal({rows, columns}, 5);
            Array<float> x_bar(x.shape()), unused(x.shape());
            const Array<float> parameters = normal({prior.parameter_count()}, 7);
            Array<float> bar(parameters.shape());
            randomise(prior);
            Context context(make_serial_runner());
            context.workspace().reserve(prior.workspace_bytes(rows, columns, context));
            std::vector<float> kept(static_cast<std::size_t>(prior.kept_floats(rows, columns)));
            ASSERT_GT(kept.size(), 0);
            float* kept_data = keep ? kept.data() : nullptr;
            prior.gradient(x, unused, kept_data, context);
            prior.gradient_vjp(x, kept_data, v, x_bar, {bar.data(), static_cast<std::size_t>(bar.elements())},
                               context);
            const auto value = [&](const Array<float>& image) {
                Array<float> gradient(x.shape());
                prior.gradient(image, gradient, context);
                return dot(gradient, v);
            };
            // Steps so short that few responses cross a knot on the way, and long enough for float.
            EXPECT_NEAR(explained(value, x.view(), x_bar.view(), 5e-4), 1, 5e-3);
            const Index ends[] = {0, prior.filter_parameter_count(),
                                  prior.filter_parameter_count() + prior.activation_parameter_count(),
                                  prior.parameter_count()};
            for (int kind = 0; kind < 3; ++kind) {
                const Shape shape{ends[kind + 1] - ends[kind]};
                const double ratio = explained(
                    [&](const Array<float>& at) {
                        Array<float> moved(parameters.shape());
                        std::copy(parameters.begin(), parameters.end(), moved.begin());
                        std::copy(at.begin(), at.end(), moved.data() + ends[kind]);
                        prior.update({moved.data(), static_cast<std::size_t>(moved.elements())});
                        return value(x);
                    },
                    {parameters.data() + ends[kind], shape}, {bar.data() + ends[kind], shape}, 5e-4);
                EXPECT_NEAR(ratio, 1, 5e-3) << "size " << size << ", kind " << kind << ", kept " << keep;
            }
        }
}

TEST(ValidFieldsOfExperts, HaveTheSameBitsOnAnyNumberOfThreadsAndFromKeptResponses) {
    FieldsOfExperts prior(small_options(8, 8));
    randomise(prior);
    const Array<float> x = normal({84, 64}, 3);
    Array<float> serial(x.shape()), parallel(x.shape()), kept_too(x.shape());
    Context one(make_serial_runner()), three(make_openmp_runner(3));
    for (Context* context : {&one, &three})
        context->workspace().reserve(prior.workspace_bytes(84, 64, *context));
    prior.gradient(x, serial, one);
    prior.gradient(x, parallel, three);
    std::vector<float> kept(static_cast<std::size_t>(prior.kept_floats(84, 64)));
    prior.gradient(x, kept_too, kept.data(), one);
    EXPECT_TRUE(same_bits(parallel, serial));
    EXPECT_TRUE(same_bits(kept_too, serial));
    EXPECT_GT(prior.largest_kept(kept.data(), 84, 64), 2);  // of 3 x 77 x 57 responses of deviation above 1
}

TEST(ValidFieldsOfExperts, RefuseEvenFiltersUnderOtherBorders) {
    FieldsOfExpertsOptions options = small_options(4, 0);
    options.border = BorderGradient::cropped;
    EXPECT_THAT(
        [&] { FieldsOfExperts prior(options); },
        testing::ThrowsMessage<Error>(testing::HasSubstr("filter size must be odd where the border is not")));
    options = small_options(4, 1);
    EXPECT_THAT(
        [&] { FieldsOfExperts prior(options); },
        testing::ThrowsMessage<Error>(testing::HasSubstr("weight_nodes must be 0, or 2 to 32, got 1")));
}

TEST(FilterBank, SaysWhichSizesAKindMayHave) {
    EXPECT_THAT(
        [] {
            FilterBank({FilterKind::unit_with_mean, 1, 2});
        },
        testing::ThrowsMessage<Error>(testing::HasSubstr("filter size must be 3 to 11, got 2")));
    EXPECT_THAT(
        [] {
            FilterBank({FilterKind::dct, 1, 4});
        },
        testing::ThrowsMessage<Error>(testing::HasSubstr("must be odd and 3 to 11, got 4")));
}

TEST(FilterBank, MakesUnitFiltersWithTheMeanThatIsLearned) {
    const FilterBank bank({FilterKind::unit_with_mean, 1, 4});
    ASSERT_EQ(bank.coefficients(), 17);
    Array<float> c = normal({17}, 2), filter({1, 4, 4});
    c.data()[16] = -3;
    bank.realise({c.data(), 17}, filter);
    double sum = 0, squares = 0;
    for (float tap : filter) sum += tap;
    EXPECT_NEAR(sum / 16, -0.75, 1e-6);  // softsign(-3)
    for (float tap : filter) squares += (tap + 0.75) * (tap + 0.75);
    EXPECT_NEAR(squares, 1, 1e-5);
}

}  // namespace
}  // namespace sonolux

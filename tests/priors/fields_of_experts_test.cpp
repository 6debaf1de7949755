// tests/priors/fields_of_experts_test.cpp
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/priors/fields_of_experts.hpp>

namespace sonolux {
namespace {

constexpr std::pair<Index, Index> awkward_sizes[] = {{1, 1}, {1, 7}, {5, 3}, {17, 31}, {70, 200}};

FieldsOfExpertsOptions small_options(int size, FilterKind kind = FilterKind::dct) {
    FieldsOfExpertsOptions options;
    options.filters = {kind, 3, size};
    options.activation.nodes = 15;
    options.activation.lower = -140;
    options.activation.width = 20;
    options.activation.upper = 140;
    return options;
}

std::vector<float> random_parameters(const FieldsOfExperts& prior, float size = 1) {
    std::vector<float> parameters(prior.parameter_count());
    fill_normal(View<float>(parameters.data(), {prior.parameter_count()}), Philox(7));
    for (float& p : parameters) p *= size;
    return parameters;
}

// Pixels like those of a noisy photograph, so that responses reach every part of the tables and beyond.
Array<float> random_image(Index rows, Index columns, std::uint64_t seed = 3) {
    Array<float> image({rows, columns});
    fill_normal(image, Philox(seed));
    for (float& p : image) p = 128 + 60 * p;
    return image;
}

// Responses that stay inside the tables, where phi has a derivative everywhere.
Array<float> small_image(Index rows, Index columns, std::uint64_t seed = 3) {
    Array<float> image({rows, columns});
    fill_normal(image, Philox(seed));
    for (float& p : image) p *= 20;
    return image;
}

// As much as any image of this size needs, in any of the contexts here.
void reserve(Context& context, const FieldsOfExperts& prior, const Array<float>& x) {
    context.workspace().reserve(prior.workspace_bytes(x.shape()[0], x.shape()[1], context));
}

double largest_difference(const Array<float>& a, const Array<float>& b) {
    double largest = 0;
    for (Index i = 0; i < a.elements(); ++i)
        largest = std::max(largest, std::abs(double{a.data()[i]} - b.data()[i]));
    return largest;
}

double largest(const Array<float>& a) { return largest_difference(a, Array<float>(a.shape())); }

class FieldsOfExpertsOnEveryIsa : public testing::TestWithParam<Isa> {};
INSTANTIATE_TEST_SUITE_P(Isas, FieldsOfExpertsOnEveryIsa, testing::ValuesIn(available_isas()),
                         [](const auto& instance) { return to_string(instance.param); });

TEST_P(FieldsOfExpertsOnEveryIsa, EqualsItsReferenceForEverySizeRuleAndBorder) {
    for (int size : {3, 5, 7, 9, 11})
        for (BoundaryRule rule : boundary_rules)
            for (BorderGradient border : {BorderGradient::exact, BorderGradient::cropped})
                for (auto [rows, columns] : awkward_sizes) {
                    if (rows > 40 && (size == 9 || rule == BoundaryRule::replicate)) continue;  // time
                    FieldsOfExpertsOptions options = small_options(size);
                    options.boundary = rule;
                    options.border = border;
                    options.scale = 0.5f;
                    FieldsOfExperts prior(options);
                    prior.update(random_parameters(prior));
                    const Array<float> x = random_image(rows, columns);
                    Array<float> fast({rows, columns}), plain({rows, columns});
                    Context context;
                    context.set_isa(GetParam());
                    reserve(context, prior, x);
                    prior.gradient(x, fast, context);
                    prior.gradient_reference(x, plain);
                    // Filter sums of values near 128 in float: some hundred roundings of 2^-24 each.
                    EXPECT_LT(largest_difference(fast, plain), 1e-4 * (1 + largest(plain)))
                        << size << " " << to_string(rule) << " " << static_cast<int>(border) << " " << rows
                        << " x " << columns;
                }
}

TEST_P(FieldsOfExpertsOnEveryIsa, EqualsItsReferenceForEveryTableLength) {
    for (int segments : {1, 7, 63, 64, 65, 128, 200}) {
        FieldsOfExpertsOptions options = small_options(5);
        options.activation.segments = segments;
        FieldsOfExperts prior(options);
        prior.update(random_parameters(prior));
        const Array<float> x = random_image(20, 40);
        Array<float> fast({20, 40}), plain({20, 40});
        Context context;
        context.set_isa(GetParam());
        reserve(context, prior, x);
        prior.gradient(x, fast, context);
        prior.gradient_reference(x, plain);
        EXPECT_LT(largest_difference(fast, plain), 1e-4 * (1 + largest(plain))) << segments;
    }
}

TEST_P(FieldsOfExpertsOnEveryIsa, ParameterGradientsPassTheTaylorTest) {
    for (int size : {3, 5, 7})
        for (FilterKind kind : {FilterKind::dct, FilterKind::free})
            for (BorderGradient border : {BorderGradient::exact, BorderGradient::cropped}) {
                FieldsOfExpertsOptions options = small_options(size, kind);
                options.border = border;
                options.boundary = BoundaryRule::reflect;
                options.scale = 0.7f;
                FieldsOfExperts prior(options);
                const std::vector<float> parameters =
                    random_parameters(prior, kind == FilterKind::free ? 0.2f : 1);
                prior.update(parameters);
                const Array<float> x = small_image(21, 30), v = small_image(21, 30, 9);
                Array<float> x_bar({21, 30}), gradient({21, 30});
                std::vector<float> parameter_bar(parameters.size());
                Context context;
                context.set_isa(GetParam());
                reserve(context, prior, x);
                prior.gradient_vjp(x, v, x_bar, parameter_bar, context);
                auto along_v = [&] {
                    prior.gradient(x, gradient, context);
                    double sum = 0;
                    for (Index i = 0; i < gradient.elements(); ++i)
                        sum += double{gradient.data()[i]} * v.data()[i];
                    return sum;
                };
                const Index count = static_cast<Index>(parameters.size());
                const double order = taylor_test(
                    [&](View<const float> p) {
                        prior.update({p.data(), static_cast<std::size_t>(count)});
                        return along_v();
                    },
                    View<const float>(parameters.data(), {count}),
                    View<const float>(parameter_bar.data(), {count}));
                EXPECT_GT(order, 1.8)
                    << size << " " << static_cast<int>(kind) << " " << static_cast<int>(border);

                prior.update(parameters);
                const double image_order = taylor_test(
                    [&](View<const float> moved) {
                        prior.gradient(moved, gradient, context);
                        double sum = 0;
                        for (Index i = 0; i < gradient.elements(); ++i)
                            sum += double{gradient.data()[i]} * v.data()[i];
                        return sum;
                    },
                    x.view(), x_bar.view());
                EXPECT_GT(image_order, 1.8)
                    << size << " " << static_cast<int>(kind) << " " << static_cast<int>(border);
            }
}

TEST_P(FieldsOfExpertsOnEveryIsa, GradientsOfTiledImagesAddUp) {
    // 150 x 400 with borders is 3 x 3 tiles: the same sums as from finite differences of the whole.
    FieldsOfExperts prior(small_options(5));
    const std::vector<float> parameters = random_parameters(prior);
    prior.update(parameters);
    const Array<float> x = small_image(150, 400), v = small_image(150, 400);
    Array<float> x_bar({150, 400}), gradient({150, 400});
    std::vector<float> parameter_bar(parameters.size());
    Context context;
    context.set_isa(GetParam());
    reserve(context, prior, x);
    prior.gradient_vjp(x, v, x_bar, parameter_bar, context);
    const Index count = static_cast<Index>(parameters.size());
    const double order = taylor_test(
        [&](View<const float> p) {
            prior.update({p.data(), static_cast<std::size_t>(count)});
            prior.gradient(x, gradient, context);
            double sum = 0;
            for (Index i = 0; i < gradient.elements(); ++i) sum += double{gradient.data()[i]} * v.data()[i];
            return sum;
        },
        View<const float>(parameters.data(), {count}), View<const float>(parameter_bar.data(), {count}));
    EXPECT_GT(order, 1.8);
}

TEST_P(FieldsOfExpertsOnEveryIsa, KeptResponsesChangeNoBit) {
    for (BorderGradient border : {BorderGradient::exact, BorderGradient::cropped})
        for (auto [rows, columns] : {std::pair<Index, Index>{1, 1}, {33, 45}, {58, 80}}) {
            FieldsOfExpertsOptions options = small_options(7);
            options.border = border;
            options.activation.segments = 128;
            FieldsOfExperts prior(options);
            prior.update(random_parameters(prior));
            const Array<float> x = random_image(rows, columns), v = small_image(rows, columns, 9);
            Array<float> gradient({rows, columns}), keeping({rows, columns});
            Array<float> x_bar({rows, columns}), kept_x_bar({rows, columns});
            const std::vector<float> zero(prior.parameter_count());
            std::vector<float> bar = zero, kept_bar = zero, bar_alone = zero;
            ASSERT_GT(prior.kept_floats(rows, columns), 0);
            Array<float> kept({prior.kept_floats(rows, columns)});
            Context context;
            context.set_isa(GetParam());
            reserve(context, prior, x);

            prior.gradient(x, gradient, context);
            prior.gradient_vjp(x, v, x_bar, bar, context);
            prior.gradient(x, keeping, kept.data(), context);
            prior.gradient_vjp(x, kept.data(), v, kept_x_bar, kept_bar, context);
            prior.gradient_vjp(x, nullptr, v, View<float>(), bar_alone, context);
            const std::size_t bytes = x.elements() * sizeof(float);
            EXPECT_EQ(0, std::memcmp(gradient.data(), keeping.data(), bytes));
            EXPECT_EQ(0, std::memcmp(x_bar.data(), kept_x_bar.data(), bytes));
            EXPECT_EQ(bar, kept_bar) << rows << " x " << columns;
            EXPECT_EQ(bar, bar_alone) << rows << " x " << columns;
        }
}

TEST(FieldsOfExperts, KeepsNothingOfImagesOfMoreThanOneTile) {
    FieldsOfExperts prior(small_options(7));
    EXPECT_GT(prior.kept_floats(84, 64), 0) << "96 rows with their border";
    EXPECT_EQ(prior.kept_floats(85, 64), 0);
    EXPECT_EQ(prior.kept_floats(64, 192), 0);
}

TEST_P(FieldsOfExpertsOnEveryIsa, ANotANumberStaysWithinItsReach) {
    FieldsOfExperts prior(small_options(5));
    prior.update(random_parameters(prior));
    for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Array<float> x = random_image(40, 90), clean({40, 90}), dirty({40, 90});
        Context context;
        context.set_isa(GetParam());
        reserve(context, prior, x);
        prior.gradient(x, clean, context);
        x(20, 33) = bad;
        prior.gradient(x, dirty, context);
        // A response of infinity is past the end of the table, where phi has its last value.
        if (std::isnan(bad)) {
            EXPECT_TRUE(std::isnan(dirty(20, 33)));
        }
        for (Index i = 0; i < 40; ++i)
            for (Index j = 0; j < 90; ++j)
                if (std::abs(i - 20) > prior.reach() || std::abs(j - 33) > prior.reach()) {
                    ASSERT_EQ(clean(i, j), dirty(i, j)) << i << ", " << j;
                }
    }
}

TEST_P(FieldsOfExpertsOnEveryIsa, TilesThreadsAndPositionDoNotChangeABit) {
    FieldsOfExperts prior(small_options(7));
    prior.update(random_parameters(prior));
    const Array<float> x = random_image(150, 420);
    Array<float> one({150, 420}), three({150, 420});
    Context serial(make_serial_runner()), parallel(make_openmp_runner(3));
    for (Context* context : {&serial, &parallel}) {
        context->set_isa(GetParam());
        reserve(*context, prior, x);
    }
    prior.gradient(x, one, serial);
    prior.gradient(x, three, parallel);
    EXPECT_EQ(0, std::memcmp(one.data(), three.data(), one.elements() * sizeof(float)));

    // A part of the image cut out: the same bits where its own border is out of reach.
    const Index reach = prior.reach();
    Array<float> part({61, 101}), of_part({61, 101});
    for (Index i = 0; i < 61; ++i)
        for (Index j = 0; j < 101; ++j) part(i, j) = x(i + 37, j + 113);
    prior.gradient(part, of_part, serial);
    for (Index i = reach; i < 61 - reach; ++i)
        for (Index j = reach; j < 101 - reach; ++j) ASSERT_EQ(of_part(i, j), one(i + 37, j + 113));
}

TEST(FieldsOfExperts, AvxTwoAndAvx512AgreeToTheBit) {  // both fuse every multiply-add, in the same order
    const std::vector<Isa> isas = available_isas();
    if (std::find(isas.begin(), isas.end(), Isa::avx512) == isas.end())
        GTEST_SKIP() << "this processor has no AVX-512 to compare AVX2 with";
    FieldsOfExperts prior(small_options(7));
    prior.update(random_parameters(prior));
    const Array<float> x = random_image(90, 130);
    Array<float> result[2] = {Array<float>({90, 130}), Array<float>({90, 130})};
    for (int i = 0; i < 2; ++i) {
        Context context;
        context.set_isa(i == 0 ? Isa::avx2 : Isa::avx512);
        reserve(context, prior, x);
        prior.gradient(x, result[i], context);
    }
    EXPECT_EQ(0, std::memcmp(result[0].data(), result[1].data(), result[0].elements() * sizeof(float)));
}

TEST(FieldsOfExperts, TheExactGradientIsTheGradientOfTheValue) {
    for (BoundaryRule rule : boundary_rules) {
        FieldsOfExpertsOptions options = small_options(5);
        options.border = BorderGradient::exact;
        options.boundary = rule;
        FieldsOfExperts prior(options);
        prior.update(random_parameters(prior));
        const Array<float> x = small_image(12, 15);
        Array<float> gradient({12, 15});
        Context context;
        reserve(context, prior, x);
        prior.gradient(x, gradient, context);
        EXPECT_GT(taylor_test([&](View<const float> moved) { return prior.value(moved, context); }, x.view(),
                              gradient.view()),
                  1.8)
            << to_string(rule);
    }
}

TEST(FieldsOfExperts, TheTableComesAsCloseToTheDefinitionAsItsDocumentationSays) {
    FieldsOfExpertsOptions options = small_options(5);  // segments of 5 for Gaussians of width 20
    FieldsOfExperts prior(options);
    const std::vector<float> parameters = random_parameters(prior);
    prior.update(parameters);
    const Array<float> x = random_image(30, 30);
    Array<float> tabulated({30, 30});
    Array<double> exact({30, 30});
    prior.gradient_reference(x, tabulated);
    prior.gradient_exact(x, exact);
    // (h / s)^4 / 128 per weight, weights of size 1 to 3, 3 overlapping Gaussians, 3 filters of 1-norm <= 5,
    // twice through neither; in practice far below.
    const double bound = std::pow(5.0 / 20, 4) / 128 * 3 * 3 * 3 * 5;
    for (Index i = 0; i < 900; ++i) EXPECT_NEAR(tabulated.data()[i], exact.data()[i], bound + 1e-5);
}

TEST(FieldsOfExperts, RefusesTheWrongNumberOfParameters) {
    FieldsOfExperts prior(small_options(5));
    std::vector<float> parameters(prior.parameter_count() - 1);
    EXPECT_THAT([&] { prior.update(parameters); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("take 117 parameters, got 116")));
}

TEST(FilterBank, DctFiltersHaveUnitNormAndZeroMean) {
    FilterBank bank({FilterKind::dct, 5, 7});
    std::vector<float> c(bank.parameter_count());
    fill_normal(View<float>(c.data(), {bank.parameter_count()}), Philox(1));
    Array<float> filters({5, 7, 7});
    bank.realise(c, filters);
    for (Index f = 0; f < 5; ++f) {
        double sum = 0, squares = 0;
        for (float t : View<const float>(filters.data() + f * 49, {49})) sum += t, squares += double{t} * t;
        EXPECT_NEAR(sum, 0, 1e-7);
        EXPECT_NEAR(squares, 1, 1e-6);
    }
}

TEST(FilterBank, ProjectionMakesFreeFiltersZeroMeanInsideTheUnitBall) {
    FilterBank bank({FilterKind::free, 2, 3});
    std::vector<float> filters{9, 1, 1, 1, 1, 1, 1, 1, 1, 0.1f, 0, 0, 0, 0, 0, 0, 0, -0.1f};
    bank.project(filters);
    double sum = 0, squares = 0;
    for (int i = 0; i < 9; ++i) sum += filters[i], squares += filters[i] * filters[i];
    EXPECT_NEAR(sum, 0, 1e-6);
    EXPECT_NEAR(squares, 1, 1e-6);
    EXPECT_FLOAT_EQ(filters[9], 0.1f);  // inside already: left alone
}

TEST(FilterBank, NamesAnEvenSize) {
    EXPECT_THAT(
        [] {
            FilterBank({FilterKind::dct, 4, 4});
        },
        testing::ThrowsMessage<Error>(testing::HasSubstr("filter size must be odd and 3 to 11, got 4")));
}

TEST(Activation, FitReproducesAFunctionWithinItsRange) {
    ActivationOptions options;
    Activation activation(options);
    auto function = [](double z) { return z / (1 + z * z / 900); };
    const std::vector<float> weights = activation.fit(function);
    // Away from the ends, where there is no node to lean on.
    for (double z = -100; z <= 100; z += 3.7)
        EXPECT_NEAR(activation.exact(weights, z), function(z), 0.15) << z;  // 1 % of its peak
}

TEST(Activation, LinearKnotsAreReproducedExactly) {
    ActivationOptions options;
    options.kind = ActivationKind::linear_knots;
    options.nodes = 5;
    options.lower = options.table_lower = -2;
    options.upper = options.table_upper = 2;
    options.segments = 8;
    Activation activation(options);
    const std::vector<float> weights{1, -1, 0, 3, 2};
    std::vector<float> table(activation.table_size());
    activation.tabulate(weights, table.data());
    for (int k = 0; k < 8; ++k)
        for (double t : {0.0, 0.25, 0.75}) {
            const double value = table[k] + t * (table[8 + k] + t * (table[16 + k] + t * table[24 + k]));
            EXPECT_NEAR(value, activation.exact(weights, -2 + (k + t) * 0.5), 1e-6);
        }
}

TEST(Activation, KnotsThatMissSegmentEndsAreRefused) {
    ActivationOptions options;
    options.kind = ActivationKind::linear_knots;
    EXPECT_THAT([&] { Activation{options}; },
                testing::ThrowsMessage<Error>(testing::HasSubstr("linear knots")));
}

}  // namespace
}  // namespace sonolux

// tests/solvers/variational_network_test.cpp
#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/random.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux {
namespace {

class HalfSquares final : public Loss {
public:
    double value_gradient(View<const float> image, View<const float> truth,
                          View<float> image_bar) const noexcept override {
        double sum = 0;
        for (Index i = 0; i < image.elements(); ++i) {
            image_bar.data()[i] = image.data()[i] - truth.data()[i];
            sum += 0.5 * double{image_bar.data()[i]} * image_bar.data()[i];
        }
        return sum;
    }
};

// A forward model that is neither the identity nor symmetric: each row mixed into the next.
class RowMix final : public LinearOperator {
public:
    RowMix(Index rows, Index columns) : rows_(rows), columns_(columns) {}
    Shape domain() const noexcept override { return {rows_, columns_}; }
    Shape range() const noexcept override { return {rows_ - 1, columns_}; }
    void apply(View<const float> x, View<float> y, Context&) const noexcept override {
        for (Index i = 0; i + 1 < rows_; ++i)
            for (Index j = 0; j < columns_; ++j) y(i, j) = x(i, j) + 0.5f * x(i + 1, j);
    }
    void adjoint(View<const float> y, View<float> x, Context&) const noexcept override {
        for (Index i = 0; i < rows_; ++i)
            for (Index j = 0; j < columns_; ++j)
                x(i, j) = (i + 1 < rows_ ? y(i, j) : 0) + (i > 0 ? 0.5f * y(i - 1, j) : 0);
    }

private:
    Index rows_, columns_;
};

VariationalNetworkOptions small_options() {
    VariationalNetworkOptions options;
    options.stages = 3;
    options.prior.filters = {FilterKind::dct, 4, 3};
    options.prior.activation.nodes = 15;
    options.prior.activation.width = 20;
    options.prior.activation.lower = -140;
    options.prior.activation.upper = 140;
    return options;
}

Array<float> noisy(Index rows, Index columns, std::uint64_t seed) {
    Array<float> image({rows, columns});
    fill_normal(image, Philox(seed));
    for (Index i = 0; i < image.elements(); ++i)
        image.data()[i] = 100 + 40 * std::sin(0.05f * static_cast<float>(i)) + 25 * image.data()[i];
    return image;
}

// Parameters near the start of training, moved at random so that nothing is zero or equal by chance.
void disturb(UnrolledNetwork& network, const VariationalNetworkOptions& options) {
    initialise(network, options);
    Philox random(5);
    for (const Parameter& parameter : network.layout())
        for (Index i = 0; i < parameter.shape.elements(); ++i)
            network.parameters()[parameter.offset + i] += 0.6f * parameter.typical * random.normal();
    // Zero-mean, so that responses stay inside the tables: at their ends phi has a kink.
    for (const Parameter& parameter : network.layout())
        if (parameter.constraint == Constraint::zero_mean_unit_ball)
            FilterBank(options.prior.filters)
                .project(network.parameters().subspan(parameter.offset, parameter.shape.elements()));
}

void expect_gradient_right(const VariationalNetworkOptions& options, const LinearOperator* model, float sigma,
                           const char* what) {
    auto network = make_variational_network(options);
    disturb(*network, options);
    network->update(sigma);
    const Index rows = 14, columns = 18;
    const Array<float> start = noisy(rows, columns, 3), truth = noisy(rows, columns, 2);
    Array<float> data = noisy(model != nullptr ? rows - 1 : rows, columns, 1);
    Context context(make_serial_runner());
    const Observation observation{.data = data, .forward = model};
    context.workspace().reserve(network->training_workspace_bytes(rows, columns, context, observation));
    const std::vector<double> weights{0.3, 0, 1};
    const Index count = static_cast<Index>(network->parameters().size());
    std::vector<float> gradient(count), unused(count);
    (void)network->loss_gradient(start, observation, truth, HalfSquares(), weights, gradient, context);
    // Losses are computed in float, so that second-order remainders drown in rounding: each group of
    // parameters is moved along its own gradient, both ways, and the change of the loss compared with what
    // the gradient says.
    const std::vector<float> at(network->parameters().begin(), network->parameters().end());
    for (const Parameter& group : network->layout()) {
        double squares = 0;
        for (Index i = 0; i < group.shape.elements(); ++i)
            squares += double{gradient[group.offset + i]} * gradient[group.offset + i];
        if (group.name == "stage1.momentum") continue;  // nothing moves yet
        ASSERT_GT(squares, 0) << what << ": " << group.name;
        const double step = 0.005 * group.typical / std::sqrt(squares);
        double value[2], explained = 0;
        for (int side = 0; side < 2; ++side) {
            std::copy(at.begin(), at.end(), network->parameters().begin());
            for (Index i = group.offset; i < group.offset + group.shape.elements(); ++i) {
                network->parameters()[i] += static_cast<float>((side == 0 ? -step : step) * gradient[i]);
                const double moved = double{network->parameters()[i]} - at[i];
                explained += (side == 0 ? -1 : 1) * moved * gradient[i];
            }
            network->update(sigma);
            value[side] =
                network->loss_gradient(start, observation, truth, HalfSquares(), weights, unused, context);
        }
        EXPECT_NEAR((value[1] - value[0]) / explained, 1, 5e-3) << what << ": " << group.name;
    }
}

TEST(VariationalNetwork, GradientsExplainTheLossInEveryForm) {
    const RowMix model(14, 18);
    VariationalNetworkOptions options = small_options();
    expect_gradient_right(options, nullptr, 25, "TNRD");
    options.step = StepRule::damped;
    options.prior.boundary = BoundaryRule::reflect;
    options.prior.filters.kind = FilterKind::free;
    options.prior.scale = 0.25f;
    expect_gradient_right(options, nullptr, 25, "damped");
    expect_gradient_right(options, &model, 25, "with a forward model");
    options.momentum = true;
    expect_gradient_right(options, &model, 25, "momentum");
    options.shared_parameters = true;
    expect_gradient_right(options, nullptr, 25, "shared parameters");
    options = small_options();
    options.sigma_degree = 2;
    expect_gradient_right(options, nullptr, 40, "noise level as an input");
    options.filter_sigma_degree = 1;
    expect_gradient_right(options, nullptr, 40, "noise level as an input of the filters too");
    options.prior.border = BorderGradient::exact;
    expect_gradient_right(options, nullptr, 10, "exact border");
}

TEST(VariationalNetwork, RunScalesInAndOut) {
    VariationalNetworkOptions options = small_options();
    options.sigma_degree = 1;
    auto network = make_variational_network(options);
    disturb(*network, options);
    network->update(50);
    EXPECT_FLOAT_EQ(network->entry_scale(), 127.5f);
    const Array<float> data = noisy(20, 30, 1);
    Array<float> unit({20, 30}), by_run({20, 30}), by_forward({20, 30}), scaled({20, 30});
    for (Index i = 0; i < 600; ++i) {
        unit.data()[i] = data.data()[i] / 255;
        scaled.data()[i] = network->entry_scale() * unit.data()[i];
    }
    Context context;
    context.workspace().reserve(network->run_workspace_bytes(20, 30, context));
    EXPECT_EQ(network->run(unit, by_run, context), Status::ok);
    network->forward(scaled, {.data = scaled}, by_forward, 3, context);
    for (Index i = 0; i < 600; ++i)
        EXPECT_FLOAT_EQ(by_run.data()[i], by_forward.data()[i] / network->entry_scale());
}

TEST(VariationalNetwork, CancellingReturnsTheLastFinishedImage) {
    VariationalNetworkOptions options = small_options();
    auto network = make_variational_network(options);
    initialise(*network, options);
    network->update(25);
    const Array<float> data = noisy(8, 8, 1);
    Array<float> image({8, 8});
    Context context;
    context.workspace().reserve(network->run_workspace_bytes(8, 8, context));
    context.cancel();
    EXPECT_EQ(network->run(data, image, context), Status::cancelled);
    for (Index i = 0; i < 64; ++i) EXPECT_NEAR(image.data()[i], data.data()[i], 1e-4);
    context.clear_cancel();
    context.set_deadline(Context::Clock::now());
    EXPECT_EQ(network->run(data, image, context), Status::deadline_exceeded);
}

TEST(VariationalNetwork, LayoutNamesEveryParameterOnce) {
    VariationalNetworkOptions options = small_options();
    options.momentum = true;
    auto network = make_variational_network(options);
    Index next = 0;
    for (const Parameter& parameter : network->layout()) {
        EXPECT_EQ(parameter.offset, next) << parameter.name;
        next += parameter.shape.elements();
    }
    EXPECT_EQ(next, static_cast<Index>(network->parameters().size()));
    EXPECT_EQ(network->layout()[0].name, "stage1.filters");
    EXPECT_EQ(network->layout().back().name, "stage3.momentum");
}

TEST(VariationalNetwork, RefusesBadOptionsByName) {
    VariationalNetworkOptions options = small_options();
    options.stages = 0;
    EXPECT_THAT([&] { (void)make_variational_network(options); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("stages must be 1 to 100, got 0")));
    options = small_options();
    options.value_scale = 0;
    EXPECT_THAT([&] { (void)make_variational_network(options); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("value_scale must be above 0, got 0")));
}

}  // namespace
}  // namespace sonolux

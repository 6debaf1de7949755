// tests/solvers/masked_variational_network_test.cpp
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sonolux/core/check/taylor_test.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/solvers/masked_variational_network.hpp>

namespace sonolux {
namespace {

bool same_bits(const Array<float>& a, const Array<float>& b) {
    return a.shape() == b.shape() && std::equal(a.begin(), a.end(), b.begin());
}

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

// A matrix of random numbers whose norm is about 1.
class Matrix final : public LinearOperator {
public:
    Matrix(const Shape& domain, const Shape& range)
        : domain_(domain), range_(range), values_({range.elements(), domain.elements()}) {
        fill_normal(values_, Philox(11));
        const double size = std::sqrt(static_cast<double>(domain.elements())) +
                            std::sqrt(static_cast<double>(range.elements()));
        for (float& value : values_) value /= static_cast<float>(size);
    }
    Shape domain() const noexcept override { return domain_; }
    Shape range() const noexcept override { return range_; }
    void apply(View<const float> x, View<float> y, Context&) const noexcept override {
        for (Index i = 0; i < range_.elements(); ++i) {
            double sum = 0;
            for (Index j = 0; j < domain_.elements(); ++j) sum += double{values_(i, j)} * x.data()[j];
            y.data()[i] = static_cast<float>(sum);
        }
    }
    void adjoint(View<const float> y, View<float> x, Context&) const noexcept override {
        for (Index j = 0; j < domain_.elements(); ++j) {
            double sum = 0;
            for (Index i = 0; i < range_.elements(); ++i) sum += double{values_(i, j)} * y.data()[i];
            x.data()[j] = static_cast<float>(sum);
        }
    }

private:
    Shape domain_, range_;
    Array<float> values_;
};

constexpr Index rows = 11, columns = 13, pairs = 2;

MaskedVariationalOptions small_options() {
    MaskedVariationalOptions options;
    options.stages = 3;
    options.filters = {FilterKind::unit_with_mean, 3, 4};
    options.weight_nodes = 3;
    options.knots = 9;
    options.step_knots = 5;
    options.preconditioner = pairs * rows * columns;
    options.coarse = {5, 4, 0.1, 2};
    return options;
}

View<const float> ones() {
    static const Array<float> all = [] {
        Array<float> one({pairs, rows, columns});
        std::fill(one.begin(), one.end(), 1.0f);
        return one;
    }();
    return all.view();
}

// What a network sees: normal data of which some are missing.
struct Scene {
    Matrix forward{{rows, columns}, {pairs, rows, columns}};
    Array<float> data{{pairs, rows, columns}}, mask{{pairs, rows, columns}};
    CoarseInverse coarse{
        std::make_shared<Matrix>(Shape{rows, columns}, Shape{pairs, rows, columns}), ones(), {5, 4, 0.1, 2}};
    Array<float> start{{rows, columns}}, truth{{rows, columns}};
    Context context{make_serial_runner()};

    Scene() {
        fill_normal(data, Philox(1));
        fill_normal(start, Philox(3));
        fill_normal(truth, Philox(2));
        Philox random(4);
        for (Index i = 0; i < data.elements(); ++i) {
            mask.data()[i] = random.uniform() < 0.6 ? 1.0f : 0.0f;
            data.data()[i] *= mask.data()[i];
        }
    }
    Observation observation() const {
        return {.data = data, .forward = &forward, .coarse = &coarse, .mask = mask, .measured = 0.55f};
    }
};

// Parameters at random places near the start of training.
std::unique_ptr<UnrolledNetwork> disturbed(const MaskedVariationalOptions& options) {
    auto network = make_masked_variational_network(options);
    initialise(*network, options, 1);
    Philox filters(6);
    for (const Parameter& parameter : network->layout())  // smaller steps: differences of losses are in float
        if (parameter.name.ends_with(".filters"))         // which begin alike
            for (Index i = 0; i < parameter.shape.elements(); ++i) {
                const bool mean = (i + 1) % parameter.shape[1] == 0;
                network->parameters()[static_cast<std::size_t>(parameter.offset + i)] =
                    mean ? 0.0f : filters.normal();
            }
        else if (parameter.name.ends_with(".prior_step") || parameter.name.ends_with(".coarse_step"))
            std::fill_n(network->parameters().data() + parameter.offset, parameter.shape.elements(),
                        parameter.name.ends_with(".prior_step") ? 1.0f : 0.3f);
        else if (parameter.name.ends_with(".momentum") || parameter.name.ends_with(".data_activation"))
            for (Index i = 0; i < parameter.shape.elements(); ++i)
                network->parameters()[static_cast<std::size_t>(parameter.offset + i)] *=
                    parameter.knots > 0 ? 0.5f : 0.78f;
    Philox random(5);
    for (const Parameter& parameter : network->layout())
        for (Index i = 0; i < parameter.shape.elements() && parameter.constraint != Constraint::fixed; ++i)
            network->parameters()[static_cast<std::size_t>(parameter.offset + i)] +=
                (parameter.name.ends_with(".activation") ? 0.1f : 0.2f) * random.normal();
    network->update(1);
    return network;
}

const std::vector<double> step_weights{0.3, 0, 1};

// Of every kind of parameter, the start and the data: along the gradient, both ways, the change of the loss
// against what the gradient says. `lines` takes the kinks at knots away, so that Taylor's test sees order 2.
void expect_exact_gradients(bool lines) {
    const MaskedVariationalOptions options = small_options();
    auto network = disturbed(options);
    if (lines)
        for (const Parameter& parameter : network->layout()) {
            float* values = network->parameters().data() + parameter.offset;
            for (Index k = 0; k < (parameter.knots > 0 ? parameter.shape.elements() : 0); ++k) {
                const auto row = static_cast<float>(k / options.knots + 1);
                const auto place = static_cast<float>(k % options.knots) / 4 - 1;
                values[k] = (parameter.name.ends_with(".data_activation") ? 10.0f : 0.5f * row) * place;
            }
            if (parameter.name.ends_with(".ranges")) values[0] = values[1] = 20;
        }
    network->update(1);
    Scene scene;
    const Observation observation = scene.observation();
    scene.context.workspace().reserve(
        network->training_workspace_bytes(rows, columns, scene.context, observation));
    std::vector<float> gradient(network->parameters().size()), unused(gradient.size());
    Array<float> start_bar(scene.start.shape()), data_bar(scene.data.shape());
    (void)network->loss_gradient(scene.start, observation, scene.truth, HalfSquares(), step_weights, gradient,
                                 scene.context, start_bar, data_bar);
    const auto expect_exact = [&](const std::string& name, View<const float> at, View<const float> bar,
                                  const auto& loss) {
        double squares = 0;
        for (Index i = 0; i < bar.elements(); ++i) squares += double{bar.data()[i]} * bar.data()[i];
        ASSERT_GT(squares, 0) << name;
        if (lines && !name.ends_with(".weights")) {  // of which the loss knows too little in float
            EXPECT_GT(taylor_test(loss, at, bar), 1.6) << name;  // 1 where a gradient is wrong
            return;
        }
        // So short that few numbers cross a knot on the way, and long enough for float.
        const double step = 0.002 / std::sqrt(squares);
        Array<float> moved(at.shape());
        double change = 0, explained = 0;
        for (const double sign : {-1.0, 1.0}) {
            for (Index i = 0; i < at.elements(); ++i) {
                moved.data()[i] = static_cast<float>(at.data()[i] + sign * step * bar.data()[i]);
                explained += sign * (double{moved.data()[i]} - at.data()[i]) * bar.data()[i];
            }
            change += sign * loss(View<const float>(moved.view()));
        }
        EXPECT_NEAR(change / explained, 1, 0.01) << name;
    };
    const std::vector<float> at(network->parameters().begin(), network->parameters().end());
    for (const Parameter& group : network->layout()) {
        if (group.constraint == Constraint::fixed) continue;
        if (group.name == "stage1.momentum") continue;  // nothing moves yet
        const Shape shape{group.shape.elements()};
        expect_exact(group.name, {at.data() + group.offset, shape}, {gradient.data() + group.offset, shape},
                     [&](View<const float> moved) {
                         std::copy(at.begin(), at.end(), network->parameters().begin());
                         std::copy_n(moved.data(), moved.elements(),
                                     network->parameters().begin() + group.offset);
                         network->update(1);
                         return network->loss_gradient(scene.start, observation, scene.truth, HalfSquares(),
                                                       step_weights, unused, scene.context);
                     });
    }
    std::copy(at.begin(), at.end(), network->parameters().begin());
    network->update(1);
    expect_exact("start", scene.start.view(), start_bar.view(), [&](View<const float> start) {
        return network->loss_gradient({start.data(), scene.start.shape()}, observation, scene.truth,
                                      HalfSquares(), step_weights, unused, scene.context);
    });
    expect_exact("data", scene.data.view(), data_bar.view(), [&](View<const float> data) {
        Observation seen = observation;
        seen.data = {data.data(), scene.data.shape()};
        return network->loss_gradient(scene.start, seen, scene.truth, HalfSquares(), step_weights, unused,
                                      scene.context);
    });
}

TEST(MaskedVariationalNetwork, HasExactGradientsOfEveryKindOfParameter) { expect_exact_gradients(false); }

TEST(MaskedVariationalNetwork, HasGradientsThatLeaveSecondOrderWhereFunctionsAreLines) {
    expect_exact_gradients(true);
}

TEST(MaskedVariationalNetwork, DoesNotLookAtDataThatAreMissing) {
    auto network = disturbed(small_options());
    Scene scene;
    scene.context.workspace().reserve(
        network->run_workspace_bytes(rows, columns, scene.context, scene.observation()));
    Array<float> before({rows, columns}), after({rows, columns});
    ASSERT_EQ(network->run_from(scene.start, scene.observation(), before, scene.context), Status::ok);
    for (Index i = 0; i < scene.data.elements(); ++i)
        if (scene.mask.data()[i] == 0) scene.data.data()[i] = 1000;
    ASSERT_EQ(network->run_from(scene.start, scene.observation(), after, scene.context), Status::ok);
    EXPECT_TRUE(same_bits(after, before));
}

TEST(MaskedVariationalNetwork, BeginsAsGradientDescentWithMomentum) {  // and so comes near the data at once
    MaskedVariationalOptions options = small_options();
    options.stages = 30;
    options.coarse = {};
    auto network = make_masked_variational_network(options);
    initialise(*network, options, 1);
    network->update(1);
    Scene scene;
    scene.forward.apply(scene.truth, scene.data, scene.context);
    for (Index i = 0; i < scene.data.elements(); ++i) scene.data.data()[i] *= scene.mask.data()[i];
    scene.context.workspace().reserve(
        network->run_workspace_bytes(rows, columns, scene.context, scene.observation()));
    const auto misfit = [&](const Array<float>& x) {
        Array<float> y(scene.data.shape());
        scene.forward.apply(x, y, scene.context);
        double sum = 0;
        for (Index i = 0; i < y.elements(); ++i)
            sum += scene.mask.data()[i] * std::pow(double{y.data()[i]} - scene.data.data()[i], 2);
        return std::sqrt(sum);
    };
    Array<float> start({rows, columns}), image({rows, columns});
    scene.forward.adjoint(scene.data, start, scene.context);
    ASSERT_EQ(network->run_from(start, scene.observation(), image, scene.context), Status::ok);
    EXPECT_LT(misfit(image), 0.2 * misfit(start));
}

TEST(MaskedVariationalNetwork, HasTheSameBitsOnAnyNumberOfThreads) {
    auto network = disturbed(small_options());
    Scene scene;
    Array<float> images[2] = {Array<float>({rows, columns}), Array<float>({rows, columns})};
    int i = 0;
    for (int threads : {1, 3}) {
        Context context(make_openmp_runner(threads));
        context.workspace().reserve(
            network->run_workspace_bytes(rows, columns, context, scene.observation()));
        ASSERT_EQ(network->run_from(scene.start, scene.observation(), images[i++], context), Status::ok);
    }
    EXPECT_TRUE(same_bits(images[0], images[1]));
}

TEST(MaskedVariationalNetwork, GivesTheLastFinishedStepWhenTimeIsUp) {
    auto network = disturbed(small_options());
    Scene scene;
    scene.context.workspace().reserve(
        network->run_workspace_bytes(rows, columns, scene.context, scene.observation()));
    Array<float> two_steps({rows, columns}), stopped({rows, columns});
    network->forward(scene.start, scene.observation(), two_steps, 2, scene.context);
    scene.context.set_progress([](const Progress& progress) { return progress.done < 2; });
    EXPECT_EQ(network->run_from(scene.start, scene.observation(), stopped, scene.context), Status::cancelled);
    EXPECT_TRUE(same_bits(stopped, two_steps));
    scene.context.clear_cancel();
    scene.context.set_deadline(Context::Clock::now());
    EXPECT_EQ(network->run_from(scene.start, scene.observation(), stopped, scene.context),
              Status::deadline_exceeded);
    EXPECT_TRUE(same_bits(stopped, scene.start));
}

TEST(MaskedVariationalNetwork, KeepsItsFunctionsWhenTheirKnotsMove) {
    MaskedVariationalOptions options = small_options();
    options.preconditioner = 0;
    auto network = disturbed(options);
    Scene scene;
    scene.context.workspace().reserve(
        network->training_workspace_bytes(rows, columns, scene.context, scene.observation()));
    ASSERT_EQ(network->range_count(), 2 * options.stages);
    std::vector<float> peaks(static_cast<std::size_t>(network->range_count())),
        gradient(network->parameters().size());
    (void)network->loss_gradient(scene.start, scene.observation(), scene.truth, HalfSquares(), step_weights,
                                 gradient, scene.context, {}, {}, peaks.data());
    for (float peak : peaks) EXPECT_GT(peak, 0.1);

    // Twice the range on 2 n - 1 knots' places: every old knot stays one where the new are twice as dense.
    const auto run = [&] {
        network->update(1);
        Array<float> image({rows, columns});
        network->forward(scene.start, scene.observation(), image, options.stages, scene.context);
        return image;
    };
    for (const Parameter& parameter : network->layout())  // lines, which any knots can hold
        if (parameter.knots > 0)
            for (Index row = 0; row < parameter.shape[0]; ++row)
                for (Index k = 0; k < parameter.knots; ++k)
                    network->parameters()[static_cast<std::size_t>(parameter.offset + row * parameter.knots +
                                                                   k)] =
                        0.05f * static_cast<float>(row + 1) * static_cast<float>(k - 4);
    const Array<float> before = run();
    std::vector<float> ranges(peaks.size());
    for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i] = std::min(3.9f, 1.01f * peaks[i] + 2);
    network->resample(ranges);
    const Array<float> after = run();
    for (Index i = 0; i < before.elements(); ++i) EXPECT_NEAR(after.data()[i], before.data()[i], 1e-4);
    for (const Parameter& parameter : network->layout())
        if (parameter.name == "stage1.ranges") {
            EXPECT_EQ(network->parameters()[static_cast<std::size_t>(parameter.offset)], ranges[0]);
        }
}

TEST(MaskedVariationalNetwork, RefusesWhatIsNoArchitecture) {
    MaskedVariationalOptions options = small_options();
    options.knots = 1;
    EXPECT_THAT([&] { (void)make_masked_variational_network(options); },
                testing::ThrowsMessage<Error>(testing::HasSubstr("knots must be 2 to 256, got 1")));
}

}  // namespace
}  // namespace sonolux

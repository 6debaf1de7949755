#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/solvers/training/losses.hpp>
#include <sonolux/solvers/training/trainer.hpp>
#include <sonolux/solvers/variational_network.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// Four flat quarters of random grey: edges, and areas where all variation is noise.
void quarters(std::uint64_t sample, View<float> patch) {
    Philox random(11, 1, sample);
    float grey[2][2];
    for (auto& row : grey)
        for (float& value : row) value = static_cast<float>(random.uniform(30, 220));
    const Index row = 4 + random.below(patch.rows() - 8), column = 4 + random.below(patch.columns() - 8);
    for (Index i = 0; i < patch.rows(); ++i)
        for (Index j = 0; j < patch.columns(); ++j) patch(i, j) = grey[i < row][j < column];
}

VariationalNetworkOptions small_network(int stages = 2) {
    VariationalNetworkOptions options;
    options.stages = stages;
    options.prior.filters = {FilterKind::dct, 8, 3};
    return options;
}

TrainingOptions small_training(std::vector<TrainingPhase> phases) {
    TrainingOptions options;
    options.batch = {20, 22, 8, 2};
    options.validate_every = 5;
    options.phases = std::move(phases);
    return options;
}

const std::vector<double> last_only{0, 1};
const LearningRate fast{LearningRateCurve::cosine, 2e-2, 2e-3, 5, 0};

/// A network, its data and its trainer, ready to run.
struct SmallTraining {
    Context context;
    VariationalNetworkOptions architecture;
    std::unique_ptr<UnrolledNetwork> network;
    SquaredLoss loss{2};
    std::unique_ptr<Validation> validation;
    std::unique_ptr<Trainer> trainer;

    SmallTraining(const TrainingOptions& options, const VariationalNetworkOptions& network_options,
                  int threads = 1, std::vector<double> levels = {25})
        : context(make_openmp_runner(threads)), architecture(network_options) {
        network = make_variational_network(architecture);
        initialise(*network, architecture);
        std::vector<Array<float>> images;
        for (std::uint64_t i = 0; i < 3; ++i) {
            images.emplace_back(Shape{33, 30});
            quarters(1000000 + i, images.back().view());
        }
        validation = std::make_unique<Validation>(*network, images, std::move(levels), 3, context);
        trainer = std::make_unique<Trainer>(*network, options, quarters, loss, validation.get(), context);
    }

    std::vector<float> parameters() const {
        const UnrolledNetwork& trained = *network;
        return {trained.parameters().begin(), trained.parameters().end()};
    }
};

TEST(Trainer, LearnsToDenoise) {
    SmallTraining setup(small_training(greedy_then_joint(2, 0, 60, fast, fast, last_only)), small_network());
    const double before = setup.validation->psnr(*setup.network, 2);
    while (!setup.trainer->finished()) setup.trainer->step();
    const double after = setup.validation->psnr(*setup.network, 2);
    // The noisy images have 20.2 dB; an average over 5 x 5 pixels away from edges would gain 14 dB.
    EXPECT_GT(after, before + 2);
    EXPECT_GT(after, 28);
}

TEST(Trainer, BatchGradientIsTheGradientOfTheBatchLoss) {
    SmallTraining setup(
        small_training(greedy_then_joint(2, 0, 1, fast, fast, exponential_step_weights(2, 0.5))),
        small_network());
    const BatchOptions options{20, 22, 6, 4};
    BatchGradient batch(*setup.network, options, setup.context);
    const std::vector<double> weights = exponential_step_weights(2, 0.5);
    const auto loss_at = [&](std::span<const float> parameters, std::vector<double>& gradient) {
        std::copy(parameters.begin(), parameters.end(), setup.network->parameters().begin());
        setup.network->update(25);
        return batch.evaluate(quarters, 40, 6, 9, TrainingStream::noise, 25, setup.loss, weights, gradient);
    };
    const std::vector<float> here = setup.parameters();
    std::vector<double> gradient(here.size()), unused(here.size());
    loss_at(here, gradient);
    // Central differences along random directions, each parameter moved in proportion to its typical change.
    for (std::uint64_t direction = 0; direction < 3; ++direction) {
        Philox random(5, 0, direction);
        std::vector<float> forward = here, backward = here;
        double expected = 0;
        for (const Parameter& parameter : setup.network->layout())
            for (Index i = parameter.offset; i < parameter.offset + parameter.shape.elements(); ++i) {
                const auto p = static_cast<std::size_t>(i);
                const float change = 1e-2f * parameter.typical * random.normal();
                forward[p] += change;
                backward[p] -= change;
                expected += gradient[p] * (static_cast<double>(forward[p]) - backward[p]);
            }
        const double difference = loss_at(forward, unused) - loss_at(backward, unused);
        // Third-order terms: the changes are about 1 % of what changes the network noticeably.
        EXPECT_NEAR(difference, expected, 2e-2 * std::abs(expected)) << "direction " << direction;
    }
}

TEST(Trainer, MakesTheSameBitsOnOneAndTwoThreads) {
    const TrainingOptions options =
        small_training(greedy_then_joint(2, 4, 6, fast, fast, exponential_step_weights(2, 0.3)));
    SmallTraining one(options, small_network(), 1), two(options, small_network(), 2);
    while (!one.trainer->finished()) {
        const StepReport a = one.trainer->step(), b = two.trainer->step();
        ASSERT_EQ(a.loss, b.loss) << "step " << a.step;
        ASSERT_EQ(a.validation_psnr, b.validation_psnr) << "step " << a.step;
    }
    EXPECT_EQ(one.parameters(), two.parameters());
}

TEST(Trainer, ContinuesFromASavedStateToTheSameBits) {
    TrainingOptions options =
        small_training(greedy_then_joint(2, 3, 7, fast, fast, exponential_step_weights(2, 0.3)));
    TrainingPhase full = options.phases.back();
    full.optimiser = Optimiser::lbfgs;
    full.steps = 2;
    options.phases.push_back(full);
    options.fixed_patches = 10;
    options.lbfgs.iterations = 3;
    options.adam.clip_norm = 3;
    SmallTraining whole(options, small_network());
    std::vector<TrainingState> states{whole.trainer->state()};
    while (!whole.trainer->finished()) {
        whole.trainer->step();
        states.push_back(whole.trainer->state());
    }
    ASSERT_EQ(states.size(), 16u);
    for (std::size_t at : {0u, 1u, 3u, 5u, 8u, 12u, 14u, 15u}) {
        SmallTraining other(options, small_network());
        other.trainer->restore(states[at]);
        while (!other.trainer->finished()) other.trainer->step();
        EXPECT_EQ(other.parameters(), whole.parameters()) << "continued from step " << at;
    }
}

TEST(Trainer, GreedyPhasesMoveOneStageAndStartFromTheOneBefore) {
    SmallTraining setup(small_training(greedy_then_joint(2, 2, 0, fast, fast, last_only)), small_network());
    const std::vector<float> initial = setup.parameters();
    const std::size_t half = initial.size() / 2;
    const auto first = [&](const std::vector<float>& all) {
        return std::vector(all.begin(), all.begin() + half);
    };
    const auto second = [&](const std::vector<float>& all) {
        return std::vector(all.begin() + half, all.end());
    };
    setup.trainer->step();
    setup.trainer->step();
    const std::vector<float> after_first = setup.parameters();
    EXPECT_NE(first(after_first), first(initial));
    EXPECT_EQ(second(after_first), second(initial));

    TrainingState state = setup.trainer->state();
    setup.trainer->step();
    const std::vector<float> then = setup.parameters();
    EXPECT_EQ(first(then), first(after_first)) << "the first stage stays";
    EXPECT_NE(second(then), second(after_first));
    double moved = 0, from_initial = 0;
    for (std::size_t i = 0; i < half; ++i) {
        moved += std::abs(then[half + i] - after_first[i]);
        from_initial += std::abs(then[half + i] - initial[half + i]);
    }
    EXPECT_LT(moved, from_initial) << "one step away from the first stage, not from where it began";
}

TEST(Trainer, LbfgsLowersTheLossOfItsPatchesEveryStep) {
    TrainingOptions options = small_training(greedy_then_joint(1, 0, 4, fast, fast, {1}));
    options.phases[0].optimiser = Optimiser::lbfgs;
    options.fixed_patches = 13;  // not a multiple of the batch
    options.lbfgs.iterations = 4;
    SmallTraining setup(options, small_network(1));
    double last = INFINITY;
    while (!setup.trainer->finished()) {
        const double loss = setup.trainer->step().loss;
        EXPECT_LT(loss, last);
        last = loss;
    }
}

TEST(Trainer, LearnsManyNoiseLevelsAtOnce) {
    VariationalNetworkOptions network = small_network();
    network.sigma_degree = 1;
    TrainingOptions options = small_training(greedy_then_joint(2, 0, 60, fast, fast, last_only));
    options.noise = {10, 50, true, 4, 0};
    SmallTraining setup(options, network, 1, {10, 50});
    const double before = setup.validation->psnr(*setup.network, 2);
    while (!setup.trainer->finished()) setup.trainer->step();
    EXPECT_GT(setup.validation->psnr(*setup.network, 2), before + 2);
}

TEST(Trainer, KeepsTheBestParametersOfAPhase) {
    // A rate that makes things worse: what remains is the best validated step, not the last.
    LearningRate wild = fast;
    wild.curve = LearningRateCurve::constant;
    wild.rate = 0.3;
    TrainingOptions options = small_training(greedy_then_joint(2, 0, 20, wild, wild, last_only));
    options.validate_every = 1;
    SmallTraining setup(options, small_network());
    double best = 0;
    while (!setup.trainer->finished()) best = std::max(best, *setup.trainer->step().validation_psnr);
    EXPECT_EQ(setup.validation->psnr(*setup.network, 2), best);
}

TEST(Trainer, SaysWhenTheLossIsNoLongerFinite) {
    SmallTraining setup(small_training(greedy_then_joint(2, 0, 5, fast, fast, last_only)), small_network());
    setup.trainer->step();
    for (float& value : setup.network->parameters()) value = NAN;
    EXPECT_THAT([&] { setup.trainer->step(); },
                ThrowsMessage<Error>(HasSubstr("the loss is not finite at step 2 (phase \"joint\"")));
}

TEST(Trainer, RefusesBadOptionsAndForeignStatesByName) {
    const auto refused = [](auto change, const char* message) {
        TrainingOptions options = small_training(greedy_then_joint(2, 1, 1, fast, fast, {0.5, 1}));
        change(options);
        EXPECT_THAT([&] { SmallTraining(options, small_network()); },
                    ThrowsMessage<Error>(HasSubstr(message)));
    };
    refused([](TrainingOptions& o) { o.batch.batch = 0; }, "batch must be at least 1, got 0");
    refused([](TrainingOptions& o) { o.noise.low = -1; },
            "noise levels must be 0 < low <= high, got -1 to 25");
    refused([](TrainingOptions& o) { o.noise.per_step = 3; }, "divide the batch of 8, got 3");
    refused([](TrainingOptions& o) { o.phases[1].depth = 3; }, "phase \"stage 2\": depth must be from 1");
    refused([](TrainingOptions& o) { o.phases.clear(); }, "at least one phase");

    SmallTraining two(small_training(greedy_then_joint(2, 1, 1, fast, fast, {0.5, 1})), small_network(2));
    SmallTraining one(small_training(greedy_then_joint(1, 1, 1, fast, fast, {1})), small_network(1));
    EXPECT_THAT([&] { one.trainer->restore(two.trainer->state()); },
                ThrowsMessage<Error>(HasSubstr("does not fit a network of")));
    TrainingState state = two.trainer->state();
    state.phase = 7;
    EXPECT_THAT([&] { two.trainer->restore(state); },
                ThrowsMessage<Error>(HasSubstr("does not fit the 3 phases")));
}

}  // namespace
}  // namespace sonolux

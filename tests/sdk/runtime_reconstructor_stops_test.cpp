#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include <sonolux/sdk/runtime/reconstructor.hpp>

#include "tests/support/reconstruct.hpp"

namespace sonolux {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;
using testing::ThrowsMessage;

TEST(Reconstructor, ReturnsTheLastFinishedStageWhenCancelled) {
    VariationalNetworkOptions options = tiny_architecture();
    options.stages = 4;
    const Model model = tiny_model(options);
    const Array<float> image = tiny_image({30, 40});
    const auto network = network_from_model(model);
    network->update(25);
    for (const Index last : {1, 2, 3}) {
        Reconstructor reconstructor(model, 30, 40,
                                    {.progress = [last](const Progress& p) { return p.done < last; }});
        reconstructor.bind();
        Array<float> result(image.shape());
        EXPECT_EQ(reconstructor.run(image, result), Status::cancelled);

        Context context(make_serial_runner());
        context.workspace().reserve(network->run_workspace_bytes(30, 40, context));
        Array<float> scaled(image.shape()), expected(image.shape());
        const float scale = network->entry_scale(), back = 1 / scale;
        std::transform(image.begin(), image.end(), scaled.begin(), [&](float v) { return scale * v; });
        network->forward(scaled, {.data = scaled}, expected, last, context);
        std::transform(expected.begin(), expected.end(), expected.begin(), [&](float v) { return back * v; });
        EXPECT_TRUE(same_bits(result, expected)) << last;
    }
}

TEST(Reconstructor, LeavesTilesThatWereNotBegunAsTheInput) {
    const Model model = tiny_model();
    const Array<float> image = tiny_image({30, 40}), whole = run_network(model, image);
    Reconstructor reconstructor(model, 30, 40,
                                {.tile_rows = 10, .tile_columns = 40, .progress = [](const Progress& p) {
                                     EXPECT_EQ(p.total, 6);
                                     return p.done < 2;
                                 }});
    reconstructor.bind();
    Array<float> result(image.shape());
    EXPECT_EQ(reconstructor.run(image, result), Status::cancelled);
    EXPECT_TRUE(same_bits(result.view().block(0, 0, 10, 40), whole.view().block(0, 0, 10, 40)));
    EXPECT_TRUE(same_bits(result.view().block(10, 0, 20, 40), image.view().block(10, 0, 20, 40)));
}

TEST(Reconstructor, CancelsOneRunOnly) {
    const Model model = tiny_model();
    const Array<float> image = tiny_image({30, 40}), whole = run_network(model, image);
    bool go_on = true;
    Reconstructor reconstructor(model, 30, 40, {.progress = [&](const Progress&) { return go_on; }});
    reconstructor.bind();
    Array<float> result(image.shape());
    std::thread([&] { reconstructor.cancel(); }).join();
    EXPECT_EQ(reconstructor.run(image, result), Status::cancelled);
    EXPECT_EQ(reconstructor.run(image, result), Status::ok);
    EXPECT_TRUE(same_bits(result, whole));
    go_on = false;
    EXPECT_EQ(reconstructor.run(image, result), Status::cancelled);
    go_on = true;
    EXPECT_EQ(reconstructor.run(image, result), Status::ok);
}

TEST(Reconstructor, StopsWhenTimeIsUp) {
    const Model model = tiny_model();
    const Array<float> image = tiny_image({30, 40});
    Reconstructor reconstructor(model, 30, 40);
    reconstructor.bind();
    Array<float> result(image.shape());
    reconstructor.set_time_limit(1e-9);
    EXPECT_EQ(reconstructor.run(image, result), Status::deadline_exceeded);
    for (Index i = 0; i < image.elements(); ++i)  // scaled and back: two roundings
        EXPECT_NEAR(result.data()[i], image.data()[i], 1e-6);
    for (const double enough : {3600.0, 1e300, std::numeric_limits<double>::infinity()}) {
        reconstructor.set_time_limit(enough);
        EXPECT_EQ(reconstructor.run(image, result), Status::ok) << enough;
    }
    for (const double wrong : {0.0, -1.0, std::nan("")})
        EXPECT_THAT([&] { reconstructor.set_time_limit(wrong); },
                    ThrowsMessage<Error>(HasSubstr("time limit must be above 0 seconds")));
}

TEST(Reconstructor, ReportsEveryStageOfEveryTile) {
    std::vector<Index> seen;
    const Array<float> image = tiny_image({2, 30, 40});
    (void)run(tiny_model(), image, {.tile_rows = 15, .tile_columns = 20, .progress = [&](const Progress& p) {
                                        EXPECT_EQ(p.total, 2 * 4 * 2);
                                        seen.push_back(p.done);
                                        return true;
                                    }});
    std::vector<Index> expected(16);
    for (Index i = 0; i < 16; ++i) expected[i] = i + 1;
    EXPECT_EQ(seen, expected);
}

TEST(Reconstructor, KeepsSpoiledPixelsAmongThemselves) {
    const Model model = tiny_model();
    const Array<float> clean = tiny_image({40, 50});
    const Array<float> expected = run_network(model, clean);
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), -1e38f})
        for (const Index tile : {0, 11}) {
            Array<float> image = clean.clone();
            image(20, 25) = bad;
            Reconstructor reconstructor(model, 40, 50, {.tile_rows = tile, .tile_columns = tile});
            reconstructor.bind();
            Array<float> result(image.shape());
            EXPECT_EQ(reconstructor.run(image, result), Status::ok);
            EXPECT_EQ(reconstructor.overlap(), 2 * 2);  // stages * 2 * radius
            for (Index r = 0; r < 40; ++r)
                for (Index c = 0; c < 50; ++c) {
                    const Index distance = std::max(std::abs(r - 20), std::abs(c - 25));
                    if (distance > reconstructor.overlap()) {
                        EXPECT_EQ(result(r, c), expected(r, c)) << bad << " reaches " << r << ", " << c;
                    }
                }
            if (std::isnan(bad)) {
                EXPECT_TRUE(std::isnan(result(20, 25)));
            }
        }
}

class StdThreadRunner final : public ThreadRunner {
public:
    int threads() const noexcept override { return 3; }
    void run(Index items, Task task, void* data) noexcept override {
        std::vector<std::thread> team;
        for (int t = 0; t < 3; ++t)
            team.emplace_back([=] {
                for (Index item = items - 1 - t; item >= 0; item -= 3)
                    task(data, item, t);  // backwards, for once
            });
        for (std::thread& member : team) member.join();
    }
};

TEST(Reconstructor, RunsOnTheThreadsOfItsHost) {
    const Model model = tiny_model();
    const Array<float> image = tiny_image({300, 257});
    EXPECT_TRUE(same_bits(run(model, image, {.runner = std::make_shared<StdThreadRunner>()}),
                          run_network(model, image)));
}

}  // namespace
}  // namespace sonolux

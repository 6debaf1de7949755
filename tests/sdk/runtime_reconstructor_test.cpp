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

TEST(Reconstructor, MakesWhatTheNetworkMakes) {
    for (const Shape& size : {Shape{1, 1}, Shape{1, 40}, Shape{7, 3}, Shape{64, 65}}) {
        const Model model = tiny_model();
        const Array<float> image = tiny_image(size);
        const Array<float> result = run(model, image);
        EXPECT_TRUE(same_bits(result, run_network(model, image))) << to_string(size);
        EXPECT_EQ(same_bits(result, image), size == (Shape{1, 1})) << to_string(size);  // zero-mean filters
    }
}

TEST(Reconstructor, GivesTheSameBitsWhateverTheTiles) {
    const Array<float> image = tiny_image({300, 257});
    for (const BoundaryRule boundary : boundary_rules)
        for (const BorderGradient border : {BorderGradient::cropped, BorderGradient::exact}) {
            if (boundary == BoundaryRule::circular && border == BorderGradient::exact)
                continue;  // never in tiles
            VariationalNetworkOptions options = tiny_architecture();
            options.prior.boundary = boundary;
            options.prior.border = border;
            options.momentum = border == BorderGradient::exact;
            const Model model = tiny_model(options);
            const Array<float> whole = run_network(model, image);
            for (const auto& [rows, columns] : {std::pair{64, 64}, {37, 91}, {300, 16}, {16, 257}}) {
                const Array<float> tiled =
                    run(model, image, {.tile_rows = rows, .tile_columns = columns, .threads = 1});
                EXPECT_TRUE(same_bits(tiled, whole))
                    << to_string(boundary) << (border == BorderGradient::exact ? " exact" : " cropped")
                    << ", tiles of " << rows << " x " << columns;
            }
        }
}

TEST(Reconstructor, GivesTheSameBitsWhateverTheTilesOfColourImages) {
    const Array<float> image = tiny_image({3, 150, 131});
    for (const BoundaryRule boundary : {BoundaryRule::symmetric, BoundaryRule::circular}) {
        VariationalNetworkOptions options = tiny_architecture();
        options.prior.filters.channels = 3;
        options.prior.boundary = boundary;
        const Model model = tiny_model(options);
        const Array<float> whole = run(model, image);
        EXPECT_FALSE(same_bits(whole, image));
        for (const auto& [rows, columns] : {std::pair{64, 64}, {37, 91}, {150, 16}, {16, 131}})
            EXPECT_TRUE(same_bits(run(model, image, {.tile_rows = rows, .tile_columns = columns}), whole))
                << to_string(boundary) << ", tiles of " << rows << " x " << columns;
    }
}

TEST(Reconstructor, TakesAsManyChannelsAsItsModelLooksAt) {
    VariationalNetworkOptions options = tiny_architecture();
    options.prior.filters.channels = 3;
    Reconstructor reconstructor(tiny_model(options), 20, 30);
    reconstructor.bind();
    EXPECT_EQ(reconstructor.channels(), 3);
    for (const Shape& shape : {Shape{20, 30}, Shape{1, 20, 30}, Shape{4, 20, 30}, Shape{6, 20, 30}}) {
        const Array<float> image(shape);
        Array<float> result(shape);
        EXPECT_EQ(reconstructor.run(image, result), Status::size_mismatch) << to_string(shape);
        EXPECT_THAT(
            reconstructor.explain(image, result),
            HasSubstr("images must be 3 x 20 x 30, the size of the plan and the channels of the model"));
    }
}

TEST(Reconstructor, GivesTheSameBitsWhateverTheThreadsAndTilesOnEachInstructionSet) {
    VariationalNetworkOptions options = tiny_architecture();
    options.prior.filters = {FilterKind::dct, 6, 5};
    options.stages = 3;
    const Model model = tiny_model(options);
    const Array<float> image = tiny_image({300, 257});
    for (const Isa isa : available_isas()) {
        setenv("SONOLUX_ISA", to_string(isa), 1);
        const Array<float> whole = run(model, image, {.threads = 1});
        for (const int threads : {1, 2, 3})
            for (const auto& [rows, columns] : {std::pair{300, 257}, {50, 60}, {33, 101}})
                EXPECT_TRUE(same_bits(
                    run(model, image, {.tile_rows = rows, .tile_columns = columns, .threads = threads}),
                    whole))
                    << to_string(isa) << ", " << threads << " threads, tiles of " << rows << " x " << columns;
        unsetenv("SONOLUX_ISA");
    }
}

TEST(Reconstructor, CutsNoImageWhoseBorderIsCircularAndExact) {
    VariationalNetworkOptions options = tiny_architecture();
    options.prior.boundary = BoundaryRule::circular;
    options.prior.border = BorderGradient::exact;
    const Model model = tiny_model(options);
    EXPECT_EQ(Reconstructor(model, 30, 40).tiles(), 1);
    EXPECT_THAT([&] { Reconstructor(model, 30, 40, {.tile_rows = 20}); },
                Throws<Error>(AllOf(Property(&Error::status, Status::unsupported),
                                    Property(&Error::what, HasSubstr("got 20 x 0")))));
    EXPECT_THAT([&] { Reconstructor(model, 30, 40, {.memory_limit = 100}); },
                ThrowsMessage<Error>(HasSubstr("memory_limit must be at least")));
}

TEST(Reconstructor, ChoosesTilesWithinTheMemoryLimit) {
    const Model model = tiny_model();
    const Array<float> image = tiny_image({300, 257});
    const Array<float> whole = run_network(model, image);
    const std::size_t all = Reconstructor(model, 300, 257).workspace_bytes();
    for (const std::size_t limit : {all, all - 1, all / 2, all / 4}) {
        const ReconstructorOptions options{.memory_limit = limit, .threads = 1};
        Reconstructor reconstructor(model, 300, 257, options);
        EXPECT_LE(reconstructor.workspace_bytes(), limit);
        EXPECT_EQ(reconstructor.tiles() == 1, limit == all);
        EXPECT_TRUE(same_bits(run(model, image, options), whole)) << limit;
    }
    for (const Index columns : {20, 64}) {
        Reconstructor reconstructor(model, 300, 257, {.tile_columns = columns, .memory_limit = all / 2});
        EXPECT_EQ(reconstructor.tile_columns(), columns);
        EXPECT_LE(reconstructor.workspace_bytes(), all / 2);
    }
}

TEST(Reconstructor, SaysWhichMemoryLimitWouldDo) {
    try {
        Reconstructor(tiny_model(), 300, 257, {.memory_limit = 1000, .threads = 1});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::invalid_argument);
        EXPECT_THAT(error.what(), HasSubstr("memory_limit must be at least"));
        const std::size_t enough =
            std::stoul(std::string(error.what()).substr(std::strlen("memory_limit must be at least ")));
        EXPECT_LE(
            Reconstructor(tiny_model(), 300, 257, {.memory_limit = enough, .threads = 1}).workspace_bytes(),
            enough);
    }
}

TEST(Reconstructor, StaysInsideTheMemoryItIsGiven) {
    const Model model = tiny_model();
    const Array<float> image = tiny_image({90, 70});
    for (const Index tile : {0, 40}) {
        Reconstructor reconstructor(model, 90, 70, {.tile_rows = tile, .tile_columns = tile});
        const std::size_t bytes = reconstructor.workspace_bytes();
        Array<std::byte> memory({static_cast<Index>(bytes) + 128});
        std::fill(memory.begin(), memory.end(), std::byte{0xA5});
        reconstructor.bind({memory.data() + 64, bytes});
        Array<float> result(image.shape());
        ASSERT_EQ(reconstructor.run(image, result), Status::ok);
        for (int i = 0; i < 64; ++i) {
            EXPECT_EQ(memory.data()[i], std::byte{0xA5});
            EXPECT_EQ(memory.data()[64 + bytes + i], std::byte{0xA5});
        }
        EXPECT_TRUE(same_bits(result, run_network(model, image)));
    }
}

TEST(Reconstructor, RefusesShortAndCrookedMemory) {
    Reconstructor reconstructor(tiny_model(), 20, 30);
    const std::size_t bytes = reconstructor.workspace_bytes();
    Array<std::byte> memory({static_cast<Index>(bytes) + 64});
    EXPECT_THAT(
        [&] {
            reconstructor.bind({memory.data(), bytes - 1});
        },
        Throws<Error>(AllOf(Property(&Error::status, Status::size_mismatch),
                            Property(&Error::what, HasSubstr(sentence("must have at least ", bytes,
                                                                      " bytes, got ", bytes - 1))))));
    EXPECT_THAT(
        [&] {
            reconstructor.bind({memory.data() + 4, bytes});
        },
        Throws<Error>(AllOf(Property(&Error::status, Status::invalid_argument),
                            Property(&Error::what, HasSubstr("multiple of 64 bytes, got an address 4")))));
    EXPECT_FALSE(reconstructor.bound());
}

TEST(Reconstructor, CanBeBoundAgain) {
    const Model model = tiny_model();
    const Array<float> image = tiny_image({20, 30});
    Reconstructor reconstructor(model, 20, 30);
    Array<float> result(image.shape());
    {
        Array<std::byte> memory({static_cast<Index>(reconstructor.workspace_bytes())});
        reconstructor.bind({memory.data(), reconstructor.workspace_bytes()});
        EXPECT_EQ(reconstructor.run(image, result), Status::ok);
    }
    reconstructor.bind();  // the first memory is gone
    EXPECT_EQ(reconstructor.run(image, result), Status::ok);
    EXPECT_TRUE(same_bits(result, run_network(model, image)));
}

TEST(Reconstructor, TakesRowsAndChannelsWithAnyStride) {
    const Model model = tiny_model();
    Array<float> wide = tiny_image({40, 100});
    for (const Index tile : {0, 16}) {
        Reconstructor reconstructor(model, 40, 50, {.tile_rows = tile, .tile_columns = tile});
        reconstructor.bind();
        // From the left half of a wide image into its right half.
        const View<float> left = wide.view().block(0, 0, 40, 50), right = wide.view().block(0, 50, 40, 50);
        Array<float> plain({40, 50});
        for (Index i = 0; i < 40; ++i) std::copy_n(left.row(i), 50, plain.view().row(i));
        ASSERT_EQ(reconstructor.run(left, right), Status::ok);
        EXPECT_TRUE(same_bits(right, run_network(model, plain)));
        for (Index i = 0; i < 40; ++i)
            EXPECT_EQ(std::memcmp(left.row(i), plain.view().row(i), 50 * sizeof(float)), 0);

        const Array<float> colours = tiny_image({3, 40, 50});
        Array<float> result({3, 40, 50});
        ASSERT_EQ(reconstructor.run(colours, result), Status::ok);
        for (Index c = 0; c < 3; ++c)
            EXPECT_TRUE(same_bits(result.view()[c], run_network(model, colours.view()[c])));
    }
}

TEST(Reconstructor, WorksInPlaceWhereThereIsOneTile) {
    const Model model = tiny_model();
    Array<float> image = tiny_image({40, 50});
    const Array<float> expected = run_network(model, image);
    Reconstructor tiled(model, 40, 50, {.tile_rows = 20, .tile_columns = 50});
    tiled.bind();
    EXPECT_EQ(tiled.run(image, image), Status::invalid_argument);
    EXPECT_THAT(tiled.explain(image, image), HasSubstr("worked on in tiles"));
    Reconstructor whole(model, 40, 50);
    whole.bind();
    EXPECT_EQ(whole.run(image, image), Status::ok);
    EXPECT_TRUE(same_bits(image, expected));
}

TEST(Reconstructor, RefusesImagesThatOverlap) {
    Array<float> memory({80, 50});
    Reconstructor reconstructor(tiny_model(), 40, 50);
    reconstructor.bind();
    const auto at = [&](Index offset) { return View<float>(memory.data() + offset, Shape{40, 50}); };
    for (const Index offset : {1, 49, 50, 1999}) {
        EXPECT_EQ(reconstructor.run(at(0), at(offset)), Status::invalid_argument) << offset;
        EXPECT_EQ(reconstructor.run(at(offset), at(0)), Status::invalid_argument) << offset;
    }
    EXPECT_EQ(reconstructor.run(at(0), at(2000)), Status::ok);
    EXPECT_THAT(reconstructor.explain(at(0), at(7)), HasSubstr("must be the same image or not overlap"));
}

TEST(Reconstructor, RefusesOtherSizesThanPlannedAndSaysSo) {
    Reconstructor reconstructor(tiny_model(), 40, 50);
    Array<float> right({40, 50}), wrong({50, 40}), line({2000}), three({3, 40, 50});
    EXPECT_EQ(reconstructor.run(right, three.view()[0]), Status::invalid_argument);
    EXPECT_THAT(reconstructor.explain(right, right), HasSubstr("bind comes before run"));
    reconstructor.bind();
    EXPECT_EQ(reconstructor.run(wrong, wrong), Status::size_mismatch);
    EXPECT_EQ(reconstructor.run(line, line), Status::size_mismatch);
    EXPECT_EQ(reconstructor.run(right, three), Status::size_mismatch);
    EXPECT_EQ(reconstructor.run(right, View<float>()), Status::size_mismatch);
    EXPECT_THAT(
        reconstructor.explain(wrong, right),
        HasSubstr(
            "must be 40 x 50, the size of the plan, or stacks of such planes, got 50 x 40 and 40 x 50"));
}

TEST(Reconstructor, RefusesSizesAndThreadsByName) {
    const Model model = tiny_model();
    EXPECT_THAT([&] { Reconstructor(model, 0, 4); },
                ThrowsMessage<Error>(HasSubstr("rows must be from 1 to 16777216, got 0")));
    EXPECT_THAT([&] { Reconstructor(model, 4, Reconstructor::largest_size + 1); },
                ThrowsMessage<Error>(HasSubstr("columns must be from 1 to 16777216, got 16777217")));
    EXPECT_THAT([&] { Reconstructor(model, 4, 4, {.tile_rows = -1}); },
                ThrowsMessage<Error>(HasSubstr("tile_rows must be at least 0, got -1")));
    EXPECT_THAT([&] { Reconstructor(model, 4, 4, {.threads = 100000}); },
                ThrowsMessage<Error>(HasSubstr("threads must be from 0 to 1024, got 100000")));
}

TEST(Reconstructor, PlansTheLargestImageWithoutOverflow) {
    const Index size = Reconstructor::largest_size;
    const Reconstructor reconstructor(tiny_model(), size, size, {.threads = 1});
    EXPECT_LE(reconstructor.workspace_bytes(), std::size_t{64} << 20);
}

TEST(Reconstructor, RunsOnlyAtNoiseLevelsTheModelKnows) {
    const Model one_level = tiny_model();
    EXPECT_EQ(Reconstructor(one_level, 4, 4).sigma(), 25);
    EXPECT_EQ(Reconstructor(one_level, 4, 4, {.sigma = 25}).sigma(), 25);
    EXPECT_THAT([&] { Reconstructor(one_level, 4, 4, {.sigma = 50}); },
                ThrowsMessage<Error>(HasSubstr("sigma must be 25, what the model was trained for, got 50")));

    VariationalNetworkOptions options = tiny_architecture();
    options.sigma_degree = 2;
    const Model model = tiny_model(options);
    EXPECT_THAT([&] { Reconstructor(model, 4, 4); },
                ThrowsMessage<Error>(
                    HasSubstr("sigma must be given: model \"tiny\" serves noise levels from 5 to 55")));
    for (const float sigma : {4.9f, 55.1f, -1.0f, std::nanf(""), std::numeric_limits<float>::infinity()})
        EXPECT_THAT([&] { Reconstructor(model, 4, 4, {.sigma = sigma}); },
                    ThrowsMessage<Error>(HasSubstr("sigma must be from 5 to 55")));

    const Array<float> image = tiny_image({20, 30});
    Reconstructor reconstructor(model, 20, 30, {.sigma = 20});
    reconstructor.bind();
    Array<float> result(image.shape());
    for (const float sigma : {20.0f, 5.0f, 55.0f}) {
        reconstructor.set_sigma(sigma);
        ASSERT_EQ(reconstructor.run(image, result), Status::ok);
        EXPECT_TRUE(same_bits(result, run_network(model, image, sigma))) << sigma;
    }
    EXPECT_FALSE(same_bits(run_network(model, image, 5), run_network(model, image, 55)));
}

TEST(Reconstructor, RunsNothingButWhatItsNetworksSolve) {
    Model model = tiny_model();
    for (const char* kind : {"deblur", "sound_speed"}) {  // no variational network deblurs
        model.problem.kind = kind;
        EXPECT_THAT([&] { Reconstructor(model, 4, 4); },
                    Throws<Error>(AllOf(Property(&Error::status, Status::unsupported),
                                        Property(&Error::what, HasSubstr(sentence("\"", kind, "\""))))));
    }
}

}  // namespace
}  // namespace sonolux

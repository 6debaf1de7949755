// tests/core/view_test.cpp
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <numeric>

#include <sonolux/core/array.hpp>

namespace sonolux {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

Array<int> counted(const Shape& shape) {
    Array<int> array(shape);
    std::iota(array.begin(), array.end(), 0);
    return array;
}

TEST(Shape, CountsSizesFromBothEnds) {
    const Shape shape{2, 3, 480, 640};
    EXPECT_EQ(shape.rank(), 4);
    EXPECT_EQ(shape[1], 3);
    EXPECT_EQ(shape.last(0), 640);
    EXPECT_EQ(shape.last(1), 480);
    EXPECT_EQ(Shape{7}.last(1), 1);
    EXPECT_EQ(shape.elements(), 2 * 3 * 480 * 640);
    EXPECT_EQ(Shape{}.elements(), 1);
    EXPECT_EQ((Shape{5, 0, 3}.elements()), 0);
}

TEST(Shape, DiffersByRankAndBySize) {
    EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
    EXPECT_NE((Shape{2, 3}), (Shape{3, 2}));
    EXPECT_NE((Shape{2, 3}), (Shape{1, 2, 3}));
    EXPECT_EQ(to_string(Shape{2, 480, 640}), "2 x 480 x 640");
    EXPECT_EQ(to_string(Shape{}), "scalar");
}

TEST(View, IsRowMajor) {
    Array<int> array = counted({2, 3, 4, 5});
    EXPECT_EQ(array(1, 2, 3, 4), 119);
    EXPECT_EQ(array(1, 0, 2, 1), 1 * 60 + 0 * 20 + 2 * 5 + 1);
    EXPECT_EQ(array.view()[1][2](3, 4), 119);
    EXPECT_EQ(array.view()[1].shape(), (Shape{3, 4, 5}));
    EXPECT_EQ(*array.view()[1][1].row(2), 60 + 20 + 10);
    EXPECT_TRUE(array.view().contiguous());
}

TEST(View, BlockLooksIntoItsImage) {
    Array<int> image = counted({4, 6});
    const View<int> block = image.view().block(1, 2, 2, 3);
    EXPECT_EQ(block.shape(), (Shape{2, 3}));
    EXPECT_EQ(block.row_stride(), 6);
    EXPECT_FALSE(block.contiguous());
    EXPECT_EQ(block(0, 0), 8);
    EXPECT_EQ(block(1, 2), 16);
    block(1, 2) = -1;
    EXPECT_EQ(image(2, 4), -1);
    EXPECT_EQ(block.block(1, 1, 1, 2)(0, 1), -1);
    EXPECT_TRUE(image.view().block(1, 0, 2, 6).contiguous());
    EXPECT_TRUE(image.view().block(1, 2, 1, 3).contiguous());  // a piece of one row
}

TEST(View, OfSomethingBecomesOneOfConst) {
    Array<float> array({2, 2});
    const View<const float> view = array.view();
    array(1, 1) = 3;
    EXPECT_EQ(view(1, 1), 3);
    EXPECT_EQ(view.shape(), array.shape());
}

TEST(View, KnowsWhenThereIsNothingToSee) {
    EXPECT_TRUE(View<float>().empty());
    EXPECT_TRUE(Array<float>({3, 0}).view().empty());
    float one = 1;
    EXPECT_FALSE(View<float>(&one, Shape{}).empty());
}

TEST(Array, StartsAtZeroOnACacheLine) {
    for (Index columns : {1, 7, 64, 1000}) {
        const Array<float> array({3, columns});
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 64, 0u);
        for (float v : array) ASSERT_EQ(v, 0);
    }
}

TEST(Array, CloneIsACopyAndMoveIsNot) {
    Array<int> first = counted({2, 2});
    const int* memory = first.data();
    Array<int> copy = first.clone();
    copy(0, 0) = 99;
    EXPECT_EQ(first(0, 0), 0);
    const Array<int> moved = std::move(first);
    EXPECT_EQ(moved.data(), memory);
    EXPECT_THAT(std::vector<int>(moved.begin(), moved.end()), ElementsAre(0, 1, 2, 3));
}

TEST(Array, OfNothingIsEmpty) {
    EXPECT_EQ(Array<float>().elements(), 0);
    const Array<float> none({0, 5});
    EXPECT_EQ(none.elements(), 0);
    EXPECT_EQ(none.begin(), none.end());
    EXPECT_EQ(none.clone().shape(), (Shape{0, 5}));
}

TEST(Array, RefusesSizesThatNoMemoryHolds) {
    constexpr Index huge = Index{1} << 40;
    EXPECT_THAT([] { Array<float>({2, -3}); }, ThrowsMessage<Error>(HasSubstr("at least 0, got 2 x -3")));
    // The number of bytes overflows 64 bits to exactly 0.
    EXPECT_THAT(
        [] {
            Array<float>({huge, huge});
        },
        ThrowsMessage<Error>(HasSubstr("no memory for an array")));
    EXPECT_THAT([] { Array<double>({std::numeric_limits<Index>::max() / 4}); },
                ThrowsMessage<Error>(HasSubstr("no memory for an array")));
    try {
        Array<float>({huge, huge, huge, huge});
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::out_of_memory);
    }
    EXPECT_EQ(Array<float>({huge, huge, 0}).elements(), 0);
}

}  // namespace
}  // namespace sonolux

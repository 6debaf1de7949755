// tests/core/workspace_test.cpp
#include <gtest/gtest.h>

#include <cstdint>

#include <sonolux/core/workspace.hpp>

namespace sonolux {
namespace {

bool aligned(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory) % 64 == 0; }

TEST(Workspace, HandsOutAlignedBlocksThatDoNotOverlap) {
    Workspace workspace;
    workspace.reserve(Workspace::bytes<float>(5) + Workspace::bytes<double>(9) + Workspace::bytes<char>(1));
    Scratch scratch(workspace);
    float* a = scratch.take<float>(5);
    double* b = scratch.take<double>(9);
    char* c = scratch.take<char>(1);
    ASSERT_TRUE(a && b && c);
    EXPECT_TRUE(aligned(a) && aligned(b) && aligned(c));
    EXPECT_LE(reinterpret_cast<char*>(a + 5), reinterpret_cast<char*>(b));
    EXPECT_LE(reinterpret_cast<char*>(b + 9), c);
    EXPECT_EQ(workspace.used(), workspace.size());
}

TEST(Workspace, IsGivenBackWhenScratchGoesOutOfScope) {
    Workspace workspace;
    workspace.reserve(1024);
    float* inner_block = nullptr;
    {
        Scratch outer(workspace);
        (void)outer.take<float>(16);
        {
            Scratch inner(workspace);
            inner_block = inner.take<float>(32);
            EXPECT_EQ(workspace.used(), 64u + 128u);
        }
        EXPECT_EQ(workspace.used(), 64u);
        EXPECT_EQ(outer.take<float>(1), inner_block);
    }
    EXPECT_EQ(workspace.used(), 0u);
    EXPECT_EQ(workspace.peak(), 64u + 128u);
}

TEST(Workspace, GrowsByReserveAndNeverShrinks) {
    Workspace workspace;
    workspace.reserve(1000);
    workspace.reserve(10);
    EXPECT_GE(workspace.size(), 1000u);
    workspace.reserve(5000);
    EXPECT_GE(workspace.size(), 5000u);
}

TEST(Workspace, UsesTheMemoryOfTheCaller) {
    alignas(64) std::byte memory[256];
    Workspace workspace;
    workspace.bind(memory, sizeof memory);
    Scratch scratch(workspace);
    EXPECT_EQ(static_cast<void*>(scratch.take<float>({2, 8}).data()), static_cast<void*>(memory));
    EXPECT_EQ(static_cast<void*>(scratch.take<char>(64)), static_cast<void*>(memory + 64));
}

TEST(Workspace, GivesNothingBeyondItsSize) {
#ifdef NDEBUG
    Workspace workspace;
    workspace.reserve(128);
    Scratch scratch(workspace);
    EXPECT_EQ(scratch.take<float>(33), nullptr);
    EXPECT_NE(scratch.take<float>(32), nullptr);
    EXPECT_EQ(scratch.take<char>(1), nullptr);
#else
    GTEST_SKIP() << "stops the program in debug builds";
#endif
}

}  // namespace
}  // namespace sonolux

// tests/house/version_test.cpp
#include <gtest/gtest.h>

#include <string>

#include <sonolux/sdk/runtime/sonolux.h>

namespace sonolux {
namespace {

TEST(Version, IsTheSameInTheHeaderTheLibraryAndTheBuild) {
    const std::string header = std::to_string(SLX_VERSION_MAJOR) + "." + std::to_string(SLX_VERSION_MINOR) +
                               "." + std::to_string(SLX_VERSION_PATCH);
    EXPECT_EQ(header, SLX_VERSION);
    EXPECT_EQ(slx_version(), static_cast<std::uint32_t>(SLX_VERSION_NUMBER));
}

}  // namespace
}  // namespace sonolux

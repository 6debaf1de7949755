// A large image in the memory that is promised.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

#include <sonolux/sdk/runtime/reconstructor.hpp>

#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

// A field of /proc/self/status, in bytes; 0 where there is no such thing.
std::size_t memory_status(const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(field + ":")) return std::stoul(line.substr(field.size() + 1)) * 1024;
    return 0;
}

// Makes the peak count from now on.
bool reset_peak() {
    std::ofstream clear("/proc/self/clear_refs");
    clear << 5 << std::flush;
    return static_cast<bool>(clear);
}

TEST(ReconstructorSlow, DenoisesSixteenMegapixelsInSixtyFourMegabytesToTheSameBits) {
    constexpr std::size_t limit = std::size_t{64} << 20;
    constexpr Index size = 4096;
    VariationalNetworkOptions options = tiny_architecture();  // with the overlap of a real one
    options.stages = 5;
    options.prior.filters = {FilterKind::dct, 2, 7};
    const Model model = tiny_model(options);
    const Array<float> image = tiny_image({size, size});
    Array<float> tiled({size, size}), whole({size, size});

    const std::size_t before = memory_status("VmRSS");
    [[maybe_unused]] const bool measured = before > 0 && reset_peak();
    {
        Reconstructor reconstructor(model, size, size);
        EXPECT_LE(reconstructor.workspace_bytes(), limit);
        EXPECT_GT(reconstructor.tiles(), 1);
        reconstructor.bind();
        ASSERT_EQ(reconstructor.run(image, tiled), Status::ok);
        RecordProperty("tiles", static_cast<int>(reconstructor.tiles()));
        RecordProperty("workspace_bytes", static_cast<int>(reconstructor.workspace_bytes()));
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep books in memory too
    if (measured) {
        // 4 MiB for the network, and for stacks and heaps of threads.
        EXPECT_LE(memory_status("VmHWM"), before + limit + (std::size_t{4} << 20));
    }
#endif

    Reconstructor reconstructor(model, size, size, {.memory_limit = std::size_t{1} << 40});
    EXPECT_EQ(reconstructor.tiles(), 1);
    EXPECT_GT(reconstructor.workspace_bytes(), 3 * limit);
    reconstructor.bind();
    ASSERT_EQ(reconstructor.run(image, whole), Status::ok);
    EXPECT_EQ(std::memcmp(tiled.data(), whole.data(), static_cast<std::size_t>(size * size) * sizeof(float)),
              0);
}

}  // namespace
}  // namespace sonolux

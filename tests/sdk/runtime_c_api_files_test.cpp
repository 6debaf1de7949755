#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/sdk/runtime/sonolux.hpp>

#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Loads bytes as a model, and uses what comes out. Returns whether they were accepted.
bool use(const std::vector<std::byte>& bytes) {
    slx_error error;
    slx_model* model = nullptr;
    const slx_status status = slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error);
    EXPECT_EQ(status == SLX_OK, model != nullptr);
    if (status != SLX_OK) {
        EXPECT_NE(error.text[0], '\0');
        EXPECT_TRUE(status == SLX_CORRUPT_DATA || status == SLX_UNSUPPORTED) << status << " " << error.text;
        return false;
    }
    slx_model_info info{};
    info.size = sizeof info;
    EXPECT_EQ(slx_model_get_info(model, &info, nullptr), SLX_OK);
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = 9;
    options.columns = 12;
    options.sigma = info.sigma_max;
    options.threads = 1;
    slx_plan* plan = nullptr;
    if (slx_plan_create(model, &options, &plan, &error) == SLX_OK) {
        EXPECT_EQ(slx_plan_bind(plan, nullptr, 0, &error), SLX_OK) << error.text;
        Array<float> image = tiny_image({9, 12});
        const slx_input in{image.data(), 9, 12, 12};
        const slx_output out{image.data(), 9, 12, 12};
        EXPECT_EQ(slx_plan_run(plan, &in, &out, &error), SLX_OK) << error.text;
    }
    slx_plan_destroy(plan);
    slx_model_destroy(model);
    return true;
}

TEST(CInterface, SurvivesMutatedModels) {
    const std::vector<std::byte>& original = tiny_file();
    ASSERT_TRUE(use(original));
    std::size_t header = 0;
    std::memcpy(&header, original.data(), 8);
    Philox random(11);
    int accepted = 0;
    for (int round = 0; round < 10000; ++round) {
        std::vector<std::byte> bytes = original;
        const auto anywhere = [&] {
            return static_cast<std::size_t>(random.below(static_cast<Index>(bytes.size())));
        };
        for (Index changes = 1 + random.below(3); changes > 0 && !bytes.empty(); --changes) {
            // Half of all changes hit the header, where the structure is.
            const std::size_t at =
                random.below(2) == 0
                    ? std::min(anywhere(),
                               8 + static_cast<std::size_t>(random.below(static_cast<Index>(header))))
                    : anywhere();
            switch (random.below(6)) {
                case 0: bytes[at] ^= static_cast<std::byte>(1 << random.below(8)); break;
                case 1: bytes[at] = static_cast<std::byte>(random.below(256)); break;
                case 2: bytes[at] = static_cast<std::byte>('0' + random.below(10)); break;
                case 3: bytes.resize(at); break;
                case 4: bytes.insert(bytes.begin() + static_cast<Index>(at), bytes[anywhere()]); break;
                case 5: {  // a piece from elsewhere
                    const std::size_t from = anywhere();
                    const std::size_t length =
                        std::min({std::size_t{16}, bytes.size() - at, bytes.size() - from});
                    std::memmove(&bytes[at], &bytes[from], length);
                    break;
                }
            }
        }
        accepted += use(bytes);
    }
    EXPECT_LT(accepted, 5000);  // changes of names, licences and metrics are not damage
}

TEST(CInterface, SurvivesEveryTruncation) {
    for (std::size_t size = 1; size < tiny_file().size(); size += size < 64 ? 1 : 37)
        EXPECT_FALSE(use({tiny_file().begin(), tiny_file().begin() + static_cast<Index>(size)})) << size;
}

TEST(CInterface, SurvivesModelsWithParametersOfAnySize) {
    Philox random(12);
    for (int round = 0; round < 100; ++round) {
        Model model = tiny_model();
        for (NamedTensor& tensor : model.tensors)
            for (float& value : tensor.values)
                if (random.below(4) == 0)
                    value = std::ldexp(random.normal(), static_cast<int>(random.below(250)) - 125);
        EXPECT_TRUE(use(save_model(model)));
    }
}

}  // namespace
}  // namespace sonolux

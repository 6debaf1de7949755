// tests/support/reconstruct.hpp
//
// A reconstructor run in one call, what it is compared with, and the comparison.
#pragma once

#include <gtest/gtest.h>

#include <cstring>

#include <sonolux/sdk/runtime/reconstructor.hpp>

#include "tests/support/tiny_model.hpp"

namespace sonolux {

inline bool same_bits(View<const float> a, View<const float> b) {
    if (a.shape() != b.shape()) return false;
    const std::size_t row_bytes = static_cast<std::size_t>(a.columns()) * sizeof(float);
    for (Index c = 0; c < plane_count(a); ++c)
        for (Index i = 0; i < a.rows(); ++i)
            if (std::memcmp(plane_of(a, c).row(i), plane_of(b, c).row(i), row_bytes) != 0) return false;
    return true;
}

inline Array<float> run(const Model& model, View<const float> image,
                        const ReconstructorOptions& options = {}) {
    Reconstructor reconstructor(model, image.rows(), image.columns(), options);
    reconstructor.bind();
    Array<float> result(image.shape());
    EXPECT_EQ(reconstructor.run(image, result), Status::ok);
    return result;
}

// What the network itself makes of the image, without plan and tiles.
inline Array<float> run_network(const Model& model, View<const float> image, float sigma = 25) {
    const auto network = network_from_model(model);
    network->update(sigma);
    Context context(make_serial_runner());
    context.workspace().reserve(network->run_workspace_bytes(image.rows(), image.columns(), context));
    Array<float> result(image.shape());
    EXPECT_EQ(network->run(image, result, context), Status::ok);
    return result;
}

}  // namespace sonolux

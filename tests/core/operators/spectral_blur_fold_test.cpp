// tests/core/operators/spectral_blur_fold_test.cpp
#include <gtest/gtest.h>

#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/core/random.hpp>

namespace sonolux {
namespace {

TEST(FoldKernels, BlurASmallImageAsThePlaneThatItTiles) {
    const Index rows = 6, columns = 5, tall = 5 * rows, wide = 5 * columns;
    for (const Index size : {3, 9, 16, 21}) {
        Array<float> kernels({2, 2, size, size + 1}), tile({2, rows, columns}), plane({2, tall, wide});
        fill_normal(kernels, Philox(1));
        fill_normal(tile, Philox(2));
        for (Index c = 0; c < 2; ++c)
            for (Index i = 0; i < tall; ++i)
                for (Index j = 0; j < wide; ++j) plane(c, i, j) = tile(c, i % rows, j % columns);
        SpectralBlur small(2, 2, rows, columns), large(2, 2, tall, wide);
        small.set_kernels(fold_kernels(kernels, rows, columns));
        large.set_kernels(kernels);
        Context context(make_serial_runner());
        context.workspace().reserve(large.workspace_bytes(context));
        Array<float> of_tile(tile.shape()), of_plane(plane.shape());
        small.apply(tile, of_tile, context);
        large.apply(plane, of_plane, context);
        for (Index c = 0; c < 2; ++c)
            for (Index i = 0; i < rows; ++i)
                for (Index j = 0; j < columns; ++j)
                    EXPECT_NEAR(of_tile(c, i, j), of_plane(c, i, j), 2e-4) << size;
    }
}

}  // namespace
}  // namespace sonolux

// tests/fuzz/kernel_fuzz.cpp
//
// A file that holds a blur kernel: PNG, TIFF, NumPy or text, as its bytes say, and what deblurring makes of
// it. MATLAB files are left out: another library reads them, from disk.
#include <cmath>

#include <sonolux/sdk/files/kernel_file.hpp>
#include <sonolux/solvers/kernel_check.hpp>

#include "tests/fuzz/fuzz.hpp"

using namespace sonolux;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::expect_manners({Status::corrupt_data, Status::unsupported}, [&] {
        const Array<float> kernel = decode_kernel(fuzz::bytes_of(data, size), fuzz::source);
        fuzz::expect(kernel.shape().rank() == 2 && kernel.elements() > 0, "a kernel is [rows, columns]");
        for (const float tap : kernel) fuzz::expect(std::isfinite(tap), "taps are finite");
        fuzz::expect_manners({Status::invalid_argument}, [&] {
            const NormalisedKernel used = normalise_kernel(kernel, {64, 64}, fuzz::source);
            const Shape shape = used.kernel.shape();
            fuzz::expect(shape[0] % 2 == 1 && shape[1] % 2 == 1, "kernels have odd sizes in the end");
            fuzz::expect(shape[0] <= 64 && shape[1] <= 64, "kernels are not larger than the image");
            double sum = 0;
            for (const float tap : used.kernel) {
                fuzz::expect(tap >= 0, "taps are not negative in the end");
                sum += double{tap};
            }
            fuzz::expect(std::abs(sum - 1) < 1e-6, "taps sum to 1 in the end");
        });
    });
    return 0;
}

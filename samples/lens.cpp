// lens: recovers a photograph that was taken through a diffractive lens.
//
//     lens MODEL CAPTURE OUTPUT
//     lens models/lens_harmonic.safetensors capture.tif sharp.tif
//
// CAPTURE has the camera's red, green and blue at each pixel, in linear light and balanced so that white is 1
// in all three: 16-bit PNG, or TIFF of 16 bits or float. OUTPUT is what the sensor would have seen without
// blur, likewise. MODEL knows the lens: a model for another lens makes a mess.
#include <cstdio>
#include <exception>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/runtime/lens_recovery.hpp>

namespace {

void recover(const char* model_path, const char* input_path, const char* output_path) {
    // 1. The network, the kernels of its lens, and how the sensor counts.
    const sonolux::Model model = sonolux::load_model_file(model_path);
    const sonolux::LensProblem lens = sonolux::lens_problem(model.problem, model_path);

    // 2. What to run it on.
    sonolux::Image capture = sonolux::read_image(input_path);
    if (capture.bits == 8)
        std::printf("%s: 8 bits are rarely linear in light: the colours may be wrong\n", input_path);

    // 3. Bound to this size. Light from beyond the border of the capture fell into it too, from as far as the
    // kernels reach.
    sonolux::Context context;
    const sonolux::Index reach = sonolux::lens_kernels(model).rows() / 2;
    sonolux::LensRecovery recovery(model, capture.rows(), capture.columns(), reach, context);

    // 4. The noise follows from how bright the capture is and how many electrons white is.
    const std::vector<double> noise = sonolux::noise_of_capture(lens, capture.pixels);
    sonolux::Array<float>& image = capture.pixels;  // in place
    if (recovery.run(capture.pixels, noise, image, context) != sonolux::Status::ok)
        throw sonolux::Error(sonolux::Status::internal_error, "the capture was not recovered");

    std::printf("%s: %s, %lld x %lld pixels of %g um\n", output_path, model.name.c_str(),
                static_cast<long long>(image.shape()[1]), static_cast<long long>(image.shape()[2]),
                1e6 * lens.pixel);
    sonolux::write_image(output_path, image, capture.bits);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) {
        std::fprintf(stderr, "usage: lens MODEL CAPTURE OUTPUT\n");
        return 2;
    }
    try {
        recover(arguments[1], arguments[2], arguments[3]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "lens: %s\n", error.what());
        return 1;
    }
}

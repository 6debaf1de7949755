// deblur: sharpens a photograph whose blur is known.
//
//     deblur MODEL INPUT KERNEL OUTPUT [SIGMA]
//     deblur models/deblur.safetensors blurred.png kernel.png sharp.png 2
//
// KERNEL is the picture of a point in the scene: PNG, TIFF, NumPy .npy, MATLAB .mat or a text of numbers.
// SIGMA is the standard deviation of the noise in 8-bit grey levels; without it, it is estimated. Reads PNG,
// TIFF and JPEG, writes PNG and TIFF. Each colour channel is sharpened by itself, with the same kernel.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/kernel_file.hpp>
#include <sonolux/sdk/runtime/sonolux.hpp>
#include <sonolux/solvers/kernel_check.hpp>
#include <sonolux/solvers/noise_level.hpp>

namespace {

// In 8-bit grey levels, within what the model knows. Rounding to 8 bits leaves 0.29 of it.
float estimated_sigma(const sonolux::Image& image, const slx_model_info& model) {
    sonolux::Context context;
    const double estimate = 255 * sonolux::estimate_noise_level(image.pixels, context).combined;
    return std::clamp(static_cast<float>(estimate), model.sigma_min, model.sigma_max);
}

void deblur(const char* model_path, const char* input_path, const char* kernel_path, const char* output_path,
            float sigma) {
    // 1. What to run, and what to run it on.
    const slx::Model model(model_path);
    sonolux::Image image = sonolux::read_image(input_path);
    const auto rows = static_cast<std::size_t>(image.rows());
    const auto columns = static_cast<std::size_t>(image.columns());

    // 2. The kernel as files have it, in whatever units, becomes one of sum 1; what was changed is said.
    const sonolux::NormalisedKernel kernel =
        sonolux::normalise_kernel(sonolux::read_kernel(kernel_path), image.pixels.shape(), kernel_path);
    for (const std::string& note : kernel.notes) std::printf("%s: %s\n", kernel_path, note.c_str());

    // 3. A plan for images of this size, kernels up to this size, and this noise. Another kernel and another
    // sigma can be set between runs.
    slx_plan_options options = {};
    options.sigma = sigma > 0 ? sigma : estimated_sigma(image, model.info());
    options.kernel = kernel.kernel.data();
    options.kernel_rows = static_cast<std::size_t>(kernel.kernel.shape()[0]);
    options.kernel_columns = static_cast<std::size_t>(kernel.kernel.shape()[1]);
    slx::Plan plan(model, rows, columns, options);
    plan.bind();
    const slx_plan_info planned = plan.info();
    std::printf(
        "%s: %zu x %zu pixels, %d channels, %zu x %zu kernel, %ssigma %.3g, %.1f MB, %s, %d threads\n",
        model.info().name, rows, columns, static_cast<int>(image.channels()), options.kernel_rows,
        options.kernel_columns, sigma > 0 ? "" : "estimated ", planned.sigma,
        static_cast<double>(planned.workspace_bytes + planned.plan_bytes) / 1e6, planned.isa,
        static_cast<int>(planned.threads));

    // 4. Run it, one channel after the other.
    sonolux::Array<float> result(image.pixels.shape());
    for (sonolux::Index channel = 0; channel < image.channels(); ++channel) {
        const slx_input in = {image.pixels.view()[channel].data(), rows, columns, columns};
        const slx_output out = {result.view()[channel].data(), rows, columns, columns};
        plan.run(in, out);
    }

    // 5. Values beyond black and white are clipped here, not before.
    sonolux::write_image(output_path, result, image.bits);
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count < 5 || argument_count > 6) {
        std::fprintf(stderr, "usage: deblur MODEL INPUT KERNEL OUTPUT [SIGMA]\n");
        return 2;
    }
    const float sigma = argument_count == 6 ? std::strtof(arguments[5], nullptr) : 0.0f;
    if (argument_count == 6 && !(sigma > 0)) {
        std::fprintf(stderr, "deblur: SIGMA must be a number above 0, got \"%s\"\n", arguments[5]);
        return 2;
    }
    try {
        deblur(arguments[1], arguments[2], arguments[3], arguments[4], sigma);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "deblur: %s\n", error.what());
        return 1;
    }
    return 0;
}

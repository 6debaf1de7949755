// denoise: removes noise from a photograph.
//
//     denoise MODEL INPUT OUTPUT [SIGMA]
//     denoise models/denoise_any_sigma.safetensors noisy.png clean.png 20
//
// SIGMA is the standard deviation of the noise in 8-bit grey levels; models for a single level know it
// themselves. Reads PNG, TIFF and JPEG, writes PNG and TIFF. Each colour channel is denoised by itself.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/runtime/sonolux.hpp>

namespace {

void denoise(const char* model_path, const char* input_path, const char* output_path, float sigma) {
    // 1. What to run, and what to run it on.
    const slx::Model model(model_path);
    sonolux::Image image = sonolux::read_image(input_path);
    const auto rows = static_cast<std::size_t>(image.rows());
    const auto columns = static_cast<std::size_t>(image.columns());

    // 2. A plan for images of this size. Large ones are worked on in tiles, to the same bits.
    slx_plan_options options = {};
    options.sigma = sigma;
    slx::Plan plan(model, rows, columns, options);
    plan.bind();
    const slx_plan_info planned = plan.info();
    std::printf("%s: %zu x %zu pixels, %d channels, sigma %.4g, %zu tiles, %.1f MB, %s, %d threads\n",
                model.info().name, rows, columns, static_cast<int>(image.channels()), planned.sigma,
                planned.tiles, static_cast<double>(planned.workspace_bytes) / 1e6, planned.isa,
                static_cast<int>(planned.threads));

    // 3. Run it, one channel after the other.
    sonolux::Array<float> result(image.pixels.shape());
    for (sonolux::Index channel = 0; channel < image.channels(); ++channel) {
        const slx_input in = {image.pixels.view()[channel].data(), rows, columns, columns};
        const slx_output out = {result.view()[channel].data(), rows, columns, columns};
        plan.run(in, out);
    }

    // 4. Values beyond black and white are clipped here, not before.
    sonolux::write_image(output_path, result, image.bits);
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count < 4 || argument_count > 5) {
        std::fprintf(stderr, "usage: denoise MODEL INPUT OUTPUT [SIGMA]\n");
        return 2;
    }
    try {
        denoise(arguments[1], arguments[2], arguments[3],
                argument_count == 5 ? std::strtof(arguments[4], nullptr) : 0.0f);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "denoise: %s\n", error.what());
        return 1;
    }
    return 0;
}

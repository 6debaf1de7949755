// denoise: removes noise from a photograph.
//
//     denoise MODEL INPUT OUTPUT [SIGMA]
//     denoise models/denoise_any_sigma.safetensors noisy.png clean.png 20
//
// SIGMA is the standard deviation of the noise in 8-bit grey levels; models for a single level know it
// themselves. Reads PNG, TIFF and JPEG, writes PNG and TIFF. Models for grey images denoise each
// colour channel by itself, models for colour all of them together.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

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

    // 3. Run it: a colour model on all channels together, a grey one on each channel by itself.
    sonolux::Array<float> result(image.pixels.shape());
    std::vector<slx_input> in;
    std::vector<slx_output> out;
    for (sonolux::Index channel = 0; channel < image.channels(); ++channel) {
        in.push_back({image.pixels.view()[channel].data(), rows, columns, columns});
        out.push_back({result.view()[channel].data(), rows, columns, columns});
    }
    if (planned.channels > 1)
        plan.run(in, out);
    else
        for (std::size_t channel = 0; channel < in.size(); ++channel) plan.run(in[channel], out[channel]);

    // 4. Values beyond black and white are clipped here, not before.
    sonolux::write_image(output_path, result, image.bits);
}

}  // namespace

int main(int argument_count, char** arguments) {
    if (argument_count < 4 || argument_count > 5) {
        std::fprintf(stderr, "usage: denoise MODEL INPUT OUTPUT [SIGMA]\n");
        return 2;
    }
    const float sigma = argument_count == 5 ? std::strtof(arguments[4], nullptr) : 0.0f;
    if (argument_count == 5 && !(sigma > 0)) {
        std::fprintf(stderr, "denoise: SIGMA must be a number above 0, got \"%s\"\n", arguments[4]);
        return 2;
    }
    try {
        denoise(arguments[1], arguments[2], arguments[3], sigma);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "denoise: %s\n", error.what());
        return 1;
    }
    return 0;
}

// tests/fuzz/model_header_fuzz.cpp
//
// The JSON that says what a model is, in a file whose tensors and digest are those of a tiny model: so that
// made-up architectures and problems get as far as a network, and the network as far as an image.
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/sdk/runtime/sha256.hpp>

#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/seed_models.hpp"

using namespace sonolux;

namespace {

// One small image, because it shows what a network does and a large one takes time.
void denoise(const Model& model) {
    constexpr Index rows = 7, columns = 5;
    ReconstructorOptions options;
    options.sigma = static_cast<float>(255 * model.problem.sigma_max);
    options.runner = make_serial_runner();
    try {
        Reconstructor reconstructor(model, rows, columns, options);
        reconstructor.bind();
        const Array<float> image = tiny_image({rows, columns});
        Array<float> result(image.shape());
        fuzz::expect(reconstructor.run(image, result) == Status::ok, "a network that was made runs");
    } catch (const Error& error) {
        // A problem that is not ours to solve, a noise level of 0, or an image that is too small.
        fuzz::expect(error.status() == Status::unsupported || error.status() == Status::invalid_argument,
                     error.what());
    }
}

/// The tensors of the seed whose digest stands in the text; those of the first if none does.
const std::vector<NamedTensor>& tensors_for(const std::string& text) {
    static const std::vector<Model> models = fuzz::seed_models();
    for (const Model& model : models)
        if (text.find(sha256_text(safetensors_payload(model.tensors))) != std::string::npos)
            return model.tensors;
    return models.front().tensors;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    fuzz::expect_manners({Status::corrupt_data, Status::unsupported}, [&] {
        const Json json = parse_json(text, fuzz::source);
        const std::string written = to_text(json);
        fuzz::expect(parse_json(written, "copy") == json, "JSON reads back as it was written: " + written);
        const std::vector<std::byte> file = write_safetensors(tensors_for(text), {{"sonolux", written}});
        const Model model = load_model(file, fuzz::source);
        (void)network_from_model(model, fuzz::source);
        denoise(model);
    });
    return 0;
}

// tests/fuzz/model_fuzz.cpp
//
// A model file, from its first byte: the safetensors header, the tensors and the digest.
#include <sonolux/sdk/runtime/model_architecture.hpp>

#include "tests/fuzz/fuzz.hpp"

using namespace sonolux;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = fuzz::bytes_of(data, size);
    fuzz::expect_manners({Status::corrupt_data, Status::unsupported}, [&] {
        const Model model = load_model(bytes, fuzz::source);
        (void)network_from_model(model, fuzz::source);
        // What was read can be written, and reads back as the same.
        const std::vector<std::byte> copy = save_model(model);
        fuzz::expect(save_model(load_model(copy, "copy")) == copy, "a model reads back as it was written");
    });
    // Most changes break the digest: look at the tensors of those files too.
    fuzz::expect_manners({Status::corrupt_data, Status::unsupported},
                         [&] { (void)read_tensors(read_safetensors_header(bytes, fuzz::source)); });
    return 0;
}

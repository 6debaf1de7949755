// bench/sonolux_peer.cpp
//
// Our side of compare_torch.py.
//
//     sonolux_peer export NETWORK SIZE PATCHES FOLDER
//     sonolux_peer serve NETWORK SIZE PATCHES THREADS
//
// `export` writes the network, what it is run on and what comes out: network.json and, as NumPy arrays,
//
//     parameters, gradient   [n], the latter of the mean loss over the patches
//     image, output          [size, size], values about 0 to 1
//     clean, noisy           [patches, 64, 64], in the network's units
//
// of shrinkage fields without what belongs to training, which serve "inference" alone.
//
// `serve` answers each line on standard input with one line. "inference" and "training" do either once and
// say how many seconds it took, of one thread those of the processor; "describe" says what they run on.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>

#include <sonolux/solvers/training/batch_gradient.hpp>
#include <sonolux/solvers/training/losses.hpp>

#include "bench_timing.hpp"
#include "cases.hpp"

namespace sonolux::bench {
namespace {

constexpr Index patch_size = 64;
constexpr std::uint64_t noise_seed = 1;

// Everything that both commands need, ready to run.
struct Work {
    Denoiser denoiser;
    UnrolledNetwork& network;
    Context context;
    Array<float> data, image, clean;
    std::unique_ptr<BatchGradient> batch;
    std::vector<double> step_weights, gradient;
    double loss = 0;

    Work(const std::string& name, Index size, Index patches, int threads)
        : denoiser(name, size, size),
          network(*denoiser.network),
          context(make_openmp_runner(threads)),
          data(noisy_image(size, size)),
          image({size, size}),
          clean(clean_images(patches, patch_size, patch_size)),
          step_weights(exponential_step_weights(network.steps(), std::numeric_limits<double>::infinity())),
          gradient(network.parameters().size()) {
        context.workspace().reserve(denoiser.workspace_bytes(context));
        const BatchOptions options{.rows = patch_size, .columns = patch_size, .batch = patches, .group = 4};
        if (trains()) batch = std::make_unique<BatchGradient>(network, options, context);
    }

    [[nodiscard]] bool trains() const noexcept { return denoiser.border == nullptr; }

    void inference() {
        const Status status = denoiser.run(data, image, context);
        require(status == Status::ok, status, "the network did not run");
    }

    // Forward and backward through all stages; the noise is drawn on the way.
    void training() {
        const PatchFunction source = [this](std::uint64_t sample, View<float> patch) {
            const View<const float> from = clean.view()[static_cast<Index>(sample)];
            std::copy(from.begin(), from.end(), patch.begin());
        };
        loss = batch->evaluate(source, 0, clean.shape()[0], noise_seed, TrainingStream::noise, sigma,
                               SquaredLoss(), step_weights, gradient);
    }
};

template <class T>
void write_npy(const std::string& path, const T* data, const Shape& shape) {
    std::string sizes;
    for (int d = 0; d < shape.rank(); ++d) sizes += std::to_string(shape[d]) + ",";
    std::string header =
        sentence("{'descr': '<f", sizeof(T), "', 'fortran_order': False, 'shape': (", sizes, "), }");
    constexpr std::size_t fixed = 10, alignment = 64;  // magic, version, length; where the data may begin
    header.append(alignment - (fixed + header.size() + 1) % alignment, ' ');
    header += '\n';
    std::ofstream file(path, std::ios::binary);
    const char length[] = {static_cast<char>(header.size() % 256), static_cast<char>(header.size() / 256)};
    file.write("\x93NUMPY\x01\x00", 8).write(length, 2);
    file << header;
    file.write(reinterpret_cast<const char*>(data),
               static_cast<std::streamsize>(shape.elements() * static_cast<Index>(sizeof(T))));
    require(file.good(), Status::file_error, path, ": could not be written");
}

void export_training(Work& work, const std::string& folder) {
    work.training();
    const Index patches = work.clean.shape()[0];
    Array<float> noisy({patches, patch_size, patch_size});
    for (Index i = 0; i < patches; ++i) {
        const View<float> plane = noisy.view()[i];
        fill_normal(plane, Philox(noise_seed, static_cast<std::uint64_t>(TrainingStream::noise),
                                  static_cast<std::uint64_t>(i)));
        for (Index p = 0; p < plane.elements(); ++p)
            plane.data()[p] = work.clean.view()[i].data()[p] + sigma * plane.data()[p];
    }
    write_npy(folder + "/gradient.npy", work.gradient.data(), {static_cast<Index>(work.gradient.size())});
    write_npy(folder + "/clean.npy", work.clean.data(), work.clean.shape());
    write_npy(folder + "/noisy.npy", noisy.data(), noisy.shape());
}

void export_network(Work& work, const std::string& folder) {
    work.inference();
    const Index parameters = static_cast<Index>(work.gradient.size());
    write_npy(folder + "/parameters.npy", work.network.parameters().data(), {parameters});
    write_npy(folder + "/image.npy", work.data.data(), work.data.shape());
    write_npy(folder + "/output.npy", work.image.data(), work.image.shape());
    if (work.trains()) export_training(work, folder);

    const FieldsOfExpertsOptions& prior = work.denoiser.prior;
    const ActivationOptions& a = prior.activation;
    std::ofstream json(folder + "/network.json");
    json.precision(17);
    json << "{\n  \"stages\": " << work.network.steps() << ",\n  \"filters\": " << prior.filters.count
         << ",\n  \"size\": " << prior.filters.size << ",\n  \"scale\": " << prior.scale
         << ",\n  \"value_scale\": " << work.denoiser.value_scale << ",\n  \"nodes\": " << a.nodes
         << ",\n  \"lower\": " << a.lower << ",\n  \"upper\": " << a.upper << ",\n  \"width\": " << a.width
         << ",\n  \"table_lower\": " << a.table_lower << ",\n  \"table_upper\": " << a.table_upper
         << ",\n  \"loss\": " << work.loss;
    if (const PaddedBlur* border = work.denoiser.border.get())
        json << ",\n  \"border\": " << border->border_rows() << ",\n  \"domain\": " << border->domain()[0];
    json << ",\n  \"layout\": {";
    const char* separator = "\n";
    for (const Parameter& parameter : work.network.layout()) {
        json << separator << "    \"" << parameter.name << "\": [" << parameter.offset << ", "
             << parameter.shape.elements() << "]";
        separator = ",\n";
    }
    json << "\n  }\n}\n";
    require(json.good(), Status::file_error, folder, "/network.json: could not be written");
}

void serve(Work& work) {
    work.inference();
    if (work.trains()) work.training();
    const auto say_seconds = [&work](auto&& body) {
        std::printf("%.9g\n", work.context.threads() == 1 ? processor_seconds_of(body) : seconds_of(body));
    };
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "inference") {
            say_seconds([&] { work.inference(); });
        } else if (line == "training" && work.trains()) {
            say_seconds([&] { work.training(); });
        } else if (line == "describe") {
            std::printf("Sonolux %s, %s, GCC-compatible %s\n", SLX_VERSION,
                        work.context.description().c_str(), __VERSION__);
        } else {
            fail(Status::invalid_argument, "inference, training or describe expected, got \"", line, "\"");
        }
        std::fflush(stdout);
    }
}

int run(const std::vector<std::string>& words) {
    if (words.size() != 5 || (words[0] != "export" && words[0] != "serve")) {
        std::fputs(
            "usage: sonolux_peer export NETWORK SIZE PATCHES FOLDER\n"
            "       sonolux_peer serve NETWORK SIZE PATCHES THREADS\n",
            stderr);
        return 2;
    }
    const Index size = std::atoi(words[2].c_str()), patches = std::atoi(words[3].c_str());
    const bool serves = words[0] == "serve";
    Work work(words[1], size, patches, serves ? std::atoi(words[4].c_str()) : 1);
    serves ? serve(work) : export_network(work, words[4]);
    return 0;
}

}  // namespace
}  // namespace sonolux::bench

int main(int count, char** arguments) {
    try {
        return sonolux::bench::run({arguments + 1, arguments + count});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sonolux_peer: %s\n", error.what());
        return 1;
    }
}

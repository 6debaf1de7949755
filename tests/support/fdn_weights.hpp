// tests/support/fdn_weights.hpp
//
// The parameters of Fourier deconvolution networks as their authors store them: HDF5 as Keras writes it.
//
//     model_{t+1}/conv{i}_{t}/kernel:0            [3, 3, inputs, outputs], i = 1 ... 6
//     model_{t+1}/conv{i}_{t}/bias:0              [outputs]
//     model_{t+1}/x_out_{t}/filter_weights:0      [24, 24], W
//     model_{t+1}/dense{j}_{t}/kernel:0, bias:0   [inputs, outputs], [outputs], j = 1, 2, 3
//     model_{t+1}/lambda_{t}/kernel:0, bias:0     [16, 1], [1]
//
// Source: J. Kruse, C. Rother and U. Schmidt, Learning to push the limits of efficient FFT-based image
// deconvolution, ICCV 2017. For images in 0..1; stage t computes
//
//     x' = F^-1[(lambda_t K^H y + n_t(x)) / (lambda_t |K|^2 + sum over i of |F_i|^2)]
//
// with n_t a convolutional network on x replicated by 20 pixels and cropped again, and
//
//     lambda = softplus(M_4 elu(M_3 elu(M_2 elu(M_1 / sigma^2 + m_1) + m_2) + m_3) + m_4),  sigma in 0..255
//     F_i = sum over j of B_j W[j, i]
//
// where B_j, j = 5 v + u (the constant one left out), is the atom of the two-dimensional DCT-II with
// frequency u down the rows and v along the columns.
#pragma once

#include <hdf5.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include <sonolux/core/error.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux {

struct FdnStage {
    /// Of a ConvolutionalNetwork with its default options.
    std::vector<float> network;

    /// 24 filters of 5 x 5 taps, row-major.
    std::array<std::array<double, 25>, 24> filters{};

    struct Dense {
        Index inputs = 0, outputs = 0;
        std::vector<float> weights, biases;  ///< [inputs, outputs], [outputs]
    };
    std::array<Dense, 4> lambda_layers;

    /// The data weight for noise of standard deviation `sigma`, white being 255.
    [[nodiscard]] double lambda(double sigma) const {
        std::vector<double> h{1 / (sigma * sigma)};
        for (const Dense& layer : lambda_layers) {
            std::vector<double> next(layer.biases.begin(), layer.biases.end());
            for (Index i = 0; i < layer.inputs; ++i)
                for (Index o = 0; o < layer.outputs; ++o)
                    next[o] += h[i] * double{layer.weights[i * layer.outputs + o]};
            h = std::move(next);
            if (&layer == &lambda_layers.back()) break;
            for (double& value : h) value = value > 0 ? value : std::expm1(value);
        }
        // log(1 + exp(z)), which overflows as it is written.
        return std::max(h[0], 0.0) + std::log1p(std::exp(-std::abs(h[0])));
    }
};

namespace detail {

/// An HDF5 handle that closes itself.
class Hdf5Handle {
public:
    Hdf5Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
    ~Hdf5Handle() {
        if (id_ >= 0) close_(id_);
    }
    Hdf5Handle(const Hdf5Handle&) = delete;
    Hdf5Handle& operator=(const Hdf5Handle&) = delete;
    operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor)

private:
    hid_t id_;
    herr_t (*close_)(hid_t);
};

class FdnFile {
public:
    explicit FdnFile(const std::filesystem::path& path)
        : source_(path.string()),
          is_hdf5_(H5Fis_hdf5(source_.c_str()) > 0),
          file_(is_hdf5_ ? H5Fopen(source_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT) : -1, H5Fclose) {
        require(file_ >= 0, Status::file_error, source_, ": not an HDF5 file");
    }

    [[nodiscard]] bool has(const std::string& name) const {
        return H5Lexists(file_, name.c_str(), H5P_DEFAULT) > 0;
    }

    /// A dataset of floats with the given sizes, in C order.
    [[nodiscard]] std::vector<float> read(const std::string& name, const std::vector<hsize_t>& sizes) const {
        for (std::size_t slash = name.find('/');; slash = name.find('/', slash + 1)) {
            require(has(name.substr(0, slash)), Status::corrupt_data, source_, ": no dataset \"", name, "\"");
            if (slash == std::string::npos) break;
        }
        const Hdf5Handle set(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
        const Hdf5Handle space(set >= 0 ? H5Dget_space(set) : -1, H5Sclose);
        std::vector<hsize_t> found(sizes.size());
        const bool fits = space >= 0 && H5Sget_simple_extent_ndims(space) == static_cast<int>(sizes.size()) &&
                          H5Sget_simple_extent_dims(space, found.data(), nullptr) >= 0 && found == sizes;
        std::string expected;
        for (hsize_t size : sizes) expected += (expected.empty() ? "" : " x ") + std::to_string(size);
        require(fits, Status::corrupt_data, source_, ": dataset \"", name, "\" must be ", expected);
        std::size_t count = 1;
        for (hsize_t size : sizes) count *= size;
        std::vector<float> values(count);
        require(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0,
                Status::file_error, source_, ": dataset \"", name, "\" cannot be read");
        return values;
    }

    [[nodiscard]] const std::string& source() const { return source_; }

private:
    std::string source_;
    bool is_hdf5_;
    Hdf5Handle file_;
};

/// B_j(row, column) of the DCT-II of 5 x 5 with orthonormal atoms.
inline double fdn_atom(int j, int row, int column) {
    auto cosine = [](int frequency, int position) {
        return std::sqrt((frequency == 0 ? 1.0 : 2.0) / 5) *
               std::cos(std::numbers::pi * (2 * position + 1) * frequency / 10.0);
    };
    return cosine(j % 5, row) * cosine(j / 5, column);
}

}  // namespace detail

/// All stages of the file. Throws Error naming the file and the dataset.
[[nodiscard]] inline std::vector<FdnStage> read_fdn_weights(const std::filesystem::path& path) {
    const detail::FdnFile file(path);
    std::vector<FdnStage> stages;
    for (int t = 1; file.has("model_" + std::to_string(t + 1)); ++t) {
        FdnStage& stage = stages.emplace_back();
        const auto read = [&](const std::string& layer, const char* what, const std::vector<hsize_t>& sizes) {
            return file.read(
                "model_" + std::to_string(t + 1) + "/" + layer + "_" + std::to_string(t) + "/" + what, sizes);
        };
        for (int i = 1; i <= 6; ++i) {
            const hsize_t inputs = i == 1 ? 1 : 32, outputs = i == 6 ? 1 : 32;
            const std::string layer = "conv" + std::to_string(i);
            const std::vector<float> kernel = read(layer, "kernel:0", {3, 3, inputs, outputs});
            for (std::size_t o = 0; o < outputs; ++o)
                for (std::size_t channel = 0; channel < inputs; ++channel)
                    for (std::size_t tap = 0; tap < 9; ++tap)
                        stage.network.push_back(kernel[(tap * inputs + channel) * outputs + o]);
            const std::vector<float> bias = read(layer, "bias:0", {outputs});
            stage.network.insert(stage.network.end(), bias.begin(), bias.end());
        }
        const std::vector<float> weights = read("x_out", "filter_weights:0", {24, 24});
        for (int i = 0; i < 24; ++i)
            for (int row = 0; row < 5; ++row)
                for (int column = 0; column < 5; ++column)
                    for (int j = 0; j < 24; ++j)
                        stage.filters[i][row * 5 + column] +=
                            detail::fdn_atom(j + 1, row, column) * double{weights[j * 24 + i]};
        for (int j = 0; j < 4; ++j) {
            const hsize_t inputs = j == 0 ? 1 : 16, outputs = j == 3 ? 1 : 16;
            const std::string layer = j == 3 ? "lambda" : "dense" + std::to_string(j + 1);
            stage.lambda_layers[j] = {static_cast<Index>(inputs), static_cast<Index>(outputs),
                                      read(layer, "kernel:0", {inputs, outputs}),
                                      read(layer, "bias:0", {outputs})};
        }
    }
    require(!stages.empty(), Status::corrupt_data, file.source(), ": no stage \"model_2\"");
    return stages;
}

}  // namespace sonolux

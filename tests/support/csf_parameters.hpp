// tests/support/csf_parameters.hpp
//
// The parameters of cascades of shrinkage fields as their authors store them: MAT v5, one struct `model`.
//
//     nfilters, nstages N x T, sigma, is_deblurring
//     lambda      [1, T]
//     f           cell [N, T] of filters
//     shrink      struct [N, T] of precision, means, weights
//
// Source: U. Schmidt and S. Roth, Shrinkage fields for effective image restoration, CVPR 2014. For images in
// 0..255; stage t computes
//
//     x' = F^-1[(lambda_t K^H y + sum over i of F_i^H phi_i(F_i x)) / (lambda_t |K|^2 + sum over i of
//     |F_i|^2)] phi_i(v) = sum over j of weights[j] exp(-precision / 2 (v - means[j])^2)
//
// where F_i is a true convolution with filter i, whose middle tap is its centre, and F_i^H the correlation
// with it. The taps here are f{i, t} as MATLAB shows it, unchanged: f{i, t}(u, v) is taps[u * columns + v].
#pragma once

#include <matio.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <sonolux/core/error.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux {

struct CsfFilter {
    Index rows = 0, columns = 0;
    std::vector<double> taps;  ///< row-major, to be convolved with the image
};

struct CsfShrinkage {
    double precision = 0;  ///< 1 / variance of every Gaussian
    std::vector<double> means, weights;
};

struct CsfStage {
    double lambda = 0;
    std::vector<CsfFilter> filters;
    std::vector<CsfShrinkage> shrinkages;  ///< one per filter
};

struct CsfParameters {
    double sigma = 0;  ///< of the noise it was trained for, white being 255
    bool is_deblurring = false;
    std::vector<CsfStage> stages;
};

namespace detail {

struct FreeMatVariable {
    void operator()(matvar_t* variable) const noexcept { Mat_VarFree(variable); }
};

/// A numeric MATLAB matrix as a filter: row-major, whatever its class.
inline CsfFilter csf_matrix(const matvar_t* variable, const std::string& what) {
    require(variable != nullptr && variable->data != nullptr && variable->rank == 2 && !variable->isComplex,
            Status::corrupt_data, what, " must be a real matrix");
    CsfFilter matrix{static_cast<Index>(variable->dims[0]), static_cast<Index>(variable->dims[1]), {}};
    const auto value = [&](Index i) -> double {
        switch (variable->class_type) {
            case MAT_C_DOUBLE: return static_cast<const double*>(variable->data)[i];
            case MAT_C_INT16: return static_cast<const std::int16_t*>(variable->data)[i];
            case MAT_C_UINT8: return static_cast<const std::uint8_t*>(variable->data)[i];
            default: fail(Status::unsupported, what, " has MATLAB class ", int{variable->class_type});
        }
    };
    for (Index u = 0; u < matrix.rows; ++u)
        for (Index v = 0; v < matrix.columns; ++v) matrix.taps.push_back(value(v * matrix.rows + u));
    return matrix;
}

}  // namespace detail

/// Throws Error naming the file and the field.
[[nodiscard]] inline CsfParameters read_csf_parameters(const std::filesystem::path& file) {
    const std::string source = file.string();
    mat_t* const mat = Mat_Open(source.c_str(), MAT_ACC_RDONLY);
    require(mat != nullptr, Status::file_error, source, ": not a MAT file");
    const std::unique_ptr<matvar_t, detail::FreeMatVariable> model(Mat_VarRead(mat, "model"));
    Mat_Close(mat);
    require(model != nullptr && model->class_type == MAT_C_STRUCT, Status::corrupt_data, source,
            ": no struct \"model\"");

    const auto field = [&](matvar_t* of, const char* name, std::size_t element) {
        matvar_t* const found = Mat_VarGetStructFieldByName(of, name, element);
        require(found != nullptr, Status::corrupt_data, source, ": no field \"", name, "\"");
        return found;
    };
    const auto numbers = [&](matvar_t* of, const char* name, std::size_t element, std::size_t count) {
        const CsfFilter matrix = detail::csf_matrix(field(of, name, element), source + ": " + name);
        require(count == 0 || matrix.taps.size() == count, Status::corrupt_data, source, ": ", name, " has ",
                matrix.taps.size(), " values, expected ", count);
        return matrix.taps;
    };
    const auto number = [&](const char* name) { return numbers(model.get(), name, 0, 1).front(); };

    CsfParameters parameters;
    parameters.sigma = number("sigma");
    parameters.is_deblurring = number("is_deblurring") != 0;
    const auto filters = static_cast<std::size_t>(number("nfilters"));
    parameters.stages.resize(static_cast<std::size_t>(number("nstages")));

    matvar_t* const f = field(model.get(), "f", 0);
    matvar_t* const shrink = field(model.get(), "shrink", 0);
    for (const matvar_t* table : {f, shrink})
        require(table->class_type == (table == f ? MAT_C_CELL : MAT_C_STRUCT) && table->rank == 2 &&
                    table->dims[0] == filters && table->dims[1] == parameters.stages.size(),
                Status::corrupt_data, source, ": f and shrink must be a cell and a struct array of ", filters,
                " x ", parameters.stages.size());
    const std::vector<double> lambda = numbers(model.get(), "lambda", 0, parameters.stages.size());
    for (std::size_t t = 0; t < parameters.stages.size(); ++t) {
        CsfStage& stage = parameters.stages[t];
        stage.lambda = lambda[t];
        for (std::size_t i = 0; i < filters; ++i) {
            const std::size_t element = t * filters + i;  // MATLAB counts down the columns
            stage.filters.push_back(
                detail::csf_matrix(Mat_VarGetCell(f, static_cast<int>(element)), source + ": f"));
            CsfShrinkage shrinkage;
            shrinkage.precision = numbers(shrink, "precision", element, 1).front();
            shrinkage.means = numbers(shrink, "means", element, 0);
            shrinkage.weights = numbers(shrink, "weights", element, shrinkage.means.size());
            stage.shrinkages.push_back(std::move(shrinkage));
        }
    }
    return parameters;
}

}  // namespace sonolux

// sonolux/sdk/files/mat_file.cpp
#include <sonolux/sdk/files/mat_file.hpp>

#include <matio.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>

#include <sonolux/core/error.hpp>

namespace sonolux {
namespace {

struct CloseFile {
    void operator()(mat_t* file) const noexcept { Mat_Close(file); }
};
struct FreeVariable {
    void operator()(matvar_t* variable) const noexcept { Mat_VarFree(variable); }
};
using File = std::unique_ptr<mat_t, CloseFile>;
using Variable = std::unique_ptr<matvar_t, FreeVariable>;

File open(const std::string& path) {
    // matio does not say why a file cannot be opened.
    errno = 0;
    require(std::filesystem::is_regular_file(path) && std::ifstream(path, std::ios::binary).good(),
            Status::file_error, path,
            ": cannot be read: ", errno != 0 ? std::strerror(errno) : "it is not a file");
    File file(Mat_Open(path.c_str(), MAT_ACC_RDONLY));
    require(file != nullptr, Status::corrupt_data, path, ": is not a MATLAB file (version 5 or 7.3)");
    return file;
}

const char* class_name(const matvar_t& variable) {
    if (variable.isLogical) return "logical";
    switch (variable.class_type) {
        case MAT_C_CELL: return "cell";
        case MAT_C_STRUCT: return "struct";
        case MAT_C_OBJECT: return "object";
        case MAT_C_CHAR: return "char";
        case MAT_C_SPARSE: return "sparse";
        case MAT_C_DOUBLE: return "double";
        case MAT_C_SINGLE: return "single";
        case MAT_C_INT8: return "int8";
        case MAT_C_UINT8: return "uint8";
        case MAT_C_INT16: return "int16";
        case MAT_C_UINT16: return "uint16";
        case MAT_C_INT32: return "int32";
        case MAT_C_UINT32: return "uint32";
        case MAT_C_INT64: return "int64";
        case MAT_C_UINT64: return "uint64";
        case MAT_C_FUNCTION: return "function";
        default: return "unknown";
    }
}

bool is_numeric(const matvar_t& variable) {
    return variable.class_type >= MAT_C_DOUBLE && variable.class_type <= MAT_C_UINT64;
}

std::vector<Index> sizes_of(const matvar_t& variable) {
    return {variable.dims, variable.dims + variable.rank};
}

MatContent content_of(const matvar_t& variable) {
    return {variable.name != nullptr ? variable.name : "",
            std::string(variable.isComplex ? "complex " : "") + class_name(variable), sizes_of(variable),
            is_numeric(variable) && !variable.isComplex};
}

double number_at(const matvar_t& variable, std::size_t i) {
    switch (variable.class_type) {
        case MAT_C_SINGLE: return static_cast<const float*>(variable.data)[i];
        case MAT_C_INT8: return static_cast<const std::int8_t*>(variable.data)[i];
        case MAT_C_UINT8: return static_cast<const std::uint8_t*>(variable.data)[i];
        case MAT_C_INT16: return static_cast<const std::int16_t*>(variable.data)[i];
        case MAT_C_UINT16: return static_cast<const std::uint16_t*>(variable.data)[i];
        case MAT_C_INT32: return static_cast<const std::int32_t*>(variable.data)[i];
        case MAT_C_UINT32: return static_cast<const std::uint32_t*>(variable.data)[i];
        case MAT_C_INT64: return static_cast<double>(static_cast<const std::int64_t*>(variable.data)[i]);
        case MAT_C_UINT64: return static_cast<double>(static_cast<const std::uint64_t*>(variable.data)[i]);
        default: return static_cast<const double*>(variable.data)[i];
    }
}

// `name` is how people call it. MATLAB counts down the columns: the first index is the fastest.
MatArray array_of(const matvar_t* variable, const std::string& name, const std::string& path) {
    require(variable != nullptr && variable->rank >= 2 && variable->dims != nullptr, Status::corrupt_data,
            path, ": \"", name, "\" cannot be read");
    const MatContent content = content_of(*variable);
    require(content.numeric, Status::unsupported, path, ": \"", name, "\" is ", content.kind,
            ", expected a full, real matrix of numbers");
    MatArray array{name, content.sizes, {}};
    const auto count = static_cast<std::size_t>(content.elements());
    require(count == 0 || (variable->data != nullptr && variable->data_size > 0 &&
                           count <= variable->nbytes / static_cast<std::size_t>(variable->data_size)),
            Status::corrupt_data, path, ": \"", name, "\" has fewer values than its size says");
    array.values.resize(count);
    std::vector<std::size_t> index(array.sizes.size(), 0);
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t place = 0;
        for (std::size_t d = index.size(); d-- > 0;)
            place = place * static_cast<std::size_t>(array.sizes[d]) + index[d];
        array.values[i] = number_at(*variable, place);
        for (std::size_t d = index.size(); d-- > 0;) {
            if (++index[d] < static_cast<std::size_t>(array.sizes[d])) break;
            index[d] = 0;
        }
    }
    return array;
}

}  // namespace

Index MatContent::elements() const noexcept {
    Index product = 1;
    for (const Index size : sizes)
        if (__builtin_mul_overflow(product, size, &product)) return std::numeric_limits<Index>::max();
    return product;
}

std::string MatContent::description() const {
    std::string text = name + " (" + kind + ",";
    for (std::size_t d = 0; d < sizes.size(); ++d) text += (d > 0 ? " x " : " ") + std::to_string(sizes[d]);
    return text + ")";
}

std::vector<MatContent> mat_contents(const std::string& path) {
    const File file = open(path);
    std::vector<MatContent> contents;
    while (const Variable variable{Mat_VarReadNextInfo(file.get())})
        contents.push_back(content_of(*variable));
    return contents;
}

std::vector<MatArray> read_mat(const std::string& path, const std::string& name) {
    const File file = open(path);
    const Variable variable(Mat_VarRead(file.get(), name.c_str()));
    if (variable == nullptr) {
        std::string names;
        for (const MatContent& content : mat_contents(path))
            names += (names.empty() ? "" : ", ") + content.description();
        fail(Status::invalid_argument, path, ": holds no variable \"", name, "\"; it holds ",
             names.empty() ? "none" : names);
    }
    std::vector<MatArray> arrays;
    if (variable->class_type != MAT_C_CELL) {
        arrays.push_back(array_of(variable.get(), name, path));
        return arrays;
    }
    const Index elements = content_of(*variable).elements();
    for (Index i = 0; i < elements; ++i)
        arrays.push_back(array_of(Mat_VarGetCell(variable.get(), static_cast<int>(i)),
                                  sentence(name, "{", i + 1, "}"), path));
    return arrays;
}

}  // namespace sonolux

// sonolux/sdk/files/mat_file.cpp
#include <sonolux/sdk/files/mat_file.hpp>

#include <matio.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/hdf5_handles.hpp>

namespace sonolux {
namespace {

struct CloseFile {
    void operator()(mat_t* file) const noexcept { Mat_Close(file); }
};
struct FreeVariable {
    void operator()(matvar_t* variable) const noexcept { Mat_VarFree(variable); }
};
using Variable = std::unique_ptr<matvar_t, FreeVariable>;

/// An open file. Version 7.3 is HDF5, whose library is ours alone while one is open.
class File {
public:
    explicit File(const std::string& path) : file_(Mat_Open(path.c_str(), MAT_ACC_RDONLY)) {
        require(file_ != nullptr, Status::corrupt_data, path, ": is not a MATLAB file (version 5 or 7.3)");
    }
    [[nodiscard]] mat_t* get() const noexcept { return file_.get(); }

private:
    hdf5::Session session_;
    std::unique_ptr<mat_t, CloseFile> file_;
};

/// A file of version 5 is a row of blocks, each with its size in front. matio reads zeros behind the end of
/// one that was cut short.
void require_whole(std::ifstream& stream, const std::string& path) {
    constexpr std::size_t head = 128;
    char bytes[head];
    if (!stream.read(bytes, head) || std::memcmp(bytes, "MATLAB 5.0 MAT", 14) != 0) return;
    const bool swapped = bytes[126] == 'M' && bytes[127] == 'I';  // written by a machine of the other order
    constexpr std::uint32_t compressed = 15;
    const std::uint64_t size = std::filesystem::file_size(path);
    for (std::uint64_t at = head; at < size;) {
        std::uint32_t tag[2] = {0, 0};
        stream.seekg(static_cast<std::streamoff>(at));
        stream.read(reinterpret_cast<char*>(tag), sizeof tag);
        for (std::uint32_t& word : tag)
            if (swapped) word = __builtin_bswap32(word);
        const std::uint64_t length = tag[0] == compressed ? tag[1] : (std::uint64_t{tag[1]} + 7) / 8 * 8;
        require(static_cast<bool>(stream) && at + sizeof tag + length <= size, Status::corrupt_data, path,
                ": is cut short: a variable that begins at byte ", at, " has ", length,
                " bytes, the file only ", size);
        at += sizeof tag + length;
    }
}

void require_readable(const std::string& path) {
    // matio does not say why a file cannot be opened.
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    require(std::filesystem::is_regular_file(path) && stream.good(), Status::file_error, path,
            ": cannot be read: ", errno != 0 ? std::strerror(errno) : "it is not a file");
    require_whole(stream, path);
}

File open(const std::string& path) {
    require_readable(path);
    return File(path);
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

/// Bytes of one number.
std::size_t size_of_number(const matvar_t& variable) {
    switch (variable.class_type) {
        case MAT_C_INT8:
        case MAT_C_UINT8: return 1;
        case MAT_C_INT16:
        case MAT_C_UINT16: return 2;
        case MAT_C_SINGLE:
        case MAT_C_INT32:
        case MAT_C_UINT32: return 4;
        default: return 8;
    }
}

/// A damaged file may have variables without sizes: they have none here, and are no matrices of numbers.
std::vector<Index> sizes_of(const matvar_t& variable) {
    if (variable.dims == nullptr || variable.rank < 2) return {};
    return {variable.dims, variable.dims + variable.rank};
}

/// Sizes that a damaged file states must not cost the memory that they ask for: deflate makes at most 1032
/// bytes of one.
void require_possible(std::uint64_t numbers, const std::string& path, const std::string& name) {
    const std::uint64_t size = std::filesystem::file_size(path);
    require(numbers / 1032 <= size, Status::corrupt_data, path, ": \"", name, "\" has ", numbers,
            " numbers by its size, more than a file of ", size, " bytes can hold");
}

MatContent content_of(const matvar_t& variable) {
    std::vector<Index> sizes = sizes_of(variable);
    const bool matrix = is_numeric(variable) && !sizes.empty();
    return {variable.name != nullptr ? variable.name : "",
            std::string(variable.isComplex ? "complex " : "") + class_name(variable), std::move(sizes),
            matrix && !variable.isComplex, matrix && variable.isComplex};
}

/// Number i of an array of the variable's class.
double number_at(const matvar_t& variable, const void* data, std::size_t i) {
    switch (variable.class_type) {
        case MAT_C_SINGLE: return static_cast<const float*>(data)[i];
        case MAT_C_INT8: return static_cast<const std::int8_t*>(data)[i];
        case MAT_C_UINT8: return static_cast<const std::uint8_t*>(data)[i];
        case MAT_C_INT16: return static_cast<const std::int16_t*>(data)[i];
        case MAT_C_UINT16: return static_cast<const std::uint16_t*>(data)[i];
        case MAT_C_INT32: return static_cast<const std::int32_t*>(data)[i];
        case MAT_C_UINT32: return static_cast<const std::uint32_t*>(data)[i];
        case MAT_C_INT64: return static_cast<double>(static_cast<const std::int64_t*>(data)[i]);
        case MAT_C_UINT64: return static_cast<double>(static_cast<const std::uint64_t*>(data)[i]);
        default: return static_cast<const double*>(data)[i];
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
    require_possible(count, path, name);
    array.values.resize(count);
    std::vector<std::size_t> index(array.sizes.size(), 0);
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t place = 0;
        for (std::size_t d = index.size(); d-- > 0;)
            place = place * static_cast<std::size_t>(array.sizes[d]) + index[d];
        array.values[i] = number_at(*variable, variable->data, place);
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

namespace {

std::vector<MatContent> contents_of(const File& file) {
    std::vector<MatContent> contents;
    Mat_Rewind(file.get());
    while (const Variable variable{Mat_VarReadNextInfo(file.get())})
        contents.push_back(content_of(*variable));
    return contents;
}

[[noreturn]] void refuse_name(const File& file, const std::string& path, const std::string& name) {
    std::string names;
    for (const MatContent& content : contents_of(file))
        names += (names.empty() ? "" : ", ") + content.description();
    fail(Status::invalid_argument, path, ": holds no variable \"", name, "\"; it holds ",
         names.empty() ? "none" : names);
}

/// A variable, or a field of a struct, which is owned by the struct.
struct Found {
    Variable owner;
    matvar_t* variable;
};

/// With its values where it is a field ("data.rf"); otherwise with those only if `values`.
Found find(const File& file, const std::string& path, const std::string& name, bool values) {
    const std::size_t dot = name.find('.');
    const std::string outer = name.substr(0, dot);
    Found found{Variable(values || dot != std::string::npos ? Mat_VarRead(file.get(), outer.c_str())
                                                            : Mat_VarReadInfo(file.get(), outer.c_str())),
                nullptr};
    found.variable = found.owner.get();
    for (std::size_t from = dot; found.variable != nullptr && from != std::string::npos;) {
        const std::size_t next = name.find('.', from + 1);
        const std::string field = name.substr(from + 1, next - from - 1);
        require(found.variable->class_type == MAT_C_STRUCT, Status::invalid_argument, path, ": \"",
                name.substr(0, from), "\" is ", class_name(*found.variable), ", no struct with a field \"",
                field, "\"");
        found.variable = Mat_VarGetStructFieldByName(found.variable, field.c_str(), 0);
        from = next;
    }
    if (found.variable == nullptr) refuse_name(file, path, name);
    return found;
}

}  // namespace

std::vector<MatContent> mat_contents(const std::string& path) { return contents_of(open(path)); }

std::vector<MatArray> read_mat(const std::string& path, const std::string& name) {
    const File file = open(path);
    const Variable variable(Mat_VarRead(file.get(), name.c_str()));
    if (variable == nullptr) refuse_name(file, path, name);
    std::vector<MatArray> arrays;
    if (variable->class_type != MAT_C_CELL) {
        arrays.push_back(array_of(variable.get(), name, path));
        return arrays;
    }
    const MatContent cells = content_of(*variable);
    require(!cells.sizes.empty() && cells.elements() <= std::numeric_limits<int>::max(), Status::corrupt_data,
            path, ": \"", name, "\" cannot be read");
    require_possible(static_cast<std::uint64_t>(cells.elements()), path, name);
    for (Index i = 0; i < cells.elements(); ++i)
        arrays.push_back(array_of(Mat_VarGetCell(variable.get(), static_cast<int>(i)),
                                  sentence(name, "{", i + 1, "}"), path));
    return arrays;
}

MatContent mat_content(const std::string& path, const std::string& name) {
    const File file = open(path);
    const Found found = find(file, path, name, false);
    require(found.variable->rank >= 2 && found.variable->dims != nullptr, Status::corrupt_data, path, ": \"",
            name, "\" cannot be read");
    MatContent content = content_of(*found.variable);
    content.name = name;
    return content;
}

std::vector<MatArray> read_mat_struct(const std::string& path, const std::string& name) {
    const File file = open(path);
    const Found found = find(file, path, name, true);
    matvar_t& variable = *found.variable;
    require(variable.class_type == MAT_C_STRUCT && variable.rank >= 2 && variable.dims != nullptr &&
                content_of(variable).elements() == 1,
            Status::unsupported, path, ": \"", name, "\" is ", content_of(variable).description(),
            ", expected one struct");
    std::vector<MatArray> fields;
    char* const* names = Mat_VarGetStructFieldnames(&variable);
    const unsigned count = Mat_VarGetNumberOfFields(&variable);
    for (unsigned i = 0; names != nullptr && i < count; ++i) {
        const matvar_t* field = Mat_VarGetStructFieldByIndex(&variable, i, 0);
        if (field != nullptr && field->rank >= 2 && field->dims != nullptr && content_of(*field).numeric)
            fields.push_back(array_of(field, names[i], path));
    }
    return fields;
}

std::vector<float> read_mat_block(const std::string& path, const std::string& name,
                                  const std::vector<Index>& start, const std::vector<Index>& count) {
    const File file = open(path);
    const Found found = find(file, path, name, false);
    const matvar_t& variable = *found.variable;
    require(variable.rank >= 2 && variable.dims != nullptr, Status::corrupt_data, path, ": \"", name,
            "\" cannot be read");
    const MatContent content = content_of(variable);
    require(content.numeric || content.complex, Status::unsupported, path, ": \"", name, "\" is ",
            content.kind, ", expected a full matrix of numbers");
    require_possible(static_cast<std::uint64_t>(content.elements()), path, name);
    bool fits = start.size() == content.sizes.size() && count.size() == content.sizes.size();
    std::size_t elements = 1;
    for (std::size_t d = 0; fits && d < start.size(); ++d) {
        fits = start[d] >= 0 && count[d] >= 1 && start[d] <= content.sizes[d] &&
               count[d] <= content.sizes[d] - start[d] &&
               content.sizes[d] <= std::numeric_limits<int>::max() &&
               !__builtin_mul_overflow(elements, static_cast<std::size_t>(count[d]), &elements);
    }
    require(fits, Status::invalid_argument, path, ": ", content.description(),
            " has no such block as was asked for");

    const std::size_t width = size_of_number(variable), parts = content.complex ? 2 : 1;
    std::vector<std::byte> bytes;
    std::vector<float> values;
    try {
        values.resize(elements * parts);
        bytes.resize(elements * width * parts);
    } catch (const std::exception&) {
        fail(Status::out_of_memory, path, ": no memory for ", elements, " values of ", content.description());
    }
    const bool whole = variable.data != nullptr;  // a field of a struct
    if (!whole) {
        std::vector<int> from, stride, edge;
        for (std::size_t d = 0; d < start.size(); ++d) {
            from.push_back(static_cast<int>(start[d]));
            edge.push_back(static_cast<int>(count[d]));
            stride.push_back(1);
        }
        mat_complex_split_t split{bytes.data(), bytes.data() + elements * width};
        void* into = content.complex ? static_cast<void*>(&split) : bytes.data();
        require(Mat_VarReadData(file.get(), found.owner.get(), into, from.data(), stride.data(),
                                edge.data()) == 0,
                Status::corrupt_data, path, ": \"", name,
                "\" cannot be read: the file is damaged or cut short");
    } else {
        require(content.elements() <= static_cast<Index>(variable.nbytes / width), Status::corrupt_data, path,
                ": \"", name, "\" has fewer values than its size says");
    }
    std::vector<Index> index = start;
    for (std::size_t n = 0; n < elements; ++n) {
        std::size_t place = n;
        if (whole) {
            place = 0;
            for (std::size_t d = index.size(); d-- > 0;)
                place =
                    place * static_cast<std::size_t>(content.sizes[d]) + static_cast<std::size_t>(index[d]);
            for (std::size_t d = 0; d < index.size(); ++d) {
                if (++index[d] < start[d] + count[d]) break;
                index[d] = start[d];
            }
        }
        for (std::size_t part = 0; part < parts; ++part) {
            const void* data = bytes.data() + part * elements * width;
            if (whole) {
                data = variable.data;
                if (content.complex) {
                    const auto* split = static_cast<const mat_complex_split_t*>(variable.data);
                    data = part == 0 ? split->Re : split->Im;
                }
            }
            values[n * parts + part] = static_cast<float>(number_at(variable, data, place));
        }
    }
    return values;
}

}  // namespace sonolux

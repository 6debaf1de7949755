// sonolux/sdk/files/kernel_file.cpp
#include <sonolux/sdk/files/kernel_file.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/mat_file.hpp>
#include <sonolux/sdk/files/numpy_file.hpp>

namespace sonolux {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t max_kernel_bytes = std::size_t(1) << 28;

std::string size_text(const std::vector<Index>& sizes) {
    std::string text;
    for (const Index size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
    return text.empty() ? "a single number" : text;
}

// `what` names the file, and the variable where there are several.
Array<float> kernel_of(const std::vector<double>& values, const std::vector<Index>& sizes,
                       const std::string& what) {
    require(sizes.size() == 2, Status::unsupported, what, ": is ", size_text(sizes),
            ", expected a kernel of two dimensions (rows x columns)");
    require(!values.empty(), Status::corrupt_data, what, ": is empty (", size_text(sizes), ")");
    Array<float> kernel({sizes[0], sizes[1]});
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto index = static_cast<Index>(i);
        require(std::isfinite(values[i]) && std::abs(values[i]) <= std::numeric_limits<float>::max(),
                Status::corrupt_data, what, ": the value at row ", index / sizes[1] + 1, ", column ",
                index % sizes[1] + 1, " is ", values[i], ", expected a finite number");
        kernel.data()[i] = static_cast<float>(values[i]);
    }
    return kernel;
}

Array<float> kernel_of_image(std::span<const std::byte> bytes, const std::string& path) {
    const Image image = decode_image(bytes, path);
    require(image.format != "jpeg", Status::unsupported, path,
            ": is a JPEG, whose compression changes the small values of a kernel; expected PNG or TIFF");
    require(!image.had_alpha, Status::unsupported, path,
            ": has transparency, expected a grey image without an alpha channel");
    const Index plane = image.rows() * image.columns();
    for (Index c = 1; c < image.channels(); ++c)
        require(
            std::equal(image.pixels.begin(), image.pixels.begin() + plane, image.pixels.begin() + c * plane),
            Status::unsupported, path, ": is a colour image, expected a grey one");
    Array<float> kernel({image.rows(), image.columns()});
    std::copy_n(image.pixels.begin(), plane, kernel.begin());
    return kernel;
}

Array<float> kernel_of_text(std::string_view text, const std::string& path) {
    const auto separator = [](char letter) { return std::strchr(" \t\r,;", letter) != nullptr; };
    std::vector<double> values;
    Index rows = 0, columns = 0, number = 0;
    if (text.starts_with("\xef\xbb\xbf"sv)) text.remove_prefix(3);  // spreadsheets begin with this mark
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        Index count = 0;
        for (;;) {
            const auto* begin = std::find_if_not(line.begin(), line.end(), separator);
            line.remove_prefix(static_cast<std::size_t>(begin - line.begin()));
            if (line.empty() || (count == 0 && (line[0] == '#' || line[0] == '%'))) break;
            const auto* finish = std::find_if(line.begin(), line.end(), separator);
            const std::string_view word(line.begin(), static_cast<std::size_t>(finish - line.begin()));
            const std::string_view digits = word.starts_with('+') ? word.substr(1) : word;
            double value = 0;
            const auto [last, error] = std::from_chars(digits.begin(), digits.end(), value);
            require(error == std::errc() && last == digits.end(), Status::corrupt_data, path, ": line ",
                    number, ": \"", word.substr(0, 40), "\" is not a number");
            values.push_back(value);
            ++count;
            line.remove_prefix(word.size());
        }
        if (count == 0) continue;
        require(columns == 0 || count == columns, Status::corrupt_data, path, ": line ", number, " has ",
                count, " numbers, the lines above have ", columns);
        columns = count;
        ++rows;
    }
    return kernel_of(values, {rows, columns}, path);
}

// The variable and the element that "kernels{3}" asks for; 0 for none.
std::pair<std::string, Index> parse_variable(const std::string& variable) {
    const std::size_t brace = variable.find('{');
    if (brace == std::string::npos) return {variable, 0};
    Index element = 0;
    const char *begin = variable.data() + brace + 1, *end = variable.data() + variable.size();
    const auto [last, error] = std::from_chars(begin, end, element);
    require(error == std::errc() && element >= 1 && last + 1 == end && *last == '}', Status::invalid_argument,
            "the variable of a MATLAB file must be a name, or name{number} with a number from 1, got \"",
            variable, "\"");
    return {variable.substr(0, brace), element};
}

std::string only_variable(const std::string& path, bool cells_only) {
    const std::vector<MatContent> contents = mat_contents(path);
    // A kernel is rarely a single number: what stands beside it (a noise level, say) often is.
    for (const Index least : {2, 1}) {
        std::string names, name;
        Index count = 0;
        for (const MatContent& content : contents) {
            if (!(content.cell() ? content.elements() > 0
                                 : !cells_only && content.numeric && content.elements() >= least))
                continue;
            names += (count++ > 0 ? ", " : "") + content.description();
            name = content.name;
        }
        require(count <= 1, Status::invalid_argument, path, ": holds ", count,
                " variables, say which: ", names);
        if (count == 1) return name;
    }
    std::string names;
    for (const MatContent& content : contents) names += (names.empty() ? "" : ", ") + content.description();
    fail(Status::unsupported, path, ": holds no ", cells_only ? "cell array" : "matrix of numbers", ", but ",
         names.empty() ? "nothing" : names);
}

std::string place_of(const std::string& path, const MatArray& array) {
    return path + ": \"" + array.name + "\"";
}

Array<float> kernel_of_mat(const std::string& path, const std::string& variable) {
    auto [name, element] = parse_variable(variable);
    if (name.empty()) name = only_variable(path, element > 0);
    const std::vector<MatArray> arrays = read_mat(path, name);
    const auto count = static_cast<Index>(arrays.size());
    require(element > 0 || count == 1, Status::invalid_argument, path, ": \"", name, "\" holds ", count,
            " kernels, say which: ", name, "{1} to ", name, "{", count, "}");
    require(element <= count, Status::invalid_argument, path, ": \"", name, "\" holds ", count,
            " kernels, there is no ", name, "{", element, "}");
    const MatArray& array = arrays[static_cast<std::size_t>(std::max<Index>(element, 1) - 1)];
    return kernel_of(array.values, array.sizes, place_of(path, array));
}

bool starts_with(std::span<const std::byte> bytes, std::string_view start, std::size_t at = 0) {
    return bytes.size() >= at + start.size() &&
           std::memcmp(bytes.data() + at, start.data(), start.size()) == 0;
}

bool looks_like_mat(std::span<const std::byte> bytes, const std::string& path) {
    constexpr std::string_view hdf5 = "\x89HDF\r\n\x1a\n"sv;
    return starts_with(bytes, "MATLAB 5.0 MAT-file"sv) || starts_with(bytes, hdf5) ||
           starts_with(bytes, hdf5, 512) || path.ends_with(".mat");
}

bool looks_like_image(std::span<const std::byte> bytes) {
    return starts_with(bytes, "\x89PNG"sv) || starts_with(bytes, "\xff\xd8\xff"sv) ||
           starts_with(bytes, "II*\0"sv) || starts_with(bytes, "MM\0*"sv) || starts_with(bytes, "II+\0"sv) ||
           starts_with(bytes, "MM\0+"sv);
}

bool looks_like_text(std::span<const std::byte> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) {
        const auto letter = std::to_integer<unsigned char>(byte);
        return (letter >= 32 && letter != 127) || (letter >= 9 && letter <= 13);
    });
}

}  // namespace

Array<float> read_kernel(const std::string& path, const std::string& variable) {
    const std::vector<std::byte> bytes = read_file(path, max_kernel_bytes);
    require(!bytes.empty(), Status::corrupt_data, path, ": is empty");
    if (looks_like_mat(bytes, path)) return kernel_of_mat(path, variable);
    require(variable.empty(), Status::invalid_argument, path,
            ": is not a MATLAB file, so there is no variable \"", variable, "\" to choose");
    return decode_kernel(bytes, path);
}

Array<float> decode_kernel(std::span<const std::byte> bytes, const std::string& source) {
    require(!bytes.empty(), Status::corrupt_data, source, ": is empty");
    if (looks_like_image(bytes)) return kernel_of_image(bytes, source);
    if (looks_like_numpy(bytes)) {
        const NumpyArray array = decode_numpy(bytes, source);
        return kernel_of(array.values, array.sizes, source);
    }
    require(looks_like_text(bytes), Status::unsupported, source,
            ": is not a PNG, TIFF, NumPy (.npy), MATLAB (.mat) or text file");
    return kernel_of_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, source);
}

std::vector<Array<float>> read_kernels(const std::string& path, const std::string& variable) {
    std::vector<Array<float>> kernels;
    for (const MatArray& array : read_mat(path, variable.empty() ? only_variable(path, true) : variable))
        kernels.push_back(kernel_of(array.values, array.sizes, place_of(path, array)));
    return kernels;
}

}  // namespace sonolux

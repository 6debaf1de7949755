// sonolux/sdk/files/numpy_file.cpp
#include <sonolux/sdk/files/numpy_file.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>

#include <sonolux/core/error.hpp>

namespace sonolux {
namespace {

constexpr std::string_view magic("\x93NUMPY", 6);

// The text after 'key': in the header, which is a Python dictionary that NumPy always writes in one way:
// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 5), }
std::string_view value_of(std::string_view header, std::string_view key, std::string_view source) {
    const std::string quoted = sentence("'", key, "'");
    std::size_t place = header.find(quoted);
    require(place != std::string_view::npos, Status::corrupt_data, source, ": the header has no \"", key,
            "\"");
    place = header.find_first_not_of(" :", place + quoted.size());
    require(place != std::string_view::npos, Status::corrupt_data, source, ": the header ends after \"", key,
            "\"");
    return header.substr(place);
}

std::vector<Index> sizes_of(std::string_view text, std::string_view source) {
    const std::size_t end = text.find(')');
    require(text.starts_with('(') && end != std::string_view::npos, Status::corrupt_data, source,
            ": the \"shape\" of the header is not a list of sizes");
    std::vector<Index> sizes;
    for (const char *at = text.data() + 1, *last = text.data() + end; at < last;) {
        Index size = 0;
        const auto [next, error] = std::from_chars(at, last, size);
        require(error == std::errc() && size >= 0, Status::corrupt_data, source,
                ": the \"shape\" of the header is ", text.substr(0, end + 1));
        sizes.push_back(size);
        at = std::find_if(next, last, [](char letter) { return letter != ',' && letter != ' '; });
    }
    return sizes;
}

template <class T>
double number_at(const std::byte* place, bool swapped) {
    std::byte bytes[sizeof(T)];
    std::memcpy(bytes, place, sizeof(T));
    if (swapped) std::reverse(bytes, bytes + sizeof(T));
    T value;
    std::memcpy(&value, bytes, sizeof(T));
    return static_cast<double>(value);
}

struct NumberType {
    std::string_view name;  // without the byte order
    std::size_t bytes;
    double (*read)(const std::byte*, bool swapped);
};

constexpr NumberType number_types[] = {
    {"f4", 4, number_at<float>},         {"f8", 8, number_at<double>},
    {"u1", 1, number_at<std::uint8_t>},  {"i1", 1, number_at<std::int8_t>},
    {"u2", 2, number_at<std::uint16_t>}, {"i2", 2, number_at<std::int16_t>},
    {"u4", 4, number_at<std::uint32_t>}, {"i4", 4, number_at<std::int32_t>},
};

}  // namespace

bool looks_like_numpy(std::span<const std::byte> bytes) noexcept {
    return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

NumpyArray decode_numpy(std::span<const std::byte> bytes, std::string_view source) {
    require(looks_like_numpy(bytes), Status::corrupt_data, source, ": is not a NumPy file");
    require(bytes.size() >= 12, Status::corrupt_data, source, ": ends within its header");
    const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(bytes[i]); };
    const std::size_t version = byte(6);
    require(version >= 1 && version <= 3, Status::unsupported, source, ": is of version ", version,
            " of the NumPy format, versions 1 to 3 are read");
    // Little-endian: two bytes in version 1, four afterwards.
    const std::size_t begin = version == 1 ? 10 : 12;
    std::size_t length = byte(8) | byte(9) << 8;
    if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
    require(length <= bytes.size() - begin, Status::corrupt_data, source, ": ends within its header");
    const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + begin, length);

    const std::string_view description = value_of(header, "descr", source);
    const std::string_view type = description.substr(1, description.find('\'', 1) - 1);
    const NumberType* numbers = nullptr;
    if (description.starts_with('\'') && type.size() == 3 && std::strchr("<>|=", type[0]) != nullptr)
        for (const NumberType& known : number_types)
            if (type.substr(1) == known.name) numbers = &known;
    require(numbers != nullptr, Status::unsupported, source, ": holds ",
            description.substr(0, type.size() + 2),
            ", expected float32 ('<f4'), float64 ('<f8') or integers of 8 to 32 bits");
    const bool swapped =
        (type[0] == '>') != (std::endian::native == std::endian::big) && type[0] != '|' && type[0] != '=';
    const bool column_major = value_of(header, "fortran_order", source).starts_with("True");

    NumpyArray array;
    array.sizes = sizes_of(value_of(header, "shape", source), source);
    const std::span<const std::byte> payload = bytes.subspan(begin + length);
    std::size_t count = 1;
    bool fits = true;
    for (const Index size : array.sizes)
        fits = fits && !__builtin_mul_overflow(count, static_cast<std::size_t>(size), &count);
    require(fits && count <= payload.size() / numbers->bytes && count * numbers->bytes == payload.size(),
            Status::corrupt_data, source, ": holds ", payload.size(),
            " bytes of numbers, its \"shape\" needs ",
            fits ? sentence(count, " x ", numbers->bytes) : std::string("more than memory"));

    array.values.resize(count);
    std::vector<std::size_t> strides(array.sizes.size());  // in the file
    std::size_t stride = 1;
    for (std::size_t d = 0; d < strides.size(); ++d) {
        const std::size_t dimension = column_major ? d : strides.size() - 1 - d;
        strides[dimension] = stride;
        stride *= static_cast<std::size_t>(array.sizes[dimension]);
    }
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t place = 0, rest = i;
        for (std::size_t d = strides.size(); d-- > 0;) {
            const auto size = static_cast<std::size_t>(array.sizes[d]);
            place += rest % size * strides[d];
            rest /= size;
        }
        array.values[i] = numbers->read(payload.data() + place * numbers->bytes, swapped);
    }
    return array;
}

std::vector<std::byte> encode_numpy(std::span<const float> values, std::span<const Index> sizes) {
    static_assert(std::endian::native == std::endian::little);
    Index count = 1;
    std::string shape;
    for (const Index size : sizes) {
        count *= size;
        shape += std::to_string(size) + ", ";
    }
    require(count == static_cast<Index>(values.size()), Status::size_mismatch, "NumPy file: ", values.size(),
            " values for ", count, " places");
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
    constexpr std::size_t fixed = 10, alignment = 64;  // magic, version, length; where the numbers may begin
    header.append(alignment - (fixed + header.size() + 1) % alignment, ' ');
    header += '\n';
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() % 256);
    bytes += static_cast<char>(header.size() / 256);
    bytes += header;
    std::vector<std::byte> file(bytes.size() + values.size_bytes());
    std::memcpy(file.data(), bytes.data(), bytes.size());
    if (!values.empty()) std::memcpy(file.data() + bytes.size(), values.data(), values.size_bytes());
    return file;
}

}  // namespace sonolux

// sonolux/sdk/files/channel_data_file.cpp
#include <sonolux/sdk/files/channel_data_file.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <stdexcept>

#include <sonolux/sdk/files/channel_data_parts.hpp>

namespace sonolux {

using namespace channel_data;

namespace {

enum class Container { matlab, hdf5, other };

/// HDF5 begins with its signature, or after a block of 512 bytes, 1024, ... that somebody else may use.
Container container_of(const std::string& path) {
    errno = 0;
    require(std::filesystem::is_regular_file(path), Status::file_error, path,
            ": cannot be read: ", std::filesystem::exists(path) ? "it is not a file" : std::strerror(ENOENT));
    std::ifstream stream(path, std::ios::binary);
    require(stream.good(), Status::file_error, path, ": cannot be read: ", std::strerror(errno));
    std::array<char, 16> start{};
    stream.read(start.data(), start.size());
    const std::string_view begin(start.data(), static_cast<std::size_t>(stream.gcount()));
    if (begin.starts_with("MATLAB 5.0 MAT") || begin.starts_with("MATLAB 7.3 MAT")) return Container::matlab;
    constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
    if (begin.starts_with(signature)) return Container::hdf5;
    for (std::streamoff at = 512; at <= std::streamoff{1} << 20; at *= 2) {
        std::array<char, 8> bytes{};
        stream.clear();
        stream.seekg(at);
        if (!stream.read(bytes.data(), bytes.size())) break;
        if (std::string_view(bytes.data(), bytes.size()) == signature) return Container::hdf5;
    }
    return Container::other;
}

}  // namespace

namespace {

ChannelDataFile read_any(const std::string& path, const ChannelDataReadOptions& options) {
    switch (container_of(path)) {
        case Container::hdf5: {
            const Hdf5File file = Hdf5File::open(path);
            if (is_uff(file)) return read_uff(file, options);
            if (is_zea(file)) return read_zea(file, options);
            refuse(Status::unsupported, path,
                   "is HDF5, but neither of zea (no group \"data\" or \"tracks\") nor UFF (no attribute "
                   "\"version\")");
        }
        case Container::matlab: return read_matlab(path, options);
        case Container::other: break;
    }
    refuse(Status::unsupported, path, "is no recording that Sonolux reads (HDF5 of zea or UFF, or MATLAB)");
}

}  // namespace

ChannelDataFile read_channel_data_file(const std::string& path, const ChannelDataReadOptions& options) {
    try {
        return read_any(path, options);
    } catch (const Error& error) {
        if (error.status() != Status::out_of_memory) throw;
        refuse(error.status(), path, error.what());  // of arrays, which do not know the file
    } catch (const std::bad_alloc&) {
        refuse(Status::out_of_memory, path,
               "holds more than there is memory for; --frames and "
               "--transmissions read a part");
    } catch (const std::length_error&) {
        refuse(Status::corrupt_data, path, "states sizes that no memory holds");
    }
}

ChannelData read_channel_data(const std::string& path, const ChannelDataReadOptions& options) {
    return std::move(read_channel_data_file(path, options).data);
}

bool looks_like_channel_data(const std::string& path) noexcept {
    try {
        const Container container = container_of(path);
        if (container != Container::hdf5) return container == Container::matlab;
        const Hdf5File file = Hdf5File::open(path);
        return is_uff(file) || is_zea(file);
    } catch (const std::exception&) {
        return false;
    }
}

}  // namespace sonolux

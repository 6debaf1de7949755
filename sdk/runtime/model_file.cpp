// sonolux/sdk/runtime/model_file.cpp
//
// The only part of the firmware library that opens a file: leave it out where there are none.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace sonolux {

Model load_model_file(const std::string& path) {
    struct Close {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };
    const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
    require(file != nullptr, Status::file_error, path, ": cannot be opened: ", std::strerror(errno));
    std::vector<std::byte> bytes;
    std::size_t used = 0;
    do {
        bytes.resize(used + (std::size_t(1) << 16));
        used += std::fread(bytes.data() + used, 1, bytes.size() - used, file.get());
        require(std::ferror(file.get()) == 0, Status::file_error, path,
                ": cannot be read: ", std::strerror(errno));
        require(used <= max_model_bytes, Status::corrupt_data, path, ": more than ", max_model_bytes,
                " bytes");
    } while (used == bytes.size());
    bytes.resize(used);
    return load_model(bytes, path);
}

}  // namespace sonolux

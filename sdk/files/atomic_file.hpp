// sonolux/sdk/files/atomic_file.hpp
//
// Whole files: read into memory, and written so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sonolux {

/// The content of a file of at most `max_bytes`.
/// Throws Error{file_error} naming the path and why, and Error{unsupported} for a larger one.
[[nodiscard]] std::vector<std::byte> read_file(const std::string& path, std::size_t max_bytes = std::size_t(1)
                                                                                                << 32);

/// The same, as text.
[[nodiscard]] std::string read_text_file(const std::string& path, std::size_t max_bytes = std::size_t(1)
                                                                                          << 26);

/// Makes `path` hold exactly these bytes, or leaves it as it was.
///
/// The bytes go to a temporary file in the same folder (`NAME.partial-...`), which is flushed to the disk and
/// then renamed; the folder is flushed too. So whenever the process or the machine stops, `path` is the old
/// file or the new one, whole. The permissions of an existing file stay; a symbolic link stays, and the file
/// it names is replaced.
///
/// Throws Error{file_error} naming the path and why (a full disk, a folder that is not there, something that
/// is not a regular file); the temporary file is removed then.
void write_file_atomically(const std::string& path, std::span<const std::byte> bytes);

void write_file_atomically(const std::string& path, std::string_view text);

/// The same for libraries that write files themselves: an empty file beside `path`, to be written under
/// `name()`, that takes the place of `path` with `commit` and is deleted without.
class PartialFile {
public:
    /// Throws Error{file_error} naming `path` and why, as write_file_atomically does.
    explicit PartialFile(std::string path);
    ~PartialFile();
    PartialFile(PartialFile&& other) noexcept;
    PartialFile& operator=(PartialFile&&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    /// Flushes what was written and closed under `name()`, and renames it. Throws Error{file_error}.
    void commit();

private:
    std::string path_, target_, name_;
};

}  // namespace sonolux

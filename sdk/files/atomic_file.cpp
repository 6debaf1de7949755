// sonolux/sdk/files/atomic_file.cpp
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>

namespace sonolux {
namespace {

[[noreturn]] void fail_with_errno(const std::string& path, const char* what, int code) {
    fail(Status::file_error, path, ": ", what, ": ", std::strerror(code));
}

/// Closes on destruction; `close` is for writers, who must know whether it worked.
class Descriptor {
public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int number() const noexcept { return number_; }
    [[nodiscard]] bool open() const noexcept { return number_ >= 0; }
    [[nodiscard]] bool close() noexcept { return ::close(std::exchange(number_, -1)) == 0; }

private:
    int number_;
};

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

/// Where a symbolic link leads to; any other path as it is.
std::string followed(const std::string& path) {
    struct stat status;
    if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
    char* target = ::realpath(path.c_str(), nullptr);
    if (target == nullptr) fail_with_errno(path, "is a link that leads nowhere", errno);
    std::string result = target;
    std::free(target);
    return result;
}

void write_all(int file, std::span<const std::byte> bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), std::min<std::size_t>(bytes.size(), INT_MAX));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail_with_errno(path, "cannot be written", errno);
        require(written > 0, Status::file_error, path, ": cannot be written: the file system takes no more");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

/// A rename is on the disk once its folder is. Some file systems cannot flush a folder (EINVAL): theirs is.
void flush_folder(const std::string& folder, const std::string& path) {
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.open()) return;  // a folder that may be written but not read
    if (::fsync(descriptor.number()) != 0 && errno != EINVAL)
        fail_with_errno(path, "its folder cannot be flushed", errno);
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path, std::size_t max_bytes) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.open()) fail_with_errno(path, "cannot be opened", errno);
    struct stat status;
    if (::fstat(file.number(), &status) != 0) fail_with_errno(path, "cannot be read", errno);

    // The size is only a hint: pipes have none, and files grow.
    std::vector<std::byte> bytes;
    if (S_ISREG(status.st_mode)) {
        require(static_cast<std::size_t>(status.st_size) <= max_bytes, Status::unsupported, path, ": ",
                status.st_size, " bytes, at most ", max_bytes, " are read");
        bytes.reserve(static_cast<std::size_t>(status.st_size) + 1);
    }
    std::size_t used = 0;
    for (;;) {
        bytes.resize(std::max(bytes.capacity(), used + 65536));
        const ssize_t count =
            ::read(file.number(), bytes.data() + used, std::min<std::size_t>(bytes.size() - used, INT_MAX));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail_with_errno(path, "cannot be read", errno);
        used += static_cast<std::size_t>(count);
        require(used <= max_bytes, Status::unsupported, path, ": more than ", max_bytes, " bytes");
        if (count == 0) break;
    }
    bytes.resize(used);
    return bytes;
}

std::string read_text_file(const std::string& path, std::size_t max_bytes) {
    const std::vector<std::byte> bytes = read_file(path, max_bytes);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

PartialFile::PartialFile(std::string path) : path_(std::move(path)), target_(followed(path_)) {
    static std::atomic<unsigned> count = 0;  // names only: two threads may write the same file
    mode_t mode = 0;
    struct stat status;
    if (::stat(target_.c_str(), &status) == 0) {
        require(S_ISREG(status.st_mode), Status::file_error, path_, ": cannot be written: ",
                S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file");
        mode = status.st_mode & 07777;
    }
    const std::string name = sentence(target_, ".partial-", ::getpid(), "-", ++count);
    const Descriptor file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file.open()) fail_with_errno(path_, "cannot be written", errno);
    if (mode != 0 && ::fchmod(file.number(), mode) != 0) {
        const int code = errno;
        ::unlink(name.c_str());
        fail_with_errno(path_, "cannot be written", code);
    }
    name_ = name;
}

PartialFile::PartialFile(PartialFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      name_(std::exchange(other.name_, {})) {}

PartialFile::~PartialFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
}

void PartialFile::commit() {
    Descriptor file(::open(name_.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.open()) fail_with_errno(path_, "cannot be written", errno);
    if (::fsync(file.number()) != 0) fail_with_errno(path_, "cannot be flushed", errno);
    if (!file.close()) fail_with_errno(path_, "cannot be written", errno);
    if (::rename(name_.c_str(), target_.c_str()) != 0) fail_with_errno(path_, "cannot be replaced", errno);
    name_.clear();
    flush_folder(folder_of(target_), path_);
}

void write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
    PartialFile partial(path);
    Descriptor file(::open(partial.name().c_str(), O_WRONLY | O_CLOEXEC));
    if (!file.open()) fail_with_errno(path, "cannot be written", errno);
    write_all(file.number(), bytes, path);
    if (!file.close()) fail_with_errno(path, "cannot be written", errno);
    partial.commit();
}

void write_file_atomically(const std::string& path, std::string_view text) {
    write_file_atomically(path, std::as_bytes(std::span(text)));
}

}  // namespace sonolux

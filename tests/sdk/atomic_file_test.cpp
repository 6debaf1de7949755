#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <thread>

namespace sonolux {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class AtomicFile : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ =
            std::filesystem::path(::testing::TempDir()) / ("sonolux_atomic_file_" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string path(const char* name) const { return (folder_ / name).string(); }
    int files() const {
        return static_cast<int>(std::distance(std::filesystem::directory_iterator(folder_), {}));
    }

    std::filesystem::path folder_;
};

TEST_F(AtomicFile, ReadsBackWhatItWrites) {
    std::string text(300000, 'x');
    text[1] = '\0';
    write_file_atomically(path("a"), text);
    EXPECT_EQ(read_text_file(path("a")), text);
    write_file_atomically(path("a"), "");
    EXPECT_EQ(read_text_file(path("a")), "");
    EXPECT_EQ(files(), 1);
}

/// Writes `text` to `path` in a child that may write files of at most `limit` bytes (what a full disk looks
/// like: a write that takes a part and one that fails), and returns the child's error message.
std::string message_with_file_limit(const std::string& path, const std::string& text, rlim_t limit) {
    int ends[2];
    if (pipe(ends) != 0) return "no pipe";
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit file_limit = {limit, limit};
        setrlimit(RLIMIT_FSIZE, &file_limit);
        std::string message = "written";
        try {
            write_file_atomically(path, text);
        } catch (const Error& error) {
            message = error.what();
        }
        const bool told = write(ends[1], message.data(), message.size()) > 0;
        _exit(told ? 0 : 1);
    }
    close(ends[1]);
    std::string message(4096, '\0');
    const ssize_t size = read(ends[0], message.data(), message.size());
    close(ends[0]);
    waitpid(child, nullptr, 0);
    message.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return message;
}

TEST_F(AtomicFile, AFullDiskLeavesTheOldFileAndNothingElse) {
    const std::string large(100000, 'n');
    EXPECT_EQ(message_with_file_limit(path("a"), large, 10000),
              path("a") + ": cannot be written: File too large");
    EXPECT_EQ(files(), 0);
    write_file_atomically(path("a"), "old");
    EXPECT_EQ(message_with_file_limit(path("a"), large, 10000),
              path("a") + ": cannot be written: File too large");
    EXPECT_EQ(read_text_file(path("a")), "old");
    EXPECT_EQ(files(), 1);
    EXPECT_EQ(message_with_file_limit(path("a"), large, 100000), "written");
    EXPECT_EQ(read_text_file(path("a")), large);
}

TEST_F(AtomicFile, AReaderNeverSeesHalfAFile) {
    const std::string first(70000, 'a'), second(50000, 'b');
    write_file_atomically(path("a"), first);
    std::thread writer([&] {
        for (int i = 0; i < 50; ++i) write_file_atomically(path("a"), i % 2 == 0 ? second : first);
    });
    for (int i = 0; i < 200; ++i) {
        const std::string seen = read_text_file(path("a"));
        EXPECT_TRUE(seen == first || seen == second) << seen.size();
    }
    writer.join();
    EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFile, KeepsPermissionsAndLinks) {
    write_file_atomically(path("a"), "old");
    chmod(path("a").c_str(), 0640);
    std::filesystem::create_symlink("a", folder_ / "link");
    write_file_atomically(path("link"), "new");
    EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link"));
    EXPECT_EQ(read_text_file(path("a")), "new");
    struct stat status;
    ASSERT_EQ(stat(path("a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST_F(AtomicFile, NamesThePathAndTheReason) {
    EXPECT_THAT(
        [&] { write_file_atomically(path("no/such/folder"), "x"); },
        ThrowsMessage<Error>(path("no/such/folder") + ": cannot be written: No such file or directory"));
    EXPECT_THAT([&] { write_file_atomically(folder_.string(), "x"); },
                ThrowsMessage<Error>(folder_.string() + ": cannot be written: it is a folder"));
    EXPECT_THAT([] { write_file_atomically("/dev/null", "x"); },
                ThrowsMessage<Error>("/dev/null: cannot be written: it is not a regular file"));
    EXPECT_THAT([&] { (void)read_file(path("missing")); },
                ThrowsMessage<Error>(path("missing") + ": cannot be opened: No such file or directory"));
    EXPECT_THAT([&] { (void)read_file(folder_.string()); },
                ThrowsMessage<Error>(folder_.string() + ": cannot be read: Is a directory"));
    write_file_atomically(path("a"), "12345");
    EXPECT_THAT([&] { (void)read_file(path("a"), 4); },
                ThrowsMessage<Error>(HasSubstr("5 bytes, at most 4 are read")));
    EXPECT_EQ(files(), 1);
}

}  // namespace
}  // namespace sonolux

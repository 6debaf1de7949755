#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/tensorboard.hpp>

namespace sonolux {
namespace {

std::string file_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

std::filesystem::path fresh_file(const char* name) {
    const auto path = std::filesystem::path(testing::TempDir()) / name;
    std::filesystem::remove(path);
    return path;
}

TEST(Tensorboard, ChecksumIsCrc32c) {
    const char digits[] = "123456789";
    EXPECT_EQ(crc32c(std::as_bytes(std::span(digits, 9))), 0xe3069283u);  // the check value of the polynomial
    const std::byte zeros[32]{};
    EXPECT_EQ(crc32c(zeros), 0x8a9136aau);  // RFC 3720, appendix B.4
}

TEST(Tensorboard, ContinuesWhereItWasToldTo) {
    const auto whole = fresh_file("whole.tfevents"), broken = fresh_file("broken.tfevents");
    {
        TensorboardWriter writer(whole);
        for (int step = 0; step < 4; ++step) writer.add_scalar("loss", 0.5 * step, step, 1e9 + step);
        writer.flush();
    }
    std::uintmax_t keep = 0;
    {
        TensorboardWriter writer(broken);
        for (int step = 0; step < 2; ++step) writer.add_scalar("loss", 0.5 * step, step, 1e9 + step);
        keep = writer.flush();
        writer.add_scalar("loss", 77, 2, 1e9);
    }
    {
        TensorboardWriter writer(broken, keep);
        for (int step = 2; step < 4; ++step) writer.add_scalar("loss", 0.5 * step, step, 1e9 + step);
        writer.flush();
    }
    EXPECT_EQ(file_bytes(whole), file_bytes(broken));
}

TEST(Tensorboard, IsReadByTensorboardItself) {
    const char* python = std::getenv("SONOLUX_PEERS_PYTHON");
    if (python == nullptr) GTEST_SKIP() << "skipped: SONOLUX_PEERS_PYTHON names no Python with tensorboard";
    const auto folder = std::filesystem::path(testing::TempDir()) / "tensorboard_run";
    std::filesystem::create_directories(folder);
    const auto path = folder / "events.out.tfevents.sonolux";
    std::filesystem::remove(path);
    {
        TensorboardWriter writer(path);
        for (int step = 1; step <= 300; step += 100)
            writer.add_scalar("validation/psnr", 28.75 + step, step, 1e9);
        writer.flush();
    }
    const auto script = folder / "read.py", answer = folder / "answer.txt";
    std::ofstream(script)
        << "import sys\n"
           "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
           "events = EventAccumulator(sys.argv[1])\n"
           "events.Reload()\n"
           "for point in events.Scalars('validation/psnr'):\n"
           "    print(point.step, point.value)\n";
    const std::string command = std::string(python) + " " + script.string() + " " + folder.string() + " > " +
                                answer.string() + " 2> " + (folder / "errors.txt").string();
    if (std::system((std::string(python) + " -c 'import tensorboard' 2> /dev/null").c_str()) != 0)
        GTEST_SKIP() << "skipped: " << python << " has no tensorboard";
    ASSERT_EQ(std::system(command.c_str()), 0) << file_bytes(folder / "errors.txt");
    EXPECT_EQ(file_bytes(answer), "1 29.75\n101 129.75\n201 229.75\n");
}

TEST(Tensorboard, NamesAFileThatCannotBeWritten) {
    EXPECT_THAT(
        [] { TensorboardWriter("/nowhere/at/all.tfevents"); },
        testing::ThrowsMessage<Error>(testing::HasSubstr("/nowhere/at/all.tfevents: cannot be written")));
}

}  // namespace
}  // namespace sonolux

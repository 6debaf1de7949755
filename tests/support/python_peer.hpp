// tests/support/python_peer.hpp
//
// Results of other people's programs, from the Python that SONOLUX_PEERS_PYTHON names.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// A folder to exchange raw float32 arrays with a script, which is told its name as sys.argv[1].
class PythonPeer {
public:
    PythonPeer()
        : folder_(std::filesystem::path(::testing::TempDir()) /
                  ("sonolux_peer_" + std::to_string(getpid()) + "_" +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
        std::filesystem::create_directories(folder_);
    }
    ~PythonPeer() { std::filesystem::remove_all(folder_); }
    PythonPeer(const PythonPeer&) = delete;
    PythonPeer& operator=(const PythonPeer&) = delete;

    /// Empty if there is a Python with these modules ("numpy, skimage"), else why there is none.
    [[nodiscard]] static std::string missing(const std::string& modules) {
        const char* python = std::getenv("SONOLUX_PEERS_PYTHON");
        if (python == nullptr) return "skipped: SONOLUX_PEERS_PYTHON names no Python with " + modules;
        const std::string command = std::string("'") + python + "' -c 'import " + modules + "' 2>/dev/null";
        if (std::system(command.c_str()) != 0)
            return "skipped: " + std::string(python) + " lacks one of " + modules;
        return "";
    }

    void write(const std::string& name, View<const float> values) const {
        std::ofstream file(folder_ / name, std::ios::binary);
        file.write(reinterpret_cast<const char*>(values.data()),
                   static_cast<std::streamsize>(values.elements() * sizeof(float)));
    }

    /// Runs a script without single quotes in it; true if it ended well. It begins with `n` as numpy,
    /// `read(name, shape)` and `write(name, array)`.
    [[nodiscard]] bool run(const std::string& script) const {
        const std::string begin =
            "import sys, numpy as n\n"
            "read = lambda name, *shape: "
            "n.fromfile(sys.argv[1] + \"/\" + name, n.float32).astype(float).reshape(shape)\n"
            "write = lambda name, a: "
            "n.ascontiguousarray(a, n.float32).tofile(sys.argv[1] + \"/\" + name)\n";
        const std::string command = std::string("'") + std::getenv("SONOLUX_PEERS_PYTHON") + "' -c '" +
                                    begin + script + "' '" + folder_.string() + "'";
        return std::system(command.c_str()) == 0;
    }

    [[nodiscard]] Array<float> read(const std::string& name, const Shape& shape) const {
        Array<float> values(shape);
        std::ifstream file(folder_ / name, std::ios::binary);
        file.read(reinterpret_cast<char*>(values.data()),
                  static_cast<std::streamsize>(values.elements() * sizeof(float)));
        require(static_cast<bool>(file), Status::file_error, (folder_ / name).string(), ": too short for ",
                to_string(shape));
        return values;
    }

private:
    std::filesystem::path folder_;
};

}  // namespace sonolux

/// First line of a test that compares with a Python peer.
#define SLX_NEEDS_PYTHON(modules)                                                                    \
    if (const std::string slx_missing = sonolux::PythonPeer::missing(modules); !slx_missing.empty()) \
    GTEST_SKIP() << slx_missing

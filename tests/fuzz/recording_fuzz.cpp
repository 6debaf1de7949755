// tests/fuzz/recording_fuzz.cpp
//
// A recording of a probe in a MATLAB file of version 5. matio reads files, not memory, so the bytes go into a
// file of the temporary folder, with a description beside it.
//
// zea and UFF are HDF5, and libhdf5 1.10.8 itself falls over, or never ends, where the heap of its texts is
// damaged: bytes of theirs are not tried. channel_data_hostile_test.cpp tries the numbers in such files.
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include <sonolux/sdk/files/channel_data_file.hpp>

#include "tests/fuzz/fuzz.hpp"

using namespace sonolux;

namespace {

namespace fs = std::filesystem;

constexpr const char* description = R"([array]
pitch = 0.3e-3
[pulse]
centre_frequency = 5e6
[transmit]
kind = "plane"
angles_degrees = [-5, 5]
sound_speed = 1540
[recording]
sampling_frequency = 40e6
start_time = 0
)";

/// A folder of this process, gone when it ends well.
struct Folder {
    fs::path path = fs::temp_directory_path() / ("sonolux_recording_fuzz_" + std::to_string(::getpid()));

    Folder() {
        fs::create_directories(path);
        std::ofstream(path / "acquisition.toml") << description;
    }
    ~Folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view signature = "MATLAB 5.0 MAT";
    if (!std::string_view(reinterpret_cast<const char*>(data), size).starts_with(signature)) return 0;
    static const Folder folder;
    const std::string path = (folder.path / "recording").string();
    {
        std::ofstream file(path, std::ios::binary | std::ios::trunc);
        file.write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    }
    try {
        const ChannelData read = read_channel_data(path);
        validate(read);
        for (const Transmission& t : read.acquisition.transmissions)
            fuzz::expect(std::isfinite(t.angle) && std::isfinite(t.focus.x) && std::isfinite(t.focus.z) &&
                             std::isfinite(t.focus_time),
                         "waves have finite places and directions");
    } catch (const Error& error) {
        const std::string_view message = error.what();
        fuzz::expect(error.status() != Status::internal_error, message);
        fuzz::expect(message.starts_with(path + ": "), message);
    }
    return 0;
}

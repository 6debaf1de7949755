#include "tests/support/paths.hpp"

#include <cstdlib>

namespace sonolux {

const char* source_root() noexcept {
    const char* moved = std::getenv("SONOLUX_TEST_SOURCE");  // of a test program that runs elsewhere
    return moved != nullptr ? moved : SLX_SOURCE_DIR;
}

const char* samples_folder() noexcept { return SLX_SAMPLES_DIR; }

const char* sonolux_program() noexcept { return SLX_PROGRAM; }

const char* kspace_program() noexcept { return SLX_KSPACE_PROGRAM; }

}  // namespace sonolux

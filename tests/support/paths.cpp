#include "tests/support/paths.hpp"

namespace sonolux {

const char* source_root() noexcept { return SLX_SOURCE_DIR; }

const char* samples_folder() noexcept { return SLX_SAMPLES_DIR; }

const char* sonolux_program() noexcept { return SLX_PROGRAM; }

const char* kspace_program() noexcept { return SLX_KSPACE_PROGRAM; }

}  // namespace sonolux

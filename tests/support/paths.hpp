// tests/support/paths.hpp
//
// Where the build left what tests start. Absolute paths stand in paths.cpp alone: the flags of every other
// file of tests are then the same in any folder, and a compiler cache serves all checkouts.
#pragma once

namespace sonolux {

/// The root of the source tree that this program was built from.
[[nodiscard]] const char* source_root() noexcept;

/// The folder of the samples.
[[nodiscard]] const char* samples_folder() noexcept;

/// The command line `sonolux`; empty where it is not built.
[[nodiscard]] const char* sonolux_program() noexcept;

/// `sonolux-kspace`; empty where it is not built.
[[nodiscard]] const char* kspace_program() noexcept;

}  // namespace sonolux

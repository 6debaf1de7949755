// tests/support/data.hpp
//
// Where tests find data that are not in the repository, and how they skip without them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/paths.hpp"

namespace sonolux {

/// The root of the source tree that this program was built from.
[[nodiscard]] inline std::filesystem::path source_folder() { return source_root(); }

namespace detail {

inline std::filesystem::path folder_from(const char* variable, const std::filesystem::path& otherwise) {
    const char* set = std::getenv(variable);
    return (set != nullptr && *set != '\0' ? std::filesystem::path(set) : source_folder() / otherwise)
        .lexically_normal();
}

}  // namespace detail

/// Images and recordings: the environment variable SONOLUX_DATA, by default ../shared/data beside the
/// repository.
[[nodiscard]] inline std::filesystem::path data_folder() {
    return detail::folder_from("SONOLUX_DATA", "../shared/data");
}

/// Networks that others trained: SONOLUX_ORACLES, by default ../shared/oracles beside the repository.
[[nodiscard]] inline std::filesystem::path oracle_folder() {
    return detail::folder_from("SONOLUX_ORACLES", "../shared/oracles");
}

}  // namespace sonolux

/// First line of a test that needs a file or folder: skips the test, saying what is missing, where it is not
/// there.
///
///     TEST(TnrdOracle, ReproducesThePublishedFigure) {
///         SLX_NEEDS(sonolux::oracle_folder() / "tnrd/sigma25_tnrd_7x7.mat");
///         SLX_NEEDS(sonolux::data_folder() / "restoration/bsd68_gray");
#define SLX_NEEDS(needed)                                                                        \
    if (const std::filesystem::path slx_needed = (needed); !std::filesystem::exists(slx_needed)) \
    GTEST_SKIP() << "skipped: " << slx_needed                                                    \
                 << " is missing (SONOLUX_DATA and SONOLUX_ORACLES say where to look)"

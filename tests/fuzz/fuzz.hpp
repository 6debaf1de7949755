// tests/fuzz/fuzz.hpp
//
// What the fuzzers share: which ends of a reader are allowed.
//
// A fuzzer is a function that libFuzzer calls with bytes that it makes up, changing those that reached new
// code before. A reader may accept them or throw an Error that begins with the name of the source; whatever
// else happens (another exception, an abort, a report of AddressSanitizer or UndefinedBehaviorSanitizer, a
// hang, memory beyond the limit) stops the fuzzer, which leaves the bytes in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <span>
#include <string_view>

#include <sonolux/core/error.hpp>

namespace sonolux::fuzz {

inline constexpr const char* source = "made up";

/// Ends the process, saying why, where a reader broke its word.
inline void expect(bool kept, std::string_view promise) {
    if (kept) return;
    std::fprintf(stderr, "broken promise: %.*s\n", static_cast<int>(promise.size()), promise.data());
    std::abort();
}

/// Runs `read`; an Error must have one of these statuses and begin with the name of the source.
template <class Read>
void expect_manners(std::initializer_list<Status> allowed, const Read& read) {
    try {
        read();
    } catch (const Error& error) {
        const std::string_view message = error.what();
        bool known = false;
        for (const Status status : allowed) known = known || error.status() == status;
        expect(known, message);
        expect(message.starts_with(source), message);
    }
}

inline std::span<const std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
    return std::as_bytes(std::span(data, size));
}

}  // namespace sonolux::fuzz

/// libFuzzer's name for the function.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

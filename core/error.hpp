// sonolux/core/error.hpp
//
// Status codes, the exception that carries them, and sentences for its message.
//
// Set-up code throws Error; run-time code returns Status; the C ABI turns the first into the second.
#pragma once

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>

namespace sonolux {

/// The values are part of the C ABI (slx_status) and never change meaning.
enum class Status : int {
    ok = 0,
    invalid_argument = 1,  ///< a value outside what the documentation allows
    size_mismatch = 2,     ///< sizes that do not belong together
    unsupported = 3,       ///< well formed, but not something this build or model can do
    file_error = 4,        ///< a file could not be opened, read or written
    corrupt_data = 5,      ///< a file or buffer that is not what it claims to be
    out_of_memory = 6,
    cancelled = 7,          ///< the cancel flag was set; the output holds the last finished stage
    deadline_exceeded = 8,  ///< the deadline passed; the output holds the last finished stage
    device_error = 9,
    internal_error = 10,
};

/// A short, lower-case sentence fragment: "invalid argument".
[[nodiscard]] constexpr const char* to_string(Status status) noexcept {
    switch (status) {
        case Status::ok: return "ok";
        case Status::invalid_argument: return "invalid argument";
        case Status::size_mismatch: return "size mismatch";
        case Status::unsupported: return "unsupported";
        case Status::file_error: return "file error";
        case Status::corrupt_data: return "corrupt data";
        case Status::out_of_memory: return "out of memory";
        case Status::cancelled: return "cancelled";
        case Status::deadline_exceeded: return "deadline exceeded";
        case Status::device_error: return "device error";
        case Status::internal_error: return "internal error";
    }
    return "unknown status";
}

class Error : public std::exception {
public:
    Error(Status status, std::string message) : status_(status), message_(std::move(message)) {}

    [[nodiscard]] Status status() const noexcept { return status_; }
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

private:
    Status status_;
    std::string message_;
};

namespace detail {

inline void append(std::string& text, std::string_view part) { text += part; }
inline void append(std::string& text, const char* part) { text += part; }
inline void append(std::string& text, const std::string& part) { text += part; }
inline void append(std::string& text, bool part) { text += part ? "true" : "false"; }

template <class T>
requires std::is_integral_v<T>
void append(std::string& text, T part) { text += std::to_string(part); }

template <class T>
requires std::is_floating_point_v<T>
void append(std::string& text, T part) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.9g", static_cast<double>(part));
    text += buffer;
}

}  // namespace detail

/// Joins strings and numbers into one sentence. No streams, so that firmware can link it.
template <class... Parts>
[[nodiscard]] std::string sentence(const Parts&... parts) {
    std::string text;
    (detail::append(text, parts), ...);
    return text;
}

template <class... Parts>
[[noreturn]] void fail(Status status, const Parts&... parts) {
    throw Error(status, sentence(parts...));
}

/// Throws Error{status, sentence(parts...)} unless `condition` holds.
/// The sentence names the thing, what was expected and what was there: "rows must be at least 1, got 0".
template <class... Parts>
void require(bool condition, Status status, const Parts&... parts) {
    if (!condition) [[unlikely]]
        fail(status, parts...);
}

}  // namespace sonolux

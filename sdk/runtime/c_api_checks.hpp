// sonolux/sdk/runtime/c_api_checks.hpp
//
// What the functions of the C interface that may fail have in common. Private to its sources.
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

#include <sonolux/sdk/runtime/c_api_handles.hpp>

namespace sonolux {

/// The one place where exceptions end.
template <class Work>
slx_status guarded(slx_error* error, Work&& work) noexcept {
    try {
        work();
        return report(error, Status::ok);
    } catch (const Error& caught) {
        return report(error, caught.status(), caught.what());
    } catch (const std::bad_alloc&) {
        return report(error, Status::out_of_memory, "out of memory");
    } catch (const std::exception& caught) {
        return report(error, Status::internal_error, caught.what());
    } catch (...) {
        return report(error, Status::internal_error, "an exception of unknown type");
    }
}

template <class T>
void require_pointer(T* pointer, const char* name) {
    require(pointer != nullptr, Status::invalid_argument, name, " must not be NULL");
}

inline constexpr std::size_t largest_struct = 4096;  // beyond, `size` was never set

/// A copy of what the caller, perhaps compiled against another version, knows of the structure.
template <class T>
T read_struct(const T* given, const char* name) {
    require_pointer(given, name);
    const std::size_t size = given->size;
    require(size >= sizeof(std::size_t) && size <= largest_struct, Status::invalid_argument, name,
            "->size must be sizeof the structure, ", sizeof(T), ", got ", size);
    T known{};
    std::memcpy(&known, given, std::min(size, sizeof(T)));
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    for (std::size_t i = sizeof(T); i < size; ++i)
        require(bytes[i] == 0, Status::unsupported, name,
                " sets a field that this version of the library does not know, at byte ", i);
    return known;
}

/// As much of `known` as the caller knows of the structure.
template <class T>
void write_struct(T known, T* asked, const char* name) {
    const std::size_t size = asked->size;
    require(size >= sizeof(std::size_t) && size <= largest_struct, Status::invalid_argument, name,
            "->size must be sizeof the structure, ", sizeof(T), ", got ", size);
    known.size = size;
    std::memcpy(asked, &known, std::min(size, sizeof(T)));
    if (size > sizeof(T))
        std::memset(reinterpret_cast<unsigned char*>(asked) + sizeof(T), 0, size - sizeof(T));
}

inline Index to_size(std::size_t value, const char* name) {
    require(value <= static_cast<std::size_t>(Reconstructor::largest_size), Status::invalid_argument, name,
            " must be at most ", Reconstructor::largest_size, ", got ", value);
    return static_cast<Index>(value);
}

}  // namespace sonolux

// sonolux/core/cuda/module.hpp
//
// The functions of the CUDA module, found by name.
#pragma once

#include <cstdio>
#include <new>

#include <sonolux/core/error.hpp>

namespace sonolux::cuda {

/// What a function of the module says where it fails: a sentence, cut off where it is longer.
struct Message {
    char text[512] = "";
};

/// The address of a function that the module exports with C linkage. The module is loaded by the first call,
/// from the folder of the library or program that this code is part of, from where libraries are installed
/// beside that of programs, then from where the loader looks.
/// Throws Error{unsupported}, naming what was looked for and what the loader said.
[[nodiscard]] void* module_function(const char* name);

/// The same with its type: `module_call<decltype(slx_cuda_open)>("slx_cuda_open")`.
template <class Function>
[[nodiscard]] Function* module_call(const char* name) {
    return reinterpret_cast<Function*>(module_function(name));
}

/// Throws Error{status, message} unless `status` is ok.
inline void require_ok(Status status, const Message& message) {
    if (status != Status::ok) throw Error(status, message.text);
}

/// What every function of the module does with exceptions: the status, and the sentence in `message`.
template <class Body>
Status guarded(Message* message, Body&& body) noexcept {
    const auto say = [&](Status status, const char* text) {
        if (message != nullptr) std::snprintf(message->text, sizeof message->text, "%s", text);
        return status;
    };
    try {
        body();
        return Status::ok;
    } catch (const Error& error) {
        return say(error.status(), error.what());
    } catch (const std::bad_alloc&) {
        return say(Status::out_of_memory, "out of host memory");
    } catch (const std::exception& error) {
        return say(Status::internal_error, error.what());
    } catch (...) {
        return say(Status::internal_error, "an exception of unknown kind");
    }
}

}  // namespace sonolux::cuda

namespace sonolux {
class CudaDevice;
}

// What the module exports for devices; each further part declares its own functions in its own header.
extern "C" {
/// The version of Sonolux that the module was built from; must be equal to that of the caller.
const char* slx_cuda_version() noexcept;

/// A new device, or why there is none. Delete it.
sonolux::Status slx_cuda_open(int index, sonolux::CudaDevice** device,
                              sonolux::cuda::Message* message) noexcept;
}

// sonolux/sdk/runtime/bind_workspace.hpp
//
// What the reconstructors share: scratch memory of their own or of a caller's, and threads that run already.
// Private to sdk/runtime.
#pragma once

#include <cstdint>
#include <span>

#include <sonolux/core/context.hpp>

namespace sonolux {

/// Runners like OpenMP start their threads, and allocate, in the first parallel region.
inline void start_threads(Context& context) noexcept {
    parallel_for(context, Index{4} * context.threads(), [](Index, int) noexcept {});
}

/// The context owns `bytes` of scratch from now on. Throws Error{out_of_memory}.
inline void bind_own_workspace(Context& context, std::size_t bytes) {
    context.workspace().bind(nullptr, 0);
    context.workspace().reserve(bytes);
    start_threads(context);
}

/// The context takes its scratch from `memory`. Throws Error{size_mismatch} where that is less than `bytes`,
/// Error{invalid_argument} where it is not aligned.
inline void bind_workspace(Context& context, std::size_t bytes, std::span<std::byte> memory) {
    require(memory.size() >= bytes, Status::size_mismatch, "workspace must have at least ", bytes,
            " bytes, got ", memory.size());
    const auto beyond = reinterpret_cast<std::uintptr_t>(memory.data()) % Workspace::alignment;
    require(beyond == 0, Status::invalid_argument, "workspace must start at a multiple of ",
            Workspace::alignment, " bytes, got an address ", beyond, " bytes beyond one");
    context.workspace().bind(memory.data(), memory.size());
    start_threads(context);
}

}  // namespace sonolux

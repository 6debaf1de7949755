// sonolux/sdk/runtime/bind_workspace.hpp
//
// What the reconstructors share: scratch memory of their own or of a caller's, threads that run already, and
// the clock of a run. Private to sdk/runtime.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include <sonolux/core/context.hpp>

namespace sonolux {

/// The caller's runner, or the default one of `threads` (0: all processors). Throws Error{invalid_argument}.
inline std::shared_ptr<ThreadRunner> make_runner(const std::shared_ptr<ThreadRunner>& given, int threads) {
    constexpr int most_threads = 1024;
    if (given) threads = given->threads();
    require(threads >= (given ? 1 : 0) && threads <= most_threads, Status::invalid_argument,
            given ? "threads of the runner must be from 1 to " : "threads must be from 0 to ", most_threads,
            ", got ", threads);
    return given ? given : make_openmp_runner(threads);
}

/// A run that begins now stops after this many seconds.
inline void limit_time(Context& context, double seconds) noexcept {
    const bool limited = seconds < 1e9;  // beyond 30 years the clock's units may overflow
    context.set_deadline(limited
                             ? Context::Clock::now() + std::chrono::duration_cast<Context::Clock::duration>(
                                                           std::chrono::duration<double>(seconds))
                             : Context::Clock::time_point::max());
}

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

// sonolux/core/workspace.hpp
//
// Scratch memory that is sized once, before the first run, and handed out like a stack.
#pragma once

#include <algorithm>

#include <sonolux/core/array.hpp>

namespace sonolux {

/// A stack of scratch memory. `reserve` or `bind` at set-up time; `Scratch` takes and gives back at run time
/// without allocating, locking or throwing.
///
/// Whoever runs something asks it first for its `workspace_bytes` and reserves that many.
class Workspace {
public:
    static constexpr std::size_t alignment = 64;

    /// What taking `count` elements of T costs, with the padding that keeps the next block aligned.
    template <class T>
    [[nodiscard]] static constexpr std::size_t bytes(Index count) noexcept {
        return (static_cast<std::size_t>(count) * sizeof(T) + alignment - 1) / alignment * alignment;
    }

    /// Owns at least `size` bytes from now on. Throws Error{out_of_memory}. Nothing may be taken at the time.
    void reserve(std::size_t size) {
        if (size <= size_) return;
        assert(used_ == 0);
        owned_ = Array<std::byte>({static_cast<Index>(size)});
        memory_ = owned_.data();
        size_ = size;
    }

    /// Uses the caller's memory (64-byte aligned) from now on.
    void bind(std::byte* memory, std::size_t size) noexcept {
        memory_ = memory;
        size_ = size;
        used_ = 0;
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t used() const noexcept { return used_; }
    [[nodiscard]] std::size_t peak() const noexcept { return peak_; }

private:
    friend class Scratch;

    Array<std::byte> owned_;
    std::byte* memory_ = nullptr;
    std::size_t size_ = 0, used_ = 0, peak_ = 0;
};

/// Takes blocks from a workspace and gives all of them back when it goes out of scope.
/// Contents are not initialised. Taking more than was reserved is a planning error of ours: it stops the
/// program in debug builds, and returns nullptr in release builds.
class Scratch {
public:
    explicit Scratch(Workspace& workspace) noexcept : workspace_(workspace), mark_(workspace.used_) {}
    ~Scratch() { workspace_.used_ = mark_; }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    template <class T>
    [[nodiscard]] T* take(Index count) noexcept {
        const std::size_t size = Workspace::bytes<T>(count);
        const bool fits = size <= workspace_.size_ - workspace_.used_;
        assert(fits && "workspace too small: reserve workspace_bytes() before running");
        if (!fits) return nullptr;
        void* block = workspace_.memory_ + workspace_.used_;
        workspace_.used_ += size;
        workspace_.peak_ = std::max(workspace_.peak_, workspace_.used_);
        return static_cast<T*>(block);
    }

    template <class T>
    [[nodiscard]] View<T> take(const Shape& shape) noexcept {
        return View<T>(take<T>(shape.elements()), shape);
    }

private:
    Workspace& workspace_;
    std::size_t mark_;
};

}  // namespace sonolux

// tests/support/counted_allocations.hpp
//
// Takes the place of malloc in the program whose one source includes this: counts what is allocated, and
// makes allocations fail on demand.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <new>

#include <sonolux/sdk/runtime/sonolux.h>

namespace {

std::atomic<long> allocations{0};                     // so far
std::atomic<long> live{0};                            // not yet freed
std::atomic<long> first_refused{0}, last_refused{0};  // numbers of the allocations that fail; 0: none
std::atomic<long> refusals{0};

// Counts one allocation; false if it is to fail.
bool allow() {
    const long number = ++allocations;
    const long first = first_refused;
    if (first == 0 || number < first || number > last_refused) return true;
    ++refusals;
    return false;
}

void* counted(void* memory) {
    if (memory != nullptr) ++live;
    return memory;
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLX_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLX_SANITIZED
#endif
#endif

#ifdef SLX_SANITIZED

// The sanitizers have taken malloc already: see what C++ allocates.
void* operator new(std::size_t size) {
    void* memory = allow() ? counted(std::malloc(size)) : nullptr;
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allow() ? counted(std::malloc(size)) : nullptr;
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    void* memory = nullptr;
    if (!allow() || posix_memalign(&memory, static_cast<std::size_t>(alignment), size) != 0) return nullptr;
    return counted(memory);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    void* memory = operator new(size, alignment, std::nothrow);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept {
    if (memory != nullptr) --live;
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { operator delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    operator delete(memory);
}

#else

// Everything that allocates in this process, whatever its language, comes here.
#define SLX_VISIBLE __attribute__((visibility("default")))
extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;

SLX_VISIBLE void* malloc(std::size_t size) noexcept {
    if (allow()) return counted(__libc_malloc(size));
    errno = ENOMEM;
    return nullptr;
}
SLX_VISIBLE void* calloc(std::size_t count, std::size_t size) noexcept {
    if (allow()) return counted(__libc_calloc(count, size));
    errno = ENOMEM;
    return nullptr;
}
SLX_VISIBLE void* realloc(void* old, std::size_t size) noexcept {
    if (!allow()) {
        errno = ENOMEM;
        return nullptr;
    }
    void* memory = __libc_realloc(old, size);
    if (old == nullptr) return counted(memory);
    if (memory == nullptr && size == 0) --live;
    return memory;
}
SLX_VISIBLE void* memalign(std::size_t alignment, std::size_t size) noexcept {
    if (allow()) return counted(__libc_memalign(alignment, size));
    errno = ENOMEM;
    return nullptr;
}
SLX_VISIBLE void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return memalign(alignment, size);
}
SLX_VISIBLE int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    *memory = memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
SLX_VISIBLE void free(void* memory) noexcept {
    if (memory != nullptr) --live;
    __libc_free(memory);
}
}

#endif

namespace {

// Calls `create` again and again, refusing its first allocation, its second, ... until it needs no more;
// either that one alone, or all from there on. Each time it must say so, create nothing and leave nothing
// behind.
template <class Create, class Destroy>
void refuse_each_allocation(Create create, Destroy destroy, bool may_blame_the_file = false) {
    slx_error error;
    destroy(create(error));  // whatever is allocated once per process
    for (const bool only_one : {true, false}) {
        long needed = 0;
        for (long number = 1; number < 100000; ++number) {
            const long live_before = live;
            refusals = 0;
            last_refused = only_one ? allocations + number : std::numeric_limits<long>::max();
            first_refused = allocations + number;
            auto* handle = create(error);
            first_refused = 0;
            const bool ok = error.status == SLX_OK;
            const bool refused =
                error.status == SLX_OUT_OF_MEMORY || (may_blame_the_file && error.status == SLX_FILE_ERROR);
            ASSERT_TRUE(ok || refused) << "allocation " << number << ": " << error.text;
            ASSERT_EQ(handle != nullptr, ok);
            if (ok) destroy(handle);
            EXPECT_EQ(live, live_before) << "allocation " << number << " fails, and something is not freed";
            if (refusals == 0) {
                EXPECT_TRUE(ok);
                break;
            }
            ++needed;
        }
        EXPECT_GT(needed, 1);
    }
}

}  // namespace

// sonolux/core/array.hpp
//
// Array<T>: memory of our own, seen through views.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <new>
#include <utility>

#include <sonolux/core/error.hpp>
#include <sonolux/core/view.hpp>

namespace sonolux {

/// An owning, contiguous, 64-byte aligned array of rank 0 to 4; elements start at T{}.
/// Moves are cheap and copies are explicit (`clone`), because an image is never copied by accident.
template <class T>
class Array {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    static constexpr std::size_t alignment = 64;  // a cache line, and an AVX-512 register

    Array() = default;

    /// Throws Error{invalid_argument} for a negative size, Error{out_of_memory} where memory ends.
    explicit Array(const Shape& shape) : shape_(shape) {
        for (int d = 0; d < shape.rank(); ++d)
            require(shape[d] >= 0, Status::invalid_argument, "array size must be at least 0, got ",
                    to_string(shape));
        std::size_t bytes = sizeof(T);
        for (int d = 0; d < shape.rank(); ++d)
            if (shape[d] == 0) bytes = 0;
        for (int d = 0; d < shape.rank() && bytes > 0; ++d)
            require(!__builtin_mul_overflow(bytes, static_cast<std::size_t>(shape[d]), &bytes) &&
                        bytes <= static_cast<std::size_t>(std::numeric_limits<Index>::max()),
                    Status::out_of_memory, "no memory for an array of ", to_string(shape));
        if (bytes == 0) return;
        void* memory = ::operator new (bytes, std::align_val_t{alignment}, std::nothrow);
        require(memory != nullptr, Status::out_of_memory, "no memory for an array of ", to_string(shape),
                " (", bytes, " bytes)");
        data_.reset(static_cast<T*>(memory));
        std::fill_n(data_.get(), shape.elements(), T{});
    }

    [[nodiscard]] Array clone() const {
        Array copy(shape_);
        std::copy_n(data_.get(), elements(), copy.data_.get());
        return copy;
    }

    [[nodiscard]] View<T> view() noexcept { return View<T>(data_.get(), shape_); }
    [[nodiscard]] View<const T> view() const noexcept { return View<const T>(data_.get(), shape_); }
    operator View<T>() noexcept { return view(); }              // NOLINT(google-explicit-constructor)
    operator View<const T>() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)

    [[nodiscard]] T* data() noexcept { return data_.get(); }
    [[nodiscard]] const T* data() const noexcept { return data_.get(); }
    [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
    [[nodiscard]] Index elements() const noexcept { return data_ ? shape_.elements() : 0; }
    [[nodiscard]] T* begin() noexcept { return data_.get(); }
    [[nodiscard]] T* end() noexcept { return data_.get() + elements(); }
    [[nodiscard]] const T* begin() const noexcept { return data_.get(); }
    [[nodiscard]] const T* end() const noexcept { return data_.get() + elements(); }

    template <class... Indices>
    [[nodiscard]] T& operator()(Indices... indices) noexcept {
        return view()(indices...);
    }
    template <class... Indices>
    [[nodiscard]] const T& operator()(Indices... indices) const noexcept {
        return view()(indices...);
    }

private:
    struct Free {
        void operator()(T* data) const noexcept { ::operator delete (data, std::align_val_t{alignment}); }
    };

    std::unique_ptr<T, Free> data_;
    Shape shape_;
};

}  // namespace sonolux

// sonolux/core/view.hpp
//
// View<T>: somebody else's memory, seen as an array.
#pragma once

#include <type_traits>

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// A non-owning, row-major array of rank 0 to 4. Elements of a row are adjacent; rows, channels and
/// batches may be further apart than their sizes say (a tile inside an image).
///
/// Views are passed by value. A View<float> converts to a View<const float>. Access is unchecked in
/// release builds and asserted in debug builds.
template <class T>
class View {
public:
    constexpr View() = default;

    /// Contiguous elements.
    constexpr View(T* data, const Shape& shape) noexcept : data_(data), shape_(shape) {
        Index stride = 1;
        for (int d = shape.rank() - 1; d >= 0; --d) {
            strides_[d] = stride;
            stride *= shape[d];
        }
    }

    /// A plane whose rows start `row_stride` elements apart.
    constexpr View(T* data, Index rows, Index columns, Index row_stride) noexcept
        : data_(data), shape_{rows, columns}, strides_{row_stride, 1, 0, 0} {}

    constexpr operator View<const T>()
        const noexcept  // NOLINT(google-explicit-constructor): as T* to const T*
        requires(!std::is_const_v<T>) {
        View<const T> view;
        view.data_ = data_;
        view.shape_ = shape_;
        view.strides_ = strides_;
        return view;
    }

    [[nodiscard]] constexpr T* data() const noexcept { return data_; }
    [[nodiscard]] constexpr const Shape& shape() const noexcept { return shape_; }
    [[nodiscard]] constexpr int rank() const noexcept { return shape_.rank(); }
    [[nodiscard]] constexpr Index size(int dimension) const noexcept { return shape_[dimension]; }
    [[nodiscard]] constexpr Index stride(int dimension) const noexcept { return strides_[dimension]; }
    [[nodiscard]] constexpr Index elements() const noexcept { return shape_.elements(); }
    [[nodiscard]] constexpr bool empty() const noexcept { return data_ == nullptr || elements() == 0; }

    /// The last two sizes, whatever the rank.
    [[nodiscard]] constexpr Index rows() const noexcept { return shape_.last(1); }
    [[nodiscard]] constexpr Index columns() const noexcept { return shape_.last(0); }
    [[nodiscard]] constexpr Index row_stride() const noexcept {
        return rank() >= 2 ? strides_[rank() - 2] : shape_.last(0);
    }

    [[nodiscard]] constexpr bool contiguous() const noexcept {
        Index stride = 1;
        for (int d = rank() - 1; d >= 0; --d) {
            if (shape_[d] != 1 && strides_[d] != stride) return false;
            stride *= shape_[d];
        }
        return true;
    }

    /// The element at the given indices; as many indices as the rank.
    template <class... Indices>
    [[nodiscard]] constexpr T& operator()(Indices... indices) const noexcept {
        assert(sizeof...(indices) == static_cast<std::size_t>(rank()));
        Index offset = 0;
        int d = 0;
        ((assert(indices >= 0 && indices < shape_[d]), offset += indices * strides_[d++]), ...);
        return data_[offset];
    }

    /// Element i of the slowest dimension: a plane of a stack, a row of a plane.
    [[nodiscard]] constexpr View operator[](Index i) const noexcept {
        assert(rank() >= 1 && i >= 0 && i < shape_[0]);
        View view;
        view.data_ = data_ + i * strides_[0];
        for (int d = 1; d < rank(); ++d) view.strides_[d - 1] = strides_[d];
        view.shape_ = drop_first(shape_);
        return view;
    }

    /// Rows [row, row + rows) and columns [column, column + columns) of a plane.
    [[nodiscard]] constexpr View block(Index row, Index column, Index rows, Index columns) const noexcept {
        assert(rank() == 2 && row >= 0 && column >= 0 && row + rows <= shape_[0] &&
               column + columns <= shape_[1]);
        return View(data_ + row * strides_[0] + column, rows, columns, strides_[0]);
    }

    [[nodiscard]] constexpr T* row(Index i) const noexcept {
        assert(rank() == 2);
        return data_ + i * strides_[0];
    }

    [[nodiscard]] constexpr T* begin() const noexcept { return assert(contiguous()), data_; }
    [[nodiscard]] constexpr T* end() const noexcept { return data_ + elements(); }

private:
    template <class>
    friend class View;

    static constexpr Shape drop_first(const Shape& shape) noexcept {
        switch (shape.rank()) {
            case 4: return {shape[1], shape[2], shape[3]};
            case 3: return {shape[1], shape[2]};
            case 2: return {shape[1]};
            default: return {};
        }
    }

    T* data_ = nullptr;
    Shape shape_;
    std::array<Index, Shape::max_rank> strides_{};
};

}  // namespace sonolux

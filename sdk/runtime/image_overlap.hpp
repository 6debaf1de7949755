// sonolux/sdk/runtime/image_overlap.hpp
//
// What the reconstructors ask of images that they are given as planes. Private to sdk/runtime.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <sonolux/core/error.hpp>
#include <sonolux/core/view.hpp>

namespace sonolux {

inline void copy_plane(View<const float> from, View<float> to) noexcept {
    for (Index r = 0; r < to.rows(); ++r) std::copy_n(from.row(r), to.columns(), to.row(r));
}

/// Whether two planes of one size share a pixel.
inline bool share_pixels(View<const float> a, View<const float> b) noexcept {
    const auto address = [](const float* p) { return reinterpret_cast<std::uintptr_t>(p); };
    const auto extent = [](View<const float> v) {
        return ((v.rows() - 1) * v.row_stride() + v.columns()) * sizeof(float);
    };
    const std::uintptr_t low = std::min(address(a.data()), address(b.data()));
    const std::uintptr_t high = std::max(address(a.data()), address(b.data()));
    const View<const float> first = low == address(a.data()) ? a : b;
    if (high - low >= extent(first)) return false;
    if (a.row_stride() != b.row_stride()) return true;
    // Rows of the same stride may lie between each other: two halves of a wide image.
    const std::uintptr_t shift = (high - low) % (static_cast<std::size_t>(a.row_stride()) * sizeof(float));
    const std::uintptr_t row = static_cast<std::size_t>(a.columns()) * sizeof(float);
    return shift < row || shift + row > static_cast<std::size_t>(a.row_stride()) * sizeof(float);
}

/// ok, or invalid_argument: planes without data, or that share pixels and are not, where that is allowed, the
/// same.
inline Status check_overlap(View<const float> in, View<const float> out, bool may_be_same) noexcept {
    if (in.data() == nullptr || out.data() == nullptr) return Status::invalid_argument;
    const bool same = may_be_same && in.data() == out.data() && in.row_stride() == out.row_stride();
    return !same && share_pixels(in, out) ? Status::invalid_argument : Status::ok;
}

/// ok; size_mismatch: not `channels` planes [rows, columns] each; or invalid_argument: planes of `out` that
/// overlap each other or one of `in` other than, where `in_place`, the same channel's.
inline Status check_planes(std::span<const View<const float>> in, std::span<const View<float>> out,
                           Index channels, Index rows, Index columns, bool in_place) noexcept {
    const auto wanted = static_cast<std::size_t>(channels);
    if (in.size() != wanted || out.size() != wanted) return Status::size_mismatch;
    const Shape plane{rows, columns};
    for (std::size_t c = 0; c < wanted; ++c)
        if (in[c].shape() != plane || out[c].shape() != plane || in[c].row_stride() < columns ||
            out[c].row_stride() < columns)
            return Status::size_mismatch;
    Status status = Status::ok;
    for (std::size_t i = 0; i < wanted; ++i)
        for (std::size_t o = 0; o < wanted && status == Status::ok; ++o)
            status = check_overlap(in[i], out[o], in_place && i == o);
    for (std::size_t o = 1; o < wanted && status == Status::ok; ++o)
        for (std::size_t before = 0; before < o; ++before)
            if (share_pixels(out[before], out[o])) status = Status::invalid_argument;
    return status;
}

}  // namespace sonolux

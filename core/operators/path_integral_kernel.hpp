// sonolux/core/operators/path_integral_kernel.hpp
//
// The inner loops of the cumulative travel-time operator. Private to core/operators.
//
// A fan is a set of rays from one place, as it crosses the rows of a map; up to 8 sources at whole columns
// from each other share its tables and are the lanes of vectors. Columns count from `shift`, the whole column
// before the source. Per row, with h the row spacing:
//
//     sample       S_k = (1 - f_k) s[c_k] + f_k s[c_k + 1]        where ray k is between columns c_k, c_k + 1
//     run          E_k = C_k + part S_k,   C_k <- C_k + full S_k   (part = h / 2 and full = h inside the map)
//     read off     T[o] = length_o ((1 - g_o) E_r + g_o E_{r+1})  where column o is between rays r and r + 1,
//                                                                 r = r_o
//
// Plane waves are a fan of parallel rays: c_k = k + cell, one f, one g = 1 - f; their lanes are columns.
#pragma once

#include <cstdint>

#include <sonolux/core/shape.hpp>

namespace sonolux::path_integral_kernel {

inline constexpr Index lanes = 8;

struct FanRow {
    float full = 0, part = 0;
    Index ray_begin = 0, ray_end = 0;             // of the rays that are still inside the map for some source
    Index cell_begin = 0, cell_count = 0;         // c_k is in [cell_begin, cell_begin + cell_count)
    const std::uint16_t* cell_ray_end = nullptr;  // [cell]: one past the last ray in it
    const float* fraction = nullptr;              // [ray]: f_k, from ray 0
    Index offset_begin = 0, offset_count = 0;
    const std::uint16_t* output_ray = nullptr;  // [offset, padded to whole vectors]: r_o, strictly increasing
    const float* output_fraction = nullptr;     // g_o
    const float* output_length = nullptr;       // length_o; 0 in the padding
};

struct PlaneRow {
    float full = 0, part = 0, low = 0, high = 0;  // 1 - f and f
    Index cell = 0;
    Index begin = 0, end = 0;  // columns that the wave reaches
};

/// The map, [rows, stride], whose column 0 is at `origin` in each row.
template <class T>
struct PaddedMap {
    T* data;
    Index stride, origin;
    [[nodiscard]] T* row(Index i) const noexcept { return data + i * stride + origin; }
};

/// Times of one source, [rows, stride], `lanes` more floats on either side of the columns.
struct SourceTimes {
    float* data;
    Index stride;
    [[nodiscard]] float* row(Index i) const noexcept { return data + i * stride + lanes; }
};

struct FanBlock {
    const FanRow* rows;
    Index first_row, row_count, columns, ray_count;
    Index used;                // lanes
    const Index* shifts;       // [lanes]
    const SourceTimes* times;  // [used]
    float* cells;              // scratch, 64-byte aligned: [most cells + 1, padded][lanes]
    float *sums, *ends;        // scratch: [ray_count + 1][lanes]
};

struct PlaneBlock {
    const PlaneRow* rows;
    Index first_row, row_count, columns;
    float length;
    SourceTimes times;
    float *sums, *ends, *samples;  // scratch: [columns + 2], rays -1 to columns
};

struct Kernels {
    void (*fan)(const FanBlock&, PaddedMap<const float>) noexcept;
    void (*fan_adjoint)(const FanBlock&, PaddedMap<float>) noexcept;  ///< adds to the map
    void (*plane)(const PlaneBlock&, PaddedMap<const float>) noexcept;
    void (*plane_adjoint)(const PlaneBlock&, PaddedMap<float>) noexcept;
};

// Each compiled from path_integral_simd.cpp with other flags.
namespace baseline {
Kernels kernels() noexcept;
}
namespace avx2 {
Kernels kernels() noexcept;
}
namespace avx512 {
Kernels kernels() noexcept;
}
namespace neon {
Kernels kernels() noexcept;
}

}  // namespace sonolux::path_integral_kernel

// sonolux/simulation/optics/fresnel_kernels.hpp
//
// What point spread functions off the axis spend their time on besides Fourier transforms: the phases of the
// relief's cells, and the field between its samples.
#pragma once

#include <sonolux/core/isa.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux::detail {

/// Cells beside each other behind a relief; propagation.hpp has the formula.
struct FieldRow {
    const double* height;     // [count], m
    const double* amplitude;  // [count]
    Index count;
    double x, y, pitch;        // of the first cell's middle, m
    double c_x, c_y, slant;    // of the window's middle, m: c and R_0
    double focal_length;       // of an ideal lens, m; 0: none
    double relief, frequency;  // n - 1, 1 / wavelength
};

/// Samples of a line at positions counted from its first, by a table of DenseInterpolation.
struct Resampling {
    const double* re;
    const double* im;
    const double* position;  // [count], such that all taps are on the line
    Index count;
    const double* table;
};

/// Where the nodes of a column of the window look, X away from the axis.
struct NodeColumn {
    const double* y;  // [count], m, away from the axis
    Index count;
    double z2_x2;          // z^2 + X^2
    double middle, scale;  // position = (Y / R - middle) scale - first
    double first;
};

struct FresnelKernels {
    /// Writes the field, real and imaginary parts in turn: a cell has the mean of its phase's slope.
    void (*field_row)(const FieldRow&, double* field) noexcept;
    void (*resample)(const Resampling&, double* re, double* im) noexcept;
    /// |field|^2
    void (*resample_power)(const Resampling&, double* power) noexcept;
    /// Writes positions and R^-4.
    void (*node_column)(const NodeColumn&, double* position, double* factor) noexcept;
};

[[nodiscard]] const FresnelKernels& fresnel_kernels(Isa isa) noexcept;

#define SLX_FRESNEL_KERNELS(isa)         \
    namespace fresnel::isa {             \
    extern const FresnelKernels kernels; \
    }
SLX_FRESNEL_KERNELS(baseline)
#if defined(__x86_64__)
SLX_FRESNEL_KERNELS(avx2)
SLX_FRESNEL_KERNELS(avx512)
#elif defined(__aarch64__)
SLX_FRESNEL_KERNELS(neon)
#endif
#undef SLX_FRESNEL_KERNELS

}  // namespace sonolux::detail

// sonolux/simulation/optics/fresnel_kernels_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. The compiler makes vectors of the loops
// over cells and nodes.
#include <cmath>
#include <cstring>
#include <numbers>

#include <sonolux/core/target.hpp>
#include <sonolux/simulation/optics/fresnel_kernels.hpp>
#include <sonolux/simulation/optics/sinc_interpolation.hpp>

namespace sonolux::detail::fresnel::SLX_ISA_NAMESPACE {
namespace {

using std::numbers::pi;

/// The sum over k of (-1)^k x2^k / ((first + 2 k) (first + 2 k - 1) ... 1): sin(x) / x from 1, cos(x) from 0.
template <int first, int terms>
static SLX_INLINE double alternating(double x2) noexcept {
    double sum = 1;
#pragma GCC unroll 12
    for (int k = terms - 1; k > 0; --k) sum = 1 - x2 * (1.0 / ((first + 2 * k) * (first + 2 * k - 1))) * sum;
    return sum;
}

/// sin(pi t) / (pi t), within 1e-12 up to the half turn that cells are cut to.
static SLX_INLINE double sinc(double t) noexcept { return alternating<1, 9>(pi * pi * t * t); }

template <bool ideal>
static SLX_INLINE void field_row_of(const FieldRow& row, double* __restrict field) noexcept {
    const double* __restrict height = row.height;
    const double* __restrict amplitude = row.amplitude;
    const double y = row.y, per_slant = 1 / row.slant, turns = row.pitch * row.frequency;
    for (Index j = 0; j < row.count; ++j) {
        const double x = row.x + static_cast<double>(static_cast<int>(j)) * row.pitch;
        // sqrt(z^2 + |x - c|^2) - R_0 + x . c / R_0 without its cancellation.
        const double product = x * row.c_x + y * row.c_y, square = x * x + y * y;
        const double change = square - 2 * product;
        const double root = std::sqrt(row.slant * row.slant + change), per_root = 1 / root;
        double delay = change / (root + row.slant) + product * per_slant;
        double slope_x = (x - row.c_x) * per_root + row.c_x * per_slant;
        double slope_y = (y - row.c_y) * per_root + row.c_y * per_slant;
        if constexpr (ideal) {
            const double lens = std::sqrt(square + row.focal_length * row.focal_length), per_lens = 1 / lens;
            delay -= square / (lens + row.focal_length);
            slope_x -= x * per_lens;
            slope_y -= y * per_lens;
        }
        const double phase = row.frequency * (row.relief * height[j] + delay);
        // Of half the angle, at most a quarter of a turn, where Taylor's series are exact in double.
        const double half = pi * (phase - std::nearbyint(phase)), half2 = half * half;
        const double sine = half * alternating<1, 11>(half2), cosine = alternating<0, 11>(half2);
        const double light = amplitude[j] * sinc(slope_x * turns) * sinc(slope_y * turns);
        field[2 * j] = light * (1 - 2 * sine * sine);
        field[2 * j + 1] = light * (2 * sine * cosine);
    }
}

void field_row(const FieldRow& row, double* field) noexcept {
    if (row.focal_length > 0) return field_row_of<true>(row, field);
    field_row_of<false>(row, field);
}

#if defined(__AVX512F__)
constexpr Index lanes = 8;
#elif defined(__AVX__)
constexpr Index lanes = 4;
#else
constexpr Index lanes = 2;
#endif

using Vector = double __attribute__((vector_size(lanes * sizeof(double))));

static SLX_INLINE Vector load(const double* from) noexcept {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

static SLX_INLINE double sum_of(Vector v) noexcept {
    double part[lanes];
    std::memcpy(part, &v, sizeof v);
#pragma GCC unroll 4
    for (Index step = lanes / 2; step > 0; step /= 2)
#pragma GCC unroll 4
        for (Index k = 0; k < step; ++k) part[k] += part[k + step];
    return part[0];
}

template <class Put>
static SLX_INLINE void resample_all(const Resampling& r, Put&& put) noexcept {
    constexpr Index taps = DenseInterpolation::taps;
    for (Index i = 0; i < r.count; ++i) {
        const double position = r.position[i], cell = std::floor(position);
        const double phase = (position - cell) * static_cast<double>(DenseInterpolation::phases);
        const Index p = static_cast<Index>(phase);
        const Vector t = (phase - static_cast<double>(p)) - Vector{};
        const double* a = r.table + p * taps;
        const Index first = static_cast<Index>(cell) - DenseInterpolation::before;
        Vector re{}, im{};
#pragma GCC unroll 8
        for (Index k = 0; k < taps; k += lanes) {
            const Vector begin = load(a + k), weight = begin + t * (load(a + taps + k) - begin);
            re += weight * load(r.re + first + k);
            im += weight * load(r.im + first + k);
        }
        put(i, sum_of(re), sum_of(im));
    }
}

void resample(const Resampling& r, double* re, double* im) noexcept {
    resample_all(r, [&](Index i, double a, double b) { re[i] = a, im[i] = b; });
}

void resample_power(const Resampling& r, double* power) noexcept {
    resample_all(r, [&](Index i, double a, double b) { power[i] = a * a + b * b; });
}

void node_column(const NodeColumn& column, double* __restrict position, double* __restrict factor) noexcept {
    const double* __restrict y = column.y;
    for (Index i = 0; i < column.count; ++i) {
        const double per_r2 = 1 / (column.z2_x2 + y[i] * y[i]);
        position[i] = (y[i] * std::sqrt(per_r2) - column.middle) * column.scale - column.first;
        factor[i] = per_r2 * per_r2;
    }
}

}  // namespace

const FresnelKernels kernels{field_row, resample, resample_power, node_column};

}  // namespace sonolux::detail::fresnel::SLX_ISA_NAMESPACE

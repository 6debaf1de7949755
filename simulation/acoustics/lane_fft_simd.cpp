// sonolux/simulation/acoustics/lane_fft_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. In this file a * b + c is one rounding
// wherever the instruction set has a fused multiply-add, and asked for by name.
#include <sonolux/simulation/acoustics/lane_fft_kernel.hpp>
#include <sonolux/simulation/acoustics/lane_vector.hpp>

namespace sonolux::lane_fft::SLX_ISA_NAMESPACE {
namespace {

struct Number {
    Vector re, im;
};

static SLX_INLINE Number operator+(Number a, Number b) noexcept { return {a.re + b.re, a.im + b.im}; }
static SLX_INLINE Number operator-(Number a, Number b) noexcept { return {a.re - b.re, a.im - b.im}; }
static SLX_INLINE Number minus_i(Number a) noexcept { return {a.im, -a.re}; }

/// a + factor b.
static SLX_INLINE Number plus(Number a, float factor, Number b) noexcept {
    const Vector f = splat(factor);
    return {multiply_add(f, b.re, a.re), multiply_add(f, b.im, a.im)};
}

static SLX_INLINE Number times(Number a, float re, float im) noexcept {
    const Vector r = splat(re), i = splat(im);
    return {multiply_add(a.re, r, -(a.im * i)), multiply_add(a.re, i, a.im * r)};
}

// Forward transforms of few numbers, in place.

static SLX_INLINE void transform(Number (&a)[2], const float*) noexcept {
    const Number sum = a[0] + a[1];
    a[1] = a[0] - a[1];
    a[0] = sum;
}

static SLX_INLINE void transform(Number (&a)[3], const float*) noexcept {
    const Number sum = a[1] + a[2], difference = a[1] - a[2];
    const Number middle = plus(a[0], -0.5f, sum);
    const Number turned = minus_i(difference);
    constexpr float sine = 0.866025403784438647f;
    a[0] = a[0] + sum;
    a[1] = plus(middle, sine, turned);
    a[2] = plus(middle, -sine, turned);
}

static SLX_INLINE void transform(Number (&a)[4], const float*) noexcept {
    const Number even = a[0] + a[2], even_less = a[0] - a[2];
    const Number odd = a[1] + a[3], odd_less = minus_i(a[1] - a[3]);
    a[0] = even + odd;
    a[1] = even_less + odd_less;
    a[2] = even - odd;
    a[3] = even_less - odd_less;
}

static SLX_INLINE void transform(Number (&a)[5], const float*) noexcept {
    constexpr float cos1 = 0.309016994374947424f, cos2 = -0.809016994374947424f;
    constexpr float sin1 = 0.951056516295153572f, sin2 = 0.587785252292473129f;
    const Number outer = a[1] + a[4], inner = a[2] + a[3];
    const Number outer_less = minus_i(a[1] - a[4]), inner_less = minus_i(a[2] - a[3]);
    const Number c1 = plus(plus(a[0], cos1, outer), cos2, inner);
    const Number c2 = plus(plus(a[0], cos2, outer), cos1, inner);
    const Number zero{};
    const Number s1 = plus(plus(zero, sin1, outer_less), sin2, inner_less);
    const Number s2 = plus(plus(zero, sin2, outer_less), -sin1, inner_less);
    a[0] = a[0] + outer + inner;
    a[1] = c1 + s1;
    a[4] = c1 - s1;
    a[2] = c2 + s2;
    a[3] = c2 - s2;
}

static SLX_INLINE void transform(Number (&a)[8], const float*) noexcept {
    constexpr float half_root = 0.707106781186547524f;
    Number even[4] = {a[0], a[2], a[4], a[6]}, odd[4] = {a[1], a[3], a[5], a[7]};
    transform(even, nullptr);
    transform(odd, nullptr);
    const Number two = minus_i(odd[2]);
    const Number one{odd[1].re + odd[1].im, odd[1].im - odd[1].re};       // sqrt 2 exp(-i pi / 4) odd[1]
    const Number three{odd[3].im - odd[3].re, -(odd[3].re + odd[3].im)};  // sqrt 2 exp(-3 i pi / 4) odd[3]
    a[0] = even[0] + odd[0];
    a[4] = even[0] - odd[0];
    a[1] = plus(even[1], half_root, one);
    a[5] = plus(even[1], -half_root, one);
    a[2] = even[2] + two;
    a[6] = even[2] - two;
    a[3] = plus(even[3], half_root, three);
    a[7] = plus(even[3], -half_root, three);
}

/// Of odd primes, by their symmetry: sum over j of cos (a[j] + a[-j]) -+ i sin (a[j] - a[-j]).
template <int radix>
static SLX_INLINE void transform(Number (&a)[radix], const float* roots) noexcept {
    constexpr int half = radix / 2;
    Number sums[half + 1], differences[half + 1];
    Number total = a[0];
    for (int j = 1; j <= half; ++j) {
        sums[j] = a[j] + a[radix - j];
        differences[j] = minus_i(a[j] - a[radix - j]);
        total = total + sums[j];
    }
    const Number first = a[0];
    for (int k = 1; k <= half; ++k) {
        Number c = first, s{};
        for (int j = 1; j <= half; ++j) {
            const int turn = j * k % radix;
            c = plus(c, roots[2 * turn], sums[j]);
            s = plus(s, roots[2 * turn + 1], differences[j]);
        }
        a[k] = c + s;
        a[radix - k] = c - s;
    }
    a[0] = total;
}

template <int radix>
void run_pass(const LaneFftPass& pass, const float* in, Index in_step, float* out, Index out_step,
              bool inverse) noexcept {
    // The inverse is the forward transform with real and imaginary parts changed over.
    const Index re = inverse ? fft_lanes : 0, im = fft_lanes - re;
    const Index stride = pass.stride, in_jump = stride * pass.rest * in_step, out_jump = stride * out_step;
    const auto butterfly = [&](const float* from, float* to, const float* twiddles, auto twisted) {
        for (Index h = 0; h < fft_lanes; h += lanes) {
            Number a[radix];
#pragma GCC unroll 16
            for (int k = 0; k < radix; ++k)
                a[k] = {load(from + k * in_jump + re + h), load(from + k * in_jump + im + h)};
            transform(a, pass.roots);
#pragma GCC unroll 16
            for (int k = 0; k < radix; ++k) {
                if constexpr (twisted.value)
                    if (k > 0) a[k] = times(a[k], twiddles[2 * k - 2], twiddles[2 * k - 1]);
                store(to + k * out_jump + re + h, a[k].re);
                store(to + k * out_jump + im + h, a[k].im);
            }
        }
    };
    for (Index q = 0; q < stride; ++q)
        butterfly(in + q * in_step, out + q * out_step, nullptr, std::false_type{});
    for (Index p = 1; p < pass.rest; ++p)
        for (Index q = 0; q < stride; ++q)
            butterfly(in + (q + stride * p) * in_step, out + (q + stride * radix * p) * out_step,
                      pass.twiddles + p * (radix - 1) * 2, std::true_type{});
}

}  // namespace

void run(const LaneFftPass& pass, const float* in, Index in_step, float* out, Index out_step,
         bool inverse) noexcept {
    switch (pass.radix) {
        case 2: return run_pass<2>(pass, in, in_step, out, out_step, inverse);
        case 3: return run_pass<3>(pass, in, in_step, out, out_step, inverse);
        case 4: return run_pass<4>(pass, in, in_step, out, out_step, inverse);
        case 5: return run_pass<5>(pass, in, in_step, out, out_step, inverse);
        case 7: return run_pass<7>(pass, in, in_step, out, out_step, inverse);
        case 8: return run_pass<8>(pass, in, in_step, out, out_step, inverse);
        case 11: return run_pass<11>(pass, in, in_step, out, out_step, inverse);
        default: return run_pass<13>(pass, in, in_step, out, out_step, inverse);
    }
}

}  // namespace sonolux::lane_fft::SLX_ISA_NAMESPACE

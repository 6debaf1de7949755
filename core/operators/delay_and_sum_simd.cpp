// sonolux/core/operators/delay_and_sum_simd.cpp
//
// Compiled once per instruction set; see sonolux_add_simd_source. On x86-64 with AVX2 or AVX-512 a vector of
// pixels is worked on at a time. Their samples lie anywhere: those of one pixel, which are neighbours, are
// loaded together and the vectors transposed, which is faster than the processors' own gathers on AMD and
// about as fast on Intel.
#include <cstring>

#include <sonolux/core/operators/delay_and_sum_taps.hpp>

#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in GCC's own intrinsics, by their _mm512_undefined
#endif

namespace sonolux::delay_and_sum_kernel::SLX_ISA_NAMESPACE {

namespace {

#if defined(__AVX2__)

#if defined(__AVX512F__)

using Floats = __m512;
using Integers = __m512i;
using Mask = __mmask16;
constexpr int width = 16;

SLX_INLINE Integers load(const std::int32_t* p) { return _mm512_loadu_si512(p); }
SLX_INLINE Integers all(std::int32_t v) { return _mm512_set1_epi32(v); }
SLX_INLINE Floats all(float v) { return _mm512_set1_ps(v); }
SLX_INLINE Integers add(Integers a, Integers b) { return _mm512_add_epi32(a, b); }
SLX_INLINE Integers subtract(Integers a, Integers b) { return _mm512_sub_epi32(a, b); }
SLX_INLINE Integers least(Integers a, Integers b) { return _mm512_min_epi32(a, b); }
SLX_INLINE Integers right(Integers a, __m128i bits) { return _mm512_srl_epi32(a, bits); }
SLX_INLINE Integers left(Integers a, __m128i bits) { return _mm512_sll_epi32(a, bits); }
SLX_INLINE Mask at_most(Integers a, Integers b) { return _mm512_cmple_epu32_mask(a, b); }
SLX_INLINE bool none(Mask m) { return m == 0; }
SLX_INLINE Integers choose(Mask m, Integers yes, Integers no) { return _mm512_mask_mov_epi32(no, m, yes); }
SLX_INLINE Floats floats(Integers a) { return _mm512_cvtepi32_ps(a); }
SLX_INLINE Floats weights(const std::int16_t* p) {
    return floats(_mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}
SLX_INLINE Floats only(Mask m, Floats a) { return _mm512_maskz_mov_ps(m, a); }
SLX_INLINE Floats get(const float* p) { return _mm512_loadu_ps(p); }
SLX_INLINE void put(float* p, Floats a) { _mm512_storeu_ps(p, a); }
SLX_INLINE void store(std::int32_t* p, Integers a) { _mm512_store_si512(p, a); }
SLX_INLINE Floats join(__m128 a, __m128 b, __m128 c, __m128 d) {
    const __m512 low = _mm512_insertf32x4(_mm512_castps128_ps512(a), b, 1);
    return _mm512_insertf32x4(_mm512_insertf32x4(low, c, 2), d, 3);
}
template <int how>
SLX_INLINE Floats shuffle(Floats a, Floats b) {
    return _mm512_shuffle_ps(a, b, how);
}
SLX_INLINE Floats low_pairs(Floats a, Floats b) { return _mm512_unpacklo_ps(a, b); }
SLX_INLINE Floats high_pairs(Floats a, Floats b) { return _mm512_unpackhi_ps(a, b); }

template <class One>
SLX_INLINE Floats quarters(const One& one) {
    return join(one(0), one(4), one(8), one(12));
}

#else

using Floats = __m256;
using Integers = __m256i;
using Mask = __m256i;
constexpr int width = 8;

SLX_INLINE Integers load(const std::int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
SLX_INLINE Integers all(std::int32_t v) { return _mm256_set1_epi32(v); }
SLX_INLINE Floats all(float v) { return _mm256_set1_ps(v); }
SLX_INLINE Integers add(Integers a, Integers b) { return _mm256_add_epi32(a, b); }
SLX_INLINE Integers subtract(Integers a, Integers b) { return _mm256_sub_epi32(a, b); }
SLX_INLINE Integers least(Integers a, Integers b) { return _mm256_min_epi32(a, b); }
SLX_INLINE Integers right(Integers a, __m128i bits) { return _mm256_srl_epi32(a, bits); }
SLX_INLINE Integers left(Integers a, __m128i bits) { return _mm256_sll_epi32(a, bits); }
SLX_INLINE Mask at_most(Integers a, Integers b) { return _mm256_cmpeq_epi32(_mm256_min_epu32(a, b), a); }
SLX_INLINE bool none(Mask m) { return _mm256_testz_si256(m, m) != 0; }
SLX_INLINE Integers choose(Mask m, Integers yes, Integers no) { return _mm256_blendv_epi8(no, yes, m); }
SLX_INLINE Floats floats(Integers a) { return _mm256_cvtepi32_ps(a); }
SLX_INLINE Floats weights(const std::int16_t* p) {
    return floats(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
SLX_INLINE Floats only(Mask m, Floats a) { return _mm256_and_ps(a, _mm256_castsi256_ps(m)); }
SLX_INLINE Floats get(const float* p) { return _mm256_loadu_ps(p); }
SLX_INLINE void put(float* p, Floats a) { _mm256_storeu_ps(p, a); }
SLX_INLINE void store(std::int32_t* p, Integers a) { _mm256_store_si256(reinterpret_cast<__m256i*>(p), a); }
template <int how>
SLX_INLINE Floats shuffle(Floats a, Floats b) {
    return _mm256_shuffle_ps(a, b, how);
}
SLX_INLINE Floats low_pairs(Floats a, Floats b) { return _mm256_unpacklo_ps(a, b); }
SLX_INLINE Floats high_pairs(Floats a, Floats b) { return _mm256_unpackhi_ps(a, b); }

template <class One>
SLX_INLINE Floats quarters(const One& one) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(one(0)), one(4), 1);
}

#endif

SLX_INLINE Floats fused(Floats a, Floats b, Floats c) { return multiply_add(a, b, c); }

/// x[i][p] = from[places[p] + i] for i in [0, count), count 1, 2 or 4.
template <int count>
SLX_INLINE void fetch(const float* from, const std::int32_t* places, Floats* x) {
    if constexpr (count == 4) {
        Floats rows[4];
        for (int q = 0; q < 4; ++q)
            rows[q] = quarters([&](int p) { return _mm_loadu_ps(from + places[p + q]); });
        const Floats a = low_pairs(rows[0], rows[1]), b = high_pairs(rows[0], rows[1]);
        const Floats c = low_pairs(rows[2], rows[3]), d = high_pairs(rows[2], rows[3]);
        x[0] = shuffle<0x44>(a, c);
        x[1] = shuffle<0xEE>(a, c);
        x[2] = shuffle<0x44>(b, d);
        x[3] = shuffle<0xEE>(b, d);
    } else if constexpr (count == 2) {
        const auto pair = [&](int p) {
            // Two floats lie at any multiple of 4 bytes; these two loads do not mind.
            const __m128 low =
                _mm_loadl_pi(_mm_setzero_ps(), reinterpret_cast<const __m64*>(from + places[p]));
            return _mm_loadh_pi(low, reinterpret_cast<const __m64*>(from + places[p + 1]));
        };
        const Floats a = quarters([&](int p) { return pair(p); });
        const Floats b = quarters([&](int p) { return pair(p + 2); });
        x[0] = shuffle<0x88>(a, b);
        x[1] = shuffle<0xDD>(a, b);
    } else {
        alignas(64) float values[width];
        for (int p = 0; p < width; ++p) values[p] = from[places[p]];
        x[0] = get(values);
    }
}

/// The weights of the samples at f beyond the first of the middle interval.
template <SampleInterpolation how>
SLX_INLINE void weigh(Floats f, Floats* taps) {
    if constexpr (how == SampleInterpolation::linear) {
        taps[0] = all(1.0f) - f;
        taps[1] = f;
    } else {
        const Floats half = all(0.5f);
        taps[0] = half * f * fused(f, all(2.0f) - f, all(-1.0f));
        taps[1] = half * fused(f * f, fused(all(3.0f), f, all(-5.0f)), all(2.0f));
        taps[2] = half * f * fused(f, fused(all(-3.0f), f, all(4.0f)), all(1.0f));
        taps[3] = half * f * f * (f - all(1.0f));
    }
}

template <SampleInterpolation how, int parts>
void accumulate(const Piece& piece, const Trace& trace, int bits, float* sum) noexcept {
    constexpr int taps = taps_of(how), before = how == SampleInterpolation::cubic ? 1 : 0;
    const Integers lowest = all(static_cast<std::int32_t>(trace.lowest));
    const Integers span = all(static_cast<std::int32_t>(trace.span)), last = all(trace.last);
    const Integers somewhere = all(static_cast<std::int32_t>(trace.lowest >> bits));
    const Integers half = all(1 << bits >> 1);
    const Floats unit = all(1.0f / static_cast<float>(1 << bits));
    const __m128i shift = _mm_cvtsi32_si128(bits);
    alignas(64) std::int32_t places[width];
    for (Index p = 0; p < tile; p += width) {
        const Integers position = add(load(piece.receive + p), load(piece.transmit + p));
        const Mask measured = at_most(subtract(position, lowest), span);
        if (none(measured)) continue;
        Integers n;
        Floats weight[4];
        if constexpr (how == SampleInterpolation::nearest) {
            n = choose(measured, right(add(position, half), shift), somewhere);
        } else {
            n = choose(measured, least(right(position, shift), last), somewhere);
            weigh<how>(floats(subtract(position, left(n, shift))) * unit, weight);
        }
        store(places, parts == 2 ? add(n, n) : n);
        // Samples of each part, one after the other, at all pixels.
        Floats x[parts * taps];
        const float* const from = trace.samples - parts * before;
        constexpr int together = std::min(parts * taps, 4);
        for (int i = 0; i < parts * taps; i += together) fetch<together>(from + i, places, x + i);
        Floats value[parts];
        for (int part = 0; part < parts; ++part) {
            value[part] = x[part];
            if constexpr (taps > 1) value[part] = weight[0] * x[part];
            for (int i = 1; i < taps; ++i) value[part] = fused(weight[i], x[parts * i + part], value[part]);
            value[part] = only(measured, value[part]);  // NaN too, where it is not read
        }
        const Floats cosine = weights(piece.weights + p);
        if constexpr (parts == 1) {
            put(sum + p, fused(cosine, value[0], get(sum + p)));
        } else {
            const Floats sine = weights(piece.weights + tile + p);
            put(sum + p, fused(cosine, value[0], fused(-sine, value[1], get(sum + p))));
            put(sum + tile + p, fused(cosine, value[1], fused(sine, value[0], get(sum + tile + p))));
        }
    }
}

#else

template <SampleInterpolation how, int parts>
void accumulate(const Piece& piece, const Trace& trace, int bits, float* sum) noexcept {
    for (Index p = 0; p < tile; ++p) {
        const std::uint32_t position =
            static_cast<std::uint32_t>(piece.receive[p]) + static_cast<std::uint32_t>(piece.transmit[p]);
        if (position - trace.lowest > trace.span) continue;
        float taps[4];
        const float* x = trace.samples + parts * begin_at<how>(position, bits, trace.last, taps);
        float value[parts];
        for (int part = 0; part < parts; ++part) {
            value[part] = taps[0] * x[part];
            for (int i = 1; i < taps_of(how); ++i)
                value[part] = multiply_add(taps[i], x[parts * i + part], value[part]);
        }
        const float cosine = static_cast<float>(piece.weights[p]);
        if constexpr (parts == 1) {
            sum[p] = multiply_add(cosine, value[0], sum[p]);
        } else {
            const float sine = static_cast<float>(piece.weights[tile + p]);
            sum[p] = multiply_add(cosine, value[0], multiply_add(-sine, value[1], sum[p]));
            sum[tile + p] = multiply_add(cosine, value[1], multiply_add(sine, value[0], sum[tile + p]));
        }
    }
}

#endif

/// Frames side by side: the samples of a pixel are whole vectors.
#if defined(__AVX512F__)
constexpr Index vector_floats = 16;
#elif defined(__AVX__)
constexpr Index vector_floats = 8;
#else
constexpr Index vector_floats = 4;
#endif
using Vector = float __attribute__((vector_size(vector_floats * sizeof(float))));

SLX_INLINE Vector vector_at(const float* p) {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
}
SLX_INLINE void put_vector(float* p, Vector v) { std::memcpy(p, &v, sizeof v); }

template <SampleInterpolation how, int parts, Index numbers>
void accumulate_frames(const Piece& piece, const Trace& trace, int bits, float* sum) noexcept {
    constexpr Index half = numbers / 2;  // where the imaginary parts begin
    const std::int32_t* const receive = piece.receive;
    const std::int32_t* const transmit = piece.transmit;
    const std::int16_t* const weights_of = piece.weights;
    const std::uint32_t lowest = trace.lowest, span = trace.span;
    const std::int32_t last = trace.last;
    const float* const samples = trace.samples;
    for (Index p = 0; p < frame_tile; ++p, sum += numbers) {
        const std::uint32_t position =
            static_cast<std::uint32_t>(receive[p]) + static_cast<std::uint32_t>(transmit[p]);
        if (position - lowest > span) continue;
        float taps[4];
        const float* const x = samples + numbers * begin_at<how>(position, bits, last, taps);
        const auto read = [&](Index at) {
            Vector value = vector_at(x + at);
            if constexpr (how != SampleInterpolation::nearest) value = (taps[0] - Vector{}) * value;
            for (int i = 1; i < taps_of(how); ++i)
                value = multiply_add(taps[i] - Vector{}, vector_at(x + i * numbers + at), value);
            return value;
        };
        const Vector cosine = static_cast<float>(weights_of[p]) - Vector{};
        if constexpr (parts == 1) {
#pragma GCC unroll 16
            for (Index v = 0; v < numbers; v += vector_floats)
                put_vector(sum + v, multiply_add(cosine, read(v), vector_at(sum + v)));
        } else {
            const Vector sine = static_cast<float>(weights_of[tile + p]) - Vector{};
#pragma GCC unroll 8
            for (Index v = 0; v < half; v += vector_floats) {
                const Vector re = read(v), im = read(half + v);
                const Vector total_re = vector_at(sum + v), total_im = vector_at(sum + half + v);
                put_vector(sum + v, multiply_add(cosine, re, multiply_add(-sine, im, total_re)));
                put_vector(sum + half + v, multiply_add(cosine, im, multiply_add(sine, re, total_im)));
            }
        }
    }
}

template <int parts>
constexpr KernelSet set_of() noexcept {
    using enum SampleInterpolation;
    return {{accumulate<nearest, parts>, accumulate<linear, parts>, accumulate<cubic, parts>},
            {accumulate_frames<nearest, parts, 32>, accumulate_frames<linear, parts, 32>,
             accumulate_frames<cubic, parts, 32>},
            {accumulate_frames<nearest, parts, 64>, accumulate_frames<linear, parts, 64>,
             accumulate_frames<cubic, parts, 64>}};
}

}  // namespace

Kernels kernels() noexcept { return {set_of<1>(), set_of<2>()}; }

}  // namespace sonolux::delay_and_sum_kernel::SLX_ISA_NAMESPACE

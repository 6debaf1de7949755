// sonolux/core/random.cpp
#include <bit>
#include <cmath>

#include <sonolux/core/random.hpp>
#include <sonolux/core/target.hpp>

// Everything below is integer arithmetic and IEEE operations in a stated order (this file is compiled without
// contraction), so the instruction set changes the speed and not the bits.

namespace sonolux {

namespace {

constexpr std::uint32_t multiplier[2] = {0xD2511F53u, 0xCD9E8D57u};
constexpr std::uint32_t weyl[2] = {0x9E3779B9u, 0xBB67AE85u};  // golden ratio, sqrt(3) - 1
constexpr int rounds = 10;

struct Pair {
    float first, second;
};

/// ln(u) for u in [2^-32, 1], to 2 units in the last place: u = 2^k (1 + f) with 1 + f in [sqrt 1/2, sqrt 2),
/// and f^3 times a minimax polynomial beyond the two first terms of the series.
SLX_INLINE float log_of_fraction(float u) noexcept {
    const std::int32_t bits = std::bit_cast<std::int32_t>(u);
    const std::int32_t k = (bits - 0x3F3504F3) >> 23;
    const float f = std::bit_cast<float>(bits - (k << 23)) - 1.0f;
    float p = 0.0870023638f;
    p = p * f - 0.142674742f;
    p = p * f + 0.149148247f;
    p = p * f - 0.165775866f;
    p = p * f + 0.199630591f;
    p = p * f - 0.25001337f;
    p = p * f + 0.333339108f;
    const float ff = f * f;
    const float log_of_rest = f + (p * (ff * f) - 0.5f * ff);
    // ln 2 in two parts, the first with trailing zeros so that its product with k is exact.
    const float exponent = static_cast<float>(k);
    return exponent * 0.693359375f + (log_of_rest - exponent * 2.12194440e-4f);
}

/// Box-Muller: radius sqrt(-2 ln u) from one word, angle from the other.
SLX_INLINE Pair box_muller(std::uint32_t a, std::uint32_t b) noexcept {
    const float u = static_cast<float>(static_cast<std::int32_t>(a >> 1)) * 0x1p-31f + 0x1p-32f;
    const float square = -2.0f * log_of_fraction(u);
    const float radius = std::sqrt(square > 0.0f ? square : 0.0f);

    // The angle in turns of 2^32: a quadrant, and what is left of it in [-1/8, 1/8) of a turn.
    const std::int32_t rest = static_cast<std::int32_t>(b << 2) >> 2;
    const std::uint32_t quadrant = (b - static_cast<std::uint32_t>(rest)) >> 30;
    const float t = static_cast<float>(rest) * 1.46291807926715969e-9f;  // 2 pi / 2^32
    const float tt = t * t;
    const float sine = t + t * tt * ((-0.000195152835f * tt + 0.00833216077f) * tt - 0.166666546f);
    const float cosine =
        1.0f + (tt * tt * ((2.44331534e-05f * tt - 0.00138873162f) * tt + 0.0416666457f) - 0.5f * tt);

    const bool swap = (quadrant & 1u) != 0;
    const std::uint32_t x = std::bit_cast<std::uint32_t>(swap ? sine : cosine);
    const std::uint32_t y = std::bit_cast<std::uint32_t>(swap ? cosine : sine);
    const float cosine_of_all = std::bit_cast<float>(x ^ (((quadrant + 1u) & 2u) << 30));
    const float sine_of_all = std::bit_cast<float>(y ^ ((quadrant & 2u) << 30));
    return {radius * cosine_of_all, radius * sine_of_all};
}

constexpr int lanes = 16;
constexpr int chunk = 4 * lanes;  // normals made at a time

/// Normals 4 counter to 4 counter + chunk - 1: `lanes` blocks side by side.
SLX_INLINE void normal_chunk(std::uint64_t counter, const std::uint32_t (&first_key)[2],
                             const std::uint32_t (&upper)[2], float* __restrict values) noexcept {
    std::uint32_t c0[lanes], c1[lanes], c2[lanes], c3[lanes];
    for (int l = 0; l < lanes; ++l) {
        const std::uint64_t lower = counter + static_cast<std::uint64_t>(l);
        c0[l] = static_cast<std::uint32_t>(lower);
        c1[l] = static_cast<std::uint32_t>(lower >> 32);
        c2[l] = upper[0];
        c3[l] = upper[1];
    }
    std::uint32_t key[2] = {first_key[0], first_key[1]};
    for (int round = 0; round < rounds; ++round) {
        for (int l = 0; l < lanes; ++l) {
            const std::uint64_t p = static_cast<std::uint64_t>(multiplier[0]) * c0[l];
            const std::uint64_t q = static_cast<std::uint64_t>(multiplier[1]) * c2[l];
            const std::uint32_t a = static_cast<std::uint32_t>(q >> 32) ^ c1[l] ^ key[0];
            const std::uint32_t b = static_cast<std::uint32_t>(p >> 32) ^ c3[l] ^ key[1];
            c0[l] = a;
            c1[l] = static_cast<std::uint32_t>(q);
            c2[l] = b;
            c3[l] = static_cast<std::uint32_t>(p);
        }
        key[0] += weyl[0];
        key[1] += weyl[1];
    }
    float n0[lanes], n1[lanes], n2[lanes], n3[lanes];
    for (int l = 0; l < lanes; ++l) {
        const Pair one = box_muller(c0[l], c1[l]);
        n0[l] = one.first;
        n1[l] = one.second;
    }
    for (int l = 0; l < lanes; ++l) {
        const Pair two = box_muller(c2[l], c3[l]);
        n2[l] = two.first;
        n3[l] = two.second;
    }
    for (int l = 0; l < lanes; ++l) {
        values[4 * l] = n0[l];
        values[4 * l + 1] = n1[l];
        values[4 * l + 2] = n2[l];
        values[4 * l + 3] = n3[l];
    }
}

/// Normals [first, first + count) of the sequence.
SLX_INLINE void normals_anywhere(Index first, Index count, const std::uint32_t (&key)[2],
                                 const std::uint32_t (&upper)[2], float* values) noexcept {
    Index done = 0;
    while (done < count) {
        const Index skip = (first + done) % 4;
        const std::uint64_t counter = static_cast<std::uint64_t>((first + done) / 4);
        if (skip == 0 && count - done >= chunk) {
            normal_chunk(counter, key, upper, values + done);
            done += chunk;
        } else {
            float some[chunk];
            normal_chunk(counter, key, upper, some);
            const Index wanted = std::min<Index>(count - done, chunk - skip);
            for (Index i = 0; i < wanted; ++i) values[done + i] = some[skip + i];
            done += wanted;
        }
    }
}

using Normals = void (*)(Index, Index, const std::uint32_t (&)[2], const std::uint32_t (&)[2],
                         float*) noexcept;

void normals_baseline(Index first, Index count, const std::uint32_t (&key)[2],
                      const std::uint32_t (&upper)[2], float* values) noexcept {
    normals_anywhere(first, count, key, upper, values);
}

#if defined(__x86_64__)
SLX_TARGET_AVX2 void normals_avx2(Index first, Index count, const std::uint32_t (&key)[2],
                                  const std::uint32_t (&upper)[2], float* values) noexcept {
    normals_anywhere(first, count, key, upper, values);
}

SLX_TARGET_AVX512 void normals_avx512(Index first, Index count, const std::uint32_t (&key)[2],
                                      const std::uint32_t (&upper)[2], float* values) noexcept {
    normals_anywhere(first, count, key, upper, values);
}
#endif

Normals fastest_normals() noexcept {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return normals_avx512;
    if (__builtin_cpu_supports("avx2")) return normals_avx2;
#endif
    return normals_baseline;
}

}  // namespace

PhiloxBlock philox4x32_10(const PhiloxBlock& counter, const std::array<std::uint32_t, 2>& key) noexcept {
    PhiloxBlock c = counter;
    std::array<std::uint32_t, 2> k = key;
    for (int round = 0; round < rounds; ++round) {
        const std::uint64_t p = static_cast<std::uint64_t>(multiplier[0]) * c[0];
        const std::uint64_t q = static_cast<std::uint64_t>(multiplier[1]) * c[2];
        c = {static_cast<std::uint32_t>(q >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(q),
             static_cast<std::uint32_t>(p >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p)};
        k = {k[0] + weyl[0], k[1] + weyl[1]};
    }
    return c;
}

Philox::Philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t sample) noexcept {
    auto low = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
    auto high = [](std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); };
    const PhiloxBlock name =
        philox4x32_10({low(sample), high(sample), low(stream), high(stream)}, {low(seed), high(seed)});
    key_ = {name[0], name[1]};
    upper_ = {name[2], name[3]};
}

PhiloxBlock Philox::block(std::uint64_t counter) const noexcept {
    return philox4x32_10({static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32),
                          upper_[0], upper_[1]},
                         key_);
}

std::uint32_t Philox::next() noexcept {
    if (position_ % 4 == 0) current_ = block(position_ / 4);
    return current_[position_++ % 4];
}

double Philox::uniform() noexcept {
    const std::uint64_t high = next();
    const std::uint64_t low = next();
    return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
}

float Philox::normal() noexcept {
    if (has_spare_) {
        has_spare_ = false;
        return spare_;
    }
    const std::uint32_t a = next();
    const std::uint32_t b = next();
    const Pair pair = box_muller(a, b);
    spare_ = pair.second;
    has_spare_ = true;
    return pair.first;
}

Index Philox::below(Index n) noexcept {
    assert(n >= 1);
    // 2^64 mod n of the words are one too many for some remainders: draw again when one of them comes.
    const std::uint64_t size = static_cast<std::uint64_t>(n);
    const std::uint64_t surplus = (0 - size) % size;
    for (;;) {
        const std::uint64_t high = next();
        const std::uint64_t word = high << 32 | next();
        if (word >= surplus) return static_cast<Index>(word % size);
    }
}

void fill_normal(View<float> values, const Philox& random) noexcept {
    const std::uint32_t key[2] = {random.key_[0], random.key_[1]};
    const std::uint32_t upper[2] = {random.upper_[0], random.upper_[1]};
    const Normals normals = fastest_normals();
    if (values.empty()) return;
    if (values.contiguous()) return normals(0, values.elements(), key, upper, values.data());

    // Row by row; a lower rank counts as leading sizes of 1.
    const int rank = values.rank();
    auto size = [&](int back) { return values.shape().last(back); };
    auto stride = [&](int back) { return back < rank ? values.stride(rank - 1 - back) : 0; };
    for (Index b = 0, row = 0; b < size(3); ++b)
        for (Index c = 0; c < size(2); ++c)
            for (Index r = 0; r < size(1); ++r, ++row)
                normals(row * size(0), size(0), key, upper,
                        values.data() + b * stride(3) + c * stride(2) + r * stride(1));
}

void fill_normal(View<float> values, const Philox& random, Context& context) noexcept {
    constexpr Index piece = 1 << 16;
    if (values.empty()) return;
    if (!values.contiguous() || values.elements() <= piece) return fill_normal(values, random);
    const std::uint32_t key[2] = {random.key_[0], random.key_[1]};
    const std::uint32_t upper[2] = {random.upper_[0], random.upper_[1]};
    const Normals normals = fastest_normals();
    const Index count = values.elements();
    parallel_for(context, (count + piece - 1) / piece, [&](Index item, int) {
        const Index first = item * piece;
        normals(first, std::min(piece, count - first), key, upper, values.data() + first);
    });
}

}  // namespace sonolux

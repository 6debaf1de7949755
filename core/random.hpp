// sonolux/core/random.hpp
//
// Random numbers that can be made again, anywhere: Philox4x32-10, and what is drawn from it.
//
// A generator is keyed by (seed, stream, sample): say, the seed of a training run, "noise", and the number of
// the patch. Any sample can be drawn alone, in any order, on any thread or machine, with the same bits;
// nothing here depends on the standard library's distributions or on libm.
//
// Source: J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011.
#pragma once

#include <array>
#include <cstdint>

#include <sonolux/core/context.hpp>

namespace sonolux {

using PhiloxBlock = std::array<std::uint32_t, 4>;

/// The bijection itself: ten rounds on a 128-bit counter under a 64-bit key.
[[nodiscard]] PhiloxBlock philox4x32_10(const PhiloxBlock& counter,
                                        const std::array<std::uint32_t, 2>& key) noexcept;

/// A sequence of random words, and its place in it.
///
/// The block of (stream, sample) under `seed` gives the key and the upper half of the counter. It is a
/// bijection, so under one seed two different (stream, sample) never share a block.
/// Cheap to copy and to make (one block).
class Philox {
public:
    explicit Philox(std::uint64_t seed, std::uint64_t stream = 0, std::uint64_t sample = 0) noexcept;

    /// Words 4 counter to 4 counter + 3 of the sequence, wherever the sequence stands.
    [[nodiscard]] PhiloxBlock block(std::uint64_t counter) const noexcept;

    /// The next word.
    std::uint32_t next() noexcept;

    /// Uniform on [0, 1), a multiple of 2^-53. Takes two words.
    double uniform() noexcept;

    /// Uniform on [low, high).
    double uniform(double low, double high) noexcept { return low + (high - low) * uniform(); }

    /// Standard normal (Box-Muller): two from two words. The i-th call on a new generator returns what
    /// fill_normal puts at position i. |normal()| < 6.7.
    float normal() noexcept;

    /// Uniform on {0, ..., n - 1}, exactly; n >= 1. Takes two words, very rarely more.
    Index below(Index n) noexcept;

private:
    friend void fill_normal(View<float>, const Philox&) noexcept;
    friend void fill_normal(View<float>, const Philox&, Context&) noexcept;

    std::array<std::uint32_t, 2> key_, upper_;
    std::uint64_t position_ = 0;  // in words
    PhiloxBlock current_{};
    float spare_ = 0;
    bool has_spare_ = false;
};

/// Standard normal variates: element i, counted row by row, is a function of the generator's (seed, stream,
/// sample) and of i alone, with the same bits on every instruction set. Where the generator stands does not
/// matter. On the calling thread; 4-D and strided views too.
void fill_normal(View<float> values, const Philox& random) noexcept;

/// The same bits, on the context's threads.
void fill_normal(View<float> values, const Philox& random, Context& context) noexcept;

}  // namespace sonolux

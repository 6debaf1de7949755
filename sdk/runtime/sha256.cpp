// sonolux/sdk/runtime/sha256.cpp
#include <algorithm>
#include <bit>
#include <cstring>

#include <sonolux/sdk/runtime/sha256.hpp>

namespace sonolux {
namespace {

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2).
constexpr std::array<std::uint32_t, 64> round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t big_endian_word(const std::byte* bytes) noexcept {
    std::uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word = word << 8 | std::to_integer<std::uint32_t>(bytes[i]);
    return word;
}

}  // namespace

// The first 32 bits of the fractional parts of the square roots of the first 8 primes (FIPS 180-4, 5.3.3).
Sha256::Sha256() noexcept
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {
}

void Sha256::compress(const std::byte* block) noexcept {
    using std::rotr;
    std::array<std::uint32_t, 64> schedule;
    for (int t = 0; t < 16; ++t) schedule[t] = big_endian_word(block + 4 * t);
    for (int t = 16; t < 64; ++t) {
        const std::uint32_t near = schedule[t - 2], far = schedule[t - 15];
        const std::uint32_t sigma1 = rotr(near, 17) ^ rotr(near, 19) ^ near >> 10;
        const std::uint32_t sigma0 = rotr(far, 7) ^ rotr(far, 18) ^ far >> 3;
        schedule[t] = sigma1 + schedule[t - 7] + sigma0 + schedule[t - 16];
    }

    auto [a, b, c, d, e, f, g, h] = state_;
    for (int t = 0; t < 64; ++t) {
        const std::uint32_t choose = (e & f) ^ (~e & g);
        const std::uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        const std::uint32_t sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
        const std::uint32_t sum0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
        const std::uint32_t first = h + sum1 + choose + round_constants[t] + schedule[t];
        const std::uint32_t second = sum0 + majority;
        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + second;
    }
    const std::array<std::uint32_t, 8> working = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; ++i) state_[i] += working[i];
}

void Sha256::update(std::span<const std::byte> bytes) noexcept {
    while (!bytes.empty()) {
        const std::size_t filled = bytes_seen_ % block_bytes;
        if (filled == 0 && bytes.size() >= block_bytes) {
            compress(bytes.data());
            bytes_seen_ += block_bytes;
            bytes = bytes.subspan(block_bytes);
            continue;
        }
        const std::size_t taken = std::min(block_bytes - filled, bytes.size());
        std::memcpy(pending_.data() + filled, bytes.data(), taken);
        bytes_seen_ += taken;
        bytes = bytes.subspan(taken);
        if (filled + taken == block_bytes) compress(pending_.data());
    }
}

Sha256::Digest Sha256::finish() noexcept {
    // Padding: a one bit, zeros, and the message length in bits as a big-endian 64-bit number (FIPS
    // 180-4, 5.1.1).
    const std::uint64_t bits = bytes_seen_ * 8;
    std::array<std::byte, block_bytes + 8> padding{};
    padding[0] = std::byte{0x80};
    const std::size_t filled = bytes_seen_ % block_bytes;
    const std::size_t zeros_end = filled < 56 ? 56 - filled : 120 - filled;
    for (int i = 0; i < 8; ++i) padding[zeros_end + i] = static_cast<std::byte>(bits >> (56 - 8 * i));
    update(std::span(padding).first(zeros_end + 8));

    Digest digest;
    for (std::size_t i = 0; i < digest.size(); ++i)
        digest[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

std::string sha256_text(std::span<const std::byte> bytes) {
    Sha256 hash;
    hash.update(bytes);
    std::string text;
    for (const std::uint8_t byte : hash.finish()) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

}  // namespace sonolux

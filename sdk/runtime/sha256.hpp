// sonolux/sdk/runtime/sha256.hpp
//
// SHA-256: how a model file proves that its parameters are the ones that were trained.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace sonolux {

/// The SHA-256 of bytes that arrive in pieces (FIPS 180-4, section 6.2). Never allocates.
class Sha256 {
public:
    using Digest = std::array<std::uint8_t, 32>;

    Sha256() noexcept;

    void update(std::span<const std::byte> bytes) noexcept;

    /// The digest of everything seen so far. Call it once: afterwards only the destructor may follow.
    [[nodiscard]] Digest finish() noexcept;

private:
    static constexpr std::size_t block_bytes = 64;

    void compress(const std::byte* block) noexcept;

    std::array<std::uint32_t, 8> state_;
    std::array<std::byte, block_bytes> pending_{};
    std::uint64_t bytes_seen_ = 0;
};

/// The digest of `bytes` as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_text(std::span<const std::byte> bytes);

}  // namespace sonolux

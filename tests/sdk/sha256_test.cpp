#include <gtest/gtest.h>

#include <sonolux/sdk/runtime/sha256.hpp>
#include <string_view>

namespace sonolux {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// FIPS 180-4 examples: csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values
TEST(Sha256, AgreesWithTheVectorsOfNist) {
    EXPECT_EQ(sha256_text({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_text(bytes_of("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_text(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256_text(bytes_of(
                  "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmn"
                  "opqrlmnopqrsmnopqrstnopqrstu")),
              "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    EXPECT_EQ(sha256_text(bytes_of(std::string(1000000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheBytesArrive) {
    const std::string text = std::string(200, 'x') + "the end";
    for (std::size_t piece = 1; piece <= 130; ++piece) {
        Sha256 hash;
        for (std::size_t i = 0; i < text.size(); i += piece) hash.update(bytes_of(text.substr(i, piece)));
        Sha256 whole;
        whole.update(bytes_of(text));
        EXPECT_EQ(hash.finish(), whole.finish()) << piece;
    }
}

}  // namespace
}  // namespace sonolux

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sonolux/sdk/runtime/safetensors.hpp>

namespace sonolux {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Array<float> ramp(const Shape& shape, float first) {
    Array<float> values(shape);
    for (Index i = 0; i < values.elements(); ++i) values.data()[i] = first + 0.25f * static_cast<float>(i);
    return values;
}

std::vector<NamedTensor> some_tensors() {
    std::vector<NamedTensor> tensors;
    tensors.push_back({"stage1.filters", ramp({3, 1, 5, 5}, -1)});
    tensors.push_back({"stage1.data_weight", ramp({}, 0.5f)});
    tensors.push_back({"empty", ramp({0, 7}, 0)});
    tensors.push_back({"knots", ramp({9}, 2)});
    return tensors;
}

/// A file with this header text, and a payload of that many zero bytes.
std::vector<std::byte> file_of(const std::string& header, std::size_t payload) {
    std::vector<std::byte> bytes(8 + header.size() + payload);
    const std::uint64_t length = header.size();
    std::memcpy(bytes.data(), &length, 8);
    std::memcpy(bytes.data() + 8, header.data(), header.size());
    return bytes;
}

std::vector<NamedTensor> read(std::span<const std::byte> bytes) {
    return read_tensors(read_safetensors_header(bytes, "m.safetensors"));
}

TEST(Safetensors, ReadsBackWhatItWrites) {
    const std::map<std::string, std::string> metadata = {{"sonolux", "{\"schema\": 1}"}, {"a", ""}};
    const auto bytes = write_safetensors(some_tensors(), metadata);
    const auto header = read_safetensors_header(bytes, "memory");
    EXPECT_EQ(header.metadata, metadata);
    const auto tensors = read_tensors(header);
    ASSERT_EQ(tensors.size(), 4u);
    EXPECT_EQ(tensors[0].name, "empty");
    EXPECT_EQ(tensors[0].values.shape(), (Shape{0, 7}));
    EXPECT_EQ(tensors[2].name, "stage1.data_weight");
    EXPECT_EQ(tensors[2].values.data()[0], 0.5f);
    EXPECT_EQ(tensors[3].values.shape(), (Shape{3, 1, 5, 5}));
    EXPECT_EQ(tensors[3].values(2, 0, 4, 4), -1 + 0.25f * 74);
}

TEST(Safetensors, BytesDependOnTheContentAlone) {
    auto tensors = some_tensors();
    const auto bytes = write_safetensors(tensors, {{"a", "1"}});
    std::swap(tensors[0], tensors[3]);
    EXPECT_EQ(write_safetensors(tensors, {{"a", "1"}}), bytes);
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), 8);
    EXPECT_EQ((8 + length) % 64, 0u);
}

TEST(Safetensors, OtherReadersReadItToo) {
    const char* python = std::getenv("SONOLUX_PEERS_PYTHON");
    if (python == nullptr)
        GTEST_SKIP() << "SONOLUX_PEERS_PYTHON names no Python with the safetensors package";
    const std::string interpreter = std::string("'") + python + "'";
    if (std::system((interpreter + " -c 'import safetensors.numpy' 2>/dev/null").c_str()) != 0)
        GTEST_SKIP() << python << " has no safetensors package";
    const auto path = std::filesystem::path(::testing::TempDir()) / "sonolux_peer.safetensors";
    const auto bytes = write_safetensors(some_tensors(), {{"sonolux", "{}"}});
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    const std::string script =
        "import sys, numpy, safetensors, safetensors.numpy as s\n"
        "t = s.load_file(sys.argv[1])\n"
        "assert sorted(t) == [\"empty\", \"knots\", \"stage1.data_weight\", \"stage1.filters\"], sorted(t)\n"
        "f = t[\"stage1.filters\"]\n"
        "assert f.dtype == numpy.float32 and f.shape == (3, 1, 5, 5) and f[2, 0, 4, 4] == 17.5, f\n"
        "assert t[\"stage1.data_weight\"].shape == () and t[\"stage1.data_weight\"] == 0.5\n"
        "with safetensors.safe_open(sys.argv[1], \"np\") as f: assert f.metadata() == {\"sonolux\": "
        "\"{}\"}\n";
    EXPECT_EQ(std::system((interpreter + " -c '" + script + "' '" + path.string() + "'").c_str()), 0);
    std::filesystem::remove(path);
}

TEST(Safetensors, ATruncatedFileIsAnErrorWhereverItEnds) {
    const auto bytes = write_safetensors(some_tensors(), {{"sonolux", "{}"}});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_THROW((void)read(part), Error) << size;
    }
    auto longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_THROW((void)read(longer), Error);
}

TEST(Safetensors, AFlippedBitIsAnErrorOrAnotherFileButNeverACrash) {
    const auto bytes = write_safetensors(some_tensors(), {{"sonolux", "{}"}});
    int refused = 0;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        auto flipped = bytes;
        flipped[bit / 8] ^= std::byte{1} << (bit % 8);
        try {
            (void)read(flipped);
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused,
              1000);  // most of the header; a flipped bit of a value is only found by the model's SHA-256
}

TEST(Safetensors, EveryClaimIsCheckedAndNamed) {
    const auto refuses = [](const std::string& header, std::size_t payload, const char* why) {
        EXPECT_THAT([&] { (void)read(file_of(header, payload)); },
                    ThrowsMessage<Error>(AllOf(HasSubstr("m.safetensors: "), HasSubstr(why))))
            << header;
    };
    const auto tensor = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
        return R"({"w": {"dtype": ")" + dtype + R"(", "shape": )" + shape + R"(, "data_offsets": )" +
               offsets + "}}";
    };
    EXPECT_EQ(read(file_of(tensor("F32", "[2]", "[0, 8]"), 8)).size(), 1u);
    refuses(tensor("F64", "[1]", "[0, 8]"), 8, "tensor \"w\".dtype is \"F64\", only \"F32\" is read");
    refuses(tensor("F32", "[2]", "[0, 4]"), 4, "tensor \"w\" takes 4 bytes, its shape 2 says 8");
    refuses(tensor("F32", "[2]", "[8, 0]"), 8, "data_offsets[1] must be an integer from 8 to 8, got 0");
    refuses(tensor("F32", "[2]", "[0, 4294967304]"), 8, "must be an integer from 0 to 8, got 4294967304");
    refuses(tensor("F32", "[2]", "[-8, 0]"), 8, "data_offsets[0] must be an integer from 0 to 8, got -8");
    refuses(tensor("F32", "[2]", "[0, 8, 8]"), 8, "must be [begin, end], got 3 numbers");
    refuses(tensor("F32", "[2]", "[0, 18446744073709551615]"), 8, "must be an integer");
    refuses(tensor("F32", "[2.0]", "[0, 8]"), 8, "shape[0] must be an integer");
    refuses(tensor("F32", "[-2]", "[0, 8]"), 8, "shape[0] must be an integer from 0");
    refuses(tensor("F32", "[1, 1, 1, 1, 2]", "[0, 8]"), 8, "shape has 5 dimensions, at most 4");
    refuses(tensor("F32", "[2147483648, 2147483648, 2147483648, 4]", "[0, 0]"), 0, "more than 2^31 elements");
    refuses(tensor("F32", "[0, 2147483648, 2147483648, 2147483648]", "[0, 0]"), 0, "more than 2^31 elements");
    refuses(tensor("F32", "[2]", "[0, 8]"), 12, "the tensors end at byte 8 of a payload of 12");
    refuses(tensor("F32", "[2]", "[4, 12]"), 12, "begins at byte 4, but the one before ends at 0");
    refuses(R"({"w": {"dtype": "F32", "shape": [2]}})", 8, "tensor \"w\" has no \"data_offsets\"");
    refuses(R"({"w": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0], "x": 1}})", 0,
            "unknown key \"x\"");
    refuses(R"({"w": 3})", 0, "tensor \"w\" must be an object, got 3");
    refuses(R"({"__metadata__": {"a": 3}})", 0, "__metadata__.a must be a string, got 3");
    refuses(R"([1])", 0, "must start with");
    refuses(R"({"": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}})", 0, "without a name");
    const std::string entry = R"({"dtype": "F32", "shape": [2], "data_offsets": )";
    EXPECT_EQ(read(file_of("{\"v\": " + entry +
                               R"([0, 8]}, "e": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}})",
                           8))
                  .size(),
              2u)
        << "an empty tensor takes no place";
    refuses("{\"v\": " + entry + "[0, 8]}, \"w\": " + entry + "[4, 12]}}", 12,
            "tensor \"w\" begins at byte 4 inside tensor \"v\", which ends at 8");
    refuses("{\"w\": " + entry + "[0, 8]}, \"w\": " + entry + "[8, 16]}}", 16,
            "the key \"w\" is there more than once");
}

TEST(Safetensors, AnOversizeHeaderIsRefusedBeforeItIsRead) {
    for (const std::uint64_t claim : {std::uint64_t(9), std::uint64_t(1) << 24, (std::uint64_t(1) << 24) + 1,
                                      std::uint64_t(1) << 62, ~std::uint64_t(0)}) {
        auto bytes = file_of("{}", 0);
        std::memcpy(bytes.data(), &claim, 8);
        EXPECT_THROW((void)read(bytes), Error) << claim;
    }
}

// As many keys as the header may hold. Looking each up among all of them took minutes.
TEST(Safetensors, ReadsManyKeysOfMetadata) {
    std::string metadata;
    constexpr int keys = (1 << 18) - 2;
    for (int i = 0; i < keys; ++i)
        metadata += (i > 0 ? ", \"key" : "\"key") + std::to_string(i) + "\": \"" + std::to_string(i) + "\"";
    const auto bytes = file_of("{\"__metadata__\": {" + metadata + "}}", 0);
    const SafetensorsHeader header = read_safetensors_header(bytes, "m.safetensors");
    EXPECT_EQ(header.metadata.size(), std::size_t{keys});
    EXPECT_EQ(header.metadata.at("key262140"), "262140");
}

TEST(Safetensors, ValuesMustBeFinite) {
    auto tensors = some_tensors();
    const auto bytes = write_safetensors(tensors, {});
    for (const float bad : {NAN, -NAN, INFINITY, -INFINITY}) {
        auto broken = bytes;
        std::memcpy(broken.data() + broken.size() - 4, &bad, 4);
        EXPECT_THAT(
            [&] { (void)read(broken); },
            ThrowsMessage<Error>("m.safetensors: tensor \"stage1.filters\" is not finite at index 74"));
        tensors[3].values(4) = bad;
        EXPECT_THAT([&] { (void)write_safetensors(tensors, {}); },
                    ThrowsMessage<Error>("tensor \"knots\" is not finite at index 4"));
    }
}

TEST(Safetensors, NamesMustBeDifferentAndNotReserved) {
    std::vector<NamedTensor> tensors;
    tensors.push_back({"__metadata__", ramp({1}, 0)});
    EXPECT_THROW((void)write_safetensors(tensors, {}), Error);
    tensors[0].name = "w";
    tensors.push_back({"w", ramp({2}, 0)});
    EXPECT_THROW((void)write_safetensors(tensors, {}), Error);
}

}  // namespace
}  // namespace sonolux

// sonolux/sdk/files/tensorboard.cpp
#include <sonolux/sdk/files/tensorboard.hpp>

#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string>

#include <sonolux/core/error.hpp>

namespace sonolux {

namespace {

constexpr std::array<std::uint32_t, 256> crc_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t rest = byte;
        for (int bit = 0; bit < 8; ++bit) rest = rest & 1 ? rest >> 1 ^ 0x82f63b78u : rest >> 1;
        table[byte] = rest;
    }
    return table;
}();

template <class Unsigned>
void append_little_endian(std::string& text, Unsigned value) {
    for (std::size_t i = 0; i < sizeof value; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint32_t masked_crc(std::string_view data) {
    const std::uint32_t crc = crc32c(std::as_bytes(std::span(data.data(), data.size())));
    return std::rotr(crc, 15) + 0xa282ead8u;
}

// The parts of protocol buffers that are needed: https://protobuf.dev/programming-guides/encoding/
enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void append_varint(std::string& message, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) message += static_cast<char>(value | 0x80);
    message += static_cast<char>(value);
}

void append_key(std::string& message, std::uint32_t field, Wire wire) {
    append_varint(message, field << 3 | static_cast<std::uint32_t>(wire));
}

void append_bytes(std::string& message, std::uint32_t field, std::string_view bytes) {
    append_key(message, field, Wire::bytes);
    append_varint(message, bytes.size());
    message += bytes;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) noexcept {
    std::uint32_t crc = ~0u;
    for (std::byte byte : bytes)
        crc = crc >> 8 ^ crc_table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xff];
    return ~crc;
}

TensorboardWriter::TensorboardWriter(std::filesystem::path path, std::uintmax_t keep)
    : path_(std::move(path)) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path_, error);
    const bool resume = !error && keep > 0 && size >= keep;
    if (resume) {
        std::filesystem::resize_file(path_, keep, error);
        require(!error, Status::file_error, path_.string(), ": cannot be shortened to ", keep,
                " bytes: ", error.message());
    }
    file_.reset(std::fopen(path_.c_str(), resume ? "ab" : "wb"));
    require(file_ != nullptr, Status::file_error, path_.string(),
            ": cannot be written: ", std::strerror(errno));
    size_ = resume ? keep : 0;
    if (!resume) {
        std::string event;
        append_key(event, 1, Wire::fixed64);
        append_little_endian(event, std::bit_cast<std::uint64_t>(0.0));
        append_bytes(event, 3, "brain.Event:2");
        write_record(event);
    }
}

void TensorboardWriter::add_scalar(std::string_view tag, double value, std::int64_t step, double wall_time) {
    std::string point;
    append_bytes(point, 1, tag);
    append_key(point, 2, Wire::fixed32);
    append_little_endian(point, std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    std::string summary;
    append_bytes(summary, 1, point);
    std::string event;
    append_key(event, 1, Wire::fixed64);
    append_little_endian(event, std::bit_cast<std::uint64_t>(wall_time));
    append_key(event, 2, Wire::varint);
    append_varint(event, static_cast<std::uint64_t>(step));
    append_bytes(event, 5, summary);
    write_record(event);
}

void TensorboardWriter::write_record(std::string_view data) {
    std::string record;
    append_little_endian(record, static_cast<std::uint64_t>(data.size()));
    append_little_endian(record, masked_crc(record));
    record += data;
    append_little_endian(record, masked_crc(data));
    require(std::fwrite(record.data(), 1, record.size(), file_.get()) == record.size(), Status::file_error,
            path_.string(), ": cannot be written: ", std::strerror(errno));
    size_ += record.size();
}

std::uintmax_t TensorboardWriter::flush() {
    require(std::fflush(file_.get()) == 0 && ::fsync(::fileno(file_.get())) == 0, Status::file_error,
            path_.string(), ": cannot be written: ", std::strerror(errno));
    return size_;
}

}  // namespace sonolux

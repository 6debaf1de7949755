// sonolux/sdk/files/hdf5_handles.hpp
//
// Identifiers of the HDF5 library that close themselves, its types, and the lock. Only for hdf5_*.cpp.
#pragma once

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include <hdf5.h>

#include <sonolux/sdk/files/hdf5_file.hpp>

namespace sonolux::hdf5 {

/// While one exists, the library is ours alone and prints nothing.
class Session {
public:
    Session() : lock_(mutex()) {
        H5Eget_auto2(H5E_DEFAULT, &print_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    ~Session() { H5Eset_auto2(H5E_DEFAULT, print_, data_); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

private:
    static std::mutex& mutex() {
        static std::mutex mutex;
        return mutex;
    }

    std::lock_guard<std::mutex> lock_;
    H5E_auto2_t print_ = nullptr;
    void* data_ = nullptr;
};

/// An identifier of the library that closes itself, within a session.
class Handle {
public:
    using Close = herr_t (*)(hid_t);

    Handle(hid_t id, Close close) noexcept : id_(id), close_(close) {}
    ~Handle() {
        if (id_ >= 0) close_(id_);
    }
    Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    operator hid_t() const noexcept { return id_; }  // NOLINT(google-explicit-constructor)
    [[nodiscard]] bool open() const noexcept { return id_ >= 0; }

private:
    hid_t id_;
    Close close_;
};

struct NumberType {
    Hdf5Type type;
    hid_t memory, file;  // files are little-endian, as everybody's are
};

/// The identifiers are variables of the library, which may not be read before it is started.
inline NumberType number_type(Hdf5Type type) {
    switch (type) {
        case Hdf5Type::float32: return {type, H5T_NATIVE_FLOAT, H5T_IEEE_F32LE};
        case Hdf5Type::float64: return {type, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE};
        case Hdf5Type::int8: return {type, H5T_NATIVE_INT8, H5T_STD_I8LE};
        case Hdf5Type::int16: return {type, H5T_NATIVE_INT16, H5T_STD_I16LE};
        case Hdf5Type::int32: return {type, H5T_NATIVE_INT32, H5T_STD_I32LE};
        case Hdf5Type::int64: return {type, H5T_NATIVE_INT64, H5T_STD_I64LE};
        case Hdf5Type::uint8: return {type, H5T_NATIVE_UINT8, H5T_STD_U8LE};
        case Hdf5Type::uint16: return {type, H5T_NATIVE_UINT16, H5T_STD_U16LE};
        case Hdf5Type::uint32: return {type, H5T_NATIVE_UINT32, H5T_STD_U32LE};
        case Hdf5Type::uint64: return {type, H5T_NATIVE_UINT64, H5T_STD_U64LE};
        default: return {Hdf5Type::other, -1, -1};
    }
}

template <class T>
constexpr Hdf5Type type_of() {
    if constexpr (std::is_same_v<T, float>) return Hdf5Type::float32;
    if constexpr (std::is_same_v<T, double>) return Hdf5Type::float64;
    if constexpr (std::is_same_v<T, std::int8_t>) return Hdf5Type::int8;
    if constexpr (std::is_same_v<T, std::int16_t>) return Hdf5Type::int16;
    if constexpr (std::is_same_v<T, std::int32_t>) return Hdf5Type::int32;
    if constexpr (std::is_same_v<T, std::int64_t>) return Hdf5Type::int64;
    if constexpr (std::is_same_v<T, std::uint8_t>) return Hdf5Type::uint8;
    if constexpr (std::is_same_v<T, std::uint16_t>) return Hdf5Type::uint16;
    if constexpr (std::is_same_v<T, std::uint32_t>) return Hdf5Type::uint32;
    return Hdf5Type::uint64;
}

inline Hdf5Type kind(hid_t type) {
    const std::size_t size = H5Tget_size(type);
    switch (H5Tget_class(type)) {
        case H5T_STRING: return Hdf5Type::text;
        case H5T_FLOAT:
            return size == 4 ? Hdf5Type::float32 : size == 8 ? Hdf5Type::float64 : Hdf5Type::other;
        case H5T_INTEGER: {
            const bool has_sign = H5Tget_sign(type) == H5T_SGN_2;
            switch (size) {
                case 1: return has_sign ? Hdf5Type::int8 : Hdf5Type::uint8;
                case 2: return has_sign ? Hdf5Type::int16 : Hdf5Type::uint16;
                case 4: return has_sign ? Hdf5Type::int32 : Hdf5Type::uint32;
                case 8: return has_sign ? Hdf5Type::int64 : Hdf5Type::uint64;
                default: return Hdf5Type::other;
            }
        }
        default: return Hdf5Type::other;
    }
}

inline std::string as_text(const std::vector<Index>& sizes) {
    std::string text;
    for (Index size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
    return text.empty() ? "a scalar" : text;
}

inline std::vector<hsize_t> as_hsize(const std::vector<Index>& sizes) { return {sizes.begin(), sizes.end()}; }

inline std::string quoted(const std::string& dataset) { return "dataset \"" + dataset + "\""; }

/// The type of a text of this length; variable-length where `how` says so. Fixed ones hold their final zero.
inline Handle text_type(Hdf5Text how, std::size_t length) {
    Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type, how == Hdf5Text::variable ? H5T_VARIABLE : length + 1);
    if (how == Hdf5Text::variable) H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/// Reads one text through `read(memory type, where)`, whatever its length in the file is.
template <class Read>
std::optional<std::string> one_text(hid_t file_type, Read read) {
    if (H5Tis_variable_str(file_type) > 0) {
        const Handle type = text_type(Hdf5Text::variable, 0);
        H5Tset_cset(type, H5Tget_cset(file_type));
        char* text = nullptr;
        if (!read(type, static_cast<void*>(&text))) return std::nullopt;
        std::string result = text == nullptr ? "" : text;
        H5free_memory(text);
        return result;
    }
    std::string result(H5Tget_size(file_type), '\0');
    if (!read(file_type, static_cast<void*>(result.data()))) return std::nullopt;
    result.resize(std::min(result.find('\0'), result.size()));
    if (H5Tget_strpad(file_type) == H5T_STR_SPACEPAD) result.resize(result.find_last_not_of(' ') + 1);
    return result;
}

}  // namespace sonolux::hdf5

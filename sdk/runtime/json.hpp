// sonolux/sdk/runtime/json.hpp
//
// Json: the small value that model headers are made of, and JsonField, which reads it with good manners.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// A JSON value. Objects keep the order in which their members were set, so that writing is deterministic.
/// Integers stay integers: 5 and 5.0 are different values, written as such.
class Json {
public:
    using List = std::vector<Json>;
    using Members = std::vector<std::pair<std::string, Json>>;

    Json() = default;  ///< null
    Json(std::same_as<bool> auto value) : value_(value) {}
    Json(std::integral auto value) requires(!std::same_as<decltype(value), bool>)
        : value_(static_cast<std::int64_t>(value)) {}
    Json(std::floating_point auto value) : value_(static_cast<double>(value)) {}
    Json(std::string value) : value_(std::move(value)) {}
    Json(std::string_view value) : value_(std::string(value)) {}
    Json(const char* value) : value_(std::string(value)) {}
    Json(List value) : value_(std::move(value)) {}
    Json(Members value) : value_(std::move(value)) {}

    [[nodiscard]] static Json list() { return Json(List{}); }
    [[nodiscard]] static Json object() { return Json(Members{}); }

    /// Sets a member of an object (null becomes an object first) and returns *this.
    Json& set(std::string_view key, Json value);

    /// Appends to a list (null becomes a list first) and returns *this.
    Json& append(Json value);

    [[nodiscard]] bool is_null() const noexcept { return std::holds_alternative<Null>(value_); }

    /// The content as T (bool, std::int64_t, double, std::string, List, Members), or null if it is not one.
    template <class T>
    [[nodiscard]] const T* get_if() const noexcept {
        return std::get_if<T>(&value_);
    }

    /// The member of that name, or null if this is no object or has none.
    [[nodiscard]] const Json* find(std::string_view key) const noexcept;

    /// "an object", "a string", "the number 3.5": for messages.
    [[nodiscard]] std::string description() const;

    friend bool operator==(const Json&, const Json&) = default;

private:
    // Not std::monostate: where all alternatives are what libstdc++ 12 takes for never valueless, a copy for
    // which memory runs out destroys an alternative that is not there. A copy that is not trivial avoids it.
    struct Null {
        Null() = default;
        Null(const Null&) noexcept {}
        Null& operator=(const Null&) noexcept { return *this; }
        friend bool operator==(const Null&, const Null&) { return true; }
    };

    std::variant<Null, bool, std::int64_t, double, std::string, List, Members> value_;
};

/// Reads one JSON document (RFC 8259), and nothing but white space after it.
/// Refuses invalid UTF-8, repeated keys, numbers beyond double, more than 32 levels and more than
/// 2^18 values.
/// Throws Error{corrupt_data}, its message starting with `source`.
[[nodiscard]] Json parse_json(std::string_view text, std::string_view source);

/// JSON text without line breaks; or, if `indent` is above 0, one member a line.
/// Doubles are written with as many digits as it takes to read the same bits back.
/// Throws Error{invalid_argument} for NaN and infinities, which JSON cannot say.
[[nodiscard]] std::string to_text(const Json& value, int indent = 0);

/// The shortest decimal that reads back as `value`: 0.05 rather than 0.05000000074505806.
[[nodiscard]] double shortest(float value);

/// A value somewhere in a document, and where: reads what it expects or throws Error{corrupt_data} saying
/// `models/denoise.safetensors: sonolux.problem.sigma_max must be a number from 0 to 1, got "a lot"`.
/// Refers to the document, which must outlive it.
class JsonField {
public:
    /// `where` starts every message: the file, and the name of the document in it.
    JsonField(const Json& value, std::string where) : value_(&value), where_(std::move(where)) {}

    [[nodiscard]] const Json& value() const noexcept { return *value_; }
    [[nodiscard]] const std::string& where() const noexcept { return where_; }

    /// Whether this object has that member, and it is not null.
    [[nodiscard]] bool has(std::string_view key) const;

    /// A member of this object; throws if there is none.
    [[nodiscard]] JsonField operator[](std::string_view key) const;

    /// The elements of this list.
    [[nodiscard]] std::vector<JsonField> elements() const;

    [[nodiscard]] std::int64_t integer(std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
                                       std::int64_t highest = std::numeric_limits<std::int64_t>::max()) const;
    [[nodiscard]] double number(double lowest = std::numeric_limits<double>::lowest(),
                                double highest = std::numeric_limits<double>::max()) const;
    [[nodiscard]] bool flag() const;
    [[nodiscard]] const std::string& text() const;
    [[nodiscard]] const std::string& one_of(std::initializer_list<std::string_view> choices) const;
    [[nodiscard]] std::vector<double> numbers() const;

    /// Throws, naming it, if this object has a member that is not in `keys`.
    void allow_only(std::initializer_list<std::string_view> keys) const;

private:
    [[noreturn]] void expected(const std::string& what) const;

    const Json* value_;
    std::string where_;
};

}  // namespace sonolux

// sonolux/sdk/runtime/json.cpp
#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

// Boost.JSON's parser and the five sources it needs. <boost/json/src.hpp> would bring the rest, streams
// included, which firmware must not link.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/detail/impl/default_resource.ipp>
#include <boost/json/detail/impl/except.ipp>
#include <boost/json/detail/impl/shared_resource.ipp>
#include <boost/json/detail/impl/stack.ipp>
#include <boost/json/impl/error.ipp>
#if __has_include(<boost/json/detail/charconv/impl/from_chars.ipp>)
#include <boost/json/detail/charconv/impl/from_chars.ipp>
#endif

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/runtime/json.hpp>

namespace sonolux {
namespace {

// A short text can ask for much memory: "[0,0,0,..." takes 20 times its length.
constexpr std::size_t max_json_values = std::size_t(1) << 18;

std::string shortest(double value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    std::string text(buffer, end);
    if (text.find_first_of(".en") == std::string::npos) text += ".0";  // stays a double when read back
    return text;
}

std::string json_text(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        switch (c) {
            case '"': result += "\\\""; break;
            case '\\': result += "\\\\"; break;
            case '\n': result += "\\n"; break;
            case '\t': result += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) {
                    char escape[8];
                    std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
                    result += escape;
                } else {
                    result += c;
                }
        }
    }
    return result += '"';
}

// Receives the parser's events and builds the value. It throws as soon as something is wrong: the parser lets
// exceptions pass, and is not used again.
struct Builder {
    using error_code = boost::json::error_code;
    using string_view = boost::json::string_view;

    static constexpr std::size_t max_array_size = max_json_values;
    static constexpr std::size_t max_object_size = max_json_values;
    static constexpr std::size_t max_string_size = std::size_t(1) << 24;
    static constexpr std::size_t max_key_size = 4096;

    struct Level {
        Json value;
        std::string key;                // of the member that is being read, if `value` is an object
        std::vector<std::string> keys;  // all keys so far
    };

    std::string source;
    std::vector<Level> levels;
    std::vector<Json::Members> members;  // of the objects that are open: Json::set would search each time
    std::string text;                    // of the string, key or number that is being read
    std::size_t values = 0;
    Json result;

    bool add(Json value) {
        require(++values <= max_json_values, Status::corrupt_data, source, ": more than ", max_json_values,
                " JSON values");
        if (levels.empty())
            result = std::move(value);
        else if (levels.back().value.get_if<Json::List>() != nullptr)
            levels.back().value.append(std::move(value));
        else
            members.back().emplace_back(std::move(levels.back().key), std::move(value));
        return true;
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }

    bool on_array_begin(error_code&) {
        levels.push_back({Json::list(), {}, {}});
        return true;
    }
    bool on_array_end(std::size_t, error_code&) {
        Json value = std::move(levels.back().value);
        levels.pop_back();
        return add(std::move(value));
    }
    bool on_object_begin(error_code&) {
        levels.push_back({Json::object(), {}, {}});
        members.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, error_code&) {
        std::vector<std::string> keys = std::move(levels.back().keys);
        levels.pop_back();
        Json value(std::move(members.back()));
        members.pop_back();
        std::sort(keys.begin(), keys.end());
        const auto repeated = std::adjacent_find(keys.begin(), keys.end());
        if (repeated != keys.end())
            fail(Status::corrupt_data, source, ": the key \"", *repeated, "\" is there more than once");
        return add(std::move(value));
    }

    bool on_string_part(string_view part, std::size_t, error_code&) {
        return text.append(part.data(), part.size()), true;
    }
    bool on_string(string_view part, std::size_t, error_code&) {
        text.append(part.data(), part.size());
        return add(Json(std::exchange(text, {})));
    }
    bool on_key_part(string_view part, std::size_t, error_code&) {
        return text.append(part.data(), part.size()), true;
    }
    bool on_key(string_view part, std::size_t, error_code&) {
        text.append(part.data(), part.size());
        levels.back().key = std::exchange(text, {});
        levels.back().keys.push_back(levels.back().key);
        return true;
    }
    bool on_number_part(string_view part, error_code&) { return text.append(part.data(), part.size()), true; }
    bool on_int64(std::int64_t value, string_view, error_code&) { return text.clear(), add(Json(value)); }
    bool on_uint64(std::uint64_t, string_view part, error_code& code) { return on_double(0, part, code); }
    bool on_double(double, string_view part, error_code&) {
        // The parser's own conversion may be off by a few units in the last place; this one is exact.
        text.append(part.data(), part.size());
        double value = 0;
        const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (status != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
            fail(Status::corrupt_data, source, ": the number ", text, " is not one that a double can hold");
        text.clear();
        return add(Json(value));
    }
    bool on_bool(bool value, error_code&) { return add(Json(value)); }
    bool on_null(error_code&) { return add(Json()); }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }
};

void write(const Json& value, int indent, int level, std::string& text) {
    const auto break_line = [&](int depth) {
        if (indent > 0) text += "\n" + std::string(static_cast<std::size_t>(indent * depth), ' ');
    };
    if (const auto* flag = value.get_if<bool>()) {
        text += *flag ? "true" : "false";
    } else if (const auto* integer = value.get_if<std::int64_t>()) {
        text += std::to_string(*integer);
    } else if (const auto* number = value.get_if<double>()) {
        require(std::isfinite(*number), Status::invalid_argument, "JSON cannot hold the number ", *number);
        text += shortest(*number);
    } else if (const auto* string = value.get_if<std::string>()) {
        text += json_text(*string);
    } else if (const auto* list = value.get_if<Json::List>()) {
        text += '[';
        for (std::size_t i = 0; i < list->size(); ++i) {
            if (i > 0) text += indent > 0 ? ", " : ",";
            write((*list)[i], indent, level + 1, text);
        }
        text += ']';
    } else if (const auto* members = value.get_if<Json::Members>()) {
        text += '{';
        for (std::size_t i = 0; i < members->size(); ++i) {
            if (i > 0) text += ',';
            break_line(level + 1);
            text += json_text((*members)[i].first) + (indent > 0 ? ": " : ":");
            write((*members)[i].second, indent, level + 1, text);
        }
        if (!members->empty()) break_line(level);
        text += '}';
    } else {
        text += "null";
    }
}

}  // namespace

Json& Json::set(std::string_view key, Json value) {
    if (is_null()) value_ = Members{};
    auto* members = std::get_if<Members>(&value_);
    require(members != nullptr, Status::invalid_argument, "cannot set \"", key, "\" in ", description());
    for (auto& [name, old] : *members)
        if (name == key) return old = std::move(value), *this;
    members->emplace_back(std::string(key), std::move(value));
    return *this;
}

Json& Json::append(Json value) {
    if (is_null()) value_ = List{};
    auto* list = std::get_if<List>(&value_);
    require(list != nullptr, Status::invalid_argument, "cannot append to ", description());
    list->push_back(std::move(value));
    return *this;
}

const Json* Json::find(std::string_view key) const noexcept {
    if (const auto* members = get_if<Members>())
        for (const auto& [name, value] : *members)
            if (name == key) return &value;
    return nullptr;
}

std::string Json::description() const {
    if (get_if<List>() != nullptr) return "a list";
    if (get_if<Members>() != nullptr) return "an object";
    if (const auto* text = get_if<std::string>(); text != nullptr && text->size() > 60)
        return json_text(text->substr(0, 60)) + "...";
    if (const auto* number = get_if<double>()) return shortest(*number);
    return to_text(*this);
}

Json parse_json(std::string_view text, std::string_view source) {
    boost::json::parse_options options;
    options.max_depth = 32;
    boost::json::basic_parser<Builder> parser(options);
    parser.handler().source = source;
    boost::json::error_code code;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
    if (code) fail(Status::corrupt_data, source, ": not valid JSON near byte ", used, ": ", code.message());
    const std::size_t more = text.find_first_not_of(" \t\r\n", used);
    if (more != std::string_view::npos)
        fail(Status::corrupt_data, source, ": not valid JSON: there is text after the document, at byte ",
             more);
    return std::move(parser.handler().result);
}

std::string to_text(const Json& value, int indent) {
    std::string text;
    write(value, indent, 0, text);
    return text;
}

bool JsonField::has(std::string_view key) const {
    if (value_->get_if<Json::Members>() == nullptr) expected("an object");
    const Json* member = value_->find(key);
    return member != nullptr && !member->is_null();
}

JsonField JsonField::operator[](std::string_view key) const {
    if (value_->get_if<Json::Members>() == nullptr) expected("an object");
    const Json* member = value_->find(key);
    if (member == nullptr) fail(Status::corrupt_data, where_, " has no \"", key, "\"");
    return {*member, sentence(where_, ".", key)};
}

std::vector<JsonField> JsonField::elements() const {
    const auto* list = value_->get_if<Json::List>();
    if (list == nullptr) expected("a list");
    std::vector<JsonField> fields;
    fields.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i)
        fields.emplace_back((*list)[i], sentence(where_, "[", i, "]"));
    return fields;
}

std::int64_t JsonField::integer(std::int64_t lowest, std::int64_t highest) const {
    const auto* integer = value_->get_if<std::int64_t>();
    if (integer != nullptr && *integer >= lowest && *integer <= highest) return *integer;
    const bool bounded = highest != std::numeric_limits<std::int64_t>::max();
    if (lowest == std::numeric_limits<std::int64_t>::min() && !bounded) expected("an integer");
    expected(bounded ? sentence("an integer from ", lowest, " to ", highest)
                     : sentence("an integer of at least ", lowest));
}

double JsonField::number(double lowest, double highest) const {
    const auto* integer = value_->get_if<std::int64_t>();
    const auto* real = value_->get_if<double>();
    if (integer != nullptr || real != nullptr) {
        const double number = real != nullptr ? *real : static_cast<double>(*integer);
        if (number >= lowest && number <= highest) return number;
    }
    const bool bounded = highest != std::numeric_limits<double>::max();
    if (lowest == std::numeric_limits<double>::lowest() && !bounded) expected("a number");
    expected(bounded ? sentence("a number from ", lowest, " to ", highest)
                     : sentence("a number of at least ", lowest));
}

bool JsonField::flag() const {
    if (const auto* flag = value_->get_if<bool>()) return *flag;
    expected("true or false");
}

const std::string& JsonField::text() const {
    if (const auto* text = value_->get_if<std::string>()) return *text;
    expected("a string");
}

const std::string& JsonField::one_of(std::initializer_list<std::string_view> choices) const {
    const auto* text = value_->get_if<std::string>();
    if (text != nullptr && std::find(choices.begin(), choices.end(), *text) != choices.end()) return *text;
    std::string list;
    for (const auto choice : choices) list += (list.empty() ? "one of " : ", ") + json_text(choice);
    expected(list);
}

std::vector<double> JsonField::numbers() const {
    std::vector<double> values;
    for (const JsonField& element : elements()) values.push_back(element.number());
    return values;
}

void JsonField::allow_only(std::initializer_list<std::string_view> keys) const {
    const auto* members = value_->get_if<Json::Members>();
    if (members == nullptr) expected("an object");
    for (const auto& [name, value] : *members)
        if (std::find(keys.begin(), keys.end(), name) == keys.end())
            fail(Status::corrupt_data, where_, " has an unknown key \"", name, "\"");
}

void JsonField::expected(const std::string& what) const {
    fail(Status::corrupt_data, where_, " must be ", what, ", got ", value_->description());
}

double shortest(float value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    double decimal = value;
    std::from_chars(buffer, end, decimal);
    return static_cast<float>(decimal) == value ? decimal : static_cast<double>(value);
}

}  // namespace sonolux

// sonolux/sdk/files/recipe.cpp
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <tuple>
#include <utility>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/recipe.hpp>

// toml++ 3.3 asserts (or, under NDEBUG, assumes) that a table header starts with a key, and reports an error
// two lines later if it does not: "[[[" would abort us, or worse. So the parser is compiled here, without its
// asserts.
#pragma push_macro("NDEBUG")
#undef NDEBUG
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace sonolux {
namespace {

// Tables in tables are read, searched and taken apart by recursion. Each level takes one of these characters,
// so that their number bounds the depth; real recipes have some dozens.
constexpr std::ptrdiff_t most_levels = 4000;

void require_shallow(std::string_view text, const std::string& source) {
    const auto opens = [](char c) { return c == '.' || c == '[' || c == '{'; };
    const std::ptrdiff_t levels = std::count_if(text.begin(), text.end(), opens);
    require(levels <= most_levels, Status::invalid_argument, source, ": has ", levels,
            " dots, brackets and braces, at most ", most_levels, " are read");
}

// Values as TOML text. They are what `resolved` writes and what messages show.

std::string toml_text(std::int64_t value) { return std::to_string(value); }

std::string toml_text(bool value) { return value ? "true" : "false"; }

std::string toml_text(double value) {
    char buffer[40];
    std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
    if (text.find_first_of(".en") == std::string::npos) text += ".0";  // stays a double when read back
    return text;
}

std::string toml_text(const std::string& value) {
    std::string text = "\"";
    for (const char c : value) {
        if (c == '"' || c == '\\') {
            text += '\\';
            text += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(c));
            text += escape;
        } else {
            text += c;
        }
    }
    return text + '"';
}

template <class Value>
std::string toml_text(const std::vector<Value>& values) {
    std::string text = "[";
    for (std::size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + toml_text(values[i]);
    return text + "]";
}

std::string toml_text(const toml::node& node) {
    if (const auto* text = node.as_string()) return toml_text(text->get());
    if (const auto* number = node.as_floating_point()) return toml_text(number->get());
    if (node.is_table()) return "a table";
    std::ostringstream stream;
    node.visit([&](const auto& value) { stream << value; });
    std::string text = stream.str();
    return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

bool is_bare(std::string_view key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
}

std::string joined(const std::string& table, std::string_view key) {
    const std::string name = is_bare(key) ? std::string(key) : toml_text(std::string(key));
    return table.empty() ? name : table + "." + name;
}

/// The number of letters to insert, delete or replace to make one word of the other (Levenshtein 1966).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
        }
    }
    return row.back();
}

template <class Value>
std::string range_text(const char* kind, Value lowest, Value highest) {
    const bool above = lowest != std::numeric_limits<Value>::lowest();
    const bool below = highest != std::numeric_limits<Value>::max();
    if (above && below) return sentence(kind, " from ", lowest, " to ", highest);
    if (above) return sentence(kind, " of at least ", lowest);
    if (below) return sentence(kind, " of at most ", highest);
    return kind;
}

std::optional<double> number_in(const toml::node& node, double lowest, double highest) {
    if (!node.is_number()) return {};
    const double number = *node.value<double>();
    if (!(number >= lowest && number <= highest)) return {};  // NaN too
    return number;
}

/// A list, whose elements are read by `read`, or a single value.
template <class Value, class Read>
std::optional<std::vector<Value>> list_in(const toml::node& node, const Read& read) {
    std::vector<Value> values;
    const auto add = [&](const toml::node& element) {
        if (const std::optional<Value> value = read(element)) values.push_back(*value);
    };
    const auto* list = node.as_array();
    if (list == nullptr)
        add(node);
    else
        for (const toml::node& element : *list) add(element);
    if (values.size() != (list == nullptr ? 1 : list->size())) return {};
    return values;
}

}  // namespace

struct RecipeTable::Contents {
    std::string source;
    toml::table root;
    std::vector<std::pair<std::string, std::string>> asked;  // key and value, as TOML text

    /// The node, or null if there is none. Throws where the path leads through something that is no table.
    const toml::node* find(std::string_view key) const {
        const toml::table* table = &root;
        std::size_t begin = 0;
        for (;;) {
            const std::size_t dot = key.find('.', begin);
            const toml::node* node = table->get(key.substr(begin, dot - begin));
            if (node == nullptr || dot == std::string_view::npos) return node;
            if (!node->is_table()) expected(key.substr(0, dot), *node, "a table");
            table = node->as_table();
            begin = dot + 1;
        }
    }

    std::string at(const toml::node& node) const {
        return sentence(source, ":", node.source().begin.line, ": ");
    }

    [[noreturn]] void expected(std::string_view key, const toml::node& node, const std::string& what) const {
        fail(Status::invalid_argument, at(node), key, " must be ", what, ", got ", toml_text(node));
    }

    /// `read` turns a node into an optional value.
    template <class Value, class Read>
    Value get(std::string_view key, const std::optional<Value>& otherwise, const std::string& what,
              const Read& read) {
        const toml::node* node = find(key);
        std::optional<Value> value = otherwise;
        if (node != nullptr) {
            value = read(*node);
            if (!value) expected(key, *node, what);
        }
        require(value.has_value(), Status::invalid_argument, source, ": ", key, " is missing; it must be ",
                what);
        remember(key, toml_text(*value));
        return *value;
    }

    void remember(std::string_view key, std::string value) {
        for (const auto& [name, before] : asked)
            if (name == key) {
                require(before == value, Status::internal_error, source, ": ", key, " was taken for ", before,
                        " and then for ", value);
                return;
            }
        asked.emplace_back(key, std::move(value));
    }

    struct Unknown {
        std::size_t line;
        std::string key;
    };

    void collect_unknown(const toml::table& table, const std::string& path,
                         std::vector<Unknown>& unknown) const {
        for (const auto& [name, node] : table) {
            const std::string key = joined(path, name.str());
            const bool known = std::any_of(asked.begin(), asked.end(), [&](const auto& ask) {
                return ask.first == key || (node.is_table() && ask.first.starts_with(key + "."));
            });
            const auto* inner = node.as_table();
            if (inner != nullptr && !inner->empty())
                collect_unknown(*inner, key, unknown);
            else if (!known)
                unknown.push_back({name.source().begin.line, key});
        }
    }

    /// `; did you mean "training.steps"?`, or nothing if no key is like it.
    std::string suggestion(const std::string& key) const {
        std::size_t best = std::max<std::size_t>(2, key.size() / 3) + 1;
        const std::string* nearest = nullptr;
        for (const auto& [name, value] : asked)
            if (const std::size_t distance = edit_distance(key, name); distance < best) {
                best = distance;
                nearest = &name;
            }
        return nearest != nullptr ? "; did you mean \"" + *nearest + "\"?" : "";
    }
};

RecipeTable::RecipeTable(std::string_view text, std::string source)
    : contents_(std::make_unique<Contents>()) {
    contents_->source = std::move(source);
    require_shallow(text, contents_->source);
    try {
        contents_->root = toml::parse(text, contents_->source);
    } catch (const toml::parse_error& error) {
        fail(Status::invalid_argument, contents_->source, ":", error.source().begin.line,
             ": not valid TOML: ", error.description());
    }
}

RecipeTable RecipeTable::read(const std::string& path) { return RecipeTable(read_text_file(path), path); }

RecipeTable::RecipeTable(RecipeTable&&) noexcept = default;
RecipeTable& RecipeTable::operator=(RecipeTable&&) noexcept = default;
RecipeTable::~RecipeTable() = default;

bool RecipeTable::has(std::string_view key) const { return contents_->find(key) != nullptr; }

std::int64_t RecipeTable::integer(std::string_view key, std::optional<std::int64_t> otherwise,
                                  std::int64_t lowest, std::int64_t highest) {
    return contents_->get(key, otherwise, range_text("an integer", lowest, highest),
                          [&](const toml::node& node) -> std::optional<std::int64_t> {
                              const auto* value = node.as_integer();
                              if (value == nullptr || value->get() < lowest || value->get() > highest)
                                  return {};
                              return value->get();
                          });
}

double RecipeTable::number(std::string_view key, std::optional<double> otherwise, double lowest,
                           double highest) {
    return contents_->get(key, otherwise, range_text("a number", lowest, highest),
                          [&](const toml::node& node) { return number_in(node, lowest, highest); });
}

bool RecipeTable::flag(std::string_view key, std::optional<bool> otherwise) {
    return contents_->get(key, otherwise, "true or false", [](const toml::node& node) -> std::optional<bool> {
        if (const auto* value = node.as_boolean()) return value->get();
        return {};
    });
}

std::string RecipeTable::text(std::string_view key, std::optional<std::string> otherwise) {
    return contents_->get(key, otherwise, "a text", [](const toml::node& node) -> std::optional<std::string> {
        if (const auto* value = node.as_string()) return value->get();
        return {};
    });
}

std::string RecipeTable::one_of(std::string_view key, std::optional<std::string> otherwise,
                                const std::vector<std::string>& choices) {
    std::string what;
    for (const std::string& choice : choices) what += (what.empty() ? "one of " : ", ") + toml_text(choice);
    return contents_->get(key, otherwise, what, [&](const toml::node& node) -> std::optional<std::string> {
        const auto* value = node.as_string();
        if (value == nullptr || std::find(choices.begin(), choices.end(), value->get()) == choices.end())
            return {};
        return value->get();
    });
}

std::vector<double> RecipeTable::numbers(std::string_view key, std::optional<std::vector<double>> otherwise,
                                         double lowest, double highest) {
    return contents_->get(key, otherwise, "a list, each " + range_text("a number", lowest, highest),
                          [&](const toml::node& node) {
                              return list_in<double>(node, [&](const toml::node& one) {
                                  return number_in(one, lowest, highest);
                              });
                          });
}

std::vector<std::string> RecipeTable::texts(std::string_view key,
                                            std::optional<std::vector<std::string>> otherwise) {
    return contents_->get(key, otherwise, "a list, each a text", [](const toml::node& node) {
        return list_in<std::string>(node, [](const toml::node& one) { return one.value<std::string>(); });
    });
}

std::string RecipeTable::where(std::string_view key) const {
    const toml::node* node = contents_->find(key);
    return node != nullptr ? sentence(contents_->at(*node), key) : sentence(contents_->source, ": ", key);
}

void RecipeTable::reject_unknown() const {
    std::vector<Contents::Unknown> unknown;
    contents_->collect_unknown(contents_->root, "", unknown);
    if (unknown.empty()) return;
    std::sort(unknown.begin(), unknown.end(),
              [](const auto& a, const auto& b) { return std::tie(a.line, a.key) < std::tie(b.line, b.key); });
    std::string message;
    for (const auto& [line, key] : unknown)
        message += sentence(message.empty() ? "" : "\n", contents_->source, ":", line, ": unknown key \"",
                            key, "\"", contents_->suggestion(key));
    throw Error(Status::invalid_argument, message);
}

std::string RecipeTable::resolved() const {
    // Tables in the order in which their first value was asked for; what is in no table comes first.
    std::vector<std::pair<std::string, std::string>> tables = {{"", ""}};
    for (const auto& [key, value] : contents_->asked) {
        const std::size_t dot = key.rfind('.');
        const std::string table = dot == std::string::npos ? "" : key.substr(0, dot);
        auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const auto& entry) { return entry.first == table; });
        if (found == tables.end()) found = tables.insert(tables.end(), {table, "[" + table + "]\n"});
        found->second += key.substr(dot + 1) + " = " + value + "\n";
    }
    std::string text;
    for (const auto& [name, lines] : tables) text += (text.empty() || lines.empty() ? "" : "\n") + lines;
    return text;
}

}  // namespace sonolux

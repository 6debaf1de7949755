// sonolux/sdk/files/recipe.hpp
//
// Recipes: what to train or simulate, as a TOML file, read so that no misspelt key is overlooked.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sonolux {

/// The values of a TOML file. Keys are dotted paths: "training.steps" is `steps` in `[training]`.
///
/// Each getter returns the file's value, or the default where the file has none, and remembers that it was
/// asked. So after all getters, `reject_unknown` finds what nobody asked for, and `resolved` has everything
/// that was decided. Without a default (`std::nullopt`) the key must be there.
///
/// Getters throw Error{invalid_argument} when a value is missing, of another type, or out of range:
/// `recipe.toml:12: training.steps must be an integer from 1 to 100000, got "many"`.
/// Asking again for a key with another default is a mistake of ours: Error{internal_error}.
class RecipeTable {
public:
    /// Throws Error{invalid_argument} with `source` and the line if the text is not TOML.
    RecipeTable(std::string_view text, std::string source);

    /// Reads a file. Throws also Error{file_error}.
    [[nodiscard]] static RecipeTable read(const std::string& path);

    RecipeTable(RecipeTable&&) noexcept;
    RecipeTable& operator=(RecipeTable&&) noexcept;
    ~RecipeTable();

    /// Whether the file has this key (a value or a table). Does not count as asking.
    [[nodiscard]] bool has(std::string_view key) const;

    std::int64_t integer(std::string_view key, std::optional<std::int64_t> otherwise,
                         std::int64_t lowest = std::numeric_limits<std::int64_t>::min(),
                         std::int64_t highest = std::numeric_limits<std::int64_t>::max());

    /// Integers count as numbers; NaN and infinities do not.
    double number(std::string_view key, std::optional<double> otherwise,
                  double lowest = std::numeric_limits<double>::lowest(),
                  double highest = std::numeric_limits<double>::max());

    bool flag(std::string_view key, std::optional<bool> otherwise);

    std::string text(std::string_view key, std::optional<std::string> otherwise);

    /// A text that is one of `choices`; so must the default be.
    std::string one_of(std::string_view key, std::optional<std::string> otherwise,
                       const std::vector<std::string>& choices);

    /// A list, or a single value, which makes a list of one.
    std::vector<double> numbers(std::string_view key, std::optional<std::vector<double>> otherwise,
                                double lowest = std::numeric_limits<double>::lowest(),
                                double highest = std::numeric_limits<double>::max());
    std::vector<std::string> texts(std::string_view key, std::optional<std::vector<std::string>> otherwise);

    /// "recipe.toml:12: training.steps", for messages about values that do not fit together; without the line
    /// if the value is a default.
    [[nodiscard]] std::string where(std::string_view key) const;

    /// Throws Error{invalid_argument} if the file has a key that was never asked for. The message has a line
    /// for each: `recipe.toml:12: unknown key "training.stesp"; did you mean "training.steps"?`
    void reject_unknown() const;

    /// TOML text of all values that were asked for, defaults included, in the order of asking: the same
    /// values come out when it is read.
    [[nodiscard]] std::string resolved() const;

private:
    struct Contents;
    std::unique_ptr<Contents> contents_;
};

}  // namespace sonolux

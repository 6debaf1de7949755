// sonolux/sdk/files/recipe_difference.cpp
#include <sonolux/sdk/files/recipe_difference.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace sonolux {

std::string recipe_difference(const std::string& there, const std::string& here,
                              const std::function<bool(std::string_view key)>& ignored) {
    const auto lines = [&](const std::string& text) {
        std::vector<std::pair<std::string, std::string>> pairs;
        std::string section;
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            const std::string line = text.substr(begin, end - begin);
            begin = end + 1;
            if (!line.empty() && line[0] == '[') {
                section = line.substr(line.find_first_not_of('['));
                section = section.substr(0, section.find(']')) + ".";
            } else if (const std::size_t equals = line.find(" = "); equals != std::string::npos) {
                const std::string key = section + line.substr(0, equals);
                if (!ignored(key)) pairs.emplace_back(key, line.substr(equals + 3));
            }
        }
        return pairs;
    };
    const auto before = lines(there), after = lines(here);
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
        if (i < before.size() && i < after.size() && before[i] == after[i]) continue;
        if (i >= after.size()) return before[i].first + " is " + before[i].second + " there and missing here";
        if (i >= before.size()) return after[i].first + " is missing there and " + after[i].second + " here";
        if (before[i].first != after[i].first)
            return "\"" + before[i].first + "\" stands there where \"" + after[i].first + "\" stands here";
        return before[i].first + " is " + before[i].second + " there and " + after[i].second + " here";
    }
    return {};
}

}  // namespace sonolux

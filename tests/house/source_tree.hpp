// tests/house/source_tree.hpp
//
// The rules of the house that a text search can check, each a function of one file, so that they can be tried
// on made-up files too.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace sonolux::house {

struct SourceFile {
    std::filesystem::path path;  ///< from the root of the source tree
    std::string text;
};

[[nodiscard]] inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

/// The files of these folders (and of their sub-folders) with one of these extensions, in order of their
/// paths.
[[nodiscard]] inline std::vector<SourceFile> read_tree(const std::filesystem::path& root,
                                                       const std::vector<std::string>& folders,
                                                       const std::vector<std::string>& extensions) {
    std::vector<SourceFile> files;
    for (const auto& folder : folders) {
        if (!std::filesystem::exists(root / folder)) continue;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
            const auto extension = entry.path().extension().string();
            if (!entry.is_regular_file() ||
                std::find(extensions.begin(), extensions.end(), extension) == extensions.end())
                continue;
            std::ifstream stream(entry.path(), std::ios::binary);
            files.push_back({entry.path().lexically_relative(root),
                             std::string(std::istreambuf_iterator<char>(stream), {})});
        }
    }
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return files;
}

/// The folders that a file of `folder` may include from.
[[nodiscard]] inline std::vector<std::string> folders_below(const std::string& folder) {
    if (folder == "core") return {"core"};
    if (folder == "priors") return {"core", "priors"};
    if (folder == "solvers") return {"core", "priors", "solvers"};
    if (folder == "simulation") return {"core", "simulation"};
    return {"core", "priors", "solvers", "simulation", "sdk"};  // sdk, samples, tests, bench
}

/// One sentence for each include of the file that points upward or sideways, or hides where it points by not
/// being spelled <sonolux/folder/file>.
[[nodiscard]] inline std::vector<std::string> wrong_includes(const SourceFile& file) {
    static const std::regex include(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
    static const std::regex ours(R"((?:^|.*/)(core|priors|solvers|simulation|sdk|samples|tests|bench)/.*)");
    const std::string folder = file.path.begin()->string();
    const auto allowed = folders_below(folder);
    const bool product = folder != "samples" && folder != "tests" && folder != "bench";
    std::vector<std::string> wrong;
    int number = 0;
    for (const auto& line : lines_of(file.text)) {
        ++number;
        std::smatch match, target;
        if (!std::regex_search(line, match, include)) continue;
        const std::string name = match[2];
        const std::string where = file.path.generic_string() + ":" + std::to_string(number) + ": ";
        const bool spelled = match[1] == "<" && name.starts_with("sonolux/");
        if (product && match[1] == "\"") {
            wrong.push_back(where + "\"" + name + "\" must be spelled <sonolux/...>");
        } else if ((spelled || product) && std::regex_match(name, target, ours)) {
            if (std::find(allowed.begin(), allowed.end(), target[1].str()) == allowed.end())
                wrong.push_back(where + folder + " must not include from " + target[1].str() + " (" + name +
                                ")");
        }
    }
    return wrong;
}

/// Whether a header may be included twice.
[[nodiscard]] inline bool has_include_guard(const SourceFile& header) {
    static const std::regex guard(R"((^|\n)#pragma once|(^|\n)#ifndef (\w+)\n#define \3\b)");
    return std::regex_search(header.text, guard);
}

/// Lines that name a place on somebody's own machine.
[[nodiscard]] inline std::vector<std::string> private_paths(const SourceFile& file) {
    static const std::regex place(R"((^|[^\w.~-])/(hom[e]|roo[t]|wor[k]|User[s]|tm[p])/\w)");
    std::vector<std::string> found;
    int number = 0;
    for (const auto& line : lines_of(file.text)) {
        ++number;
        if (std::regex_search(line, place))
            found.push_back(file.path.generic_string() + ":" + std::to_string(number) + ": " + line);
    }
    return found;
}

}  // namespace sonolux::house

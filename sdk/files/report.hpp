// sonolux/sdk/files/report.hpp
//
// Report: one HTML file that people open after a run. Pictures are inside it, so it can be mailed.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sonolux/sdk/files/canvas.hpp>

namespace sonolux {

/// Parts appear in the order in which they were added. Text is plain; the report escapes it.
class Report {
public:
    explicit Report(std::string title);

    void heading(std::string_view text);
    void paragraph(std::string_view text);

    /// Text whose line breaks and spaces matter, such as a recipe.
    void preformatted(std::string_view text);

    /// Rows may be shorter than the header. Cells that read as numbers are aligned to the right.
    void table(const std::vector<std::string>& header, const std::vector<std::vector<std::string>>& rows);

    /// Two columns: what, and its value.
    void facts(const std::vector<std::pair<std::string, std::string>>& rows);

    void picture(const Canvas& picture, std::string_view caption);

    /// What svg_chart returns.
    void chart(std::string_view svg, std::string_view caption);

    /// A link to a file, relative to the report.
    void link(std::string_view file, std::string_view text);

    [[nodiscard]] std::string html() const;

    /// Writes the file whole or not at all. Throws Error{file_error}.
    void write(const std::filesystem::path& path) const;

private:
    std::string title_, body_;
};

/// RFC 4648, section 4.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace sonolux

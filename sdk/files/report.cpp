// sonolux/sdk/files/report.cpp
#include <sonolux/sdk/files/report.hpp>

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/sdk/files/image.hpp>

namespace sonolux {
namespace {

constexpr const char* style = R"(
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222;
       background: #fff; }
h1 { font-size: 1.6em; } h2 { font-size: 1.25em; margin-top: 2em; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .8em; border-bottom: 1px solid #e4e4e4; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; }
figure { margin: 1.5em 0; } figcaption { color: #555; font-size: .9em; }
img, svg { max-width: 100%; height: auto; }
pre { background: #f6f6f6; padding: .8em; overflow-x: auto; font-size: .85em; }
)";

// "28.92", "-3", "1.5e-07", "-" and "inf" stand to the right, as numbers do.
bool reads_as_number(std::string_view cell) {
    if (cell == "-" || cell == "inf" || cell == "nan") return true;
    if (cell.empty()) return false;
    return std::all_of(cell.begin(), cell.end(),
                       [](unsigned char c) {
                           return std::isdigit(c) != 0 || c == '.' || c == '-' || c == '+' || c == 'e';
                       }) &&
           std::any_of(cell.begin(), cell.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[group >> (18 - 6 * k) & 63U] : '=';
    }
    return text;
}

Report::Report(std::string title) : title_(std::move(title)) {}

void Report::heading(std::string_view text) { body_ += fmt::format("<h2>{}</h2>\n", escape_html(text)); }

void Report::paragraph(std::string_view text) { body_ += fmt::format("<p>{}</p>\n", escape_html(text)); }

void Report::preformatted(std::string_view text) {
    body_ += fmt::format("<pre>{}</pre>\n", escape_html(text));
}

void Report::table(const std::vector<std::string>& header,
                   const std::vector<std::vector<std::string>>& rows) {
    auto column_is_numeric = [&](std::size_t c) {
        return std::all_of(rows.begin(), rows.end(), [c](const auto& row) {
            return c >= row.size() || row[c].empty() || reads_as_number(row[c]);
        });
    };
    auto put = [&](const char* element, const std::vector<std::string>& cells) {
        body_ += "<tr>";
        for (std::size_t c = 0; c < cells.size(); ++c)
            body_ += fmt::format("<{}{}>{}</{}>", element, column_is_numeric(c) ? " class=\"number\"" : "",
                                 escape_html(cells[c]), element);
        body_ += "</tr>\n";
    };
    body_ += "<table>\n";
    if (!header.empty()) put("th", header);
    for (const auto& row : rows) put("td", row);
    body_ += "</table>\n";
}

void Report::facts(const std::vector<std::pair<std::string, std::string>>& rows) {
    body_ += "<table>\n";
    for (const auto& [name, value] : rows)
        body_ += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escape_html(name), escape_html(value));
    body_ += "</table>\n";
}

void Report::picture(const Canvas& picture, std::string_view caption) {
    const std::vector<std::byte> png = encode_image(picture.planes(), ImageFormat::png, 8);
    body_ += fmt::format(
        "<figure><img alt=\"{}\" src=\"data:image/png;base64,{}\"><figcaption>{}</figcaption></figure>\n",
        escape_html(caption), base64({reinterpret_cast<const char*>(png.data()), png.size()}),
        escape_html(caption));
}

void Report::chart(std::string_view svg, std::string_view caption) {
    body_ += fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", svg, escape_html(caption));
}

void Report::link(std::string_view file, std::string_view text) {
    body_ += fmt::format("<p><a href=\"{}\">{}</a></p>\n", escape_html(file), escape_html(text));
}

std::string Report::html() const {
    const std::string title = escape_html(title_);
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<h1>{}</h1>\n{}</body>\n</html>\n",
        title, style, title, body_);
}

void Report::write(const std::filesystem::path& path) const { write_file_atomically(path.string(), html()); }

}  // namespace sonolux

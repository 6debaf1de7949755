// sonolux/sdk/files/bitmap_font.hpp
//
// Letters five pixels wide, for captions and axes: enough to label a figure without a font on the machine.
#pragma once

#include <string_view>

#include <sonolux/core/shape.hpp>

namespace sonolux {

/// The cell of a glyph at scale 1, with the gaps to its right and below: capitals and digits fill rows 0 to
/// 6, descenders rows 7 and 8.
inline constexpr Index glyph_columns = 6, glyph_rows = 10, glyph_capital_rows = 7;

/// A letter as rows of '#' and '.', parted by blanks: seven rows of five, or nine.
/// Printable ASCII, plus-minus, times, micro, degree, sigma and phi; anything else is drawn as '?'.
[[nodiscard]] std::string_view glyph(char32_t letter) noexcept;

/// Takes the first letter off UTF-8 `text`, which must not be empty. An invalid byte counts as one letter,
/// '?'.
[[nodiscard]] char32_t next_letter(std::string_view& text) noexcept;

/// How many columns `text` takes at `scale`.
[[nodiscard]] Index text_columns(std::string_view text, int scale = 1) noexcept;

}  // namespace sonolux

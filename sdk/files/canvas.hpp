// sonolux/sdk/files/canvas.hpp
//
// Canvas: a picture to draw on, and the colour maps that turn numbers into colours.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <sonolux/core/array.hpp>

namespace sonolux {

struct Colour {
    std::uint8_t red = 0, green = 0, blue = 0;

    friend bool operator==(const Colour&, const Colour&) = default;
};

namespace colours {
inline constexpr Colour white{255, 255, 255}, black{0, 0, 0}, dark_grey{70, 70, 70},
    light_grey{215, 215, 215}, blue{31, 95, 168};
}

enum class ColourMap {
    grey,       ///< black to white
    viridis,    ///< dark blue to yellow, of steadily rising lightness (S. van der Walt and N. Smith, CC0)
    diverging,  ///< blue, white at the middle, red: for numbers that have a sign
};

/// The colour of `position` in [0, 1]; positions outside take the colour of the nearer end, NaN is magenta.
[[nodiscard]] Colour colour_of(ColourMap map, double position) noexcept;

/// Round numbers in [lower, upper], about `count` of them, equally spaced by 1, 2 or 5 times a power of ten.
[[nodiscard]] std::vector<double> axis_ticks(double lower, double upper, int count);

/// A number for an axis or a table: "0.05", "-120", "1e-07".
[[nodiscard]] std::string short_number(double value, int digits = 4);

/// 8-bit RGB, row 0 at the top. Whatever reaches beyond the edge is cut off.
class Canvas {
public:
    /// Throws Error{invalid_argument} if either size is below 1 or above 65535.
    Canvas(Index rows, Index columns, Colour background = colours::white);

    [[nodiscard]] Index rows() const noexcept { return pixels_.shape()[0]; }
    [[nodiscard]] Index columns() const noexcept { return pixels_.shape()[1]; }
    /// [rows, columns, 3]
    [[nodiscard]] View<const std::uint8_t> pixels() const noexcept { return pixels_.view(); }
    [[nodiscard]] Colour at(Index row, Index column) const noexcept;

    void point(Index row, Index column, Colour colour) noexcept;
    void fill(Index row, Index column, Index rows, Index columns, Colour colour) noexcept;

    /// The outline of the rectangle, one pixel wide, inside it.
    void frame(Index row, Index column, Index rows, Index columns, Colour colour) noexcept;

    void line(double row0, double column0, double row1, double column1, Colour colour) noexcept;

    /// UTF-8 text whose capitals have their upper left corner at (row, column).
    void text(Index row, Index column, std::string_view text, Colour colour = colours::black,
              int scale = 1) noexcept;

    /// The plane [rows, columns], `lower` in the first and `upper` in the last colour of the map, each value
    /// `magnification` pixels wide. A stack [3, rows, columns] is drawn as red, green and blue.
    void image(Index row, Index column, View<const float> values, double lower, double upper,
               ColourMap map = ColourMap::grey, int magnification = 1) noexcept;

    /// As write_image takes it: values in [0, 1], [1, rows, columns] if all pixels are grey, else [3, rows,
    /// columns].
    [[nodiscard]] Array<float> planes() const;

private:
    Array<std::uint8_t> pixels_;
};

}  // namespace sonolux

// sonolux/sdk/files/map_figure.hpp
//
// Maps and recordings as pictures with axes: millimetres and microseconds, colour bar and unit.
#pragma once

#include <optional>
#include <span>
#include <string>

#include <sonolux/sdk/files/canvas.hpp>

namespace sonolux {

/// What an axis measures from one edge of the image to the other.
struct FigureAxis {
    std::string label;  ///< with its unit
    double from = 0, to = 1;
};

struct MapPanel {
    std::string caption;          ///< one line
    View<const float> values;     ///< [rows, columns]
    Index height = 0, width = 0;  ///< of the image in pixels: each shows the nearest value
    FigureAxis down = {}, across = {};
    double lower = 0, upper = 1;  ///< the values of the first and the last colour
    ColourMap map = ColourMap::viridis;
    std::string unit = {};
    std::optional<FigureAxis> right = {};  ///< what down measures, in another quantity
    Colour missing = {255, 0, 255};        ///< of NaN
    bool hatched = false;                  ///< NaN under dark lines: no colour of any map, and no value
};

/// Panels from left to right, `in_row` at most in a row. Throws Error{invalid_argument} if there is none, or
/// one without values or pixels.
[[nodiscard]] Canvas draw_maps(std::span<const MapPanel> panels, const std::string& title, Index in_row = 3);

}  // namespace sonolux

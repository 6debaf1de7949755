// sonolux/sdk/files/figure.hpp
//
// Figures: panels side by side with captions and colour bars, and small line plots, drawn on a Canvas.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <sonolux/sdk/files/canvas.hpp>

namespace sonolux {

/// An image in a figure.
struct Panel {
    std::string caption;       ///< above the image; lines parted by '\n'
    View<const float> values;  ///< [rows, columns], or [3, rows, columns] for a colour image
    double lower = 0;          ///< the value of the map's first colour
    double upper = 1;          ///< and of its last
    ColourMap map = ColourMap::grey;
    int magnification = 1;
    bool colour_bar = false;  ///< to the right of the image, with ticks
    std::string unit = {};    ///< above the colour bar
};

struct FigureOptions {
    std::string title;
    int columns = 0;     ///< panels in a row; 0 puts all in one
    int text_scale = 0;  ///< letters are 7 times this high; 0 chooses by the size of the panels
};

/// Draws panels from left to right and from top to bottom.
/// Throws Error{invalid_argument} if there is no panel, or one without pixels.
[[nodiscard]] Canvas draw_panels(std::span<const Panel> panels, const FigureOptions& options = {});

/// A curve y(x) in its own small axes.
struct CurvePanel {
    std::string caption;
    std::vector<double> x, y;
};

struct CurveOptions {
    std::string title;
    std::string x_label, y_label;  ///< with units
    int columns = 8;
};

/// Small line plots that share their axes, which are labelled at the left and the bottom.
/// Throws Error{invalid_argument} if there is no curve or x and y differ in length.
[[nodiscard]] Canvas draw_curves(std::span<const CurvePanel> curves, const CurveOptions& options);

/// Filters [count, size, size] as magnified squares in a diverging map around zero, with one colour bar; or
/// [count, 3, size, size] in their colours around grey. Throws Error{invalid_argument} if there is none, or
/// for another number of channels.
[[nodiscard]] Canvas draw_filters(View<const float> filters, const std::string& title);

}  // namespace sonolux

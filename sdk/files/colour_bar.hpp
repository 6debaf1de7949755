// sonolux/sdk/files/colour_bar.hpp
#pragma once

#include <string>
#include <vector>

#include <sonolux/sdk/files/canvas.hpp>

namespace sonolux {

/// A bar of the colour map with ticks at its right and the unit above it.
class ColourBar {
public:
    ColourBar(ColourMap map, double lower, double upper, std::string unit, Index rows, int scale);

    [[nodiscard]] Index columns() const;
    void draw(Canvas& canvas, Index row, Index column) const;

private:
    ColourMap map_;
    double lower_, upper_;
    std::string unit_;
    Index rows_;
    int scale_;
    std::vector<double> ticks_;
    Index labels_ = 0;
};

}  // namespace sonolux

// sonolux/sdk/files/canvas.cpp
#include <sonolux/sdk/files/canvas.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <span>

#include <sonolux/sdk/files/bitmap_font.hpp>

namespace sonolux {
namespace {

// Every sixteenth colour of viridis; between them, straight lines in RGB stay within 2.3 % of the full map.
constexpr Colour viridis[] = {{68, 1, 84},    {72, 24, 106},  {71, 45, 123},  {66, 64, 134},  {59, 82, 139},
                              {51, 99, 141},  {44, 114, 142}, {38, 130, 142}, {33, 145, 140}, {31, 159, 136},
                              {39, 173, 129}, {61, 188, 116}, {92, 200, 99},  {129, 211, 77}, {170, 220, 50},
                              {213, 226, 26}, {253, 231, 37}};
constexpr Colour diverging[] = {{23, 62, 120},   {58, 118, 189}, {148, 190, 226}, {250, 250, 250},
                                {240, 174, 145}, {205, 78, 66},  {122, 15, 38}};
constexpr Colour grey[] = {colours::black, colours::white};
constexpr Colour not_a_number{255, 0, 255};

std::uint8_t between(std::uint8_t a, std::uint8_t b, double t) noexcept {
    return static_cast<std::uint8_t>(std::lround(a + t * (static_cast<double>(b) - a)));
}

Colour interpolate(std::span<const Colour> knots, double position) noexcept {
    const double place = position * static_cast<double>(knots.size() - 1);
    const auto k = std::min(static_cast<std::size_t>(place), knots.size() - 2);
    const double t = place - static_cast<double>(k);
    return {between(knots[k].red, knots[k + 1].red, t), between(knots[k].green, knots[k + 1].green, t),
            between(knots[k].blue, knots[k + 1].blue, t)};
}

}  // namespace

Colour colour_of(ColourMap map, double position) noexcept {
    if (std::isnan(position)) return not_a_number;
    position = std::clamp(position, 0.0, 1.0);
    switch (map) {
        case ColourMap::grey: return interpolate(grey, position);
        case ColourMap::viridis: return interpolate(viridis, position);
        case ColourMap::diverging: return interpolate(diverging, position);
    }
    return not_a_number;
}

std::vector<double> axis_ticks(double lower, double upper, int count) {
    if (!(upper > lower) || !std::isfinite(upper - lower)) return {lower};
    const double rough = (upper - lower) / std::max(count, 1);
    const double decade = std::pow(10, std::floor(std::log10(rough)));
    const double lead = rough / decade;
    const double step = decade * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
    // Whole multiples of the step, so that zero is zero; the slack keeps an end that rounding pushed outside.
    std::vector<double> ticks;
    const double slack = 1e-9;
    for (double k = std::ceil(lower / step - slack); k <= upper / step + slack; ++k)
        ticks.push_back(k == 0 ? 0.0 : k * step);
    return ticks;
}

std::string short_number(double value, int digits) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
    return buffer;
}

Canvas::Canvas(Index rows, Index columns, Colour background) {
    for (const auto& [name, size] : {std::pair{"rows", rows}, {"columns", columns}})
        require(size >= 1 && size <= 65535, Status::invalid_argument, "the ", name,
                " of a figure must be from 1 to 65535, got ", size);
    pixels_ = Array<std::uint8_t>({rows, columns, 3});
    fill(0, 0, rows, columns, background);
}

Colour Canvas::at(Index row, Index column) const noexcept {
    return {pixels_(row, column, 0), pixels_(row, column, 1), pixels_(row, column, 2)};
}

void Canvas::point(Index row, Index column, Colour colour) noexcept {
    if (row < 0 || row >= rows() || column < 0 || column >= columns()) return;
    std::uint8_t* pixel = &pixels_(row, column, 0);
    pixel[0] = colour.red, pixel[1] = colour.green, pixel[2] = colour.blue;
}

void Canvas::fill(Index row, Index column, Index rows, Index columns, Colour colour) noexcept {
    for (Index i = std::max<Index>(row, 0); i < std::min(row + rows, this->rows()); ++i)
        for (Index j = std::max<Index>(column, 0); j < std::min(column + columns, this->columns()); ++j)
            point(i, j, colour);
}

void Canvas::frame(Index row, Index column, Index rows, Index columns, Colour colour) noexcept {
    fill(row, column, 1, columns, colour);
    fill(row + rows - 1, column, 1, columns, colour);
    fill(row, column, rows, 1, colour);
    fill(row, column + columns - 1, rows, 1, colour);
}

void Canvas::line(double row0, double column0, double row1, double column1, Colour colour) noexcept {
    const double length = std::max(std::abs(row1 - row0), std::abs(column1 - column0));
    if (!(length < 1e6)) return;  // NaN, or far outside any canvas
    const int steps = std::max(1, static_cast<int>(std::ceil(length)));
    for (int k = 0; k <= steps; ++k) {
        const double t = static_cast<double>(k) / steps;
        point(std::lround(row0 + t * (row1 - row0)), std::lround(column0 + t * (column1 - column0)), colour);
    }
}

void Canvas::text(Index row, Index column, std::string_view text, Colour colour, int scale) noexcept {
    for (; !text.empty(); column += glyph_columns * scale) {
        Index i = row, j = column;
        for (const char dot : glyph(next_letter(text))) {
            if (dot == '#') fill(i, j, scale, scale, colour);
            j += scale;
            if (dot == ' ') i += scale, j = column;
        }
    }
}

void Canvas::image(Index row, Index column, View<const float> values, double lower, double upper,
                   ColourMap map, int magnification) noexcept {
    const double span = upper > lower ? upper - lower : 1;
    auto position = [&](float value) { return (double{value} - lower) / span; };
    for (Index i = 0; i < values.rows(); ++i)
        for (Index j = 0; j < values.columns(); ++j) {
            Colour colour;
            if (values.rank() == 3) {
                colour.red = colour_of(ColourMap::grey, position(values(0, i, j))).red;
                colour.green = colour_of(ColourMap::grey, position(values(1, i, j))).green;
                colour.blue = colour_of(ColourMap::grey, position(values(2, i, j))).blue;
            } else {
                colour = colour_of(map, position(values(i, j)));
            }
            fill(row + i * magnification, column + j * magnification, magnification, magnification, colour);
        }
}

Array<float> Canvas::planes() const {
    bool is_grey = true;
    for (Index i = 0; i < rows() && is_grey; ++i)
        for (Index j = 0; j < columns() && is_grey; ++j) {
            const Colour colour = at(i, j);
            is_grey = colour.red == colour.green && colour.green == colour.blue;
        }
    Array<float> planes({is_grey ? 1 : 3, rows(), columns()});
    for (Index c = 0; c < planes.shape()[0]; ++c)
        for (Index i = 0; i < rows(); ++i)
            for (Index j = 0; j < columns(); ++j)
                planes(c, i, j) = static_cast<float>(pixels_(i, j, c)) / 255.0F;
    return planes;
}

}  // namespace sonolux

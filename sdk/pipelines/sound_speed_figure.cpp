#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include <sonolux/core/acoustics/echo_image.hpp>
#include <sonolux/sdk/files/map_figure.hpp>
#include <sonolux/sdk/pipelines/sound_speed.hpp>

namespace sonolux {

namespace {

constexpr double dynamic_range = 50;  // dB
constexpr Colour unmeasured{200, 200, 200};

/// Draws maps at one scale, 8 pixels a millimetre.
struct Layout {
    double scale = 8;

    [[nodiscard]] MapPanel panel(const std::string& caption, View<const float> values, const ImageGrid& grid,
                                 double lower, double upper, ColourMap map, const std::string& unit) const {
        const auto edges = [](double first, double spacing, Index count) {
            return std::pair{1e3 * (first - 0.5 * spacing),
                             1e3 * (first + (static_cast<double>(count) - 0.5) * spacing)};
        };
        const auto [top, bottom] = edges(grid.first_z, grid.row_spacing, grid.rows);
        const auto [left, right] = edges(grid.first_x, grid.column_spacing, grid.columns);
        MapPanel panel;
        panel.caption = caption;
        panel.values = values;
        panel.height = std::max<Index>(1, std::lround(scale * (bottom - top)));
        panel.width = std::max<Index>(1, std::lround(scale * (right - left)));
        panel.down = {"z in mm", top, bottom};
        panel.across = {"x in mm", left, right};
        panel.lower = lower;
        panel.upper = upper;
        panel.map = map;
        panel.unit = unit;
        panel.missing = unmeasured;
        panel.hatched = true;
        return panel;
    }
};

/// The lowest and highest value, at least `least` apart.
std::pair<double, double> range_of(View<const float> values, double least) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (Index n = 0; n < values.elements(); ++n) {
        const double value = double{values.data()[n]};
        if (!std::isfinite(value)) continue;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    if (!(low <= high)) return {0, 1};
    const double more = std::max(0.0, 0.5 * (least - (high - low)));
    return {low - more, high + more};
}

}  // namespace

Array<float> compounded_b_mode(View<const float> images, Context& context) {
    const Index sent = images.shape()[0], rows = images.shape()[1], columns = images.shape()[2];
    Array<float> lines({columns, rows}), analytic({columns, 2 * rows}), b_mode({rows, columns});
    for (Index k = 0; k < sent; ++k)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j) lines(j, i) += images(k, i, j);
    // What rings at the array is far louder than the first echoes, and a Hilbert transform would spread it.
    const Index fade = std::min<Index>(40, rows);
    for (Index j = 0; j < columns; ++j)
        for (Index i = 0; i < fade; ++i) {
            const double s =
                std::sin(0.5 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(fade));
            lines(j, i) *= static_cast<float>(s * s);
        }
    AnalyticSignal(rows, context.threads()).apply(lines, analytic, context);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < columns; ++j)
            b_mode(i, j) = std::hypot(analytic(j, 2 * i), analytic(j, 2 * i + 1));
    const double largest = largest_magnitude(b_mode);
    require(largest > 0, Status::corrupt_data, "B-mode: the images are 0 everywhere");
    log_compress(b_mode, b_mode, largest, -120);
    return b_mode;
}

Canvas draw_sound_speed(const SoundSpeedPipeline& pipeline, const SoundSpeedFrame& frame,
                        const std::string& title, Context& context, View<const float> truth,
                        View<const float> corrected) {
    const ImageGrid& map = pipeline.map();
    const Layout layout;
    const Array<float> b_mode = compounded_b_mode(frame.delays.images, context);
    std::vector<MapPanel> panels;
    panels.push_back(layout.panel("B-mode, all transmissions", b_mode, pipeline.measurement().image_grid(),
                                  -dynamic_range, 0, ColourMap::grey, "dB"));
    auto [low, high] = range_of(frame.sound_speed, 20);
    if (!truth.empty()) {
        const auto [truth_low, truth_high] = range_of(truth, 20);
        low = std::min(low, truth_low);
        high = std::max(high, truth_high);
        panels.push_back(
            layout.panel("true speed of sound", truth, map, low, high, ColourMap::viridis, "m/s"));
    }
    panels.push_back(layout.panel("speed of sound; hatched: no rays", frame.sound_speed, map, low, high,
                                  ColourMap::viridis, "m/s"));
    const bool calibrated =
        std::ranges::any_of(frame.deviation, [](float value) { return std::isfinite(value); });
    if (calibrated)
        panels.push_back(layout.panel("standard deviation", frame.deviation, map, 0,
                                      range_of(frame.deviation, 1).second, ColourMap::viridis, "m/s"));
    Array<float> corrected_mode;
    if (!corrected.empty()) {
        corrected_mode = compounded_b_mode(corrected, context);
        panels.push_back(layout.panel("B-mode corrected by the map", corrected_mode,
                                      pipeline.measurement().image_grid(), -dynamic_range, 0, ColourMap::grey,
                                      "dB"));
    }
    return draw_maps(panels, title, 3);
}

Canvas draw_pair_delays(const SoundSpeedPipeline& pipeline, const SoundSpeedFrame& frame,
                        const std::string& title) {
    const ImageGrid& map = pipeline.map();
    const Index pairs = frame.residual.shape()[0], pixels = map.rows * map.columns;
    const double uniform = frame.record.uniform_slowness;
    Array<float> deviations(frame.residual.shape()), residuals(frame.residual.shape());
    double largest = 1;
    for (Index n = 0; n < deviations.elements(); ++n) {
        const double length = double{pipeline.measurement().lengths().data()[n]};
        deviations.data()[n] =
            static_cast<float>(1e9 * (double{frame.delays.delays.data()[n]} - length * uniform));
        residuals.data()[n] = static_cast<float>(1e9 * double{frame.residual.data()[n]});
        if (std::isfinite(deviations.data()[n]))
            largest = std::max(largest, std::abs(double{deviations.data()[n]}));
    }
    const Layout layout{.scale = 3};
    const auto in_plane = [&](const Array<float>& stack, Index pair) {
        return View<const float>(stack.data() + pair * pixels, map.shape());
    };
    const Index lines = (pairs + 5) / 6, in_row = (pairs + lines - 1) / lines;
    std::vector<MapPanel> panels;
    for (Index first = 0; first < pairs; first += in_row)
        for (const bool left : {false, true})
            for (Index pair = first; pair < std::min(pairs, first + in_row); ++pair)
                panels.push_back(
                    layout.panel(fmt::format("pair {}{}", pair + 1, left ? ", left by the map" : ""),
                                 in_plane(left ? residuals : deviations, pair), map, -largest, largest,
                                 ColourMap::diverging, "ns"));
    return draw_maps(panels, title, in_row);
}

}  // namespace sonolux

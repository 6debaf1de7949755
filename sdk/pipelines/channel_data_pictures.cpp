// sonolux/sdk/pipelines/channel_data_pictures.cpp
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <sonolux/sdk/files/bitmap_font.hpp>
#include <sonolux/sdk/files/map_figure.hpp>
#include <sonolux/sdk/pipelines/channel_data_report.hpp>

namespace sonolux {

namespace {

constexpr double dynamic_range = 60;  // dB

std::vector<Index> shown_transmissions(const Acquisition& a) {
    std::vector<Index> shown = {0, a.sent() / 2, a.sent() - 1};
    shown.erase(std::unique(shown.begin(), shown.end()), shown.end());
    return shown;
}

/// The largest magnitude within each pixel, in dB below `largest`; NaN where nothing was measured.
Array<float> in_decibels(const ChannelData& data, Index k, Index rows, double largest) {
    const Index elements = data.acquisition.array.size(), samples = data.acquisition.samples;
    const Index parts = data.acquisition.demodulated() ? 2 : 1;
    Array<float> picture({rows, elements});
    for (Index e = 0; e < elements; ++e) {
        const float* trace = &data.values(0, k, e, 0);
        for (Index i = 0; i < rows; ++i) {
            double magnitude = -1;
            for (Index n = i * samples / rows; n < std::max(i * samples / rows + 1, (i + 1) * samples / rows);
                 ++n) {
                const double re = trace[n * parts], im = parts == 2 ? trace[n * parts + 1] : 0;
                if (std::isfinite(re) && std::isfinite(im))
                    magnitude = std::max(magnitude, std::hypot(re, im));
            }
            picture(i, e) =
                magnitude < 0
                    ? std::nanf("")
                    : static_cast<float>(std::max(-2 * dynamic_range,
                                                  20 * std::log10(std::max(magnitude, 1e-30) / largest)));
        }
    }
    return picture;
}

}  // namespace

Canvas draw_channels(const ChannelDataFile& file) {
    const Acquisition& a = file.data.acquisition;
    double largest = 0;
    for (const float value : file.data.values)
        if (std::isfinite(value)) largest = std::max(largest, std::abs(double{value}));
    if (largest == 0) largest = 1;
    const double speed = a.sound_speed > 0 ? a.sound_speed : 1540;
    constexpr Index height = 480, width = 288;
    std::vector<Array<float>> pictures;
    std::vector<MapPanel> panels;
    for (const Index k : shown_transmissions(a)) {
        pictures.push_back(in_decibels(file.data, k, std::min(a.samples, height), largest));
        const double duration = static_cast<double>(a.samples) / a.sampling_frequency;
        const double start = a.start_times[static_cast<std::size_t>(k)], focusing = a.focusing_start(k);
        MapPanel panel;
        panel.caption = fmt::format("transmission {}, {}", k + 1,
                                    to_string(a.transmissions[static_cast<std::size_t>(k)].wavefront));
        panel.height = height;
        panel.width = width;
        panel.across = {"element", 0.5, static_cast<double>(a.array.size()) + 0.5};
        panel.down = {"time in us", 1e6 * start, 1e6 * (start + duration)};
        panel.right = FigureAxis{a.sound_speed > 0 ? "depth in mm" : "mm at 1540 m/s", 500 * speed * focusing,
                                 500 * speed * (focusing + duration)};
        panel.lower = -dynamic_range;
        panel.upper = 0;
        panel.map = ColourMap::grey;
        panel.unit = "dB";
        panels.push_back(std::move(panel));
    }
    for (std::size_t i = 0; i < panels.size(); ++i) panels[i].values = pictures[i].view();
    std::string title = file.format + (file.part.empty() ? "" : ", " + file.part) +
                        fmt::format(": first frame of {}", file.frames);
    if (a.sound_speed > 0) title += fmt::format(", depth at {:.5g} m/s", a.sound_speed);
    return draw_maps(panels, title, 3);
}

namespace {

/// A picture of places in mm, both axes of one scale, z down.
class Plan {
public:
    Plan(const std::vector<Point>& places, const std::string& title) {
        for (const Point p : places) {
            left_ = std::min(left_, p.x), right_ = std::max(right_, p.x);
            top_ = std::min(top_, p.z), bottom_ = std::max(bottom_, p.z);
        }
        const double margin = 0.08 * std::max({right_ - left_, bottom_ - top_, 1e-3});
        left_ -= margin, right_ += margin, top_ -= margin, bottom_ += margin;
        constexpr double largest = 640;  // pixels
        scale_ = largest / std::max(right_ - left_, bottom_ - top_);
        rows_ = std::max<Index>(60, std::lround(scale_ * (bottom_ - top_)));
        columns_ = std::max<Index>(120, std::lround(scale_ * (right_ - left_)));
        canvas_ = Canvas(rows_ + head_ + 40, std::max(columns_ + side_ + 20, text_columns(title) + 24));
        canvas_.text(12, 12, title);
        canvas_.text(30, 12, "z in mm", colours::dark_grey);
        canvas_.frame(head_ - 1, side_ - 1, rows_ + 2, columns_ + 2, colours::dark_grey);
        for (const double x : axis_ticks(1e3 * left_, 1e3 * right_, 8)) {
            const Index at = std::lround(column(1e-3 * x));
            canvas_.fill(head_ + rows_ + 1, at, 4, 1, colours::dark_grey);
            canvas_.text(head_ + rows_ + 8, at - text_columns(short_number(x)) / 2, short_number(x));
        }
        canvas_.text(head_ + rows_ + 22, side_ + columns_ / 2 - 20, "x in mm", colours::dark_grey);
        for (const double z : axis_ticks(1e3 * top_, 1e3 * bottom_, 8)) {
            const Index at = std::lround(row(1e-3 * z));
            canvas_.fill(at, side_ - 5, 1, 4, colours::dark_grey);
            canvas_.text(at - glyph_capital_rows / 2, side_ - 8 - text_columns(short_number(z)),
                         short_number(z));
        }
    }

    void line(Point a, Point b, Colour colour) {
        canvas_.line(row(a.z), column(a.x), row(b.z), column(b.x), colour);
    }
    void cross(Point p, Colour colour) {
        const Index i = std::lround(row(p.z)), j = std::lround(column(p.x));
        canvas_.fill(i, j - 3, 1, 7, colour);
        canvas_.fill(i - 3, j, 7, 1, colour);
    }
    /// Of `pixels` in the picture, in m.
    [[nodiscard]] double length_of(double pixels) const { return pixels / scale_; }
    [[nodiscard]] Canvas take() { return std::move(canvas_); }

private:
    [[nodiscard]] double row(double z) const { return static_cast<double>(head_) + scale_ * (z - top_); }
    [[nodiscard]] double column(double x) const { return static_cast<double>(side_) + scale_ * (x - left_); }

    static constexpr Index head_ = 48, side_ = 48;
    double left_ = 1e9, right_ = -1e9, top_ = 1e9, bottom_ = -1e9, scale_ = 1;
    Index rows_ = 0, columns_ = 0;
    Canvas canvas_{1, 1};
};

}  // namespace

Canvas draw_geometry(const Acquisition& a) {
    const TransducerArray& array = a.array;
    const double aperture = std::max(length(array[array.size() - 1].position - array[0].position), 1e-3);
    std::vector<Point> places;
    for (const ArrayElement& element : array.elements()) {
        places.push_back(element.position);
        places.push_back(element.position + 0.3 * aperture * element.normal());
    }
    for (const Transmission& t : a.transmissions)
        if (t.wavefront == Wavefront::diverging || t.wavefront == Wavefront::focused)
            places.push_back(t.focus);
    Plan plan(places, fmt::format("{} elements, {} transmission{}", array.size(), a.sent(),
                                  a.sent() == 1 ? "" : "s"));
    constexpr Colour orange{214, 110, 20};
    for (const Transmission& t : a.transmissions) {
        if (t.wavefront == Wavefront::plane) {
            const Point way{std::sin(t.angle), std::cos(t.angle)};
            const Point tip = 0.28 * aperture * way, across{way.z, -way.x};
            plan.line({}, tip, orange);
            const double head = plan.length_of(7);
            for (const double side : {-0.5, 0.5})
                plan.line(tip, tip - head * way + side * head * across, orange);
        } else if (t.wavefront != Wavefront::element) {
            plan.cross(t.focus, orange);
        } else {
            plan.cross(t.focus + plan.length_of(10) * Point{0, 1}, orange);
        }
    }
    for (const ArrayElement& element : array.elements()) {
        const Point along{element.normal().z, -element.normal().x};
        const Point half = 0.5 * array.element_width() * along;
        for (const double deep : {0.0, 1.0, 2.0}) {
            const Point behind = -plan.length_of(deep) * element.normal();
            plan.line(element.position - half + behind, element.position + half + behind, colours::blue);
        }
    }
    return plan.take();
}

}  // namespace sonolux

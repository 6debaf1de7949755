// sonolux/sdk/pipelines/convergence_figure.cpp
#include <sonolux/sdk/pipelines/convergence_figure.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/sdk/files/bitmap_font.hpp>

namespace sonolux {

namespace {

// Told apart by people who do not see all colours (M. Okabe and K. Ito, Color universal design, 2008).
constexpr Colour palette[] = {{0, 114, 178},   {213, 94, 0},  {0, 158, 115},
                              {204, 121, 167}, {230, 159, 0}, {86, 180, 233}};

constexpr int scale = 2;
constexpr Index plot_rows = 300, plot_columns = 460, gap = 14, line = (glyph_rows + 2) * scale;

/// What is plotted of an entry.
using Value = double (*)(const ConvergenceEntry&);

/// Axes of one plot, and where its points lie on the canvas.
class Plot {
public:
    Plot(Canvas& canvas, Index row, Index column, double iterations, double lower, double upper,
         bool logarithmic)
        : canvas_(canvas),
          row_(row),
          column_(column),
          iterations_(iterations),
          logarithmic_(logarithmic),
          lower_(position(lower)),
          upper_(position(upper)) {
        // Room for a line at the edge, and for a curve without height.
        const double room =
            upper_ > lower_ ? 0.05 * (upper_ - lower_) : std::max(0.05 * std::abs(upper_), 0.1);
        lower_ -= room;
        upper_ += room;
    }

    void draw_axes(const std::string& label) {
        canvas_.text(row_ - line, column_, label, colours::black, scale);
        for (double tick : axis_ticks(0, iterations_, 5)) {
            const Index at = column_ + std::lround(across(tick));
            canvas_.fill(row_, at, plot_rows, 1, colours::light_grey);
            const std::string text = short_number(tick);
            canvas_.text(row_ + plot_rows + 8, at - text_columns(text, scale) / 2, text, colours::black,
                         scale);
        }
        const std::vector<double> ticks = axis_ticks(lower_, upper_, 6);
        for (double tick : ticks) {
            // Between powers of ten there is little room for numbers that people read easily.
            const bool whole = std::abs(tick - std::round(tick)) < 1e-9;
            if (logarithmic_ && !whole && upper_ - lower_ > 1) continue;
            const Index at = row_ + std::lround(down(tick));
            canvas_.fill(at, column_, 1, plot_columns, colours::light_grey);
            const std::string text = short_number(logarithmic_ ? std::pow(10, tick) : tick);
            canvas_.text(at - glyph_capital_rows * scale / 2, column_ - 8 - text_columns(text, scale), text,
                         colours::black, scale);
        }
        canvas_.frame(row_, column_, plot_rows, plot_columns, colours::dark_grey);
        canvas_.text(row_ + plot_rows + 8 + line, column_, "iteration", colours::black, scale);
    }

    void draw(const ConvergenceLog& log, Value value, Colour colour) {
        const auto& entries = log.entries();
        for (std::size_t n = 0; n < entries.size(); ++n) {
            if (!drawable(value(entries[n]))) continue;
            const double r = static_cast<double>(row_) + down(position(value(entries[n])));
            const double c = static_cast<double>(column_) + across(static_cast<double>(entries[n].iteration));
            if (n == 0 || !drawable(value(entries[n - 1]))) {
                canvas_.fill(std::lround(r) - 1, std::lround(c) - 1, 3, 3, colour);
                continue;
            }
            const double r0 = static_cast<double>(row_) + down(position(value(entries[n - 1])));
            const double c0 =
                static_cast<double>(column_) + across(static_cast<double>(entries[n - 1].iteration));
            canvas_.line(r0, c0, r, c, colour);
            canvas_.line(r0 + 1, c0, r + 1, c, colour);
        }
    }

    void draw_level(double value, Colour colour) {
        if (!drawable(value)) return;
        const Index at = row_ + std::lround(down(position(value)));
        for (Index j = 0; j + 6 < plot_columns; j += 12) canvas_.fill(at, column_ + j, 1, 6, colour);
    }

    [[nodiscard]] bool drawable(double value) const {
        return std::isfinite(value) && (!logarithmic_ || value > 0);
    }

private:
    [[nodiscard]] double position(double value) const { return logarithmic_ ? std::log10(value) : value; }
    [[nodiscard]] double down(double at) const {
        return (upper_ - at) / (upper_ - lower_) * static_cast<double>(plot_rows - 1);
    }
    [[nodiscard]] double across(double iteration) const {
        return iteration / iterations_ * static_cast<double>(plot_columns - 1);
    }

    Canvas& canvas_;
    Index row_, column_;
    double iterations_;
    bool logarithmic_;
    double lower_, upper_;
};

struct Range {
    double lower = std::numeric_limits<double>::infinity(), upper = -std::numeric_limits<double>::infinity();
    double least_positive = std::numeric_limits<double>::infinity();

    void include(double value) {
        if (!std::isfinite(value)) return;
        lower = std::min(lower, value);
        upper = std::max(upper, value);
        if (value > 0) least_positive = std::min(least_positive, value);
    }
};

}  // namespace

Canvas draw_convergence(std::span<const ConvergenceCurve> curves, const std::string& title) {
    require(!curves.empty() && curves.size() <= std::size(palette), Status::invalid_argument,
            "a convergence figure has 1 to ", std::size(palette), " curves, got ", curves.size());
    Range objective, residual;
    double iterations = 1;
    Index legend = text_columns(title, scale);
    std::vector<std::string> names;
    for (const ConvergenceCurve& curve : curves) {
        require(curve.log != nullptr && !curve.log->entries().empty(), Status::invalid_argument,
                "the convergence curve \"", curve.name, "\" has no iterations");
        for (const ConvergenceEntry& entry : curve.log->entries()) {
            objective.include(entry.objective);
            residual.include(entry.residual);
            iterations = std::max(iterations, static_cast<double>(entry.iteration));
        }
        if (curve.tolerance > 0) residual.include(curve.tolerance);
        names.push_back(sentence(curve.name, ": ", to_string(curve.log->reason()), ", ",
                                 curve.log->entries().back().iteration, " iterations"));
        legend = std::max(legend, text_columns(names.back(), scale) + 40);
    }

    const Index labels = text_columns("-0.00001", scale) + 8;
    const Index top = gap + 2 * line + gap;
    const Index second = gap + labels + plot_columns + gap + labels;
    const Index below = top + plot_rows + 8 + 2 * line + gap;
    Canvas canvas(below + static_cast<Index>(curves.size()) * line + gap,
                  std::max(second + plot_columns, gap + legend) + 2 * gap);
    canvas.text(gap, gap, title, colours::black, scale);

    const auto draw = [&](Index column, const char* label, const Range& range, bool logarithmic,
                          Value value) {
        // Without a value that can be drawn the axes are those of 1.
        const double upper = logarithmic ? (range.upper > 0 ? range.upper : 1)
                                         : (range.upper >= range.lower ? range.upper : 1);
        const double lower = logarithmic ? std::min(range.least_positive, upper)
                                         : (range.upper >= range.lower ? range.lower : 0);
        Plot plot(canvas, top, column, iterations, lower, upper, logarithmic);
        plot.draw_axes(label);
        for (std::size_t c = 0; c < curves.size(); ++c) plot.draw(*curves[c].log, value, palette[c]);
        return plot;
    };
    const bool falls_far = objective.lower > 0 && objective.upper > 20 * objective.lower;
    draw(gap + labels, "objective", objective, falls_far,
         [](const ConvergenceEntry& entry) { return entry.objective; });
    Plot residuals = draw(second, "relative residual (dashed: tolerance)", residual, true,
                          [](const ConvergenceEntry& entry) { return entry.residual; });
    for (std::size_t c = 0; c < curves.size(); ++c) {
        if (curves[c].tolerance > 0) residuals.draw_level(curves[c].tolerance, palette[c]);
        const Index row = below + static_cast<Index>(c) * line;
        canvas.fill(row + glyph_capital_rows * scale / 2 - 1, gap, 3, 28, palette[c]);
        canvas.text(row, gap + 40, names[c], colours::black, scale);
    }
    return canvas;
}

}  // namespace sonolux

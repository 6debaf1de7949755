// sonolux/sdk/pipelines/training_report.cpp
#include <sonolux/sdk/pipelines/training_report.hpp>

#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/sdk/files/report.hpp>
#include <sonolux/sdk/pipelines/comparison.hpp>
#include <sonolux/sdk/pipelines/model_card.hpp>
#include <sonolux/sdk/pipelines/model_pictures.hpp>

namespace sonolux {

namespace fs = std::filesystem;

namespace {

struct Column {
    std::string name;
    std::vector<double> values;  // NaN where a cell is empty or no number
};

std::vector<Column> read_metrics(const fs::path& path) {
    std::vector<Column> columns;
    std::istringstream lines(read_text_file(path.string()));
    std::string line, cell;
    for (Index row = 0; std::getline(lines, line); ++row) {
        std::istringstream cells(line);
        std::size_t c = 0;
        for (; std::getline(cells, cell, ','); ++c) {
            if (row == 0) {
                columns.push_back({cell, {}});
                continue;
            }
            require(c < columns.size(), Status::corrupt_data, path.string(), ": line ", row + 1,
                    " has more than ", columns.size(), " cells");
            double value = std::numeric_limits<double>::quiet_NaN();
            std::from_chars(cell.data(), cell.data() + cell.size(), value);
            columns[c].values.push_back(value);
        }
        if (row > 0)
            for (; c < columns.size(); ++c)
                columns[c].values.push_back(std::numeric_limits<double>::quiet_NaN());
    }
    return columns;
}

void add_curves(Report& report, const std::vector<Column>& columns) {
    const Column* steps = nullptr;
    for (const Column& column : columns)
        if (column.name == "step") steps = &column;
    if (steps == nullptr) return;
    struct Kind {
        const char *word, *title, *label;
        bool logarithmic;
    };
    for (const Kind& kind :
         {Kind{"loss", "Training loss", "loss", true}, Kind{"psnr", "Validation", "PSNR (dB)", false},
          Kind{"rate", "Learning rate", "learning rate", true}}) {
        std::vector<ChartSeries> series;
        for (const Column& column : columns) {
            if (column.name.find(kind.word) == std::string::npos) continue;
            // Only the steps that have a value: a line through validations, which are few.
            ChartSeries line{column.name, {}, {}};
            for (std::size_t i = 0; i < column.values.size(); ++i)
                if (std::isfinite(column.values[i])) {
                    line.x.push_back(steps->values[i]);
                    line.y.push_back(column.values[i]);
                }
            if (!line.x.empty()) series.push_back(std::move(line));
        }
        if (!series.empty())
            report.chart(svg_chart(series, {kind.title, "step", kind.label, kind.logarithmic}), "");
    }
}

}  // namespace

void write_training_report(const fs::path& run_directory, const Model& model,
                           const TrainingExample* example) {
    Report report("Training of " + model.name);
    report.facts(model_card(model));
    if (fs::is_regular_file(run_directory / "metrics.csv")) {
        report.heading("How it went");
        add_curves(report, read_metrics(run_directory / "metrics.csv"));
    }
    if (example != nullptr) {
        report.heading("An image before and after");
        report.picture(draw_comparison(example->truth, example->noisy, example->denoised,
                                       fmt::format("σ = {:g}", example->sigma), 512),
                       "The error is estimate minus truth; white of the images is 255.");
    }
    report.heading("What was learned");
    for (const StagePictures& stage : draw_stages(model)) {
        report.picture(stage.filters, fmt::format("Filters of {}", stage.stage));
        if (stage.activations)
            report.picture(*stage.activations, fmt::format("Activations of {}", stage.stage));
    }
    if (fs::is_regular_file(run_directory / "recipe.toml")) {
        report.heading("Recipe");
        report.preformatted(read_text_file((run_directory / "recipe.toml").string()));
    }
    report.write(run_directory / "report.html");
}

}  // namespace sonolux

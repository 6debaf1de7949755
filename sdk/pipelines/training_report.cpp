// sonolux/sdk/pipelines/training_report.cpp
#include <sonolux/sdk/pipelines/training_report.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/sdk/files/figure.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>
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

// The middle of a plane or a stack, copied so that it is contiguous.
Array<float> middle(View<const float> image, Index most) {
    const Index channels = image.rank() == 3 ? image.size(0) : 1;
    const Index rows = std::min(image.rows(), most), columns = std::min(image.columns(), most);
    const Index top = (image.rows() - rows) / 2, left = (image.columns() - columns) / 2;
    Array<float> crop(image.rank() == 3 ? Shape{channels, rows, columns} : Shape{rows, columns});
    for (Index c = 0; c < channels; ++c) {
        const View<const float> plane = image.rank() == 3 ? image[c] : image;
        for (Index i = 0; i < rows; ++i)
            std::copy_n(plane.row(top + i) + left, columns, crop.data() + (c * rows + i) * columns);
    }
    return crop;
}

std::string decibels(double psnr) { return std::isfinite(psnr) ? fmt::format("{:.2f} dB", psnr) : "equal"; }

std::string text_of(const Json& value) {
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* number = value.get_if<double>()) return fmt::format("{:g}", *number);
    return to_text(value);
}

}  // namespace

Canvas draw_comparison(View<const float> truth, View<const float> noisy, View<const float> denoised,
                       const std::string& title, Index most) {
    const Quality before = measure(noisy, truth), after = measure(denoised, truth);
    const Array<float> truth_part = middle(truth, most), noisy_part = middle(noisy, most),
                       denoised_part = middle(denoised, most);
    // The error of a colour image is that of the mean of its channels.
    const Index rows = truth_part.view().rows(), columns = truth_part.view().columns();
    const Index channels = truth_part.elements() / (rows * columns);
    Array<float> error({rows, columns});
    double squares = 0;
    for (Index p = 0; p < rows * columns; ++p) {
        double sum = 0;
        for (Index c = 0; c < channels; ++c)
            sum += double{denoised_part.data()[c * rows * columns + p]} -
                   truth_part.data()[c * rows * columns + p];
        error.data()[p] = static_cast<float>(255 * sum / static_cast<double>(channels));
        squares += double{error.data()[p]} * error.data()[p];
    }
    const double deviation = std::sqrt(squares / static_cast<double>(rows * columns));
    const double bound = std::max(5.0, 5 * std::ceil(3 * deviation / 5));
    const int magnification = columns < 100 ? 2 : 1;
    const std::array panels{
        Panel{"truth", truth_part, 0, 1, ColourMap::grey, magnification},
        Panel{fmt::format("noisy: {}", decibels(before.psnr)), noisy_part, 0, 1, ColourMap::grey,
              magnification},
        Panel{fmt::format("denoised: {}", decibels(after.psnr)), denoised_part, 0, 1, ColourMap::grey,
              magnification},
        Panel{"error", error, -bound, bound, ColourMap::diverging, magnification, true, "of 255"}};
    // Wide images go in two rows, so that a page holds them.
    return draw_panels(panels, {title, columns * magnification > 300 ? 2 : 4});
}

std::vector<std::string> metric_lines(const Model& model) {
    std::vector<std::string> lines;
    const auto* metrics = model.metrics.get_if<Json::List>();
    if (metrics == nullptr) return lines;
    for (const Json& metric : *metrics) {
        const auto* members = metric.get_if<Json::Members>();
        if (members == nullptr) continue;
        std::string line, protocol;
        for (const auto& [key, value] : *members) {
            if (key == "protocol")
                protocol = text_of(value);
            else
                line += fmt::format("{}{} {}", line.empty() ? "" : ", ", key, text_of(value));
        }
        lines.push_back(fmt::format("{} ({})", line, protocol));
    }
    return lines;
}

void add_model_card(Report& report, const Model& model) {
    Index parameters = 0;
    for (const NamedTensor& tensor : model.tensors) parameters += tensor.values.elements();
    const ModelProblem& problem = model.problem;
    const double lowest = 255 * problem.sigma_min, highest = 255 * problem.sigma_max;
    std::vector<std::pair<std::string, std::string>> facts{
        {"model", model.name},
        {"problem", problem.kind},
        {"noise (sigma, white = 255)", lowest == highest ? fmt::format("{:.4g}", lowest)
                                                         : fmt::format("{:.4g} to {:.4g}", lowest, highest)},
        {"parameters", fmt::format("{}", parameters)},
        {"licence", model.licence},
        {"training data", model.training.data},
        {"seed", fmt::format("{}", model.training.seed)},
        {"trained by Sonolux", model.training.git_hash}};
    for (const std::string& line : metric_lines(model)) facts.emplace_back("measured", line);
    report.facts(facts);
}

void write_training_report(const fs::path& run_directory, const Model& model,
                           const TrainingExample* example) {
    Report report("Training of " + model.name);
    add_model_card(report, model);
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
        report.picture(stage.activations, fmt::format("Activations of {}", stage.stage));
    }
    if (fs::is_regular_file(run_directory / "recipe.toml")) {
        report.heading("Recipe");
        report.preformatted(read_text_file((run_directory / "recipe.toml").string()));
    }
    report.write(run_directory / "report.html");
}

}  // namespace sonolux

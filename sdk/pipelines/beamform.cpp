// sonolux/sdk/pipelines/beamform.cpp
#include <sonolux/sdk/pipelines/beamform.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/core/acoustics/echo_image.hpp>
#include <sonolux/sdk/files/map_figure.hpp>
#include <sonolux/sdk/pipelines/map_delays.hpp>
#include <sonolux/sdk/pipelines/measured_traces.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr Index most_pixels = Index{1} << 26;
constexpr double longest_side = 700;  // of a picture, in its pixels

double speed_of(const Acquisition& acquisition, const BeamformOptions& options) {
    if (options.sound_speed) return *options.sound_speed;
    require(acquisition.sound_speed > 0, invalid,
            "beamforming: the recording does not say a sound speed: give one");
    return acquisition.sound_speed;
}

double chosen(const std::optional<double>& given, double otherwise) { return given.value_or(otherwise); }

Index count_of(double from, double to, double spacing) {
    return static_cast<Index>(std::floor((to - from) / spacing + 1e-6)) + 1;
}

}  // namespace

ImageGrid image_grid_for(const Acquisition& acquisition, const ImageExtent& extent, double sound_speed) {
    validate(acquisition, "image");
    require(sound_speed >= 100 && sound_speed <= 10000, invalid,
            "image: sound speed must be between 100 and 10000 m/s, got ", sound_speed);
    const double wavelength = sound_speed / acquisition.centre_frequency;
    double first = 1, last = 0, left = 0, right = 0;
    for (Index k = 0; k < acquisition.sent(); ++k) {
        const TransmitField field(acquisition.transmissions[static_cast<std::size_t>(k)], acquisition.array,
                                  sound_speed, acquisition.centre_frequency);
        const double sent = field.time({0, 0});
        const double start = acquisition.focusing_start(k) - sent;
        const double length = static_cast<double>(acquisition.samples - 1) / acquisition.sampling_frequency;
        first = std::min(first, sound_speed * start / 2);
        last = std::max(last, sound_speed * (start + length) / 2);
    }
    for (const ArrayElement& element : acquisition.array.elements()) {
        left = std::min(left, element.position.x);
        right = std::max(right, element.position.x);
    }
    if (acquisition.array.radius() > 0) {  // a sector widens downwards
        const double angle = std::abs(acquisition.array.elements().back().angle);
        left -= last * std::sin(angle);
        right += last * std::sin(angle);
    }
    ImageGrid grid;
    grid.row_spacing = chosen(extent.row_spacing, wavelength / 4);
    grid.column_spacing = chosen(
        extent.column_spacing,
        std::min(acquisition.array.size() > 1 ? acquisition.array.pitch() / 2 : wavelength, wavelength / 2));
    grid.first_z = chosen(extent.top, std::max(first, 2 * wavelength));
    grid.first_x = chosen(extent.left, left);
    const double bottom = chosen(extent.bottom, last), end = chosen(extent.right, right);
    require(grid.row_spacing > 0 && grid.column_spacing > 0, invalid, "image: spacings must be above 0, got ",
            grid.row_spacing, " m and ", grid.column_spacing, " m");
    require(bottom > grid.first_z && end > grid.first_x, invalid,
            "image: it must go from left to right and from top to bottom, got x ", 1e3 * grid.first_x, " to ",
            1e3 * end, " mm, z ", 1e3 * grid.first_z, " to ", 1e3 * bottom, " mm");
    require((bottom - grid.first_z) / grid.row_spacing * (end - grid.first_x) / grid.column_spacing <
                static_cast<double>(most_pixels),
            invalid, "image: more than ", most_pixels, " pixels");
    grid.rows = std::max<Index>(count_of(grid.first_z, bottom, grid.row_spacing), 2);
    grid.columns = std::max<Index>(count_of(grid.first_x, end, grid.column_spacing), 2);
    validate(grid, "image");
    return grid;
}

Beamformer::Beamformer(const ChannelData& data, const BeamformOptions& options, Context& context)
    : sound_speed_(speed_of(data.acquisition, options)) {
    MeasuredTraces traces = measured_traces(data, "beamforming");
    measured_ = std::move(traces.ranges);
    remark_ = std::move(traces.remark);
    grid_ = image_grid_for(data.acquisition, options.extent, sound_speed_);
    const Acquisition* acquisition = &data.acquisition;
    if (!acquisition->demodulated()) {
        demodulator_ =
            std::make_unique<Demodulator>(data.acquisition, options.demodulation, context.threads());
        acquisition = &demodulator_->acquisition();
        filled_ =
            Array<float>({data.acquisition.sent(), data.acquisition.array.size(), data.acquisition.samples});
        iq_ = Array<float>({acquisition->sent(), acquisition->array.size(), 2 * acquisition->samples});
    }
    DelayAndSumOptions delay_and_sum = options.delay_and_sum;
    delay_and_sum.measured = measured_;
    if (demodulator_) {
        const Index step = options.demodulation.decimation;
        for (MeasuredRange& range : delay_and_sum.measured)
            range = {(range.first + step - 1) / step, range.last < 0 ? -1 : range.last / step};
    }
    const FocusingDelays delays = options.map != nullptr ? map_delays(*acquisition, grid_, options.map->grid,
                                                                      options.map->sound_speed, context)
                                                         : FocusingDelays(*acquisition, grid_, sound_speed_);
    operator_ = std::make_unique<DelayAndSum>(*acquisition, delays, delay_and_sum, context);
    context.workspace().reserve(operator_->workspace_bytes(context));
}

void Beamformer::run(View<const float> frame, View<float> pixels, Context& context) noexcept {
    if (!demodulator_) return operator_->apply(frame, pixels, context);
    fill_unmeasured(measured_, frame, filled_);
    demodulator_->apply(filled_, iq_, context);
    operator_->apply(iq_, pixels, context);
}

Array<float> b_mode(View<const float> pixels, View<const float> coverage, double reference,
                    double dynamic_range) {
    Array<float> decibels(coverage.shape());
    envelope(pixels, decibels);
    log_compress(decibels, decibels, reference, -dynamic_range);
    for (Index i = 0; i < decibels.elements(); ++i)
        if (coverage.data()[i] == 0) decibels.data()[i] = std::numeric_limits<float>::quiet_NaN();
    return decibels;
}

Canvas draw_b_mode(View<const float> decibels, const ImageGrid& grid, double dynamic_range,
                   const std::string& title, const std::string& caption) {
    const double height = grid.row_spacing * static_cast<double>(grid.rows);
    const double width = grid.column_spacing * static_cast<double>(grid.columns);
    const double scale = longest_side / std::max(height, width);
    MapPanel panel;
    panel.caption = caption;
    panel.values = decibels;
    panel.height = std::max<Index>(std::lround(scale * height), 1);
    panel.width = std::max<Index>(std::lround(scale * width), 1);
    const double half_row = 0.5 * grid.row_spacing, half_column = 0.5 * grid.column_spacing;
    panel.down = {"depth z, mm", 1e3 * (grid.first_z - half_row), 1e3 * (grid.first_z - half_row + height)};
    panel.across = {"x, mm", 1e3 * (grid.first_x - half_column), 1e3 * (grid.first_x - half_column + width)};
    panel.lower = -dynamic_range;
    panel.upper = 0;
    panel.map = ColourMap::grey;
    panel.unit = "dB";
    return draw_maps(std::span(&panel, 1), title);
}

}  // namespace sonolux

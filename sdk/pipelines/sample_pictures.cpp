// sonolux/sdk/pipelines/sample_pictures.cpp
#include <sonolux/sdk/pipelines/sample_pictures.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <sonolux/sdk/files/map_figure.hpp>
#include <sonolux/sdk/files/zea.hpp>
#include <sonolux/sdk/pipelines/lens_figures.hpp>

namespace sonolux {

namespace {

constexpr Index map_width = 256, recording_width = 256, recording_height = 400;
constexpr double dynamic_range = 60;  // dB

struct Picture {
    std::string caption;
    Array<float> values;
    MapPanel panel;  // all but caption and values
};

/// Where the maps of a shard lie: its edges in mm, half a pixel around the middles.
struct Extent {
    FigureAxis down{"z in mm", 0, 1}, across{"x in mm", 0, 1};
    double ratio = 1;  // height over width
};

Extent extent_of(const Hdf5File& shard) {
    double x0, x1, z0, z1;
    if (shard.has("grid/x")) {
        const std::vector<float> x = shard.read<float>("grid/x"), z = shard.read<float>("grid/z");
        require(x.size() >= 2 && z.size() >= 2, Status::corrupt_data, shard.path(),
                ": grid/x and grid/z must have at least 2 values");
        x0 = x.front(), x1 = x.back(), z0 = z.front(), z1 = z.back();
        const double half_x = (x[1] - x[0]) / 2, half_z = (z[1] - z[0]) / 2;
        x0 -= half_x, x1 += half_x, z0 -= half_z, z1 += half_z;
    } else {
        const std::vector<Index> sizes = shard.content("data/sos_map/coordinates").sizes;
        const std::vector<float> all = shard.read<float>("data/sos_map/coordinates");
        require(sizes.size() == 3 && sizes[0] >= 2 && sizes[1] >= 2 && sizes[2] == 3, Status::corrupt_data,
                shard.path(), ": data/sos_map/coordinates must be [rows, columns, 3]");
        const std::size_t next_column = 3, next_row = static_cast<std::size_t>(3 * sizes[1]);
        const double half_x = (all[next_column] - all[0]) / 2, half_z = (all[next_row + 2] - all[2]) / 2;
        x0 = all[0] - half_x, x1 = all[all.size() - 3] + half_x;
        z0 = all[2] - half_z, z1 = all[all.size() - 1] + half_z;
    }
    Extent extent;
    extent.across.from = 1e3 * x0, extent.across.to = 1e3 * x1;
    extent.down.from = 1e3 * z0, extent.down.to = 1e3 * z1;
    extent.ratio = (z1 - z0) / (x1 - x0);
    require(extent.ratio > 0 && std::isfinite(extent.ratio), Status::corrupt_data, shard.path(),
            ": the grid of its maps does not rise");
    return extent;
}

MapPanel map_panel(const Extent& extent) {
    MapPanel panel;
    panel.width = map_width;
    panel.height = std::clamp<Index>(std::lround(map_width * extent.ratio), 16, 2000);
    panel.down = extent.down;
    panel.across = extent.across;
    return panel;
}

/// The lowest and the highest finite value, apart from each other.
void set_range(const Array<float>& values, MapPanel& panel) {
    panel.lower = std::numeric_limits<double>::infinity();
    panel.upper = -panel.lower;
    for (const float value : values)
        if (std::isfinite(value)) {
            panel.lower = std::min<double>(panel.lower, value);
            panel.upper = std::max<double>(panel.upper, value);
        }
    if (!(panel.lower <= panel.upper)) panel.lower = 0, panel.upper = 1;
    if (panel.lower == panel.upper) panel.lower -= 0.5, panel.upper += 0.5;
}

Picture map_picture(const SampleField& field, std::span<const float> values, const Extent& extent) {
    Picture picture{fmt::format("{} in {}", field.description, field.unit),
                    Array<float>({field.sizes[0], field.sizes[1]}), map_panel(extent)};
    std::copy(values.begin(), values.end(), picture.values.data());
    set_range(picture.values, picture.panel);
    picture.panel.unit = field.unit;
    return picture;
}

/// Delays of one pair in ns, as far from 0 to both sides.
Picture delay_picture(const SampleField& field, std::span<const float> values, Index pair,
                      const Extent& extent) {
    Picture picture{fmt::format("delays of pair {}", pair + 1),
                    Array<float>({field.sizes[1], field.sizes[2]}), map_panel(extent)};
    const Index count = picture.values.elements();
    for (Index n = 0; n < count; ++n)
        picture.values.data()[n] = 1e9F * values[static_cast<std::size_t>(pair * count + n)];
    set_range(picture.values, picture.panel);
    const double largest = std::max(std::abs(picture.panel.lower), std::abs(picture.panel.upper));
    picture.panel.lower = -largest, picture.panel.upper = largest;
    picture.panel.map = ColourMap::diverging;
    picture.panel.unit = "ns";
    return picture;
}

/// Channel data of one transmission in dB below `largest`: the largest magnitude within each pixel.
Picture recording_picture(const SampleField& field, std::span<const float> values, Index transmission,
                          double largest, double sampling_frequency, double start_time) {
    const Index times = field.sizes[1], elements = field.sizes[2];
    const Index rows = std::min(times, recording_height);
    Picture picture{fmt::format("transmission {}", transmission + 1), Array<float>({rows, elements}), {}};
    for (Index i = 0; i < rows; ++i)
        for (Index e = 0; e < elements; ++e) {
            float magnitude = 0;
            for (Index n = i * times / rows; n < std::max(i * times / rows + 1, (i + 1) * times / rows); ++n)
                magnitude = std::max(
                    magnitude,
                    std::abs(values[static_cast<std::size_t>((transmission * times + n) * elements + e)]));
            picture.values(i, e) = static_cast<float>(
                std::max(-2 * dynamic_range, 20 * std::log10(std::max<double>(magnitude, 1e-30) / largest)));
        }
    picture.panel.height = recording_height;
    picture.panel.width = recording_width;
    picture.panel.across = {"element", 0.5, static_cast<double>(elements) + 0.5};
    picture.panel.down = {"time in us", 1e6 * start_time,
                          1e6 * (start_time + static_cast<double>(times) / sampling_frequency)};
    picture.panel.lower = -dynamic_range, picture.panel.upper = 0;
    picture.panel.map = ColourMap::grey;
    picture.panel.unit = "dB";
    return picture;
}

double scalar(const Hdf5File& shard, const std::string& name) {
    const std::vector<float> values = shard.read<float>(name);
    require(!values.empty() && std::isfinite(values[0]), Status::corrupt_data, shard.path(), ": dataset \"",
            name, "\" must be a number");
    return values[0];
}

}  // namespace

Canvas draw_sample(const TrainingSet& set, Index sample) {
    const SetManifest& manifest = set.manifest();
    if (manifest.domain == "lens") return draw_lens_sample(set, sample);
    const SampleBlock block = set.read(sample);
    const Hdf5File shard = Hdf5File::open(set.file_of(sample));
    const Extent extent = extent_of(shard);
    std::vector<Picture> pictures;
    for (std::size_t f = 0; f < manifest.fields.size(); ++f) {
        const SampleField& field = manifest.fields[f];
        const std::span<const float> values = block.field(0, manifest, f);
        if (field.sizes.size() == 2) {
            pictures.push_back(map_picture(field, values, extent));
        } else if (field.sizes.size() == 3 && field.unit == "s") {
            for (Index pair = 0; pair < std::min<Index>(field.sizes[0], 8); ++pair)
                pictures.push_back(delay_picture(field, values, pair, extent));
        } else if (field.name == zea_raw_data && field.sizes.size() == 4) {
            float largest = 0;
            for (const float value : values) largest = std::max(largest, std::abs(value));
            const double rate = scalar(shard, "scan/sampling_frequency");
            require(rate > 0, Status::corrupt_data, shard.path(),
                    ": scan/sampling_frequency must be above 0");
            const double start = scalar(shard, "scan/initial_times");
            const Index sent = field.sizes[0];
            std::vector<Index> shown = {0, sent / 2, sent - 1};
            shown.erase(std::unique(shown.begin(), shown.end()), shown.end());
            for (const Index transmission : shown)
                pictures.push_back(recording_picture(field, values, transmission,
                                                     largest > 0 ? static_cast<double>(largest) : 1.0, rate,
                                                     start));
        }
    }
    require(!pictures.empty(), Status::unsupported, shard.path(), ": has no field that can be drawn");
    std::vector<MapPanel> panels;
    for (const Picture& picture : pictures) {
        panels.push_back(picture.panel);
        panels.back().caption = picture.caption;
        panels.back().values = picture.values.view();
    }
    return draw_maps(
        panels, fmt::format("{}, sample {}: {}", manifest.name, sample, manifest.families[block.families[0]]),
        4);
}

}  // namespace sonolux

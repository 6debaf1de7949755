// sonolux/sdk/pipelines/lens_figures.cpp
#include <sonolux/sdk/pipelines/lens_figures.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/core/smooth_size.hpp>
#include <sonolux/core/srgb.hpp>
#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/chart.hpp>
#include <sonolux/sdk/files/figure.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/map_figure.hpp>
#include <sonolux/simulation/phantoms/coloured_leaves.hpp>
#include <sonolux/solvers/classical/channel_lmmse.hpp>
#include <sonolux/solvers/colour_metrics.hpp>
#include <sonolux/solvers/padded_blur.hpp>
#include <sonolux/solvers/slanted_edge.hpp>

namespace sonolux {

namespace {

constexpr double dynamic_range = 40;  // dB

}  // namespace

Canvas draw_psf_strip(const PsfBank& bank, const std::string& title, Index count) {
    require(count >= 1 && bank.count() >= 1, Status::invalid_argument,
            "figure: no wavelength is to be shown");
    count = std::min(count, bank.count());
    std::vector<Array<float>> images;
    std::vector<MapPanel> panels;
    const double half = static_cast<double>(bank.size()) / 2 * bank.pixel * 1e3;
    for (Index n = 0; n < count; ++n) {
        const Index w = count == 1 ? 0 : n * (bank.count() - 1) / (count - 1);
        const View<const float> psf = bank.psf.view()[w];
        const float brightest = *std::max_element(psf.begin(), psf.end());
        Array<float>& image = images.emplace_back(psf.shape());
        std::transform(psf.begin(), psf.end(), image.begin(), [brightest](float value) {
            return static_cast<float>(10 * std::log10(std::max(value / brightest, 1e-9F)));
        });
        MapPanel panel;
        panel.caption = fmt::format("{:.0f} nm", bank.wavelengths[static_cast<std::size_t>(w)] * 1e9);
        panel.height = panel.width = 220;
        panel.down = {"y in mm", -half, half};
        panel.across = {"x in mm", -half, half};
        panel.lower = -dynamic_range, panel.upper = 0;
        panel.unit = "dB";
        panels.push_back(panel);
    }
    for (std::size_t n = 0; n < panels.size(); ++n) panels[n].values = images[n].view();
    return draw_maps(panels, title, 4);
}

Canvas draw_through_focus(const RadialOptics& optics, const std::vector<double>& wavelengths, double near,
                          double far, const std::string& title) {
    require(near > 0 && far > near && !wavelengths.empty(), Status::invalid_argument,
            "figure: distances must rise from above 0, got ", near, " to ", far, " m");
    constexpr Index distances = 300;
    Array<float> map({distances, static_cast<Index>(wavelengths.size())});
    RadialOptics at = optics;
    for (Index i = 0; i < distances; ++i) {
        at.distance = near + (far - near) * (static_cast<double>(i) + 0.5) / static_cast<double>(distances);
        for (std::size_t w = 0; w < wavelengths.size(); ++w)
            map(i, static_cast<Index>(w)) = static_cast<float>(axial_efficiency(at, wavelengths[w]));
    }
    MapPanel panel;
    panel.caption = "brightness on the axis, of that of an ideal lens";
    panel.values = map.view();
    panel.height = 420, panel.width = 520;
    panel.down = {"distance in mm", near * 1e3, far * 1e3};
    panel.across = {"wavelength in nm", wavelengths.front() * 1e9, wavelengths.back() * 1e9};
    panel.lower = 0, panel.upper = 1;
    return draw_maps({&panel, 1}, title, 1);
}

std::string efficiency_chart(const DiffractiveLens& lens, const std::vector<double>& wavelengths) {
    check_wavelengths(wavelengths);
    const auto order_at = [&lens](double wavelength) {
        return static_cast<int>(std::lround(lens.order * lens.wavelength / wavelength));
    };
    std::vector<ChartSeries> series;
    RadialOptics optics = optics_of(lens);
    optics.paraxial = true;
    for (int k = std::max(1, order_at(wavelengths.back())); k <= order_at(wavelengths.front()); ++k) {
        ChartSeries rings{fmt::format("order {}", k), {}, {}};
        ChartSeries theory{fmt::format("order {}, sinc²", k), {}, {}};
        for (const double wavelength : wavelengths) {
            const double detuning = lens.order * lens.wavelength *
                                    (lens.material.refractive_index(wavelength) - 1) /
                                    (wavelength * (lens.material.refractive_index(lens.wavelength) - 1));
            if (std::abs(detuning - k) > 1) continue;  // its main lobe
            optics.distance = lens.order * lens.wavelength * lens.focal_length / (k * wavelength);
            for (ChartSeries* line : {&rings, &theory}) line->x.push_back(wavelength * 1e9);
            rings.y.push_back(axial_efficiency(optics, wavelength));
            theory.y.push_back(order_efficiency(lens, wavelength, k));
        }
        series.push_back(std::move(rings));
        series.push_back(std::move(theory));
    }
    return svg_chart(series, {fmt::format("Efficiency of a lens of order {} designed for {:.0f} nm",
                                          lens.order, lens.wavelength * 1e9),
                              "wavelength in nm", "efficiency"});
}

Canvas draw_recoveries(View<const float> truth, const std::vector<RecoveredPicture>& pictures,
                       const std::string& title) {
    std::vector<RecoveredPicture> all = {{"truth", truth}};
    all.insert(all.end(), pictures.begin(), pictures.end());
    std::vector<Array<float>> codes, maps;
    for (const RecoveredPicture& picture : all) {
        maps.push_back(colour_difference_map(picture.light, truth));
        Array<float>& code = codes.emplace_back(truth.shape());
        for (Index n = 0; n < code.elements(); ++n)
            code.data()[n] =
                static_cast<float>(linear_to_srgb(std::clamp(double{picture.light.data()[n]}, 0.0, 1.0)));
    }
    std::vector<Panel> panels;
    for (std::size_t n = 0; n < all.size(); ++n)
        panels.push_back({n == 0
                              ? all[n].name
                              : fmt::format("{}\n{:.2f} dB", all[n].name, channel_psnr(all[n].light, truth)),
                          codes[n].view()});
    for (std::size_t n = 0; n < all.size(); ++n) {
        const ColourDifference difference = colour_difference(all[n].light, truth);
        Panel panel{n == 0 ? "CIEDE2000" : fmt::format("mean {:.2f}", difference.mean), maps[n].view(), 0, 20,
                    ColourMap::viridis};
        panel.colour_bar = n + 1 == all.size();
        panels.push_back(panel);
    }
    return draw_panels(panels, {title, static_cast<int>(all.size())});
}

std::string mtf_chart(const LensSystem& system, Context& context) {
    const Index channels = system.response.channels();
    require(channels == 3, Status::unsupported,
            "figure: the modulation is drawn of 3 channels, the sensor has ", channels);
    const Index size = smooth_size(std::max<Index>(256, 2 * system.bank.size()));
    SpectralBlur blur(3, 3, size, size);
    blur.set_kernels(system.white_kernels);

    ColouredLeaves leaves(1);
    context.workspace().reserve(
        std::max(leaves.workspace_bytes(size, size, context), blur.workspace_bytes(context)));
    ChannelSpectrumEstimate estimate(3);
    Array<float> scene({3, size, size});
    for (std::uint64_t sample = 0; sample < 4; ++sample) {
        leaves.render(sample, scene, context);
        estimate.add(sharp_image(scene, system.rgb_matrix));
    }

    // An edge of 5 degrees through the middle, and another one far away where the image repeats.
    const double middle = static_cast<double>(size) / 2;
    for (Index c = 0; c < 3; ++c)
        for (Index i = 0; i < size; ++i)
            for (Index j = 0; j < size; ++j) {
                const double x = static_cast<double>(j) - middle - 0.0875 * (static_cast<double>(i) - middle);
                scene(c, i, j) = static_cast<float>(0.2 + 0.6 * std::clamp(x + 0.5, 0.0, 1.0));
            }
    Array<float> clean(scene.shape()), capture(scene.shape()), recovered(scene.shape());
    blur.apply(scene, clean, context);
    Sensor sensor = system.sensor;
    sensor.vignetting = 0;
    take_photograph(clean, sensor, system.response.white, 1, 0, capture, context);
    std::vector<double> noise;
    for (const double white : system.response.white) noise.push_back(noise_variance(sensor, white, 0.5));
    ChannelLmmse solver(blur, estimate.spectrum(), noise);
    context.workspace().reserve(solver.workspace_bytes(context));
    require(solver.run(capture, recovered, context) == Status::ok, Status::internal_error,
            "figure: the edge was not recovered");

    std::vector<ChartSeries> series;
    const Index quarter = size / 4;
    for (const auto& [word, image] : {std::pair{"capture", &capture}, {"recovered", &recovered}})
        for (Index c = 0; c < 3; ++c) {
            const char* const colours[] = {"R", "G", "B"};
            const EdgeMtf mtf =
                slanted_edge_mtf(image->view()[c].block(quarter, quarter, 2 * quarter, 2 * quarter));
            ChartSeries line{fmt::format("{} {}: {:.3f}", word, colours[c], mtf.mtf50), {}, {}};
            for (std::size_t k = 0; k < mtf.frequency.size() && mtf.frequency[k] <= 0.5; ++k) {
                line.x.push_back(mtf.frequency[k]);
                line.y.push_back(mtf.modulation[k]);
            }
            series.push_back(std::move(line));
        }
    return svg_chart(series, {"Modulation of a grey edge, before and after, and where it is 1/2",
                              "cycles per pixel", "modulation"});
}

Canvas draw_lens_sample(const TrainingSet& set, Index sample) {
    const SetManifest& manifest = set.manifest();
    const SampleBlock block = set.read(sample);
    std::vector<Array<float>> pictures;
    std::vector<Panel> panels;
    for (std::size_t f = 0; f < manifest.fields.size(); ++f) {
        const SampleField& field = manifest.fields[f];
        if (field.sizes.size() != 3) continue;
        require(field.sizes[0] == 3, Status::unsupported, manifest.name, ": ", field.name, " has ",
                field.sizes[0], " channels, pictures are drawn of 3");
        const std::span<const float> values = block.field(0, manifest, f);
        Array<float>& picture = pictures.emplace_back(Shape{3, field.sizes[1], field.sizes[2]});
        std::transform(values.begin(), values.end(), picture.begin(),
                       [](float light) { return static_cast<float>(linear_to_srgb(double{light})); });
        Panel panel;
        panel.caption = field.name;
        panel.magnification = static_cast<int>(std::clamp<Index>(384 / field.sizes[2], 1, 8));
        panels.push_back(panel);
    }
    for (std::size_t n = 0; n < panels.size(); ++n) panels[n].values = pictures[n].view();
    return draw_panels(panels, {fmt::format("{}, sample {}", manifest.name, sample)});
}

std::vector<std::string> write_lens_figures(const std::string& recipe, const std::string& folder) {
    namespace fs = std::filesystem;
    RecipeTable table = RecipeTable::read(recipe);
    const std::string domain = table.text("domain", std::nullopt);
    require(domain == "lens", Status::unsupported, recipe,
            ": only recipes of the domain lens have figures, this is of ", domain);
    const std::string name = table.text("name", std::nullopt);
    Context context;
    const LensSystem system = read_lens_system(table, context);
    RadialOptics optics = optics_of(system.lens);
    optics.distance = system.distance;
    const std::string title =
        fmt::format("m = {}, {}, f {:g} mm, D {:g} mm", system.lens.order,
                    system.lens.levels == 0 ? "continuous" : fmt::format("{} levels", system.lens.levels),
                    system.lens.focal_length * 1e3, system.lens.diameter * 1e3);
    fs::create_directories(folder);
    const auto path = [&](const char* what) { return (fs::path(folder) / (name + what)).string(); };
    const std::vector<double>& wavelengths = system.bank.wavelengths;
    write_image(path("_psf.png"), draw_psf_strip(system.bank, title).planes());
    write_image(path("_through_focus.png"),
                draw_through_focus(optics, wavelengths, 0.7 * system.distance, 1.4 * system.distance, title)
                    .planes());
    write_file_atomically(path("_efficiency.svg"), efficiency_chart(system.lens, wavelengths));
    std::vector<std::string> paths = {path("_psf.png"), path("_through_focus.png"), path("_efficiency.svg")};
    if (system.response.channels() == 3) {
        write_file_atomically(path("_mtf.svg"), mtf_chart(system, context));
        paths.push_back(path("_mtf.svg"));
    }
    return paths;
}

}  // namespace sonolux

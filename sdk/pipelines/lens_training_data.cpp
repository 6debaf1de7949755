// sonolux/sdk/pipelines/lens_training_data.cpp
#include <sonolux/sdk/pipelines/lens_training_data.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <sonolux/core/srgb.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/image_set.hpp>
#include <sonolux/sdk/pipelines/training_data.hpp>
#include <sonolux/simulation/phantoms/coloured_leaves.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

namespace sonolux {

namespace {

constexpr std::uint64_t spectrum_stream = 144;
constexpr float white = 255;

Array<float> light_of(const Image& image) {
    std::vector<float> table(65536);
    for (std::size_t code = 0; code < table.size(); ++code)
        table[code] = static_cast<float>(srgb_to_linear(static_cast<double>(code) / 65535));
    Array<float> light(image.pixels.shape());
    for (Index n = 0; n < light.elements(); ++n)
        light.data()[n] =
            table[static_cast<std::size_t>(std::clamp(image.pixels.data()[n], 0.0F, 1.0F) * 65535 + 0.5F)];
    return light;
}

}  // namespace

LensScenes LensScenes::read(const LensSceneRecipe& recipe, const std::string& data, Index least,
                            std::uint64_t seed, Context& context) {
    LensScenes scenes;
    Index files = 0;
    for (const std::string& source : recipe.photographs)
        for (const std::string& path : find_images(resolve_path(source, data))) {
            const Image image = read_image(path);
            if (image.channels() != 3) continue;
            const Array<float> light = light_of(image);
            bool any = false;
            for (const Index factor : recipe.reductions) {
                if (light.shape()[1] / factor < least || light.shape()[2] / factor < least) continue;
                scenes.photographs.push_back(reduce_by_averaging(light, factor));
                any = true;
            }
            files += any ? 1 : 0;
        }
    require(recipe.photographs.empty() || files > 0, Status::invalid_argument,
            "data.photographs: no picture in colour is at least ", least, " x ", least, " after reduction");
    if (recipe.dead_leaves_fraction > 0) {
        const ColouredLeaves leaves(seed);
        const Index size = std::max(recipe.dead_leaves_size, least);
        context.workspace().reserve(leaves.workspace_bytes(size, size, context));
        for (Index n = 0; n < recipe.dead_leaves; ++n)
            leaves.render(static_cast<std::uint64_t>(n), scenes.leaves.emplace_back(Shape{3, size, size}),
                          context);
    }
    scenes.description =
        fmt::format("{} photographs, {} pictures of coloured dead leaves{}", files, scenes.leaves.size(),
                    recipe.licence.empty() ? "" : " (" + recipe.licence + ")");
    return scenes;
}

void cut_scene(const LensScenes& scenes, const LensSceneRecipe& recipe, Index seam, std::uint64_t seed,
               std::uint64_t stream, std::uint64_t number, View<float> scene) noexcept {
    Philox random(seed, stream, number);
    const Index size = scene.rows();
    const bool leaves = scenes.photographs.empty() ||
                        (!scenes.leaves.empty() && random.uniform() < recipe.dead_leaves_fraction);
    const std::vector<Array<float>>& from = leaves ? scenes.leaves : scenes.photographs;
    const View<const float> picture = from[static_cast<std::size_t>(random.below(std::ssize(from)))];
    const Index top = random.below(picture.rows() - size - seam + 1);
    const Index left = random.below(picture.columns() - size - seam + 1);
    const auto turn = random.below(8);
    const double exposure =
        recipe.darkest * std::pow(recipe.brightest / recipe.darkest, static_cast<double>(random.uniform()));
    const double saturation =
        recipe.least_saturation + random.uniform() * (recipe.most_saturation - recipe.least_saturation);

    // Ellipses that stay; everything else is black.
    struct Ellipse {
        double row, column, a, b, cosine, sine;
    } shapes[4];
    const Index count = random.uniform() < recipe.black_fraction ? 1 + random.below(4) : 0;
    for (Index s = 0; s < count; ++s) {
        const double angle = 3.14159265358979 * random.uniform(), length = static_cast<double>(size);
        shapes[s] = {length * random.uniform(),
                     length * random.uniform(),
                     length * (0.08 + 0.3 * random.uniform()),
                     length * (0.08 + 0.3 * random.uniform()),
                     std::cos(angle),
                     std::sin(angle)};
    }
    const auto coverage = [&](Index i, Index j) {
        double most = 0;
        for (Index s = 0; s < count; ++s) {
            const Ellipse& e = shapes[s];
            const double length = static_cast<double>(size);
            const double y = std::remainder(static_cast<double>(i) - e.row, length);
            const double x = std::remainder(static_cast<double>(j) - e.column, length);
            const double u = (e.cosine * x + e.sine * y) / e.a, v = (e.cosine * y - e.sine * x) / e.b;
            // Pixels inside of the edge, about.
            most = std::max(most, 0.5 + (1 - std::hypot(u, v)) * std::min(e.a, e.b));
        }
        return std::clamp(most, 0.0, 1.0);
    };

    const auto turned = [&](Index c, Index i, Index j) {
        const Index last = size + seam - 1;
        if ((turn & 1) != 0) i = last - i;
        if ((turn & 2) != 0) j = last - j;
        if ((turn & 4) != 0) std::swap(i, j);
        return double{picture(c, top + i, left + j)};
    };
    const auto fade = [seam](Index i) {
        return i < seam ? (static_cast<double>(i) + 0.5) / static_cast<double>(seam) : 1.0;
    };
    for (Index i = 0; i < size; ++i)
        for (Index j = 0; j < size; ++j) {
            const double down = fade(i), right = fade(j);
            double rgb[3], grey = 0;
            for (Index c = 0; c < 3; ++c) {
                double value = down * right * turned(c, i, j);
                if (down < 1) value += (1 - down) * right * turned(c, i + size, j);
                if (right < 1) value += down * (1 - right) * turned(c, i, j + size);
                if (down < 1 && right < 1) value += (1 - down) * (1 - right) * turned(c, i + size, j + size);
                rgb[c] = value;
            }
            grey = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
            const double light = exposure * (count > 0 ? coverage(i, j) : 1);
            for (Index c = 0; c < 3; ++c)
                scene(c, i, j) =
                    static_cast<float>(std::clamp(light * (grey + saturation * (rgb[c] - grey)), 0.0, 1.0));
        }
}

ChannelSpectrum estimate_spectrum(const LensScenes& scenes, const LensTrainingRecipe& recipe) {
    // As large as all scenes allow: coarse frequencies want to be seen too.
    Index size = 512;
    for (const auto* pictures : {&scenes.photographs, &scenes.leaves})
        for (const Array<float>& picture : *pictures)
            size = std::min({size, picture.shape()[1] - recipe.seam, picture.shape()[2] - recipe.seam});
    ChannelSpectrumEstimate estimate(3);
    Array<float> scene({3, size, size});
    for (std::uint64_t n = 0; n < 400; ++n) {
        cut_scene(scenes, recipe.scenes, recipe.seam, recipe.seed, spectrum_stream, n, scene);
        estimate.add(sharp_image(scene, recipe.system.rgb_matrix));
    }
    return estimate.spectrum();
}

LensCase::LensCase(const LensTrainingRecipe& recipe, const LensScenes& scenes,
                   const ChannelSpectrum& spectrum, Index size, std::uint64_t stream)
    : recipe_(recipe),
      scenes_(scenes),
      stream_(stream),
      lens_(3, 3, size, size),
      told_(3, 3, size, size),
      linear_((lens_.set_kernels(fold_kernels(recipe.system.rgb_kernels, size, size)),
               told_.set_kernels(fold_kernels(recipe.system.white_kernels, size, size)), told_),
              spectrum, std::vector<double>(3, 1e-4)),
      scene_({3, size, size}),
      data_(scene_.shape()),
      start_(scene_.shape()),
      truth_(scene_.shape()),
      noise_({3}),
      raw_({size, size}) {
    std::fill(noise_.begin(), noise_.end(), 1e-4F);
}

std::size_t LensCase::workspace_bytes(const Context& context) const noexcept {
    return std::max(lens_.workspace_bytes(context), linear_.workspace_bytes(context));
}

void LensCase::make(std::uint64_t sample, Context& context) noexcept {
    const LensSystem& system = recipe_.system;
    cut_scene(scenes_, recipe_.scenes, recipe_.seam, recipe_.seed, stream_, sample, scene_);
    lens_.apply(scene_, data_, context);
    Philox random(recipe_.seed, stream_ + 1, sample);
    Sensor sensor = system.sensor;
    sensor.full_well *=
        std::pow(system.most_photons / sensor.full_well, static_cast<double>(random.uniform()));
    // Photons as normal numbers: wells hold thousands, and read noise is larger where there are few.
    fill_normal(start_, Philox(recipe_.seed, stream_ + 2, sample));
    const bool mosaic = system.mosaic && random.uniform() < recipe_.scenes.mosaic_fraction;
    const Index pixels = scene_.elements() / 3;
    double variances[3];
    for (Index c = 0; c < 3; ++c) {
        const double sensitivity = system.response.white[static_cast<std::size_t>(c)];
        double mean = 0;
        for (Index n = c * pixels; n < (c + 1) * pixels; ++n) {
            const double level = std::max(0.0F, data_.data()[n]);
            const double seen =
                level + std::sqrt(noise_variance(sensor, sensitivity, level)) * double{start_.data()[n]};
            mean += seen / static_cast<double>(pixels);
            data_.data()[n] = white * static_cast<float>(seen);
        }
        variances[c] = noise_variance(sensor, sensitivity, std::max(mean, 0.0));
        noise_.data()[c] = static_cast<float>(variances[c]);
        for (Index n = 0; n < pixels; ++n) {
            float sum = 0;
            for (Index colour = 0; colour < 3; ++colour)
                sum += system.rgb_matrix(c, colour) * scene_.data()[colour * pixels + n];
            truth_.data()[c * pixels + n] = white * sum;
        }
    }
    if (mosaic) {
        system.mosaic->sample(data_, raw_.view());
        system.mosaic->interpolate(raw_, BoundaryRule::circular, data_.view());
    }
    linear_.set_noise(variances);
    (void)linear_.run(data_, start_, context);
}

LensValidation::LensValidation(const LensTrainingRecipe& recipe, const LensScenes& scenes,
                               const ChannelSpectrum& spectrum, const UnrolledNetwork& network,
                               Context& context)
    : Validation(context), threads_(context) {
    constexpr std::uint64_t stream = 150;
    if (scenes.photographs.empty() && scenes.leaves.empty()) return;
    Context serial(make_serial_runner());
    for (Index i = 0; i < recipe.validation_samples; ++i) {
        cases_.push_back(
            std::make_unique<LensCase>(recipe, scenes, spectrum, recipe.validation_size, stream));
        serial.workspace().reserve(cases_.back()->workspace_bytes(serial));
        cases_.back()->make(static_cast<std::uint64_t>(i), serial);
    }
    psnr_.resize(cases_.size());
    const Shape domain = cases_[0]->domain();
    workers_ = make_validation_workers(
        domain, network.run_workspace_bytes(domain.last(1), domain.last(0), serial, cases_[0]->observation()),
        context);
}

double LensValidation::psnr(UnrolledNetwork& network, Index steps) noexcept {
    network.update(1);
    parallel_for(threads_, std::ssize(cases_), [&](Index item, int thread) noexcept {
        ValidationWorker& worker = *workers_[static_cast<std::size_t>(thread)];
        const LensCase& one = *cases_[static_cast<std::size_t>(item)];
        network.forward(one.start(), one.observation(), worker.estimate, steps, worker.context);
        for (float& value : worker.estimate) value = std::max(value, 0.0F);
        psnr_[static_cast<std::size_t>(item)] = channel_psnr(worker.estimate, one.truth(), double{white});
    });
    double sum = 0;
    for (const double value : psnr_) sum += value;
    return sum / static_cast<double>(psnr_.size());
}

double LensValidation::start_psnr() const noexcept {
    double sum = 0;
    for (const auto& one : cases_) sum += channel_psnr(one->start(), one->truth(), double{white});
    return sum / static_cast<double>(cases_.size());
}

}  // namespace sonolux

// sonolux/simulation/phantoms/dead_leaves.cpp
#include <cmath>

#include <sonolux/simulation/phantoms/dead_leaves.hpp>
#include <sonolux/simulation/phantoms/fractal_noise.hpp>

namespace sonolux {

namespace {

constexpr double pi = 3.14159265358979323846;
constexpr Index field_size = 256;
constexpr double field_exponents[] = {0.8, 1.4, 2.0, 2.6};
constexpr int sine_steps = 1024;

double log_uniform(double low, double high, Philox& random) noexcept {
    return low * std::exp(std::log(high / low) * random.uniform());
}

}  // namespace

/// One leaf. Positions are in pixels from the image's corner.
struct DeadLeaves::Leaf {
    double x, y, radius;
    bool rectangle = false;
    double cosine = 1, sine = 0, half_length = 0, half_width = 0;  // of a rectangle

    enum class Texture { none, stripes, noise };
    Texture texture = Texture::none;
    float grey = 0, slope_x = 0, slope_y = 0;  // grey + slope . (position - centre)
    float amplitude = 0;                       // of stripes or noise
    float along_x = 0, along_y = 0, phase = 0,
          warp = 0;                // stripes: table steps per pixel, and how wavy they are
    const float* field = nullptr;  // noise: position in the field is turned, scaled and shifted
    float turn_x = 0, turn_y = 0, shift_x = 0, shift_y = 0;

    /// Columns [first, last] of the points in `row` that it covers, where points are 1 / density pixels
    /// apart.
    bool span(Index row, double density, Index& first, Index& last) const noexcept {
        const double dy = (static_cast<double>(row) + 0.5) / density - y;
        double left, right;
        if (rectangle) {
            // |dx cosine + dy sine| <= half_length and |dy cosine - dx sine| <= half_width
            left = -radius, right = radius;
            auto cut = [&](double slope, double offset, double half) {
                if (std::abs(slope) < 1e-12) {
                    if (std::abs(offset) > half) right = left - 1;
                    return;
                }
                const double a = (-half - offset) / slope, b = (half - offset) / slope;
                left = std::max(left, std::min(a, b));
                right = std::min(right, std::max(a, b));
            };
            cut(cosine, dy * sine, half_length);
            cut(-sine, dy * cosine, half_width);
            if (right < left) return false;
        } else {
            const double square = radius * radius - dy * dy;
            if (square < 0) return false;
            right = std::sqrt(square);
            left = -right;
        }
        first = static_cast<Index>(std::ceil((x + left) * density - 0.5));
        last = static_cast<Index>(std::floor((x + right) * density - 0.5));
        return true;
    }
};

DeadLeavesOptions DeadLeavesOptions::plain() {
    DeadLeavesOptions options;
    options.smallest_radius_from = options.smallest_radius_to = 1;
    options.grey_quantiles = {0, 1};
    options.contrast_from = options.contrast_to = 1;
    options.rectangle_fraction = options.gradient_fraction = options.sinusoid_fraction =
        options.noise_fraction = 0;
    return options;
}

DeadLeaves::DeadLeaves(const DeadLeavesOptions& options, std::uint64_t seed)
    : options_(options), seed_(seed) {
    constexpr Status bad = Status::invalid_argument;
    const DeadLeavesOptions& o = options_;
    require(
        o.smallest_radius_from >= 0.5 && o.smallest_radius_from <= o.smallest_radius_to &&
            o.smallest_radius_to <= o.largest_radius && o.largest_radius <= 1e5,
        bad,
        "radii must satisfy 0.5 <= smallest_radius_from <= smallest_radius_to <= largest_radius <= 1e5, got ",
        o.smallest_radius_from, ", ", o.smallest_radius_to, " and ", o.largest_radius);
    require(o.supersampling == 1 || o.supersampling == 2 || o.supersampling == 4, bad,
            "supersampling must be 1, 2 or 4, got ", o.supersampling);
    require(o.grey_quantiles.size() >= 2, bad, "grey_quantiles must have at least 2 values, got ",
            o.grey_quantiles.size());
    for (std::size_t q = 0; q < o.grey_quantiles.size(); ++q)
        require(o.grey_quantiles[q] >= 0 && o.grey_quantiles[q] <= 1 &&
                    (q == 0 || o.grey_quantiles[q] >= o.grey_quantiles[q - 1]),
                bad, "grey_quantiles must rise from 0 at least to 1 at most, got ", o.grey_quantiles[q],
                " as number ", q);
    require(o.contrast_from >= 0 && o.contrast_from <= o.contrast_to && o.contrast_to <= 1, bad,
            "contrast must satisfy 0 <= contrast_from <= contrast_to <= 1, got ", o.contrast_from, " and ",
            o.contrast_to);
    auto fraction = [](double value, const char* name) {
        require(value >= 0 && value <= 1, bad, name, " must be between 0 and 1, got ", value);
    };
    fraction(o.rectangle_fraction, "rectangle_fraction");
    fraction(o.gradient_fraction, "gradient_fraction");
    fraction(o.sinusoid_fraction, "sinusoid_fraction");
    fraction(o.noise_fraction, "noise_fraction");
    fraction(o.sinusoid_fraction + o.noise_fraction, "sinusoid_fraction + noise_fraction");
    require(o.texture_from > 0 && o.texture_from <= o.texture_to && o.texture_to <= 1, bad,
            "texture must satisfy 0 < texture_from <= texture_to <= 1, got ", o.texture_from, " and ",
            o.texture_to);
    require(o.value_scale > 0 && std::isfinite(o.value_scale), bad, "value_scale must be above 0, got ",
            o.value_scale);

    if (o.noise_fraction > 0 || o.sinusoid_fraction > 0) {
        for (std::size_t f = 0; f < std::size(field_exponents); ++f)
            fields_.push_back(
                make_fractal_noise(field_size, field_exponents[f], Philox(seed, streams::leaf_texture, f)));
        sine_.resize(sine_steps + 1);
        for (int i = 0; i <= sine_steps; ++i)
            sine_[static_cast<std::size_t>(i)] = static_cast<float>(std::sin(2 * pi * i / sine_steps));
    }
}

double DeadLeaves::draw_grey(Philox& random) const noexcept {
    const std::vector<float>& q = options_.grey_quantiles;
    const double place = random.uniform() * static_cast<double>(q.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double t = place - static_cast<double>(below);
    return (1 - t) * q[below] + t * q[below + 1];
}

double DeadLeaves::draw_radius(double smallest, double rows, double columns, Philox& random) const noexcept {
    // r^-3 (rows + 2 r)(columns + 2 r) is a sum of three power laws: one is drawn by its integral, and
    // inverted.
    const double a = smallest, b = options_.largest_radius;
    const double log_ratio = std::log(b / a);
    const double cubic = rows * columns * (1 / (a * a) - 1 / (b * b)) / 2;
    const double square = 2 * (rows + columns) * (1 / a - 1 / b);
    const double inverse = 4 * log_ratio;
    const double which = random.uniform() * (cubic + square + inverse);
    const double u = random.uniform();
    if (which < cubic) return 1 / std::sqrt(1 / (a * a) - u * (1 / (a * a) - 1 / (b * b)));
    if (which < cubic + square) return 1 / (1 / a - u * (1 / a - 1 / b));
    return a * std::exp(u * log_ratio);
}

void DeadLeaves::draw_appearance(Philox& random, double mean, double contrast, Leaf& leaf) const noexcept {
    leaf.grey = static_cast<float>(mean + contrast * (draw_grey(random) - mean));
    auto strength = [&] {
        return contrast * log_uniform(options_.texture_from, options_.texture_to, random);
    };
    if (random.uniform() < options_.gradient_fraction) {
        const double slope = strength() / leaf.radius, angle = random.uniform(0, 2 * pi);
        leaf.slope_x = static_cast<float>(slope * std::cos(angle));
        leaf.slope_y = static_cast<float>(slope * std::sin(angle));
    }
    const double kind = random.uniform();
    if (kind >= options_.sinusoid_fraction + options_.noise_fraction) return;

    leaf.field = fields_[static_cast<std::size_t>(random.below(static_cast<Index>(fields_.size())))].data();
    const double scale = log_uniform(0.4, 2, random), angle = random.uniform(0, 2 * pi);
    leaf.turn_x = static_cast<float>(scale * std::cos(angle));
    leaf.turn_y = static_cast<float>(scale * std::sin(angle));
    leaf.shift_x = static_cast<float>(random.uniform(0, field_size));
    leaf.shift_y = static_cast<float>(random.uniform(0, field_size));
    if (kind < options_.sinusoid_fraction) {
        leaf.texture = Leaf::Texture::stripes;
        const double wavelength = log_uniform(3, 24, random), direction = random.uniform(0, 2 * pi);
        leaf.along_x = static_cast<float>(sine_steps / wavelength * std::cos(direction));
        leaf.along_y = static_cast<float>(sine_steps / wavelength * std::sin(direction));
        leaf.phase = static_cast<float>(random.uniform(0, sine_steps));
        leaf.field = fields_.back().data();  // the smoothest bends them
        leaf.warp = static_cast<float>(sine_steps * random.uniform(0, 0.5));
        leaf.amplitude = static_cast<float>(std::sqrt(2.0) * strength());
    } else {
        leaf.texture = Leaf::Texture::noise;
        leaf.amplitude = static_cast<float>(strength());
    }
}

float DeadLeaves::noise_at(const Leaf& leaf, float x, float y) const noexcept {
    const float u = leaf.turn_x * x - leaf.turn_y * y + leaf.shift_x;
    const float v = leaf.turn_y * x + leaf.turn_x * y + leaf.shift_y;
    const float column = std::floor(u), row = std::floor(v);
    const float s = u - column, t = v - row;
    constexpr std::int64_t mask = field_size - 1;
    const auto j = static_cast<std::int64_t>(column), i = static_cast<std::int64_t>(row);
    const float* upper = leaf.field + (i & mask) * field_size;
    const float* lower = leaf.field + ((i + 1) & mask) * field_size;
    const auto left = j & mask, right = (j + 1) & mask;
    const float top = upper[left] + s * (upper[right] - upper[left]);
    const float bottom = lower[left] + s * (lower[right] - lower[left]);
    return top + t * (bottom - top);
}

float DeadLeaves::grey_at(const Leaf& leaf, float x, float y) const noexcept {
    float grey = leaf.grey + leaf.slope_x * x + leaf.slope_y * y;
    if (leaf.texture == Leaf::Texture::noise) {
        grey += leaf.amplitude * noise_at(leaf, x, y);
    } else if (leaf.texture == Leaf::Texture::stripes) {
        const float place =
            leaf.along_x * x + leaf.along_y * y + leaf.phase + leaf.warp * noise_at(leaf, x, y);
        const float step = std::floor(place);
        const auto i = static_cast<std::size_t>(static_cast<std::int64_t>(step) & (sine_steps - 1));
        grey += leaf.amplitude * (sine_[i] + (place - step) * (sine_[i + 1] - sine_[i]));
    }
    return std::min(std::max(grey, 0.0f), 1.0f);
}

void DeadLeaves::paint(std::uint64_t sample, View<float> image, float* grey,
                       std::int32_t* next) const noexcept {
    const Index density = options_.supersampling;
    const Index rows = image.rows() * density, columns = image.columns() * density;
    const double points_per_pixel = static_cast<double>(density);
    const auto height = static_cast<double>(image.rows()), width = static_cast<double>(image.columns());

    // next[i, j]: the first column at or after j of row i that nothing covers yet, or a step on the way to
    // it.
    const Index stride = columns + 1;
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j <= columns; ++j) next[i * stride + j] = static_cast<std::int32_t>(j);
    auto first_free = [next, stride](Index i, Index j) {
        std::int32_t* row = next + i * stride;
        while (row[j] != j) {
            row[j] = row[row[j]];  // halves the path for those who come after
            j = row[j];
        }
        return j;
    };

    Philox random(seed_, streams::dead_leaves, sample);
    const double smallest = log_uniform(options_.smallest_radius_from, options_.smallest_radius_to, random);
    const double mean = draw_grey(random);
    const double contrast = random.uniform(options_.contrast_from, options_.contrast_to);
    Index uncovered = rows * columns;
    while (uncovered > 0) {
        Leaf leaf;
        leaf.radius = draw_radius(smallest, height, width, random);
        leaf.x = random.uniform(-leaf.radius, width + leaf.radius);
        leaf.y = random.uniform(-leaf.radius, height + leaf.radius);
        if (options_.rectangle_fraction > 0 && random.uniform() < options_.rectangle_fraction) {
            leaf.rectangle = true;
            const double angle = random.uniform(0, 2 * pi), aspect = random.uniform(0.1, pi / 4);
            leaf.cosine = std::cos(angle);
            leaf.sine = std::sin(angle);
            leaf.half_length = leaf.radius * std::cos(aspect);
            leaf.half_width = leaf.radius * std::sin(aspect);
        }
        const auto top = static_cast<Index>(std::ceil((leaf.y - leaf.radius) * points_per_pixel - 0.5));
        const auto bottom = static_cast<Index>(std::floor((leaf.y + leaf.radius) * points_per_pixel - 0.5));
        bool seen = false;
        for (Index i = std::max<Index>(top, 0); i <= std::min(bottom, rows - 1); ++i) {
            Index first, last;
            if (!leaf.span(i, points_per_pixel, first, last)) continue;
            last = std::min(last, columns - 1);
            for (Index j = first_free(i, std::clamp<Index>(first, 0, columns)); j <= last;
                 j = first_free(i, j + 1)) {
                if (!seen)
                    draw_appearance(random, mean, contrast, leaf);  // most leaves are buried: not for those
                seen = true;
                const double x = (static_cast<double>(j) + 0.5) / points_per_pixel - leaf.x;
                const double y = (static_cast<double>(i) + 0.5) / points_per_pixel - leaf.y;
                grey[i * columns + j] = grey_at(leaf, static_cast<float>(x), static_cast<float>(y));
                next[i * stride + j] = static_cast<std::int32_t>(j + 1);
                --uncovered;
            }
        }
    }

    const double scale = options_.value_scale / (points_per_pixel * points_per_pixel);
    for (Index i = 0; i < image.rows(); ++i)
        for (Index j = 0; j < image.columns(); ++j) {
            double sum = 0;
            for (Index a = 0; a < density; ++a)
                for (Index b = 0; b < density; ++b)
                    sum += grey[(i * density + a) * columns + j * density + b];
            image(i, j) = static_cast<float>(scale * sum);
        }
}

std::size_t DeadLeaves::workspace_bytes(Index rows, Index columns, const Context& context) const noexcept {
    const Index down = rows * options_.supersampling, across = columns * options_.supersampling;
    const Index threads = context.threads();
    return Workspace::bytes<float>(threads * down * across) +
           Workspace::bytes<std::int32_t>(threads * down * (across + 1));
}

void DeadLeaves::render(std::uint64_t sample, View<float> image, Context& context) const noexcept {
    assert(image.rank() == 2);
    const Index down = image.rows() * options_.supersampling,
                across = image.columns() * options_.supersampling;
    Scratch scratch(context.workspace());
    auto* grey = scratch.take<float>(down * across);
    auto* next = scratch.take<std::int32_t>(down * (across + 1));
    paint(sample, image, grey, next);
}

void DeadLeaves::fill(std::uint64_t first_sample, View<float> batch, Context& context) const noexcept {
    assert(batch.rank() == 3);
    const Index down = batch.rows() * options_.supersampling,
                across = batch.columns() * options_.supersampling;
    Scratch scratch(context.workspace());
    auto* grey = scratch.take<float>(context.threads() * down * across);
    auto* next = scratch.take<std::int32_t>(context.threads() * down * (across + 1));
    parallel_for(context, batch.size(0), [&](Index b, int thread) {
        paint(first_sample + static_cast<std::uint64_t>(b), batch[b], grey + thread * down * across,
              next + thread * down * (across + 1));
    });
}

}  // namespace sonolux

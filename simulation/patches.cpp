// sonolux/simulation/patches.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/simulation/patches.hpp>

namespace sonolux {

namespace {

/// The sum of (a[j] - b[j])^2, in eight sums side by side so that it vectorises with the same bits
/// everywhere.
double square_distance(const float* a, const float* b, Index count) noexcept {
    constexpr Index lanes = 8;
    float sums[lanes] = {};
    Index j = 0;
    for (; j + lanes <= count; j += lanes)
        for (Index l = 0; l < lanes; ++l) {
            const float d = a[j + l] - b[j + l];
            sums[l] += d * d;
        }
    for (; j < count; ++j) sums[0] += (a[j] - b[j]) * (a[j] - b[j]);
    double sum = 0;
    for (float s : sums) sum += s;
    return sum;
}

}  // namespace

void apply_symmetry(View<const float> image, int symmetry, View<float> patch) noexcept {
    const Index rows = patch.rows(), columns = patch.columns();
    const int turns = symmetry & 3;
    assert(symmetry >= 0 && symmetry < 8);
    assert(turns % 2 == 0 ? image.rows() == rows && image.columns() == columns
                          : image.rows() == columns && image.columns() == rows);
    // Where patch[0, 0] comes from, and what one step down and one step right are, in the image's memory.
    const Index down = image.row_stride();
    const Index last_row = (image.rows() - 1) * down, last_column = image.columns() - 1;
    Index origin = 0, step_down = down, step_right = 1;
    switch (turns) {  // counter-clockwise
        case 1: origin = last_column, step_down = -1, step_right = down; break;
        case 2: origin = last_row + last_column, step_down = -down, step_right = -1; break;
        case 3: origin = last_row, step_down = 1, step_right = -down; break;
        default: break;
    }
    // Mirroring the image left to right first turns column j of it into column last_column - j.
    if (symmetry >= 4) {
        const bool columns_run_down = turns % 2 == 1;
        Index& step = columns_run_down ? step_down : step_right;
        const Index column = turns == 1 || turns == 2 ? last_column : 0;
        origin += last_column - 2 * column;
        step = -step;
    }
    for (Index i = 0; i < rows; ++i) {
        const float* from = image.data() + origin + i * step_down;
        float* to = patch.row(i);
        for (Index j = 0; j < columns; ++j) to[j] = from[j * step_right];
    }
}

PatchSampler::PatchSampler(std::vector<PatchSource> sources, Index rows, Index columns, std::uint64_t seed,
                           const PatchRule& rule, Symmetries symmetries)
    : rows_(rows), columns_(columns), seed_(seed), rule_(rule), symmetries_(symmetries) {
    constexpr Status bad = Status::invalid_argument;
    require(rows >= 1 && columns >= 1, bad, "a patch must have at least 1 row and 1 column, got ",
            to_string(Shape{rows, columns}));
    require(rule.attempts >= 1, bad, "attempts must be at least 1, got ", rule.attempts);
    require(rule.exempt_fraction >= 0 && rule.exempt_fraction <= 1, bad,
            "exempt_fraction must be between 0 and 1, got ", rule.exempt_fraction);
    require(rule.largest_saturated_fraction >= 0 && rule.largest_saturated_fraction <= 1, bad,
            "largest_saturated_fraction must be between 0 and 1, got ", rule.largest_saturated_fraction);
    require(std::isfinite(rule.smallest_gradient), bad, "smallest_gradient must be finite, got ",
            rule.smallest_gradient);
    require(!sources.empty(), bad, "patches need at least one source of images");

    double total = 0;
    for (std::size_t s = 0; s < sources.size(); ++s) {
        const double weight = sources[s].weight;
        require(std::isfinite(weight) && weight >= 0, bad, "weight of patch source ", s,
                " must be at least 0, got ", weight);
        total += weight;
    }
    require(total > 0, bad, "the weights of all patch sources are 0");

    if (!sources[0].images.empty()) channels_ = plane_count(sources[0].images[0]);
    double so_far = 0;
    for (std::size_t s = 0; s < sources.size(); ++s) {
        require(!sources[s].images.empty(), bad, "patch source ", s, " has no images");
        so_far += sources[s].weight;
        Source source{std::move(sources[s].images), {0}, so_far / total};
        for (std::size_t i = 0; i < source.images.size(); ++i) {
            const View<const float>& image = source.images[i];
            require((image.rank() == 2 || image.rank() == 3) && image.data() != nullptr, bad, "image ", i,
                    " of patch source ", s, " must be [rows, columns] or [channels, rows, columns], got ",
                    to_string(image.shape()));
            require(plane_count(image) == channels_, bad, "image ", i, " of patch source ", s, " has ",
                    plane_count(image), " channels, the first has ", channels_);
            require(image.rows() >= rows && image.columns() >= columns, bad, "image ", i, " of patch source ",
                    s, " has ", to_string(image.shape()), " pixels, less than a patch of ",
                    to_string(Shape{rows, columns}));
            const auto places =
                static_cast<std::uint64_t>((image.rows() - rows + 1) * (image.columns() - columns + 1));
            source.places_before.push_back(source.places_before.back() + places);
        }
        sources_.push_back(std::move(source));
    }
    // Rounding must not leave a gap above the last source that counts.
    auto last = std::find_if(sources_.rbegin(), sources_.rend(), [this](const Source& s) {
        return s.weight_up_to < sources_.back().weight_up_to;
    });
    for (auto s = last.base(); s != sources_.end(); ++s) s->weight_up_to = 1;
}

std::uint64_t PatchSampler::places() const noexcept {
    std::uint64_t total = 0;
    double before = 0;
    for (const Source& source : sources_) {
        if (source.weight_up_to > before) total += source.places_before.back();
        before = source.weight_up_to;
    }
    return total;
}

PatchSampler::Place PatchSampler::place(const Source& source, Philox& random) const noexcept {
    const auto number =
        static_cast<std::uint64_t>(random.below(static_cast<Index>(source.places_before.back())));
    const auto after = std::upper_bound(source.places_before.begin(), source.places_before.end(), number);
    const auto i = static_cast<std::size_t>(after - source.places_before.begin()) - 1;
    const View<const float>& image = source.images[i];
    const Index within = static_cast<Index>(number - source.places_before[i]);
    const Index across = image.columns() - columns_ + 1;
    return {image, within / across, within % across};
}

View<const float> PatchSampler::channel(const Place& place, Index c) const noexcept {
    return plane_of(place.image, c).block(place.row, place.column, rows_, columns_);
}

bool PatchSampler::accepted(const Place& place, double& gradient) const noexcept {
    double squares = 0;
    Index saturated = 0;
    for (Index c = 0; c < channels_; ++c) {
        const View<const float> patch = channel(place, c);
        for (Index i = 0; i < rows_; ++i) {
            const float* row = patch.row(i);
            squares += square_distance(row + 1, row, columns_ - 1);
            if (i > 0) squares += square_distance(row, patch.row(i - 1), columns_);
            for (Index j = 0; j < columns_; ++j)
                saturated += (row[j] <= rule_.saturated_below) | (row[j] >= rule_.saturated_above);
        }
    }
    const Index differences = channels_ * (rows_ * (columns_ - 1) + (rows_ - 1) * columns_);
    gradient = std::sqrt(squares / static_cast<double>(std::max<Index>(differences, 1)));
    return gradient >= rule_.smallest_gradient &&
           static_cast<double>(saturated) <=
               rule_.largest_saturated_fraction * static_cast<double>(channels_ * rows_ * columns_);
}

void PatchSampler::fill_one(std::uint64_t sample, View<float> patch) const noexcept {
    assert(plane_count(patch) == channels_ && patch.rows() == rows_ && patch.columns() == columns_);
    Philox random(seed_, streams::patches, sample);
    const double u = random.uniform();
    const Source& source = *std::find_if(sources_.begin(), sources_.end() - 1,
                                         [u](const Source& s) { return u < s.weight_up_to; });
    const Index symmetry = random.below(8);
    const bool exempt = random.uniform() < rule_.exempt_fraction;

    Place chosen = place(source, random);
    double gradient = 0, largest = 0;
    const bool rule = rule_.smallest_gradient > 0 || rule_.largest_saturated_fraction < 1;
    if (rule && !exempt && !accepted(chosen, largest)) {
        for (int attempt = 1; attempt < rule_.attempts; ++attempt) {
            const Place other = place(source, random);
            const bool good = accepted(other, gradient);
            if (good || gradient > largest) {
                chosen = other;
                largest = gradient;
            }
            if (good) break;
        }
    }
    // A patch that is not square keeps to the symmetries that keep its shape.
    const Index keeping_shape = rows_ == columns_ ? symmetry : symmetry & ~Index{1};
    const int applied = symmetries_ == Symmetries::all ? static_cast<int>(keeping_shape) : 0;
    for (Index c = 0; c < channels_; ++c) apply_symmetry(channel(chosen, c), applied, plane_of(patch, c));
}

void PatchSampler::fill(std::uint64_t first_sample, View<float> batch, Context& context) const noexcept {
    assert(batch.rank() == 4 || (batch.rank() == 3 && channels_ == 1));
    parallel_for(context, batch.size(0),
                 [&](Index b, int) { fill_one(first_sample + static_cast<std::uint64_t>(b), batch[b]); });
}

}  // namespace sonolux

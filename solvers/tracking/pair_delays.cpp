#include <sonolux/solvers/tracking/pair_delays.hpp>

#include <cmath>
#include <limits>

#include <sonolux/core/operators/path_integral.hpp>
#include <sonolux/solvers/tracking/delay_of_displacement.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr float not_measured = std::numeric_limits<float>::quiet_NaN();

PairDelaysOptions checked(const Acquisition& acquisition, const ImageGrid& map, PairDelaysOptions options) {
    constexpr const char* who = "pair delays";
    validate(acquisition, who);
    validate(map, "pair delays: map");
    require(!acquisition.demodulated(), Status::unsupported, who,
            ": samples must be RF, these are demodulated with ", acquisition.demodulation_frequency, " Hz");
    require(!options.pairs.empty(), invalid, who, ": there are no pairs of transmissions");
    for (std::size_t m = 0; m < options.pairs.size(); ++m) {
        const auto [first, second] = options.pairs[m];
        for (const Index k : {first, second})
            require(k >= 0 && k < acquisition.sent(), invalid, who, ": pair ", m + 1, " names transmission ",
                    k + 1, "; there are 1 to ", acquisition.sent());
        require(first != second, invalid, who, ": pair ", m + 1, " is of transmission ", first + 1,
                " with itself");
    }
    require(options.sound_speed >= 100 && options.sound_speed <= 10000, invalid, who,
            ": sound_speed must be between 100 and 10000 m/s, got ", options.sound_speed);
    require(options.valid_share > 0 && options.valid_share <= 1, invalid, who,
            ": valid_share must be above 0 and at most 1, got ", options.valid_share);
    const double pitch = acquisition.array.pitch();
    for (const auto& [name, spacing] :
         {std::pair{"row_spacing", options.row_spacing}, std::pair{"column_spacing", options.column_spacing}})
        require(spacing == 0 || (spacing >= 1e-6 && spacing <= 1e-2), invalid, who, ": ", name,
                " must be 0 or between 1e-06 and 0.01 m, got ", spacing);
    require(pitch > 0 || (options.row_spacing > 0 && options.column_spacing > 0), invalid, who,
            ": an array of one element has no pitch to take the spacing of images from");
    if (options.row_spacing == 0) options.row_spacing = pitch / 8;
    if (options.column_spacing == 0) options.column_spacing = pitch / 2;
    if (options.tracking.search == 0) {
        const double period = options.sound_speed / (2 * acquisition.centre_frequency) / options.row_spacing;
        options.tracking.search = std::max<Index>(1, static_cast<Index>(std::ceil(0.5 * period - 0.1)));
    }
    options.beamforming.compound = false;
    options.beamforming.compounding_weights.clear();
    return options;
}

/// Covers what the map may be measured at, and half a block and the search around it.
ImageGrid image_grid_of(const ImageGrid& map, const PairDelaysOptions& o) {
    const double around_rows =
        (0.5 * static_cast<double>(o.tracking.block_rows) + static_cast<double>(o.tracking.search) + 4) *
        o.row_spacing;
    const double around_columns =
        (0.5 * static_cast<double>(o.tracking.block_columns) + 1) * o.column_spacing;
    const double top =
        std::max(map.first_z - 0.5 * map.row_spacing, std::max(0.0, map.first_z) + o.margins.near);
    const double bottom = map.z(static_cast<double>(map.rows - 1)) + 0.5 * map.row_spacing - o.margins.far;
    const double left = map.first_x - 0.5 * map.column_spacing + o.margins.side;
    const double right =
        map.x(static_cast<double>(map.columns - 1)) + 0.5 * map.column_spacing - o.margins.side;
    require(bottom > top && right > left, invalid, "pair delays: the margins leave nothing of the map, ",
            extent_mm(map));
    ImageGrid image;
    image.row_spacing = o.row_spacing;
    image.column_spacing = o.column_spacing;
    image.first_z = std::max(top - around_rows, o.row_spacing);
    image.rows = static_cast<Index>(std::ceil((bottom + around_rows - image.first_z) / o.row_spacing)) + 1;
    const double width = right - left + 2 * around_columns;
    image.columns = static_cast<Index>(std::ceil(width / o.column_spacing)) + 1;
    image.first_x = 0.5 * (left + right - static_cast<double>(image.columns - 1) * o.column_spacing);
    return image;
}

PathGeometry geometry_of(const Acquisition& acquisition, const ImageGrid& map, const PairDelaysOptions& o) {
    PathGeometry geometry{map, map, {}};
    for (const auto& [first, second] : o.pairs) {
        const auto rays = [&](Index k) {
            return rays_of(acquisition.transmissions[static_cast<std::size_t>(k)], o.transmit_f_number);
        };
        geometry.measurements.push_back(transmission_difference(rays(first), rays(second)));
    }
    return geometry;
}

/// The elements of which any trace was measured.
std::vector<ArrayElement> hearing_elements(const Acquisition& acquisition,
                                           const DelayAndSumOptions& beamforming) {
    const Index elements = acquisition.array.size();
    std::vector<ArrayElement> hearing;
    for (Index e = 0; e < elements; ++e) {
        bool hears = beamforming.measured.empty();
        for (Index k = 0; k < acquisition.sent() && !hears; ++k) {
            const MeasuredRange& range = beamforming.measured[static_cast<std::size_t>(k * elements + e)];
            hears = range.first <= range.last;
        }
        if (hears) hearing.push_back(acquisition.array[e]);
    }
    return hearing;
}

/// The ways of an echo from p back to the elements that take part, in weighted means over the elements at
/// distance r in the direction (u, -w) from p.
struct ReceiveWays {
    double length = 0, across = 0, rate = 0;  // of r, u, w; NaN where no element takes part
    double range_slope = 0, rate_slope = 0;   // cov(u, r) / var(u), cov(u, w) / var(u)
};
ReceiveWays receive_ways(const std::vector<ArrayElement>& hearing, const DelayAndSumOptions& beamforming,
                         Point p) {
    double weights = 0, r1 = 0, u1 = 0, w1 = 0, uu = 0, ur = 0, uw = 0;
    for (const ArrayElement& element : hearing) {
        const double weight = receive_weight(beamforming, element, p);
        if (weight == 0) continue;
        const double r = length(p - element.position);
        const double u = (element.position.x - p.x) / r, w = (p.z - element.position.z) / r;
        weights += weight;
        r1 += weight * r;
        u1 += weight * u;
        w1 += weight * w;
        uu += weight * u * u;
        ur += weight * u * r;
        uw += weight * u * w;
    }
    ReceiveWays mean{.length = r1 / weights, .across = u1 / weights, .rate = w1 / weights};
    const double variance = uu / weights - mean.across * mean.across;
    if (variance > 1e-9) {
        mean.range_slope = (ur / weights - mean.across * mean.length) / variance;
        mean.rate_slope = (uw / weights - mean.across * mean.rate) / variance;
    }
    return mean;
}

/// g of the header, of one transmission.
Point misplacement(const RaySource& transmit, const ReceiveWays& back, Point p) {
    const Point way = p - transmit.entry_point(p);
    const double tx = length(way);
    const Point n = (1 / tx) * way;
    const double across = n.x - back.across;
    const double down =
        (tx + back.length + back.range_slope * across) / (n.z + back.rate + back.rate_slope * across);
    return {down * back.rate_slope - back.range_slope, down};
}

/// B of the header for one pair.
double misplacement_length(const PathSum& pair, const ReceiveWays& back, Point p) {
    const auto direction = [&](const RaySource& rays) {
        const Point way = p - rays.entry_point(p);
        return (1 / length(way)) * way;
    };
    const RaySource &first = pair[0].source, &second = pair[1].source;
    const Point mean = 0.5 * (misplacement(first, back, p) + misplacement(second, back, p));
    return dot(mean, direction(first) - direction(second));
}

}  // namespace

PairDelays::Range PairDelays::results_in(double low, double high, double first, double spacing,
                                         Index count) noexcept {
    const auto bound = [&](double place) {
        return std::clamp<Index>(static_cast<Index>(std::ceil((place - first) / spacing - 1e-9)), 0, count);
    };
    return {bound(low), bound(high)};
}

ImageGrid PairDelays::image_grid_for(const Acquisition& acquisition, const ImageGrid& map,
                                     const PairDelaysOptions& options) {
    return image_grid_of(map, checked(acquisition, map, options));
}

PairDelays::PairDelays(const Acquisition& acquisition, const ImageGrid& map, const PairDelaysOptions& options,
                       Context& context)
    : PairDelays(acquisition, map, checked(acquisition, map, options),
                 image_grid_for(acquisition, map, options),
                 FocusingDelays(acquisition, image_grid_for(acquisition, map, options), options.sound_speed),
                 {}, context) {}

PairDelays::PairDelays(const Acquisition& acquisition, const ImageGrid& map, const PairDelaysOptions& options,
                       const FocusingDelays& focusing, View<const float> slowness, Context& context)
    : PairDelays(acquisition, map, checked(acquisition, map, options),
                 image_grid_for(acquisition, map, options), focusing, slowness, context) {}

PairDelays::PairDelays(const Acquisition& acquisition, const ImageGrid& map, PairDelaysOptions checked,
                       const ImageGrid& image, const FocusingDelays& focusing, View<const float> slowness,
                       Context& context)
    : options_(std::move(checked)),
      map_(map),
      image_(image),
      beamformer_(acquisition, focusing, options_.beamforming, context),
      matcher_(image_.rows, image_.columns, options_.tracking),
      geometry_(geometry_of(acquisition, map, options_)) {
    require(focusing.grid() == image_, Status::size_mismatch,
            "pair delays: focusing delays are on a grid of ", focusing.grid().rows, " x ",
            focusing.grid().columns, ", images on one of ", image_.rows, " x ", image_.columns);
    require(slowness.empty() || slowness.shape() == map.shape(), Status::size_mismatch,
            "pair delays: slowness must be ", to_string(map.shape()), ", got ", to_string(slowness.shape()));
    mask_ = measurement_mask(geometry_, options_.margins);

    const auto path = make_path_integral(geometry_);
    Array<float> ones(map.shape());
    std::fill(ones.begin(), ones.end(), 1.0F);
    lengths_ = Array<float>(path->range());
    assumed_ = Array<float>(path->range());
    context.workspace().reserve(path->workspace_bytes(context));
    path->apply(ones, lengths_, context);
    if (slowness.empty())
        for (Index n = 0; n < assumed_.elements(); ++n)
            assumed_.data()[n] = static_cast<float>(double{lengths_.data()[n]} / options_.sound_speed);
    else
        path->apply(slowness, assumed_, context);

    const std::vector<ArrayElement> hearing = hearing_elements(acquisition, options_.beamforming);
    const ImageGrid tracks = track_grid();
    const auto pairs = static_cast<Index>(options_.pairs.size());
    factors_ = Array<float>({pairs, tracks.rows, tracks.columns});
    for (Index i = 0; i < tracks.rows; ++i)
        for (Index j = 0; j < tracks.columns; ++j) {
            const Point p = tracks.point(static_cast<double>(i), static_cast<double>(j));
            const double receive = receive_ways(hearing, options_.beamforming, p).rate;
            for (Index m = 0; m < pairs; ++m) {
                const auto [first, second] = options_.pairs[static_cast<std::size_t>(m)];
                const auto rate = [&](Index k) {
                    return transmit_rate(acquisition.transmissions[static_cast<std::size_t>(k)], p) + receive;
                };
                // The harmonic mean of both rates: see delay_of_displacement.hpp.
                const double q = 2 / (1 / rate(first) + 1 / rate(second));
                factors_(m, i, j) =
                    q > 0 ? static_cast<float>(image_.row_spacing * q / options_.sound_speed) : not_measured;
            }
        }
    misplacement_ = Array<float>(mask_.shape());
    for (Index i = 0; i < map.rows; ++i)
        for (Index j = 0; j < map.columns; ++j) {
            const Point p = map.point(static_cast<double>(i), static_cast<double>(j));
            const ReceiveWays back = receive_ways(hearing, options_.beamforming, p);
            for (Index m = 0; m < pairs; ++m) {
                if (mask_(m, i, j) == 0) continue;
                const auto misplaced = static_cast<float>(
                    misplacement_length(geometry_.measurements[static_cast<std::size_t>(m)], back, p));
                // Where no element takes part there are no echoes to be measured.
                if (std::isfinite(misplaced))
                    misplacement_(m, i, j) = misplaced;
                else
                    mask_(m, i, j) = 0;
            }
        }
    for (Index i = 0; i < map.rows; ++i)
        rows_.push_back(results_in(map.z(static_cast<double>(i) - 0.5), map.z(static_cast<double>(i) + 0.5),
                                   tracks.first_z, tracks.row_spacing, tracks.rows));
    for (Index j = 0; j < map.columns; ++j)
        columns_.push_back(results_in(map.x(static_cast<double>(j) - 0.5),
                                      map.x(static_cast<double>(j) + 0.5), tracks.first_x,
                                      tracks.column_spacing, tracks.columns));
    // A pixel that no result falls into would never be measured, and nobody would know why.
    require(tracks.row_spacing <= map.row_spacing && tracks.column_spacing <= map.column_spacing, invalid,
            "pair delays: the tracker's results are ", 1e3 * tracks.row_spacing, " x ",
            1e3 * tracks.column_spacing, " mm apart, further than the pixels of the map (",
            1e3 * map.row_spacing, " x ", 1e3 * map.column_spacing, " mm)");
}

PairDelaysFrame PairDelays::make_frame() const {
    const auto pairs = static_cast<Index>(options_.pairs.size());
    const Shape tracks = matcher_.shape();
    const Shape of_tracks{pairs, tracks[0], tracks[1]}, of_map{pairs, map_.rows, map_.columns};
    PairDelaysFrame frame;
    frame.images = Array<float>(beamformer_.range());
    frame.displacement = Array<float>(of_tracks);
    frame.correlation = Array<float>(of_tracks);
    frame.valid = Array<float>(of_tracks);
    frame.delays = Array<float>(of_map);
    frame.quality = Array<float>(of_map);
    return frame;
}

std::size_t PairDelays::workspace_bytes(const Context& context) const noexcept {
    return std::max(beamformer_.workspace_bytes(context), matcher_.workspace_bytes(context));
}

Status PairDelays::run(View<const float> rf, PairDelaysFrame& frame, Context& context) const noexcept {
    if (rf.shape() != beamformer_.domain() || frame.images.shape() != beamformer_.range() ||
        frame.delays.shape() != mask_.shape())
        return Status::size_mismatch;
    if (const Status status = context.poll(); status != Status::ok) return status;
    beamformer_.apply(rf, frame.images, context);

    const Index pixels = image_.rows * image_.columns, results = matcher_.shape().elements();
    const auto image = [&](Index k) {
        return View<const float>(frame.images.data() + k * pixels, image_.shape());
    };
    for (std::size_t m = 0; m < options_.pairs.size(); ++m) {
        const auto [first, second] = options_.pairs[m];
        const Index at = static_cast<Index>(m) * results;
        const TrackImage tracks{{frame.displacement.data() + at, matcher_.shape()},
                                {frame.correlation.data() + at, matcher_.shape()},
                                {frame.valid.data() + at, matcher_.shape()}};
        if (const Status status = matcher_.run(image(second), image(first), tracks, context);
            status != Status::ok)
            return status;
        average(static_cast<Index>(m), frame);
    }
    place(frame);
    Index seen = 0, measured = 0;
    for (Index n = 0; n < mask_.elements(); ++n) {
        seen += mask_.data()[n] != 0;
        measured += std::isfinite(frame.delays.data()[n]);
    }
    frame.valid_share = seen == 0 ? 0 : static_cast<double>(measured) / static_cast<double>(seen);
    return Status::ok;
}

void PairDelays::average(Index pair, PairDelaysFrame& frame) const noexcept {
    for (Index i = 0; i < map_.rows; ++i)
        for (Index j = 0; j < map_.columns; ++j) {
            float& delay = frame.delays(pair, i, j);
            float& quality = frame.quality(pair, i, j);
            delay = not_measured;
            quality = 0;
            if (mask_(pair, i, j) == 0) continue;
            const Range rows = rows_[static_cast<std::size_t>(i)];
            const Range columns = columns_[static_cast<std::size_t>(j)];
            double sum = 0, correlations = 0;
            Index count = 0;
            for (Index r = rows.first; r < rows.last; ++r)
                for (Index c = columns.first; c < columns.last; ++c) {
                    if (frame.valid(pair, r, c) == 0) continue;
                    const double here = double{factors_(pair, r, c)} * double{frame.displacement(pair, r, c)};
                    if (!std::isfinite(here)) continue;
                    sum += here;
                    correlations += double{frame.correlation(pair, r, c)};
                    ++count;
                }
            const auto all = static_cast<double>((rows.last - rows.first) * (columns.last - columns.first));
            if (count == 0 || static_cast<double>(count) < options_.valid_share * all) continue;
            delay = static_cast<float>(sum / static_cast<double>(count));
            quality = static_cast<float>(correlations / static_cast<double>(count));
        }
}

// Fits the uniform deviation to what the displacements say, and turns that into delays of the pairs.
void PairDelays::place(PairDelaysFrame& frame) const noexcept {
    const double assumed_slowness = 1 / options_.sound_speed;
    double products = 0, squares = 0;
    for (Index n = 0; n < mask_.elements(); ++n) {
        const double delay = double{frame.delays.data()[n]};
        if (!std::isfinite(delay)) continue;
        const double length = double{lengths_.data()[n]} - double{misplacement_.data()[n]};
        products += delay * length;
        squares += length * length;
    }
    const double deviation = squares > 0 ? products / squares : 0;
    frame.uniform_speed = 1 / (assumed_slowness + deviation);
    for (Index n = 0; n < mask_.elements(); ++n)  // NaN stays NaN
        frame.delays.data()[n] +=
            static_cast<float>(double{assumed_.data()[n]} + deviation * double{misplacement_.data()[n]});
}

}  // namespace sonolux

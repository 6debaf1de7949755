// sonolux/sdk/pipelines/map_delays.cpp
#include <sonolux/sdk/pipelines/map_delays.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/simulation/acoustics/eikonal.hpp>

namespace sonolux {

namespace {

constexpr float nowhere = std::numeric_limits<float>::quiet_NaN();

void require_cover(const ImageGrid& map, const ImageGrid& image, const TransducerArray& array) {
    const double last_row = static_cast<double>(image.rows - 1);
    const double last_column = static_cast<double>(image.columns - 1);
    require(map.covers(image.point(0, 0)) && map.covers(image.point(last_row, last_column)),
            Status::invalid_argument, "speed map: the map (", extent_mm(map), ") does not cover the image (",
            extent_mm(image), ")");
    for (Index e = 0; e < array.size(); ++e)
        require(map.covers(array[e].position), Status::invalid_argument, "speed map: the map (",
                extent_mm(map), ") does not cover element ", e + 1, " of the array, at x ",
                1e3 * array[e].position.x, " mm, z ", 1e3 * array[e].position.z, " mm");
}

/// When waves of the active elements reach one point.
class Arrivals {
public:
    Arrivals(const Acquisition& acquisition, Index k)
        : sent_(acquisition.transmissions[static_cast<std::size_t>(k)]),
          array_(acquisition.array),
          frequency_(acquisition.centre_frequency) {
        for (Index e = 0; e < array_.size(); ++e)
            if (sent_.apodization[static_cast<std::size_t>(e)] != 0) active_.push_back(e);
    }

    /// `times` holds T_e(p) of each element e, `stride` apart.
    [[nodiscard]] double first(const float* times, Index stride) const noexcept {
        std::size_t best = 0;
        for (std::size_t i = 1; i < active_.size(); ++i)
            if (arrival(i, times, stride) < arrival(best, times, stride)) best = i;
        const double least = arrival(best, times, stride);
        if (best == 0 || best + 1 == active_.size() || active_[best + 1] != active_[best - 1] + 2)
            return least;
        const double left = arrival(best - 1, times, stride), right = arrival(best + 1, times, stride);
        const double bend = left - 2 * least + right;
        return bend > 0 ? least - (right - left) * (right - left) / (8 * bend) : least;
    }

    [[nodiscard]] double beam(const float* times, Index stride, Point p,
                              const TransmitField& field) const noexcept {
        const double front = field.time(p);
        double sum = 0, weights = 0;
        for (std::size_t i = 0; i < active_.size(); ++i) {
            const auto e = static_cast<std::size_t>(active_[i]);
            const double straight = length(p - array_.elements()[e].position) / sent_.sound_speed;
            const double late = 4 * frequency_ * (sent_.delays[e] + straight - front);
            const double weight = std::abs(sent_.apodization[e]) * std::exp(-late * late);
            sum += weight * (double{times[active_[i] * stride]} - straight);
            weights += weight;
        }
        return weights > 1e-6 ? front + sum / weights : double{nowhere};
    }

private:
    [[nodiscard]] double arrival(std::size_t i, const float* times, Index stride) const noexcept {
        return sent_.delays[static_cast<std::size_t>(active_[i])] + double{times[active_[i] * stride]};
    }

    const Transmission& sent_;
    const TransducerArray& array_;
    double frequency_;
    std::vector<Index> active_;
};

}  // namespace

FocusingDelays map_delays(const Acquisition& acquisition, const ImageGrid& image, const ImageGrid& map,
                          View<const float> sound_speed, Context& context) {
    validate(acquisition, "speed map");
    validate(image, "speed map: image");
    validate(map, "speed map");
    require_cover(map, image, acquisition.array);
    const SlownessMap slowness(map, sound_speed);
    const Index elements = acquisition.array.size(), pixels = image.rows * image.columns;
    std::vector<EikonalSource> sources;
    for (const ArrayElement& element : acquisition.array.elements())
        sources.push_back(EikonalSource::point(element.position));
    const std::vector<TravelTimes> times = travel_times(slowness, sources, context);

    const auto point_of = [&](Index pixel) {
        return image.point(static_cast<double>(pixel / image.columns),
                           static_cast<double>(pixel % image.columns));
    };
    Array<float> receive({elements, image.rows, image.columns});
    parallel_for(context, elements, [&](Index e, int) {
        for (Index i = 0; i < pixels; ++i)
            receive.data()[e * pixels + i] =
                static_cast<float>(times[static_cast<std::size_t>(e)].time(point_of(i)));
    });

    Array<float> transmit({acquisition.sent(), image.rows, image.columns});
    for (Index k = 0; k < acquisition.sent(); ++k) {
        const Transmission& sent = acquisition.transmissions[static_cast<std::size_t>(k)];
        const Arrivals arrivals(acquisition, k);
        const bool beam = sent.wavefront == Wavefront::focused;
        const double speed = sent.sound_speed > 0 ? sent.sound_speed : 1540;  // unused by single elements
        const TransmitField field(sent, acquisition.array, speed, acquisition.centre_frequency);
        parallel_for(context, image.rows, [&](Index row, int) {
            for (Index i = row * image.columns; i < (row + 1) * image.columns; ++i)
                transmit.data()[k * pixels + i] =
                    static_cast<float>(beam ? arrivals.beam(receive.data() + i, pixels, point_of(i), field)
                                            : arrivals.first(receive.data() + i, pixels));
        });
    }
    return {acquisition, image, std::move(transmit), std::move(receive)};
}

}  // namespace sonolux

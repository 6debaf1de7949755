// sonolux/solvers/global_speed/angle_coherence_speed.cpp
#include <algorithm>
#include <cmath>
#include <numbers>

#include <sonolux/core/acoustics/transmit_field.hpp>
#include <sonolux/core/parallel_rows.hpp>
#include <sonolux/solvers/global_speed/analytic_channels.hpp>
#include <sonolux/solvers/global_speed/angle_coherence_speed.hpp>
#include <sonolux/solvers/global_speed/candidate_fit.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr const char* who = "angle coherence";
constexpr Index fewest_pixels = 100;

/// One transmission, ready to be focused.
struct Sent {
    double start;
    AnalyticChannels channels;
    std::vector<TransmitField> fields;  // of the candidates
};

/// The sum over the aperture of what the elements recorded when the echo of p reached them.
std::complex<double> focused(const Sent& sent, const TransmitField& field, const TransducerArray& array,
                             Point p, double speed, double half) noexcept {
    std::complex<double> sum = 0;
    const double there = field.time(p) - sent.start;
    for (Index e = 0; e < array.size(); ++e) {
        if (std::abs(array[e].position.x - p.x) > half) continue;
        const double time = there + length(p - array[e].position) / speed;
        const double turn = std::remainder(sent.channels.turning() * time, 2 * std::numbers::pi);
        sum += std::complex<double>(sent.channels(e, time)) * std::polar(1.0, turn);
    }
    return sum;
}

void require_options(const AngleCoherenceOptions& options) {
    const auto within = [](const char* name, double value, double least, double most) {
        require(value >= least && value <= most, invalid, who, ": ", name, " must be between ", least,
                " and ", most, ", got ", value);
    };
    within("lowest", options.lowest, 100, 10000);
    within("highest", options.highest, options.lowest, 10000);
    within("step", options.step, 0.1, 500);
    within("fit_width", options.fit_width, 1.5 * options.step, 1000);
    within("first_depth", options.first_depth, 0, 1);
    within("last_depth", options.last_depth, options.first_depth + 1e-4, 1);
    within("f_number", options.f_number, 0.1, 100);
    require(options.rows >= 8 && options.columns >= 8 && options.rows <= 4096 && options.columns <= 4096,
            invalid, who, ": rows and columns must be between 8 and 4096, got ", options.rows, " x ",
            options.columns);
}

}  // namespace

AngleCoherenceSpeed angle_coherence_speed(const ChannelData& data, Index frame,
                                          const AngleCoherenceOptions& options, Context& context) {
    validate(data, who);
    require(frame >= 0 && frame < data.frames(), invalid, who, ": frame ", frame, " is not among ",
            data.frames());
    require_options(options);
    const Acquisition& acquisition = data.acquisition;
    const double number = std::floor((options.highest - options.lowest) / options.step + 1e-9) + 1;
    require(number >= 5 && number <= 10000, invalid, who, ": needs 5 to 10000 candidates; from ",
            options.lowest, " to ", options.highest, " m/s in steps of ", options.step, " there are ",
            number);

    AngleCoherenceSpeed result;
    for (double n = 0; n < number; ++n) result.candidates.push_back(options.lowest + n * options.step);
    const Index count = static_cast<Index>(result.candidates.size());
    const double middle = 0.5 * (result.candidates.front() + result.candidates.back());

    std::vector<Sent> sent;
    double least = 2, most = -2;
    for (Index k = 0; k < acquisition.sent(); ++k) {
        const Transmission& transmission = acquisition.transmissions[static_cast<std::size_t>(k)];
        if (transmission.wavefront != Wavefront::plane) continue;
        least = std::min(least, transmission.angle);
        most = std::max(most, transmission.angle);
        Sent one{acquisition.focusing_start(k),
                 AnalyticChannels(acquisition, options.low * acquisition.centre_frequency,
                                  options.high * acquisition.centre_frequency),
                 {}};
        for (double c : result.candidates)
            one.fields.emplace_back(transmission, acquisition.array, c, acquisition.centre_frequency);
        context.workspace().reserve(one.channels.workspace_bytes(context));
        one.channels.run(data.frame(frame)[k], context);
        sent.push_back(std::move(one));
    }
    require(sent.size() >= 2 && most > least, invalid, who,
            ": needs at least two plane waves of different angles, got ", sent.size());
    result.transmissions = static_cast<Index>(sent.size());

    const TransducerArray& array = acquisition.array;
    double left = array[0].position.x, right = left;
    for (const ArrayElement& e : array.elements()) {
        left = std::min(left, e.position.x);
        right = std::max(right, e.position.x);
    }
    const auto pixel = [&](Index i, Index j, double speed) {
        const auto share = [](Index n, Index of) {
            return static_cast<double>(n) / static_cast<double>(of - 1);
        };
        const double z =
            options.first_depth + (options.last_depth - options.first_depth) * share(i, options.rows);
        return Point{left + (right - left) * share(j, options.columns), z * speed / middle};
    };
    // [candidate, row]: sums of the variation, and how many pixels they are of
    std::vector<double> sums(static_cast<std::size_t>(count * options.rows)), pixels(sums.size());
    std::vector<std::complex<double>> images(sent.size() * static_cast<std::size_t>(context.threads()));
    parallel_for(context, count * options.rows, [&](Index item, int thread) {
        const Index i = item % options.rows;
        const auto c = static_cast<std::size_t>(item / options.rows);
        const double speed = result.candidates[c];
        std::complex<double>* b = images.data() + static_cast<std::size_t>(thread) * sent.size();
        for (Index j = 0; j < options.columns; ++j) {
            const Point p = pixel(i, j, speed);
            // The same elements for every candidate: those of the pixel at the middle speed.
            const double half = 0.5 * pixel(i, j, middle).z / options.f_number;
            // The same pixels for every candidate: edges of transmissions move steadily with the speed.
            bool reached = true;
            for (const Sent& one : sent)
                for (std::size_t n : {std::size_t{0}, c, result.candidates.size() - 1})
                    reached = reached && one.fields[n].ray(pixel(i, j, result.candidates[n])).inside;
            if (!reached) continue;
            std::complex<double> mean = 0;
            double size = 0, spread = 0;
            for (std::size_t k = 0; k < sent.size(); ++k) {
                b[k] = focused(sent[k], sent[k].fields[c], array, p, speed, half);
                mean += b[k] / static_cast<double>(sent.size());
                size += std::abs(b[k]) / static_cast<double>(sent.size());
            }
            if (!(size > 0)) continue;
            for (std::size_t k = 0; k < sent.size(); ++k) spread += std::norm(b[k] - mean);
            sums[static_cast<std::size_t>(item)] +=
                std::sqrt(spread / static_cast<double>(sent.size() - 1)) / size;
            ++pixels[static_cast<std::size_t>(item)];
        }
    });
    std::vector<double> agreement;
    double fewest = 1e300;
    for (Index c = 0; c < count; ++c) {
        double sum = 0, seen = 0;
        for (Index i = 0; i < options.rows; ++i) {
            sum += sums[static_cast<std::size_t>(c * options.rows + i)];
            seen += pixels[static_cast<std::size_t>(c * options.rows + i)];
        }
        fewest = std::min(fewest, seen);
        result.variation.push_back(seen > 0 ? sum / seen : 0);
        agreement.push_back(-result.variation.back());
    }
    result.pixels = static_cast<Index>(fewest);
    require(result.pixels >= fewest_pixels, invalid, who, ": ", result.pixels, " of ",
            options.rows * options.columns, " pixels are reached by all ", sent.size(),
            " plane waves and hold echoes, needs at least ", fewest_pixels);
    result.sound_speed = best_candidate(result.candidates, agreement.data(), options.fit_width);
    require(std::isfinite(result.sound_speed), invalid, who,
            ": images of different angles agree best at an end of ", options.lowest, " to ", options.highest,
            " m/s: the speed is outside, or there is no speckle to see it by");
    return result;
}

}  // namespace sonolux

#include <sonolux/sdk/pipelines/measured_delays.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;

/// Where a transmission comes from: x (m) of a source, or the angle (rad) of a plane wave.
double place_of(const Transmission& transmission) {
    return transmission.wavefront == Wavefront::plane ? transmission.angle : transmission.focus.x;
}

}  // namespace

MeasuredDelays measure_delays(const Acquisition& acquisition, View<const float> rf, const ImageGrid& map,
                              const MeasuredDelaysOptions& options, Context& context) {
    require(options.tolerance > 0, invalid, "measured delays: tolerance must be above 0 m/s, got ",
            options.tolerance);
    require(options.most_rounds >= 1, invalid, "measured delays: most_rounds must be at least 1, got ",
            options.most_rounds);
    PairDelaysOptions pairs = options.pairs;
    MeasuredDelays measured;
    const auto measure = [&] {
        measured.plan = std::make_unique<PairDelays>(acquisition, map, pairs, context);
        context.workspace().reserve(measured.plan->workspace_bytes(context));
        // The search is half a period at the speed of this round, and images reach that much further.
        measured.frame = measured.plan->make_frame();
        const Status status = measured.plan->run(rf, measured.frame, context);
        require(status == Status::ok, status, "measured delays: ", to_string(status));
        ++measured.rounds;
    };
    const int rounds = options.find_speed ? options.most_rounds : 1;
    for (int round = 0; round < rounds; ++round) {
        measure();
        const double found = measured.frame.uniform_speed;
        measured.settled = !options.find_speed || std::abs(found - pairs.sound_speed) < options.tolerance;
        if (measured.settled) break;
        require(found >= options.lowest_speed && found <= options.highest_speed, Status::corrupt_data,
                "measured delays: they ask for a uniform speed of ", found, " m/s, which is not between ",
                options.lowest_speed, " and ", options.highest_speed,
                " m/s; are array, pairs and times those of this recording?");
        pairs.sound_speed = found;
    }
    if (options.speed_error != 0) {
        pairs.sound_speed += options.speed_error;
        measure();
    }
    return measured;
}

std::vector<std::pair<Index, Index>> default_pairs(const Acquisition& acquisition) {
    const auto& sent = acquisition.transmissions;
    const bool plane = !sent.empty() && sent[0].wavefront == Wavefront::plane;
    for (std::size_t k = 0; k < sent.size(); ++k) {
        require(sent[k].wavefront != Wavefront::focused, invalid, "pairs: transmission ", k + 1,
                " is focused; delays are measured between plane waves, or sources");
        require((sent[k].wavefront == Wavefront::plane) == plane, invalid, "pairs: transmission ", k + 1,
                " is ", to_string(sent[k].wavefront), ", transmission 1 is ", to_string(sent[0].wavefront),
                ": name the pairs");
    }
    const double wanted = plane ? 5 * std::numbers::pi / 180 : 10 * acquisition.array.pitch();
    std::vector<std::size_t> order(sent.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return place_of(sent[a]) < place_of(sent[b]); });
    std::vector<std::pair<Index, Index>> pairs;
    for (std::size_t i = 0; i < order.size(); ++i) {
        std::size_t best = i;
        double difference = 0;
        for (std::size_t j = i + 1; j < order.size(); ++j) {
            const double here = place_of(sent[order[j]]) - place_of(sent[order[i]]);
            if (best == i || std::abs(here - wanted) < std::abs(difference - wanted)) {
                best = j;
                difference = here;
            }
        }
        if (best != i && difference >= wanted / 2 && difference <= 2 * wanted)
            pairs.emplace_back(static_cast<Index>(order[i]), static_cast<Index>(order[best]));
    }
    require(!pairs.empty(), invalid, "pairs: none of the ", sent.size(),
            " transmissions has another at a distance of ", plane ? "2.5 to 10 degrees" : "5 to 20 elements",
            ": name the pairs");
    return pairs;
}

MeasuredDelaysOptions read_measured_delays(RecipeTable& recipe, Index sent, double sound_speed) {
    MeasuredDelaysOptions options;
    const auto numbers = [&](const char* key) {
        std::vector<Index> list;
        for (const double number : recipe.numbers(key, std::nullopt, 1, static_cast<double>(sent))) {
            require(number == std::floor(number), invalid, recipe.where(key),
                    " must be whole numbers of transmissions, got ", number);
            list.push_back(static_cast<Index>(number) - 1);
        }
        return list;
    };
    const std::vector<Index> first = numbers("delays.first"), second = numbers("delays.second");
    require(first.size() == second.size(), invalid, recipe.where("delays.second"), " has ", second.size(),
            " transmissions, delays.first has ", first.size());
    for (std::size_t m = 0; m < first.size(); ++m) options.pairs.pairs.emplace_back(first[m], second[m]);
    options.pairs.sound_speed = recipe.number("delays.sound_speed", sound_speed, 300, 10000);
    options.find_speed = recipe.flag("delays.find_speed", true);
    options.speed_error = recipe.number("delays.speed_error", 0, -200, 200);
    options.pairs.beamforming.f_number = recipe.number("delays.receive_f_number", 1, 0.1, 100);
    options.pairs.transmit_f_number = recipe.number("delays.f_number", 0.5, 0, 100);
    options.pairs.margins.near = recipe.number("delays.near", 5e-3, 0, 1);
    options.pairs.margins.far = recipe.number("delays.far", 2e-3, 0, 1);
    options.pairs.margins.side = recipe.number("delays.side", 4e-3, 0, 1);
    options.pairs.tracking.minimum_correlation = recipe.number("delays.minimum_correlation", 0.2, 0, 1);
    return options;
}

}  // namespace sonolux

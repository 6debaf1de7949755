// sonolux/simulation/acoustics/echo.cpp
#include <algorithm>
#include <limits>

#include <sonolux/simulation/acoustics/echo.hpp>
#include <sonolux/simulation/acoustics/echo_pulse_table.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr double reference_distance = 1e-3;  // where spreading is 1
constexpr Index block = 1024;                // scatterers whose paths are held at a time
constexpr Index stride = block + 16;         // between rows: not a power of two, which caches dislike

/// dB/(MHz^y cm) to Np/m at a frequency.
double nepers_per_metre(double attenuation, double power, double frequency) {
    return attenuation * std::pow(frequency * 1e-6, power) * 100 / 8.685889638065037;
}

/// What a block of scatterers is to each sender and receiver: [row, scatterer]. Rows are the elements first,
/// then the wavefronts.
struct Paths {
    explicit Paths(Index rows)
        : arrival({rows, stride}), amplitude({rows, stride}), attenuation({rows, stride}) {}

    [[nodiscard]] EchoRows row(Index r) const noexcept {
        return {arrival.data() + r * stride, amplitude.data() + r * stride, attenuation.data() + r * stride};
    }

    Array<float> arrival, amplitude, attenuation;  // samples, relative, Np at f0
};

/// One contribution to a transmission.
struct Firing {
    Index row;
    float delay, weight;  // samples
};

struct Plan {
    std::vector<Firing> firings;
    bool superposed = false;
};

/// The first of the waves that a transmission's elements send to scatterer n, from the elements' rows.
/// `reach`: how long a pulse lasts, in samples; `turn`: 2 pi f0 / fs.
void wavefront_path(const Transmission& transmission, const Paths& paths, Index n, double rate, double reach,
                    double turn, Index row, Paths& result) {
    const auto elements = static_cast<Index>(transmission.delays.size());
    const auto active = [&](Index e) {
        return e >= 0 && e < elements && transmission.apodization[static_cast<std::size_t>(e)] != 0;
    };
    const auto at = [&](Index e) {
        return transmission.delays[static_cast<std::size_t>(e)] * rate +
               static_cast<double>(paths.arrival.data()[e * stride + n]);
    };
    double first = std::numeric_limits<double>::infinity();
    Index sender = 0;
    for (Index e = 0; e < elements; ++e)
        if (active(e) && at(e) < first) {
            first = at(e);
            sender = e;
        }
    double re = 0, im = 0;
    for (Index e = 0; e < elements; ++e) {
        if (!active(e)) continue;
        const double late = at(e) - first;
        if (late >= reach) continue;
        const double size = transmission.apodization[static_cast<std::size_t>(e)] *
                            static_cast<double>(paths.amplitude.data()[e * stride + n]) * (1 - late / reach);
        re += size * std::cos(turn * late);
        im += size * std::sin(turn * late);
    }
    double arrival = first;
    if (active(sender - 1) && active(sender + 1)) {
        const double before = at(sender - 1), after = at(sender + 1), bend = before - 2 * first + after;
        if (bend > 0) arrival -= (before - after) * (before - after) / (8 * bend);
    }
    result.arrival.data()[row * stride + n] = static_cast<float>(arrival);
    result.amplitude.data()[row * stride + n] = static_cast<float>(std::hypot(re, im));
    result.attenuation.data()[row * stride + n] = paths.attenuation.data()[sender * stride + n];
}

void require_options(const EchoOptions& options, const Pulse& pulse) {
    const double highest = pulse.highest_frequency();
    require(options.sampling_frequency <= 1e10 && options.sampling_frequency >= 2 * highest, invalid,
            "echo: sampling_frequency must be at least ", 2 * highest,
            " Hz, twice the frequency up to which the pulse reaches at -40 dB, got ",
            options.sampling_frequency, " Hz (a pulse with a bandwidth needs less)");
    require(options.samples >= 1 && options.samples <= Index{1} << 20, invalid,
            "echo: samples must be 1 to 1048576, got ", options.samples);
    require(std::abs(options.start_time) <= 1e-2, invalid,
            "echo: start_time must be between -0.01 and 0.01 s, got ", options.start_time);
}

}  // namespace

EchoSimulator::EchoSimulator(TransducerArray array, const EchoMedium& medium, const Pulse& pulse,
                             const EchoOptions& options, Context& context)
    : array_(std::move(array)),
      pulse_(pulse),
      options_(options),
      power_(medium.attenuation_power),
      grid_(medium.grid) {
    require_options(options, pulse);
    const SlownessMap map(medium.grid, medium.sound_speed);
    require(power_ >= 0.5 && power_ <= 2, invalid, "echo: attenuation_power must be between 0.5 and 2, got ",
            power_);
    const bool varies = medium.attenuation.data() != nullptr;
    require(!varies || medium.attenuation.shape() == grid_.shape(), Status::size_mismatch,
            "echo: the attenuation map is ", to_string(medium.attenuation.shape()), ", the grid ",
            to_string(grid_.shape()));
    Array<float> density(grid_.shape());
    double mean = 0;
    for (Index i = 0; i < grid_.rows; ++i)
        for (Index j = 0; j < grid_.columns; ++j) {
            const double value =
                varies ? static_cast<double>(medium.attenuation(i, j)) : medium.uniform_attenuation;
            require(value >= 0 && value <= 100, invalid, "echo: attenuation at row ", i, ", column ", j,
                    " must be between 0 and 100 dB/(MHz^y cm), got ", value);
            lossy_ = lossy_ || value > 0;
            density(i, j) = static_cast<float>(nepers_per_metre(value, power_, pulse.centre_frequency()));
            mean += map(i, j);
        }
    wavelength_ = static_cast<double>(grid_.rows * grid_.columns) / mean / pulse.centre_frequency();
    std::vector<EikonalSource> sources;
    for (Index e = 0; e < array_.size(); ++e) {
        require(grid_.covers(array_[e].position), invalid, "echo: element ", e + 1, " at x ",
                array_[e].position.x, " m, z ", array_[e].position.z, " m is outside the map (",
                extent_mm(grid_), ")");
        sources.push_back(EikonalSource::point(array_[e].position));
    }
    elements_ = travel_times(map, sources, context, lossy_ ? density.view() : View<float>{});
}

void EchoSimulator::simulate(const std::vector<Transmission>& transmissions, const Scatterers& scatterers,
                             View<float> rf, Context& context) const {
    const Index elements = array_.size(), samples = options_.samples;
    const auto events = static_cast<Index>(transmissions.size());
    const auto count = static_cast<Index>(scatterers.positions.size());
    require(events >= 1, invalid, "echo: there must be at least 1 transmission, got 0");
    require(rf.shape() == Shape({events, elements, samples}) && rf.contiguous(), Status::size_mismatch,
            "echo: rf must be contiguous, ", events, " x ", elements, " x ", samples, ", got ",
            to_string(rf.shape()));
    require(scatterers.reflectivity.size() == scatterers.positions.size(), Status::size_mismatch,
            "echo: there are ", scatterers.reflectivity.size(), " reflectivities for ", count, " positions");
    require(count >= 1, invalid, "echo: there must be at least 1 scatterer, got 0");
    for (std::size_t s = 0; s < scatterers.positions.size(); ++s) {
        require(grid_.covers(scatterers.positions[s]), invalid, "echo: scatterer ", s, " at x ",
                scatterers.positions[s].x, " m, z ", scatterers.positions[s].z, " m is outside the map (",
                extent_mm(grid_), ")");
        require(std::isfinite(scatterers.reflectivity[s]), invalid, "echo: reflectivity of scatterer ", s,
                " must be finite, got ", scatterers.reflectivity[s]);
    }

    const double rate = options_.sampling_frequency;
    std::vector<Plan> plans;
    bool any_superposed = false, any_plain = false;
    for (Index k = 0; k < events; ++k) {
        const Transmission& event = transmissions[static_cast<std::size_t>(k)];
        validate(event, array_, sentence("echo: transmission ", k + 1).c_str());
        Plan plan;
        plan.superposed =
            event.wavefront != Wavefront::element &&
            (event.wavefront == Wavefront::focused || options_.transmit == TransmitModel::superposition);
        if (event.wavefront != Wavefront::element && !plan.superposed)
            plan.firings.push_back({elements + k, 0, 1});
        else
            for (Index e = 0; e < elements; ++e) {
                const auto i = static_cast<std::size_t>(e);
                if (event.apodization[i] != 0)
                    plan.firings.push_back({e, static_cast<float>(event.delays[i] * rate),
                                            static_cast<float>(event.apodization[i])});
            }
        any_superposed = any_superposed || plan.superposed;
        any_plain = any_plain || !plan.superposed;
        plans.push_back(std::move(plan));
    }

    // The paths between elements and the scatterers of one block.
    Paths paths(elements + events);
    Array<float> echoes({elements, stride});  // amplitudes on the way back, times reflectivity
    const auto path = [&](Index e, Index s, Index n) {
        const Point p = scatterers.positions[static_cast<std::size_t>(s)];
        const TravelTimes& times = elements_[static_cast<std::size_t>(e)];
        // behind the edge of a strong absorber the integral may overshoot to below 0, which would amplify
        const double nepers = lossy_ ? std::max(0.0, times.carried(p)) : 0;
        const double ratio =
            reference_distance / std::max(length(p - array_[e].position), reference_distance);
        const double spread = options_.spreading == Spreading::spherical ? ratio : std::sqrt(ratio);
        paths.arrival.data()[e * stride + n] = static_cast<float>(times.time(p) * rate);
        paths.amplitude.data()[e * stride + n] = static_cast<float>(
            spread * std::exp(-nepers) *
            directivity(array_[e], p, array_.element_width(), wavelength_, options_.baffle));
        paths.attenuation.data()[e * stride + n] = static_cast<float>(nepers);
    };

    // Attenuation classes up to the strongest path there is: twice the strongest one-way path.
    Index classes = 1;
    if (lossy_) {
        std::vector<double> strongest(static_cast<std::size_t>(elements));
        parallel_for(context, elements, [&](Index e, int) {
            for (const Point p : scatterers.positions)
                strongest[static_cast<std::size_t>(e)] =
                    std::max(strongest[static_cast<std::size_t>(e)],
                             elements_[static_cast<std::size_t>(e)].carried(p));
        });
        const double most = 2 * *std::max_element(strongest.begin(), strongest.end());
        // beyond 120 dB nothing is left to shape
        classes = std::min<Index>(241, static_cast<Index>(most / EchoPulseTable::step_np + 0.5) + 1);
    }
    const EchoPulseTable plain(pulse_, rate, power_, any_plain ? classes : 1, false);
    const EchoPulseTable superposed(pulse_, rate, power_, any_superposed ? classes : 1, any_superposed);

    const Index margin = std::max(plain.length(), superposed.length());
    Array<float> traces({context.threads(), samples + 2 * margin});
    std::fill_n(rf.data(), rf.elements(), 0.0F);
    const double reach = std::max(1.0, pulse_.duration() * rate);
    const double turn = 2 * std::numbers::pi * pulse_.centre_frequency() / rate;
    const auto start = static_cast<float>(options_.start_time * rate);
    for (Index begin = 0; begin < count; begin += block) {
        const Index size = std::min(block, count - begin);
        context.report({"simulating echoes", begin, count, -1});
        const Status status = context.poll();
        require(status == Status::ok, status, "echo: ", to_string(status), " after ", begin, " of ", count,
                " scatterers");
        parallel_for(context, elements, [&](Index e, int) {
            for (Index n = 0; n < size; ++n) path(e, begin + n, n);
        });
        parallel_for(context, events, [&](Index k, int) {
            const Plan& plan = plans[static_cast<std::size_t>(k)];
            if (plan.firings.size() != 1 || plan.firings[0].row < elements) return;
            for (Index n = 0; n < size; ++n)
                wavefront_path(transmissions[static_cast<std::size_t>(k)], paths, n, rate, reach, turn,
                               elements + k, paths);
        });
        parallel_for(context, elements, [&](Index e, int) {
            for (Index n = 0; n < size; ++n)
                echoes(e, n) =
                    paths.amplitude(e, n) * scatterers.reflectivity[static_cast<std::size_t>(begin + n)];
        });
        parallel_for(context, events * elements, [&](Index item, int thread) {
            const Index k = item / elements, e = item % elements;
            const Plan& plan = plans[static_cast<std::size_t>(k)];
            const EchoPulseTable& table = plan.superposed ? superposed : plain;
            float* trace = traces.view()[thread].data() + margin;
            std::fill_n(trace - margin, samples + 2 * margin, 0.0F);
            EchoRows receiver = paths.row(e);
            receiver.amplitude = echoes.data() + e * stride;
            for (const Firing& firing : plan.firings)
                add_echoes(paths.row(firing.row), receiver, size, firing.delay - start, firing.weight, table,
                           classes, trace, samples, context.isa());
            float* to = rf.data() + item * samples;
            for (Index i = 0; i < samples; ++i) to[i] += trace[i];
        });
    }
    const bool heard =
        std::any_of(rf.data(), rf.data() + rf.elements(), [](float value) { return value != 0; });
    const bool reflecting = std::any_of(scatterers.reflectivity.begin(), scatterers.reflectivity.end(),
                                        [](float q) { return q != 0; });
    require(heard || !reflecting, invalid, "echo: none of the ", count, " scatterers is heard between ",
            options_.start_time, " and ", options_.start_time + static_cast<double>(samples) / rate,
            " s; check start_time, samples and where the scatterers are");
}

}  // namespace sonolux

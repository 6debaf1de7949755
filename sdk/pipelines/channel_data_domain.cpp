// sonolux/sdk/pipelines/channel_data_domain.cpp
#include <sonolux/sdk/pipelines/channel_data_domain.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>

namespace sonolux {

namespace {

PulseOptions read_pulse(RecipeTable& recipe) {
    PulseOptions pulse;
    pulse.centre_frequency = recipe.number("pulse.centre_frequency", pulse.centre_frequency, 1e4, 1e9);
    pulse.half_cycles = static_cast<int>(recipe.integer("pulse.half_cycles", pulse.half_cycles, 0, 1000));
    pulse.bandwidth = recipe.number("pulse.bandwidth", 0.6, 0, 2);
    return pulse;
}

ScattererOptions read_scatterers(RecipeTable& recipe, const ImageGrid& map, const TransducerArray& array,
                                 double wavelength) {
    ScattererOptions o;
    o.per_cell = recipe.number("scatterers.per_cell", o.per_cell, 0, 1000);
    o.cell_width = recipe.number("scatterers.cell_width", 2 * wavelength, 1e-6, 0.1);
    o.cell_height = recipe.number("scatterers.cell_height", wavelength, 1e-6, 0.1);
    o.top = recipe.number("scatterers.top", 2e-3, 0, 1);
    o.left = std::min(map.x(0), array[0].position.x);
    o.right = std::max(map.x(static_cast<double>(map.columns - 1)), array[array.size() - 1].position.x);
    o.bottom = map.z(static_cast<double>(map.rows - 1));
    try {
        validate(o);
    } catch (const Error& error) {
        throw Error(error.status(), recipe.where("scatterers") + ": " + error.what());
    }
    return o;
}

}  // namespace

ChannelDataOptions read_channel_data(RecipeTable& recipe, const SimulationSetup& setup) {
    ChannelDataOptions options{.array = read_array(recipe)};
    const TransducerArray& array = options.array;
    options.pulse = read_pulse(recipe);
    ZeaScan& scan = options.scan;
    scan.transmissions = read_transmissions(recipe, array);
    scan.centre_frequency = options.pulse.centre_frequency;
    scan.peak_time = Pulse(options.pulse).peak_time();
    scan.sampling_frequency =
        recipe.number("recording.sampling_frequency", 8 * scan.centre_frequency, 1e5, 1e9);
    scan.start_time = recipe.number("recording.start_time", 0, 0, 1e-3);
    scan.sound_speed = recipe.number("recording.sound_speed", 1540, 300, 10000);
    // Down to the last row of the map and back along the diagonal, at the slowest speed there can be.
    const ImageGrid& map = setup.grid;
    const double depth = map.z(static_cast<double>(map.rows - 1));
    const double width = array[array.size() - 1].position.x - array[0].position.x;
    const double farthest = depth + std::hypot(depth, width);
    const double needed =
        (farthest / setup.phantoms.speed_limits.low - scan.start_time) * scan.sampling_frequency;
    options.samples =
        recipe.integer("recording.samples",
                       std::clamp<Index>(static_cast<Index>(std::ceil(needed)), 1, 1 << 20), 1, 1 << 20);
    options.scatterers = read_scatterers(recipe, map, array, scan.sound_speed / scan.centre_frequency);
    if (recipe.one_of("recording.keep", "channel_data", {"channel_data", "delays"}) == "delays")
        options.delays =
            read_measured_delays(recipe, static_cast<Index>(scan.transmissions.size()), scan.sound_speed);
    return options;
}

ChannelDataDomain::ChannelDataDomain(const SimulationSetup& setup, ChannelDataOptions options)
    : setup_(setup), options_(std::move(options)), pulse_(options_.pulse) {
    const auto sent = static_cast<Index>(options_.scan.transmissions.size());
    if (options_.delays) {
        // Asked here and not with the first sample, whether such delays can be measured.
        Context context(make_serial_runner());
        const PairDelays possible(acquisition(), setup.grid, options_.delays->pairs, context);
        fields_ = {
            map_field("sound_speed", "m/s", "sound speed", setup.grid),
            {"delays",
             "s",
             "delay of the first transmission of a pair minus that of the second, beamformed and tracked; "
             "NaN: not measured",
             {static_cast<Index>(options_.delays->pairs.pairs.size()), setup.grid.rows, setup.grid.columns},
             {"pair", "row", "column"}}};
        return;
    }
    SampleField map = map_field(zea_sound_speed_map, "m/s", "true speed of sound", setup.grid);
    fields_ = {std::move(map),
               {zea_raw_data,
                "1",
                "channel data",
                {sent, options_.samples, options_.array.size(), 1},
                {"transmission", "time", "element", "channel"}}};
}

TissueFamily ChannelDataDomain::simulate(std::uint64_t index, std::span<float> sample,
                                         Context& context) const {
    const TissuePhantom phantom(setup_.phantoms, setup_.seed, index);
    const Medium kept = phantom.render(setup_.grid);
    sample = put_map(kept, kept.sound_speed, sample);
    const auto sent = static_cast<Index>(options_.scan.transmissions.size());
    const Index elements = options_.array.size(), times = options_.samples;
    Array<float> rf({sent, elements, times});
    record(phantom, draw_scatterers(options_.scatterers, phantom, setup_.seed, index), rf, context);
    if (options_.delays) {
        const MeasuredDelays measured =
            measure_delays(acquisition(), rf, setup_.grid, *options_.delays, context);
        std::copy(measured.frame.delays.begin(), measured.frame.delays.end(), sample.begin());
        return phantom.family();
    }
    for (Index k = 0; k < sent; ++k)
        for (Index n = 0; n < times; ++n)
            for (Index e = 0; e < elements; ++e)
                sample[static_cast<std::size_t>((k * times + n) * elements + e)] = rf(k, e, n);
    return phantom.family();
}

Acquisition ChannelDataDomain::acquisition() const {
    Acquisition a{.array = options_.array, .transmissions = options_.scan.transmissions};
    a.sampling_frequency = options_.scan.sampling_frequency;
    a.centre_frequency = options_.scan.centre_frequency;
    a.start_times.assign(a.transmissions.size(), options_.scan.start_time);
    a.samples = options_.samples;
    a.peak_time = options_.scan.peak_time;
    a.sound_speed = options_.scan.sound_speed;
    return a;
}

void ChannelDataDomain::describe(Hdf5File& shard, Index /*samples*/) const {
    if (options_.delays) {
        describe_grid(shard, setup_.grid);
        const std::vector<Transmission>& sent = options_.scan.transmissions;
        const bool plane = sent[0].wavefront == Wavefront::plane;
        std::vector<float> places;
        for (const auto& [first, second] : options_.delays->pairs.pairs)
            for (const Index k : {first, second}) {
                const Transmission& t = sent[static_cast<std::size_t>(k)];
                places.push_back(static_cast<float>(plane ? t.angle : t.focus.x));
            }
        describe_pairs(shard, places, plane);
        return;
    }
    write_zea_scan(shard, options_.scan, options_.array, setup_.grid);
    shard.write_text("data/sos_map/unit", "m/s");
}

}  // namespace sonolux

// sonolux/sdk/files/zea_read.cpp
//
// zea writes tracks/track_N/{data, scan, label} and probe since 0.1. Files of before have data and scan at
// the root, and the elements' places in scan/probe_geometry. Training sets of Sonolux have data, scan and
// probe at the root. Conventions:
//
//     clock    time 0 is when the first element fires, as ours
//     delays   of all elements, from that time
//     angles   from +z towards +x, as ours; foci at transmit_origins + focus_distances (sin, 0, cos)
//     phases   of IQ count from sample 0: x exp(-2 pi i f start) counts them from time 0
//     pulse    its peak is that of waveforms_two_way (250 MHz), else 1 / center_frequency after its beginning
#include <algorithm>
#include <cmath>

#include <sonolux/core/acoustics/array_geometry.hpp>
#include <sonolux/core/acoustics/wavefront_fit.hpp>
#include <sonolux/sdk/files/channel_data_parts.hpp>
#include <sonolux/sdk/files/zea_fields.hpp>

namespace sonolux::channel_data {

namespace {

constexpr double waveform_sampling_frequency = 250e6;  // Hz, as zea takes it for all files

class ZeaReader {
public:
    ZeaReader(const Hdf5File& file, const ChannelDataReadOptions& options)
        : file_(file), options_(options), known_(knowledge_of(options)) {}

    ChannelDataFile read() {
        find_track();
        raw_ = file_.content(data_ + "/raw_data").sizes;
        require(raw_.size() == 5 && (raw_[4] == 1 || raw_[4] == 2) &&
                    std::all_of(raw_.begin(), raw_.end(), [](Index size) { return size >= 1; }),
                Status::corrupt_data, file_.path(), ": dataset \"", data_,
                "/raw_data\" must be frames x transmissions x samples x elements x 1 (RF) or 2 (IQ), got ",
                text_of(raw_));
        require_possible(file_.path(), data_ + "/raw_data", raw_);
        result_.stored_type = to_string(file_.content(data_ + "/raw_data").type);
        result_.frames = raw_[0];
        result_.transmissions = raw_[1];
        const Selection selection = select(options_, raw_[0], raw_[1], file_.path());

        Acquisition acquisition = read_acquisition();
        apply(known_, acquisition);
        keep(acquisition, selection.transmissions);
        acquisition.samples = raw_[2];
        validate(acquisition, file_.path().c_str());
        result_.data.acquisition = std::move(acquisition);
        read_samples(selection);
        finish(result_, file_.path());
        return std::move(result_);
    }

private:
    static std::string text_of(const std::vector<Index>& sizes) {
        std::string text;
        for (const Index size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
        return text.empty() ? "a scalar" : text;
    }

    template <class... Parts>
    void remark(const Parts&... parts) {
        result_.remarks.push_back(sentence(parts...));
    }

    std::string label_of(const std::string& track) const {
        const std::string name = "tracks/" + track + "/label";
        return file_.has(name) ? file_.read_text(name) : "";
    }

    void find_track() {
        result_.format = "zea";
        if (file_.has_attribute("/", "zea_version"))
            result_.format += " " + file_.text_attribute("/", "zea_version");
        else
            result_.format += " before 0.1";
        if (!file_.has("tracks")) {
            require(options_.part.empty(), Status::invalid_argument, file_.path(),
                    ": has no tracks to choose from, \"", options_.part, "\" was asked for");
            require(file_.has("data/raw_data"), Status::unsupported, file_.path(),
                    ": has no data/raw_data: no recording of channels");
            data_ = "data";
            scan_ = "scan";
            return;
        }
        std::string found, list;
        Index recordings = 0;
        for (const std::string& track : file_.names("tracks")) {
            if (!file_.has("tracks/" + track + "/data/raw_data")) continue;
            const std::string label = label_of(track);
            list += (list.empty() ? "" : ", ") + track + (label.empty() ? "" : " (\"" + label + "\")");
            ++recordings;
            const bool wanted = options_.part.empty() || options_.part == label || options_.part == track ||
                                "track_" + options_.part == track;
            if (found.empty() && wanted) found = track;
        }
        require(!list.empty(), Status::unsupported, file_.path(),
                ": none of its tracks has data/raw_data: no recording of channels");
        require(!found.empty(), Status::invalid_argument, file_.path(), ": has no track \"", options_.part,
                "\"; it has ", list);
        if (options_.part.empty() && recordings > 1)
            remark("Of the tracks ", list, ", ", found, " was read.");
        data_ = "tracks/" + found + "/data";
        scan_ = "tracks/" + found + "/scan";
        result_.part = found;
    }

    // --- scan and probe ---

    std::string where(const char* field) const { return "dataset \"" + scan_ + "/" + field + "\""; }

    std::optional<double> number(const std::string& name) const {
        if (!file_.has(name)) return {};
        const std::vector<double> values = file_.numbers(name);
        require(!values.empty() && std::all_of(values.begin(), values.end(),
                                               [&](double value) { return value == values[0]; }),
                Status::unsupported, file_.path(), ": dataset \"", name,
                "\" must be one number, or the same for all transmissions");
        return values[0];
    }
    std::optional<double> scanned(const char* field) const { return number(scan_ + "/" + field); }

    /// A field that must have these sizes.
    std::vector<double> list(const char* field, const std::vector<Index>& sizes) const {
        const std::string name = scan_ + "/" + field;
        const std::vector<Index> found = file_.content(name).sizes;
        require(found == sizes, Status::size_mismatch, file_.path(), ": ", where(field), " is ",
                text_of(found), ", ", text_of(sizes), " is expected: ", data_, "/raw_data has ", raw_[1],
                " transmissions and the probe ", elements_, " elements");
        return file_.numbers(name);
    }
    std::vector<double> needed_list(const char* field, const std::vector<Index>& sizes) const {
        require(file_.has(scan_ + "/" + field), Status::corrupt_data, file_.path(), ": ", where(field),
                " is missing");
        return list(field, sizes);
    }
    std::vector<double> list_or(const char* field, const std::vector<Index>& sizes, double otherwise) const {
        if (file_.has(scan_ + "/" + field)) return list(field, sizes);
        Index count = 1;
        for (const Index size : sizes) count *= size;
        return std::vector<double>(static_cast<std::size_t>(count), otherwise);
    }

    TransducerArray read_array() {
        const std::string places =
            file_.has("probe/probe_geometry") ? "probe/probe_geometry" : scan_ + "/probe_geometry";
        require(file_.has(places), Status::corrupt_data, file_.path(), ": neither probe/probe_geometry nor ",
                scan_, "/probe_geometry is there: where the elements are is not known");
        const std::vector<Index> sizes = file_.content(places).sizes;
        require(sizes.size() == 2 && sizes[0] >= 1 && sizes[1] == 3, Status::corrupt_data, file_.path(),
                ": dataset \"", places, "\" must be elements x 3, got ", text_of(sizes));
        elements_ = sizes[0];
        const std::vector<double> xyz = file_.numbers(places);
        std::vector<Point> points;
        for (std::size_t i = 0; i + 2 < xyz.size(); i += 3) {
            require(std::abs(xyz[i + 1]) < 1e-6, Status::unsupported, file_.path(), ": dataset \"", places,
                    "\": element ", i / 3 + 1, " is at y ", xyz[i + 1],
                    " m; only arrays in the plane y = 0 are read");
            points.push_back({xyz[i], xyz[i + 2]});
        }
        std::optional<double> width = number("probe/element_width");
        if (!width) width = scanned("element_width");
        if (!width && !known_.element_width) {
            width = points.size() > 1
                        ? length(points.back() - points.front()) / static_cast<double>(points.size() - 1)
                        : 3e-4;
            remark("The width of an element is not stated; ", 1e3 * *width, " mm, without a gap, was taken.");
        }
        const double used = known_.element_width.value_or(width.value_or(0));
        return known_array(
            known_, [&] { return named([&] { return array_from_positions(points, used); }); }, elements_,
            used);
    }

    /// Errors of what is computed from the file, with the file's name in front.
    template <class Function>
    auto named(Function&& function) const -> decltype(function()) {
        try {
            return function();
        } catch (const Error& error) {
            throw Error(Status::corrupt_data, file_.path() + ": " + error.what());
        }
    }

    Acquisition read_acquisition() {
        Acquisition a{read_array()};
        const std::string& path = file_.path();
        a.sampling_frequency = stated(known_.sampling_frequency, scanned("sampling_frequency"), path,
                                      "sampling_frequency", where("sampling_frequency"));
        a.centre_frequency = stated(known_.centre_frequency, scanned("center_frequency"), path,
                                    "centre_frequency", where("center_frequency"));
        a.sound_speed = known_.sound_speed.value_or(scanned("sound_speed").value_or(0));
        if (raw_[4] == 1) refuse_demodulation(known_, path);
        if (raw_[4] == 2) {
            a.demodulation_frequency =
                known_.demodulation_frequency.value_or(scanned("demodulation_frequency").value_or(0));
            if (a.demodulation_frequency == 0) {
                a.demodulation_frequency = a.centre_frequency;
                remark("The demodulation frequency is not stated; the centre frequency was taken.");
            }
        }
        read_transmissions(a);
        if (const std::optional<double> thickness = number("probe/lens_thickness"); thickness.value_or(0) > 0)
            a.lens_delay = zea::lens_delay(*thickness, number("probe/lens_sound_speed").value_or(1000),
                                           a.sound_speed > 0 ? a.sound_speed : zea::speed_otherwise);
        read_peak_time(a);
        read_frame_rate(a);
        // What Sonolux wrote itself is there to the last bit, unless somebody changed what zea reads.
        if (const auto exact = named([&] { return zea::read_exact(file_, "custom/sonolux"); });
            exact && result_.part == "track_0" && !known_.pitch && !known_.element_width &&
            named([&] { return says_the_same(*exact); }))
            a = *exact;
        return a;
    }

    bool says_the_same(const Acquisition& exact) const {
        if (exact.sent() != raw_[1] || exact.array.size() != elements_) return false;
        const auto same = [&](const std::string& group, const std::vector<zea::Field>& fields) {
            return std::all_of(fields.begin(), fields.end(), [&](const zea::Field& field) {
                const std::string name = group + "/" + field.name;
                if (!file_.has(name)) return false;
                const std::vector<double> values = file_.numbers(name);
                return std::equal(values.begin(), values.end(), field.values.begin(), field.values.end(),
                                  [](double in_file, float ours) { return in_file == double{ours}; });
            });
        };
        return same(scan_, zea::scan_fields(exact)) && same("probe", zea::probe_fields(exact));
    }

    void read_transmissions(Acquisition& a) {
        const Index sent = raw_[1];
        const auto delays = needed_list("t0_delays", {sent, elements_});
        const auto weights = list_or("tx_apodizations", {sent, elements_}, 1);
        const auto origins = list_or("transmit_origins", {sent, 3}, 0);
        const bool aimed = file_.has(scan_ + "/polar_angles") && file_.has(scan_ + "/focus_distances");
        const auto distances = list_or("focus_distances", {sent}, 0);
        const auto angles = list_or("polar_angles", {sent}, 0);
        for (const double azimuth : list_or("azimuth_angles", {sent}, 0))
            require(std::abs(azimuth) < 1e-6, Status::unsupported, file_.path(), ": ",
                    where("azimuth_angles"), " has ", azimuth,
                    " rad; only waves in the plane y = 0 are read");
        if (known_.start_time)
            a.start_times.assign(static_cast<std::size_t>(sent), *known_.start_time);
        else if (file_.has(scan_ + "/initial_times"))
            a.start_times = list("initial_times", {sent});
        else
            (void)stated({}, {}, file_.path(), "start_time", where("initial_times"));
        const double tolerance = delay_tolerance(a.centre_frequency);
        for (Index k = 0; k < sent; ++k) {
            Transmission t;
            t.delays.assign(delays.begin() + k * elements_, delays.begin() + (k + 1) * elements_);
            t.apodization.assign(weights.begin() + k * elements_, weights.begin() + (k + 1) * elements_);
            const auto row = static_cast<std::size_t>(k);
            const double early = start_at_first_element(t);
            if (!known_.start_time) a.start_times[row] -= early;
            named([&] {
                validate(t, a.array,
                         sentence(scan_, "/t0_delays and tx_apodizations of transmission ", k + 1).c_str());
                return 0;
            });
            if (!aimed) {
                require(a.sound_speed > 0, Status::invalid_argument, file_.path(), ": ",
                        where("polar_angles"), " or ", where("focus_distances"),
                        " is missing, and for the wavefronts of delays alone sound_speed must be known");
                t = wavefront_of_delays(
                    a.array, t.delays, t.apodization, a.sound_speed, tolerance,
                    sentence(file_.path(), ": ", scan_, "/t0_delays of transmission ", k + 1));
            } else {
                aim(t, angles[row], distances[row], {origins[3 * row], origins[3 * row + 2]}, k);
            }
            a.transmissions.push_back(std::move(t));
        }
        if (!aimed) {
            remark("Directions and foci are not stated; the delays were taken at their word.");
            return;
        }
        complete_wavefronts(
            a.transmissions, a.array, a.sound_speed, tolerance,
            {"t0_delays", "polar_angles, focus_distances and transmit_origins", "transmission"},
            file_.path() + ": " + scan_);
        for (const Transmission& t : a.transmissions)
            if (t.wavefront != Wavefront::element && a.sound_speed > 0 && t.sound_speed != a.sound_speed) {
                remark("The delays are those for ", t.sound_speed, " m/s, not for the sound_speed of ",
                       a.sound_speed, " m/s.");
                break;
            }
    }

    void aim(Transmission& t, double angle, double distance, Point origin, Index k) const {
        require(std::abs(angle) <= 1.5, Status::corrupt_data, file_.path(), ": ", where("polar_angles"),
                " of transmission ", k + 1, " must be within 1.5 rad of straight down, got ", angle,
                std::abs(angle) <= 90 ? "; is it in degrees?" : "");
        require(!std::isnan(distance) && (std::isinf(distance) || std::abs(distance) < 1),
                Status::corrupt_data, file_.path(), ": ", where("focus_distances"), " of transmission ", k,
                " must be infinite or within 1 m, got ", distance, "; is it in wavelengths or millimetres?");
        if (std::isinf(distance) || distance == 0) {
            t.wavefront = Wavefront::plane;
            t.angle = angle;
            return;
        }
        t.wavefront = distance > 0 ? Wavefront::focused : Wavefront::diverging;
        t.focus = origin + distance * Point{std::sin(angle), std::cos(angle)};
    }

    void read_peak_time(Acquisition& a) {
        if (known_.peak_time) return;
        if (file_.has_attribute(scan_, zea::peak_time_attribute)) {
            a.peak_time = file_.number_attribute(scan_, zea::peak_time_attribute);
            return;
        }
        const std::string waveforms = scan_ + "/waveforms_two_way";
        if (file_.has(waveforms) && !file_.is_group(waveforms)) {
            const std::vector<Index> sizes = file_.content(waveforms).sizes;
            if (sizes.size() == 2 && sizes[0] >= 1 && sizes[1] >= 1) {
                a.peak_time = peak_of(file_.numbers(waveforms), sizes[1], a.centre_frequency);
                return;
            }
        }
        a.peak_time = 1 / a.centre_frequency;
        remark("When the pulse has its peak is not stated; one period, ", 1e6 * a.peak_time,
               " us, was taken, as zea does.");
    }

    /// The largest envelope of the first waveform: its magnitude at the centre frequency, over two periods
    /// under a Hann window.
    static double peak_of(const std::vector<double>& waveforms, Index length, double centre_frequency) {
        const double step = 2 * std::numbers::pi * centre_frequency / waveform_sampling_frequency;
        const auto half = static_cast<Index>(std::ceil(waveform_sampling_frequency / centre_frequency));
        double largest = -1;
        Index peak = 0;
        for (Index n = 0; n < length; ++n) {
            double re = 0, im = 0;
            for (Index m = std::max<Index>(0, n - half); m <= std::min(length - 1, n + half); ++m) {
                const double weight = 0.5 + 0.5 * std::cos(std::numbers::pi * static_cast<double>(m - n) /
                                                           static_cast<double>(half + 1));
                const double value = weight * waveforms[static_cast<std::size_t>(m)];
                re += value * std::cos(step * static_cast<double>(m));
                im += value * std::sin(step * static_cast<double>(m));
            }
            if (re * re + im * im > largest) {
                largest = re * re + im * im;
                peak = n;
            }
        }
        return static_cast<double>(peak) / waveform_sampling_frequency;
    }

    void read_frame_rate(Acquisition& a) const {
        const std::string name = scan_ + "/time_to_next_transmit";
        if (!file_.has(name) || file_.content(name).sizes != std::vector<Index>{raw_[0], raw_[1]}) return;
        const std::vector<double> times = file_.numbers(name);
        double period = 0;
        for (Index k = 0; k < raw_[1]; ++k) period += times[static_cast<std::size_t>(k)];
        if (period >= 1e-6 && std::isfinite(period)) a.frame_rate = 1 / period;
    }

    // --- samples ---

    /// The element of each receive channel of a transmission; a probe may listen with some of its elements.
    std::vector<Index> listeners() const {
        std::vector<Index> all;
        const bool named = file_.has(scan_ + "/rx_aperture_indices");
        if (raw_[3] == elements_ && !named) {
            for (Index k = 0; k < raw_[1]; ++k)
                for (Index e = 0; e < elements_; ++e) all.push_back(e);
            return all;
        }
        require(named, Status::size_mismatch, file_.path(), ": ", data_, "/raw_data has ", raw_[3],
                " channels, the probe has ", elements_, " elements, and ", where("rx_aperture_indices"),
                " does not say which of them listened");
        std::vector<Index> last(static_cast<std::size_t>(elements_), -1);  // transmission that heard with it
        for (const double index : list("rx_aperture_indices", {raw_[1], raw_[3]})) {
            const Index transmission = static_cast<Index>(all.size()) / raw_[3];
            require(index >= 0 && index < static_cast<double>(elements_) && index == std::floor(index),
                    Status::corrupt_data, file_.path(), ": ", where("rx_aperture_indices"),
                    " of transmission ", transmission + 1, " must be whole numbers from 0 to ", elements_ - 1,
                    ", got ", index);
            const auto element = static_cast<Index>(index);
            Index& heard = last[static_cast<std::size_t>(element)];
            require(heard != transmission, Status::corrupt_data, file_.path(), ": ",
                    where("rx_aperture_indices"), " of transmission ", transmission + 1, " has ", index,
                    " twice: two channels cannot be of one element");
            heard = transmission;
            all.push_back(element);
        }
        return all;
    }

    void read_samples(const Selection& selection) {
        const std::vector<Index> listener = listeners();
        const Index times = raw_[2], heard = raw_[3], channels = raw_[4];
        const auto sent = static_cast<Index>(selection.transmissions.size());
        Array<float>& values = result_.data.values;
        values = Array<float>({selection.frames, sent, elements_, times * channels});
        if (heard != elements_) std::fill(values.begin(), values.end(), std::nanf(""));
        std::vector<float> block;
        for (Index frame = 0; frame < selection.frames; ++frame)
            for (Index first = 0; first < sent;) {
                // As many neighbours as there are, so that a compressed chunk is unpacked once.
                Index run = 1;
                const auto wanted = [&](Index n) {
                    return selection.transmissions[static_cast<std::size_t>(n)];
                };
                while (first + run < sent && wanted(first + run) == wanted(first) + run) ++run;
                block.resize(static_cast<std::size_t>(run * times * heard * channels));
                file_.read_part_as_float(data_ + "/raw_data",
                                         {selection.first_frame + frame, wanted(first), 0, 0, 0},
                                         {1, run, times, heard, channels}, block);
                for (Index k = 0; k < run; ++k)
                    for (Index r = 0; r < heard; ++r) {
                        const Index e = listener[static_cast<std::size_t>((wanted(first) + k) * heard + r)];
                        float* trace = &values(frame, first + k, e, 0);
                        const float* from = block.data() + (k * times * heard + r) * channels;
                        for (Index n = 0; n < times; ++n)
                            for (Index c = 0; c < channels; ++c)
                                trace[n * channels + c] = from[n * heard * channels + c];
                    }
                first += run;
            }
        const Acquisition& a = result_.data.acquisition;
        if (a.demodulated()) turn_phases(values, a.demodulation_frequency, a.start_times);
    }

    const Hdf5File& file_;
    const ChannelDataReadOptions& options_;
    const AcquisitionKnowledge known_;
    ChannelDataFile result_ = nothing_yet();
    std::string data_, scan_;
    std::vector<Index> raw_;
    Index elements_ = 0;
};

}  // namespace

bool is_zea(const Hdf5File& file) { return file.has("tracks") || file.has("data"); }

ChannelDataFile read_zea(const Hdf5File& file, const ChannelDataReadOptions& options) {
    return ZeaReader(file, options).read();
}

}  // namespace sonolux::channel_data

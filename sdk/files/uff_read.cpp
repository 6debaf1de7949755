// sonolux/sdk/files/uff_read.cpp
//
// uff.hpp says what is where, and what USTB's clock is.
#include <algorithm>
#include <cmath>

#include <sonolux/core/acoustics/array_geometry.hpp>
#include <sonolux/sdk/files/channel_data_parts.hpp>

namespace sonolux::channel_data {

namespace {

class UffReader {
public:
    UffReader(const Hdf5File& file, const ChannelDataReadOptions& options)
        : file_(file), options_(options), known_(knowledge_of(options)) {}

    ChannelDataFile read() {
        check_version();
        find_recording();
        const std::vector<std::string> waves = children("sequence", "uff.wave");
        measure(static_cast<Index>(waves.size()));
        result_.stored_type =
            std::string(complex_ ? "complex " : "") + to_string(file_.content(first_part()).type);
        const Selection selection = select(options_, sizes_[0], sizes_[1], file_.path());

        Acquisition a{read_array()};
        a.sampling_frequency = stated(known_.sampling_frequency, number(place_ + "/sampling_frequency"),
                                      path(), "sampling_frequency", where("sampling_frequency"));
        a.sound_speed = known_.sound_speed.value_or(number(place_ + "/sound_speed").value_or(0));
        read_frequencies(a);
        if (const auto rate = number(place_ + "/PRF"))
            a.frame_rate = *rate / static_cast<double>(waves.size());
        std::optional<double> begin = number(place_ + "/initial_time");
        if (!begin && !known_.start_time) (void)stated({}, {}, path(), "start_time", where("initial_time"));
        const double initial_time = begin.value_or(0);
        for (const std::string& wave : waves) read_wave(a, wave, initial_time);
        a.samples = sizes_[3];
        apply(known_, a);
        keep(a, selection.transmissions);
        validate(a, path().c_str());
        read_samples(selection);
        if (complex_) {
            std::vector<double> shift;
            for (const double start : a.start_times) shift.push_back(start - initial_time);
            turn_phases(result_.data.values, a.demodulation_frequency, shift);
        }
        result_.data.acquisition = std::move(a);
        finish(result_, path());
        return std::move(result_);
    }

private:
    const std::string& path() const { return file_.path(); }
    std::string where(const char* field) const { return "dataset \"" + place_ + "/" + field + "\""; }

    std::string class_of(const std::string& object) const {
        return file_.has_attribute(object, "class") ? file_.text_attribute(object, "class") : "";
    }

    std::optional<double> number(const std::string& name) const {
        if (!file_.has(name) || file_.is_group(name)) return {};
        return file_.number(name);
    }
    double number_or(const std::string& name, double otherwise) const {
        return number(name).value_or(otherwise);
    }

    void check_version() {
        if (file_.has("version/major")) {
            std::string version = "UFF v";
            const char* dot = "";
            for (const char* part : {"major", "minor", "patch"})
                if (const auto value = number(sentence("version/", part))) {
                    version += sentence(dot, *value);
                    dot = ".";
                }
            refuse(Status::unsupported, path(), "is ", version,
                   " (of bitbucket.org/ultrasound_file_format), which is another format than USTB's UFF "
                   "v1.0 to v1.2; only these are read");
        }
        if (!file_.has_attribute("/", "version")) {  // pyuff_ustb writes none
            result_.format = "UFF";
            result_.remarks.push_back("The version of UFF is not stated; v1.2.0 was taken.");
            return;
        }
        const std::string version = file_.text_attribute("/", "version");
        constexpr const char* versions[] = {"v1.0.0", "v1.0.1", "v1.1.0", "v1.1.1", "v1.2.0"};
        require(std::find(std::begin(versions), std::end(versions), version) != std::end(versions),
                Status::unsupported, path(), ": is UFF \"", version,
                "\"; read are v1.0.0, v1.0.1, v1.1.0, v1.1.1 and v1.2.0");
        result_.format = "UFF " + version;
    }

    void find_recording() {
        std::vector<std::string> found;
        std::string list;
        const auto is_list = [&](const std::string& place) {
            return file_.has_attribute(place, "array") && file_.number_attribute(place, "array") != 0;
        };
        const auto consider = [&](const std::string& place) {
            if (class_of(place) != "uff.channel_data" || is_list(place)) return;
            found.push_back(place);
            list += (list.empty() ? "" : ", ") + place;
        };
        for (const std::string& name : file_.names("/")) {
            if (!file_.is_group(name)) continue;
            consider(name);
            if (class_of(name) == "uff.channel_data" && is_list(name))
                for (const std::string& child : file_.names(name)) consider(name + "/" + child);
        }
        require(!found.empty(), Status::unsupported, path(), ": holds no uff.channel_data");
        const std::string& wanted = options_.part;
        if (wanted.empty()) {
            place_ = found[0];
            if (found.size() > 1)
                result_.remarks.push_back("Of the recordings " + list + ", " + place_ + " was read.");
        } else {
            const auto at = std::find(found.begin(), found.end(), wanted);
            require(at != found.end(), Status::invalid_argument, path(), ": holds no recording \"", wanted,
                    "\"; it holds ", list);
            place_ = *at;
        }
        result_.part = place_;
    }

    /// One object, or those of a list in the order of their numbers.
    std::vector<std::string> children(const char* field, const std::string& class_name) const {
        const std::string name = place_ + "/" + field;
        require(file_.has(name) && file_.is_group(name), Status::corrupt_data, path(), ": \"", name,
                "\" is missing");
        require(class_of(name) == class_name, Status::corrupt_data, path(), ": \"", name, "\" is of class \"",
                class_of(name), "\", ", class_name, " is expected");
        if (!file_.has_attribute(name, "array") || file_.number_attribute(name, "array") == 0) return {name};
        std::vector<std::string> list = file_.names(name);
        // sequence_10000 comes after sequence_9999.
        std::stable_sort(list.begin(), list.end(),
                         [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
        double expected = 1;
        for (const double size : file_.numbers_attribute(name, "size")) expected *= size;
        require(static_cast<double>(list.size()) == expected && !list.empty(), Status::corrupt_data, path(),
                ": \"", name, "\" has ", list.size(), " objects, its attribute \"size\" says ", expected);
        for (std::string& child : list) child = name + "/" + child;
        return list;
    }

    std::string first_part() const { return place_ + (complex_ ? "/data/real" : "/data"); }

    /// sizes_: frames, waves, channels, samples.
    void measure(Index waves) {
        const std::string data = place_ + "/data";
        require(file_.has(data), Status::corrupt_data, path(), ": ", where("data"), " is missing");
        complex_ = file_.is_group(data);
        stored_ = file_.content(first_part()).sizes;
        if (complex_)
            require(file_.content(data + "/imag").sizes == stored_, Status::size_mismatch, path(),
                    ": datasets \"", data, "/real\" and \"", data, "/imag\" are not of one size");
        require(stored_.size() >= 2 && stored_.size() <= 4, Status::corrupt_data, path(), ": dataset \"",
                first_part(), "\" must have 2 to 4 indices (frame, wave, channel, time), has ",
                stored_.size());
        sizes_.assign(4 - stored_.size(), 1);  // MATLAB drops its last indices where they are 1
        sizes_.insert(sizes_.end(), stored_.begin(), stored_.end());
        for (const Index size : sizes_)
            require(size >= 1, Status::corrupt_data, path(), ": dataset \"", first_part(), "\" is empty");
        require_possible(path(), first_part(), sizes_);
        require(sizes_[1] == waves, Status::size_mismatch, path(), ": dataset \"", first_part(), "\" has ",
                sizes_[1], " waves, \"", place_, "/sequence\" has ", waves);
        result_.frames = sizes_[0];
        result_.transmissions = sizes_[1];
    }

    void read_frequencies(Acquisition& a) {
        const double modulation = number_or(place_ + "/modulation_frequency", 0);
        require(complex_ == (modulation != 0), Status::corrupt_data, path(), ": ",
                where("modulation_frequency"), " is ", modulation, " Hz, but the samples are ",
                complex_ ? "complex" : "real");
        if (!complex_) refuse_demodulation(known_, path());
        a.demodulation_frequency = modulation;
        std::optional<double> centre = number(place_ + "/pulse/center_frequency");
        if (!centre && complex_ && !known_.centre_frequency) {
            centre = modulation;
            result_.remarks.push_back(
                "The centre frequency is not stated; that of the demodulation was taken.");
        }
        a.centre_frequency = stated(known_.centre_frequency, centre, path(), "centre_frequency",
                                    where("pulse/center_frequency"));
    }

    // --- the probe ---

    TransducerArray read_array() {
        const Index channels = sizes_[2];
        const std::string probe = place_ + "/probe";
        double width = number_or(probe + "/element_width", 0);
        if (known_.element_width) width = *known_.element_width;
        try {
            TransducerArray array = known_array(
                known_, [&] { return array_in(probe, width); }, channels, width > 0 ? width : 1);
            require(array.size() == channels, Status::size_mismatch, "\"", probe, "\" has ", array.size(),
                    " elements, the data ", channels, " channels");
            return array;
        } catch (const Error& error) {
            throw Error(error.status() == Status::invalid_argument ? Status::corrupt_data : error.status(),
                        path() + ": " + error.what());
        }
    }

    TransducerArray array_in(const std::string& probe, double width) const {
        require(file_.has(probe), Status::corrupt_data, "\"", probe, "\" is missing");
        const std::string class_name = class_of(probe);
        require(class_name == "uff.probe" || class_name == "uff.linear_array" ||
                    class_name == "uff.curvilinear_array",
                Status::unsupported, "\"", probe, "\" is of class \"", class_name,
                "\"; read are uff.linear_array, uff.curvilinear_array and uff.probe");
        const auto count = number(probe + "/N"), pitch = number(probe + "/pitch"),
                   radius = number(probe + "/radius");
        std::optional<TransducerArray> regular;
        if (class_name != "uff.probe" && count && pitch) {
            require(*count >= 1 && *count <= 65536 && *count == std::floor(*count), Status::corrupt_data,
                    "dataset \"", probe, "/N\" must be 1 to 65536, got ", *count);
            const double used = width > 0 ? width : *pitch;
            if (class_name == "uff.linear_array") {
                regular = make_linear_array(static_cast<Index>(*count), *pitch, std::min(used, *pitch));
            } else {
                require(radius.has_value() && *radius > 0.5 * *pitch, Status::corrupt_data, "dataset \"",
                        probe, "/radius\" must be there, and more than half the pitch");
                const double arc =
                    2 * *radius * std::asin(0.5 * *pitch / *radius);  // USTB's pitch is the chord
                regular = make_convex_array(static_cast<Index>(*count), arc, std::min(used, arc), *radius);
            }
        }
        if (!file_.has(probe + "/geometry")) {
            require(regular.has_value(), Status::corrupt_data, "\"", probe,
                    "\" has neither geometry nor N and pitch");
            return *std::move(regular);
        }
        return array_of_geometry(probe, width, regular);
    }

    /// Rows x, y, z, theta, phi, width, height.
    TransducerArray array_of_geometry(const std::string& probe, double width,
                                      const std::optional<TransducerArray>& regular) const {
        const std::string name = probe + "/geometry";
        const std::vector<Index> sizes = file_.content(name).sizes;
        require(sizes.size() == 2 && sizes[0] == 7 && sizes[1] >= 1, Status::corrupt_data, "dataset \"", name,
                "\" must be 7 x elements (in MATLAB elements x 7)");
        const std::vector<double> all = file_.numbers(name);
        const auto count = static_cast<std::size_t>(sizes[1]);
        const auto at = [&](std::size_t row, std::size_t i) { return all[row * count + i]; };
        std::vector<Point> points;
        std::vector<ArrayElement> elements;
        for (std::size_t i = 0; i < count; ++i) {
            require(std::abs(at(1, i)) < 1e-6 && std::abs(at(4, i)) < 1e-3, Status::unsupported, "dataset \"",
                    name, "\": element ", i + 1, " is at y ", at(1, i), " m, turned by ", at(4, i),
                    " rad; only arrays in the plane y = 0 are read");
            points.push_back({at(0, i), at(2, i)});
            elements.push_back({points.back(), at(3, i)});
        }
        if (regular) {
            bool same = regular->size() == sizes[1];
            for (std::size_t i = 0; i < count && same; ++i)
                same = length(regular->elements()[i].position - points[i]) < 1e-6;
            require(same, Status::corrupt_data, "datasets \"", name, "\" and \"", probe,
                    "/pitch\" contradict each other: elements are not where N, pitch and radius put them");
            return *regular;
        }
        double used = width > 0 ? width : at(5, 0);
        if (!(used > 0)) used = count > 1 ? length(points[1] - points[0]) : 3e-4;
        TransducerArray fitted = array_from_positions(points, used);
        for (std::size_t i = 0; i < count; ++i)
            if (std::abs(fitted.elements()[i].angle - elements[i].angle) > 1e-3)
                return {std::move(elements), used};
        return fitted;
    }

    // --- waves ---

    struct Source {
        double distance, azimuth;
        Point place;
    };

    Source read_point(const std::string& name) const {
        Source source{number_or(name + "/distance", 0), number_or(name + "/azimuth", 0), {}};
        const double elevation = number_or(name + "/elevation", 0);
        require(std::abs(elevation) < 1e-6, Status::unsupported, path(), ": \"", name, "\" is elevated by ",
                elevation, " rad; only waves in the plane y = 0 are read");
        if (std::isfinite(source.distance))
            source.place = source.distance * Point{std::sin(source.azimuth), std::cos(source.azimuth)};
        return source;
    }

    std::vector<double> read_weights(const std::string& wave, const TransducerArray& array) {
        for (const std::string field : {"/apodization_values", "/apodization/apodization_vector"}) {
            const std::string name = wave + field;
            if (!file_.has(name) || file_.is_group(name)) continue;
            std::vector<double> weights = file_.numbers(name);
            require(static_cast<Index>(weights.size()) == array.size(), Status::size_mismatch, path(),
                    ": dataset \"", name, "\" has ", weights.size(), " weights, the probe ", array.size(),
                    " elements");
            return weights;
        }
        const double window = number_or(wave + "/apodization/window", 0);
        if (window != 0 && window != 7 && !remarked_) {
            remarked_ = true;
            result_.remarks.push_back(sentence("The weights of the transmit apodization (window ", window,
                                               ") are not in the file; all elements were taken to fire."));
        }
        return std::vector<double>(static_cast<std::size_t>(array.size()), 1.0);
    }

    void read_wave(Acquisition& a, const std::string& wave, double initial_time) {
        const double wavefront = number_or(wave + "/wavefront", 1);
        require(wavefront == 0 || wavefront == 1, Status::unsupported, path(), ": dataset \"", wave,
                "/wavefront\" must be 0 (plane) or 1 (spherical), got ", wavefront,
                wavefront == 2 ? " (photoacoustic: nothing is sent)" : "");
        const Source source = read_point(wave + "/source");
        const double speed = number_or(wave + "/sound_speed", 1540);
        std::vector<double> weights = read_weights(wave, a.array);
        Transmission t;
        try {
            t = transmission_of(a.array, source, wavefront == 0, speed, std::move(weights), wave);
        } catch (const Error& error) {
            throw Error(Status::corrupt_data, path() + ": \"" + wave + "\": " + error.what());
        }
        a.start_times.push_back(initial_time + number_or(wave + "/delay", 0) + t.focus_time -
                                passes_source(t, speed));
        a.transmissions.push_back(std::move(t));
    }

    Transmission transmission_of(const TransducerArray& array, const Source& source, bool plane, double speed,
                                 std::vector<double> weights, const std::string& wave) const {
        if (plane || std::isinf(source.distance))
            return plane_wave(array, source.azimuth, speed, std::move(weights));
        const Index active = std::count_if(weights.begin(), weights.end(), [](double w) { return w != 0; });
        const bool alone = active == 1 || number_or(wave + "/apodization/window", 0) == 7;
        const double near = 0.1 * (array.size() > 1 ? array.pitch() : array.element_width());
        for (Index e = 0; e < array.size(); ++e)
            if (length(array[e].position - source.place) < near) return single_element(array, e);
        require(!alone, Status::corrupt_data, "one element fires, but its source is at x ",
                1e3 * source.place.x, " mm, z ", 1e3 * source.place.z, " mm, where there is none");
        return source.place.z < 0 ? diverging_wave(array, source.place, speed, std::move(weights))
                                  : focused_beam(array, source.place, speed, std::move(weights));
    }

    // --- samples ---

    void read_samples(const Selection& selection) {
        const auto sent = static_cast<Index>(selection.transmissions.size());
        const Index channels = sizes_[2], times = sizes_[3], parts = complex_ ? 2 : 1;
        Array<float>& values = result_.data.values;
        values = Array<float>({selection.frames, sent, channels, parts * times});
        std::vector<float> half(complex_ ? static_cast<std::size_t>(channels * times) : 0);
        const auto block = [&](Index frame, Index wave) {
            const std::vector<Index> start = {frame, wave, 0, 0}, count = {1, 1, channels, times};
            const auto skip = static_cast<std::ptrdiff_t>(4 - stored_.size());
            return std::pair(std::vector<Index>(start.begin() + skip, start.end()),
                             std::vector<Index>(count.begin() + skip, count.end()));
        };
        for (Index frame = 0; frame < selection.frames; ++frame)
            for (Index k = 0; k < sent; ++k) {
                const auto [start, count] = block(selection.first_frame + frame,
                                                  selection.transmissions[static_cast<std::size_t>(k)]);
                float* to = &values(frame, k, 0, 0);
                if (!complex_) {
                    file_.read_part_as_float(place_ + "/data", start, count,
                                             {to, static_cast<std::size_t>(channels * times)});
                    continue;
                }
                for (const Index part : {0, 1}) {
                    file_.read_part_as_float(place_ + (part == 0 ? "/data/real" : "/data/imag"), start, count,
                                             half);
                    for (std::size_t i = 0; i < half.size(); ++i)
                        to[2 * static_cast<Index>(i) + part] = half[i];
                }
            }
    }

    const Hdf5File& file_;
    const ChannelDataReadOptions& options_;
    const AcquisitionKnowledge known_;
    ChannelDataFile result_ = nothing_yet();
    std::string place_;
    std::vector<Index> stored_, sizes_;
    bool complex_ = false, remarked_ = false;
};

}  // namespace

bool is_uff(const Hdf5File& file) {
    if (file.has("version/major")) return true;
    if (file.has("tracks") || file.has_attribute("/", "zea_version")) return false;
    if (file.has_attribute("/", "version")) return true;
    for (const std::string& name : file.names("/"))
        if (file.has_attribute(name, "class") && file.text_attribute(name, "class").starts_with("uff."))
            return true;
    return false;
}

ChannelDataFile read_uff(const Hdf5File& file, const ChannelDataReadOptions& options) {
    return UffReader(file, options).read();
}

}  // namespace sonolux::channel_data

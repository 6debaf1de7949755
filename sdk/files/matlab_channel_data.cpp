// sonolux/sdk/files/matlab_channel_data.cpp
//
// MATLAB files have no convention but people's own. Two are read: the struct `param` of MUST and PyMUST
// beside a matrix RF or IQ (github.com/creatis-ULTIM/PyMUST), and whatever a description says.
//
//     MUST            here
//     fs, fc, c       sampling_frequency, centre_frequency, sound_speed
//     pitch or kerf   of neighbours; radius: infinite for a line; width, by default the pitch
//     TXdelay         [transmission, element] s, NaN: silent; TXapodization
//     t0              s from an element without delay firing to sample 0; by default 0
//     PRF             frame_rate, where there is one transmission
//     RF              [time, element, frame], or [time, element, transmission, frame] where TXdelay has as
//                     many rows as the third index; a cell array has a matrix for each transmission
//     IQ              RF exp(-2 pi i fc t) on the clock of t0, low-passed
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include <sonolux/sdk/files/channel_data_description.hpp>
#include <sonolux/sdk/files/channel_data_parts.hpp>
#include <sonolux/sdk/files/mat_file.hpp>

namespace sonolux::channel_data {

namespace {

namespace fs = std::filesystem;

std::string description_of(const std::string& path, const std::string& given) {
    if (!given.empty()) return given;
    const fs::path beside = fs::path(path).replace_extension(".toml");
    if (fs::exists(beside)) return beside.string();
    const fs::path common = fs::path(path).parent_path() / "acquisition.toml";
    return fs::exists(common) ? common.string() : "";
}

class MatlabReader {
public:
    MatlabReader(const std::string& path, const ChannelDataReadOptions& options)
        : path_(path), options_(options) {}

    ChannelDataFile read() {
        result_.format = "MATLAB";
        const std::string description = description_of(path_, options_.description);
        if (!description.empty()) {
            description_.emplace(Description::read(description));
            if (options_.description.empty())
                result_.remarks.push_back("Described by " + description + ", which lies beside it.");
        }
        find_samples();
        read_param();
        const AcquisitionKnowledge told = description_ ? description_->known() : AcquisitionKnowledge{};
        known_ = first_of(options_.known, first_of(told, param_));
        const std::vector<double> delays = read_delays();
        arrange(delays.size());

        const Index elements = size_of(Axis::element);
        Acquisition a{read_array(elements)};
        a.centre_frequency = stated(known_.centre_frequency, {}, path_, "centre_frequency",
                                    "param.fc or pulse.centre_frequency");
        a.sampling_frequency = stated(known_.sampling_frequency, {}, path_, "sampling_frequency",
                                      "param.fs or recording.sampling_frequency");
        if (complex_)
            a.demodulation_frequency = known_.demodulation_frequency.value_or(a.centre_frequency);
        else
            refuse_demodulation(known_, path_);
        a.samples = size_of(Axis::time);
        read_transmissions(a, delays);
        if (description_) description_->reject_unused();
        apply(known_, a);
        if (!known_.peak_time)
            result_.remarks.push_back(
                "When the pulse has its peak is not stated; times were taken to count to the peak.");

        result_.frames = size_of(Axis::frame);
        result_.transmissions = size_of(Axis::transmission);
        require(result_.transmissions == a.sent(), Status::size_mismatch, path_, ": \"", result_.part,
                "\" has ", result_.transmissions, " transmissions, its description ", a.sent());
        const Selection selection = select(options_, result_.frames, result_.transmissions, path_);
        keep(a, selection.transmissions);
        std::vector<double> kept;
        for (const Index k : selection.transmissions)
            kept.push_back(phase_start_[static_cast<std::size_t>(k)]);
        validate(a, path_.c_str());
        read_samples(a, selection);
        if (complex_) {
            for (std::size_t k = 0; k < kept.size(); ++k) kept[k] = a.start_times[k] - kept[k];
            turn_phases(result_.data.values, a.demodulation_frequency, kept);
        }
        result_.data.acquisition = std::move(a);
        finish(result_, path_);
        return std::move(result_);
    }

private:
    // --- which matrix, and what its indices count ---

    void find_samples() {
        std::optional<std::string> name;
        if (!options_.part.empty())
            name = options_.part;
        else if (description_)
            name = description_->variable();
        if (description_) (void)description_->variable();
        if (!name) name = likeliest();
        MatContent content = mat_content(path_, *name);
        cell_ = content.cell();
        if (cell_) {
            cells_ = read_mat(path_, *name);
            require(!cells_.empty(), Status::corrupt_data, path_, ": ", content.description(), " is empty");
            for (const MatArray& one : cells_)
                require(one.sizes == cells_[0].sizes, Status::size_mismatch, path_, ": \"", one.name,
                        "\" is not of the size of \"", cells_[0].name, "\"");
            sizes_ = cells_[0].sizes;
        } else {
            require(content.numeric || content.complex, Status::unsupported, path_, ": ",
                    content.description(), " is no full matrix of numbers");
            sizes_ = content.sizes;
        }
        complex_ = content.complex;
        result_.part = *name;
        result_.stored_type = content.kind;
        require(std::all_of(sizes_.begin(), sizes_.end(), [](Index size) { return size >= 1; }) &&
                    sizes_.size() <= 4,
                Status::unsupported, path_, ": ", content.description(),
                " must have 2 to 4 indices, each at least 1");
    }

    /// RF or IQ, as MUST calls them; or the only one that is large enough to be a recording.
    std::string likeliest() const {
        const std::vector<MatContent> contents = mat_contents(path_);
        std::string list;
        const MatContent* large = nullptr;
        Index candidates = 0;
        for (const MatContent& content : contents) {
            if ((content.name == "RF" || content.name == "IQ") &&
                (content.numeric || content.complex || content.cell()))
                return content.name;
            list += (list.empty() ? "" : ", ") + content.description();
            if ((content.numeric || content.complex) && content.sizes[0] >= 16 && content.elements() >= 256) {
                large = &content;
                ++candidates;
            }
        }
        require(candidates == 1, Status::invalid_argument, path_,
                ": which variable holds the samples? Name it (--part, or samples.variable of a description): "
                "the file holds ",
                list.empty() ? "none" : list);
        return large->name;
    }

    /// axes_[i] is what index i counts.
    void arrange(std::size_t delays) {
        if (description_) {
            if (const auto axes = description_->axes()) axes_ = *axes;
        }
        if (axes_.empty()) {
            axes_ = {Axis::time, Axis::element};
            const std::size_t rows = delays / static_cast<std::size_t>(std::max<Index>(1, sizes_[1]));
            const bool transmissions = sizes_.size() == 4 || (sizes_.size() == 3 && rows > 1 &&
                                                              static_cast<Index>(rows) == sizes_[2]);
            if (transmissions && !cell_) axes_.push_back(Axis::transmission);
            axes_.push_back(Axis::frame);
        }
        if (cell_) {
            require(
                std::find(axes_.begin(), axes_.end(), Axis::transmission) == axes_.end(),
                Status::invalid_argument, path_, ": \"", result_.part,
                "\" is a cell array, whose cells are transmissions; samples.axes must not name them again");
        }
        for (std::size_t i = axes_.size(); i < sizes_.size(); ++i)
            require(sizes_[i] == 1, Status::size_mismatch, path_, ": \"", result_.part, "\" has ",
                    sizes_.size(), " indices, samples.axes names ", axes_.size());
    }

    Index size_of(Axis axis) const {
        if (cell_ && axis == Axis::transmission) return static_cast<Index>(cells_.size());
        for (std::size_t i = 0; i < axes_.size(); ++i)
            if (axes_[i] == axis) return i < sizes_.size() ? sizes_[i] : 1;  // MATLAB drops last indices of 1
        return 1;
    }

    // --- the struct of MUST ---

    void read_param() {
        bool there = false;
        for (const MatContent& content : mat_contents(path_))
            there = there || (content.name == "param" && content.kind == "struct");
        if (!there) return;
        fields_ = read_mat_struct(path_, "param");
        param_.sampling_frequency = field("fs");
        param_.centre_frequency = field("fc");
        param_.sound_speed = field("c");
        param_.element_width = field("width");
        param_.pitch = field("pitch");
        if (const auto kerf = field("kerf"); kerf && !param_.pitch && param_.element_width)
            param_.pitch = *param_.element_width + *kerf;
        if (const auto kerf = field("kerf"); kerf && param_.pitch && !param_.element_width)
            param_.element_width = *param_.pitch - *kerf;
        if (const auto radius = field("radius"); radius && std::isfinite(*radius)) param_.radius = *radius;
        delays_clock_ = true;
    }

    const MatArray* array(const char* name) const {
        for (const MatArray& one : fields_)
            if (one.name == name && !one.values.empty()) return &one;
        return nullptr;
    }

    std::optional<double> field(const char* name) const {
        const MatArray* one = array(name);
        if (one == nullptr) return {};
        require(one->values.size() == 1, Status::corrupt_data, path_, ": param.", name,
                " must be one number, has ", one->values.size());
        return one->values[0];
    }

    // --- what was sent ---

    TransducerArray read_array(Index elements) const {
        if (const auto count = field("Nelements"))
            require(*count == static_cast<double>(elements), Status::size_mismatch, path_,
                    ": param.Nelements is ", *count, ", \"", result_.part, "\" has ", elements, " channels");
        const double pitch = stated(known_.pitch, {}, path_, "pitch", "param.pitch or array.pitch");
        const double width = known_.element_width.value_or(pitch);
        try {
            return known_.radius ? make_convex_array(elements, pitch, width, *known_.radius)
                                 : make_linear_array(elements, pitch, width);
        } catch (const Error& error) {
            throw Error(error.status(), path_ + ": " + error.what());
        }
    }

    /// [transmission, element], row-major; empty where there are none.
    std::vector<double> read_delays() {
        if (description_ && description_->has_transmissions()) {
            const auto name = description_->delays_variable();
            if (!name) return {};
            const std::vector<MatArray> found = read_mat(path_, *name);
            require(found.size() == 1, Status::unsupported, path_, ": \"", *name, "\" must be one matrix");
            return found[0].values;
        }
        const MatArray* delays = array("TXdelay");
        return delays != nullptr ? delays->values : std::vector<double>{};
    }

    void read_transmissions(Acquisition& a, const std::vector<double>& delays) {
        const double tolerance = delay_tolerance(a.centre_frequency);
        std::vector<double> early, starts;
        Clock clock = Clock::delays;
        bool from_sample_0 = false;
        if (description_ && description_->has_transmissions()) {
            a.transmissions = description_->transmissions(a.array, tolerance, delays, early);
        } else {
            require(!delays.empty(), Status::invalid_argument, path_,
                    ": does not say what was sent: there is no param.TXdelay, and no description with "
                    "[transmit]");
            const MatArray* weights = array("TXapodization");
            a.transmissions = transmissions_of_delays(
                a.array, delays, weights != nullptr ? weights->values : std::vector<double>{},
                stated(known_.sound_speed, {}, path_, "sound_speed", "param.c or recording.sound_speed"),
                tolerance, early, path_ + ": param.TXdelay");
        }
        if (description_) {
            starts = description_->start_times();
            clock = description_->clock();
            from_sample_0 = description_->phases_from_sample_0();
        }
        if (starts.empty()) {
            if (const MatArray* t0 = array("t0"))
                starts = t0->values;
            else if (delays_clock_ && !known_.start_time) {
                starts = {0};
                result_.remarks.push_back("param.t0 is not stated; 0 was taken, as MUST does.");
            }
            if (!starts.empty()) clock = Clock::delays;
        }
        if (starts.empty())
            starts = {stated(known_.start_time, {}, path_, "start_time", "param.t0 or recording.start_time")};
        require(starts.size() == 1 || starts.size() == a.transmissions.size(), Status::size_mismatch, path_,
                ": there are ", starts.size(), " start times for ", a.transmissions.size(), " transmissions");
        starts.resize(a.transmissions.size(), starts[0]);
        a.start_times = starts;
        for (std::size_t k = 0; k < starts.size(); ++k) {
            if (clock == Clock::delays) a.start_times[k] -= early[k];
            if (clock == Clock::origin) a.start_times[k] += passes_origin(a, k);
        }
        phase_start_ = from_sample_0 ? std::vector<double>(starts.size(), 0.0) : starts;
        if (known_.start_time && !from_sample_0) phase_start_.assign(starts.size(), *known_.start_time);
        if (field("PRF") && !known_.frame_rate && a.transmissions.size() == 1)
            known_.frame_rate = field("PRF");
    }

    double passes_origin(const Acquisition& a, std::size_t k) const {
        const Transmission& t = a.transmissions[k];
        const double speed =
            t.sound_speed > 0 ? t.sound_speed
                              : stated(known_.sound_speed, {}, path_, "sound_speed", "recording.sound_speed");
        return wavefront_time(t, a.array, {}, speed);
    }

    // --- samples ---

    std::size_t position(Axis axis) const {
        return static_cast<std::size_t>(std::find(axes_.begin(), axes_.end(), axis) - axes_.begin());
    }

    void read_samples(const Acquisition& a, const Selection& selection) {
        const auto sent = static_cast<Index>(selection.transmissions.size());
        const Index elements = a.array.size(), parts = complex_ ? 2 : 1;
        result_.data.values = Array<float>({selection.frames, sent, elements, a.samples * parts});
        if (cell_) return read_cells(selection);
        // Many frames at once, because what is compressed can only be read from its beginning.
        constexpr Index most_at_once = Index{1} << 27;
        const Index first = selection.transmissions.front(),
                    between = selection.transmissions.back() - first + 1;
        const Index frames = std::max<Index>(1, most_at_once / (between * elements * a.samples));
        for (Index done = 0; done < selection.frames; done += frames) {
            std::vector<Index> start(sizes_.size(), 0), count = sizes_;
            const std::size_t f = position(Axis::frame), t = position(Axis::transmission);
            if (f < sizes_.size()) {
                start[f] = selection.first_frame + done;
                count[f] = std::min(frames, selection.frames - done);
            }
            if (t < sizes_.size()) start[t] = first, count[t] = between;
            const std::vector<float> block = read_mat_block(path_, result_.part, start, count);
            std::vector<Index> strides(sizes_.size(), 1);  // the first index is the fastest
            for (std::size_t i = 1; i < strides.size(); ++i) strides[i] = strides[i - 1] * count[i - 1];
            for (Index frame = done; frame < std::min(done + frames, selection.frames); ++frame)
                for (Index n = 0; n < sent; ++n)
                    place(block, strides,
                          (frame - done) * stride(strides, Axis::frame) +
                              (selection.transmissions[static_cast<std::size_t>(n)] - first) *
                                  stride(strides, Axis::transmission),
                          frame, n);
        }
    }

    void read_cells(const Selection& selection) {
        std::vector<Index> strides(sizes_.size(), 1);  // the last index is the fastest
        for (std::size_t i = sizes_.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * sizes_[i + 1];
        for (Index n = 0; n < static_cast<Index>(selection.transmissions.size()); ++n) {
            const Index k = selection.transmissions[static_cast<std::size_t>(n)];
            for (Index frame = 0; frame < selection.frames; ++frame)
                place(cells_[static_cast<std::size_t>(k)].values, strides,
                      (selection.first_frame + frame) * stride(strides, Axis::frame), frame, n);
        }
    }

    Index stride(const std::vector<Index>& strides, Axis axis) const {
        const std::size_t at = position(axis);
        return at < strides.size() ? strides[at] : 0;
    }

    /// The samples of one transmission and frame, which begin at `offset`.
    template <class Value>
    void place(const std::vector<Value>& from, const std::vector<Index>& strides, Index offset, Index frame,
               Index n) {
        Array<float>& values = result_.data.values;
        const Index parts = complex_ ? 2 : 1;
        const Index elements = values.shape()[2], samples = values.shape()[3] / parts;
        const Index along = stride(strides, Axis::time), across = stride(strides, Axis::element);
        for (Index e = 0; e < elements; ++e)
            for (Index s = 0; s < samples; ++s)
                for (Index part = 0; part < parts; ++part)
                    values(frame, n, e, s * parts + part) = static_cast<float>(
                        from[static_cast<std::size_t>((offset + e * across + s * along) * parts + part)]);
    }

    const std::string& path_;
    const ChannelDataReadOptions& options_;
    std::optional<Description> description_;
    AcquisitionKnowledge known_, param_;
    ChannelDataFile result_ = nothing_yet();
    std::vector<MatArray> fields_, cells_;
    std::vector<Index> sizes_;
    std::vector<Axis> axes_;
    std::vector<double> phase_start_;
    bool cell_ = false, complex_ = false, delays_clock_ = false;
};

}  // namespace

ChannelDataFile read_matlab(const std::string& path, const ChannelDataReadOptions& options) {
    return MatlabReader(path, options).read();
}

}  // namespace sonolux::channel_data

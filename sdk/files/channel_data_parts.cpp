// sonolux/sdk/files/channel_data_parts.cpp
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>

#include <sonolux/sdk/files/channel_data_description.hpp>
#include <sonolux/sdk/files/channel_data_parts.hpp>

namespace sonolux::channel_data {

double stated(const std::optional<double>& known, const std::optional<double>& in_file,
              const std::string& path, const char* name, const std::string& where) {
    if (known) return *known;
    if (in_file) return *in_file;
    std::string option = name;
    std::replace(option.begin(), option.end(), '_', '-');
    refuse(Status::invalid_argument, path, "does not say ", name, " (", where,
           " is missing); it must be known from elsewhere: option --", option,
           ", or AcquisitionKnowledge::", name);
}

AcquisitionKnowledge first_of(const AcquisitionKnowledge& a, const AcquisitionKnowledge& b) {
    const auto either = [](const auto& x, const auto& y) { return x ? x : y; };
    AcquisitionKnowledge known;
    known.pitch = either(a.pitch, b.pitch);
    // A pitch on its own is that of a line: the other's radius does not belong to it.
    known.radius = a.pitch ? a.radius : either(a.radius, b.radius);
    known.element_width = either(a.element_width, b.element_width);
    known.sampling_frequency = either(a.sampling_frequency, b.sampling_frequency);
    known.centre_frequency = either(a.centre_frequency, b.centre_frequency);
    known.demodulation_frequency = either(a.demodulation_frequency, b.demodulation_frequency);
    known.sound_speed = either(a.sound_speed, b.sound_speed);
    known.start_time = either(a.start_time, b.start_time);
    known.peak_time = either(a.peak_time, b.peak_time);
    known.lens_delay = either(a.lens_delay, b.lens_delay);
    known.frame_rate = either(a.frame_rate, b.frame_rate);
    return known;
}

AcquisitionKnowledge knowledge_of(const ChannelDataReadOptions& options) {
    if (options.description.empty()) return options.known;
    Description description = Description::read(options.description);
    AcquisitionKnowledge told = description.known();
    const std::vector<double> starts = description.start_times();
    require(starts.size() <= 1 && description.clock() == Clock::first_element, Status::unsupported,
            options.description,
            ": of a file that says what was sent, start_time is one number from the first element's firing");
    if (!starts.empty()) told.start_time = starts[0];
    description.reject_unused();
    return first_of(options.known, told);
}

void require_possible(const std::string& path, const std::string& dataset, const std::vector<Index>& sizes) {
    const std::uintmax_t bytes = std::filesystem::file_size(path);
    std::uintmax_t numbers = 1;
    bool possible = true;
    for (const Index size : sizes)
        possible = possible && !__builtin_mul_overflow(numbers, static_cast<std::uintmax_t>(size), &numbers);
    if (!possible || numbers / 4096 > bytes) {
        std::string text;
        for (const Index size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
        refuse(Status::corrupt_data, path, "dataset \"", dataset, "\" is ", text,
               " by its sizes, more than a file of ", bytes, " bytes can hold");
    }
}

Selection select(const ChannelDataReadOptions& options, Index frames, Index transmissions,
                 const std::string& path) {
    require(options.first_frame >= 0 && options.first_frame < frames, Status::invalid_argument, path,
            ": has frames 0 to ", frames - 1, ", frame ", options.first_frame, " was asked for");
    Selection selection{options.first_frame, frames - options.first_frame, options.transmissions};
    if (options.frames >= 0) {
        require(options.frames >= 1 && options.frames <= selection.frames, Status::invalid_argument, path,
                ": has ", frames, " frames, ", options.frames, " from frame ", options.first_frame,
                " were asked for");
        selection.frames = options.frames;
    }
    Index before = -1;
    for (const Index k : selection.transmissions) {
        require(k > before && k < transmissions, Status::invalid_argument, path, ": has transmissions 1 to ",
                transmissions, "; asked for must be some of them, rising, got ", k + 1,
                before < 0 ? sentence("") : sentence(" after ", before + 1));
        before = k;
    }
    if (selection.transmissions.empty())
        for (Index k = 0; k < transmissions; ++k) selection.transmissions.push_back(k);
    return selection;
}

void keep(Acquisition& acquisition, const std::vector<Index>& transmissions) {
    std::vector<Transmission> kept;
    std::vector<double> start_times;
    for (const Index k : transmissions) {
        kept.push_back(acquisition.transmissions[static_cast<std::size_t>(k)]);
        start_times.push_back(acquisition.start_times[static_cast<std::size_t>(k)]);
    }
    acquisition.transmissions = std::move(kept);
    acquisition.start_times = std::move(start_times);
}

TransducerArray known_array(const AcquisitionKnowledge& known,
                            const std::function<TransducerArray()>& in_file, Index elements,
                            double element_width) {
    if (!known.pitch) {
        TransducerArray array = in_file();
        if (!known.element_width || *known.element_width == array.element_width()) return array;
        if (array.radius() > 0)
            return make_convex_array(elements, array.pitch(), *known.element_width, array.radius());
        return {array.elements(), *known.element_width};
    }
    const double width = known.element_width.value_or(std::min(element_width, *known.pitch));
    return known.radius ? make_convex_array(elements, *known.pitch, width, *known.radius)
                        : make_linear_array(elements, *known.pitch, width);
}

void refuse_demodulation(const AcquisitionKnowledge& known, const std::string& path) {
    require(!known.demodulation_frequency, Status::invalid_argument, path,
            ": has real samples, RF; a demodulation frequency of ", known.demodulation_frequency.value_or(0),
            " Hz was given, which is of complex ones");
}

void apply(const AcquisitionKnowledge& known, Acquisition& a) {
    a.sampling_frequency = known.sampling_frequency.value_or(a.sampling_frequency);
    a.centre_frequency = known.centre_frequency.value_or(a.centre_frequency);
    a.demodulation_frequency = known.demodulation_frequency.value_or(a.demodulation_frequency);
    a.sound_speed = known.sound_speed.value_or(a.sound_speed);
    a.peak_time = known.peak_time.value_or(a.peak_time);
    a.lens_delay = known.lens_delay.value_or(a.lens_delay);
    a.frame_rate = known.frame_rate.value_or(a.frame_rate);
    if (known.start_time) a.start_times.assign(a.transmissions.size(), *known.start_time);
}

void turn_phases(Array<float>& values, double frequency, std::span<const double> shift) {
    const Shape& shape = values.shape();
    const Index traces = shape[2] * shape[3] / 2;
    for (Index frame = 0; frame < shape[0]; ++frame)
        for (Index k = 0; k < shape[1]; ++k) {
            // Whole turns go first: the phase of a long time keeps its digits.
            double turns = -frequency * shift[static_cast<std::size_t>(k)];
            turns -= std::floor(turns);
            if (turns == 0) continue;
            const double re = std::cos(2 * std::numbers::pi * turns),
                         im = std::sin(2 * std::numbers::pi * turns);
            float* sample = values.data() + (frame * shape[1] + k) * shape[2] * shape[3];
            for (Index n = 0; n < traces; ++n, sample += 2) {
                const double a = sample[0], b = sample[1];
                sample[0] = static_cast<float>(a * re - b * im);
                sample[1] = static_cast<float>(a * im + b * re);
            }
        }
}

void finish(ChannelDataFile& file, const std::string& path) { validate(file.data, path.c_str()); }

}  // namespace sonolux::channel_data

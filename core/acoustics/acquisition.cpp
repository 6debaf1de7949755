#include <sonolux/core/acoustics/acquisition.hpp>

#include <cmath>
#include <string>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;
constexpr Index most_samples = Index{1} << 24;

void require_frequency(const char* who, const char* name, double value) {
    require(value >= 1e4 && value <= 1e9, invalid, who, ": ", name, " must be between 1e4 and 1e9 Hz, got ",
            value, value > 0 && value < 1e4 ? " Hz; is it in MHz or kHz?" : " Hz");
}

void require_time(const char* who, const std::string& name, double value, double limit) {
    require(std::abs(value) <= limit, invalid, who, ": ", name, " must be within ", limit, " s of 0, got ",
            value, std::isfinite(value) ? " s; is it in microseconds?" : " s");
}

}  // namespace

void validate(const Acquisition& a, const char* who) {
    require(!a.transmissions.empty(), invalid, who, ": there is no transmission");
    for (std::size_t k = 0; k < a.transmissions.size(); ++k)
        validate(a.transmissions[k], a.array, sentence(who, ": transmission ", k + 1).c_str());
    require(a.start_times.size() == a.transmissions.size(), Status::size_mismatch, who, ": there are ",
            a.start_times.size(), " start times and ", a.transmissions.size(), " transmissions");
    for (std::size_t k = 0; k < a.start_times.size(); ++k)
        require_time(who, sentence("start time of transmission ", k + 1), a.start_times[k], 1);

    require_frequency(who, "sampling_frequency", a.sampling_frequency);
    require_frequency(who, "centre_frequency", a.centre_frequency);
    if (a.demodulated()) require_frequency(who, "demodulation_frequency", a.demodulation_frequency);
    require(a.demodulated() || a.sampling_frequency > a.centre_frequency, invalid, who,
            ": sampling_frequency of RF must be above the centre frequency ", a.centre_frequency, " Hz, got ",
            a.sampling_frequency, " Hz");
    require(a.samples >= 1 && a.samples <= most_samples, invalid, who, ": samples must be between 1 and ",
            most_samples, ", got ", a.samples);
    require_time(who, "peak_time", a.peak_time, 1e-3);
    require_time(who, "lens_delay", a.lens_delay, 1e-4);
    require(a.sound_speed == 0 || (a.sound_speed >= 100 && a.sound_speed <= 10000), invalid, who,
            ": sound_speed must be 0 (unknown) or between 100 and 10000 m/s, got ", a.sound_speed);
    require(a.frame_rate >= 0 && a.frame_rate <= 1e6, invalid, who,
            ": frame_rate must be between 0 (unknown) and 1e6 Hz, got ", a.frame_rate);
}

void validate(const ChannelData& data, const char* who) {
    const Acquisition& a = data.acquisition;
    validate(a, who);
    const Index numbers = a.demodulated() ? 2 * a.samples : a.samples;
    const Shape& shape = data.values.shape();
    require(shape.rank() == 4 && shape[0] >= 1 && shape[1] == a.sent() && shape[2] == a.array.size() &&
                shape[3] == numbers,
            Status::size_mismatch, who, ": values must be frames x ", a.sent(), " x ", a.array.size(), " x ",
            numbers, ", got ", to_string(shape));
}

}  // namespace sonolux

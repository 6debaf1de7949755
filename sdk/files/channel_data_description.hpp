// sonolux/sdk/files/channel_data_description.hpp
//
// A file in TOML that says of a recording what its file does not: docs/channel_data.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sonolux/sdk/files/channel_data_file.hpp>
#include <sonolux/sdk/files/recipe.hpp>

namespace sonolux::channel_data {

/// What an index of a matrix counts.
enum class Axis { time, element, transmission, frame };

/// What time 0 is for the times in a description.
enum class Clock {
    first_element,  ///< the first active element fires, as everywhere in Sonolux
    delays,         ///< an element without delay would fire
    origin,         ///< the wavefront passes x = z = 0, or would
};

/// Getters throw Error{invalid_argument} as those of RecipeTable do, with file and line.
class Description {
public:
    /// Refuses keys that there are not, before anything is missed that they may have meant to say.
    [[nodiscard]] static Description read(const std::string& path);

    /// [samples] variable: the name of the matrix. axes: what its indices count, in MATLAB's order.
    [[nodiscard]] std::optional<std::string> variable();
    [[nodiscard]] std::optional<std::vector<Axis>> axes();

    /// Numbers of [array], [pulse] and [recording]; a start time only where it is one for all.
    [[nodiscard]] AcquisitionKnowledge known();

    /// [recording] start_time: one, or one for each transmission. Empty where it is not said.
    [[nodiscard]] std::vector<double> start_times();
    [[nodiscard]] Clock clock();

    /// [recording] phase_clock: whether phases of IQ count from sample 0, not from time 0.
    [[nodiscard]] bool phases_from_sample_0();

    [[nodiscard]] bool has_transmissions() const { return table_.has("transmit"); }

    /// [transmit] delays: the matrix of the recording that has them, where they are all that is known.
    [[nodiscard]] std::optional<std::string> delays_variable();

    /// [transmit]. `delays` are those of that matrix, [transmission, element] in s; NaN does not fire.
    /// `early` becomes, for each transmission, when the first element fires on the clock of these delays.
    [[nodiscard]] std::vector<Transmission> transmissions(const TransducerArray& array, double tolerance,
                                                          const std::vector<double>& delays,
                                                          std::vector<double>& early);

    /// After all getters: keys that mean nothing for this recording.
    void reject_unused() const { table_.reject_unknown(); }

private:
    explicit Description(RecipeTable table) : table_(std::move(table)) {}
    std::optional<double> number(const char* key, double lowest, double highest);
    std::vector<Index> elements_of(const char* key, const TransducerArray& array);
    std::vector<double> angles();

    RecipeTable table_;
};

/// Transmissions of delays alone, as Description::transmissions has them; `weights` as long or empty (1 where
/// there is a delay). `who` starts the sentence of errors.
[[nodiscard]] std::vector<Transmission> transmissions_of_delays(
    const TransducerArray& array, const std::vector<double>& delays, const std::vector<double>& weights,
    double sound_speed, double tolerance, std::vector<double>& early, const std::string& who);

}  // namespace sonolux::channel_data

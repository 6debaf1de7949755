// sonolux/sdk/runtime/sound_speed_reconstructor.hpp
//
// SoundSpeedReconstructor: a model that maps the speed of sound, made ready to run. plan -> bind -> run.
//
// Delays are whitened by the best uniform slowness (solvers/uniform_whitening.hpp), the network runs, and its
// image becomes a speed again. The map is filled everywhere, since a network says something everywhere; how
// much was measured of a pixel is said beside it, and whoever shows the map masks it by that.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/runtime/map_trust.hpp>
#include <sonolux/sdk/runtime/travel_time_problem.hpp>
#include <sonolux/solvers/uniform_whitening.hpp>
#include <sonolux/solvers/unrolled_network.hpp>

namespace sonolux {

struct SoundSpeedOptions {
    int threads = 0;                                  ///< for the default runner; 0: all processors
    std::shared_ptr<ThreadRunner> runner{};           ///< null: the default
    std::function<bool(const Progress&)> progress{};  ///< after each stage; returns false to cancel
    double least_measured = 0.02;                     ///< a frame with less than this fraction is refused
};

/// What a frame was.
struct FrameReport {
    double uniform_speed = 0;  ///< m/s, the best uniform one
    double deviation = 0;      ///< s, root mean square of the delays that it leaves
    double measured = 0;       ///< fraction of the trusted readings that were there
};

/// How far a map is to be trusted, for whoever asks: views that are not empty are filled. What only a
/// calibrated model knows is NaN from others.
struct MapTrust {
    View<float> deviation{};  ///< [rows, columns], m/s: a standard deviation, 90 % within 1.645 of it
    View<float> residual{};   ///< [measurement, rows, columns], s: delays less those of the map; NaN where
                              ///< none counted
    View<float> features{};   ///< [trust_pixel_features, rows, columns]: what the deviation is calibrated on

    double unexplained = 0;  ///< s, root mean square of the residual
    double score = 0;        ///< 0 to 1; below 1/2: not as frames of calibration were
    FrameFeatures frame{};   ///< what the score is calibrated on
};

/// Serves one caller at a time; many may be made from one model, which may go afterwards.
class SoundSpeedReconstructor {
public:
    /// Throws Error{unsupported} for a model of another problem, Error{corrupt_data} for one that is not what
    /// it claims to be, Error{invalid_argument} naming the option.
    explicit SoundSpeedReconstructor(const Model& model, const SoundSpeedOptions& options = {});

    [[nodiscard]] const TravelTimeProblem& problem() const noexcept { return problem_; }
    /// Of the geometry: callers that state it are sure that their delays are the model's.
    [[nodiscard]] const std::string& geometry() const noexcept { return hash_; }
    [[nodiscard]] Index measurements() const noexcept { return forward_->range()[0]; }
    [[nodiscard]] Index rows() const noexcept { return forward_->domain()[0]; }
    [[nodiscard]] Index columns() const noexcept { return forward_->domain()[1]; }
    [[nodiscard]] Index stages() const noexcept { return network_->steps(); }

    /// All memory that `run` takes, besides its arguments and what the plan itself holds.
    [[nodiscard]] std::size_t workspace_bytes() const noexcept { return workspace_bytes_; }

    /// As Reconstructor::bind.
    void bind();
    void bind(std::span<std::byte> memory);
    [[nodiscard]] bool bound() const noexcept { return bound_; }

    /// As Reconstructor::set_time_limit.
    void set_time_limit(double seconds);

    /// Stops the run in progress, or else the next one, at its next stage boundary. From any thread.
    void cancel() noexcept { context_.cancel(); }

    /// Maps the speed of sound, [rows, columns] in m/s, from delays [measurement, rows, columns] in s, both
    /// contiguous. A delay counts where it is not NaN, where `mask` (of the same shape, or empty) is 1, and
    /// where the model trusts delays at all. `support`, unless it is empty, receives for each pixel the
    /// fraction of measurements that counted there; `trust`, unless it is null, what it says. Allocates
    /// nothing.
    ///
    /// ok, or cancelled / deadline_exceeded: then the map is that of the last finished stage. Otherwise map,
    /// support and trust's views are untouched and its score is 0 where the model is calibrated:
    /// size_mismatch; invalid_argument where nothing was bound, a delay that counts is infinite, a mask is
    /// neither 0 nor 1, too little was measured, or the best uniform speed is not plausible, as where delays
    /// are in another unit or of another geometry. `explain` says which.
    [[nodiscard]] Status run(View<const float> delays, View<const float> mask, View<float> speed,
                             View<float> support = {}, MapTrust* trust = nullptr) noexcept;

    /// Whether the model knows deviations and scores.
    [[nodiscard]] bool calibrated() const noexcept { return calibration_.has_value(); }

    /// Of the last run, also of a refused one as far as it came.
    [[nodiscard]] const FrameReport& report() const noexcept { return report_; }

    /// Why the last run was refused: writes a sentence of at most `room` bytes, zero included. Allocates
    /// nothing.
    void explain(char* text, std::size_t room) const noexcept;

    [[nodiscard]] const Context& context() const noexcept { return context_; }

private:
    enum class Refusal { none, not_bound, sizes, infinite, mask, too_little, implausible };

    [[nodiscard]] Status refuse(Refusal reason) noexcept;
    /// What a network has mapped, in its units: data, what counted, image and start.
    struct Mapped {
        View<const float> whitened, counts, image, start;
        Whitening whitening;
    };
    /// `speed` and `start` (m/s) are of the same.
    void judge(const Mapped& mapped, View<const float> speed, View<const float> start,
               MapTrust& trust) noexcept;
    [[nodiscard]] std::size_t judging_bytes() const noexcept;

    TravelTimeProblem problem_;
    std::optional<TrustCalibration> calibration_;
    std::string hash_;
    OperatorPointer forward_;
    std::unique_ptr<CoarseInverse> coarse_;  // null: the network starts from the adjoint
    Array<float> trust_;
    Index readings_ = 0;
    std::unique_ptr<UniformWhitening> whitening_;
    std::unique_ptr<UnrolledNetwork> network_;
    std::size_t workspace_bytes_ = 0;
    double time_limit_, least_measured_;
    FrameReport report_;
    Refusal refusal_ = Refusal::none;
    bool stopped_ = false, bound_ = false;
    Context context_;
};

/// c = norm / (deviation x + level) in m/s, of a network's image; beyond half the slowest and twice the
/// fastest plausible speed, those. `speed` may be `x`.
void to_sound_speed(View<const float> x, const Whitening& whitening, const TravelTimeProblem& problem,
                    View<float> speed) noexcept;

}  // namespace sonolux

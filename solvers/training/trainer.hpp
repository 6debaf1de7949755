// sonolux/solvers/training/trainer.hpp
//
// Learns the parameters of an unrolled network from clean patches, one step at a time.
//
// Training is a list of phases: greedy ones, in which one stage learns while those before it stay (Schmidt
// and Roth 2014, section 4), and joint ones, in which all learn (Chen and Pock 2017, section 4.2). Each step
// draws its patches, noise and noise levels from random numbers keyed by the step's number, so the state
// between two steps is small, and a run that continues from a saved state makes the same bits as one that was
// never interrupted, on any number of threads. Nothing here touches files: see sdk/pipelines/train.hpp.
#pragma once

#include <limits>
#include <optional>
#include <string>

#include <sonolux/solvers/training/adam.hpp>
#include <sonolux/solvers/training/batch_gradient.hpp>
#include <sonolux/solvers/training/lbfgs.hpp>
#include <sonolux/solvers/training/learning_rate.hpp>
#include <sonolux/solvers/training/validation.hpp>

namespace sonolux {

enum class Optimiser {
    adam,   ///< new patches every step
    lbfgs,  ///< the same patches every step; a step is `LbfgsOptions::iterations` iterations
};

struct TrainingPhase {
    std::string name;  ///< "stage 1", "joint"
    Optimiser optimiser = Optimiser::adam;
    Index steps = 1000;                ///< at least 1
    Index depth = 1;                   ///< how many of the network's steps run
    Index first_stage = 0;             ///< the stages of steps [first_stage, depth) learn, the rest stays
    bool copy_previous_stage = false;  ///< begins with the parameters of stage first_stage - 1 copied to it
    LearningRate learning_rate;        ///< for Adam
    std::vector<double> step_weights;  ///< [depth]: weight of the loss after each step
};

/// Noise levels in units of 1/255 of the image range.
struct NoiseLevels {
    double low = 25, high = 25;  ///< equal: one level
    bool logarithmic = true;     ///< log-uniform between them, or uniform
    Index per_step = 1;  ///< levels drawn for each step, one per equal part of the range; divides the batch
    /// The loss is weighed with (sigma / high)^weight_power. 0 leaves it in the network's units, in which a
    /// network that scales its images by 1 / sigma sees all levels alike; 2 makes it the squared error of
    /// images.
    double weight_power = 0;

    friend bool operator==(const NoiseLevels&, const NoiseLevels&) = default;
};

/// How the ranges of learned functions follow the data (Stage::ranges): towards the running mean of the
/// largest magnitudes that a batch holds, in jumps, since functions change a little where knots move.
struct RangeOptions {
    double decay = 0.95;       ///< of the running mean
    double margin = 1;         ///< ranges are so many times the mean
    Index early_every = 20;    ///< steps between jumps
    Index early_steps = 1500;  ///< for so many steps; from then on
    Index late_every = 1100;   ///< so many steps
};

struct TrainingOptions {
    std::uint64_t seed = 1;
    BatchOptions batch;
    NoiseLevels noise;
    std::optional<TrainingBlur> blur;  ///< for networks that want one in their observations
    AdamOptions adam;
    LbfgsOptions lbfgs;
    Index fixed_patches = 1024;  ///< of an L-BFGS step
    double knot_smoothness = 0;  ///< weight of knot_smoothness.hpp in the loss
    RangeOptions ranges;
    Index validate_every = 100;  ///< steps; the last step of a phase is always validated
    std::vector<TrainingPhase> phases;
};

/// Phases of the usual plan: `greedy` steps for each stage in turn, then `joint` steps for all; either may be
/// 0. Greedy phases weigh their last step alone. Throws Error{invalid_argument} if both are 0.
[[nodiscard]] std::vector<TrainingPhase> greedy_then_joint(Index network_steps, Index greedy, Index joint,
                                                           const LearningRate& greedy_rate,
                                                           const LearningRate& joint_rate,
                                                           std::vector<double> joint_step_weights);

/// Everything that a continued run needs besides its options.
struct TrainingState {
    Index step = 0;           ///< finished, over all phases
    Index phase = 0;          ///< that the next step belongs to
    Index step_in_phase = 0;  ///< finished
    std::vector<float> parameters;
    AdamState adam;
    std::vector<float> running_peaks;    ///< that ranges follow; empty where nothing does
    std::vector<float> best_parameters;  ///< of this phase, by validation
    double best_psnr = -std::numeric_limits<double>::infinity();
    Index best_step = 0;
};

/// What one step did.
struct StepReport {
    Index step = 0;   ///< counted from 1
    Index phase = 0;  ///< index into the options' phases
    double loss = 0;  ///< before the step (Adam) or after it (L-BFGS): mean per patch
    double learning_rate = 0;
    std::optional<double> validation_psnr;  ///< dB, after the step
};

class Trainer {
public:
    /// Reserves all memory. Network, loss, validation (null: none) and context must outlive the trainer;
    /// nobody else may touch the network's parameters. Throws Error{invalid_argument} naming the option.
    Trainer(UnrolledNetwork& network, TrainingOptions options, PatchFunction source, const Loss& loss,
            Validation* validation, Context& context);

    /// For problems that make their own samples: `cases` says what they are, and noise and blur of the
    /// options are not looked at. Phases of L-BFGS are Error{unsupported}.
    Trainer(UnrolledNetwork& network, TrainingOptions options, const CaseFactory& cases, const Loss& loss,
            Validation* validation, Context& context);

    [[nodiscard]] const TrainingOptions& options() const noexcept { return options_; }
    [[nodiscard]] Index total_steps() const noexcept;
    [[nodiscard]] bool finished() const noexcept {
        return phase_ == static_cast<Index>(options_.phases.size());
    }

    /// One step. Adam steps do not allocate. At the end of a phase the parameters become the phase's best, if
    /// there is a validation. Throws Error{internal_error} if the loss is no longer finite, parameters
    /// unchanged. Must not be called once finished.
    StepReport step();

    [[nodiscard]] TrainingState state() const;

    /// Continues from a state. Throws Error{size_mismatch} if it belongs to another network or other phases.
    void restore(const TrainingState& state);

private:
    void prepare();
    void follow_peaks();
    void begin_phase();
    double adam_step(const TrainingPhase& phase, double rate);
    double lbfgs_step(const TrainingPhase& phase);
    double fixed_set_gradient(const TrainingPhase& phase, std::span<double> gradient) noexcept;
    [[nodiscard]] double noise_level(std::uint64_t draw, Index part, Index parts) const noexcept;
    [[nodiscard]] double weight(double sigma) const noexcept;

    UnrolledNetwork& network_;
    TrainingOptions options_;
    PatchFunction source_;
    const Loss& loss_;
    Validation* validation_;
    BatchGradient batch_;
    Adam adam_;

    std::vector<float> typical_;   // [parameters]
    std::vector<Index> stage_of_;  // [parameters], from 0
    Index distinct_stages_ = 1;
    std::vector<unsigned char> trained_;  // [parameters]: moves in this phase
    std::vector<double> gradient_, part_;
    std::vector<float> running_peaks_;
    Index step_ = 0, phase_ = 0, step_in_phase_ = 0;
    std::vector<float> best_parameters_;
    double best_psnr_ = -std::numeric_limits<double>::infinity();
    Index best_step_ = 0;
};

}  // namespace sonolux

// sonolux/solvers/unrolled_network.hpp
//
// A network is a sequence of stages over one flat parameter vector.
#pragma once

#include <memory>

#include <sonolux/core/array.hpp>
#include <sonolux/core/image_planes.hpp>
#include <sonolux/solvers/loss.hpp>
#include <sonolux/solvers/stage.hpp>

namespace sonolux {

/// Runs stages one after the other, forward for inference and backward for training.
///
/// Images are [rows, columns], or [channels, rows, columns] for networks of several, in the network's units
/// (value_scale applied by `run`). Sizes may change from call to call; the workspace must have been reserved
/// for the largest.
class UnrolledNetwork {
public:
    /// `distinct` stages are repeated in order until there are `steps` of them: distinct.size() == steps for
    /// networks with parameters of their own in each step, 1 for shared parameters.
    UnrolledNetwork(std::vector<std::unique_ptr<Stage>> distinct, Index steps, float value_scale,
                    bool scale_by_sigma, float sigma_reference);

    [[nodiscard]] Index steps() const noexcept { return steps_; }

    /// That the network looks at together.
    [[nodiscard]] Index channels() const noexcept { return stages_[0]->channels(); }

    /// Names like "stage1.filters" (from 1), offsets into parameters().
    [[nodiscard]] const std::vector<Parameter>& layout() const noexcept { return layout_; }
    [[nodiscard]] std::span<float> parameters() noexcept { return {parameters_.data(), parameters_.size()}; }
    [[nodiscard]] std::span<const float> parameters() const noexcept {
        return {parameters_.data(), parameters_.size()};
    }

    /// Call after the parameters or the noise level changed, before running. `sigma` in units of 1/255 of the
    /// image range, as papers state it; only networks that take sigma as an input look at it.
    void update(float sigma);
    [[nodiscard]] float sigma() const noexcept { return sigma_; }

    /// Entry scale: image value in [0, 1] times this is what the stages see.
    [[nodiscard]] float entry_scale() const noexcept;

    /// Stage::check of all.
    void check(Index rows, Index columns, const Observation& observation) const {
        for (const auto& stage : stages_) stage->check(rows, columns, observation);
    }

    /// Scratch for `run` and `forward` on states up to this size (of a blur: its domain). Of the observation
    /// only the operators are looked at.
    [[nodiscard]] std::size_t run_workspace_bytes(Index rows, Index columns, const Context&,
                                                  const Observation& = {}) const noexcept;

    /// Reconstructs the observation's data, an image with values in [0, 1], to `image`. x_0 is the data, with
    /// a border around it where the observation has a blur that adds one; the image is without. Data and
    /// image may be the same. Parallel inside. Reports progress after each step. Returns ok, or cancelled /
    /// deadline_exceeded with the last finished step's image, the data if there is none.
    [[nodiscard]] Status run(const Observation&, View<float> image, Context&) const noexcept;
    [[nodiscard]] Status run(View<const float> data, View<float> image, Context& context) const noexcept {
        return run(Observation{data}, image, context);
    }

    /// Reconstructs `image` from a start of its size, both in the network's units and contiguous: for
    /// observations whose data are not images. Otherwise as `run`; the start, where not even one step was
    /// finished. Scratch of `run`.
    [[nodiscard]] Status run_from(View<const float> start, const Observation&, View<float> image,
                                  Context&) const noexcept;

    /// The first `steps` steps only, in the network's units, from a given start to an image of its size (of a
    /// blur: its domain, data too): for oracles and greedy training.
    void forward(View<const float> start, const Observation&, View<float> image, Index steps,
                 Context&) const noexcept;

    /// Scratch of one `loss_gradient` call on states of this size, its operators as above.
    [[nodiscard]] std::size_t training_workspace_bytes(Index rows, Index columns, const Context&,
                                                       const Observation& = {}) const noexcept;

    /// Runs from `start` for step_weights.size() steps keeping every state, sums
    /// step_weights[t] * loss(x_{t+1}, truth), and goes back: adds d sum / d theta to `gradient` (flat, laid
    /// out as parameters()). Start and data are as in `forward`; the truth has the observed size, and the
    /// loss sees no border. Joint training weighs the last step only; greedy training is joint training of a
    /// prefix with its gradient masked by the caller; exponentially weighted losses weigh all steps. In the
    /// network's units. Serial in the order of its sums: give each thread a context with a serial runner and
    /// samples of its own.
    ///
    /// `start_bar` and `data_bar`, where not empty, receive d sum / d start and d sum / d data. `peaks`,
    /// unless it is null, is raised to the largest magnitudes that learned functions saw: [range_count].
    double loss_gradient(View<const float> start, const Observation&, View<const float> truth,
                         const Loss& loss, std::span<const double> step_weights, std::span<float> gradient,
                         Context&, View<float> start_bar = {}, View<float> data_bar = {},
                         float* peaks = nullptr) const noexcept;

    /// Stage::ranges of all distinct stages together.
    [[nodiscard]] Index range_count() const noexcept;

    /// Stage::resample of all, ranges [range_count]. `update` must follow.
    void resample(std::span<const float> ranges);

    /// The part of `all`, of the layout of the parameters, that belongs to the stage of a step.
    [[nodiscard]] std::span<float> parameters_of(Index step, std::span<float> all) const noexcept {
        const std::size_t s = static_cast<std::size_t>(step) % stages_.size();
        return all.subspan(static_cast<std::size_t>(offsets_[s]),
                           static_cast<std::size_t>(offsets_[s + 1] - offsets_[s]));
    }

    /// The stage that runs as step 0, 1, ...
    [[nodiscard]] const Stage& stage(Index step) const noexcept;

private:
    std::vector<std::unique_ptr<Stage>> stages_;
    std::vector<Index> offsets_;
    std::vector<Parameter> layout_;
    std::vector<float> parameters_;
    Index steps_;
    float value_scale_, sigma_reference_, sigma_;
    bool scale_by_sigma_;
};

}  // namespace sonolux

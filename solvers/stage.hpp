// sonolux/solvers/stage.hpp
//
// One unrolled step, and the named parameters that training moves.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <sonolux/core/linear_operator.hpp>
#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/solvers/coarse_inverse.hpp>
#include <sonolux/solvers/padded_blur.hpp>

namespace sonolux {

/// What a projection keeps true of a parameter after each training step.
enum class Constraint {
    none,
    zero_mean_unit_ball,  ///< each row has mean 0 and norm <= 1 (free filters)
    positive,             ///< not below a small positive number
    unit_interval,        ///< in [0, 1]
    fixed,                ///< not learned: set-up, or what follows the data (Stage::resample)
};

/// A named part of the flat parameter vector of a network.
struct Parameter {
    std::string name;  ///< "stage3.filters"
    Shape shape;       ///< [rows, columns] or [count]
    Index offset = 0;  ///< first element in the flat vector
    Constraint constraint = Constraint::none;
    float typical = 1;  ///< the size of a typical change: the learning rate is multiplied by it
    Index knots = 0;    ///< rows of so many values of a function at equally spaced places; 0: something else
};

/// What was measured, and how: y = A x + noise. Seen by the stages, `data` is contiguous, in the network's
/// units, and has as many channels as the image unless A says otherwise.
struct Observation {
    View<const float> data;                   ///< y; 0 where the mask is
    const LinearOperator* forward = nullptr;  ///< A; null: the identity
    const PaddedBlur* blur = nullptr;         ///< if A is a blur: the stages see data on its domain
    /// If A is a blur of channels, the same everywhere, into as many: for stages that solve with it.
    const SpectralBlur* spectral = nullptr;
    /// The variance of the noise of each channel of the data, for image values in [0, 1]: for stages that
    /// weigh channels by it.
    View<const float> noise{};
    const CoarseInverse* coarse = nullptr;  ///< of A, for stages that use one
    View<const float> mask{};               ///< 1 where something was measured, else 0; empty: everywhere
    float measured = 1;                     ///< the fraction of what could be measured that was
    /// Of the data on the domain of a blur whose border no step completes, so that they are transformed once
    /// for all steps; empty: each transforms them.
    View<const std::complex<float>> data_spectrum{};
    Index step = 0;          ///< which step of the network runs, from 0
    float* kept = nullptr;   ///< what `forward` leaves for `backward`; null: nothing
    float* peaks = nullptr;  ///< [ranges], raised by what `backward` sees; null: nobody asks
};

/// One step x -> x' of an unrolled optimisation. The state is [planes, rows, columns]: the first `channels`
/// planes are the image, further planes belong to the stage (momentum).
///
/// `forward` and `backward` work on one state; many states run in parallel from outside. Parameters live in
/// the network; `update` sees them when they change.
class Stage {
public:
    virtual ~Stage() = default;

    [[nodiscard]] virtual Index channels() const noexcept { return 1; }
    [[nodiscard]] virtual Index planes() const noexcept { return 1; }

    /// Names (without the stage's prefix), shapes, constraints; offsets from the stage's first element.
    [[nodiscard]] virtual std::vector<Parameter> parameters() const = 0;

    /// Set-up after the parameters changed, for a noise level `sigma` in the units of the network's images.
    virtual void update(std::span<const float> parameters, float sigma) = 0;

    /// Set-up: throws Error naming what the observation lacks that this stage needs, for states of this size.
    /// Data that are not there yet are not missed.
    virtual void check(Index /*rows*/, Index /*columns*/, const Observation&) const {}

    /// For states of this size; of the observation only the operators are looked at.
    [[nodiscard]] virtual std::size_t workspace_bytes(Index rows, Index columns, const Observation&,
                                                      const Context&) const noexcept = 0;

    /// Of `forward` alone, which may need less.
    [[nodiscard]] virtual std::size_t forward_workspace_bytes(Index rows, Index columns,
                                                              const Observation& observation,
                                                              const Context& context) const noexcept {
        return workspace_bytes(rows, columns, observation, context);
    }

    /// How many floats `forward` keeps for `backward` at states of this size, if the observation has room.
    [[nodiscard]] virtual Index kept_floats(Index /*rows*/, Index /*columns*/) const noexcept { return 0; }

    /// How many of its learned functions, or groups of them, have a range that follows the data in training:
    /// the places of their knots are +-range.
    [[nodiscard]] virtual Index ranges() const noexcept { return 0; }

    /// Moves the knots to new ranges [ranges], above 0: the functions stay what they were between them.
    /// `parameters` are the stage's own.
    virtual void resample(std::span<float> /*parameters*/, std::span<const float> /*ranges*/) const {}

    virtual void forward(View<const float> state, const Observation&, View<float> next,
                         Context&) const noexcept = 0;

    /// For an upstream `next_bar`: writes (d next / d state)^T next_bar to state_bar, unless that is empty,
    /// adds (d next / d theta)^T next_bar to parameter_bar (the stage's own part) and, unless it is empty,
    /// (d next / d data)^T next_bar to data_bar. `next` is what `forward` made of the state; what it kept is
    /// overwritten.
    virtual void backward(View<const float> state, const Observation&, View<const float> next,
                          View<const float> next_bar, View<float> state_bar, std::span<float> parameter_bar,
                          View<float> data_bar, Context&) const noexcept = 0;
};

}  // namespace sonolux

// sonolux/solvers/training/training_case.hpp
//
// The interface between training and problems whose samples are more than noisy images.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <sonolux/solvers/stage.hpp>

namespace sonolux {

/// One sample at a time: what a network is told, where it starts, and what it should make of it. Each thread
/// has one of its own.
class TrainingCase {
public:
    virtual ~TrainingCase() = default;

    /// Of the start and the truth: [rows, columns], or [channels, rows, columns].
    [[nodiscard]] virtual Shape domain() const = 0;

    /// Of `make`.
    [[nodiscard]] virtual std::size_t workspace_bytes(const Context&) const noexcept { return 0; }

    /// Fills in sample number `sample`: a function of the number alone. Does not throw or allocate.
    virtual void make(std::uint64_t sample, Context&) noexcept = 0;

    /// All in the network's units; operators also before the first `make`.
    [[nodiscard]] virtual Observation observation() const noexcept = 0;
    [[nodiscard]] virtual View<const float> start() const noexcept = 0;
    [[nodiscard]] virtual View<const float> truth() const noexcept = 0;
};

/// Makes one for each thread. What they share must outlive them.
using CaseFactory = std::function<std::unique_ptr<TrainingCase>()>;

}  // namespace sonolux

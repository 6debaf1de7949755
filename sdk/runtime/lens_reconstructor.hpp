// sonolux/sdk/runtime/lens_reconstructor.hpp
//
// LensReconstructor: a model that recovers captures through a lens, made ready for captures of one size.
// plan -> bind -> run.
//
// The capture is recovered in one piece, with a border around it as wide as the kernels reach, by the linear
// estimate and then the stages of the network (lens_recovery.hpp); bits are those of TiledLensRecovery with
// one tile. For captures that are too large for that there is TiledLensRecovery.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/runtime/lens_recovery.hpp>

namespace sonolux {

struct LensOptions {
    /// At white in the most sensitive channel, from 1 to 1e12; 0: in the middle of what the model was trained
    /// for. With the brightness of a capture they say how strong its noise is.
    double electrons = 0;

    /// [channels, size, size] with an odd size, in place of the model's own: of the same lens, measured, or
    /// at another place in its field. Copied.
    View<const float> kernels{};

    std::size_t memory_limit = 0;  ///< bytes of workspace_bytes and plan_bytes; 0: what the capture takes

    int threads = 0;                                  ///< for the default runner; 0: all processors
    std::shared_ptr<ThreadRunner> runner{};           ///< null: the default
    std::function<bool(const Progress&)> progress{};  ///< after each stage; returns false to cancel
};

/// Serves one caller at a time; many may be made from one model, which may go afterwards.
class LensReconstructor {
public:
    static constexpr Index smallest_size = 8, largest_size = Index{1} << 24;  ///< of rows, and of columns
    static constexpr double most_electrons = 1e12;

    /// Throws Error{unsupported} for a model of another problem and for a memory limit below what the capture
    /// takes, Error{size_mismatch} for kernels of other channels, Error{invalid_argument} naming the option,
    /// Error{corrupt_data} for a model that is not what it claims to be, Error{out_of_memory}.
    LensReconstructor(const Model& model, Index rows, Index columns, const LensOptions& options = {});

    [[nodiscard]] const LensProblem& lens() const noexcept { return lens_; }
    [[nodiscard]] Index channels() const noexcept { return recovery_->channels(); }
    [[nodiscard]] Index rows() const noexcept { return rows_; }
    [[nodiscard]] Index columns() const noexcept { return columns_; }
    [[nodiscard]] Index stages() const noexcept { return recovery_->stages(); }
    [[nodiscard]] double electrons() const noexcept { return electrons_; }

    /// All memory that `run` takes, besides its arguments and what the plan itself holds.
    [[nodiscard]] std::size_t workspace_bytes() const noexcept { return workspace_bytes_; }

    /// What the plan itself holds in proportion to the capture, from its construction on.
    [[nodiscard]] std::size_t plan_bytes() const noexcept { return recovery_->memory_bytes(); }

    /// As Reconstructor::bind.
    void bind();
    void bind(std::span<std::byte> memory);
    [[nodiscard]] bool bound() const noexcept { return bound_; }

    /// As Reconstructor::set_time_limit.
    void set_time_limit(double seconds);

    /// Stops the run in progress, or else the next one, at its next stage boundary. From any thread.
    void cancel() noexcept { context_.cancel(); }

    /// Captures are linear light, 1 at white in each channel; the image is that of the sensor without lens,
    /// not negative, not clipped at white. Planes of `out` may be those of `in`, channel by channel, and
    /// otherwise must not overlap them or each other. Allocates nothing.
    ///
    /// ok, or cancelled / deadline_exceeded: then the image is that of the last finished stage; the linear
    /// estimate where there is none, and the capture where not even that had been begun. Otherwise `out` is
    /// untouched, and `explain` says why: size_mismatch; invalid_argument where nothing was bound, planes
    /// overlap, or a pixel is not finite.
    [[nodiscard]] Status run(LensRecovery::Planes in, LensRecovery::OutPlanes out) noexcept;

    /// Why the last run was refused, in a few words.
    [[nodiscard]] const char* explain() const noexcept;

    [[nodiscard]] const Context& context() const noexcept { return context_; }

private:
    enum class Refusal { none, not_bound, sizes, overlap, not_finite };

    [[nodiscard]] Status refuse(Refusal reason) noexcept;

    LensProblem lens_;
    Index rows_, columns_;
    double electrons_;
    std::unique_ptr<LensRecovery> recovery_;
    std::size_t workspace_bytes_ = 0;
    double time_limit_;
    Refusal refusal_ = Refusal::none;
    bool stopped_ = false, bound_ = false;
    Context context_;
};

}  // namespace sonolux

// sonolux/sdk/pipelines/tiled_lens_recovery.hpp
//
// Recovers large captures through a lens tile by tile, each with the kernels of its place.
#pragma once

#include <memory>

#include <sonolux/sdk/pipelines/lens_field.hpp>
#include <sonolux/sdk/runtime/lens_recovery.hpp>

namespace sonolux {

/// A model bound to a lens and to a size of captures, in memory that the tile decides.
///
/// A tile is recovered together with what lies around it as far as the kernels reach, beyond the capture's
/// border as LensRecovery guesses it, and tiles fade into each other. What a tile sees of light from further
/// away than its surroundings is lost: against the whole capture at once, differences are of the order of the
/// kernel's tails. Kernels are those of the tile's middle, between those of the fields: what changes within a
/// tile is not seen, so tiles are best no larger than fields.
class TiledLensRecovery {
public:
    static constexpr Index usual_tile = 1024;

    /// `field` null: the model's kernels, everywhere. `tile` pixels a side (0: usual_tile, or a field where
    /// that is smaller). Threads are those of `context`, which must outlive this object. Throws
    /// Error{invalid_argument} for a tile below 32 that is not 0, and as LensRecovery does.
    TiledLensRecovery(const Model& model, std::shared_ptr<const LensField> field, Index rows, Index columns,
                      Index tile, Context& context);

    /// As LensRecovery::run, but capture and image must not be the same. `context` of the constructor hears
    /// about progress, and is asked to stop after each stage: then the image is not finished.
    [[nodiscard]] Status run(View<const float> capture, std::span<const double> noise, View<float> image);

    [[nodiscard]] Index tiles() const noexcept { return down_.count * across_.count; }

    /// Of a tile: what it has to be recovered in.
    [[nodiscard]] std::size_t workspace_bytes() noexcept { return inner_.workspace().size(); }

private:
    /// One direction, cut into parts.
    struct Cut {
        Index size, count, window, fade;

        Cut(Index size, Index tile, Index margin);
        [[nodiscard]] Index begin(Index part) const noexcept { return size * part / count; }
        [[nodiscard]] double middle(Index part) const noexcept {
            return static_cast<double>(begin(part) + begin(part + 1) - 1) / 2;
        }
        [[nodiscard]] Index window_begin(Index part) const noexcept;
        [[nodiscard]] float weight(Index part, Index place) const noexcept;
    };

    std::shared_ptr<const LensField> field_;
    Context& outer_;
    Context inner_;  // so that progress within a tile can be told as progress of all
    Index reach_, margin_;
    Cut down_, across_;
    LensRecovery recovery_;
    Array<float> window_;
};

}  // namespace sonolux

// sonolux/simulation/patches.hpp
//
// Training patches out of images: which, where and which way round is drawn at random, and can be drawn
// again.
#pragma once

#include <vector>

#include <sonolux/core/image_planes.hpp>
#include <sonolux/core/random.hpp>
#include <sonolux/simulation/streams.hpp>

namespace sonolux {

/// The eight ways to put a square down: turned by `symmetry % 4` quarter turns, and before that mirrored left
/// to right if symmetry >= 4. Writes patch[i, j]; the image has the patch's shape, or the turned one (columns
/// x rows) where the number of turns is odd. Planes [rows, columns].
void apply_symmetry(View<const float> image, int symmetry, View<float> patch) noexcept;

/// Images that share a fraction of the patches: photographs, or dead leaves.
struct PatchSource {
    std::vector<View<const float>> images;  ///< [rows, columns] or [channels, rows, columns] each, of any
                                            ///< size; the memory must outlive the sampler
    double weight = 1;  ///< the fraction of patches from here, after division by the sum over sources
};

/// Which places are passed over. A place is refused if the root mean square of the differences between
/// neighbouring pixels, of all channels, is below `smallest_gradient`, or if more than
/// `largest_saturated_fraction` of its samples lie at or outside [saturated_below, saturated_above]; then
/// another is drawn from the same source, up to `attempts` in all, of which, if all are refused, the one with
/// the largest gradient is taken. `exempt_fraction` of the patches are taken from the first place whatever is
/// there, because a network must see skies and walls too. In the units of the images. The default refuses
/// nothing.
struct PatchRule {
    float smallest_gradient = 0;
    float saturated_below = -3.4e38f, saturated_above = 3.4e38f;
    double largest_saturated_fraction = 1;
    double exempt_fraction = 0;
    int attempts = 8;
};

/// Fills batches with patches. Sample n is a function of (seed, n) and of the images alone, from
/// Philox(seed, streams::patches, n): an interrupted training sees the same patches when it goes on, whatever
/// its batch size and number of threads.
///
/// A source is drawn by weight, then a place: every position in any of the source's images that can hold the
/// patch is equally likely. Then one of eight symmetries (or of four for patches that are not square, or
/// none). All images have the same number of channels, which go through all of this together.
class PatchSampler {
public:
    enum class Symmetries { none, all };

    /// Throws Error{invalid_argument} if there is no source, a source has no image, a weight is negative or
    /// not finite or all are zero, a rule is outside its range, or an image is smaller than a patch or has
    /// another number of channels than the first: the message names source and image by their number, from 0.
    PatchSampler(std::vector<PatchSource> sources, Index rows, Index columns, std::uint64_t seed,
                 const PatchRule& rule = {}, Symmetries symmetries = Symmetries::all);

    [[nodiscard]] Index rows() const noexcept { return rows_; }
    [[nodiscard]] Index columns() const noexcept { return columns_; }

    /// [rows, columns] or [channels, rows, columns].
    [[nodiscard]] Shape patch_shape() const noexcept { return image_shape(channels_, rows_, columns_); }

    /// How many different places there are, over all sources of positive weight.
    [[nodiscard]] std::uint64_t places() const noexcept;

    /// Sample `first_sample + b` into batch[b]. `batch` has shape [n, channels, rows, columns], or [n, rows,
    /// columns] for one channel. On the context's threads; allocates nothing.
    void fill(std::uint64_t first_sample, View<float> batch, Context& context) const noexcept;

    /// One sample, of patch_shape(), on the calling thread.
    void fill_one(std::uint64_t sample, View<float> patch) const noexcept;

private:
    struct Source {
        std::vector<View<const float>> images;
        std::vector<std::uint64_t> places_before;  // one more than images; the last is the total
        double weight_up_to;                       // cumulative, of 1
    };

    // The patch's rows and columns of one image.
    struct Place {
        View<const float> image;
        Index row, column;
    };

    [[nodiscard]] Place place(const Source& source, Philox& random) const noexcept;
    [[nodiscard]] View<const float> channel(const Place& place, Index c) const noexcept;
    [[nodiscard]] bool accepted(const Place& place, double& gradient) const noexcept;

    std::vector<Source> sources_;
    Index rows_, columns_, channels_ = 1;
    std::uint64_t seed_;
    PatchRule rule_;
    Symmetries symmetries_;
};

}  // namespace sonolux

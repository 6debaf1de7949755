// sonolux/sdk/runtime/reconstructor.hpp
//
// Reconstructor: a model made ready for images of one size. plan -> bind -> run.
//
// Variational networks work on large images in tiles. A pixel after T stages sees no further than T * reach
// pixels of the input, reach = 2 * (filter size / 2) for a field of experts; so each tile is taken with that
// much around it, cut off at the true border of the image, where the network's boundary rule holds as in the
// whole image. (Circular images have no true border: there the overlap is taken from the other side.) What
// the boundary rule does at the other edges of the extended tile never arrives in the tile itself, and since
// each pixel's sums have one order wherever it lies, tiled and untiled results are equal to the bit. One kind
// of network is not cut into tiles: with a border that is circular and exact, sums at the seam have another
// order than elsewhere.
//
// Shrinkage fields are not cut either: their Fourier steps see everywhere. The response of
// 1 / (lambda |K|^2 + D) falls off exponentially, but where the kernel's spectrum K has a zero only as
// exp(-distance sqrt(D / lambda) / |K'|), which takes hundreds of pixels for the blurs that matter. What
// cutting would cost was measured: 64 x 64 pixels in the middle of a photograph, deblurred by models/deblur
// from what lies within `overlap` of them, against the same pixels of the whole image deblurred (largest
// difference in [0, 1], sigma 1.5):
//
//     overlap                              32       64       128      256      512
//     Gaussian of deviation 2              1.5e-6   8e-7     8e-7     8e-7     8e-7
//     kernel 1 of Levin et al., 19 x 19    1.5e-3   6.6e-4   7.9e-5   2.5e-6   1.0e-6
//     disc of radius 6                     2.4e-3   1.2e-3   3.6e-4   9.9e-6   1.5e-6
//     kernel 4 of Levin et al., 27 x 27    7.2e-3   2.1e-3   8.1e-4   5.8e-4   7.0e-5
//     line of 27 pixels                    3.9e-3   3.7e-3   1.9e-3   1.5e-3   7.4e-4
//
// So the Fourier steps work on the whole image, in 38 bytes a pixel of its domain (26 of workspace, 12 of the
// plan; 46 with a convolutional network), and only the learned part between them in small tiles of its own,
// which changes no bit. 12 megapixels take 0.5 GB, plane after plane.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <sonolux/core/context.hpp>
#include <sonolux/sdk/runtime/model.hpp>
#include <sonolux/solvers/network_options.hpp>
#include <sonolux/solvers/variational_network_cuda.hpp>

namespace sonolux {

struct ReconstructorOptions {
    /// Noise level in units of 1/255 of the image range, within what the model was trained for.
    /// 0: the model's, if it has one only.
    float sigma = 0;

    /// The blur to take away, y = k * x: a convolution, whose centre is the tap [rows / 2, columns / 2]. Its
    /// taps are finite and not negative (but for 1 % of the largest, as interpolation leaves) and sum to 1
    /// (within 0.001), and it is not larger than the image. Copied. For models that deblur, and for no
    /// others.
    View<const float> kernel{};

    /// Tiles without their overlap. 0: chosen by the library, as large as `memory_limit` allows. Not looked
    /// at by shrinkage fields, which are not cut.
    Index tile_rows = 0, tile_columns = 0;

    /// Bytes of workspace and of what the plan itself holds; not looked at if both sizes of the tiles are
    /// given. 0: 64 MiB, or what the whole image takes where it cannot be cut.
    std::size_t memory_limit = 0;

    /// Null: the CPU. Otherwise the whole image is worked on there, uncut, whatever the memory limit.
    std::shared_ptr<CudaDevice> device{};

    int threads = 0;                         ///< for the default runner; 0: all processors
    std::shared_ptr<ThreadRunner> runner{};  ///< null: the default

    /// Called after each stage of each tile; returns false to cancel.
    std::function<bool(const Progress&)> progress{};
};

/// Runs a model on images with values in [0, 1]: [rows, columns], or stacks of such planes one by one; models
/// that look at several channels together on [channels, rows, columns].
///
/// Serves one caller at a time; many may be made from one model, which may go afterwards.
class Reconstructor {
public:
    static constexpr Index largest_size = Index{1} << 24;  ///< of rows, and of columns

    /// Throws Error{invalid_argument} naming the field (a size below 1 or too large, a noise level the model
    /// does not know, a memory limit below the smallest tile's need, a kernel that is none or is not wanted),
    /// Error{corrupt_data} for a model that is not what it claims to be, Error{unsupported} for one that
    /// neither denoises nor deblurs images, or has no CUDA form where a device is given, or for tiles there;
    /// and on a device Error{out_of_memory} and Error{device_error}.
    Reconstructor(const Model& model, Index rows, Index columns, const ReconstructorOptions& options = {});

    /// That the model looks at together: 1, or 3 for colour.
    [[nodiscard]] Index channels() const noexcept { return network_->channels(); }
    [[nodiscard]] Index rows() const noexcept { return rows_; }
    [[nodiscard]] Index columns() const noexcept { return columns_; }
    [[nodiscard]] Index tile_rows() const noexcept { return tile_rows_; }
    [[nodiscard]] Index tile_columns() const noexcept { return tile_columns_; }
    [[nodiscard]] Index tiles() const noexcept;
    [[nodiscard]] Index overlap() const noexcept { return overlap_; }
    [[nodiscard]] Index stages() const noexcept { return network_->steps(); }
    [[nodiscard]] float sigma() const noexcept { return network_->sigma(); }

    /// All memory that `run` takes, besides the images and what the plan itself holds.
    [[nodiscard]] std::size_t workspace_bytes() const noexcept { return workspace_bytes_; }

    /// What the plan itself holds in proportion to the image, from its construction on: of Fourier steps the
    /// kernel's spectrum and the scratch of the transform (whose tables, of a few rows and columns, come on
    /// top). 0 for networks without.
    /// On a device: the images in host memory that it copies from and to.
    [[nodiscard]] std::size_t plan_bytes() const noexcept {
        return (blur_ ? blur_->memory_bytes() : 0) + (on_device_ ? on_device_->image_bytes() : 0);
    }

    /// Whether it takes a blur away.
    [[nodiscard]] bool deblurs() const noexcept { return deblurs_; }

    /// The largest kernel that set_kernel takes: at least the one that was planned for. 0 x 0 where there is
    /// none.
    [[nodiscard]] Shape largest_kernel() const noexcept;

    /// Takes that memory from the heap. Throws Error{out_of_memory}.
    void bind();

    /// Uses the caller's. Throws Error{size_mismatch} if it is too short, Error{invalid_argument} if it does
    /// not start at a multiple of Workspace::alignment.
    ///
    /// Both make the runner start its threads, so that `run` allocates nothing if the same thread calls it.
    void bind(std::span<std::byte> memory);

    /// Another noise level for the following runs. Throws as the constructor does. Allocates nothing else.
    void set_sigma(float sigma);

    /// Another kernel for the following runs, as ReconstructorOptions::kernel and at most largest_kernel().
    /// Throws as the constructor does, with the kernel as before. Allocates nothing else.
    void set_kernel(View<const float> kernel);

    /// Each following run stops at the first stage boundary after this many seconds; infinity means never.
    /// Throws Error{invalid_argument} unless seconds > 0.
    void set_time_limit(double seconds);

    /// Stops the run in progress, or else the next one, at its next stage boundary. From any thread.
    void cancel() noexcept { context_.cancel(); }

    /// Reconstructs `in` to `out`, both of the planned size and with the model's channels (or, of one
    /// channel, stacks of as many such planes), with any row and channel strides. They may be the same image
    /// if tiles() is 1, and must not overlap otherwise. Pixels that are NaN or infinite spoil pixels within
    /// overlap() of them, and change no others; with Fourier steps they spoil the whole plane. Allocates
    /// nothing.
    ///
    /// ok, or cancelled / deadline_exceeded: then each tile holds what its last finished stage made, and
    /// tiles that had not been begun hold the input. Otherwise `out` is untouched: size_mismatch, or
    /// invalid_argument where nothing was bound or images overlap.
    ///
    /// On a device all stages are one piece of work: a run stops before it or not at all, and progress is
    /// reported after it. device_error leaves `out` untouched, and device_message says what happened.
    [[nodiscard]] Status run(View<const float> in, View<float> out) noexcept;

    /// The same for the channels of one image, as many as the model's, each a plane of its own wherever it
    /// lies.
    [[nodiscard]] Status run(std::span<const View<const float>> in,
                             std::span<const View<float>> out) noexcept;

    /// Why `run` refuses these images, in a sentence; "ok" if it does not.
    [[nodiscard]] std::string explain(View<const float> in, View<const float> out) const;

    /// What the device said when a run returned device_error.
    [[nodiscard]] const char* device_message() const noexcept {
        return on_device_ ? on_device_->message() : "";
    }

    /// Whether it has been given memory.
    [[nodiscard]] bool bound() const noexcept { return bound_; }

    [[nodiscard]] const Context& context() const noexcept { return context_; }

private:
    // Where a tile lies in one direction: its pixels are [first, last), with its overlap [begin, end).
    struct Extent {
        Index first, last, begin, end;
    };
    [[nodiscard]] Extent extent(Index tile, Index tile_size, Index size) const noexcept;
    [[nodiscard]] Index extended(Index tile_size, Index size) const noexcept;
    [[nodiscard]] std::size_t bytes_for(Index tile_rows, Index tile_columns) const noexcept;
    void plan(const VariationalNetworkOptions& architecture);
    void plan(const ShrinkageFieldsOptions& architecture, const ReconstructorOptions& options);
    void require_kernel(View<const float> kernel, const Shape& largest) const;
    void choose_tiles(const ReconstructorOptions& options);
    using InPlanes = std::span<const View<const float>>;  // the channels of one image
    using OutPlanes = std::span<const View<float>>;
    [[nodiscard]] Status check(View<const float> in, View<const float> out) const noexcept;
    [[nodiscard]] Status check(InPlanes in, OutPlanes out) const noexcept;
    void begin_run(Index images) noexcept;
    [[nodiscard]] Status end_run(Status status) noexcept;
    [[nodiscard]] Status run_on_device(InPlanes in, OutPlanes out) noexcept;
    [[nodiscard]] Status run_tile(InPlanes in, OutPlanes out, const Extent& rows,
                                  const Extent& columns) noexcept;
    [[nodiscard]] Status run_image(InPlanes in, OutPlanes out) noexcept;

    Index rows_, columns_;
    Index tile_rows_ = 0, tile_columns_ = 0;
    Index overlap_ = 0;
    bool circular_ = false, tileable_ = true, deblurs_ = false;
    float sigma_min_ = 0, sigma_max_ = 0;  // in units of 1/255 of the image range
    std::size_t workspace_bytes_ = 0;
    double time_limit_;
    std::unique_ptr<UnrolledNetwork> network_;
    std::unique_ptr<PaddedBlur> blur_;  // of networks with Fourier steps
    std::function<bool(const Progress&)> progress_;
    std::shared_ptr<CudaDevice> device_;
    std::unique_ptr<VariationalNetworkCuda> on_device_;  // which goes before its device
    Index tiles_done_ = 0, tiles_total_ = 0;             // of the run in progress
    bool stopped_ = false;                               // by the progress callback
    Context context_;
    bool bound_ = false;
};

}  // namespace sonolux

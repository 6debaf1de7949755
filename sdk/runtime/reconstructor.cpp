// sonolux/sdk/runtime/reconstructor.cpp
#include <algorithm>
#include <cmath>
#include <limits>

#include <sonolux/sdk/runtime/bind_workspace.hpp>
#include <sonolux/sdk/runtime/image_overlap.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>

namespace sonolux {
namespace {

constexpr Index most_channels = 4;  // of filters

// A kernel that changes the brightness, or takes light away, was not made for this: its maker should know.
constexpr double sum_tolerance = 1e-3, negative_tolerance = 0.01;

void require_size(Index size, const char* what) {
    require(size >= 1 && size <= Reconstructor::largest_size, Status::invalid_argument, what,
            " must be from 1 to ", Reconstructor::largest_size, ", got ", size);
}

}  // namespace

Reconstructor::Reconstructor(const Model& model, Index rows, Index columns,
                             const ReconstructorOptions& options)
    : rows_(rows),
      columns_(columns),
      time_limit_(std::numeric_limits<double>::infinity()),
      progress_(options.progress),
      device_(options.device),
      context_(make_runner(options.runner, options.threads)) {
    context_.set_cuda_device(device_);
    require_size(rows, "rows");
    require_size(columns, "columns");
    deblurs_ = model.problem.kind == "deblur";
    require(deblurs_ || model.problem.kind == "denoise", Status::unsupported, "model \"", model.name,
            "\" solves the problem \"", model.problem.kind,
            "\", this library only \"denoise\" and \"deblur\"");
    const NetworkOptions architecture = architecture_of(model);
    require(!deblurs_ || options.kernel.data() != nullptr, Status::invalid_argument,
            "a kernel must be given: model \"", model.name, "\" takes a blur away");
    require(deblurs_ || options.kernel.data() == nullptr, Status::invalid_argument,
            "a kernel must not be given: model \"", model.name,
            "\" takes noise away and no blur, got one of ", to_string(options.kernel.shape()));
    network_ = network_from_model(model);
    require(!device_ || std::holds_alternative<VariationalNetworkOptions>(architecture), Status::unsupported,
            "model \"", model.name, "\" cannot run on ", device_ ? device_->name() : "",
            ": shrinkage fields have no CUDA form");
    if (const auto* shrinkage = std::get_if<ShrinkageFieldsOptions>(&architecture))
        plan(*shrinkage, options);
    else
        plan(std::get<VariationalNetworkOptions>(architecture));

    sigma_min_ = static_cast<float>(255 * model.problem.sigma_min);
    sigma_max_ = static_cast<float>(255 * model.problem.sigma_max);
    require(options.sigma != 0 || sigma_min_ == sigma_max_, Status::invalid_argument,
            "sigma must be given: model \"", model.name, "\" serves noise levels from ", sigma_min_, " to ",
            sigma_max_);
    set_sigma(options.sigma != 0 ? options.sigma : sigma_max_);

    choose_tiles(options);
    if (options.device)
        on_device_ = std::make_unique<VariationalNetworkCuda>(*network_, rows, columns, *options.device);
    else
        workspace_bytes_ = bytes_for(tile_rows_, tile_columns_);
    if (!progress_) return;
    context_.set_progress([this](const Progress& stage) {
        const Index done = tiles_done_ * stages() + stage.done;
        stopped_ = !progress_({stage.activity, done, tiles_total_ * stages(), stage.seconds_left});
        return !stopped_;
    });
}

void Reconstructor::plan(const VariationalNetworkOptions& architecture) {
    overlap_ = architecture.stages * (Index{2} * (architecture.prior.filters.size / 2));
    circular_ = architecture.prior.boundary == BoundaryRule::circular;
    tileable_ = (!circular_ || architecture.prior.border == BorderGradient::cropped) &&
                architecture.prior.border != BorderGradient::valid && architecture.prior.weight_nodes == 0;
}

void Reconstructor::plan(const ShrinkageFieldsOptions& architecture, const ReconstructorOptions& options) {
    tileable_ = false;
    if (deblurs_) require_kernel(options.kernel, {rows_, columns_});
    const Index row_radius = deblurs_ ? options.kernel.rows() / 2 : 0;
    const Index column_radius = deblurs_ ? options.kernel.columns() / 2 : 0;
    // Not even begun where it cannot end well: 12 bytes a pixel are the least that the blur takes.
    const double least = 12.0 * static_cast<double>(rows_) * static_cast<double>(columns_);
    require(options.memory_limit == 0 || static_cast<double>(options.memory_limit) >= least,
            Status::unsupported, "memory_limit must be above ", least,
            " bytes, since a network with Fourier steps sees the whole image, got ", options.memory_limit);
    blur_ = make_padded_blur(architecture, rows_, columns_, row_radius, column_radius);
    if (deblurs_) blur_->set_kernel(options.kernel);
}

Shape Reconstructor::largest_kernel() const noexcept {
    if (!deblurs_) return {0, 0};
    if (blur_->treatment() == BorderTreatment::circular) return {rows_, columns_};
    return {std::min(2 * blur_->border_rows() + 1, rows_),
            std::min(2 * blur_->border_columns() + 1, columns_)};
}

void Reconstructor::require_kernel(View<const float> kernel, const Shape& largest) const {
    require(kernel.data() != nullptr && kernel.rank() == 2 && kernel.elements() > 0, Status::invalid_argument,
            "the kernel must be [rows, columns], at least 1 x 1, got ", to_string(kernel.shape()));
    require(kernel.rows() <= largest[0] && kernel.columns() <= largest[1], Status::invalid_argument,
            "the kernel must be at most ", to_string(largest),
            blur_ ? ", what was planned for, got " : ", the size of the image, got ",
            to_string(kernel.shape()));
    double sum = 0, most = 0;
    for (Index i = 0; i < kernel.rows(); ++i)
        for (Index j = 0; j < kernel.columns(); ++j) {
            const double tap = kernel(i, j);
            require(std::isfinite(tap), Status::invalid_argument, "tap [", i, ", ", j,
                    "] of the kernel must be finite, got ", tap);
            sum += tap;
            most = std::max(most, tap);
        }
    for (Index i = 0; i < kernel.rows(); ++i)
        for (Index j = 0; j < kernel.columns(); ++j)
            require(kernel(i, j) >= -negative_tolerance * most, Status::invalid_argument, "tap [", i, ", ", j,
                    "] of the kernel must not be below 0, got ", kernel(i, j));
    require(std::abs(sum - 1) <= sum_tolerance, Status::invalid_argument,
            "the taps of the kernel must sum to 1, got ", sum);
}

void Reconstructor::set_kernel(View<const float> kernel) {
    require(deblurs_, Status::invalid_argument,
            "a kernel must not be given: the model takes noise away and no blur, got one of ",
            to_string(kernel.shape()));
    require_kernel(kernel, largest_kernel());
    blur_->set_kernel(kernel);
}

void Reconstructor::set_sigma(float sigma) {
    if (sigma_max_ == 0 && sigma == 0) return network_->update(network_->sigma());  // not trained for noise
    const float slack = 1e-4f * sigma_max_;  // a level that went through units of the image range and back
    if (!(sigma >= sigma_min_ - slack && sigma <= sigma_max_ + slack)) {
        const std::string known = sigma_min_ == sigma_max_
                                      ? sentence(sigma_min_)
                                      : sentence("from ", sigma_min_, " to ", sigma_max_);
        fail(Status::invalid_argument, "sigma must be ", known, ", what the model was trained for, got ",
             sigma);
    }
    network_->update(std::clamp(sigma, sigma_min_, sigma_max_));
    if (on_device_) on_device_->update(*network_);
}

void Reconstructor::set_time_limit(double seconds) {
    require(seconds > 0, Status::invalid_argument, "time limit must be above 0 seconds, got ", seconds);
    time_limit_ = seconds;
}

void Reconstructor::bind() {
    bound_ = false;
    bind_own_workspace(context_, workspace_bytes_);
    bound_ = true;
}

void Reconstructor::bind(std::span<std::byte> memory) {
    bind_workspace(context_, workspace_bytes_, memory);
    bound_ = true;
}

Status Reconstructor::check(View<const float> in, View<const float> out) const noexcept {
    if (!bound_) return Status::invalid_argument;
    if ((in.rank() != 2 && in.rank() != 3) || out.shape() != in.shape() || in.rows() != rows_ ||
        in.columns() != columns_ || in.row_stride() < columns_ || out.row_stride() < columns_)
        return Status::size_mismatch;
    if (channels() > 1 && plane_count(in) != channels()) return Status::size_mismatch;
    Status status = Status::ok;
    for (Index i = 0; i < plane_count(in) && status == Status::ok; ++i)
        for (Index o = 0; o < plane_count(out) && status == Status::ok; ++o)
            status = check_overlap(plane_of(in, i), plane_of(out, o), i == o && tiles() == 1);
    return status;
}

Status Reconstructor::check(InPlanes in, OutPlanes out) const noexcept {
    if (!bound_) return Status::invalid_argument;
    return check_planes(in, out, channels(), rows_, columns_, tiles() == 1);
}

std::string Reconstructor::explain(View<const float> in, View<const float> out) const {
    switch (check(in, out)) {
        case Status::ok: return to_string(Status::ok);
        case Status::size_mismatch:
            return sentence("images must be ", to_string(image_shape(channels(), rows_, columns_)),
                            ", the size of the plan",
                            channels() == 1 ? ", or stacks of such planes" : " and the channels of the model",
                            ", got ", to_string(in.shape()), " and ", to_string(out.shape()));
        default: break;
    }
    if (!bound_) return "there is no workspace yet: bind comes before run";
    if (in.data() == nullptr || out.data() == nullptr) return "there are images without data";
    return tiles() == 1 ? "input and output must be the same image or not overlap"
                        : "input and output must not overlap, since the image is worked on in tiles";
}

void Reconstructor::begin_run(Index images) noexcept {
    limit_time(context_, time_limit_);
    tiles_done_ = 0;
    stopped_ = false;
    tiles_total_ = images * tiles();
}

Status Reconstructor::end_run(Status status) noexcept {
    // Also where the last stage of all was told to stop, so that the next run is not.
    if (status == Status::cancelled || stopped_) context_.clear_cancel();
    return status;
}

Status Reconstructor::run(View<const float> in, View<float> out) noexcept {
    if (const Status refused = check(in, out); refused != Status::ok) return refused;
    const Index together = channels(), images = plane_count(in) / together;
    begin_run(images);
    Status status = Status::ok;
    for (Index i = 0; i < images; ++i) {
        View<const float> from[most_channels];
        View<float> to[most_channels];
        for (Index c = 0; c < together; ++c) {
            from[c] = plane_of(in, i * together + c);
            to[c] = plane_of(out, i * together + c);
        }
        const auto count = static_cast<std::size_t>(together);
        const Status image_status = run_image({from, count}, {to, count});
        if (status == Status::ok) status = image_status;
    }
    return end_run(status);
}

Status Reconstructor::run(std::span<const View<const float>> in, std::span<const View<float>> out) noexcept {
    if (const Status refused = check(in, out); refused != Status::ok) return refused;
    begin_run(1);
    return end_run(run_image(in, out));
}

Status Reconstructor::run_on_device(InPlanes in, OutPlanes out) noexcept {
    if (const Status stopped = context_.poll(); stopped != Status::ok) {
        for (std::size_t c = 0; c < in.size(); ++c) copy_plane(in[c], out[c]);
        return stopped;
    }
    const View<float> staging(on_device_->images(), {channels(), rows_, columns_});
    for (std::size_t c = 0; c < in.size(); ++c) copy_plane(in[c], staging[static_cast<Index>(c)]);
    if (const Status status = on_device_->run(); status != Status::ok) return status;
    for (std::size_t c = 0; c < out.size(); ++c) copy_plane(staging[static_cast<Index>(c)], out[c]);
    context_.report({.activity = "reconstructing", .done = stages(), .total = stages(), .seconds_left = -1});
    ++tiles_done_;
    return Status::ok;
}

Status Reconstructor::run_image(InPlanes in, OutPlanes out) noexcept {
    if (on_device_) return run_on_device(in, out);
    Status status = Status::ok;
    for (Index row = 0; row * tile_rows_ < rows_; ++row)
        for (Index column = 0; column * tile_columns_ < columns_; ++column) {
            const Extent rows = extent(row, tile_rows_, rows_);
            const Extent columns = extent(column, tile_columns_, columns_);
            const Status tile_status = run_tile(in, out, rows, columns);
            if (status == Status::ok) status = tile_status;
            ++tiles_done_;
        }
    return status;
}

Status Reconstructor::run_tile(InPlanes in, OutPlanes out, const Extent& rows,
                               const Extent& columns) noexcept {
    if (tiles() == 1 && in.size() == 1)
        return network_->run({.data = in[0], .blur = blur_.get()}, out[0], context_);
    const Index height = rows.last - rows.first, width = columns.last - columns.first;
    const auto part = [&](auto plane) { return plane.block(rows.first, columns.first, height, width); };
    if (const Status stopped = context_.poll(); stopped != Status::ok) {
        for (std::size_t c = 0; c < in.size(); ++c) copy_plane(part(in[c]), part(out[c]));
        return stopped;
    }
    Scratch scratch(context_.workspace());
    const View<float> tile =
        scratch.take<float>(image_shape(channels(), rows.end - rows.begin, columns.end - columns.begin));
    if (tile.data() == nullptr) return Status::internal_error;
    const auto inside = [](Index i, Index size) { return boundary_index(BoundaryRule::circular, i, size); };
    for (std::size_t c = 0; c < in.size(); ++c) {
        const View<float> plane = plane_of(tile, static_cast<Index>(c));
        for (Index r = rows.begin; r < rows.end; ++r) {
            const float* line = in[c].row(inside(r, rows_));
            float* copied = plane.row(r - rows.begin);
            if (columns.begin >= 0 && columns.end <= columns_)
                std::copy(line + columns.begin, line + columns.end, copied);
            else
                for (Index j = columns.begin; j < columns.end; ++j)
                    copied[j - columns.begin] = line[inside(j, columns_)];
        }
    }
    const Status status = network_->run(tile, tile, context_);
    for (std::size_t c = 0; c < out.size(); ++c)
        copy_plane(plane_of(tile, static_cast<Index>(c))
                       .block(rows.first - rows.begin, columns.first - columns.begin, height, width),
                   part(out[c]));
    return status;
}

}  // namespace sonolux

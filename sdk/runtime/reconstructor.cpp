// sonolux/sdk/runtime/reconstructor.cpp
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>

namespace sonolux {
namespace {

constexpr Index smallest_tile = 16;  // below this nearly all of a tile is overlap
constexpr int most_threads = 1024;
constexpr std::size_t usual_memory_limit = std::size_t{64} << 20;

// A kernel that changes the brightness, or takes light away, was not made for this: its maker should know.
constexpr double sum_tolerance = 1e-3, negative_tolerance = 0.01;

Index divide_up(Index a, Index b) noexcept { return (a + b - 1) / b; }

void require_size(Index size, const char* what) {
    require(size >= 1 && size <= Reconstructor::largest_size, Status::invalid_argument, what,
            " must be from 1 to ", Reconstructor::largest_size, ", got ", size);
}

std::shared_ptr<ThreadRunner> make_runner(const ReconstructorOptions& options) {
    const int threads = options.runner ? options.runner->threads() : options.threads;
    require(threads >= (options.runner ? 1 : 0) && threads <= most_threads, Status::invalid_argument,
            options.runner ? "threads of the runner must be from 1 to " : "threads must be from 0 to ",
            most_threads, ", got ", threads);
    return options.runner ? options.runner : make_openmp_runner(threads);
}

void copy(View<const float> from, View<float> to) noexcept {
    for (Index r = 0; r < to.rows(); ++r) std::copy_n(from.row(r), to.columns(), to.row(r));
}

// Whether two planes of one size share a pixel.
bool share_pixels(View<const float> a, View<const float> b) noexcept {
    const auto address = [](const float* p) { return reinterpret_cast<std::uintptr_t>(p); };
    const auto extent = [](View<const float> v) {
        return ((v.rows() - 1) * v.row_stride() + v.columns()) * sizeof(float);
    };
    const std::uintptr_t low = std::min(address(a.data()), address(b.data()));
    const std::uintptr_t high = std::max(address(a.data()), address(b.data()));
    const View<const float> first = low == address(a.data()) ? a : b;
    if (high - low >= extent(first)) return false;
    if (a.row_stride() != b.row_stride()) return true;
    // Rows of the same stride may lie between each other: two halves of a wide image.
    const std::uintptr_t shift = (high - low) % (static_cast<std::size_t>(a.row_stride()) * sizeof(float));
    const std::uintptr_t row = static_cast<std::size_t>(a.columns()) * sizeof(float);
    return shift < row || shift + row > static_cast<std::size_t>(a.row_stride()) * sizeof(float);
}

Index planes_of(View<const float> images) noexcept { return images.rank() == 3 ? images.size(0) : 1; }

template <class T>
View<T> plane_of(View<T> images, Index plane) noexcept {
    return images.rank() == 3 ? images[plane] : images;
}

}  // namespace

Reconstructor::Reconstructor(const Model& model, Index rows, Index columns,
                             const ReconstructorOptions& options)
    : rows_(rows),
      columns_(columns),
      time_limit_(std::numeric_limits<double>::infinity()),
      progress_(options.progress),
      context_(make_runner(options)) {
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
    tileable_ = !circular_ || architecture.prior.border == BorderGradient::cropped;
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

Index Reconstructor::tiles() const noexcept {
    return divide_up(rows_, tile_rows_) * divide_up(columns_, tile_columns_);
}

Reconstructor::Extent Reconstructor::extent(Index tile, Index tile_size, Index size) const noexcept {
    if (tile_size == size) return {0, size, 0, size};
    const Index first = tile * tile_size, last = std::min(first + tile_size, size);
    if (circular_) return {first, last, first - overlap_, last + overlap_};
    return {first, last, std::max(first - overlap_, Index{0}), std::min(last + overlap_, size)};
}

// The largest size that a tile has with its overlap.
Index Reconstructor::extended(Index tile_size, Index size) const noexcept {
    if (tile_size == size) return size;
    return circular_ ? tile_size + 2 * overlap_ : std::min(tile_size + 2 * overlap_, size);
}

std::size_t Reconstructor::bytes_for(Index tile_rows, Index tile_columns) const noexcept {
    const Index rows = extended(tile_rows, rows_), columns = extended(tile_columns, columns_);
    const bool whole = tile_rows == rows_ && tile_columns == columns_;
    if (blur_)
        return network_->run_workspace_bytes(blur_->domain()[0], blur_->domain()[1], context_,
                                             {.data = {}, .blur = blur_.get()});
    return (whole ? 0 : Workspace::bytes<float>(rows * columns)) +
           network_->run_workspace_bytes(rows, columns, context_);
}

// Among the tiles whose workspace is within the limit, those with the least area in all, overlaps included.
void Reconstructor::choose_tiles(const ReconstructorOptions& options) {
    require(options.tile_rows >= 0, Status::invalid_argument, "tile_rows must be at least 0, got ",
            options.tile_rows);
    require(options.tile_columns >= 0, Status::invalid_argument, "tile_columns must be at least 0, got ",
            options.tile_columns);
    tile_rows_ = std::min(options.tile_rows, rows_);
    tile_columns_ = std::min(options.tile_columns, columns_);
    if (!tileable_) {
        const char* why =
            blur_ ? "a network with Fourier steps" : "a network whose border is circular and exact";
        require(blur_ || ((tile_rows_ == 0 || tile_rows_ == rows_) &&
                          (tile_columns_ == 0 || tile_columns_ == columns_)),
                Status::unsupported, "tiles must be the whole image for ", why, ", got ", options.tile_rows,
                " x ", options.tile_columns);
        const std::size_t needed = bytes_for(rows_, columns_) + plan_bytes();
        require(options.memory_limit == 0 || needed <= options.memory_limit, Status::unsupported,
                "memory_limit must be at least ", needed, " bytes, what the whole image needs (", why,
                " cannot run in tiles), got ", options.memory_limit);
        tile_rows_ = rows_;
        tile_columns_ = columns_;
    }
    if (tile_rows_ > 0 && tile_columns_ > 0) return;
    const std::size_t memory_limit = options.memory_limit > 0 ? options.memory_limit : usual_memory_limit;

    const auto fits = [&](Index rows, Index columns) { return bytes_for(rows, columns) <= memory_limit; };
    // How many parts a direction may be cut into; a given size of tiles is one way only.
    const auto most_parts = [](Index given, Index size) {
        return given > 0 ? Index{1} : divide_up(size, std::min(size, smallest_tile));
    };
    const auto size_of_part = [](Index given, Index size, Index parts) {
        return given > 0 ? given : divide_up(size, parts);
    };
    const Index given_rows = tile_rows_, given_columns = tile_columns_;
    const Index most_rows = most_parts(given_rows, rows_), most_columns = most_parts(given_columns, columns_);
    const Index fewest_columns = size_of_part(given_columns, columns_, most_columns);

    double least_area = std::numeric_limits<double>::infinity();
    const auto with_overlaps = [&](Index tile, Index size) {
        return static_cast<double>(size) + 2.0 * static_cast<double>(overlap_ * (divide_up(size, tile) - 1));
    };
    Index parts = 1;
    for (Index low = 1, high = most_rows;
         low <= high;) {  // the fewest rows of tiles with which anything fits
        const Index middle = (low + high) / 2;
        parts = fits(size_of_part(given_rows, rows_, middle), fewest_columns) ? (high = middle - 1, middle)
                                                                              : parts;
        if (high >= middle) low = middle + 1;
    }
    for (; parts <= most_rows; ++parts) {
        const Index rows = size_of_part(given_rows, rows_, parts);
        const double rows_in_all = with_overlaps(rows, rows_);
        if (rows_in_all * static_cast<double>(columns_) >= least_area) break;
        Index low = 1,
              high = most_columns;  // the fewest columns of tiles that fit; high fits, or nothing does
        while (low < high) {
            const Index middle = (low + high) / 2;
            if (fits(rows, size_of_part(given_columns, columns_, middle)))
                high = middle;
            else
                low = middle + 1;
        }
        const Index columns = size_of_part(given_columns, columns_, low);
        const double area = rows_in_all * with_overlaps(columns, columns_);
        if (!fits(rows, columns) || area >= least_area) continue;
        least_area = area;
        tile_rows_ = rows;
        tile_columns_ = columns;
    }
    const Index fewest_rows = size_of_part(given_rows, rows_, most_rows);
    require(std::isfinite(least_area), Status::invalid_argument, "memory_limit must be at least ",
            bytes_for(fewest_rows, fewest_columns), " bytes, what the smallest tile needs (", fewest_rows,
            " x ", fewest_columns, " pixels and ", overlap_, " around them), got ", memory_limit);
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
}

void Reconstructor::set_time_limit(double seconds) {
    require(seconds > 0, Status::invalid_argument, "time limit must be above 0 seconds, got ", seconds);
    time_limit_ = seconds;
}

void Reconstructor::bind() {
    bound_ = false;
    context_.workspace().bind(nullptr, 0);
    context_.workspace().reserve(workspace_bytes_);
    finish_bind();
}

void Reconstructor::bind(std::span<std::byte> memory) {
    require(memory.size() >= workspace_bytes_, Status::size_mismatch, "workspace must have at least ",
            workspace_bytes_, " bytes, got ", memory.size());
    const auto beyond = reinterpret_cast<std::uintptr_t>(memory.data()) % Workspace::alignment;
    require(beyond == 0, Status::invalid_argument, "workspace must start at a multiple of ",
            Workspace::alignment, " bytes, got an address ", beyond, " bytes beyond one");
    context_.workspace().bind(memory.data(), memory.size());
    finish_bind();
}

void Reconstructor::finish_bind() noexcept {
    // Runners like OpenMP start their threads, and allocate, in the first parallel region.
    parallel_for(context_, Index{4} * context_.threads(), [](Index, int) noexcept {});
    bound_ = true;
}

Status Reconstructor::check(View<const float> in, View<const float> out) const noexcept {
    if (!bound_) return Status::invalid_argument;
    if ((in.rank() != 2 && in.rank() != 3) || out.shape() != in.shape() || in.rows() != rows_ ||
        in.columns() != columns_ || in.row_stride() < columns_ || out.row_stride() < columns_)
        return Status::size_mismatch;
    if (in.data() == nullptr || out.data() == nullptr) return Status::invalid_argument;
    for (Index i = 0; i < planes_of(in); ++i)
        for (Index o = 0; o < planes_of(out); ++o) {
            const View<const float> read = plane_of(in, i), written = plane_of(out, o);
            const bool in_place = i == o && tiles() == 1 && read.data() == written.data() &&
                                  read.row_stride() == written.row_stride();
            if (!in_place && share_pixels(read, written)) return Status::invalid_argument;
        }
    return Status::ok;
}

std::string Reconstructor::explain(View<const float> in, View<const float> out) const {
    switch (check(in, out)) {
        case Status::ok: return to_string(Status::ok);
        case Status::size_mismatch:
            return sentence("images must be ", rows_, " x ", columns_,
                            ", the size of the plan, or stacks of such planes, got ", to_string(in.shape()),
                            " and ", to_string(out.shape()));
        default: break;
    }
    if (!bound_) return "there is no workspace yet: bind comes before run";
    if (in.data() == nullptr || out.data() == nullptr) return "there are images without data";
    return tiles() == 1 ? "input and output must be the same image or not overlap"
                        : "input and output must not overlap, since the image is worked on in tiles";
}

Status Reconstructor::run(View<const float> in, View<float> out) noexcept {
    if (const Status refused = check(in, out); refused != Status::ok) return refused;
    const Index planes = planes_of(in);
    const bool limited = time_limit_ < 1e9;  // beyond 30 years the clock's units may overflow
    context_.set_deadline(limited
                              ? Context::Clock::now() + std::chrono::duration_cast<Context::Clock::duration>(
                                                            std::chrono::duration<double>(time_limit_))
                              : Context::Clock::time_point::max());
    tiles_done_ = 0;
    stopped_ = false;
    tiles_total_ = planes * tiles();
    Status status = Status::ok;
    for (Index plane = 0; plane < planes; ++plane) {
        const Status plane_status = run_plane(plane_of(in, plane), plane_of(out, plane));
        if (status == Status::ok) status = plane_status;
    }
    // Also where the last stage of all was told to stop, so that the next run is not.
    if (status == Status::cancelled || stopped_) context_.clear_cancel();
    return status;
}

Status Reconstructor::run_plane(View<const float> in, View<float> out) noexcept {
    Status status = Status::ok;
    for (Index row = 0; row < divide_up(rows_, tile_rows_); ++row)
        for (Index column = 0; column < divide_up(columns_, tile_columns_); ++column) {
            const Extent rows = extent(row, tile_rows_, rows_);
            const Extent columns = extent(column, tile_columns_, columns_);
            const Status tile_status = run_tile(in, out, rows, columns);
            if (status == Status::ok) status = tile_status;
            ++tiles_done_;
        }
    return status;
}

Status Reconstructor::run_tile(View<const float> in, View<float> out, const Extent& rows,
                               const Extent& columns) noexcept {
    if (tiles() == 1) return network_->run({.data = in, .blur = blur_.get()}, out, context_);
    const View<const float> from =
        in.block(rows.first, columns.first, rows.last - rows.first, columns.last - columns.first);
    const View<float> to = out.block(rows.first, columns.first, from.rows(), from.columns());
    if (const Status stopped = context_.poll(); stopped != Status::ok) {
        copy(from, to);
        return stopped;
    }
    Scratch scratch(context_.workspace());
    const View<float> tile = scratch.take<float>({rows.end - rows.begin, columns.end - columns.begin});
    if (tile.data() == nullptr) return Status::internal_error;
    const auto inside = [](Index i, Index size) { return boundary_index(BoundaryRule::circular, i, size); };
    for (Index r = rows.begin; r < rows.end; ++r) {
        const float* line = in.row(inside(r, rows_));
        float* copied = tile.row(r - rows.begin);
        if (columns.begin >= 0 && columns.end <= columns_)
            std::copy(line + columns.begin, line + columns.end, copied);
        else
            for (Index c = columns.begin; c < columns.end; ++c)
                copied[c - columns.begin] = line[inside(c, columns_)];
    }
    const Status status = network_->run(tile, tile, context_);
    copy(tile.block(rows.first - rows.begin, columns.first - columns.begin, from.rows(), from.columns()), to);
    return status;
}

}  // namespace sonolux

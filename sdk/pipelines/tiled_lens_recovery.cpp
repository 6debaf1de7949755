// sonolux/sdk/pipelines/tiled_lens_recovery.cpp
#include <sonolux/sdk/pipelines/tiled_lens_recovery.hpp>

#include <algorithm>
#include <vector>

namespace sonolux {

namespace {

constexpr Index smallest_tile = 32, most_fade = 16;
constexpr Index network_reach =
    32;  // pixels around a tile beyond what the kernels reach: what steps of the network see

std::shared_ptr<const LensField> checked(std::shared_ptr<const LensField> field, const Model& model) {
    if (field == nullptr) {
        auto uniform = std::make_shared<LensField>();
        const View<const float> kernels = lens_kernels(model);
        std::copy_n(kernels.data(), kernels.elements(),
                    uniform->kernels.emplace_back(kernels.shape()).data());
        return uniform;
    }
    require(field->grid_rows >= 1 && field->grid_columns >= 1 &&
                std::ssize(field->kernels) == field->grid_rows * field->grid_columns,
            Status::size_mismatch, "a field of ", field->grid_rows, " x ", field->grid_columns, " has ",
            field->kernels.size(), " sets of kernels");
    return field;
}

Index tile_size(Index tile, const LensField& field, Index rows, Index columns) {
    require(tile == 0 || tile >= smallest_tile, Status::invalid_argument,
            "tiles of a capture must be at least ", smallest_tile, " pixels (0: chosen here), got ", tile);
    if (tile > 0) return tile;
    const Index fields = std::max(field.grid_rows, field.grid_columns);
    if (fields == 1) return TiledLensRecovery::usual_tile;
    const Index smallest = std::min(rows / field.grid_rows, columns / field.grid_columns);
    return std::clamp(smallest, smallest_tile, TiledLensRecovery::usual_tile);
}

}  // namespace

TiledLensRecovery::Cut::Cut(Index whole, Index tile, Index margin)
    : size(whole), count(whole <= tile + 2 * margin ? 1 : (whole + tile - 1) / tile) {
    // Of the widest part.
    window = count == 1 ? whole : std::min(whole, (whole + count - 1) / count + 2 * margin);
    fade = std::min(most_fade, margin / 2);
}

Index TiledLensRecovery::Cut::window_begin(Index part) const noexcept {
    const Index middle = (begin(part) + begin(part + 1)) / 2;
    return std::clamp(middle - window / 2, Index{0}, size - window);
}

float TiledLensRecovery::Cut::weight(Index part, Index place) const noexcept {
    // Rises by 1 over 2 fade pixels about the beginning of a part, and so falls at the end of the one before.
    const auto risen = [&](Index edge) {
        if (fade == 0) return place >= edge ? 1.0F : 0.0F;
        const float at = (static_cast<float>(place - edge + fade) + 0.5F) / static_cast<float>(2 * fade);
        return std::clamp(at, 0.0F, 1.0F);
    };
    const float in = part == 0 ? 1.0F : risen(begin(part));
    const float out = part == count - 1 ? 0.0F : risen(begin(part + 1));
    return in - out;
}

TiledLensRecovery::TiledLensRecovery(const Model& model, std::shared_ptr<const LensField> field, Index rows,
                                     Index columns, Index tile, Context& context)
    : field_(checked(std::move(field), model)),
      outer_(context),
      // The caller's runner, which the caller keeps.
      inner_(std::shared_ptr<ThreadRunner>(std::shared_ptr<void>(), &context.runner())),
      reach_(field_->kernels.front().view().rows() / 2),
      margin_(reach_ + network_reach),
      down_(rows, tile_size(tile, *field_, rows, columns), margin_),
      across_(columns, tile_size(tile, *field_, rows, columns), margin_),
      recovery_(model, field_->kernels.front(), down_.window, across_.window, reach_, inner_),
      window_({lens_kernels(model).size(0), down_.window, across_.window}) {
    inner_.set_isa(context.isa());
}

Status TiledLensRecovery::run(View<const float> capture, std::span<const double> noise, View<float> image) {
    const Shape expected{window_.shape()[0], down_.size, across_.size};
    if (capture.shape() != expected || image.shape() != expected) return Status::size_mismatch;
    const auto begin = Context::Clock::now();
    std::fill_n(image.data(), image.elements(), 0.0F);
    std::vector<float> wide(static_cast<std::size_t>(across_.window));  // weights of a tile's columns
    for (Index tile = 0; tile < tiles(); ++tile) {
        const Index part_down = tile / across_.count, part_across = tile % across_.count;
        const Index row = down_.window_begin(part_down), column = across_.window_begin(part_across);
        if (field_->kernels.size() > 1)
            recovery_.set_kernels(
                field_->at(down_.middle(part_down), across_.middle(part_across), down_.size, across_.size));
        inner_.set_progress([&](const Progress& p) {
            const Index done = tile * p.total + p.done, total = tiles() * p.total;
            const double seconds = std::chrono::duration<double>(Context::Clock::now() - begin).count();
            outer_.report({"recovering", done, total,
                           seconds * static_cast<double>(total - done) / static_cast<double>(done)});
            return outer_.poll() == Status::ok;
        });
        for (Index c = 0; c < expected[0]; ++c)
            for (Index i = 0; i < down_.window; ++i)
                std::copy_n(&capture(c, row + i, column), across_.window, &window_(c, i, 0));
        const Status status = recovery_.run(window_, noise, window_, inner_);
        if (const Status asked = outer_.poll(); asked != Status::ok) return asked;
        if (status != Status::ok) return status;
        for (Index j = 0; j < across_.window; ++j)
            wide[static_cast<std::size_t>(j)] = across_.weight(part_across, column + j);
        for (Index c = 0; c < expected[0]; ++c)
            for (Index i = 0; i < down_.window; ++i) {
                const float high = down_.weight(part_down, row + i);
                if (high <= 0) continue;
                for (Index j = 0; j < across_.window; ++j)
                    image(c, row + i, column + j) +=
                        high * wide[static_cast<std::size_t>(j)] * window_(c, i, j);
            }
    }
    return Status::ok;
}

}  // namespace sonolux

// sonolux/sdk/pipelines/lens_focus.cpp
#include <sonolux/sdk/pipelines/lens_focus.hpp>

#include <algorithm>
#include <cmath>
#include <memory>

#include <sonolux/sdk/pipelines/lens_recipe.hpp>
#include <sonolux/sdk/runtime/lens_problem.hpp>
#include <sonolux/sdk/runtime/lens_recovery.hpp>
#include <sonolux/solvers/colour_metrics.hpp>

namespace sonolux {

namespace {

Array<float> middle_of(View<const float> capture, Index window) {
    const Index rows = std::min(window, capture.rows()), columns = std::min(window, capture.columns());
    const Index top = (capture.rows() - rows) / 2, left = (capture.columns() - columns) / 2;
    Array<float> middle({capture.size(0), rows, columns});
    for (Index c = 0; c < capture.size(0); ++c)
        for (Index i = 0; i < rows; ++i) std::copy_n(&capture(c, top + i, left), columns, &middle(c, i, 0));
    return middle;
}

}  // namespace

bool FocusEstimate::at_the_end() const noexcept {
    return !tried.empty() && (relative == tried.front().first || relative == tried.back().first);
}

FocusEstimate find_focus(const Model& model, View<const float> capture, std::span<const double> noise,
                         const KernelsAtDistance& kernels, const FocusOptions& options, Context& context) {
    require(options.nearest > 0 && options.nearest < options.farthest && options.coarse >= 3 &&
                options.resolution > 0 && options.window >= 16,
            Status::invalid_argument, "focus: distances must rise from above 0, got ", options.nearest,
            " to ", options.farthest, " in ", options.coarse, " (at least 3) steps, to within ",
            options.resolution, ", in a window of ", options.window, " (at least 16) pixels");
    const double step = (options.farthest - options.nearest) / static_cast<double>(options.coarse - 1);
    const double golden = (std::sqrt(5.0) - 1) / 2;
    const auto narrowings = std::max<Index>(
        0, std::lround(std::ceil(std::log(options.resolution / (2 * step)) / std::log(golden))));
    const Index all = options.coarse + narrowings + 1;

    // So that stages of a recovery are not told as progress of the search.
    Context quiet(std::shared_ptr<ThreadRunner>(std::shared_ptr<void>(), &context.runner()));
    quiet.set_isa(context.isa());
    const Array<float> middle = middle_of(capture, options.window);
    require(std::isfinite(channel_edge_mismatch(middle)), Status::invalid_argument,
            "focus: the middle of the capture has no edge that would tell it, or values that are not finite");
    Array<float> image(middle.shape());
    std::unique_ptr<LensRecovery> recovery;
    FocusEstimate estimate;
    double best = HUGE_VAL;
    const auto of = [&](double relative) {
        context.report({"finding the focus", std::ssize(estimate.tried), all, -1});
        require(context.poll() == Status::ok, Status::cancelled, "finding the focus: stopped");
        Array<float> there = kernels(relative);
        if (recovery == nullptr)
            recovery = std::make_unique<LensRecovery>(model, there, image.view().rows(),
                                                      image.view().columns(), there.view().rows() / 2, quiet);
        else
            recovery->set_kernels(there);
        const Status status = recovery->run(middle, noise, image.view(), quiet);
        require(status == Status::ok, status, model.name, ": the capture was not recovered");
        // As far from the border, beyond which the light is guessed, as leaves half of each side.
        const double value = channel_edge_mismatch(
            image, std::min({there.view().rows() / 2, image.view().rows() / 4, image.view().columns() / 4}));
        estimate.tried.emplace_back(relative, value);
        if (value < best) {
            best = value;
            estimate.relative = relative;
            estimate.kernels = std::move(there);
        }
        return value;
    };
    for (Index n = 0; n < options.coarse; ++n) (void)of(options.nearest + static_cast<double>(n) * step);
    double low = std::max(options.nearest, estimate.relative - step),
           high = std::min(options.farthest, estimate.relative + step);
    double inner = high - golden * (high - low), outer = low + golden * (high - low);
    double at_inner = of(inner), at_outer = of(outer);
    while (high - low > options.resolution) {
        if (at_inner < at_outer) {
            high = outer;
            outer = inner, at_outer = at_inner;
            inner = high - golden * (high - low);
            if (high - low > options.resolution) at_inner = of(inner);
        } else {
            low = inner;
            inner = outer, at_inner = at_outer;
            outer = low + golden * (high - low);
            if (high - low > options.resolution) at_outer = of(outer);
        }
    }
    std::sort(estimate.tried.begin(), estimate.tried.end());
    return estimate;
}

KernelsAtDistance kernels_at_distance(const Model& model, Context& context) {
    require(!model.training.recipe.empty(), Status::unsupported, model.name,
            ": its file has no recipe, so that its lens is not known elsewhere than where its kernels hold");
    RecipeTable recipe(model.training.recipe, "model \"" + model.name + "\": training.recipe");
    const auto system = std::make_shared<const LensSystem>(read_lens_system(recipe, context));
    const Index size = lens_kernels(model).rows();
    return [system, size, &context](double relative) {
        return central_kernels(white_kernels_at(*system, relative * system->distance, context), size);
    };
}

}  // namespace sonolux

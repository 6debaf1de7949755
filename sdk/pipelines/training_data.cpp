// sonolux/sdk/pipelines/training_data.cpp
#include <sonolux/sdk/pipelines/training_data.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <sonolux/core/operators/resample.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/evaluate.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>

namespace sonolux {

namespace {

constexpr std::string_view data_variable = "$SONOLUX_DATA";

/// The area average over boxes of factor x factor pixels, times 255. Rows and columns that do not fill a box
/// are left out.
Array<float> reduced(const Image& image, Index factor) {
    const Index rows = image.rows() / factor, columns = image.columns() / factor;
    Array<float> whole_boxes({rows * factor, columns * factor}), result({rows, columns});
    const View<const float> pixels = image.pixels.view()[0];
    for (Index i = 0; i < rows * factor; ++i)
        for (Index j = 0; j < columns * factor; ++j) whole_boxes(i, j) = 255 * pixels(i, j);
    Context serial(make_serial_runner());
    BoxDownsampling(whole_boxes.shape(), factor).apply(whole_boxes.view(), result.view(), serial);
    return result;
}

std::string factors_text(const std::vector<int>& factors) {
    if (factors == std::vector<int>{1}) return "";
    std::string text = ", reduced by";
    for (int factor : factors) text += sentence(factor == factors.front() ? " " : " and ", factor);
    return text;
}

std::vector<std::string> paths_of(const RecipeSource& source, const std::string& data,
                                  const std::string& base, const std::string& where) {
    std::vector<std::string> paths;
    if (source.files.empty()) {
        require(!source.folder.empty(), Status::invalid_argument, where, " must name a folder or files");
        const std::string folder = resolve_path(source.folder, data, base);
        for (const std::string& name : images_in(folder))
            paths.push_back((std::filesystem::path(folder) / name).string());
    } else {
        const std::string folder = source.folder.empty() ? base : resolve_path(source.folder, data, base);
        for (const std::string& file : source.files) paths.push_back(resolve_path(file, data, folder));
    }
    return paths;
}

}  // namespace

std::string resolve_path(const std::string& path, const std::string& data, const std::string& base) {
    if (path.compare(0, data_variable.size(), data_variable) != 0)
        return (std::filesystem::path(base) / path).lexically_normal().string();
    std::string root = data;
    if (const char* variable = std::getenv("SONOLUX_DATA"); root.empty() && variable != nullptr)
        root = variable;
    require(!root.empty(), Status::file_error, "\"", path,
            "\" needs the environment variable SONOLUX_DATA, or --data, which say where the images are");
    return std::filesystem::path(root + path.substr(data_variable.size())).lexically_normal().string();
}

TrainingImages load_images(const RecipeSource& source, const std::string& data, const std::string& base,
                           Index smallest, const std::string& where) {
    TrainingImages result;
    const std::vector<std::string> paths = paths_of(source, data, base, where);
    for (const std::string& path : paths) {
        const Image grey = to_grey(read_image(path));
        for (int factor : source.downscale)
            if (std::min(grey.rows(), grey.columns()) / factor >= smallest)
                result.images.push_back(reduced(grey, factor));
    }
    require(!result.images.empty(), Status::invalid_argument, where, ": none of its ", paths.size(),
            " images has at least ", smallest, " x ", smallest, " pixels", factors_text(source.downscale));
    const std::string place = source.folder.empty()
                                  ? source.files.front() + (source.files.size() > 1 ? " and others" : "")
                                  : source.folder;
    result.description = sentence(paths.size(), " images from ", place, factors_text(source.downscale),
                                  source.licence.empty() ? "" : " (" + source.licence + ")");
    return result;
}

TrainingData::TrainingData(const TrainingRecipe& recipe, const std::string& data, const std::string& base,
                           Context& context) {
    const Index smallest = std::max(recipe.batch.rows, recipe.batch.columns);
    std::vector<PatchSource> sources;
    const auto add = [&](TrainingImages images, double weight) {
        description_ += (description_.empty() ? "" : "; ") + images.description;
        sources_.push_back(std::move(images));
        PatchSource source;
        source.weight = weight;
        for (const Array<float>& image : sources_.back().images) source.images.push_back(image.view());
        sources.push_back(std::move(source));
    };
    for (std::size_t s = 0; s < recipe.sources.size(); ++s)
        add(load_images(recipe.sources[s], data, base, smallest, sentence("data.sources[", s, "]")),
            recipe.sources[s].weight);
    if (recipe.dead_leaves.weight > 0) {
        const Index size = recipe.dead_leaves.size;
        require(size >= smallest, Status::invalid_argument,
                "data.dead_leaves.size must be at least the patch size ", smallest, ", got ", size);
        const DeadLeaves leaves(DeadLeavesOptions{}, recipe.seed);
        TrainingImages images;
        images.description =
            sentence(recipe.dead_leaves.images, " dead-leaves images of ", size, " x ", size);
        for (int i = 0; i < recipe.dead_leaves.images; ++i) images.images.emplace_back(Shape{size, size});
        std::vector<std::unique_ptr<Context>> contexts;
        for (int thread = 0; thread < context.threads(); ++thread) {
            contexts.push_back(std::make_unique<Context>(make_serial_runner()));
            contexts.back()->workspace().reserve(leaves.workspace_bytes(size, size, *contexts.back()));
        }
        parallel_for(context, recipe.dead_leaves.images, [&](Index i, int thread) noexcept {
            leaves.render(static_cast<std::uint64_t>(i), images.images[static_cast<std::size_t>(i)].view(),
                          *contexts[static_cast<std::size_t>(thread)]);
        });
        add(std::move(images), recipe.dead_leaves.weight);
    }
    require(!sources.empty(), Status::invalid_argument,
            "a recipe must have at least one of data.sources and data.dead_leaves");
    PatchRule rule;
    rule.smallest_gradient = static_cast<float>(recipe.smallest_gradient);
    rule.exempt_fraction = recipe.smallest_gradient > 0 ? 0.1 : 0;
    sampler_ = std::make_unique<PatchSampler>(std::move(sources), recipe.batch.rows, recipe.batch.columns,
                                              recipe.seed, rule);
}

std::vector<Array<float>> validation_images(const TrainingRecipe& recipe, const std::string& data,
                                            const std::string& base) {
    if (recipe.validation.folder.empty() && recipe.validation.files.empty()) return {};
    std::vector<Array<float>> images =
        std::move(load_images(recipe.validation, data, base, 16, "validation").images);
    if (static_cast<Index>(images.size()) > recipe.validation_images)
        images.erase(images.begin() + recipe.validation_images, images.end());
    for (Array<float>& image : images) {
        const Index crop = recipe.validation_crop;
        const Index rows = crop > 0 ? std::min(crop, image.shape()[0]) : image.shape()[0];
        const Index columns = crop > 0 ? std::min(crop, image.shape()[1]) : image.shape()[1];
        Array<float> part({rows, columns});
        const View<const float> centre = std::as_const(image).view().block(
            (image.shape()[0] - rows) / 2, (image.shape()[1] - columns) / 2, rows, columns);
        for (Index i = 0; i < rows; ++i) std::copy_n(centre.row(i), columns, part.view().row(i));
        image = std::move(part);
    }
    return images;
}

}  // namespace sonolux

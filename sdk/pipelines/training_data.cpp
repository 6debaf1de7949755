// sonolux/sdk/pipelines/training_data.cpp
#include <sonolux/sdk/pipelines/training_data.hpp>

#include <algorithm>
#include <cstdlib>

#include <sonolux/sdk/files/image_set.hpp>
#include <sonolux/sdk/runtime/sha256.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>

namespace sonolux {

namespace {

constexpr std::string_view data_variable = "$SONOLUX_DATA";

}  // namespace

std::string resolve_path(const std::string& path, const std::string& data) {
    if (path.compare(0, data_variable.size(), data_variable) != 0) return path;
    std::string root = data;
    if (const char* variable = std::getenv("SONOLUX_DATA"); root.empty() && variable != nullptr)
        root = variable;
    require(!root.empty(), Status::file_error, "\"", path,
            "\" needs the environment variable SONOLUX_DATA, or --data, to say where the images are");
    return root + path.substr(data_variable.size());
}

TrainingData::TrainingData(const TrainingRecipe& recipe, const std::string& data, Context& context) {
    const Index smallest = clean_patch_size(recipe);
    std::vector<PatchSource> sources;
    const auto add = [&](std::vector<Array<float>> images, double weight, const std::string& description) {
        PatchSource source;
        source.weight = weight;
        for (const Array<float>& image : images) source.images.push_back(image.view());
        sources.push_back(std::move(source));
        images_.push_back(std::move(images));
        description_ += (description_.empty() ? "" : "; ") + description;
    };
    for (std::size_t s = 0; s < recipe.sources.size(); ++s) {
        ImageSetOptions options;
        options.reductions = recipe.reductions;
        options.smallest_size = smallest;
        options.channels = channels(recipe.network);
        ImageSet set = load_image_set(resolve_path(recipe.sources[s], data), options);
        const std::string description = sentence(recipe.sources[s], ": ", set.description());
        add(std::move(set.images), recipe.weights[s], description);
    }
    if (recipe.dead_leaves.weight > 0) {
        require(channels(recipe.network) == 1, Status::unsupported,
                "data.dead_leaves.weight must be 0 for a network of several channels: leaves are grey");
        const Index size = recipe.dead_leaves.size;
        require(size >= smallest, Status::invalid_argument,
                "data.dead_leaves.size must be at least training.patch, ", smallest, ", got ", size);
        const DeadLeaves leaves(DeadLeavesOptions{}, recipe.seed);
        std::vector<Array<float>> images;
        for (int i = 0; i < recipe.dead_leaves.images; ++i) images.emplace_back(Shape{size, size});
        std::vector<std::unique_ptr<Context>> contexts;
        for (int thread = 0; thread < context.threads(); ++thread) {
            contexts.push_back(std::make_unique<Context>(make_serial_runner()));
            contexts.back()->workspace().reserve(leaves.workspace_bytes(size, size, *contexts.back()));
        }
        parallel_for(context, recipe.dead_leaves.images, [&](Index i, int thread) noexcept {
            leaves.render(static_cast<std::uint64_t>(i), images[static_cast<std::size_t>(i)].view(),
                          *contexts[static_cast<std::size_t>(thread)]);
        });
        add(std::move(images), recipe.dead_leaves.weight,
            sentence(recipe.dead_leaves.images, " dead-leaves images of ", size, " x ", size));
    }
    if (!recipe.data_licence.empty()) description_ += " (" + recipe.data_licence + ")";
    PatchRule rule;
    rule.smallest_gradient = static_cast<float>(recipe.smallest_gradient);
    rule.exempt_fraction = recipe.smallest_gradient > 0 ? 0.1 : 0;
    sampler_ = std::make_unique<PatchSampler>(std::move(sources), smallest, smallest, recipe.seed, rule);
}

std::vector<Array<float>> validation_images(const TrainingRecipe& recipe, const std::string& data) {
    std::vector<Array<float>> images;
    const auto wanted = static_cast<std::size_t>(recipe.validation_images);
    for (const std::string& source : recipe.validation_sources)
        for (const std::string& file : find_images(resolve_path(source, data))) {
            if (images.size() == wanted) break;
            ImageSetOptions options;
            options.reductions = {recipe.validation_reduction};
            options.channels = channels(recipe.network);
            images.push_back(std::move(load_image_set(file, options).images.front()));
        }
    for (Array<float>& image : images) {
        const Index crop = recipe.validation_crop;
        const View<const float> whole = std::as_const(image).view();
        const Index rows = crop > 0 ? std::min(crop, whole.rows()) : whole.rows();
        const Index columns = crop > 0 ? std::min(crop, whole.columns()) : whole.columns();
        Array<float> part(image_shape(plane_count(whole), rows, columns));
        for (Index c = 0; c < plane_count(whole); ++c) {
            const View<const float> centre = plane_of(whole, c).block(
                (whole.rows() - rows) / 2, (whole.columns() - columns) / 2, rows, columns);
            for (Index i = 0; i < rows; ++i)
                std::copy_n(centre.row(i), columns, plane_of(part.view(), c).row(i));
        }
        image = std::move(part);
    }
    return images;
}

std::string fingerprint(const TrainingData& data, const std::vector<Array<float>>& validation) {
    Sha256 hash;
    const auto add = [&hash](const std::vector<Array<float>>& images) {
        for (const Array<float>& image : images) {
            const std::string size = to_string(image.shape()) + ";";
            hash.update(std::as_bytes(std::span(size)));
            hash.update(std::as_bytes(std::span(image.data(), static_cast<std::size_t>(image.elements()))));
        }
    };
    for (const std::vector<Array<float>>& source : data.images()) add(source);
    add(validation);
    std::string text;
    for (std::uint8_t byte : hash.finish()) {
        constexpr const char* digits = "0123456789abcdef";
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace sonolux

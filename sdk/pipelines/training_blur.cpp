// sonolux/sdk/pipelines/training_blur.cpp
#include <sonolux/sdk/pipelines/training_blur.hpp>

#include <algorithm>

namespace sonolux {

namespace {

constexpr std::uint64_t validation_kernels = 64;

struct Kernels {
    std::vector<Array<float>> true_ones, told;  // [2 radius + 1, 2 radius + 1]
};

bool fits(const Array<float>& kernel, Index size) {
    return kernel.shape()[0] <= size && kernel.shape()[1] <= size;
}

Array<float> in_the_middle(const Array<float>& kernel, Index size) {
    Array<float> square({size, size});
    const Index rows = kernel.shape()[0], columns = kernel.shape()[1];
    for (Index i = 0; i < rows; ++i)
        std::copy_n(kernel.view().row(i), columns,
                    square.view().row((size - rows) / 2 + i) + (size - columns) / 2);
    return square;
}

Kernels draw_kernels(const TrainingRecipe& recipe) {
    const RecipeBlur& blur = recipe.blur;
    const Index size = 2 * blur.radius + 1;
    const auto wanted = static_cast<std::size_t>(blur.kernels) + validation_kernels;
    const auto estimated = static_cast<std::size_t>(blur.estimated_fraction * static_cast<double>(wanted));
    Kernels kernels;
    // Those that are too large are passed over.
    for (std::uint64_t sample = 0; kernels.true_ones.size() < wanted; ++sample) {
        require(sample < 100 * wanted, Status::invalid_argument, recipe.name,
                ": problem.kernel_radius must be large enough for the kernels of the recipe, got ",
                blur.radius);
        Array<float> kernel = draw_blur_kernel(blur.kinds, recipe.seed, sample);
        if (!fits(kernel, size)) continue;
        // Every so many, so that training and validation see the same share.
        const std::size_t number = kernels.true_ones.size();
        const bool guessed = (number + 1) * estimated / wanted > number * estimated / wanted;
        Array<float> told =
            guessed ? perturb_kernel(kernel, blur.error, recipe.seed, sample) : kernel.clone();
        if (!fits(told, size)) continue;
        kernels.told.push_back(in_the_middle(told, size));
        kernels.true_ones.push_back(in_the_middle(kernel, size));
    }
    return kernels;
}

}  // namespace

std::optional<TrainingBlur> make_training_blur(const TrainingRecipe& recipe) {
    const auto* network = std::get_if<ShrinkageFieldsOptions>(&recipe.network);
    if (network == nullptr) return std::nullopt;
    TrainingBlur blur;
    blur.treatment = network->border;
    blur.border = network->border_width;
    if (!recipe.blur.wanted) return blur;
    require(network->border != BorderTreatment::circular, Status::invalid_argument, recipe.name,
            ": network.border_treatment must not be \"circular\" to deblur what a camera sees");
    blur.kernel_radius = recipe.blur.radius;
    blur.border = std::max<Index>(blur.border, blur.kernel_radius);
    const auto kernels = std::make_shared<const Kernels>(draw_kernels(recipe));
    blur.kernels = [kernels, seed = recipe.seed](std::uint64_t sample, View<float> kernel, View<float> told) {
        const std::uint64_t all = kernels->true_ones.size(), training = all - validation_kernels;
        std::uint64_t number;
        if (sample >= Validation::first_validation_kernel) {
            number = training + (sample - Validation::first_validation_kernel) % validation_kernels;
        } else {
            Philox random(seed, static_cast<std::uint64_t>(TrainingStream::kernel_choice), sample);
            number = std::min(static_cast<std::uint64_t>(random.uniform() * static_cast<double>(training)),
                              training - 1);
        }
        std::copy(kernels->true_ones[number].begin(), kernels->true_ones[number].end(), kernel.data());
        std::copy(kernels->told[number].begin(), kernels->told[number].end(), told.data());
    };
    return blur;
}

}  // namespace sonolux

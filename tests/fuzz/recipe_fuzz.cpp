// tests/fuzz/recipe_fuzz.cpp
//
// A recipe: TOML, and what training makes of it.
#include <sonolux/sdk/pipelines/training_recipe.hpp>

#include "tests/fuzz/fuzz.hpp"

using namespace sonolux;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    fuzz::expect_manners({Status::invalid_argument}, [&] {
        const TrainingRecipe recipe = parse_training_recipe(text, fuzz::source);
        (void)training_options(recipe);
        (void)make_loss(recipe);
        // The run directory keeps the resolved recipe, from which the run resumes.
        const std::string again = parse_training_recipe(recipe.resolved, "copy").resolved;
        fuzz::expect(again == recipe.resolved, "a resolved recipe means itself: " + recipe.resolved);
    });
    return 0;
}

// sonolux/sdk/pipelines/simulation_recipe.cpp
#include <sonolux/sdk/pipelines/simulation_recipe.hpp>

#include <sonolux/sdk/pipelines/acquisition_recipe.hpp>
#include <sonolux/sdk/pipelines/training_log.hpp>

namespace sonolux {

namespace {

constexpr Index largest_shard = Index{1}
                                << 30;  // bytes: a shard is in memory, three times while it is written

ImageGrid read_grid(RecipeTable& recipe) {
    // The grid of M. Bernhardt et al. 2020: 0.6 mm, twice the pitch of their array.
    const Index rows = recipe.integer("grid.rows", 84, 2, 1 << 14);
    const Index columns = recipe.integer("grid.columns", 64, 2, 1 << 14);
    const double spacing = recipe.number("grid.spacing", 0.6e-3, 1e-6, 1e-2);
    const double top = recipe.number("grid.top", 0, -1, 1);
    require(rows <= largest_grid / columns, Status::invalid_argument, recipe.where("grid.rows"), ": ", rows,
            " x ", columns, " pixels are too many");
    return centred_grid(rows, columns, spacing, top);
}

SimulationRecipe read_recipe(RecipeTable table, const std::string& source) {
    SimulationRecipe recipe;
    recipe.name = table.text("name", std::nullopt);
    require(!recipe.name.empty() && recipe.name.size() <= 100 &&
                recipe.name.find_first_of("/\\ \t\n") == std::string::npos && recipe.name[0] != '.',
            Status::invalid_argument, table.where("name"),
            " must be a word of at most 100 letters without \"/\", got \"", recipe.name, "\"");
    std::vector<std::string> names;
    for (const SimulationDomainEntry& entry : simulation_domains()) names.emplace_back(entry.name);
    recipe.domain = table.one_of("domain", std::nullopt, names);
    recipe.setup.seed = static_cast<std::uint64_t>(table.integer("seed", 1, 0));
    recipe.samples = table.integer("set.samples", std::nullopt, 1, 100000000);
    recipe.shard_samples = table.integer("set.shard_samples", recipe.shard_samples, 1, 1000000);
    for (const SimulationDomainEntry& entry : simulation_domains()) {
        if (recipe.domain != entry.name) continue;
        recipe.tissue = entry.tissue;
        if (entry.tissue) {
            recipe.setup.grid = read_grid(table);
            recipe.setup.phantoms = read_phantoms(table);
        }
        recipe.simulator = entry.make(table, recipe.setup);
    }
    table.reject_unknown();
    recipe.resolved = table.resolved();

    Index bytes = static_cast<Index>(sizeof(float)) * std::min(recipe.shard_samples, recipe.samples);
    for (const SampleField& field : recipe.simulator->fields())
        require(field.elements() < largest_shard, Status::invalid_argument, source, ": ", field.name, " has ",
                field.elements(), " values in each sample: that is too many");
    bytes *= manifest_of(recipe).sample_elements();
    require(bytes <= largest_shard, Status::invalid_argument, table.where("set.shard_samples"), ": ",
            recipe.shard_samples, " samples take ", static_cast<double>(bytes) / 1e9,
            " GB, and a shard is at most 1.07 GB");
    require(recipe.samples / recipe.shard_samples < 10000, Status::invalid_argument,
            table.where("set.shard_samples"), ": ", recipe.samples, " samples in shards of ",
            recipe.shard_samples, " are more than 10000 files");
    return recipe;
}

}  // namespace

SimulationRecipe read_simulation_recipe(const std::string& path) {
    return read_recipe(RecipeTable::read(path), path);
}

SimulationRecipe parse_simulation_recipe(std::string_view text, const std::string& source) {
    return read_recipe(RecipeTable(text, source), source);
}

Range read_range(RecipeTable& recipe, const std::string& key, const Range& otherwise, double lowest,
                 double highest) {
    const std::vector<double> defaults = otherwise.low == otherwise.high
                                             ? std::vector<double>{otherwise.low}
                                             : std::vector<double>{otherwise.low, otherwise.high};
    const std::vector<double> values = recipe.numbers(key, defaults, lowest, highest);
    require(values.size() == 1 || values.size() == 2, Status::invalid_argument, recipe.where(key),
            " must be one number, or the lowest and the highest, got ", values.size(), " numbers");
    require(values.front() <= values.back(), Status::invalid_argument, recipe.where(key),
            " is reversed: it goes from ", values.front(), " to ", values.back());
    return {values.front(), values.back()};
}

SetManifest manifest_of(const SimulationRecipe& recipe) {
    SetManifest manifest;
    manifest.name = recipe.name;
    manifest.domain = recipe.domain;
    manifest.version = SLX_VERSION;
    manifest.git_hash = git_hash();
    manifest.seed = recipe.setup.seed;
    manifest.samples = recipe.samples;
    manifest.shard_samples = recipe.shard_samples;
    if (recipe.tissue)
        for (const TissueFamily family : tissue_families) manifest.families.emplace_back(to_string(family));
    else
        manifest.families = {"scenes"};
    manifest.fields = recipe.simulator->fields();
    manifest.recipe = recipe.resolved;
    return manifest;
}

}  // namespace sonolux

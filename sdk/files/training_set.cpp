// sonolux/sdk/files/training_set.cpp
#include <sonolux/sdk/files/training_set.hpp>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/runtime/json.hpp>

namespace sonolux {

namespace {

namespace fs = std::filesystem;

constexpr const char* generator = "sonolux simulate";
constexpr Index many = Index{1} << 40;

std::vector<Index> with_count(Index count, const std::vector<Index>& sizes) {
    std::vector<Index> all = {count};
    all.insert(all.end(), sizes.begin(), sizes.end());
    return all;
}

/// Where the values of a field begin within a sample.
Index offset_of(const SetManifest& manifest, std::size_t field) noexcept {
    Index offset = 0;
    for (std::size_t f = 0; f < field; ++f) offset += manifest.fields[f].elements();
    return offset;
}

/// The manifest that is written into a shard.
SetManifest manifest_in(const Hdf5File& file) {
    require(file.has("sonolux/manifest"), Status::corrupt_data, file.path(),
            ": is no shard of a training set: it has no dataset \"sonolux/manifest\"");
    return parse_manifest(file.read_text("sonolux/manifest"), file.path() + ": sonolux/manifest");
}

}  // namespace

Index SampleField::elements() const noexcept {
    return std::accumulate(sizes.begin(), sizes.end(), Index{1}, std::multiplies<>());
}

std::string SetManifest::file_of(Index shard) const { return fmt::format("{}-{:05}.h5", name, shard); }

Index SetManifest::sample_elements() const noexcept { return offset_of(*this, fields.size()); }

std::string to_text(const SetManifest& manifest) {
    Json fields = Json::list();
    for (const SampleField& field : manifest.fields) {
        Json sizes = Json::list(), axes = Json::list();
        for (const Index size : field.sizes) sizes.append(size);
        for (const std::string& axis : field.axes) axes.append(axis);
        fields.append(Json::object()
                          .set("name", field.name)
                          .set("unit", field.unit)
                          .set("description", field.description)
                          .set("axes", std::move(axes))
                          .set("sizes", std::move(sizes)));
    }
    Json families = Json::list(), shards = Json::list();
    for (const std::string& family : manifest.families) families.append(family);
    for (Index shard = 0; shard < manifest.shards(); ++shard)
        shards.append(Json::object()
                          .set("file", manifest.file_of(shard))
                          .set("first_sample", manifest.first_sample(shard))
                          .set("samples", manifest.samples_in(shard)));
    const Json all = Json::object()
                         .set("generator", generator)
                         .set("schema", 1)
                         .set("version", manifest.version)
                         .set("git_hash", manifest.git_hash)
                         .set("name", manifest.name)
                         .set("domain", manifest.domain)
                         .set("seed", static_cast<std::int64_t>(manifest.seed))
                         .set("samples", manifest.samples)
                         .set("shard_samples", manifest.shard_samples)
                         .set("families", std::move(families))
                         .set("fields", std::move(fields))
                         .set("shards", std::move(shards))
                         .set("recipe", manifest.recipe);
    return to_text(all, 2) + "\n";
}

SetManifest parse_manifest(std::string_view text, const std::string& source) {
    const Json document = parse_json(text, source);
    const JsonField root(document, source + ": set");
    (void)root["generator"].one_of({generator});
    require(root["schema"].integer() == 1, Status::unsupported, source, ": schema ", root["schema"].integer(),
            " is not known to this version of Sonolux, which reads 1");
    SetManifest manifest;
    manifest.version = root["version"].text();
    manifest.git_hash = root["git_hash"].text();
    manifest.name = root["name"].text();
    manifest.domain = root["domain"].text();
    manifest.seed = static_cast<std::uint64_t>(root["seed"].integer(0));
    manifest.samples = root["samples"].integer(1, many);
    manifest.shard_samples = root["shard_samples"].integer(1, many);
    manifest.recipe = root["recipe"].text();
    for (const JsonField& family : root["families"].elements()) manifest.families.push_back(family.text());
    for (const JsonField& entry : root["fields"].elements()) {
        SampleField field;
        field.name = entry["name"].text();
        field.unit = entry["unit"].text();
        field.description = entry["description"].text();
        for (const JsonField& axis : entry["axes"].elements()) field.axes.push_back(axis.text());
        Index elements = 1;
        for (const JsonField& size : entry["sizes"].elements()) {
            field.sizes.push_back(size.integer(1, many));
            require(!__builtin_mul_overflow(elements, field.sizes.back(), &elements) && elements <= many,
                    Status::corrupt_data, entry.where(), ": sizes are too large");
        }
        require(field.axes.size() == field.sizes.size(), Status::corrupt_data, entry.where(), ": has ",
                field.axes.size(), " axes and ", field.sizes.size(), " sizes");
        manifest.fields.push_back(std::move(field));
    }
    require(!manifest.fields.empty() && manifest.fields.size() <= 64, Status::corrupt_data, source,
            ": fields must be 1 to 64, got ", manifest.fields.size());
    return manifest;
}

SetManifest read_manifest(const std::string& path) { return parse_manifest(read_text_file(path), path); }

SampleBlock::SampleBlock(const SetManifest& manifest, Index first, Index count)
    : families(static_cast<std::size_t>(count)),
      first_(first),
      elements_(manifest.sample_elements()),
      values_({count, elements_}) {}

std::span<float> SampleBlock::sample(Index n) noexcept {
    return {values_.data() + n * elements_, static_cast<std::size_t>(elements_)};
}

std::span<const float> SampleBlock::sample(Index n) const noexcept {
    return {values_.data() + n * elements_, static_cast<std::size_t>(elements_)};
}

std::span<const float> SampleBlock::field(Index n, const SetManifest& manifest, std::size_t field) const {
    return sample(n).subspan(static_cast<std::size_t>(offset_of(manifest, field)),
                             static_cast<std::size_t>(manifest.fields[field].elements()));
}

void write_samples(Hdf5File& file, const SetManifest& manifest, const SampleBlock& block, Index count,
                   bool finished) {
    for (std::size_t f = 0; f < manifest.fields.size(); ++f) {
        const SampleField& field = manifest.fields[f];
        file.make<float>(field.name, with_count(count, field.sizes));
        for (Index n = 0; n < count; ++n) {
            std::vector<Index> start(field.sizes.size() + 1, 0);
            start[0] = n;
            file.write_part<float>(field.name, start, with_count(1, field.sizes),
                                   block.field(n, manifest, f));
        }
        file.set_attribute(field.name, "unit", field.unit);
        file.set_attribute(field.name, "description", field.description);
    }
    std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), block.first());
    file.write<std::int64_t>("sonolux/sample_index", {count}, indices);
    file.write<std::uint8_t>("sonolux/family", {count},
                             std::span(block.families).first(static_cast<std::size_t>(count)));
    file.write_text("sonolux/manifest", to_text(manifest));
    file.set_attribute("sonolux", "finished", finished ? 1 : 0);
}

SampleBlock read_samples(const Hdf5File& file, const SetManifest& manifest) {
    SetManifest theirs = manifest_in(file);
    theirs.version = manifest.version;
    theirs.git_hash = manifest.git_hash;
    require(theirs == manifest, Status::corrupt_data, file.path(), ": belongs to another set than \"",
            manifest.name, "\"");
    const std::vector<std::int64_t> indices = file.read<std::int64_t>("sonolux/sample_index");
    const auto count = static_cast<Index>(indices.size());
    const Index first = indices.empty() ? 0 : indices[0];
    for (Index n = 0; n < count; ++n)
        require(
            indices[static_cast<std::size_t>(n)] == first + n && first >= 0 && first + n < manifest.samples,
            Status::corrupt_data, file.path(), ": sonolux/sample_index has ",
            indices[static_cast<std::size_t>(n)], " as number ", n);
    SampleBlock block(manifest, first, count);
    block.families = file.read<std::uint8_t>("sonolux/family", {count});
    for (const std::uint8_t family : block.families)
        require(family < manifest.families.size(), Status::corrupt_data, file.path(), ": sonolux/family has ",
                static_cast<int>(family), ", there are ", manifest.families.size());
    for (std::size_t f = 0; f < manifest.fields.size(); ++f) {
        const SampleField& field = manifest.fields[f];
        const std::vector<float> values = file.read<float>(field.name, with_count(count, field.sizes));
        const Index elements = field.elements(), offset = offset_of(manifest, f);
        for (Index n = 0; n < count; ++n)
            std::copy_n(values.data() + n * elements, elements, block.sample(n).data() + offset);
    }
    return block;
}

TrainingSet TrainingSet::open(const std::string& path) {
    TrainingSet set;
    fs::path file(path);
    if (fs::is_directory(file)) file /= manifest_name;
    if (file.filename() == manifest_name) {
        set.manifest_ = read_manifest(file.string());
        set.folder_ = file.parent_path().string();
        for (Index shard = 0; shard < set.manifest_.shards(); ++shard)
            if (fs::exists(fs::path(set.folder_) / set.manifest_.file_of(shard)))
                for (Index n = 0; n < set.manifest_.samples_in(shard); ++n)
                    set.available_.push_back(set.manifest_.first_sample(shard) + n);
        return set;
    }
    const Hdf5File shard = Hdf5File::open(path);
    set.manifest_ = manifest_in(shard);
    set.only_file_ = path;
    for (const std::int64_t index : shard.read<std::int64_t>("sonolux/sample_index"))
        set.available_.push_back(index);
    return set;
}

std::string TrainingSet::file_of(Index sample) const {
    require(std::binary_search(available_.begin(), available_.end(), sample), Status::invalid_argument,
            only_file_.empty() ? folder_ : only_file_, ": there is no sample ", sample,
            available_.empty() ? std::string("; no shard is there yet")
                               : sentence("; there are ", available_.size(), " samples from ",
                                          available_.front(), " to ", available_.back()));
    if (!only_file_.empty()) return only_file_;
    return (fs::path(folder_) / manifest_.file_of(sample / manifest_.shard_samples)).string();
}

SampleBlock TrainingSet::read(Index sample) const {
    const Hdf5File file = Hdf5File::open(file_of(sample));
    const Index place = sample - available_.front();
    const Index n = only_file_.empty() ? sample % manifest_.shard_samples : place;
    SampleBlock block(manifest_, sample, 1);
    const Index family_count = file.content("sonolux/family").elements();
    require(n < family_count, Status::corrupt_data, file.path(), ": has ", family_count, " samples");
    file.read_part<std::uint8_t>("sonolux/family", {n}, {1}, block.families);
    require(block.families[0] < manifest_.families.size(), Status::corrupt_data, file.path(),
            ": sonolux/family has ", static_cast<int>(block.families[0]), " for sample ", sample);
    Index offset = 0;
    for (const SampleField& field : manifest_.fields) {
        require(file.content(field.name).sizes == with_count(family_count, field.sizes), Status::corrupt_data,
                file.path(), ": dataset \"", field.name, "\" is not as large as the manifest says");
        std::vector<Index> start(field.sizes.size() + 1, 0);
        start[0] = n;
        file.read_part<float>(field.name, start, with_count(1, field.sizes),
                              block.sample(0).subspan(static_cast<std::size_t>(offset),
                                                      static_cast<std::size_t>(field.elements())));
        offset += field.elements();
    }
    return block;
}

}  // namespace sonolux

// sonolux/sdk/files/image_set.cpp
#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/image_set.hpp>

namespace sonolux {

namespace {

namespace fs = std::filesystem;

std::string extension(const fs::path& path) {
    std::string text = path.extension().string();
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

bool is_image(const fs::path& path) {
    const std::string e = extension(path);
    return e == ".png" || e == ".jpg" || e == ".jpeg" || e == ".tif" || e == ".tiff";
}

/// A file, and what people call it.
struct Entry {
    fs::path path;
    std::string name;
};

std::vector<Entry> entries_of_folder(const fs::path& folder) {
    std::vector<Entry> entries;
    try {
        for (fs::recursive_directory_iterator i(folder), end; i != end; ++i) {
            const std::string name = i->path().filename().string();
            if (name.starts_with('.')) {
                if (i->is_directory()) i.disable_recursion_pending();
            } else if (i->is_regular_file() && is_image(i->path())) {
                entries.push_back({i->path(), i->path().lexically_relative(folder).generic_string()});
            }
        }
    } catch (const fs::filesystem_error& error) {
        fail(Status::file_error, folder.string(), ": cannot be searched: ", error.code().message());
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    require(!entries.empty(), Status::invalid_argument, folder.string(),
            ": no .png, .jpg, .jpeg, .tif or .tiff file in this folder");
    return entries;
}

std::vector<std::string> split_at_tabs(const std::string& line) {
    std::vector<std::string> parts(1);
    for (char c : line) {
        if (c == '\t')
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

std::vector<Entry> entries_of_list(const fs::path& list) {
    std::ifstream file(list);
    require(file.good(), Status::file_error, list.string(), ": cannot be opened");
    const bool table = extension(list) == ".tsv";
    std::vector<Entry> entries;
    std::size_t column = 0;
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        if (line.ends_with('\r')) line.pop_back();
        if (table) {
            const std::vector<std::string> parts = split_at_tabs(line);
            if (number == 1) {
                const auto found = std::find(parts.begin(), parts.end(), "file");
                require(found != parts.end(), Status::invalid_argument, list.string(),
                        ": the header line has no column called \"file\"");
                column = static_cast<std::size_t>(found - parts.begin());
                continue;
            }
            line = column < parts.size() ? parts[column] : "";
        }
        if (line.empty() || (!table && line.starts_with('#'))) continue;
        const fs::path path = list.parent_path() / line;
        require(fs::is_regular_file(path), Status::file_error, list.string(), ": line ", number, ": no file ",
                path.string());
        entries.push_back({path, line});
    }
    require(!file.bad(), Status::file_error, list.string(), ": cannot be read");
    require(!entries.empty(), Status::invalid_argument, list.string(), ": lists no image");
    return entries;
}

std::vector<Entry> find_entries(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    require(fs::exists(status), Status::file_error, path.string(), ": no such file or folder");
    if (fs::is_directory(status)) return entries_of_folder(path);
    if (const std::string e = extension(path); e == ".txt" || e == ".tsv") return entries_of_list(path);
    return {{path, path.filename().string()}};
}

}  // namespace

Array<float> reduce_by_averaging(View<const float> image, Index factor) {
    require(image.rank() == 2 || image.rank() == 3, Status::invalid_argument,
            "an image to reduce must be [rows, columns] or [channels, rows, columns], got ",
            to_string(image.shape()));
    require(factor >= 1, Status::invalid_argument, "an image can be reduced by 1 or more, got ", factor);
    Shape shape = image.shape();
    for (int d = shape.rank() - 2; d < shape.rank(); ++d) shape[d] /= factor;
    Array<float> reduced(shape);
    const double scale = 1 / (static_cast<double>(factor) * static_cast<double>(factor));
    for (Index c = 0; c < plane_count(image); ++c) {
        const View<const float> from = plane_of(image, c);
        const View<float> to = plane_of(reduced.view(), c);
        for (Index i = 0; i < to.rows(); ++i)
            for (Index j = 0; j < to.columns(); ++j) {
                double sum = 0;
                for (Index a = 0; a < factor; ++a)
                    for (Index b = 0; b < factor; ++b) sum += from(i * factor + a, j * factor + b);
                to(i, j) = static_cast<float>(scale * sum);
            }
    }
    return reduced;
}

namespace {

// The pixels of a file as [channels, rows, columns] with so many channels, 1 or 3.
Array<float> in_channels(Image image, Index channels) {
    if (channels == 1) return std::move(to_grey(image).pixels);
    if (image.channels() == channels) return std::move(image.pixels);
    Array<float> colour({channels, image.rows(), image.columns()});
    for (Index c = 0; c < channels; ++c)
        std::copy(image.pixels.begin(), image.pixels.end(), colour.view()[c].data());
    return colour;
}

}  // namespace

Index ImageSet::pixels() const noexcept {
    Index sum = 0;
    for (const Array<float>& image : images) sum += image.shape().last(1) * image.shape().last(0);
    return sum;
}

std::vector<View<const float>> ImageSet::views() const {
    return std::vector<View<const float>>(images.begin(), images.end());
}

std::string ImageSet::description() const {
    std::string text = sentence(images.size(), images.size() == 1 ? " image, " : " images, ");
    if (pixels() < 1000000)
        text += sentence(pixels(), " pixels");
    else
        text += sentence(std::round(static_cast<double>(pixels()) / 1e5) / 10, " million pixels");
    text += sentence(", from ", files, files == 1 ? " file" : " files");
    if (left_out > 0) text += sentence("; ", left_out, " left out as smaller than the least size");
    return text;
}

std::vector<std::string> find_images(const std::string& path) {
    std::vector<std::string> paths;
    for (const Entry& entry : find_entries(path)) paths.push_back(entry.path.string());
    return paths;
}

ImageSet load_image_set(const std::string& path, const ImageSetOptions& options) {
    constexpr Status bad = Status::invalid_argument;
    require(!options.reductions.empty(), bad, "reductions must name at least one factor");
    for (Index factor : options.reductions)
        require(factor >= 1, bad, "reductions must be at least 1, got ", factor);
    require(std::isfinite(options.value_scale) && options.value_scale > 0, bad,
            "value_scale must be above 0, got ", options.value_scale);
    require(options.channels == 1 || options.channels == 3, bad, "channels must be 1 or 3, got ",
            options.channels);
    require(options.smallest_size >= 1, bad, "smallest_size must be at least 1, got ", options.smallest_size);

    ImageSet set;
    for (const Entry& entry : find_entries(path)) {
        Array<float> pixels = in_channels(read_image(entry.path.string()), options.channels);
        const Index rows = pixels.shape()[1], columns = pixels.shape()[2];
        ++set.files;
        for (float& v : pixels) v = static_cast<float>(options.value_scale * static_cast<double>(v));
        for (Index factor : options.reductions) {
            if (std::min(rows, columns) / factor < options.smallest_size) {
                ++set.left_out;
                continue;
            }
            const View<const float> image = pixels.view();
            set.images.push_back(reduce_by_averaging(options.channels == 1 ? image[0] : image, factor));
            set.names.push_back(entry.name);
            set.reductions.push_back(factor);
        }
    }
    require(!set.images.empty(), bad, path, ": all ", set.left_out, " images have fewer than ",
            options.smallest_size, " rows or columns once reduced");
    return set;
}

}  // namespace sonolux

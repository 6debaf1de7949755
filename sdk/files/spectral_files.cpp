// sonolux/sdk/files/spectral_files.cpp
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/image_set.hpp>
#include <sonolux/sdk/files/mat_file.hpp>
#include <sonolux/sdk/files/spectral_files.hpp>
#include <sonolux/sdk/runtime/json.hpp>
#include <sonolux/simulation/optics/spectral_lift.hpp>

namespace sonolux {

namespace {

namespace fs = std::filesystem;

/// The numbers of a line; empty if it begins with something else.
std::vector<double> numbers_of(std::string_view line, const std::string& where) {
    std::vector<double> numbers;
    const char* at = line.data();
    const char* const end = at + line.size();
    const auto separates = [](char c) { return c == ',' || c == ';' || c == '\t' || c == ' ' || c == '\r'; };
    while (at != end) {
        if (separates(*at)) {
            ++at;
            continue;
        }
        double value = 0;
        const auto [after, error] = std::from_chars(at, end, value);
        const bool good = error == std::errc() && (after == end || separates(*after));
        if (!good && numbers.empty()) return {};
        require(good, Status::corrupt_data, where, ": \"", std::string(at, std::find_if(at, end, separates)),
                "\" is no number");
        numbers.push_back(value);
        at = after;
    }
    return numbers;
}

SpectralTable text_table(const std::string& path, const std::string& text,
                         const std::vector<Index>& columns) {
    SpectralTable table{path, {}, {}};
    std::size_t width = 0, line_number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string where = fmt::format("{}:{}", path, ++line_number);
        const auto numbers = numbers_of(std::string_view(text).substr(begin, end - begin), where);
        begin = end + 1;
        if (numbers.empty() || (width == 0 && numbers.size() == 1)) continue;  // words, or a count before
        if (width == 0) {
            width = numbers.size();
            table.curves.resize(columns.empty() ? width - 1 : columns.size());
            for (const Index column : columns)
                require(column >= 1 && column < static_cast<Index>(width), Status::invalid_argument, where,
                        ": has no column ", column, " beside the wavelength, only ", width - 1);
        }
        require(numbers.size() == width, Status::corrupt_data, where, ": has ", numbers.size(),
                " numbers, lines before had ", width);
        table.wavelengths.push_back(numbers[0] * 1e-9);
        for (std::size_t c = 0; c < table.curves.size(); ++c)
            table.curves[c].push_back(
                numbers[columns.empty() ? c + 1 : static_cast<std::size_t>(columns[c])]);
    }
    require(width > 0, Status::corrupt_data, path, ": has no line of numbers");
    return table;
}

SpectralTable json_table(const std::string& path, const std::string& text) {
    const Json document = parse_json(text, path);
    const JsonField root(document, path);
    SpectralTable table{path, {}, {}};
    if (root.has("wavelengths")) {
        for (const double micrometres : root["wavelengths"].numbers())
            table.wavelengths.push_back(micrometres * 1e-6);
        for (const char* colour : {"red_response", "green_response", "blue_response"})
            table.curves.push_back(root[colour].numbers());
        return table;
    }
    const JsonField rows = root["spectral_data"]["data"]["main"];
    const auto* members = rows.value().get_if<Json::Members>();
    require(members != nullptr, Status::corrupt_data, rows.where(), " must be an object");
    std::map<double, std::vector<double>> sorted;
    for (const auto& [wavelength, values] : *members) {
        const auto number = numbers_of(wavelength, rows.where());
        require(number.size() == 1 && std::isfinite(number[0]), Status::corrupt_data, rows.where(), ": \"",
                wavelength, "\" is no wavelength");
        sorted[number[0]] = JsonField(values, rows.where() + "." + wavelength).numbers();
    }
    for (const auto& [wavelength, values] : sorted) {
        if (table.curves.empty()) table.curves.resize(values.size());
        require(values.size() == table.curves.size(), Status::corrupt_data, rows.where(), ".", wavelength,
                " has ", values.size(), " values, others have ", table.curves.size());
        table.wavelengths.push_back(wavelength * 1e-9);
        for (std::size_t c = 0; c < values.size(); ++c) table.curves[c].push_back(values[c]);
    }
    return table;
}

SpectralCube cube_of(const std::vector<double>& values, const std::vector<Index>& sizes,
                     std::vector<double> wavelengths, const std::string& what) {
    require(sizes.size() == 3, Status::invalid_argument, what, " has ", sizes.size(),
            " dimensions, a cube has 3");
    if (wavelengths.empty()) wavelengths = lift_wavelengths();
    const auto bands = static_cast<Index>(wavelengths.size());
    const bool last = sizes[2] == bands;
    require(last || sizes[0] == bands, Status::invalid_argument, what, " is ", sizes[0], " x ", sizes[1],
            " x ", sizes[2], ", and neither the last nor the first of these is ", bands,
            ", the number of wavelengths");
    const Index rows = last ? sizes[0] : sizes[1], columns = last ? sizes[1] : sizes[2];
    SpectralCube cube{std::move(wavelengths), Array<float>({bands, rows, columns}),
                      fmt::format("{}, bands {}, as linear light", what, last ? "last" : "first")};
    for (Index b = 0; b < bands; ++b)
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < columns; ++j)
                cube.reflectance(b, i, j) = static_cast<float>(values[static_cast<std::size_t>(
                    last ? (i * columns + j) * bands + b : (b * rows + i) * columns + j)]);
    return cube;
}

SpectralCube stack(const std::string& path, std::vector<double> wavelengths) {
    std::vector<std::string> files = find_images(path);
    if (wavelengths.empty()) wavelengths = lift_wavelengths();
    require(files.size() == wavelengths.size(), Status::invalid_argument, path, ": has ", files.size(),
            " images for ", wavelengths.size(), " wavelengths");
    SpectralCube cube{std::move(wavelengths), {}, {}};
    for (std::size_t b = 0; b < files.size(); ++b) {
        const std::string file = (fs::path(path) / files[b]).string();
        const Image image = read_image(fs::exists(file) ? file : files[b]);
        require(image.channels() == 1, Status::invalid_argument, files[b], ": has ", image.channels(),
                " channels, a band is grey");
        if (b == 0) {
            cube.reflectance =
                Array<float>({static_cast<Index>(files.size()), image.rows(), image.columns()});
            cube.source = fmt::format("{}: {} grey {} of {} bits, as linear light", path, files.size(),
                                      image.format, image.bits);
        }
        const View<float> band = cube.reflectance.view()[static_cast<Index>(b)];
        require(image.rows() == band.rows() && image.columns() == band.columns(), Status::size_mismatch,
                files[b], ": is ", image.rows(), " x ", image.columns(), " pixels, bands before were ",
                to_string(band.shape()));
        std::copy(image.pixels.begin(), image.pixels.end(), band.data());
    }
    return cube;
}

}  // namespace

SpectralTable read_spectral_table(const std::string& path, const std::vector<Index>& columns) {
    const std::string text = read_text_file(path);
    SpectralTable table =
        fs::path(path).extension() == ".json" ? json_table(path, text) : text_table(path, text, columns);
    check_table(table);
    return table;
}

SpectralCube read_spectral_cube(const std::string& path, std::vector<double> wavelengths,
                                const std::string& name) {
    if (fs::is_directory(path)) return stack(path, std::move(wavelengths));
    const std::string extension = fs::path(path).extension().string();
    if (extension == ".mat") {
        std::string variable = name;
        if (variable.empty())
            for (const MatContent& content : mat_contents(path))
                if (content.numeric && content.sizes.size() == 3) {
                    require(variable.empty(), Status::invalid_argument, path, ": both ", variable, " and ",
                            content.name, " have three dimensions; say which is the cube");
                    variable = content.name;
                }
        require(!variable.empty(), Status::invalid_argument, path, ": has no array with three dimensions");
        const std::vector<MatArray> arrays = read_mat(path, variable);
        require(arrays.size() == 1, Status::invalid_argument, path, ": ", variable, " is ", arrays.size(),
                " arrays, a cube is one");
        return cube_of(arrays[0].values, arrays[0].sizes, std::move(wavelengths), path + ": " + variable);
    }
    require(extension == ".h5" || extension == ".hdf5", Status::unsupported, path,
            ": is no folder of images, and neither .mat, .h5 nor .hdf5");
    const Hdf5File file = Hdf5File::open(path);
    std::string dataset = name;
    if (dataset.empty())
        for (const std::string& candidate : file.names("/"))
            if (!file.is_group(candidate) && file.content(candidate).sizes.size() == 3) {
                require(dataset.empty(), Status::invalid_argument, path, ": both ", dataset, " and ",
                        candidate, " have three dimensions; say which is the cube");
                dataset = candidate;
            }
    require(!dataset.empty(), Status::invalid_argument, path, ": has no dataset with three dimensions");
    return cube_of(file.numbers(dataset), file.content(dataset).sizes, std::move(wavelengths),
                   path + ": " + dataset);
}

}  // namespace sonolux

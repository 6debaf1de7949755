// sonolux/sdk/files/speed_map_file.cpp
#include <sonolux/sdk/files/speed_map_file.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <sonolux/sdk/files/atomic_file.hpp>
#include <sonolux/sdk/files/hdf5_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/numpy_file.hpp>
#include <sonolux/sdk/files/zea.hpp>

namespace sonolux {

namespace {

constexpr auto invalid = Status::invalid_argument;

std::string extension_of(const std::string& path) {
    std::string extension = std::filesystem::path(path).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return extension;
}

SpeedMap placed(const std::string& path, Array<float> speed, const std::optional<MapExtent>& extent) {
    const Index rows = speed.shape()[0], columns = speed.shape()[1];
    require(rows >= 2 && columns >= 2, invalid, path, ": a map must be at least 2 x 2, got ", rows, " x ",
            columns);
    require(extent.has_value(), invalid, path, ": does not say where its map lies: give its extent");
    require(extent->right > extent->left && extent->bottom > extent->top, invalid, path,
            ": the extent must go from left to right and from top to bottom, got x ", extent->left, " to ",
            extent->right, " m, z ", extent->top, " to ", extent->bottom, " m");
    const ImageGrid grid{rows,
                         columns,
                         (extent->bottom - extent->top) / static_cast<double>(rows - 1),
                         (extent->right - extent->left) / static_cast<double>(columns - 1),
                         extent->top,
                         extent->left};
    return {grid, std::move(speed)};
}

SpeedMap read_numpy_map(const std::string& path, const std::optional<MapExtent>& extent) {
    const NumpyArray array = decode_numpy(read_file(path), path);
    require(array.sizes.size() == 2, Status::corrupt_data, path, ": a map must have rows and columns, got ",
            array.sizes.size(), " dimensions");
    Array<float> speed({array.sizes[0], array.sizes[1]});
    std::transform(array.values.begin(), array.values.end(), speed.begin(),
                   [](double v) { return static_cast<float>(v); });
    return placed(path, std::move(speed), extent);
}

SpeedMap read_zea_map(const std::string& path, Index frame) {
    const Hdf5File file = Hdf5File::open(path);
    const Hdf5Content content = file.content(zea_sound_speed_map);
    require(content.sizes.size() == 3 && content.sizes[1] >= 2 && content.sizes[2] >= 2, Status::corrupt_data,
            path, ": ", zea_sound_speed_map, " must be frames x rows x columns");
    require(frame >= 0 && frame < content.sizes[0], invalid, path, ": there are the maps 0 to ",
            content.sizes[0] - 1, ", asked was for ", frame);
    const Index rows = content.sizes[1], columns = content.sizes[2];
    const std::vector<double> places = file.numbers("data/sos_map/coordinates");
    require(static_cast<Index>(places.size()) == rows * columns * 3, Status::corrupt_data, path,
            ": data/sos_map/coordinates must be ", rows, " x ", columns, " x 3");
    const auto place = [&](Index row, Index column, int axis) {
        return places[static_cast<std::size_t>((row * columns + column) * 3 + axis)];
    };
    const MapExtent extent{place(0, 0, 0), place(0, columns - 1, 0), place(0, 0, 2), place(rows - 1, 0, 2)};
    Array<float> speed({rows, columns});
    file.read_part<float>(zea_sound_speed_map, {frame, 0, 0}, {1, rows, columns},
                          std::span(speed.data(), static_cast<std::size_t>(speed.elements())));
    return placed(path, std::move(speed), extent);
}

}  // namespace

SpeedMap read_speed_map(const std::string& path, const std::optional<MapExtent>& extent, Index frame) {
    const std::string extension = extension_of(path);
    SpeedMap map;
    if (extension == ".npy") {
        map = read_numpy_map(path, extent);
    } else if (extension == ".tif" || extension == ".tiff") {
        const Image image = to_grey(read_image(path));
        Array<float> speed({image.rows(), image.columns()});
        std::copy(image.pixels.begin(), image.pixels.end(), speed.begin());
        map = placed(path, std::move(speed), extent);
    } else if (extension == ".h5" || extension == ".hdf5") {
        require(!extent, invalid, path, ": says itself where its map lies: give no extent");
        map = read_zea_map(path, frame);
    } else {
        fail(Status::unsupported, path, ": a speed map must be .npy, .tif or .h5");
    }
    validate(map.grid, path.c_str());
    for (Index i = 0; i < map.grid.rows; ++i)
        for (Index j = 0; j < map.grid.columns; ++j)
            require(map.sound_speed(i, j) >= 100 && map.sound_speed(i, j) <= 10000, invalid, path,
                    ": the speed at row ", i, ", column ", j, " must be between 100 and 10000 m/s, got ",
                    map.sound_speed(i, j));
    return map;
}

}  // namespace sonolux

// sonolux/sdk/files/levin_set.cpp
#include <sonolux/sdk/files/levin_set.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include <sonolux/core/error.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/kernel_file.hpp>

namespace sonolux {
namespace {

namespace fs = std::filesystem;

void require_all(const fs::path& folder, const std::vector<std::string>& names) {
    require(fs::is_directory(folder), Status::file_error, folder.string(), ": is not a folder");
    std::string missing;
    Index count = 0;
    constexpr Index most_named = 5;
    for (const std::string& name : names)
        if (!fs::exists(folder / name) && ++count <= most_named) missing += (count > 1 ? ", " : "") + name;
    require(count == 0, Status::file_error, folder.string(), ": ", count, " of the ", names.size(),
            " files of the Levin set are missing: ", missing, count > most_named ? ", ..." : "");
}

Array<float> read_grey(const fs::path& path) {
    const Image image = read_image(path.string());
    require(image.channels() == 1, Status::corrupt_data, path.string(), ": has ", image.channels(),
            " channels, expected a grey image");
    Array<float> plane({image.rows(), image.columns()});
    std::copy_n(image.pixels.begin(), plane.elements(), plane.begin());
    return plane;
}

}  // namespace

LevinSet read_levin_set(const std::string& folder) {
    const fs::path root(folder);
    const std::string kernel_name = "Levin09.mat";
    std::vector<std::string> blurred, sharp;
    for (Index i = 1; i <= LevinSet::images; ++i) {
        sharp.push_back(sentence("gt/im", i, ".png"));
        for (Index k = 1; k <= LevinSet::kernels; ++k)
            blurred.push_back(sentence("im", i, "_kernel", k, "_img.png"));
    }
    std::vector<std::string> all{kernel_name};
    all.insert(all.end(), sharp.begin(), sharp.end());
    all.insert(all.end(), blurred.begin(), blurred.end());
    require_all(root, all);

    LevinSet set;
    for (const std::string& name : sharp) set.sharp.push_back(read_grey(root / name));
    for (std::size_t i = 0; i < blurred.size(); ++i) {
        set.blurred.push_back(read_grey(root / blurred[i]));
        const Shape &size = set.blurred.back().shape(), &expected = set.sharp[i / LevinSet::kernels].shape();
        require(size == expected, Status::corrupt_data, (root / blurred[i]).string(), ": is ",
                to_string(size), " pixels, the sharp image is ", to_string(expected));
    }

    const std::string kernel_path = (root / kernel_name).string();
    set.kernel = read_kernels(kernel_path, "kernels");
    require(set.kernel.size() == LevinSet::kernels, Status::corrupt_data, kernel_path, ": \"kernels\" holds ",
            set.kernel.size(), " kernels, expected ", LevinSet::kernels);
    for (std::size_t k = 0; k < set.kernel.size(); ++k) {
        Array<float>& kernel = set.kernel[k];
        const double sum = std::accumulate(kernel.begin(), kernel.end(), 0.0);
        require(kernel.shape()[0] % 2 == 1 && kernel.shape()[1] % 2 == 1 && std::abs(sum - 1) < 1e-3,
                Status::corrupt_data, kernel_path, ": kernels{", k + 1, "} is ", to_string(kernel.shape()),
                " with sum ", sum, ", expected odd sizes and sum 1");
        std::reverse(kernel.begin(), kernel.end());  // by 180 degrees
    }
    return set;
}

}  // namespace sonolux

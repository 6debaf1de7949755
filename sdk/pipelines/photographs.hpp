// sonolux/sdk/pipelines/photographs.hpp
//
// Freely licensed photographs to show something on, and how to make clean test images of them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sonolux/sdk/files/image.hpp>

namespace sonolux {

struct Photograph {
    std::filesystem::path path;
    std::string name;             ///< the file's, without folder and extension; no two are alike
    std::string author, licence;  ///< empty where nobody has written them down
};

/// The photographs to show: those that FOLDER/photographs.tsv lists for demonstration, or else all images in
/// the folder. Where files of different folders or formats have the same name, the later ones are called
/// NAME_2, NAME_3 and so on, so that what is written under these names does not overwrite each other.
/// Throws Error{file_error} if there is none.
[[nodiscard]] std::vector<Photograph> photographs_in(const std::filesystem::path& folder);

/// Where downloaded photographs are kept: XDG_CACHE_HOME or ~/.cache, in sonolux/photographs.
[[nodiscard]] std::filesystem::path photograph_cache();

/// Puts the demonstration photographs into `folder`, unless they are there: runs `script`
/// (models/photographs.sh), whose output goes to standard error. `say` is told before a download begins.
/// Throws Error{file_error} if it fails and there is none from before.
void fetch_photographs(const std::filesystem::path& script, const std::filesystem::path& folder,
                       const std::function<void(const std::string&)>& say);

/// A clean grey test image [rows, columns]: the photograph made grey, reduced by a whole factor (the mean of
/// boxes, which takes the noise and the JPEG blocks away), and its middle of at most 512 x 768 or 768 x 512
/// pixels. The factor is the largest up to 4 that leaves enough for that, and at least 2 for a JPEG.
[[nodiscard]] Array<float> clean_crop(const Image& photograph);

}  // namespace sonolux

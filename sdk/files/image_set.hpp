// sonolux/sdk/files/image_set.hpp
//
// A folder or a list of photographs, as the grey or colour images that a network is trained and judged on.
#pragma once

#include <string>
#include <vector>

#include <sonolux/core/array.hpp>
#include <sonolux/core/image_planes.hpp>

namespace sonolux {

/// The mean of each square of factor x factor pixels, [rows / factor, columns / factor], channel by channel;
/// rows and columns that do not fill a square are left out. Reducing by 2 or more takes the blocks and the
/// noise out of a JPEG. Throws Error{invalid_argument} if factor is below 1 or an image is neither [rows,
/// columns] nor [channels, rows, columns].
[[nodiscard]] Array<float> reduce_by_averaging(View<const float> image, Index factor);

struct ImageSetOptions {
    std::vector<Index> reductions = {1};  ///< each of these factors gives an image of its own from each file
    double value_scale = 255;             ///< what white becomes; 1 leaves the code values of read_image
    Index channels = 1;       ///< 1: turned grey; 3: colour, where a grey image has three equal channels
    Index smallest_size = 1;  ///< images with fewer rows or columns than this are left out, and counted
};

/// Images in memory, and where they come from.
struct ImageSet {
    std::vector<Array<float>> images;  ///< [rows, columns] each, or [3, rows, columns]
    std::vector<std::string>
        names;                      ///< of the files, relative to the folder or as in the list; one per image
    std::vector<Index> reductions;  ///< one per image
    Index files = 0;                ///< how many were read
    Index left_out = 0;             ///< images that were smaller than smallest_size

    [[nodiscard]] Index pixels() const noexcept;

    /// For PatchSampler. Valid as long as this set lives, also after it was moved.
    [[nodiscard]] std::vector<View<const float>> views() const;

    /// "74 images, 12.9 million pixels, from 37 files; 3 left out as smaller than the least size".
    [[nodiscard]] std::string description() const;
};

/// The image files that `path` stands for, in the order in which they are loaded:
///
///   a folder         its .png, .jpg, .jpeg, .tif and .tiff files, in any case, at any depth, sorted by their
///   path
///                    relative to it, byte by byte: the same on every machine. Names that start with a dot
///                    are passed over.
///   a .txt list      one file per line, relative to the list's folder, in its order; empty lines and lines
///   that
///                    start with # are passed over
///   a .tsv list      tab-separated columns under a header line, one of which is called "file"
///   any other file   itself
///
/// Throws Error{file_error} if there is no such path or it cannot be read, Error{invalid_argument} if it
/// holds no image.
[[nodiscard]] std::vector<std::string> find_images(const std::string& path);

/// Reads them all: grey (to_grey) or in the file's red, green and blue, times value_scale, reduced.
///
/// Throws as find_images and read_image do, the message naming the file, and for a list also the line;
/// Error{invalid_argument} for options outside their range, or if all images are left out as too small.
[[nodiscard]] ImageSet load_image_set(const std::string& path, const ImageSetOptions& options = {});

}  // namespace sonolux

// sonolux/simulation/streams.hpp
//
// Which random numbers belong to what.
#pragma once

#include <cstdint>

/// The stream numbers of Philox(seed, stream, sample), so that under one seed no two uses share a number.
/// They are part of what makes a recipe reproducible: add new ones at the end, never change one.
namespace sonolux::streams {

inline constexpr std::uint64_t patches = 1;        ///< which patch, and its symmetry
inline constexpr std::uint64_t noise = 2;          ///< the noise of a sample
inline constexpr std::uint64_t noise_level = 3;    ///< its standard deviation, where that is drawn too
inline constexpr std::uint64_t dead_leaves = 4;    ///< the leaves of a dead-leaves image
inline constexpr std::uint64_t leaf_texture = 5;   ///< the noise fields that its leaves are cut from
inline constexpr std::uint64_t blur_kernels = 6;   ///< the blur of a sample
inline constexpr std::uint64_t kernel_error = 7;   ///< how its kernel is estimated wrongly
inline constexpr std::uint64_t sensor = 8;         ///< read noise and gain of the sensor that takes a sample
inline constexpr std::uint64_t tissue = 9;         ///< the shapes and values of a tissue phantom
inline constexpr std::uint64_t tissue_field = 10;  ///< the Gaussian field that varies its sound speed
inline constexpr std::uint64_t scatterers = 11;    ///< what scatters in it
inline constexpr std::uint64_t fabrication = 16;   ///< how a lens comes out of the process
inline constexpr std::uint64_t lens_scene = 17;    ///< what is before the lens

}  // namespace sonolux::streams

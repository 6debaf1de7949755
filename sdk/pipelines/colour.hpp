// sonolux/sdk/pipelines/colour.hpp
//
// Colour images and models that look at one channel: what to do with the three.
//
// Opponent colours are an orthonormal transform of red, green and blue, the DCT-II along the channels:
//
//     (R + G + B) / sqrt(3),    (R - B) / sqrt(2),    (R - 2 G + B) / sqrt(6)
//
// White noise of one standard deviation in every channel has the same in every plane after it, and most of
// what there is to see is in the first plane, so a grey model finds less to preserve, and removes more, in
// the others (Dabov, Foi, Katkovnik and Egiazarian 2007, ICIP, "Color image denoising via sparse 3D
// collaborative filtering", use the same planes).
#pragma once

#include <string>

#include <sonolux/sdk/runtime/reconstructor.hpp>

namespace sonolux {

/// What to do with a colour image and a model of one channel.
enum class ChannelRule {
    opponent,  ///< reconstruct each plane of the opponent colours by itself, and transform back
    separate,  ///< each channel by itself, as if it were grey
    luma,      ///< turn the image grey first; the result is grey
    refuse,    ///< throw
};

/// "opponent", "separate", "luma", "refuse".
[[nodiscard]] ChannelRule channel_rule_from_string(const std::string& word);

/// The transform above and its inverse, in place, of [3, rows, columns] without gaps.
void to_opponent_colours(View<float> image) noexcept;
void from_opponent_colours(View<float> image) noexcept;

/// Throws Error{unsupported} where an image of so many channels cannot be given to a model of so many by this
/// rule: "photo.png: has 3 channels, ...". A grey image is nothing for a colour model.
void require_channels(Index image_channels, Index model_channels, ChannelRule rule, const std::string& source,
                      const std::string& model);

/// `in` to `out`, both [channels, rows, columns], as the reconstructor's channels and the rule say (luma is
/// the caller's to make). Allocates what the opponent transform needs.
[[nodiscard]] Status run_channels(Reconstructor& reconstructor, View<const float> in, View<float> out,
                                  ChannelRule rule);

}  // namespace sonolux

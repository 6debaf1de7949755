// sonolux/sdk/pipelines/colour.cpp
#include <sonolux/sdk/pipelines/colour.hpp>

#include <algorithm>
#include <cmath>

namespace sonolux {
namespace {

// Rows are the planes. Orthonormal, so that the inverse is the transpose.
constexpr double a = 0.57735026918962576, b = 0.70710678118654752, c = 0.40824829046386302;
constexpr double opponent[3][3] = {{a, a, a}, {b, 0, -b}, {c, -2 * c, c}};

template <class Coefficient>
void transform(View<float> image, Coefficient coefficient) noexcept {
    const Index plane = image.rows() * image.columns();
    float* values = image.data();
    for (Index i = 0; i < plane; ++i) {
        const double old[3] = {values[i], values[i + plane], values[i + 2 * plane]};
        for (int to = 0; to < 3; ++to)
            values[i + to * plane] = static_cast<float>(
                coefficient(to, 0) * old[0] + coefficient(to, 1) * old[1] + coefficient(to, 2) * old[2]);
    }
}

}  // namespace

ChannelRule channel_rule_from_string(const std::string& word) {
    if (word == "opponent") return ChannelRule::opponent;
    if (word == "separate") return ChannelRule::separate;
    if (word == "luma") return ChannelRule::luma;
    require(word == "refuse", Status::invalid_argument,
            "channels must be opponent, separate, luma or refuse, got \"", word, "\"");
    return ChannelRule::refuse;
}

void to_opponent_colours(View<float> image) noexcept {
    transform(image, [](int to, int from) { return opponent[to][from]; });
}

void from_opponent_colours(View<float> image) noexcept {
    transform(image, [](int to, int from) { return opponent[from][to]; });
}

void require_channels(Index image_channels, Index model_channels, ChannelRule rule, const std::string& source,
                      const std::string& model) {
    require(model_channels == 1 || image_channels == model_channels, Status::unsupported, source, ": has ",
            image_channels, image_channels == 1 ? " channel" : " channels", ", the model \"", model,
            "\" takes ", model_channels, " together (colour); choose a model for grey images");
    require(model_channels == 1 || rule != ChannelRule::luma, Status::unsupported, source,
            ": --channels luma turns the image grey, the model \"", model, "\" takes ", model_channels,
            " channels together (colour); leave it out, or choose a model for grey images");
    require(model_channels > 1 || image_channels == 1 || rule != ChannelRule::refuse, Status::unsupported,
            source, ": has ", image_channels, " channels, the model \"", model,
            "\" takes 1 (grey); choose --channels opponent or separate to work on each plane by itself, or "
            "--channels luma to turn the image grey");
}

Status run_channels(Reconstructor& reconstructor, View<const float> in, View<float> out, ChannelRule rule) {
    if (reconstructor.channels() > 1 || in.size(0) != 3 || rule != ChannelRule::opponent)
        return reconstructor.run(in, out);
    Array<float> planes(in.shape());
    std::copy(in.begin(), in.end(), planes.begin());
    to_opponent_colours(planes);
    const Status status = reconstructor.run(planes, out);
    // Stopped runs leave an image too; those that were refused leave `out` as it was.
    if (status == Status::ok || status == Status::cancelled || status == Status::deadline_exceeded)
        from_opponent_colours(out);
    return status;
}

}  // namespace sonolux

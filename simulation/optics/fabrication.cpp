// sonolux/simulation/optics/fabrication.cpp
#include <algorithm>
#include <bit>
#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/optics/fabrication.hpp>
#include <sonolux/simulation/streams.hpp>

namespace sonolux {

namespace {

struct Mask {
    double depth = 1, x = 0, y = 0;  // relative depth, and where it lies
};

struct Draw {
    double scale = 1;
    std::vector<Mask> masks;
};

Draw draw(const DiffractiveLens& lens, const FabricationErrors& errors, Philox& random) {
    for (const auto& [what, value] : {std::pair{"height noise", errors.height_noise},
                                      {"depth scale", errors.depth_scale},
                                      {"etch depth", errors.etch_depth},
                                      {"centring", errors.centring}})
        require(value >= 0 && std::isfinite(value), Status::invalid_argument,
                "fabrication: the error of the ", what, " must be at least 0, got ", value);
    const bool masks = lens.levels >= 2 && std::has_single_bit(static_cast<unsigned>(lens.levels));
    require(masks || (errors.etch_depth == 0 && errors.centring == 0), Status::invalid_argument,
            "fabrication: ", lens.levels, " levels are not made with masks, only powers of 2 are");
    // All that is drawn per lens comes first, and always: the same lens with one error more keeps the others.
    Draw result;
    result.scale = 1 + errors.depth_scale * double{random.normal()};
    const int count = masks ? std::countr_zero(static_cast<unsigned>(lens.levels)) : 0;
    for (int b = 0; b < count; ++b) {
        const double depth = random.normal(), x = random.normal(), y = random.normal();
        result.masks.push_back({1 + errors.etch_depth * depth, errors.centring * x, errors.centring * y});
    }
    return result;
}

/// The height that masks leave of a level, in steps: full less what each of them takes.
double height_of(Index level, const std::vector<Mask>& masks) {
    const Index top = (Index{1} << masks.size()) - 1, taken = top - level;
    double height = static_cast<double>(top);
    for (std::size_t b = 0; b < masks.size(); ++b)
        if (taken >> b & 1) height -= masks[b].depth * static_cast<double>(Index{1} << b);
    return height;
}

double step_of(const DiffractiveLens& lens) { return full_height(lens) / lens.levels; }

}  // namespace

RadialProfile fabricate(const DiffractiveLens& lens, const FabricationErrors& errors, std::uint64_t seed,
                        std::uint64_t sample) {
    require(errors.centring == 0, Status::invalid_argument,
            "fabrication: masks out of centre leave no symmetric lens; it needs a height map");
    Philox random(seed, streams::fabrication, sample);
    const Draw made = draw(lens, errors, random);
    RadialProfile profile = relief_of(lens);
    for (Ring& ring : profile) {
        const double noise = errors.height_noise * double{random.normal()};
        for (double* height : {&ring.inner_height, &ring.outer_height}) {
            if (!made.masks.empty())
                *height = step_of(lens) * height_of(std::lround(*height / step_of(lens)), made.masks);
            *height = std::max(0.0, *height * made.scale + noise);
        }
    }
    return profile;
}

HeightMap fabricate(const DiffractiveLens& lens, const FabricationErrors& errors, double pitch,
                    std::uint64_t seed, std::uint64_t sample) {
    Philox random(seed, streams::fabrication, sample);
    const Draw made = draw(lens, errors, random);
    const RadialProfile profile = relief_of(lens);
    HeightMap map = map_of(profile, pitch);
    const auto level_at = [&](double x, double y) {
        const double r = std::hypot(x, y);
        const auto after =
            std::upper_bound(profile.begin(), profile.end(), r,
                             [](double value, const Ring& ring) { return value < ring.outer_radius; });
        const Ring& ring = after == profile.end() ? profile.back() : *after;
        return static_cast<Index>(std::lround(ring.inner_height / step_of(lens)));
    };
    const Index top = (Index{1} << made.masks.size()) - 1;
    for (Index i = 0; i < map.cells(); ++i)
        for (Index j = 0; j < map.cells(); ++j) {
            const double noise = errors.height_noise * double{random.normal()};
            if (map.amplitude(i, j) == 0) continue;
            double& height = map.height(i, j);
            if (!made.masks.empty()) {
                // Each mask takes what it would take at its place, had it been in the centre.
                double steps = static_cast<double>(top);
                for (std::size_t b = 0; b < made.masks.size(); ++b) {
                    const Mask& mask = made.masks[b];
                    const Index taken = top - level_at(map.middle(j) - mask.x, map.middle(i) - mask.y);
                    if (taken >> b & 1) steps -= mask.depth * static_cast<double>(Index{1} << b);
                }
                height = step_of(lens) * steps;
            }
            height = std::max(0.0, height * made.scale + noise);
        }
    return map;
}

}  // namespace sonolux

// sonolux/simulation/phantoms/tissue.hpp
//
// One tissue phantom: shapes with values, as a function that can be asked at any point and rendered on any
// grid. So travel times on a coarse map and waves on a fine one see the same tissue.
#pragma once

#include <vector>

#include <sonolux/simulation/acoustics/medium.hpp>
#include <sonolux/simulation/phantoms/tissue_options.hpp>
#include <sonolux/simulation/streams.hpp>

namespace sonolux {

/// What tissue is at one point.
struct Tissue {
    double sound_speed = 0;   ///< m/s
    double density = 0;       ///< kg/m^3
    double attenuation = 0;   ///< dB/(MHz^y cm)
    double nonlinearity = 0;  ///< B/A
    double echogenicity = 0;  ///< dB
};

/// A shape with a value. Everything about it is in m and rad.
struct TissueRegion {
    enum class Kind {
        inside,  ///< within a closed curve: a circle that is stretched, turned and deformed by harmonics
        below,   ///< deeper than a surface: a straight line with waves on it
    };
    struct Wave {
        double order = 0;      ///< inside: periods around the centre. below: rad/m along x
        double amplitude = 0;  ///< inside: relative to the radius. below: m
        double phase = 0;
    };

    Kind kind = Kind::inside;
    Point centre;                 ///< below: a point of the straight line
    double radius = 0;            ///< inside: of the circle
    double stretch = 1;           ///< inside: half axes are radius * stretch and radius / stretch
    double cosine = 1, sine = 0;  ///< inside: direction of the first axis, from x towards z
    double tilt = 0;              ///< below: slope of the line
    std::vector<Wave> waves;
    double edge = 0;  ///< over which the value sets in
    Tissue tissue;

    /// The distance that p lies inside (positive) or outside (negative), measured towards the centre of a
    /// closed curve, or straight down.
    [[nodiscard]] double depth_within(Point p) const noexcept;

    /// How much of `tissue` there is at p: 0 outside, 1 inside, a cubic between over the width of the edge.
    [[nodiscard]] double weight(Point p) const noexcept;

    /// Nothing of a closed curve lies further from the centre.
    [[nodiscard]] double reach() const noexcept;
};

/// Phantom `index` under `seed`: a function of the options, the seed and the index alone, from
/// Philox(seed, streams::tissue, index) and Philox(seed, streams::tissue_field, index). Each region covers
/// those before it.
class TissuePhantom {
public:
    /// Throws as `validate` does.
    TissuePhantom(const TissueOptions& options, std::uint64_t seed, std::uint64_t index);

    [[nodiscard]] TissueFamily family() const noexcept { return family_; }
    [[nodiscard]] const Tissue& background() const noexcept { return background_; }
    [[nodiscard]] const std::vector<TissueRegion>& regions() const noexcept { return regions_; }

    /// The tissue at a point, also outside the field of view.
    [[nodiscard]] Tissue at(Point p) const noexcept;

    /// Maps whose every value is the mean over its cell, of supersampling x supersampling points: of slowness
    /// for the sound speed, of the property itself for all else. On the calling thread.
    [[nodiscard]] Medium render(const ImageGrid& grid) const;

private:
    void draw_ellipses(Philox& random);
    void draw_inclusions(Philox& random);
    void draw_layers(Philox& random);
    void draw_breast(Philox& random);
    void draw_field(const SpeedFieldOptions& options, Philox& random);

    TissueOptions options_;
    TissueFamily family_ = TissueFamily::ellipses;
    Tissue background_;
    std::vector<TissueRegion> regions_;

    struct SpeedField {
        double deviation;
        GaussianField field;
    };
    std::vector<SpeedField> fields_;  // at most two
};

}  // namespace sonolux

// sonolux/simulation/acoustics/medium.hpp
//
// What sound travels through: maps of sound speed, density, attenuation and nonlinearity on a grid.
#pragma once

#include <sonolux/core/acoustics/image_grid.hpp>
#include <sonolux/core/array.hpp>

namespace sonolux {

/// A property that is the same everywhere, or has a value at each point of the grid.
class PropertyMap {
public:
    PropertyMap(float everywhere) : everywhere_(everywhere) {}        // NOLINT(google-explicit-constructor)
    PropertyMap(Array<float> values) : values_(std::move(values)) {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool constant() const noexcept { return values_.elements() == 0; }
    [[nodiscard]] float operator()(Index row, Index column) const noexcept {
        return constant() ? everywhere_ : values_(row, column);
    }
    /// Of a constant property.
    [[nodiscard]] float value() const noexcept {
        assert(constant());
        return everywhere_;
    }
    /// [rows, columns]; empty if constant.
    [[nodiscard]] View<const float> values() const noexcept { return values_.view(); }
    [[nodiscard]] View<float> values() noexcept { return values_.view(); }

private:
    float everywhere_ = 0;
    Array<float> values_;
};

/// A fluid: what tissue is to pulse-echo ultrasound.
///
/// The attenuation of a wave of frequency f is alpha (f / 1 MHz)^y dB/cm, with alpha = attenuation and y =
/// attenuation_power. How waves disperse with it, and that y = 1 cannot be had, is the business of those who
/// simulate waves.
struct Medium {
    ImageGrid grid;
    PropertyMap sound_speed = 1540.0F;  ///< m/s
    PropertyMap density = 1000.0F;      ///< kg/m^3
    PropertyMap attenuation = 0.0F;     ///< dB/(MHz^y cm)
    double attenuation_power = 1.5;     ///< y
    PropertyMap nonlinearity = 0.0F;    ///< B/A; 0: linear sound
};

/// Throws Error{size_mismatch} if a map is not as large as the grid, and Error{invalid_argument} naming the
/// map, the point and the value that is NaN or outside
///
///     sound speed 200 .. 20000 m/s,  density 0.05 .. 25000 kg/m^3, and at least 20 where sound is faster
///     than 1000 m/s,  attenuation 0 .. 1000 dB/(MHz^y cm),  y 0 .. 3,  B/A 0 .. 100,
///
/// which is everything from gas to metal, and tells mm/us and g/cm^3 from SI units.
void validate(const Medium& medium);

struct SpeedRange {
    float lowest = 0, highest = 0;  ///< m/s
};
[[nodiscard]] SpeedRange speed_range(const Medium& medium) noexcept;

/// 1 / sound speed in s/m, [rows, columns].
[[nodiscard]] Array<float> slowness(const Medium& medium);

/// What to take for points outside the map.
enum class Outside {
    refuse,  ///< throw
    extend,  ///< the nearest point inside: what lies beyond the map, in an absorbing layer, say
};

/// `values`, known on `from`, at the points of `to`: along each axis the mean of the linear interpolant over
/// a cell of `to` where its spacing is the larger, so that nothing aliases, and else the linear interpolant
/// itself.
///
/// Throws Error{size_mismatch} if values are not as large as `from`, Error{invalid_argument} for a bad grid,
/// or where a point of `to` is further outside than half a cell of `from` and that is to be refused.
[[nodiscard]] Array<float> resample(View<const float> values, const ImageGrid& from, const ImageGrid& to,
                                    Outside outside = Outside::refuse);

/// The same of all maps. Of sound speed it is slowness that is averaged, since travel times add up; all else
/// is averaged as it is.
[[nodiscard]] Medium resample(const Medium& medium, const ImageGrid& to, Outside outside = Outside::refuse);

}  // namespace sonolux

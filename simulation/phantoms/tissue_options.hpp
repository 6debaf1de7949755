// sonolux/simulation/phantoms/tissue_options.hpp
//
// What tissue phantoms are drawn from: families of shapes, and ranges for every size and value.
//
// The families have names so that a test set can be made of others than the networks learned from.
#pragma once

#include <array>
#include <string_view>

#include <sonolux/core/random.hpp>
#include <sonolux/simulation/phantoms/gaussian_field.hpp>

namespace sonolux {

enum class TissueFamily { ellipses, inclusions, layers, breast, random_field };

inline constexpr std::array tissue_families = {TissueFamily::ellipses, TissueFamily::inclusions,
                                               TissueFamily::layers, TissueFamily::breast,
                                               TissueFamily::random_field};

[[nodiscard]] const char* to_string(TissueFamily family) noexcept;

/// A quantity that is uniform between two values; the same value twice fixes it.
struct Range {
    double low = 0, high = 0;

    [[nodiscard]] double draw(Philox& random) const noexcept { return random.uniform(low, high); }
    friend bool operator==(const Range&, const Range&) = default;
};

/// A kind of tissue. The defaults of this file are of the order of what textbooks list for the tissues at
/// body temperature (F. Duck, Physical Properties of Tissue, 1990): set your own where it matters.
struct TissueRanges {
    Range sound_speed{1480, 1560};  ///< m/s
    Range density{1000, 1040};      ///< kg/m^3
    Range attenuation{0.3, 0.7};    ///< dB/(MHz^y cm)
    Range nonlinearity{6, 8};       ///< B/A
    Range echogenicity{0, 0};       ///< of its scatterers, dB
};

/// Ellipses with sharp edges on a uniform background, later ones over earlier ones.
struct EllipsesOptions {
    Range count{1, 6};                     ///< rounded down: {1, 7} gives 1 to 6
    Range radius{1e-3, 8e-3};              ///< m, the geometric mean of the half axes
    Range aspect{1, 3};                    ///< of the half axes
    Range contrast{-60, 60};               ///< m/s, against the background
    Range density_contrast{-20, 20};       ///< kg/m^3
    Range echogenicity_contrast{-12, 12};  ///< dB
};

/// Smooth shapes with soft edges: ellipses deformed by harmonics, boundary at
/// radius (1 + sum over k = 2 .. 6 of a_k cos(k theta + phase_k)), a_k uniform up to roughness / k either
/// way.
struct InclusionsOptions {
    Range count{1, 4};
    Range radius{2e-3, 10e-3};
    Range aspect{1, 2};
    Range roughness{0, 0.5};   ///< at most 0.9
    Range edge{0.2e-3, 3e-3};  ///< m, over which the contrast falls from 1 to 0
    Range contrast{-60, 60};
    Range density_contrast{-20, 20};
    Range echogenicity_contrast{-12, 12};
};

/// Skin, fat and muscle above an organ; the surfaces between them are tilted and wavy.
struct LayersOptions {
    Range skin_thickness{1e-3, 2.5e-3}, fat_thickness{3e-3, 15e-3}, muscle_thickness{5e-3, 15e-3};
    Range tilt{-0.1, 0.1};          ///< slope of each surface
    Range undulation{0, 1e-3};      ///< m, amplitude of each of its three waves
    Range wavelength{8e-3, 40e-3};  ///< m
    TissueRanges skin{{1580, 1640}, {1090, 1120}, {1.0, 2.0}, {7, 8}, {0, 6}};
    TissueRanges fat{{1430, 1480}, {920, 970}, {0.4, 0.8}, {9, 11}, {-10, -4}};
    TissueRanges muscle{{1540, 1600}, {1040, 1070}, {0.6, 1.2}, {6, 8}, {-4, 2}};
    TissueRanges organ{{1560, 1610}, {1050, 1070}, {0.4, 0.7}, {6, 8}, {0, 4}};
};

/// Skin over fat that scallops into glandular tissue with lobules of fat, the muscle of the chest at the
/// bottom, and sometimes a lesion.
struct BreastOptions {
    Range skin_thickness{1e-3, 2.5e-3}, fat_thickness{3e-3, 12e-3};
    Range chest_depth{30e-3, 45e-3};
    Range scallop{1e-3, 3e-3};  ///< m, amplitude of the waves of the gland's surface
    Range scallop_wavelength{6e-3, 15e-3};
    Range lobules{3, 20};
    Range lobule_radius{1e-3, 4e-3};
    double lesion_fraction = 0.5;  ///< of the phantoms that have one
    Range lesion_radius{2e-3, 8e-3};
    TissueRanges skin{{1580, 1640}, {1090, 1120}, {1.0, 2.0}, {7, 8}, {0, 6}};
    TissueRanges fat{{1430, 1480}, {920, 970}, {0.4, 0.8}, {9, 11}, {-10, -4}};
    TissueRanges gland{{1490, 1550}, {1020, 1050}, {0.6, 1.2}, {7, 10}, {0, 6}};
    TissueRanges muscle{{1540, 1600}, {1040, 1070}, {0.6, 1.2}, {6, 8}, {-4, 2}};
    TissueRanges lesion{{1530, 1590}, {1030, 1070}, {0.8, 2.0}, {6, 8}, {-15, -3}};
};

/// A Gaussian random field of sound speed: the whole of a random_field phantom, and what can lie over all
/// others.
struct SpeedFieldOptions {
    Range deviation{0, 0};                 ///< m/s, standard deviation; 0: none
    Range correlation_length{1e-3, 5e-3};  ///< m
    Range aspect{1, 1};                    ///< correlation length to the right over downwards
    FieldCovariance covariance = FieldCovariance::gaussian;
};

struct TissueOptions {
    double width = 38e-3,
           depth = 50e-3;  ///< m: shapes are placed in x = -width / 2 .. width / 2, z = 0 .. depth

    /// How often each family comes, in the order of `tissue_families`, relative to the sum.
    std::array<double, tissue_families.size()> weights{1, 1, 1, 1, 1};

    TissueRanges background;  ///< of ellipses, inclusions and random_field
    EllipsesOptions ellipses;
    InclusionsOptions inclusions;
    LayersOptions layers;
    BreastOptions breast;
    SpeedFieldOptions random_field{{5, 30}, {1e-3, 10e-3}, {1, 2}, FieldCovariance::gaussian};
    SpeedFieldOptions heterogeneity;

    Range speed_limits{1350, 1750};  ///< m/s: sound speeds beyond are set to these
    double attenuation_power = 1.1;  ///< y
    int supersampling = 3;           ///< points across each cell of a rendered map, 1 to 8
};

/// Throws Error{invalid_argument} naming the option, its value and what was expected: ranges that are
/// reversed or reach outside what is physical, no family with a weight.
void validate(const TissueOptions& options);

}  // namespace sonolux

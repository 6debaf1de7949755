// sonolux/simulation/optics/spectral_lift.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/optics/spectral_lift.hpp>

namespace sonolux {

namespace {

constexpr Index bands = 31;

constexpr float basis[3 * bands] = {
    // red
    0.0267F, 0.026535F, 0.025711F, 0.023331F, 0.019631F, 0.018666F, 0.02996F, 0.013087F, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0.017873F, 0.208419F, 0.47807F, 0.738579F, 0.923945F, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    // green
    0, 0, 0, 0, 0, 0, 0, 0.108894F, 0.294969F, 0.508103F, 0.716522F, 0.888186F, 0.991364F, 1, 1, 1, 1,
    0.935579F, 0.739164F, 0.486272F, 0.247632F, 0.076055F, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    // blue
    0.9733F, 0.973465F, 0.974289F, 0.976669F, 0.980369F, 0.981334F, 0.97004F, 0.878019F, 0.705031F, 0.491897F,
    0.283478F, 0.111814F, 0.008636F, 0, 0, 0, 0, 0.046548F, 0.052417F, 0.035658F, 0.013789F, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0};

}  // namespace

std::vector<double> lift_wavelengths() {
    std::vector<double> wavelengths;
    for (Index b = 0; b < bands; ++b) wavelengths.push_back(400e-9 + 10e-9 * static_cast<double>(b));
    return wavelengths;
}

View<const float> lift_basis() noexcept { return View<const float>(basis, {3, bands}); }

Array<float> lift(View<const float> rgb) {
    require(rgb.rank() == 3 && rgb.size(0) == 3, Status::invalid_argument,
            "lifting: a picture must be [3, rows, columns], got ", to_string(rgb.shape()));
    Array<float> cube({bands, rgb.rows(), rgb.columns()});
    for (Index b = 0; b < bands; ++b)
        for (Index i = 0; i < rgb.rows(); ++i) {
            float* row = cube.view()[b].row(i);
            for (Index c = 0; c < 3; ++c) {
                const float weight = basis[c * bands + b];
                const float* light = rgb[c].row(i);
                for (Index j = 0; j < rgb.columns(); ++j) row[j] += weight * light[j];
            }
        }
    return cube;
}

}  // namespace sonolux

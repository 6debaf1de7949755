// bench/plane_wave_case.hpp
//
// The case of compare_beamforming.py: demodulated data of one plane wave, 5 MHz, sampled at 20/3 MHz
// from 9.95 us on, 128 elements of pitch 0.298 mm; an image of 25 mm x 25 mm, f-number 1, no normalisation.
#pragma once

#include <sonolux/core/operators/delay_and_sum.hpp>

namespace sonolux::bench {

struct PlaneWaveCase {
    Acquisition acquisition{.array = make_linear_array(128, 0.298e-3, 0.262e-3)};
    ImageGrid grid{251, 251, 1e-4, 1e-4, 10e-3, -12.5e-3};
    DelayAndSumOptions options;
    double sound_speed = 1480;

    PlaneWaveCase() {
        acquisition.transmissions = {plane_wave(acquisition.array, 0, sound_speed)};
        acquisition.start_times = {9.95e-6};
        acquisition.sampling_frequency = 20e6 / 3;
        acquisition.centre_frequency = acquisition.demodulation_frequency = 5e6;
        acquisition.samples = 334;
        options.normalisation = ApertureNormalisation::none;
    }

    [[nodiscard]] DelayAndSum beamformer(Context& context) const {
        return DelayAndSum(acquisition, FocusingDelays(acquisition, grid, sound_speed), options, context);
    }
};

}  // namespace sonolux::bench

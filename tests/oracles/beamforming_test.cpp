// tests/oracles/beamforming_test.cpp
//
// Real channel data of a rotating disc in water (MUST, PWI_disk.mat), against the B-mode that came with it
// and against PyMUST's delay and sum.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include <sonolux/core/acoustics/echo_image.hpp>
#include <sonolux/core/acoustics/trace_filter.hpp>
#include <sonolux/core/operators/delay_and_sum.hpp>
#include <sonolux/sdk/files/channel_data_file.hpp>
#include <sonolux/sdk/files/mat_file.hpp>

#include "tests/support/data.hpp"
#include "tests/support/python_peer.hpp"

namespace sonolux {
namespace {

std::filesystem::path disc_file() { return data_folder() / "ultrasound/point_target/PWI_disk.mat"; }

/// Demodulated as MUST does: a band of 15 % of 5 MHz.
ChannelData disc(Index frames) {
    Context context;
    ChannelDataReadOptions some;
    some.frames = frames;
    return demodulate(read_channel_data(disc_file().string(), some), {.bandwidth = 0.75e6}, context);
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    const auto mean = [](const std::vector<double>& v) {
        return std::accumulate(v.begin(), v.end(), 0.0) / static_cast<double>(v.size());
    };
    const double ma = mean(a), mb = mean(b);
    double aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        aa += (a[i] - ma) * (a[i] - ma);
        bb += (b[i] - mb) * (b[i] - mb);
        ab += (a[i] - ma) * (b[i] - mb);
    }
    return ab / std::sqrt(aa * bb);
}

Array<float> images_of(const ChannelData& data, const DelayAndSum& op, Context& context) {
    context.workspace().reserve(op.frames_workspace_bytes(context));
    Array<float> pixels({data.frames(), op.range().elements()});
    op.apply_frames(data.values, pixels, context);
    return pixels;
}

TEST(BeamformingOracle, GivesTheReferenceBModeOfTheDisc) {
    SLX_NEEDS(disc_file());
    const auto reference_file = data_folder() / "ultrasound/point_target/bmode_PWI_disk.mat";
    SLX_NEEDS(reference_file);
    const ChannelData data = disc(-1);
    const ImageGrid grid{251, 251, 1e-4, 1e-4, 10e-3, -12.5e-3};
    DelayAndSumOptions options;
    options.f_number = 1.1248487475247932;  // what MUST works out from the elements' directivity
    options.interpolation = SampleInterpolation::nearest;
    options.normalisation = ApertureNormalisation::none;
    Context context;
    const DelayAndSum op(data.acquisition, FocusingDelays(data.acquisition, grid, 1480), options, context);
    const Array<float> pixels = images_of(data, op, context);
    Array<float> magnitude({data.frames(), 251, 251});
    envelope(pixels, magnitude);
    log_compress(magnitude, magnitude, largest_magnitude(magnitude), -30);

    // Codes 0 to 255 stand for 30 dB below the brightest pixel of all frames: the reference holds no more.
    const MatArray reference = read_mat(reference_file.string(), "I").front();
    ASSERT_EQ(reference.sizes, (std::vector<Index>{251, 251, 32}));
    std::vector<double> ours, theirs;
    double worst = 0;
    for (Index f = 0; f < 32; ++f)
        for (Index i = 0; i < 251; ++i)
            for (Index j = 0; j < 251; ++j) {
                const double code = reference.values[static_cast<std::size_t>((i * 251 + j) * 32 + f)];
                ours.push_back(double{magnitude(f, i, j)});
                theirs.push_back(code / 255 * 30 - 30);
                if (code > 128) worst = std::max(worst, std::abs(ours.back() - theirs.back()));
            }
    const double agreement = correlation(ours, theirs);
    RecordProperty("correlation", std::to_string(agreement));
    std::printf(
        "correlation with the reference over its 30 dB: %.6f; largest difference above -15 dB: %.2f dB\n",
        agreement, worst);
    EXPECT_GE(agreement, 0.9999);
    EXPECT_LT(worst, 0.5);  // a code is 0.12 dB; some nearest samples are others
}

TEST(BeamformingOracle, FocusesThePointBehindTheDiscSharpestAtTheSpeedOfWater) {
    // There is a point at x = -3.9 mm, z = 40.6 mm. (The speckle of the disc tells no speed: one plane wave's
    // echoes from it are incoherent between elements, and its grains have one size, focused or not.) Depths
    // go with the speed, so that pixels stay with their echoes.
    SLX_NEEDS(disc_file());
    Context context;
    const ChannelData data = demodulate(read_channel_data(disc_file().string()), {}, context);
    for (const double f_number : {0.6, 1.1, 1.5}) {
        std::vector<double> brightness, sharpness;
        for (double speed = 1440; speed <= 1520; speed += 10) {
            const double stretch = speed / 1480;
            const ImageGrid grid{41, 21, 5e-5 * stretch, 1e-4, 39.6e-3 * stretch, -4.9e-3};
            DelayAndSumOptions options;
            options.f_number = f_number;
            const DelayAndSum op(data.acquisition, FocusingDelays(data.acquisition, grid, speed), options,
                                 context);
            const Array<float> pixels = images_of(data, op, context);
            std::vector<double> energy(static_cast<std::size_t>(grid.rows * grid.columns));
            double peaks = 0, sum = 0, squares = 0;
            for (Index f = 0; f < data.frames(); ++f) {
                double peak = 0;
                for (std::size_t i = 0; i < energy.size(); ++i) {
                    const float* const pixel = &pixels(f, 2 * static_cast<Index>(i));
                    const double magnitude = std::hypot(double{pixel[0]}, double{pixel[1]});
                    peak = std::max(peak, magnitude);
                    energy[i] += magnitude * magnitude;
                }
                peaks += peak;
            }
            for (const double e : energy) {
                sum += e;
                squares += e * e;
            }
            brightness.push_back(peaks);
            sharpness.push_back(squares / (sum * sum));  // the inverse of the area that the point fills
        }
        for (const auto& [name, curve] : {std::pair{"brightness", &brightness}, {"sharpness", &sharpness}}) {
            const auto best = std::max_element(curve->begin(), curve->end()) - curve->begin();
            ASSERT_GT(best, 0);
            ASSERT_LT(best, 8);
            const auto at = [&](std::ptrdiff_t i) { return (*curve)[static_cast<std::size_t>(i)]; };
            const double speed =
                1440 + 10 * static_cast<double>(best) +
                5 * (at(best - 1) - at(best + 1)) / (at(best - 1) - 2 * at(best) + at(best + 1));
            std::printf("f-number %.1f: %s is largest at %.1f m/s\n", f_number, name, speed);
            EXPECT_NEAR(speed, 1480, 10) << f_number << " " << name;
        }
    }
}

TEST(BeamformingOracle, AgreesWithPyMust) {
    SLX_NEEDS(disc_file());
    SLX_NEEDS_PYTHON("numpy, pymust");
    const ChannelData data = disc(1);
    const Acquisition& recorded = data.acquisition;
    const ImageGrid grid{40, 41, 5e-4, 5e-4, 12e-3, -10e-3};
    const PythonPeer peer;
    peer.write("iq", data.values);
    ASSERT_TRUE(peer.run(R"(
import pymust, pymust.utils
iq = read("iq", 128, 334, 2)
iq = (iq[..., 0] + 1j * iq[..., 1]).T
x, z = n.meshgrid(-10e-3 + 5e-4 * n.arange(41), 12e-3 + 5e-4 * n.arange(40))
def image(delays, method):
    p = pymust.utils.Param()
    p.fs, p.pitch, p.fc, p.c, p.t0 = 20e6 / 3, 298e-6, 5e6, 1480., n.array([9.95e-6])
    p.Nelements, p.radius, p.fnumber = 128, n.inf, 1.2
    m = pymust.dasmtx(1j * n.array(iq.shape), x, z, delays, p, method)
    y = (m.tocsr() @ iq.flatten(order="F")).reshape(x.shape, order="F")
    return n.stack([y.real, y.imag], -1)
one = n.full((1, 128), n.nan)
one[0, 40] = 0
for method in ("nearest", "linear"):
    write("element_" + method, image(one, method))
    write("plane_" + method, image(n.zeros((1, 128)), method))
)"));
    Context context;
    for (const bool plane : {false, true})
        for (const auto how : {SampleInterpolation::nearest, SampleInterpolation::linear}) {
            Acquisition a = recorded;
            if (!plane) a.transmissions = {single_element(a.array, 40)};
            DelayAndSumOptions options;
            options.f_number = 1.2;
            options.interpolation = how;
            options.normalisation = ApertureNormalisation::none;
            const FocusingDelays closed(a, grid, 1480);
            const auto beamformed = [&](const FocusingDelays& delays) {
                const DelayAndSum op(a, delays, options, context);
                context.workspace().reserve(op.workspace_bytes(context));
                Array<float> image(op.range());
                op.apply(data.frame(0), image, context);
                return image;
            };
            const auto difference = [&](const Array<float>& image) {
                const Array<float> theirs =
                    peer.read(sentence(plane ? "plane_" : "element_", to_string(how)), image.shape());
                double error = 0, energy = 0;
                for (Index i = 0; i < image.elements(); ++i) {
                    error += std::pow(double{image.data()[i]} - double{theirs.data()[i]}, 2);
                    energy += std::pow(double{theirs.data()[i]}, 2);
                }
                return std::sqrt(error / energy);
            };
            double relative = difference(beamformed(closed));
            const double ideal = relative;
            if (plane) {
                // PyMUST's front of a plane wave is the first arrival from points a quarter of the pitch
                // apart, late by up to (pitch / 8)^2 / (2 z c): 40 ps, 1e-3 rad.
                Array<float> transmit({1, grid.rows, grid.columns}), receive({128, grid.rows, grid.columns});
                for (Index i = 0; i < grid.rows; ++i)
                    for (Index j = 0; j < grid.columns; ++j) {
                        const Point p = grid.point(static_cast<double>(i), static_cast<double>(j));
                        double nearest = 1;
                        for (int q = 0; q < 512; ++q)
                            nearest =
                                std::min(nearest, std::hypot(p.x - (127.0 * q / 511 - 63.5) * 298e-6, p.z));
                        transmit(0, i, j) = static_cast<float>(nearest / 1480);
                        for (Index e = 0; e < 128; ++e)
                            receive(e, i, j) = static_cast<float>(closed.receive(e, i, j));
                    }
                relative =
                    difference(beamformed(FocusingDelays(a, grid, std::move(transmit), std::move(receive))));
            }
            std::printf("%s, %s: relative L2 difference from PyMUST %.2e (with our own front %.2e)\n",
                        plane ? "plane wave" : "single element", to_string(how), relative, ideal);
            EXPECT_LE(relative, 1e-4);
            EXPECT_LE(ideal, plane ? 2e-3 : 1e-4);
        }
}

}  // namespace
}  // namespace sonolux

// Files of recordings between Sonolux and the programs whose formats they are: zea, and pyuff_ustb for UFF.
#include "tests/sdk/files/channel_data_fixture.hpp"

#include <sonolux/sdk/files/uff.hpp>
#include <sonolux/sdk/files/zea.hpp>

#include "tests/support/python_peer.hpp"

namespace sonolux {
namespace {

using ::testing::IsEmpty;

class PyuffOracle : public ChannelDataFiles {};

TEST_F(PyuffOracle, ReadsWhatSonoluxWrites) {
    SLX_NEEDS_PYTHON("numpy, pyuff_ustb");
    const PythonPeer peer;
    const ChannelData data = recording(all_kinds(make_linear_array(16, 0.3e-3, 0.27e-3)), 3);
    write_uff(path("a.uff"), data);
    ASSERT_TRUE(peer.run("import pyuff_ustb as u\nc = u.Uff(\"" + path("a.uff") + R"(").read("channel_data")
p = c.probe
write("geometry", n.array([p.x, p.z, p.width]))
write("data", c.data.transpose(3, 2, 1, 0))
w = c.sequence
write("waves", n.array([[s.wavefront.value, s.source.distance, s.source.azimuth, s.delay, s.sound_speed] for s in w]))
write("weights", n.array([n.ravel(s.apodization.apodization_vector) for s in w]))
write("numbers", n.array([c.sampling_frequency, c.initial_time, c.sound_speed, c.modulation_frequency, c.PRF,
                          c.pulse.center_frequency, c.N_elements, c.N_waves, c.N_frames]))
)"));
    const Acquisition& a = data.acquisition;
    const Array<float> geometry = peer.read("geometry", {3, 16}), waves = peer.read("waves", {4, 5}),
                       weights = peer.read("weights", {4, 16}), numbers = peer.read("numbers", {9});
    for (Index e = 0; e < 16; ++e) {
        EXPECT_FLOAT_EQ(geometry(0, e), static_cast<float>(a.array[e].position.x));
        EXPECT_FLOAT_EQ(geometry(1, e), 0);
        EXPECT_FLOAT_EQ(geometry(2, e), 0.27e-3F);
        EXPECT_EQ(weights(2, e), e >= 2 && e < 14 ? 1 : 0);
    }
    expect_same_values(peer.read("data", data.values.shape()), data.values);
    EXPECT_EQ(waves(0, 0), 0);
    EXPECT_TRUE(std::isinf(waves(0, 1)));
    EXPECT_FLOAT_EQ(waves(0, 2), 0.15F);
    EXPECT_EQ(waves(1, 0), 1);
    EXPECT_FLOAT_EQ(waves(1, 1), static_cast<float>(std::hypot(1e-3, 8e-3)));
    EXPECT_FLOAT_EQ(waves(1, 2), static_cast<float>(std::atan2(1e-3, -8e-3)));
    const std::vector<double> expected = {31.25e6, numbers(1), 1540, 0, 23.7 * 4, 5.2e6, 16, 4, 3};
    for (Index i = 0; i < 9; ++i)
        EXPECT_FLOAT_EQ(numbers(i), static_cast<float>(expected[static_cast<std::size_t>(i)]));
}

TEST_F(PyuffOracle, WritesWhatSonoluxReads) {
    SLX_NEEDS_PYTHON("numpy, pyuff_ustb");
    const PythonPeer peer;
    ASSERT_TRUE(peer.run(R"(
import pyuff_ustb as u
probe = u.LinearArray(N=16, pitch=3e-4, element_width=2.5e-4, element_height=5e-3)
point = lambda d, a: u.Point(distance=d, azimuth=a, elevation=0.0)
def wave(kind, source, delay):
    w = u.Wave()
    w.wavefront, w.source, w.origin, w.delay, w.sound_speed = kind, source, point(0.0, 0.0), delay, 1540.0
    w.apodization = u.Apodization(window=u.Window.none)
    return w
s = [wave(u.Wavefront.plane, point(n.inf, -0.2), 1e-7), wave(u.Wavefront.spherical, point(0.01, n.pi), 0.0)]
d = n.arange(30 * 16 * 2 * 3, dtype=n.float32).reshape(30, 16, 2, 3)
c = u.ChannelData(sampling_frequency=20e6, initial_time=1e-6, sound_speed=1540.0, modulation_frequency=0.0, sequence=s,
                  probe=probe, data=d, pulse=u.Pulse(center_frequency=5e6))
c.write(")" + path("a.uff") +
                         R"(", "channel_data", ignore_missing_compulsory_fields=True)
)"));
    const ChannelDataFile read = read_channel_data_file(path("a.uff"));
    const Acquisition& a = read.data.acquisition;
    ASSERT_EQ(read.data.values.shape(), (Shape{3, 2, 16, 30}));
    EXPECT_EQ(read.data.values(2, 1, 5, 7), ((7 * 16 + 5) * 2 + 1) * 3 + 2);
    EXPECT_NEAR(a.array.pitch(), 3e-4, 1e-12);
    EXPECT_NEAR(a.transmissions[0].angle, -0.2, 1e-9);
    EXPECT_EQ(a.transmissions[1].wavefront, Wavefront::diverging);
    EXPECT_NEAR(a.transmissions[1].focus.z, -0.01, 1e-9);
    // The wave passes the origin after half the aperture's tilt, 0.225 mm x 7.5 elements of it.
    EXPECT_NEAR(a.start_times[0], 1e-6 + 1e-7 + 7.5 * 3e-4 * std::sin(0.2) / 1540, 1e-12);
}

class ZeaOracle : public ChannelDataFiles {};

constexpr const char* zea_modules = "numpy, zea";

/// zea's own delays of echoes, in samples, for four points. Checked with zea 0.1.8, KERAS_BACKEND=numpy.
TEST_F(ZeaOracle, FindsEchoesInWhatSonoluxWrites) {
    SLX_NEEDS_PYTHON(zea_modules);
    const PythonPeer peer;
    for (const TransducerArray& array :
         {make_linear_array(32, 0.3e-3, 0.27e-3), make_convex_array(32, 0.4e-3, 0.3e-3, 50e-3)}) {
        Acquisition sent = all_kinds(array);
        sent.lens_delay = 0;
        const ChannelData data = recording(std::move(sent), 2);
        write_zea(path("a.hdf5"), data);
        ASSERT_TRUE(peer.run(R"(
import os
os.environ["KERAS_BACKEND"] = "numpy"
import zea
from zea.beamform.beamformer import calculate_delays
with zea.File(")" + path("a.hdf5") +
                             R"(") as f:
    f.validate()
    f.validate_spec()
    s, p, raw = f.scan, f.probe, f.load_data("raw_data")
grid = n.array([[0, 0, 0.012], [0.002, 0, 0.03], [-0.001, 0, 0.015], [0.001, 0, 0.04]], n.float32)
peak = n.full(s.n_tx, 0.31e-6, n.float32)
tx, rx = calculate_delays(grid, s.t0_delays, s.tx_apodizations, n.array(p.probe_geometry), s.initial_times,
    s.sampling_frequency, n.float32(1540), s.focus_distances, s.polar_angles, peak, s.transmit_origins)
write("tx", tx)
write("rx", rx)
write("raw", n.array(raw)[..., 0].transpose(0, 1, 3, 2))
)"));
        expect_same_values(peer.read("raw", data.values.shape()), data.values);
        const Array<float> tx = peer.read("tx", {4, 4}), rx = peer.read("rx", {4, 32});
        const Acquisition& a = data.acquisition;
        const Point points[] = {{0, 12e-3}, {2e-3, 30e-3}, {-1e-3, 15e-3}, {1e-3, 40e-3}};
        for (Index i = 0; i < 4; ++i)
            for (Index k = 0; k < 4; ++k) {
                const Point p = points[i];
                // zea takes the first or last of all elements' arrivals where the ideal wavefront is meant.
                // They are the same to 0.1 samples (3 ns) for points that the wave lights: elements are 0.4
                // mm apart.
                if (k == 2 && std::abs(p.x + 1e-3) > 1.5e-3) continue;
                const double ours =
                    (wavefront_time(a.transmissions[static_cast<std::size_t>(k)], a.array, p, 1540) +
                     length(p - a.array[5].position) / 1540 - a.focusing_start(k)) *
                    a.sampling_frequency;
                EXPECT_NEAR(ours, double{tx(i, k)} + double{rx(i, 5)}, 0.1)
                    << "transmission " << k << ", point " << i;
            }
    }
}

TEST_F(ZeaOracle, WritesWhatSonoluxReads) {
    SLX_NEEDS_PYTHON(zea_modules);
    const PythonPeer peer;
    ASSERT_TRUE(peer.run(R"(
import os
os.environ["KERAS_BACKEND"] = "numpy"
import zea
from zea.beamform.delays import compute_t0_delays_planewave, compute_t0_delays_focused
g = n.zeros((16, 3), n.float32)
g[:, 0] = 3e-4 * (n.arange(16) - 7.5)
angles = n.array([0.2, -0.1, 0.1, 0], n.float32)
distances = n.array([n.inf, n.inf, 0.02, -0.01], n.float32)
o = n.zeros((4, 3), n.float32)
o[2, 0] = 1e-3
t = n.concatenate([compute_t0_delays_planewave(g, angles[:2]),
                   compute_t0_delays_focused(o[2:], distances[2:], g, angles[2:])]).astype(n.float32)
raw = n.arange(2 * 4 * 30 * 16 * 1).reshape(2, 4, 30, 16, 1).astype(n.int16)
scan = dict(sampling_frequency=n.float32(20e6), center_frequency=n.float32(5e6), demodulation_frequency=n.float32(5e6),
    initial_times=n.array([0, 1e-6, 2e-6, 3e-6], n.float32), t0_delays=t, tx_apodizations=n.ones((4, 16), n.float32),
    focus_distances=distances, transmit_origins=o, polar_angles=angles, sound_speed=n.float32(1540))
from zea.data.spec import FileSpec
spec = FileSpec(data=dict(raw_data=raw), scan=scan, probe=dict(name="p", probe_geometry=g, element_width=n.float32(2.5e-4)))
spec.save(")" + path("a.hdf5") +
                         R"(", compression="gzip")
spec.save(")" + path("blosc.hdf5") +
                         R"(")
)"));
    const ChannelDataFile read = read_channel_data_file(path("a.hdf5"));
    const Acquisition& a = read.data.acquisition;
    ASSERT_EQ(read.data.values.shape(), (Shape{2, 4, 16, 30}));
    EXPECT_EQ(read.stored_type, "int16");
    EXPECT_EQ(read.data.values(1, 2, 7, 11), ((6 * 30) + 11) * 16 + 7);
    const TransducerArray array = make_linear_array(16, 0.3e-3, 0.25e-3);
    const std::vector<Transmission> expected = {
        plane_wave(array, 0.2, 1540), plane_wave(array, -0.1, 1540),
        focused_beam(array, {1e-3 + 0.02 * std::sin(0.1), 0.02 * std::cos(0.1)}, 1540),
        diverging_wave(array, {0, -0.01}, 1540)};
    for (std::size_t k = 0; k < 4; ++k) {
        EXPECT_EQ(a.transmissions[k].wavefront, expected[k].wavefront);
        EXPECT_NEAR(a.transmissions[k].angle, expected[k].angle, 1e-8);
        EXPECT_NEAR(a.transmissions[k].focus.x, expected[k].focus.x, 1e-8);
        EXPECT_NEAR(a.transmissions[k].focus.z, expected[k].focus.z, 1e-8);
        EXPECT_NEAR(a.transmissions[k].focus_time, expected[k].focus_time, 1e-11);
        EXPECT_NEAR(a.start_times[k], 1e-6 * static_cast<double>(k), 1e-12);
    }
    // Blosc is a plugin, which may be there: then the samples are the same; or it is named.
    try {
        EXPECT_EQ(read_channel_data(path("blosc.hdf5")).values(1, 2, 7, 11), ((6 * 30) + 11) * 16 + 7);
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::unsupported);
        EXPECT_THAT(error.what(), ::testing::HasSubstr("compressed by the filter 32001"));
    }
}

}  // namespace
}  // namespace sonolux

#!/usr/bin/env python3
"""Delay and sum of 32 frames of a plane wave: Sonolux beside PyMUST and vbeam, in one run.

Needs a Python with numpy, scipy and what there is of the peers: pymust (matrix of delays, made once and left out of
the times; the matrix as it comes, as compressed rows, and in single precision) and vbeam on JAX's CPU (its kernel,
signal_for_point, compiled once). Everybody runs on one thread and is timed in processor time, medians, taking turns.
The data are MUST's PWI_disk.mat if SONOLUX_DATA has it, else noise of the same sizes. Prints rows for docs/results.md.

    bench/compare_beamforming.py --build build/bench/bench --repetitions 3
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

if "SONOLUX_PEERS_PYTHON" in os.environ and sys.executable != os.environ["SONOLUX_PEERS_PYTHON"]:
    os.execv(os.environ["SONOLUX_PEERS_PYTHON"], [os.environ["SONOLUX_PEERS_PYTHON"], *sys.argv])

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy
import scipy.signal

ELEMENTS, SAMPLES, SIDE = 128, 334, 251
PITCH, SPEED, START, RATE, FREQUENCY = 298e-6, 1480.0, 9.95e-6, 20e6 / 3, 5e6


def recording(frames):
    """IQ [time, element, frame]."""
    path = os.path.join(os.environ.get("SONOLUX_DATA", "../shared/data"), "ultrasound/point_target/PWI_disk.mat")
    if not os.path.exists(path):
        print("noise in the place of", path, file=sys.stderr)
        random = numpy.random.default_rng(1)
        shape = (SAMPLES, ELEMENTS, frames)
        return random.standard_normal(shape) + 1j * random.standard_normal(shape)
    import scipy.io

    rf = scipy.io.loadmat(path)["RF"].astype(float)
    rf = numpy.concatenate([rf] * -(-frames // rf.shape[2]), 2)[:, :, :frames]
    t = START + numpy.arange(SAMPLES) / RATE
    b, a = scipy.signal.butter(5, 0.75e6 / RATE)
    return 2 * scipy.signal.filtfilt(b, a, rf * numpy.exp(-2j * numpy.pi * FREQUENCY * t)[:, None, None], axis=0)


def grid():
    return numpy.meshgrid(-12.5e-3 + 1e-4 * numpy.arange(SIDE), 10e-3 + 1e-4 * numpy.arange(SIDE))


def pymust_calls(iq, method):
    import pymust
    import pymust.utils

    p = pymust.utils.Param()
    p.fs, p.pitch, p.fc, p.c, p.t0 = RATE, PITCH, FREQUENCY, SPEED, numpy.array([START])
    p.Nelements, p.radius, p.fnumber = ELEMENTS, numpy.inf, 1.0
    x, z = grid()
    matrix = pymust.dasmtx(1j * numpy.array(iq.shape[:2]), x, z, numpy.zeros((1, ELEMENTS)), p, method)
    flat = iq.reshape(-1, iq.shape[2], order="F")
    rows, single, narrow = matrix.tocsr(), matrix.tocsr().astype(numpy.complex64), flat.astype(numpy.complex64)
    shaped = lambda image: image.reshape(SIDE, SIDE, -1, order="F")
    return {
        "PyMUST, as dasmtx returns it (COO, complex128)": lambda: shaped(matrix @ flat),
        "PyMUST, CSR, complex128": lambda: shaped(rows @ flat),
        "PyMUST, CSR, complex64": lambda: shaped(single @ narrow),
    }


def vbeam_calls(iq):
    """vbeam's kernel over points, receivers and frames; the frames together, and one after the other."""
    import jax

    from vbeam.fastmath import backend_manager

    backend_manager.active_backend = "jax"
    import jax.numpy as jnp
    from vbeam.core import Apodization, ElementGeometry, WaveData, signal_for_point
    from vbeam.fastmath.traceable import traceable_dataclass
    from vbeam.interpolation import FastInterpLinspace
    from vbeam.wavefront import PlaneWavefront, ReflectedWavefront

    @traceable_dataclass()
    class FNumber(Apodization):
        def __call__(self, sender, point_position, receiver, wave_data):
            return (jnp.abs(point_position[0] - receiver.position[0]) <= point_position[2] / 2) * 1.0

    x, z = grid()
    points = jnp.asarray(numpy.stack([x, numpy.zeros_like(x), z], -1).reshape(-1, 3), jnp.float32)
    places = numpy.zeros((ELEMENTS, 3), numpy.float32)
    places[:, 0] = (numpy.arange(ELEMENTS) - 0.5 * (ELEMENTS - 1)) * PITCH
    signals = jnp.asarray(numpy.moveaxis(iq, (0, 1, 2), (2, 1, 0)), jnp.complex64)
    sender = ElementGeometry(jnp.zeros(3), 0.0, 0.0)
    wave = WaveData(azimuth=0.0, elevation=0.0, t0=0.0)
    # the clock begins at the first sample's time, so that the phase is that of the delay
    interpolate = FastInterpLinspace(START, 1 / RATE, SAMPLES)

    def trace(point, place, signal):
        return signal_for_point(sender, point, ElementGeometry(place, 0.0, 0.0), signal, PlaneWavefront(),
                                ReflectedWavefront(), SPEED, wave, interpolate, FREQUENCY, FNumber())

    pixel = lambda point, frame: jax.vmap(trace, (None, 0, 0))(point, places, frame).sum()
    image = lambda frame: jax.vmap(pixel, (0, None))(points, frame)
    apart = jax.jit(lambda frames: jax.lax.map(image, frames))

    def some_points(frames):  # all frames of 251 points at a time
        together = lambda p: jax.vmap(jax.vmap(pixel, (None, 0)), (0, None))(p, frames)
        return jax.lax.map(together, points.reshape(SIDE, SIDE, 3))

    together = jax.jit(some_points)
    shaped = lambda frames: numpy.moveaxis(numpy.asarray(frames).reshape(-1, SIDE, SIDE), 0, 2)
    return {
        "vbeam, JAX CPU, frame after frame": lambda: shaped(apart(signals).block_until_ready()),
        "vbeam, JAX CPU, frames together": lambda: numpy.asarray(together(signals).block_until_ready()),
    }


def difference(image, reference):
    return numpy.linalg.norm(image - reference) / numpy.linalg.norm(reference)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build/bench/bench", help="folder of sonolux_beamforming_peer")
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--method", default="linear", choices=("nearest", "linear"))
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    iq = recording(options.frames)
    calls = {}
    for make in (lambda: pymust_calls(iq, options.method), lambda: vbeam_calls(iq)):
        try:
            calls |= make()
        except ImportError as missing:
            print(missing, file=sys.stderr)
    if options.method == "nearest":
        calls = {name: call for name, call in calls.items() if "vbeam" not in name}
    images = {name: call() for name, call in calls.items()}  # compiles, too
    seconds = {name: [] for name in calls}
    ours = {"together": [], "apart": []}
    with tempfile.TemporaryDirectory() as folder:
        numpy.ascontiguousarray(numpy.moveaxis(iq, (0, 1, 2), (2, 1, 0)), numpy.complex64).tofile(folder + "/iq.f32")
        for _ in range(options.repetitions):
            for name, call in calls.items():
                start = time.process_time()
                call()
                seconds[name].append(time.process_time() - start)
            output = subprocess.run([f"{options.build}/sonolux_beamforming_peer", folder, options.method, "3"],
                                    check=True, capture_output=True, text=True).stdout
            print(output, end="", file=sys.stderr)
            for line in output.splitlines()[1:]:
                ours[line.split()[0]].append(float(line.split()[2]))
        points = float(output.splitlines()[0].split()[-2])
        mine = numpy.fromfile(folder + "/images.f32", numpy.float32).reshape(options.frames, SIDE, SIDE, 2)
    mine = numpy.moveaxis(mine[..., 0] + 1j * mine[..., 1], 0, 2)
    rows = {name: statistics.median(values) for name, values in seconds.items()}
    best = statistics.median(ours["together"])
    for name, value in rows.items():
        print(f"| {name} | {value:.3f} s | {points / value:.3g} | {value / best:.1f} | {difference(mine, images[name]):.1e} |")
    for name in ("apart", "together"):
        value = statistics.median(ours[name])
        print(f"| Sonolux, frames {name} | {value:.3f} s | {points / value:.3g} | {value / best:.1f} | |")


if __name__ == "__main__":
    main()

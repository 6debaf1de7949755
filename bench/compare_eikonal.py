#!/usr/bin/env python3
"""Travel times in a linear gradient of speed: Sonolux beside scikit-fmm and eikonalfm, in one run.

Needs a Python with numpy and what there is of the peers (SONOLUX_PEERS_PYTHON, otherwise python3). Each takes a turn
after the other; times are processor time of one thread (medians), errors are means of |T / exact - 1|. Prints rows
for docs/results.md.

    bench/compare_eikonal.py --build build/bench/bench --nodes 128 256 512
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

if "SONOLUX_PEERS_PYTHON" in os.environ and sys.executable != os.environ["SONOLUX_PEERS_PYTHON"]:
    os.execv(os.environ["SONOLUX_PEERS_PYTHON"], [os.environ["SONOLUX_PEERS_PYTHON"], *sys.argv])

import numpy


class Medium:
    """Speed 1000 + 12000 z m/s over 50 mm x 50 mm; the source is a node in the middle of the top."""

    def __init__(self, nodes):
        self.spacing = 50e-3 / (nodes - 1)
        self.source = (0, nodes // 2)
        z = self.spacing * numpy.arange(nodes)[:, None] * numpy.ones((1, nodes))
        x = self.spacing * (numpy.arange(nodes) - self.source[1])[None, :]
        self.speed = 1000 + 12000 * z
        self.exact = numpy.arccosh(1 + 12000**2 * (x**2 + z**2) / (2 * self.speed * 1000)) / 12000

    def error(self, times):
        away = self.exact > 0
        return numpy.mean(numpy.abs(times[away] / self.exact[away] - 1))


def peers(medium):
    """Name and a call that returns times, for each peer that is installed."""
    found = {}
    try:
        import skfmm

        around = numpy.ones_like(medium.speed)
        around[medium.source] = -1e-9  # the zero contour is a point, as nearly as it can be
        for order in (1, 2):
            found[f"scikit-fmm {skfmm.__version__}, order {order}"] = lambda order=order: skfmm.travel_time(
                around, medium.speed, dx=medium.spacing, order=order)
    except ImportError:
        print("scikit-fmm is not installed", file=sys.stderr)
    try:
        import eikonalfm

        spacing = (medium.spacing, medium.spacing)
        for order in (1, 2):
            found[f"eikonalfm, order {order}"] = lambda order=order: eikonalfm.fast_marching(
                medium.speed, medium.source, spacing, order)
            found[f"eikonalfm, factored, order {order}"] = lambda order=order: eikonalfm.distance(
                medium.speed.shape, spacing, medium.source, indexing="ij") * eikonalfm.factored_fast_marching(
                medium.speed, medium.source, spacing, order)
    except ImportError:
        print("eikonalfm is not installed", file=sys.stderr)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build/bench/bench", help="folder of sonolux_acoustics_peer")
    parser.add_argument("--nodes", type=int, nargs="+", default=[256])
    parser.add_argument("--repetitions", type=int, default=5)
    options = parser.parse_args()
    for nodes in options.nodes:
        medium = Medium(nodes)
        calls = peers(medium)
        seconds, errors = {name: [] for name in calls}, {}
        ours = {1: [], 2: []}
        for _ in range(options.repetitions):
            for name, call in calls.items():
                start = time.thread_time()
                times = numpy.asarray(call())
                seconds[name].append(time.thread_time() - start)
                errors[name] = medium.error(times)
            output = subprocess.run([f"{options.build}/sonolux_acoustics_peer", "eikonal", str(nodes), "3"], check=True,
                                    capture_output=True, text=True).stdout
            for line in output.splitlines():
                words = line.split()
                ours[int(words[1])].append(float(words[3]))
                errors[f"Sonolux, factored, order {words[1]}"] = float(words[5])
        rows = {name: 1e3 * statistics.median(values) for name, values in seconds.items()}
        rows |= {f"Sonolux, factored, order {order}": statistics.median(values) for order, values in ours.items()}
        for name, milliseconds in rows.items():
            print(f"| {nodes} x {nodes} | {name} | {milliseconds:.1f} ms | {errors[name]:.1e} |")


if __name__ == "__main__":
    main()

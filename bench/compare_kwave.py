#!/usr/bin/env python3
"""Full-wave simulation: Sonolux beside k-Wave's own C++ program on the same input files, in one run.

Needs a built kspaceFirstOrder-OMP (SONOLUX_KWAVE_BINARY, or --kwave) and sonolux_acoustics_peer, which writes the
files. Each program takes its turn on one thread; a turn is a run of few steps and one of many, and what counts is the
difference of their user times (processor time, on which other work on the machine weighs little; nor do reading,
writing and set-up count). Prints medians in ns per point and step, with the ratio of each turn, and what FFTW's own
transforms of the plane take (r2c and c2r, MEASURE, single precision). Rows for docs/results.md.

    bench/compare_kwave.py --build build/release --sizes 128 256 512 1024
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile


def run(command):
    """User seconds and peak resident bytes of a program."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive")
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            log.seek(0)
            sys.exit(f"{' '.join(command)} failed: {log.read().decode()[-500:]}")
    return usage.ru_utime, usage.ru_maxrss * 1024


class Case:
    def __init__(self, options, folder, size, kind):
        self.points = size * size
        self.steps = max(60, min(3000, options.points // self.points))
        self.files = {}
        for name, steps in (("few", 10), ("many", 10 + self.steps)):
            self.files[name] = os.path.join(folder, f"{kind}-{size}-{name}.h5")
            subprocess.run([options.peer, "kspace-input", str(size), str(steps), kind, self.files[name]], check=True)
        self.output = os.path.join(folder, "output.h5")

    def turn(self, command):
        """ns per point and step, and bytes per point, of one program."""
        seconds, peak = {}, 0
        for name, path in self.files.items():
            seconds[name], peak = run([*command, "-i", path, "-o", self.output, "-t", "1", "--p_final"])
        return 1e9 * (seconds["many"] - seconds["few"]) / (self.points * self.steps), peak / self.points


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default="build/release", help="folder of the build")
    parser.add_argument("--kwave", default=os.environ.get("SONOLUX_KWAVE_BINARY"), help="kspaceFirstOrder-OMP")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512, 1024])
    parser.add_argument("--kinds", nargs="+", default=["lossless", "lossy", "uniform"])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--points", type=int, default=60_000_000, help="points times steps of a turn")
    options = parser.parse_args()
    ours = os.path.join(options.build, "sonolux-kspace")
    options.peer = os.path.join(options.build, "bench", "sonolux_acoustics_peer")
    programs = {"first order": [ours], "fast": [ours, "--fast"]}
    if options.kwave:
        programs["k-Wave"] = [options.kwave]
    print("| medium | grid | program | ns per point and step | k-Wave / this, each turn | share of FFTW's transforms | "
          "peak bytes a point |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            pair = float(subprocess.run([options.peer, "fft", str(size)], check=True, capture_output=True,
                                        text=True).stdout)
            for kind in options.kinds:
                case = Case(options, folder, size, kind)
                turns = {name: [] for name in programs}
                for _ in range(options.turns):
                    for name, command in programs.items():
                        turns[name].append(case.turn(command))
                for name, values in turns.items():
                    nanoseconds = statistics.median(value[0] for value in values)
                    ratios = ", ".join(f"{peer[0] / own[0]:.2f}"
                                       for peer, own in zip(turns.get("k-Wave", []), values) if name != "k-Wave")
                    transforms = {"lossy": 11}.get(kind, 7)
                    if name == "fast":
                        transforms = {"uniform": 2, "lossless": 6}.get(kind, 11)
                    print(f"| {kind} | {size} x {size} | {name} | {nanoseconds:.2f} | {ratios} | "
                          f"{transforms / 2 * pair / nanoseconds:.2f} | {values[-1][1]:.0f} |", flush=True)


if __name__ == "__main__":
    main()

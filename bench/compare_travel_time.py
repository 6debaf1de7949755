#!/usr/bin/env python3
"""The travel-time operator beside SciPy's sparse rows, in one run: the same matrix, one thread.

Needs a Python with numpy and scipy (SONOLUX_PEERS_PYTHON, otherwise python3). The explicit rows are Sonolux's own;
SciPy multiplies with them (compressed rows) and with their transpose (compressed rows too, which is its faster way).
Processor time of one thread, medians, each side taking turns. Prints a row for docs/results.md.

    bench/compare_travel_time.py --build build/bench/bench
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

import numpy
import scipy
import scipy.sparse

MAP, MEASUREMENTS = 84 * 64, 6 * 84 * 64


def milliseconds(body, repetitions):
    values = []
    for _ in range(repetitions):
        start = time.thread_time()
        body()
        values.append(1e3 * (time.thread_time() - start))
    return statistics.median(values)


def ours(program, repetitions):
    """Milliseconds of apply and adjoint by form."""
    output = subprocess.run([program, "operator", str(repetitions)], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in output.splitlines():
        words = line.split()
        if words and words[0] in ("rows", "sums"):
            found[words[0]] = (float(words[2]), float(words[5]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/bench/bench", help="folder of sonolux_travel_time_peer")
    parser.add_argument("--repetitions", type=int, default=51)
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    program = os.path.join(arguments.build, "sonolux_travel_time_peer")

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "matrix", folder], check=True)
        rows = scipy.sparse.csr_matrix(
            (numpy.fromfile(f"{folder}/values.f32", numpy.float32), numpy.fromfile(f"{folder}/columns.i32", numpy.int32),
             numpy.fromfile(f"{folder}/offsets.i64", numpy.int64)), shape=(MEASUREMENTS, MAP))
    back = rows.T.tocsr()
    x = numpy.random.default_rng(1).standard_normal(MAP).astype(numpy.float32)
    y = rows @ x

    peer, mine = [], {"rows": [], "sums": []}
    for _ in range(arguments.turns):
        peer.append((milliseconds(lambda: rows @ x, arguments.repetitions),
                     milliseconds(lambda: back @ y, arguments.repetitions)))
        for form, times in ours(program, arguments.repetitions).items():
            mine[form].append(times)
    middle = lambda pairs: [statistics.median(pair[k] for pair in pairs) for k in (0, 1)]
    theirs = middle(peer)
    print(f"{rows.nnz} lengths in pixels")
    print(f"| SciPy {scipy.__version__}, compressed sparse rows | {theirs[0]:.3f} ms | {theirs[1]:.3f} ms | 1 |")
    for form, name in (("rows", "Sonolux, explicit rows"), ("sums", "Sonolux, running sums")):
        times = middle(mine[form])
        print(f"| {name} | {times[0]:.3f} ms | {times[1]:.3f} ms | {sum(theirs) / sum(times):.1f} |")


if __name__ == "__main__":
    main()

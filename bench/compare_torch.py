#!/usr/bin/env python3
"""Sonolux against PyTorch on the CPU: the same network, the same numbers, the same threads, in one run.

    bench/compare_torch.py --build build/bench

runs sonolux_peer and torch_peer.py side by side. Every way that torch_peer.py knows of running the network is first
checked against Sonolux's result and timed a few times. Then Sonolux, the fastest eager and the fastest compiled way
take turns, and medians are compared: processor times of one thread, so that other work on the machine weighs little,
and times on the clock of more. Prints what ran, all candidates, and rows for docs/results.md.

PyTorch runs under the Python that SONOLUX_PEERS_PYTHON names, otherwise under python3. Needs torch and numpy there,
and g++ for torch.compile.
"""

import argparse
import datetime
import json
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Peer:
    """A program that answers each line with a line."""

    def __init__(self, command, threads, memory):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        if memory == "kept":
            environment.update(MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_=str(1 << 34))
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{' '.join(self.command)}: ended with status {self.process.wait()} on {line!r}")
        return answer.strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            return re.search(r"model name\s*: (.*)", file.read()).group(1)
    except (OSError, AttributeError):
        return "unknown processor"


def milliseconds(times):
    """Median, and the quartiles around it."""
    low, middle, high = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    return f"{1e3 * middle:.1f} ({1e3 * low:.1f} to {1e3 * high:.1f})"


def screen(torch, kind, arguments):
    """Checks and times every candidate; returns {name: seconds or None} and prints a table."""
    names = [n for n in json.loads(torch.ask("candidates"))
             if n.startswith(kind) and n.split("/")[1] in arguments.modes and re.search(arguments.candidates, n)]
    print(f"\n| PyTorch, {kind} | ms | difference from Sonolux |\n|---|---|---|")
    seconds = {}
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        check = json.loads(torch.ask("check " + name))
        if "error" in check:
            print(f"| {name} | does not run: {check['error'][:150]} | |", flush=True)
            continue
        within = check.pop("within")
        difference = ", ".join(f"{key} {value:.1e}" for key, value in check.items())
        if not all(value <= within for value in check.values()):
            print(f"| {name} | not timed: its result differs | {difference} |", flush=True)
            continue
        times = []
        for _ in range(arguments.screening):
            times.append(float(torch.ask("time " + name)))
            if seconds and times[0] > 3 * min(seconds.values()):
                break
        seconds[name] = min(times)
        print(f"| {name} | {1e3 * min(times):.1f} | {difference} |", flush=True)
    return seconds


def alternate(ours, torch, kind, names, repetitions):
    """Times Sonolux before each PyTorch candidate, over and over; returns {name or "sonolux": [seconds]}."""
    times = {name: [] for name in ["sonolux", *names]}
    for repetition in range(repetitions):
        print(f"{kind}, repetition {repetition + 1} of {repetitions}", file=sys.stderr, flush=True)
        for name in names:
            # Threads that wait for more work go to sleep meanwhile, and leave the processor to the other side.
            time.sleep(0.05)
            times["sonolux"].append(float(ours.ask(kind)))
            time.sleep(0.05)
            times[name].append(float(torch.ask("time " + name)))
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/bench", help="where sonolux_peer was built (default build/bench)")
    parser.add_argument("--network", default="7x7x48",
                        help="7x7x48, 5x5x24, either with /narrow, or shrinkage fields: csf7x7x48, csf5x5x24")
    parser.add_argument("--size", type=int, default=512, help="rows and columns of the image")
    parser.add_argument("--patches", type=int, default=32, help="64 x 64 patches of a training step")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--kinds", nargs="+", default=["inference", "training"], choices=["inference", "training"])
    parser.add_argument("--modes", nargs="+", default=["eager", "compile"], choices=["eager", "compile"])
    parser.add_argument("--candidates", default="", help="regular expression: only candidates that match")
    parser.add_argument("--memory", default="kept", choices=["kept", "returned"],
                        help="whether the C library keeps large blocks for later (default), or returns them to the "
                        "system and has them cleared again, which is its own default and costs PyTorch most of its time")
    parser.add_argument("--screening", type=int, default=3, help="runs that choose the fastest candidate")
    parser.add_argument("--repetitions", type=int, default=15, help="turns that decide")
    parser.add_argument("--machine", default="M2", help="what docs/results.md calls this machine (default M2)")
    arguments = parser.parse_args()

    program = next((path for folder in ("bench", ".")
                    if os.access(path := os.path.join(arguments.build, folder, "sonolux_peer"), os.X_OK)), None)
    if program is None:
        raise SystemExit(f"{arguments.build}: no sonolux_peer; build it with cmake --preset bench "
                         "&& cmake --build --preset bench")
    if arguments.network.startswith("csf"):
        arguments.kinds = ["inference"]  # the way back is compared for variational networks
    python = os.environ.get("SONOLUX_PEERS_PYTHON", "python3")
    sizes = [arguments.network, str(arguments.size), str(arguments.patches)]
    command = "bench/compare_torch.py " + shlex.join(
        ["--network", arguments.network, "--size", sizes[1], "--patches", sizes[2], "--memory", arguments.memory])
    what = {"inference": f"{arguments.network}, 5 stages, {arguments.size} x {arguments.size}",
            "training": f"{arguments.network}, 5 stages, gradient of {arguments.patches} patches of 64 x 64"}
    date = datetime.date.today().isoformat()
    rows = []

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "export", *sizes, folder], check=True)
        for threads in arguments.threads:
            ours = Peer([program, "serve", *sizes, str(threads)], threads, arguments.memory)
            torch = Peer([python, os.path.join(HERE, "torch_peer.py"), folder, "--threads", str(threads)], threads,
                         arguments.memory)
            print(f"\n## {arguments.network}, threads: {threads}\n\n- {ours.ask('describe')}\n"
                  f"- {json.loads(torch.ask('describe'))}\n- {processor()}, {os.cpu_count()} processors, load "
                  f"average {os.getloadavg()[0]:.2f} before the run", flush=True)
            for kind in arguments.kinds:
                seconds = screen(torch, kind, arguments)
                fastest = [min((n for n in seconds if f"/{mode}/" in n), key=seconds.get, default=None)
                           for mode in arguments.modes]
                fastest = [name for name in fastest if name]
                if not fastest:
                    print(f"\nNo PyTorch candidate runs: nothing to compare {kind} with.")
                    continue
                times = alternate(ours, torch, kind, fastest, arguments.repetitions)
                for name in fastest:
                    ratio = statistics.median(times[name]) / statistics.median(times["sonolux"])
                    rows.append(f"| {what[kind]}, threads: {threads} | `{command}` | {arguments.machine} | "
                                f"{milliseconds(times['sonolux'])} ms | {milliseconds(times[name])} ms, "
                                f"{name.partition('/')[2]} | {ratio:.1f} | {date} |")
            ours.close()
            torch.close()

    print("\nMedians, quartiles in brackets.\n\n| what | command | machine | Sonolux | torch | ratio | date |\n"
          "|---|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()

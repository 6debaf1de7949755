#!/usr/bin/env python3
"""Sonolux's convolutional network against PyTorch (oneDNN) on one thread of the CPU, in one run.

    bench/compare_torch_convolution.py --build build/bench

takes turns between sonolux_bench (ConvolutionalNetwork/...) and the fastest eager way to do the same in PyTorch:
planes, channels last, and for the layer alone oneDNN's own blocked layout, which costs no conversion here. Times
are processor times of one thread, medians over the turns. That both compute the same is for the tests
(ConvolutionalNetwork.AgreesWithTorch).

PyTorch runs under the Python that runs this; it needs torch.
"""

import argparse
import json
import os
import statistics
import subprocess
import time

os.environ["OMP_NUM_THREADS"] = "1"
import torch  # noqa: E402

CHANNELS = 32


def networks(x):
    """{name: function} for the layer, the network and its vector-Jacobian products."""
    layers = [torch.nn.Conv2d(i, o, 3, padding=1)
              for i, o in [(1, CHANNELS)] + 4 * [(CHANNELS, CHANNELS)] + [(CHANNELS, 1)]]
    v = torch.randn_like(x)
    features = torch.randn(1, CHANNELS, *x.shape[2:])
    ways = {"layer": {}, "gradient": {}, "vjp": {}}
    for name, layout in ("planes", torch.contiguous_format), ("channels last", torch.channels_last):
        modules = [module for layer in layers[:-1] for module in (layer, torch.nn.ELU())] + [layers[-1]]
        network = torch.nn.Sequential(*modules).to(memory_format=layout)
        h = features.to(memory_format=layout)
        weight = layers[1].weight.detach().clone(memory_format=layout)

        def vjp(network=network):
            image = x.clone().requires_grad_()
            network.zero_grad()
            network(image).backward(v)

        ways["layer"][name] = lambda h=h, weight=weight: torch.nn.functional.conv2d(h, weight, padding=1)
        ways["gradient"][name] = lambda network=network: network(x)
        ways["vjp"][name] = vjp
    try:
        from torch.utils import mkldnn
        blocked, h = mkldnn.to_mkldnn(torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1).eval()), features.to_mkldnn()
        blocked(h)
        ways["layer"]["oneDNN blocks"] = lambda: blocked(h)
    except (ImportError, RuntimeError, AttributeError):
        pass  # a PyTorch without it
    return ways


def measure(function, gradients, repetitions=7):
    times = []
    with torch.enable_grad() if gradients else torch.inference_mode():
        for _ in range(repetitions):
            start = time.thread_time()
            function()
            times.append(time.thread_time() - start)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/bench", help="where sonolux_bench was built (default build/bench)")
    parser.add_argument("--size", type=int, default=256, choices=[256, 512], help="rows and columns")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    program = next((path for folder in ("bench", ".")
                    if os.access(path := os.path.join(arguments.build, folder, "sonolux_bench"), os.X_OK)), None)
    if program is None:
        raise SystemExit(f"{arguments.build}: no sonolux_bench; build it with cmake --preset bench "
                         "&& cmake --build --preset bench")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    ways = networks(torch.randn(1, 1, arguments.size, arguments.size))
    for kind in ways:  # warm up
        for function in ways[kind].values():
            measure(function, kind == "vjp", 2)

    ours, of_peak, theirs = {}, {}, {}
    for _ in range(arguments.turns):
        for kind in ways:
            pattern = f"ConvolutionalNetwork/{kind}/.*{arguments.size}x"
            report = json.loads(subprocess.run(
                [program, f"--benchmark_filter={pattern}", "--benchmark_format=json", "--benchmark_min_time=0.5"],
                check=True, capture_output=True, text=True).stdout)["benchmarks"][0]
            ours.setdefault(kind, []).append(1e-3 * report["real_time"])
            of_peak.setdefault(kind, []).append(report["of_peak"])
            for name, function in ways[kind].items():
                theirs.setdefault(kind, {}).setdefault(name, []).append(measure(function, kind == "vjp"))

    print(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, 1 thread; "
          f"{arguments.size} x {arguments.size}, processor time\n")
    print("| what | Sonolux | of the FMA peak | torch | ratio |\n|---|---|---|---|---|")
    for kind in ways:
        name, best = min(((n, statistics.median(t)) for n, t in theirs[kind].items()), key=lambda pair: pair[1])
        mine = statistics.median(ours[kind])
        print(f"| {kind} | {1e3 * mine:.1f} ms | {statistics.median(of_peak[kind]):.2f} | {1e3 * best:.1f} ms "
              f"({name}) | {best / mine:.2f} |")


if __name__ == "__main__":
    main()

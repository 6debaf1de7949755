#!/usr/bin/env python3
"""The network that maps the speed of sound, against PyTorch on the CPU: same numbers, same threads, in one run.

    bench/compare_torch_sound_speed.py --build build/bench --threads 2

runs sonolux_sound_speed_peer, checks PyTorch's result against ours, and then lets both take turns. PyTorch's operator is
a sparse matrix (CSR, and its transpose as another); filters are conv2d and conv_transpose2d; functions of knots are the
fastest of two ways: a gather of two knots, or of one segment's value and slope. Needs torch and numpy under the Python
that runs this.
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F


def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    payload = content[8 + length :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(payload[begin:end], dtype=np.float32).reshape(entry["shape"]).copy())
    return tensors


class Knots:
    """Functions [functions, knots] on [-limit, limit], each for one plane of z [functions, n]."""

    def __init__(self, knots, limit):
        self.count = knots.shape[1]
        self.scale = (self.count - 1) / (2 * limit)
        self.limit = limit
        self.value = knots[:, :-1].contiguous()
        self.slope = (knots[:, 1:] - knots[:, :-1]).contiguous()
        self.rows = (torch.arange(knots.shape[0]) * (self.count - 1))[:, None]
        self.whole = torch.stack((self.value, self.slope), -1).reshape(-1, 2)

    def two_gathers(self, z):
        position = (z + self.limit).mul_(self.scale).clamp_(0, self.count - 1)
        left = position.to(torch.int64).clamp_(max=self.count - 2)
        position -= left
        return torch.gather(self.slope, 1, left).mul_(position).add_(torch.gather(self.value, 1, left))

    def one_lookup(self, z):
        position = (z + self.limit).mul_(self.scale).clamp_(0, self.count - 1)
        left = position.to(torch.int64).clamp_(max=self.count - 2)
        position -= left
        found = F.embedding(left + self.rows, self.whole)
        return found[..., 1] * position + found[..., 0]


class Network:
    def __init__(self, model, scene):
        shape = (scene["data"].numel(), scene["start"].numel())
        offsets = scene["offsets"].to(torch.int64)
        matrix = torch.sparse_csr_tensor(offsets, scene["columns"].to(torch.int64), scene["values"], shape)
        self.forward_matrix = matrix
        self.adjoint_matrix = matrix.to_sparse_coo().t().coalesce().to_sparse_csr()
        self.mask = scene["mask"].reshape(-1, 1)
        self.data = scene["data"].reshape(-1, 1)
        self.start = scene["start"]
        rows, columns = self.start.shape
        self.stages = []
        number = 1
        while f"stage{number}.filters" in model:
            part = lambda name: model[f"stage{number}.{name}"]
            c = part("filters")
            size = int(round((c.shape[1] - 1) ** 0.5))
            direction = c[:, :-1] - c[:, :-1].mean(1, keepdim=True)
            mean = c[:, -1:]
            filters = direction / (direction.norm(dim=1, keepdim=True) + 3e-8) + mean / (1 + mean.abs())
            filters = filters.reshape(-1, 1, size, size).contiguous()
            nodes = int(round(part("weights").shape[1] ** 0.5))
            maps = torch.sigmoid(2.5 * part("weights")).reshape(1, -1, nodes, nodes)
            weights = F.interpolate(maps, (rows - size + 1, columns - size + 1), mode="bilinear", align_corners=True)
            ranges = part("ranges")
            at = 0.6 * (part("data_step").shape[1] - 1)
            step = lambda knots: float(knots[0, int(at)] + (at - int(at)) * (knots[0, int(at) + 1] - knots[0, int(at)]))
            self.stages.append((filters, Knots(part("activation"), float(ranges[1])), weights,
                                Knots(part("data_activation"), float(ranges[0])), step(part("data_step")),
                                step(part("prior_step")), float(part("momentum")[0])))
            number += 1

    def run(self, way):
        x = self.start.reshape(-1, 1)
        rows, columns = self.start.shape
        s = torch.zeros_like(x)
        for filters, psi, weights, phi, u1, u2, momentum in self.stages:
            residual = (self.forward_matrix @ x - self.data) * self.mask
            residual = getattr(phi, way)(residual.reshape(1, -1)).reshape(-1, 1) * self.mask
            of_data = self.adjoint_matrix @ residual
            z = F.conv2d(x.reshape(1, 1, rows, columns), filters)
            response = getattr(psi, way)(z.reshape(z.shape[1], -1)).reshape(z.shape) * weights
            of_prior = F.conv_transpose2d(response, filters).reshape(-1, 1)
            s = momentum * s + u1 * of_data + u2 * of_prior
            x = x - s
        return x.reshape(rows, columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, default=20)
    arguments = parser.parse_args()
    peer = os.path.join(arguments.build, "bench", "sonolux_sound_speed_peer")
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([peer, "export", folder], check=True)
        model = read_safetensors(os.path.join(folder, "model.safetensors"))
        scene = read_safetensors(os.path.join(folder, "scene.safetensors"))
    network = Network(model, scene)
    ways = ["two_gathers", "one_lookup"]
    speed = {}
    for way in ways:
        error = (network.run(way) - scene["image"]).abs().max() / scene["image"].abs().max()
        assert error < 1e-3, f"{way}: differs by {error:.2e}"
        start = time.perf_counter()
        network.run(way)
        speed[way] = time.perf_counter() - start
        print(f"torch {torch.__version__} {way}: differs by {float(error):.1e}, {1e3 * speed[way]:.1f} ms")
    way = min(speed, key=speed.get)
    ours, theirs, ratios = [], [], []
    for _ in range(arguments.rounds):
        answer = json.loads(subprocess.run([peer, str(arguments.frames), str(arguments.threads)], check=True,
                                           capture_output=True, text=True).stdout)
        times = []
        for _ in range(max(arguments.frames // 4, 2)):
            start = time.perf_counter()
            network.run(way)
            times.append(1e3 * (time.perf_counter() - start))
        ours.append(answer["p50"])
        theirs.append(statistics.median(times))
        ratios.append(theirs[-1] / ours[-1])
        print(f"sonolux {ours[-1]:.2f} ms (operator {answer['operator']:.3f}, adjoint {answer['adjoint']:.3f}), "
              f"torch {theirs[-1]:.1f} ms, ratio {ratios[-1]:.1f}; load {os.getloadavg()[0]:.1f}")
    print(f"median of {arguments.rounds} rounds, {arguments.threads} threads: sonolux {statistics.median(ours):.2f} ms, "
          f"torch ({way}) {statistics.median(theirs):.1f} ms, ratio {statistics.median(ratios):.1f}")


if __name__ == "__main__":
    main()

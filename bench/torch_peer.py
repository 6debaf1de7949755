#!/usr/bin/env python3
"""The networks of Sonolux's benchmarks in PyTorch, as fast as PyTorch on a CPU runs them.

    torch_peer.py FOLDER --threads N

FOLDER is what `sonolux_peer export` wrote. Each line on standard input is answered with one line of JSON:

    describe          versions and threads
    candidates        names, such as inference/eager/conv2d/gather
    check CANDIDATE   how far its result is from Sonolux's
    time CANDIDATE    seconds of one run, of one thread those of the processor; the first run of a candidate, which may
                      compile, is not timed

A stage of a variational network is x <- x - scale sum_i K_i^T phi_i(K_i P x) - lambda (x - y), P extending the image
symmetrically; one of shrinkage fields is

    x <- F^-1[(lambda F y + scale F sum_i K_i^T phi_i(K_i B x)) / (lambda + sum_i |F_i|^2)]

with periodic correlations, B giving the image a border that repeats its edge. There is more than one way to say this in
PyTorch, and which is fastest differs by machine and version. A candidate combines

    eager           PyTorch as it is
    compile         each stage through torch.compile (inductor)

    conv2d          conv2d and conv_transpose2d
    channels_last   the same in that memory format
    fold            conv2d; its transpose as a matrix product and fold
    fft             both in the Fourier domain (shrinkage fields only)

    gather          phi from a table, linearly interpolated: two gathers
    function        the same with a hand-written derivative, histograms for the table's (training only)
    nearest         phi from a fine table, not interpolated: one gather (inference only)
    grid_sample     the interpolation done by grid_sample
    rbf             phi from its definition, one exp per Gaussian
"""

import argparse
import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

WAYS = {
    "inference": [f"{c}/{a}" for c in ("conv2d", "fold") for a in ("gather", "nearest", "grid_sample")]
    + ["channels_last/gather", "channels_last/nearest", "fold/rbf"],
    "training": [f"{c}/{a}" for c in ("conv2d", "fold") for a in ("gather", "function", "grid_sample")]
    + ["channels_last/gather", "channels_last/function", "fold/rbf"],
}


def names(definition):
    """Of all candidates for this network."""
    ways = dict(WAYS)
    if definition.is_shrinkage_field:
        ways = {"inference": WAYS["inference"] + [f"fft/{a}" for a in ("gather", "nearest", "grid_sample")]}
    return [f"{kind}/{mode}/{way}" for kind in ways for mode in ("eager", "compile") for way in ways[kind]]


class Definition:
    """The network, its parameters and its data, as Sonolux exported them."""

    def __init__(self, folder):
        with open(os.path.join(folder, "network.json")) as file:
            self.__dict__.update(json.load(file))
        self.is_shrinkage_field = hasattr(self, "domain")
        training = () if self.is_shrinkage_field else ("gradient", "clean", "noisy")
        for name in ("parameters", "image", "output", *training):
            setattr(self, name, torch.from_numpy(np.load(os.path.join(folder, name + ".npy"))))
        self.radius = self.size // 2
        self.atoms = dct_atoms(self.size)
        self.centres = torch.linspace(self.lower, self.upper, self.nodes)

    def table_basis(self, segments):
        """[segments + 1, nodes]: the Gaussians at the ends of the table's segments."""
        z = torch.linspace(self.table_lower, self.table_upper, segments + 1, dtype=torch.float64)
        return torch.exp(-0.5 * ((z[:, None] - self.centres.double()) / self.width) ** 2).float()

    def part(self, flat, stage, name):
        offset, count = self.layout[f"stage{stage + 1}.{name}"]
        return flat[offset : offset + count]


def dct_atoms(size):
    """[size^2 - 1, size, size]: the atoms of the 2-D DCT-II but the constant one, vertical frequency fastest."""
    frequency, position = np.arange(size)[:, None], np.arange(size)[None, :]
    cosines = np.cos(np.pi * (2 * position + 1) * frequency / (2 * size)) * math.sqrt(2 / size)
    cosines[0] /= math.sqrt(2)
    atoms = np.einsum("ur,vc->vurc", cosines, cosines).reshape(size * size, size, size)
    return torch.from_numpy(atoms[1:]).float()


def symmetric(length, pad):
    """Which pixel stands where in an image that is extended by `pad` on both sides, edges repeated."""
    i = torch.arange(-pad, length + pad) % (2 * length)
    return torch.where(i < length, i, 2 * length - 1 - i)


class Lookup(torch.autograd.Function):
    """phi and its two derivatives from a table [filters, segments + 1], for z [images, filters, pixels]."""

    @staticmethod
    def forward(ctx, z, table, lower, inverse_step):
        segments = table.shape[1] - 1
        u = (z - lower) * inverse_step
        k = u.clamp(0, segments - 1).to(torch.int64)
        t = (u - k).clamp_(0, 1)
        inside = (u >= 0) & (u <= segments)
        k += torch.arange(table.shape[0]).view(1, -1, 1) * (segments + 1)
        flat = table.reshape(-1)
        low = flat.take(k)
        step = flat.take(k + 1) - low
        ctx.save_for_backward(k, t, step * inside * inverse_step)
        ctx.shape = table.shape
        return torch.addcmul(low, step, t)

    @staticmethod
    def backward(ctx, upstream):
        k, t, slope = ctx.saved_tensors
        right = upstream * t
        length = ctx.shape[0] * ctx.shape[1]
        index = k.reshape(-1)
        table_bar = torch.zeros(length + 1).index_add_(0, index, (upstream - right).reshape(-1))
        table_bar[1:] += torch.zeros(length).index_add_(0, index, right.reshape(-1))
        return upstream * slope, table_bar[:length].view(ctx.shape), None, None


class GaussianSum(torch.autograd.Function):
    """phi from its definition for z [images, filters, pixels], Gaussian after Gaussian; keeps z alone."""

    @staticmethod
    def forward(ctx, z, weights, centres, width):
        ctx.save_for_backward(z, weights, centres)
        ctx.width = width
        value = torch.zeros_like(z)
        for j in range(len(centres)):
            value.addcmul_(weights[:, j, None], (z - centres[j]).square_().mul_(-0.5 / width**2).exp_())
        return value

    @staticmethod
    def backward(ctx, upstream):
        z, weights, centres = ctx.saved_tensors
        z_bar, weights_bar = torch.zeros_like(z), torch.empty_like(weights)
        for j in range(len(centres)):
            distance = z - centres[j]
            part = (distance.square() * (-0.5 / ctx.width**2)).exp_().mul_(upstream)
            weights_bar[:, j] = part.sum((0, 2))
            z_bar.addcmul_(weights[:, j, None], part.mul_(distance), value=-1 / ctx.width**2)
        return z_bar, weights_bar, None, None


class Network:
    """One candidate: prepares the stages' tensors, runs them."""

    def __init__(self, definition, mode, convolution, activation):
        self.definition, self.convolution, self.activation = definition, convolution, activation
        # An interpolated table of 1024 segments is as close to the Gaussians as Sonolux's own.
        self.segments = 16384 if activation == "nearest" else 1024
        self.basis = definition.table_basis(self.segments)
        self.inverse_step = self.segments / (definition.table_upper - definition.table_lower)
        if mode == "compile":
            # Every candidate shares the code of `stage`, and PyTorch gives up on code that it compiled eight times.
            torch._dynamo.config.recompile_limit = 256
            self.step = torch.compile(self.stage, dynamic=False, fullgraph=True)
        else:
            self.step = self.stage

    def tensors(self, flat):
        """Per stage: filters, and what the activation wants, as differentiable functions of the parameters."""
        d, stages = self.definition, []
        for s in range(d.stages):
            coefficients = d.part(flat, s, "filters").view(d.filters, -1)
            filters = torch.tensordot(coefficients, d.atoms, 1)
            filters = filters / filters.flatten(1).norm(dim=1)[:, None, None]
            weights = d.part(flat, s, "activation").view(d.filters, d.nodes)
            table = weights if self.activation == "rbf" else weights @ self.basis.T
            stages.append((filters[:, None], table, d.part(flat, s, "log_data_weight").exp()))
        return stages

    def phi(self, z, table):
        d = self.definition
        if self.activation == "rbf":
            z = z.clamp(d.table_lower, d.table_upper)
            return GaussianSum.apply(z.flatten(2), table, self.definition.centres, d.width).view(z.shape)
        if self.activation == "grid_sample":
            # x of the grid runs from -1 to 1 over the table; y is the table's only row.
            images, filters, rows, columns = z.shape
            middle, half = (d.table_upper + d.table_lower) / 2, (d.table_upper - d.table_lower) / 2
            x = (z - middle) / half
            grid = torch.stack((x, torch.zeros_like(x)), dim=-1).view(images * filters, rows, columns, 2)
            tables = table[None, :, None, :].expand(images, -1, -1, -1).reshape(images * filters, 1, 1, -1)
            phi = F.grid_sample(tables, grid, "bilinear", "border", align_corners=True)
            return phi.view(z.shape)
        if self.activation == "function":
            flat = z.flatten(2)
            return Lookup.apply(flat, table, d.table_lower, self.inverse_step).view(z.shape)
        first = torch.arange(d.filters).view(1, -1, 1, 1) * (self.segments + 1)
        entries = table.reshape(-1)
        u = ((z - d.table_lower) * self.inverse_step).clamp(0, self.segments)
        if self.activation == "nearest":
            return entries[(u + 0.5).to(torch.int64) + first]
        k = u.detach().clamp(max=self.segments - 1).to(torch.int64)
        t = u - k
        if self.convolution == "channels_last":
            k = k + first
            return torch.lerp(entries[k], entries[k + 1], t)
        rows = table[None].expand(z.shape[0], -1, -1)
        k = k.flatten(2)
        return torch.lerp(rows.gather(2, k), rows.gather(2, k + 1), t.flatten(2)).view(z.shape)

    def sum_of_experts(self, x, rows, columns, filters, table, padding):
        """sum_i K_i^T phi_i(K_i x) of the image that `rows` and `columns` make of x, less so many of its pixels at
        every edge."""
        extended = x.index_select(2, rows).index_select(3, columns)
        if self.convolution == "channels_last":
            extended = extended.contiguous(memory_format=torch.channels_last)
            filters = filters.contiguous(memory_format=torch.channels_last)
        responses = self.phi(F.conv2d(extended, filters), table)
        if self.convolution == "fold":
            products = filters.flatten(1).T @ responses.flatten(2)
            shape = [length - 2 * padding for length in extended.shape[2:]]
            return F.fold(products, shape, self.definition.size, padding=padding)
        return F.conv_transpose2d(responses, filters, padding=padding)

    def stage(self, x, y, rows, columns, filters, table, data_weight):
        d = self.definition
        gradient = self.sum_of_experts(x, rows, columns, filters, table, 2 * d.radius)
        return x - (d.scale * gradient + data_weight * (x - y))

    def run(self, y, stages):
        pad = 2 * self.definition.radius
        rows, columns = symmetric(y.shape[2], pad), symmetric(y.shape[3], pad)
        x = y
        for filters, table, data_weight in stages:
            x = self.step(x, y, rows, columns, filters, table, data_weight)
        return x


class ShrinkageFields(Network):
    """The same with shrinkage fields. What a stage divides by is made once, as its filters are."""

    def __init__(self, definition, mode, convolution, activation):
        super().__init__(definition, mode, convolution, activation)
        d, n = definition, definition.domain
        # Where the pixels of the domain, and of the domain continued periodically, come from.
        last = d.border + len(d.image) - 1
        self.renewed = torch.arange(n).clamp(d.border, last)
        self.extended = (torch.arange(-d.radius, n + d.radius) % n).clamp(d.border, last)

    def tensors(self, flat):
        n, stages = self.definition.domain, []
        for filters, table, data_weight in super().tensors(flat):
            spectra = torch.fft.rfft2(filters[:, 0].double(), s=(n, n))
            power = spectra.abs().square().sum(0).float()
            # Correlation with a filter whose middle is the origin.
            centred = F.pad(filters[:, 0], (0, n - filters.shape[3], 0, n - filters.shape[2]))
            centred = centred.roll((-self.definition.radius,) * 2, (1, 2))
            spectra = torch.fft.rfft2(centred).conj().resolve_conj() if self.convolution == "fft" else None
            stages.append((filters, table, data_weight, 1 / (data_weight + power), spectra))
        return stages

    def stage(self, x, data, filters, table, data_weight, inverse, spectra):
        d, pad, n = self.definition, self.definition.radius, self.definition.domain
        if self.convolution == "fft":
            renewed = x.index_select(2, self.renewed).index_select(3, self.renewed)
            responses = torch.fft.irfft2(spectra * torch.fft.rfft2(renewed), s=(n, n))
            phi = torch.fft.rfft2(self.phi(responses, table))
            numerator = (spectra.conj() * phi).sum(1, keepdim=True)
            return torch.fft.irfft2((d.scale * numerator + data_weight * data) * inverse, s=(n, n))
        wide = self.sum_of_experts(x, self.extended, self.extended, filters, table, 0)
        # What went over the border comes back on the other side.
        gradient = wide[..., pad : pad + n, :].clone()
        gradient[..., -pad:, :] += wide[..., :pad, :]
        gradient[..., :pad, :] += wide[..., -pad:, :]
        wide, gradient = gradient, gradient[..., pad : pad + n].clone()
        gradient[..., -pad:] += wide[..., :pad]
        gradient[..., :pad] += wide[..., -pad:]
        return torch.fft.irfft2((d.scale * torch.fft.rfft2(gradient) + data_weight * data) * inverse, s=(n, n))

    def run(self, y, stages):
        observed = self.renewed - self.definition.border
        x = y.index_select(2, observed).index_select(3, observed)
        data = torch.fft.rfft2(x)
        for stage in stages:
            x = self.step(x, data, *stage)
        border, size = self.definition.border, len(self.definition.image)
        return x[..., border : border + size, border : border + size]


class Inference:
    """The network on one image. Filters and tables are made once, as they are in Sonolux."""

    def __init__(self, definition, mode, convolution, activation):
        self.definition = definition
        network = ShrinkageFields if definition.is_shrinkage_field else Network
        self.network = network(definition, mode, convolution, activation)
        with torch.inference_mode():
            self.stages = self.network.tensors(definition.parameters)

    def __call__(self):
        with torch.inference_mode():
            y = self.definition.image[None, None] * self.definition.value_scale
            self.output = self.network.run(y, self.stages)[0, 0] / self.definition.value_scale

    def check(self):
        """In grey levels of 255."""
        difference = (self.output - self.definition.output) * 255
        return {"largest": difference.abs().max().item(), "rms": difference.square().mean().sqrt().item(),
                "within": 1e-2}


class Training:
    """Loss and gradient of one batch, back to the parameters; the noise was drawn before."""

    def __init__(self, definition, mode, convolution, activation):
        self.definition = definition
        self.network = Network(definition, mode, convolution, activation)
        self.parameters = definition.parameters.clone().requires_grad_()

    def __call__(self):
        d = self.definition
        self.parameters.grad = None
        output = self.network.run(d.noisy[:, None], self.network.tensors(self.parameters))
        self.loss = 0.5 * (output - d.clean[:, None]).square().sum() / len(d.clean)
        self.loss.backward()

    def check(self):
        """Relative errors of gradient and loss."""
        expected = self.definition.gradient
        error = (self.parameters.grad.double() - expected).norm() / expected.norm()
        return {"gradient": error.item(), "loss": abs(self.loss.item() / self.definition.loss - 1),
                "within": 1e-3}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    # The answers alone go to standard output, whatever compilers print.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    definition = Definition(arguments.folder)
    ready = {}

    def candidate(name):
        if name not in ready:
            kind, mode, convolution, activation = name.split("/")
            made = {"inference": Inference, "training": Training}[kind](definition, mode, convolution, activation)
            made()
            ready[name] = made
        return ready[name]

    for line in sys.stdin:
        command, _, name = line.strip().partition(" ")
        try:
            if command == "describe":
                answer = (f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, "
                          f"{torch.get_num_threads()} threads, oneDNN {torch.backends.mkldnn.is_available()}, "
                          f"Python {sys.version.split()[0]}")
            elif command == "candidates":
                answer = names(definition)
            elif command == "check":
                answer = candidate(name).check()
            elif command == "time":
                run = candidate(name)
                clock = time.process_time if arguments.threads == 1 else time.perf_counter
                start = clock()
                run()
                answer = clock() - start
            else:
                raise ValueError(f"describe, candidates, check or time expected, got {command!r}")
        except Exception as error:  # a candidate that does not work here is an answer too
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

// sonolux/solvers/mode_gradients.hpp
//
// Preconditioned conjugate gradients for the equations of a few modes (Hestenes and Stiefel 1952; J. Nocedal
// and S. Wright 2006, algorithm 5.3), in the memory of the caller: what Tikhonov inversion and the coarse
// start of networks solve where measurements are missing.
#pragma once

#include <algorithm>

#include <sonolux/core/workspace.hpp>

namespace sonolux {

/// Where a step has led.
struct ModeGradientsStep {
    Index iteration = 0;  ///< 0 before the first step
    double residual = 0;  ///< squared norm of r = b - A c
    double right = 0;     ///< squared norm of b
    const float* r = nullptr;
    bool stalled = false;  ///< no step downhill is left: rounding, or b is 0
};

/// Solves A c = b. `c` [count] comes as a first guess and leaves as the solution. multiply(v, to) writes A v,
/// precondition(r, z) an approximation of A^-1 r, product(a, b) is a dot product; A and the preconditioner
/// are symmetric and positive definite. again(step) is asked before the first and after each step whether to
/// go on; after a step that stalled there is no other. Takes 4 [count] of float from `scratch`.
template <class Multiply, class Precondition, class Product, class Again>
void solve_modes(Index count, const float* b, float* c, Scratch& scratch, Multiply&& multiply,
                 Precondition&& precondition, Product&& product, Again&& again) noexcept {
    float *r = scratch.take<float>(count), *z = scratch.take<float>(count);
    float *p = scratch.take<float>(count), *q = scratch.take<float>(count);
    multiply(c, q);
    for (Index k = 0; k < count; ++k) r[k] = b[k] - q[k];
    precondition(r, z);
    std::copy_n(z, count, p);
    ModeGradientsStep step{.residual = product(r, r), .right = product(b, b), .r = r};
    double gamma = product(r, z);
    while (again(step) && !step.stalled) {
        ++step.iteration;
        multiply(p, q);
        const double curvature = product(p, q);
        step.stalled = !(curvature > 0 && gamma > 0);
        if (step.stalled) continue;
        const auto length = static_cast<float>(gamma / curvature);
        for (Index k = 0; k < count; ++k) {
            c[k] += length * p[k];
            r[k] -= length * q[k];
        }
        step.residual = product(r, r);
        precondition(r, z);
        const double before = gamma;
        gamma = product(r, z);
        const auto turn = static_cast<float>(gamma / before);
        for (Index k = 0; k < count; ++k) p[k] = z[k] + turn * p[k];
    }
}

}  // namespace sonolux

// sonolux/core/cuda/kernel.hpp
//
// How a kernel is written so that the same lines run on a device and, one thread after another, on the CPU.
//
// A kernel is a struct that is copied to the device: its members are numbers and pointers to device memory.
// What would be one function with __syncthreads() in it is here a function of steps, and the barrier is what
// lies between them:
//
//     struct Reverse {
//         const float* in;
//         float* out;
//
//         struct Shared { float tile[256]; };  // of a block; uninitialised
//         struct Registers {};                 // of a thread, kept from step to step; uninitialised
//
//         [[nodiscard]] SLX_KERNEL int steps() const { return 2; }
//
//         SLX_KERNEL void run(int step, const Thread& thread, Shared& shared, Registers&) const {
//             if (step == 0) shared.tile[thread.index.x] = in[thread.global_x()];
//             if (step == 1) out[thread.global_x()] = shared.tile[thread.block.x - 1 - thread.index.x];
//         }
//     };
//
// A loop with barriers in it (over filters, say) is a larger number of steps. Arrays in Registers stay in
// registers only where their indices are known to the compiler: loops over them say SLX_UNROLL.
//
// The device runs step after step within one launch; the host runs each step of a block for all its threads,
// in either order, which must not make a difference: a kernel whose results depend on the order has a race.
// That is how every kernel is tested where there is no device. Neither warp shuffles nor atomics are in this
// model: sums go through shared memory in a fixed tree, which also keeps their bits the same from run to run.
//
// Products and sums are fused only where it says multiply_add: the module is compiled with --fmad=false, so
// that host and device agree to the bit in + - * / sqrt and fma, and to a few units in the last place in exp
// and the like.
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define SLX_KERNEL __host__ __device__ __forceinline__
#define SLX_UNROLL _Pragma("unroll")
#else
#define SLX_KERNEL inline
#define SLX_UNROLL
#endif

namespace sonolux::cuda {

/// Sizes of a grid or a block, and places in it.
struct Extent {
    unsigned x = 1, y = 1, z = 1;

    [[nodiscard]] SLX_KERNEL unsigned count() const { return x * y * z; }
};

/// Where a thread is.
struct Thread {
    Extent index;        ///< of the thread in its block
    Extent block_index;  ///< of the block in the grid
    Extent block;        ///< threads of a block
    Extent grid;         ///< blocks of the grid

    [[nodiscard]] SLX_KERNEL unsigned global_x() const { return block_index.x * block.x + index.x; }
    [[nodiscard]] SLX_KERNEL unsigned global_y() const { return block_index.y * block.y + index.y; }
    [[nodiscard]] SLX_KERNEL unsigned global_z() const { return block_index.z * block.z + index.z; }

    /// The threads of a block in one row.
    [[nodiscard]] SLX_KERNEL unsigned rank() const {
        return (index.z * block.y + index.y) * block.x + index.x;
    }
};

/// For kernels that share or keep nothing.
struct Nothing {};

/// Four numbers that one instruction loads or stores.
struct alignas(16) Float4 {
    float x, y, z, w;
};

/// How many blocks of `block` cover `items`.
[[nodiscard]] SLX_KERNEL constexpr unsigned blocks_for(std::int64_t items, unsigned block) {
    return static_cast<unsigned>((items + block - 1) / block);
}

/// a * b + c with one rounding.
[[nodiscard]] SLX_KERNEL float multiply_add(float a, float b, float c) {
#ifdef __CUDA_ARCH__
    return __fmaf_rn(a, b, c);
#else
    return std::fma(a, b, c);
#endif
}

}  // namespace sonolux::cuda

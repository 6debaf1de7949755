// sonolux/core/operators/delay_and_sum_cuda_program.hpp
//
// Delay and sum on a CUDA device, from the tables that the CPU's operator has worked out.
//
// A block has a tile of 16 x 16 pixels of a frame, a thread one of them. Elements are the outer loop and
// transmissions the inner one, a few at a time in registers, so that the table of an element (6 bytes for a
// point) is read once for all of these; what is left is reading the recording, whose samples neighbouring
// pixels share in the first cache. Sums of a transmission run over elements in the CPU's order.
#pragma once

#include <cstdint>

#include <sonolux/core/cuda/device.hpp>
#include <sonolux/core/cuda/device_copy.hpp>
#include <sonolux/core/cuda/kernel.hpp>
#include <sonolux/core/cuda/module.hpp>
#include <sonolux/core/shape.hpp>

namespace sonolux::cuda {

/// What of a trace can be read, in units of 2^-bits samples.
struct MeasuredTrace {
    std::uint32_t lowest, span;
    std::int32_t last;   ///< the last sample at which an interpolation may begin
    std::int32_t heard;  ///< 0: nothing of it was measured
};

/// DelayAndSumTables, as pointers: to host memory where a program is made, to the device's in its kernels.
struct DelayAndSumLayout {
    int sent, elements, samples, parts, rows, columns, tiles_across, tiles, pieces, bits;
    int taps;  ///< of the interpolation: 1, 2 or 4
    bool compound;
    int frames;

    const std::int32_t* first_piece;    ///< [tiles + 1]
    const std::int32_t* piece_element;  ///< [pieces]
    const std::int32_t* receive;        ///< [pieces, tile]
    const std::int16_t* weights;        ///< [pieces, parts, tile]
    const std::int32_t* transmit;       ///< [sent, tiles, tile]
    const float* scale;                 ///< [sent, tiles, parts, tile]
    const std::uint8_t* active;         ///< [sent, tiles]
    const MeasuredTrace* traces;        ///< [sent, elements]

    [[nodiscard]] SLX_KERNEL std::int64_t frame_floats() const {
        return std::int64_t{1} * sent * elements * parts * samples;
    }
    [[nodiscard]] SLX_KERNEL std::int64_t image_floats() const {
        return std::int64_t{1} * (compound ? 1 : sent) * rows * columns * parts;
    }
};

/// What the module has.
class DelayAndSumOnDevice {
public:
    virtual ~DelayAndSumOnDevice() = default;
    [[nodiscard]] virtual float* frames() noexcept = 0;
    [[nodiscard]] virtual const float* images() noexcept = 0;
    virtual Status run(Message* message) noexcept = 0;

    /// Runs `times` on the frames that are on the device, between two looks at the device's clock.
    virtual Status time(int times, double* seconds, Message* message) noexcept = 0;

protected:
    DelayAndSumOnDevice() = default;
    DelayAndSumOnDevice(const DelayAndSumOnDevice&) = default;
    DelayAndSumOnDevice& operator=(const DelayAndSumOnDevice&) = default;
};

inline constexpr int beam_lanes = 16, beam_tile = 256;

template <int taps, int parts>
struct SumDelayed {
    const float* x;
    float* images;
    DelayAndSumLayout t;

    using Shared = Nothing;
    using Registers = Nothing;

    static constexpr int together = 4;  // transmissions in registers

    [[nodiscard]] SLX_KERNEL int steps() const { return 1; }

    /// Grid: tiles, images of a frame, frames.
    SLX_KERNEL void run(int, const Thread& thread, Shared&, Registers&) const {
        const int tile = static_cast<int>(thread.block_index.x), p = static_cast<int>(thread.index.x);
        const float* const frame = x + thread.block_index.z * t.frame_floats();
        const int plane = static_cast<int>(thread.block_index.y);
        const int begin = t.compound ? 0 : plane, end = t.compound ? t.sent : plane + 1;
        float pixel[2] = {0, 0};
        for (int k = begin; k < end; k += together) add_some(frame, tile, p, k, end, pixel);
        const int row = tile / t.tiles_across * (beam_tile / beam_lanes) + p / beam_lanes;
        const int column = tile % t.tiles_across * beam_lanes + p % beam_lanes;
        if (row >= t.rows || column >= t.columns) return;
        float* const out = images + thread.block_index.z * t.image_floats() +
                           ((std::int64_t{1} * plane * t.rows + row) * t.columns + column) * parts;
        SLX_UNROLL
        for (int part = 0; part < parts; ++part) out[part] = pixel[part];
    }

private:
    /// Transmissions from k on, at most `together` and below `end`.
    SLX_KERNEL void add_some(const float* frame, int tile, int p, int k, int end, float* pixel) const {
        std::uint32_t sending[together];
        bool active[together];
        float sum[together][parts];
        SLX_UNROLL
        for (int i = 0; i < together; ++i) {
            const bool there = k + i < end;
            active[i] = there && t.active[(k + i) * t.tiles + tile] != 0;
            sending[i] = active[i] ? static_cast<std::uint32_t>(t.transmit[at(k + i, tile) + p]) : 0;
            SLX_UNROLL
            for (int part = 0; part < parts; ++part) sum[i][part] = 0;
        }
        for (int piece = t.first_piece[tile]; piece < t.first_piece[tile + 1]; ++piece) {
            const int element = t.piece_element[piece];
            const auto receiving = static_cast<std::uint32_t>(t.receive[std::int64_t{piece} * beam_tile + p]);
            float weight[parts];
            SLX_UNROLL
            for (int part = 0; part < parts; ++part)
                weight[part] =
                    static_cast<float>(t.weights[(std::int64_t{piece} * parts + part) * beam_tile + p]);
            SLX_UNROLL
            for (int i = 0; i < together; ++i) {
                if (!active[i]) continue;
                const MeasuredTrace trace = t.traces[(k + i) * t.elements + element];
                const std::uint32_t position = receiving + sending[i];
                if (trace.heard == 0 || position - trace.lowest > trace.span) continue;
                float value[parts];
                read(frame + (std::int64_t{k + i} * t.elements + element) * parts * t.samples, position,
                     trace.last, value);
                if constexpr (parts == 1) {
                    sum[i][0] = multiply_add(weight[0], value[0], sum[i][0]);
                } else {
                    sum[i][0] =
                        multiply_add(weight[0], value[0], multiply_add(-weight[1], value[1], sum[i][0]));
                    sum[i][1] =
                        multiply_add(weight[0], value[1], multiply_add(weight[1], value[0], sum[i][1]));
                }
            }
        }
        SLX_UNROLL
        for (int i = 0; i < together; ++i) {
            if (!active[i]) continue;
            const float* const scale = t.scale + at(k + i, tile) * parts + p;
            if constexpr (parts == 1) {
                pixel[0] += scale[0] * sum[i][0];
            } else {
                pixel[0] += scale[0] * sum[i][0] - scale[beam_tile] * sum[i][1];
                pixel[1] += scale[0] * sum[i][1] + scale[beam_tile] * sum[i][0];
            }
        }
    }

    [[nodiscard]] SLX_KERNEL std::int64_t at(int k, int tile) const {
        return (std::int64_t{k} * t.tiles + tile) * beam_tile;
    }

    /// As core/operators/delay_and_sum_taps.hpp begins and weights.
    SLX_KERNEL void read(const float* samples, std::uint32_t position, std::int32_t last,
                         float* value) const {
        if constexpr (taps == 1) {
            const std::uint32_t n = (position + (1U << t.bits >> 1)) >> t.bits;
            SLX_UNROLL
            for (int part = 0; part < parts; ++part) value[part] = samples[parts * std::int64_t{n} + part];
        } else {
            auto n = static_cast<std::int32_t>(position >> t.bits);
            if (n > last) n = last;
            const auto left = static_cast<std::int32_t>(position - (static_cast<std::uint32_t>(n) << t.bits));
            const float f = static_cast<float>(left) * (1.0f / static_cast<float>(1 << t.bits));
            float tap[taps];
            if constexpr (taps == 2) {
                tap[0] = 1 - f;
                tap[1] = f;
            } else {
                tap[0] = 0.5f * f * multiply_add(f, 2 - f, -1.0f);
                tap[1] = 0.5f * multiply_add(f * f, multiply_add(3.0f, f, -5.0f), 2.0f);
                tap[2] = 0.5f * f * multiply_add(f, multiply_add(-3.0f, f, 4.0f), 1.0f);
                tap[3] = 0.5f * f * f * (f - 1);
                n -= 1;
            }
            SLX_UNROLL
            for (int part = 0; part < parts; ++part) {
                float sum = 0;
                SLX_UNROLL
                for (int i = 0; i < taps; ++i)
                    sum = multiply_add(tap[i], samples[parts * std::int64_t{n + i} + part], sum);
                value[part] = sum;
            }
        }
    }
};

/// Tables on a device, and frames that are summed up there: one launch for all of them.
template <class Launcher>
class DelayAndSumProgram {
public:
    /// Copies the tables. Throws what the launcher throws.
    DelayAndSumProgram(Launcher& launcher, const DelayAndSumLayout& host)
        : launcher_(launcher), layout_(host) {
        const Index sent = host.sent, tiles = host.tiles, pieces = host.pieces, parts = host.parts;
        copy_to_device(launcher, layout_.first_piece, tiles + 1);
        copy_to_device(launcher, layout_.piece_element, pieces);
        copy_to_device(launcher, layout_.receive, pieces * beam_tile);
        copy_to_device(launcher, layout_.weights, pieces * parts * beam_tile);
        copy_to_device(launcher, layout_.transmit, sent * tiles * beam_tile);
        copy_to_device(launcher, layout_.scale, sent * tiles * parts * beam_tile);
        copy_to_device(launcher, layout_.active, sent * tiles);
        copy_to_device(launcher, layout_.traces, sent * host.elements);
        x_ = launcher.template allocate<float>(frames_floats());
        images_ = launcher.template allocate<float>(images_floats());
        launcher.fill_zero(x_, frames_floats());
        launcher.wait();
        launcher.record([this] { launch(); });
    }

    [[nodiscard]] Index frames_floats() const { return layout_.frames * layout_.frame_floats(); }
    [[nodiscard]] Index images_floats() const { return layout_.frames * layout_.image_floats(); }

    void run(const float* x, float* images) {
        launcher_.upload(x_, x, frames_floats());
        launcher_.replay();
        launcher_.download(images, images_, images_floats());
        launcher_.wait();
    }

private:
    template <int taps, int parts>
    void launch_one() {
        launcher_.launch(
            SumDelayed<taps, parts>{x_, images_, layout_},
            {static_cast<unsigned>(layout_.tiles), static_cast<unsigned>(layout_.compound ? 1 : layout_.sent),
             static_cast<unsigned>(layout_.frames)},
            {beam_tile});
    }

    template <int taps>
    void launch_taps() {
        if (layout_.parts == 2)
            launch_one<taps, 2>();
        else
            launch_one<taps, 1>();
    }

    void launch() {
        if (layout_.taps == 1) launch_taps<1>();
        if (layout_.taps == 2) launch_taps<2>();
        if (layout_.taps == 4) launch_taps<4>();
    }

    Launcher& launcher_;
    DelayAndSumLayout layout_;
    float* x_ = nullptr;
    float* images_ = nullptr;
};

}  // namespace sonolux::cuda

extern "C" {
sonolux::Status slx_cuda_delay_and_sum(sonolux::CudaDevice* device,
                                       const sonolux::cuda::DelayAndSumLayout* layout,
                                       sonolux::cuda::DelayAndSumOnDevice** program,
                                       sonolux::cuda::Message* message) noexcept;
}

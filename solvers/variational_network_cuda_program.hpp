// sonolux/solvers/variational_network_cuda_program.hpp
//
// The launches of a variational network: one kernel a step, or two where filters are dealt to groups or the
// border is exact; recorded once.
#pragma once

#include <algorithm>

#include <sonolux/priors/fields_of_experts_cuda.hpp>
#include <sonolux/solvers/variational_network_cuda_shape.hpp>

namespace sonolux::cuda {

/// Into how many groups the filters are best dealt. A processor takes about 2 us for one filter on one tile,
/// the more blocks the more even the processors are filled; and each group's sums are written and read again,
/// 8 bytes of some 3 TB/s a pixel, by one more launch.
[[nodiscard]] inline int best_groups(Index tiles, Index floats, int filters, int processors) {
    int best = 1;
    double least = 0;
    for (int groups = 1; groups <= std::min(filters, 16); ++groups) {
        const Index rounds = (tiles * groups + processors - 1) / processors;
        const Index filters_each = (filters + groups - 1) / groups;
        double seconds = 2e-6 * static_cast<double>(rounds * filters_each);
        if (groups > 1) seconds += 2e-6 + 8 * static_cast<double>(groups * floats) / 3e12;
        if (groups > 1 && seconds >= least) continue;
        least = seconds;
        best = groups;
    }
    return best;
}

template <class Launcher>
class VariationalProgram {
public:
    /// `groups` 0: the best for so many processors.
    VariationalProgram(Launcher& launcher, const VariationalShape& shape, int processors, int groups = 0)
        : launcher_(launcher), shape_(shape) {
        const Index floats = shape.image_floats();
        const Index outputs = 64 - (shape.prior.size - 1);
        across_ = blocks_for(shape.columns + 2 * shape_.prior.output_pad, static_cast<unsigned>(outputs));
        down_ = blocks_for(shape.rows + 2 * shape_.prior.output_pad, static_cast<unsigned>(outputs));
        const Index tiles = Index{across_} * down_ * shape.images;
        groups_ = groups > 0 ? groups : best_groups(tiles, floats, shape.prior.filters, processors);
        parameters_ = launcher.template allocate<float>(shape.stages * shape.stage_floats());
        input_ = launcher.template allocate<float>(floats);
        for (float*& state : states_) state = launcher.template allocate<float>(floats);
        if (shape.momentum)
            for (float*& velocity : velocities_) velocity = launcher.template allocate<float>(floats);
        if (finishes())
            partial_ = launcher.template allocate<float>(groups_ * shape.images * shape.prior.channels *
                                                         (shape.rows + 2 * shape_.prior.output_pad) *
                                                         (shape.columns + 2 * shape_.prior.output_pad));
        launcher.fill_zero(input_, floats);
        for_experts(shape.prior.size, shape.prior.channels,
                    [&]<int size, int channels>() { launcher.record([this] { launch<size, channels>(); }); });
    }

    [[nodiscard]] int groups() const noexcept { return groups_; }

    /// As pack_variational_parameters makes them.
    void update(const float* packed) {
        launcher_.upload(parameters_, packed, shape_.stages * shape_.stage_floats());
        launcher_.wait();
    }

    void run(const float* in, float* out) {
        launcher_.upload(input_, in, shape_.image_floats());
        launcher_.replay();
        launcher_.download(out, states_[(shape_.stages - 1) % 2], shape_.image_floats());
        launcher_.wait();
    }

private:
    [[nodiscard]] bool finishes() const noexcept { return groups_ > 1 || shape_.prior.output_pad > 0; }

    template <int size, int channels>
    void launch() {
        using Gradient = ExpertsGradient<size, channels>;
        const int rows = static_cast<int>(shape_.rows), columns = static_cast<int>(shape_.columns);
        const int pad = shape_.prior.output_pad;
        if (shape_.momentum) launcher_.fill_zero(velocities_[1], shape_.image_floats());
        for (int step = 0; step < shape_.stages; ++step) {
            const float* own = parameters_ + step * shape_.stage_floats();
            const StepImages images{
                .x = step == 0 ? input_ : states_[(step + 1) % 2],
                .y = input_,
                .velocity = velocities_[(step + 1) % 2],
                .next = states_[step % 2],
                .next_velocity = velocities_[step % 2],
                .numbers = reinterpret_cast<const StepNumbers*>(own + shape_.numbers_at())};
            const ExpertsParameters prior = experts_at(own, shape_.prior);
            launcher_.launch(Gradient{.images = images,
                                      .partial = partial_,
                                      .prior = prior,
                                      .rows = rows,
                                      .columns = columns,
                                      .image_count = shape_.images,
                                      .groups = groups_,
                                      .first_response = shape_.prior.first_response,
                                      .output_pad = pad,
                                      .boundary = shape_.prior.boundary},
                             {across_, down_, static_cast<unsigned>(shape_.images * groups_)},
                             {Gradient::across, Gradient::down});
            if (finishes())
                launcher_.launch(ExpertsFinish{.images = images,
                                               .sums = {.partial = partial_,
                                                        .rows = rows,
                                                        .columns = columns,
                                                        .planes = shape_.images * channels,
                                                        .groups = groups_,
                                                        .output_pad = pad,
                                                        .boundary = shape_.prior.boundary}},
                                 {blocks_for(columns, 32), blocks_for(rows, 8),
                                  static_cast<unsigned>(shape_.images * channels)},
                                 {32, 8});
        }
    }

    Launcher& launcher_;
    VariationalShape shape_;
    unsigned across_ = 0, down_ = 0;
    int groups_ = 1;
    float* parameters_ = nullptr;
    float* input_ = nullptr;
    float* states_[2] = {};
    float* velocities_[2] = {};
    float* partial_ = nullptr;
};

}  // namespace sonolux::cuda

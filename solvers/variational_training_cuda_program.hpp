// sonolux/solvers/variational_training_cuda_program.hpp
//
// A variational network and its gradient on a device, for training: states stay there from the way forward to
// the way back.
#pragma once

#include <vector>

#include <sonolux/solvers/variational_backward_cuda.hpp>
#include <sonolux/solvers/variational_training_cuda_interface.hpp>

namespace sonolux::cuda {

/// Images are [images, channels, rows, columns] in the network's units. Everything is allocated at set-up.
template <class Launcher>
class VariationalTrainingProgram {
public:
    /// Throws Error{unsupported} for networks with momentum or tables of more than 64 segments.
    VariationalTrainingProgram(Launcher& launcher, const VariationalShape& shape)
        : launcher_(launcher), shape_(shape), prior_(shape.prior) {
        require(!shape.momentum, Status::unsupported,
                "training on a device has no form for networks with momentum");
        require(prior_.segments <= most_segments, Status::unsupported,
                "training on a device takes tables of at most ", most_segments, " segments, got ",
                prior_.segments);
        for_experts(prior_.size, prior_.channels, [&]<int size, int channels>() {
            using Vjp = ExpertsVjp<size, channels>;
            grid_ = {blocks_for(shape.columns + 2 * prior_.image_pad, Vjp::output_columns),
                     blocks_for(shape.rows + 2 * prior_.image_pad, Vjp::output_rows),
                     static_cast<unsigned>(shape.images)};
        });
        const Index floats = shape.image_floats();
        parameters_ = launcher.template allocate<float>(shape.stages * shape.stage_floats());
        for (int step = 0; step <= shape.stages; ++step)
            states_.push_back(launcher.template allocate<float>(floats));
        for (float** image : {&data_, &bar_, &direction_, &added_})
            *image = launcher.template allocate<float>(floats);
        const auto padded = [&](Index pad) {
            return shape.images * prior_.channels * (shape.rows + 2 * pad) * (shape.columns + 2 * pad);
        };
        partial_ = launcher.template allocate<float>(padded(prior_.image_pad));
        filter_sums_ = launcher.template allocate<float>(grid_.count() * prior_.filter_entries());
        table_sums_ = launcher.template allocate<Float4>(grid_.count() * prior_.table_entries() / 4);
        products_ = launcher.template allocate<double>(2 * product_blocks);
        gradient_ = launcher.template allocate<double>(prior_.filter_entries() + prior_.table_entries() + 2);
    }

    /// As pack_variational_parameters makes them for images in the network's units.
    void update(const float* packed) {
        launcher_.upload(parameters_, packed, shape_.stages * shape_.stage_floats());
        launcher_.wait();
    }

    /// x_1 to x_steps.
    void forward(const float* start, const float* data, Index steps) {
        launcher_.upload(states_[0], start, shape_.image_floats());
        launcher_.upload(data_, data, shape_.image_floats());
        for_experts(prior_.size, prior_.channels, [&]<int size, int channels>() {
            for (Index step = 0; step < steps; ++step) go<size, channels>(step);
        });
        launcher_.fill_zero(bar_, shape_.image_floats());
        launcher_.wait();
    }

    /// x_step, to the host.
    void state(Index step, float* image) {
        launcher_.download(image, states_[static_cast<std::size_t>(step)], shape_.image_floats());
        launcher_.wait();
    }

    /// Adds to the upstream, which `forward` left 0.
    void add_upstream(const float* image_bar) {
        launcher_.upload(added_, image_bar, shape_.image_floats());
        launcher_.launch(AddImage{added_, bar_, shape_.image_floats()},
                         {blocks_for(shape_.image_floats(), 256)}, {256});
        launcher_.wait();
    }

    /// From the upstream of x_{step + 1} to that of x_step, and the step's gradient to the host.
    void backward(Index step, double* gradient) {
        for_experts(prior_.size, prior_.channels,
                    [&]<int size, int channels>() { go_back<size, channels>(step); });
        launcher_.download(gradient, gradient_, prior_.filter_entries() + prior_.table_entries() + 2);
        launcher_.wait();
    }

    /// The upstream, to the host.
    void upstream(float* image_bar) {
        launcher_.download(image_bar, bar_, shape_.image_floats());
        launcher_.wait();
    }

private:
    static constexpr int most_segments = 64, product_blocks = 64;

    [[nodiscard]] const float* parameters_of(Index step) const {
        return parameters_ + step * shape_.stage_floats();
    }
    [[nodiscard]] const StepNumbers* numbers_of(Index step) const {
        return reinterpret_cast<const StepNumbers*>(parameters_of(step) + shape_.numbers_at());
    }
    [[nodiscard]] FoldedSums sums(int pad) const {
        return {.partial = partial_,
                .rows = static_cast<int>(shape_.rows),
                .columns = static_cast<int>(shape_.columns),
                .planes = shape_.images * prior_.channels,
                .groups = 1,
                .output_pad = pad,
                .boundary = prior_.boundary};
    }
    [[nodiscard]] Extent pixels() const {
        return {blocks_for(shape_.columns, 32), blocks_for(shape_.rows, 8),
                static_cast<unsigned>(shape_.images * prior_.channels)};
    }

    template <int size, int channels>
    void go(Index step) {
        using Gradient = ExpertsGradient<size, channels>;
        const int pad = prior_.output_pad;
        const StepImages images{.x = states_[static_cast<std::size_t>(step)],
                                .y = data_,
                                .velocity = nullptr,
                                .next = states_[static_cast<std::size_t>(step + 1)],
                                .next_velocity = nullptr,
                                .numbers = numbers_of(step)};
        launcher_.launch(
            Gradient{.images = images,
                     .partial = pad > 0 ? partial_ : nullptr,
                     .prior = experts_at(parameters_of(step), prior_),
                     .rows = static_cast<int>(shape_.rows),
                     .columns = static_cast<int>(shape_.columns),
                     .image_count = shape_.images,
                     .groups = 1,
                     .first_response = prior_.first_response,
                     .output_pad = pad,
                     .boundary = prior_.boundary},
            {blocks_for(shape_.columns + 2 * pad, Gradient::outputs),
             blocks_for(shape_.rows + 2 * pad, Gradient::outputs), static_cast<unsigned>(shape_.images)},
            {Gradient::across, Gradient::down});
        if (pad > 0) launcher_.launch(ExpertsFinish{.images = images, .sums = sums(pad)}, pixels(), {32, 8});
    }

    template <int size, int channels>
    void go_back(Index step) {
        using Vjp = ExpertsVjp<size, channels>;
        const float* x = states_[static_cast<std::size_t>(step)];
        launcher_.launch(StepBackBegin{.x = x,
                                       .next = states_[static_cast<std::size_t>(step + 1)],
                                       .y = data_,
                                       .bar = bar_,
                                       .direction = direction_,
                                       .products = products_,
                                       .numbers = numbers_of(step),
                                       .count = shape_.image_floats()},
                         {product_blocks}, {StepBackBegin::threads});
        // Extending by the rule is the transpose of folding; cropping's transpose extends with zeros.
        launcher_.launch(
            Vjp{.images = x,
                .upstream = direction_,
                .adjoint = partial_,
                .filter_sums = filter_sums_,
                .table_sums = table_sums_,
                .prior = experts_at(parameters_of(step), prior_),
                .numbers = numbers_of(step),
                .rows = static_cast<int>(shape_.rows),
                .columns = static_cast<int>(shape_.columns),
                .first_response = prior_.first_response,
                .output_pad = prior_.image_pad,
                .boundary = prior_.boundary,
                .upstream_boundary = prior_.output_pad > 0 ? prior_.boundary : BoundaryRule::zero},
            grid_, {Vjp::across, Vjp::down});
        add(filter_sums_, gradient_, grid_.count(), prior_.filter_entries());
        add(reinterpret_cast<const float*>(table_sums_), gradient_ + prior_.filter_entries(), grid_.count(),
            prior_.table_entries());
        add(products_, gradient_ + prior_.filter_entries() + prior_.table_entries(), product_blocks, 2);
        launcher_.launch(StepBackFinish{.direction = direction_,
                                        .bar = bar_,
                                        .numbers = numbers_of(step),
                                        .sums = sums(prior_.image_pad)},
                         pixels(), {32, 8});
    }

    template <class T>
    void add(const T* parts, double* out, Index blocks, Index entries) {
        launcher_.launch(AddParts<T>{parts, out, static_cast<int>(blocks), static_cast<int>(entries)},
                         {blocks_for(entries, 128)}, {128});
    }

    Launcher& launcher_;
    VariationalShape shape_;
    ExpertsShape prior_;
    Extent grid_;
    float* parameters_ = nullptr;
    std::vector<float*> states_;
    float *data_ = nullptr, *bar_ = nullptr, *direction_ = nullptr, *added_ = nullptr, *partial_ = nullptr;
    float* filter_sums_ = nullptr;
    Float4* table_sums_ = nullptr;
    double* products_ = nullptr;
    double* gradient_ = nullptr;
};

/// The program behind the interface of the module.
template <class Launcher>
class VariationalTrainingBy : public VariationalTrainingOnDevice {
public:
    VariationalTrainingBy(Launcher& launcher, const VariationalShape& shape) : program_(launcher, shape) {}

    Status update(const float* packed, Message* message) noexcept override {
        return guarded(message, [&] { program_.update(packed); });
    }
    Status forward(const float* start, const float* data, Index steps, Message* message) noexcept override {
        return guarded(message, [&] { program_.forward(start, data, steps); });
    }
    Status state(Index step, float* image, Message* message) noexcept override {
        return guarded(message, [&] { program_.state(step, image); });
    }
    Status add_upstream(const float* image_bar, Message* message) noexcept override {
        return guarded(message, [&] { program_.add_upstream(image_bar); });
    }
    Status backward(Index step, double* gradient, Message* message) noexcept override {
        return guarded(message, [&] { program_.backward(step, gradient); });
    }
    Status upstream(float* image_bar, Message* message) noexcept override {
        return guarded(message, [&] { program_.upstream(image_bar); });
    }

private:
    VariationalTrainingProgram<Launcher> program_;
};

}  // namespace sonolux::cuda

// sonolux/solvers/training/batch_gradient_device.cpp
//
// Batches whose gradient a device computes: samples are made and losses judged here, patch by patch on all
// threads, and patches are added in order, so that the bits are the same each time.
#include <algorithm>

#include <sonolux/solvers/training/batch_gradient.hpp>

namespace sonolux {

void BatchGradient::compute_by(std::unique_ptr<VariationalTrainingCuda> training) {
    device_ = std::make_unique<OnDevice>();
    device_->training = std::move(training);
    const Shape shape{options_.batch, network_.channels(), options_.rows, options_.columns};
    for (Array<float>* images : {&device_->data, &device_->truth, &device_->images, &device_->images_bar})
        *images = Array<float>(shape);
    device_->gradient.resize(network_.parameters().size());
    device_->losses.resize(static_cast<std::size_t>(options_.batch));
}

const char* BatchGradient::device_message() const noexcept {
    return device_ && device_->failed ? device_->training->message() : "";
}

Status BatchGradient::evaluate_on_device(const PatchFunction& source, std::uint64_t first, Index count,
                                         const SampleNoise& noise, const Loss& loss,
                                         std::span<const double> step_weights) noexcept {
    OnDevice& device = *device_;
    VariationalTrainingCuda& training = *device.training;
    const float scale = network_.entry_scale() / 255.0f;
    const Shape shape = image_shape(network_.channels(), options_.rows, options_.columns);
    const Index floats = shape.elements();
    const auto patch_of = [&](Array<float>& images, Index patch) {
        return View<float>(images.data() + patch * floats, shape);
    };
    // Patches that a short batch lacks stay 0, and so does what they add.
    std::fill(device.data.data() + count * floats, device.data.data() + device.data.elements(), 0.0f);
    std::fill(device.images_bar.begin(), device.images_bar.end(), 0.0f);
    std::fill(device.losses.begin(), device.losses.end(), 0.0);
    std::fill(device.gradient.begin(), device.gradient.end(), 0.0f);
    parallel_for(context_, count, [&](Index patch, int thread) noexcept {
        Worker& worker = *workers_[static_cast<std::size_t>(thread)];
        SampleNoise own = noise;
        own.sample = first + static_cast<std::uint64_t>(patch);
        source(own.sample, worker.sample.clean());
        worker.sample.degrade(own.sample, own, scale, worker.context);
        std::copy_n(worker.sample.observed().data(), floats, patch_of(device.data, patch).data());
        std::copy_n(worker.sample.truth().data(), floats, patch_of(device.truth, patch).data());
    });
    const auto steps = static_cast<Index>(step_weights.size());
    Status status = training.forward(network_, device.data.data(), device.data.data(), steps);
    for (Index step = steps - 1; step >= 0 && status == Status::ok; --step) {
        if (const double weight = step_weights[static_cast<std::size_t>(step)]; weight != 0) {
            status = training.state(step + 1, device.images.data());
            if (status != Status::ok) break;
            parallel_for(context_, count, [&](Index patch, int) noexcept {
                const View<float> bar = patch_of(device.images_bar, patch);
                std::fill_n(bar.data(), floats, 0.0f);
                device.losses[static_cast<std::size_t>(patch)] +=
                    weight *
                    loss.value_gradient(patch_of(device.images, patch), patch_of(device.truth, patch), bar);
                for (Index i = 0; i < floats; ++i) bar.data()[i] *= static_cast<float>(weight);
            });
            status = training.add_upstream(device.images_bar.data());
            if (status != Status::ok) break;
        }
        status = training.backward(network_, step, device.gradient, workers_[0]->context);
    }
    return status;
}

}  // namespace sonolux

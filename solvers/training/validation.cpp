// sonolux/solvers/training/validation.cpp
#include <sonolux/solvers/training/validation.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/solvers/training/batch_gradient.hpp>

namespace sonolux {

Validation::Worker::Worker(Index elements, std::size_t workspace, Isa isa)
    : context(make_serial_runner()), data({elements}), estimate({elements}) {
    context.set_isa(isa);
    context.workspace().reserve(workspace);
}

Validation::Validation(const UnrolledNetwork& network, const std::vector<Array<float>>& images,
                       std::vector<double> sigmas, std::uint64_t seed, Context& context)
    : sigmas_(std::move(sigmas)), psnr_(images.size()), context_(context) {
    for (double sigma : sigmas_)
        require(sigma > 0 && std::isfinite(sigma), Status::invalid_argument,
                "a noise level of the validation must be above 0, got ", sigma);
    const Context serial(make_serial_runner());
    Index largest = 0;
    std::size_t workspace = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const Array<float>& image = images[i];
        require(image.elements() > 0 && image.shape().rank() == 2, Status::invalid_argument,
                "validation image ", i, " must be a plane with at least one pixel, got ",
                to_string(image.shape()));
        largest = std::max(largest, image.elements());
        workspace =
            std::max(workspace, network.run_workspace_bytes(image.shape()[0], image.shape()[1], serial));
        images_.push_back(image.clone());
        noise_.emplace_back(image.shape());
        fill_normal(noise_.back().view(),
                    Philox(seed, static_cast<std::uint64_t>(TrainingStream::validation_noise), i));
    }
    if (images_.empty()) return;
    for (int thread = 0; thread < context.threads(); ++thread)
        workers_.push_back(std::make_unique<Worker>(largest, workspace, context.isa()));
}

double Validation::psnr(UnrolledNetwork& network, Index steps) noexcept {
    double sum = 0;
    for (double sigma : sigmas_) {
        network.update(static_cast<float>(sigma));
        const float scale = network.entry_scale() / 255.0f;
        const auto deviation = static_cast<float>(sigma);
        parallel_for(context_, static_cast<Index>(images_.size()), [&](Index item, int thread) noexcept {
            const auto i = static_cast<std::size_t>(item);
            Worker& worker = *workers_[static_cast<std::size_t>(thread)];
            const Array<float>& clean = images_[i];
            const View<float> data(worker.data.data(), clean.shape());
            const View<float> estimate(worker.estimate.data(), clean.shape());
            for (Index p = 0; p < clean.elements(); ++p)
                data.data()[p] = scale * (clean.data()[p] + deviation * noise_[i].data()[p]);
            network.forward(data, {.data = data}, estimate, steps, worker.context);
            double square = 0;
            for (Index p = 0; p < clean.elements(); ++p) {
                const double error = static_cast<double>(estimate.data()[p]) / scale - clean.data()[p];
                square += error * error;
            }
            psnr_[i] = 10 * std::log10(255.0 * 255.0 * static_cast<double>(clean.elements()) / square);
        });
        for (double psnr : psnr_) sum += psnr;
    }
    return sum / static_cast<double>(sigmas_.size() * images_.size());
}

}  // namespace sonolux

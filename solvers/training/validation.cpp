// sonolux/solvers/training/validation.cpp
#include <sonolux/solvers/training/validation.hpp>

#include <algorithm>
#include <cmath>

#include <sonolux/solvers/training/batch_gradient.hpp>

namespace sonolux {

Validation::Validation(const UnrolledNetwork& network, const std::vector<Array<float>>& images,
                       std::vector<double> sigmas, std::uint64_t seed, Context& context,
                       const TrainingBlur* blur)
    : sigmas_(std::move(sigmas)), psnr_(images.size()), seed_(seed), context_(context) {
    for (double sigma : sigmas_)
        require(sigma > 0 && std::isfinite(sigma), Status::invalid_argument,
                "a noise level of the validation must be above 0, got ", sigma);
    const Context serial(make_serial_runner());
    const Index rim = blur != nullptr && blur->kernels ? 2 * blur->kernel_radius : 0;
    Index largest = 0;
    std::size_t workspace = 0;
    for (std::size_t i = 0; i < images.size(); ++i) {
        const Array<float>& image = images[i];
        const Index channels = network.channels(), rows = image.shape().last(1),
                    columns = image.shape().last(0);
        require(image.shape() == image_shape(channels, rows, columns) && rows > rim && columns > rim,
                Status::invalid_argument, "validation image ", i, " must be ", channels,
                channels == 1 ? " plane" : " planes", " larger than ", rim, " x ", rim, ", got ",
                to_string(image.shape()));
        TrainingSample& sample = samples_.emplace_back(rows - rim, columns - rim, blur, channels);
        std::copy(image.begin(), image.end(), sample.clean().data());
        const Shape domain = sample.domain();
        largest = std::max(largest, domain.elements());
        workspace = std::max(
            {workspace, sample.workspace_bytes(serial),
             network.run_workspace_bytes(domain.last(1), domain.last(0), serial, sample.observation())});
    }
    if (samples_.empty()) return;
    workers_ = make_validation_workers({largest}, workspace, context);
}

double Validation::psnr(UnrolledNetwork& network, Index steps) noexcept {
    double sum = 0;
    for (double sigma : sigmas_) {
        network.update(static_cast<float>(sigma));
        const float scale = network.entry_scale() / 255.0f;
        parallel_for(context_, static_cast<Index>(samples_.size()), [&](Index item, int thread) noexcept {
            const auto i = static_cast<std::uint64_t>(item);
            ValidationWorker& worker = *workers_[static_cast<std::size_t>(thread)];
            TrainingSample& sample = samples_[i];
            sample.degrade(first_validation_kernel + i,
                           {seed_, static_cast<std::uint64_t>(TrainingStream::validation_noise), i, sigma},
                           scale, worker.context);
            const Observation observation = sample.observation();
            const View<float> whole(worker.estimate.data(), sample.domain());
            network.forward(observation.data, observation, whole, steps, worker.context);
            const View<float> estimate =
                observation.blur != nullptr ? observation.blur->inside(whole) : whole;
            double square = 0;
            for (Index c = 0; c < plane_count(estimate); ++c) {
                const View<const float> plane = plane_of(View<const float>(estimate), c);
                const View<const float> truth = plane_of(sample.truth(), c);
                for (Index row = 0; row < plane.rows(); ++row)
                    for (Index column = 0; column < plane.columns(); ++column) {
                        const double error =
                            (static_cast<double>(plane(row, column)) - truth(row, column)) / scale;
                        square += error * error;
                    }
            }
            psnr_[i] = 10 * std::log10(255.0 * 255.0 * static_cast<double>(estimate.elements()) / square);
        });
        for (double psnr : psnr_) sum += psnr;
    }
    return sum / static_cast<double>(sigmas_.size() * samples_.size());
}

}  // namespace sonolux

// sonolux/solvers/training/training_sample.cpp
#include <sonolux/solvers/training/training_sample.hpp>

#include <sonolux/core/image_planes.hpp>

namespace sonolux {

TrainingSample::TrainingSample(Index rows, Index columns, const TrainingBlur* blur, Index channels)
    : radius_(blur != nullptr && blur->kernels ? blur->kernel_radius : 0),
      clean_(image_shape(channels, rows + 2 * radius_, columns + 2 * radius_)),
      data_(image_shape(channels, rows, columns)),
      truth_(data_.shape()) {
    if (blur == nullptr) return;
    require(channels == 1, Status::invalid_argument,
            "networks with Fourier steps look at 1 channel, got samples of ", channels);
    require(blur->kernel_radius >= 0 && blur->border >= radius_, Status::invalid_argument,
            "the border of the domain must be at least the radius of the kernels, ", radius_, ", got ",
            blur->border);
    blur_.emplace(rows, columns, blur->border, blur->border, blur->treatment);
    on_domain_ = Array<float>(blur_->domain());
    if (!blur->kernels) return;
    kernels_ = blur->kernels;
    kernel_ = Array<float>({2 * radius_ + 1, 2 * radius_ + 1});
    told_ = Array<float>(kernel_.shape());
    blurred_ = Array<float>(clean_.shape());
    camera_.emplace(clean_.shape()[0], clean_.shape()[1]);
}

std::size_t TrainingSample::workspace_bytes(const Context& context) const noexcept {
    return (camera_ ? camera_->workspace_bytes(context) : 0) + (blur_ ? blur_->workspace_bytes(context) : 0);
}

void TrainingSample::degrade(std::uint64_t kernel, const SampleNoise& noise, float scale,
                             Context& context) noexcept {
    View<const float> seen = clean_.view();
    if (camera_) {
        kernels_(kernel, kernel_, told_);
        camera_->set_kernel(kernel_);
        camera_->apply(clean_, blurred_, context);
        blur_->set_kernel(told_);
        seen = blurred_.view();
    }
    fill_normal(data_.view(), Philox(noise.seed, noise.stream, noise.sample));
    const auto deviation = static_cast<float>(noise.sigma);
    const View<const float> clean = clean_.view();
    const Index rows = data_.view().rows(), columns = data_.view().columns();
    for (Index c = 0; c < plane_count(seen); ++c)
        for (Index i = 0; i < rows; ++i) {
            const float* sharp = plane_of(clean, c).row(radius_ + i) + radius_;
            const float* blurred = plane_of(seen, c).row(radius_ + i) + radius_;
            float* y = plane_of(data_.view(), c).row(i);
            float* x = plane_of(truth_.view(), c).row(i);
            for (Index j = 0; j < columns; ++j) {
                y[j] = scale * (blurred[j] + deviation * y[j]);
                x[j] = scale * sharp[j];
            }
        }
    if (blur_) blur_->enter(data_, on_domain_, context);
}

}  // namespace sonolux

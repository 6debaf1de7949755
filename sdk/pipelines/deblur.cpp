// sonolux/sdk/pipelines/deblur.cpp
#include <sonolux/sdk/pipelines/deblur.hpp>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <sonolux/sdk/pipelines/shipped_models.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/solvers/classical/deconvolution.hpp>
#include <sonolux/solvers/kernel_check.hpp>
#include <sonolux/solvers/noise_level.hpp>

namespace sonolux {
namespace {

class ClassicalDeblurrer final : public Deblurrer {
public:
    ClassicalDeblurrer(std::string_view method, const DeblurMethodOptions& options)
        : options_(deconvolution_options(method, options.settings)),
          context_(make_openmp_runner(options.threads)) {
        // A Wiener filter is a division of spectra, which an unknown border does not allow.
        const bool has_valid = !std::holds_alternative<WienerOptions>(options_);
        border_ = !options.border.empty() ? deconvolution_border_from_string(options.border)
                  : has_valid             ? DeconvolutionBorder::valid
                                          : DeconvolutionBorder::taper;
    }

    Array<float> run(View<const float> blurred, View<const float> kernel, double sigma,
                     const ProgressCallback& progress) override {
        const auto deconvolver = make_deconvolver({.rows = blurred.rows(),
                                                   .columns = blurred.columns(),
                                                   .kernel = kernel,
                                                   .centre = std::nullopt,
                                                   .sigma = sigma,
                                                   .border = border_},
                                                  options_);
        context_.workspace().reserve(deconvolver->workspace_bytes(context_));
        context_.clear_cancel();
        context_.set_progress(progress);
        ConvergenceLog log(std::max<Index>(deconvolver->most_iterations(), 1));
        Array<float> estimate({blurred.rows(), blurred.columns()});
        const Status status = deconvolver->run(blurred, estimate, context_, &log);
        context_.set_progress({});
        require(status == Status::ok, status, deconvolver->name(), ": ", to_string(status));
        report_ = {deconvolver->description(), static_cast<Index>(log.entries().size()),
                   log.entries().empty() ? "" : to_string(log.reason()), context_.description()};
        return estimate;
    }

private:
    DeconvolutionOptions options_;
    DeconvolutionBorder border_;
    Context context_;
};

// A shrinkage field. Planned anew where sizes change, which is seldom: the channels of an image have one.
class NetworkDeblurrer final : public Deblurrer {
public:
    NetworkDeblurrer(Model model, const std::string& path, int threads)
        : model_(std::move(model)), largest_kernel_(largest_kernel(model_.problem)) {
        (void)network_from_model(model_, path);  // what does not fit together in the file names it
        plan_options_.threads = threads;
        plan_options_.progress = [this](const Progress& p) { return !progress_ || progress_(p); };
        lowest_sigma_ = 255 * model_.problem.sigma_min;
        highest_sigma_ = 255 * model_.problem.sigma_max;
    }

    Array<float> run(View<const float> blurred, View<const float> kernel, double sigma,
                     const ProgressCallback& progress) override {
        const double slack = 1e-4 * highest_sigma_;  // of units that were changed there and back
        require(sigma >= lowest_sigma_ - slack && sigma <= highest_sigma_ + slack, Status::invalid_argument,
                "sigma must be from ", lowest_sigma_, " to ", highest_sigma_, ", what the model \"",
                model_.name, "\" was trained for, got ", sigma);
        plan(blurred.shape(), kernel, static_cast<float>(sigma));
        progress_ = progress;
        Array<float> estimate({blurred.rows(), blurred.columns()});
        const Status status = plan_->run(blurred, estimate);
        progress_ = {};
        require(status == Status::ok, status, model_.name, ": ", to_string(status));
        report_ = {fmt::format("{} stages, border {}", plan_->stages(), model_.problem.boundary), 0, "",
                   plan_->context().description()};
        if (largest_kernel_.elements() > 0 &&
            (kernel.rows() > largest_kernel_[0] || kernel.columns() > largest_kernel_[1]))
            report_.settings += fmt::format("; the kernel is larger than any it was trained for ({} x {})",
                                            largest_kernel_[0], largest_kernel_[1]);
        return estimate;
    }

private:
    void plan(const Shape& image, View<const float> kernel, float sigma) {
        if (plan_ && plan_->rows() == image[0] && plan_->columns() == image[1] && kernel_ == kernel.shape()) {
            plan_->set_kernel(kernel);
            plan_->set_sigma(sigma);
            return;
        }
        plan_.reset();  // its memory first
        plan_options_.kernel = kernel;
        plan_options_.sigma = sigma;
        plan_ = std::make_unique<Reconstructor>(model_, image[0], image[1], plan_options_);
        plan_->bind();
        kernel_ = kernel.shape();
    }

    Model model_;
    Shape largest_kernel_;
    ReconstructorOptions plan_options_;
    std::unique_ptr<Reconstructor> plan_;
    Shape kernel_;  // that was planned for
    ProgressCallback progress_;
};

std::unique_ptr<Deblurrer> make_model_deblurrer(const std::string& path, const DeblurMethodOptions& options) {
    require(options.border.empty() && options.settings.empty(), Status::invalid_argument, path,
            ": a border and settings can be chosen for classical methods, a model has its own");
    Model model = load_model_file(path);
    require(model.problem.kind == "deblur", Status::unsupported, path, ": the model \"", model.name,
            "\" was trained for the problem \"", model.problem.kind,
            "\"; deblurring needs one for \"deblur\", or a classical method (wiener, richardson-lucy, tv or "
            "conjugate-gradients)");
    return std::make_unique<NetworkDeblurrer>(std::move(model), path, options.threads);
}

double standard_deviation(View<const float> stack) {
    double sum = 0, squares = 0;
    const Index count = stack.elements();
    for (const float value : stack) sum += double{value};
    const double mean = sum / static_cast<double>(count);
    for (const float value : stack) squares += (double{value} - mean) * (double{value} - mean);
    return std::sqrt(squares / static_cast<double>(count));
}

double root_mean_square_difference(View<const float> a, View<const float> b) {
    double squares = 0;
    for (Index i = 0; i < a.elements(); ++i) {
        const double difference = double{a.data()[i]} - double{b.data()[i]};
        squares += difference * difference;
    }
    return std::sqrt(squares / static_cast<double>(a.elements()));
}

Array<float> rotated(View<const float> kernel) {
    Array<float> turned(kernel.shape());
    std::reverse_copy(kernel.begin(), kernel.end(), turned.begin());
    return turned;
}

// In units of 1/255. Rounding to 8 bits is noise too; and no photograph has none.
double estimated_sigma(View<const float> stack, int bits, Context& context) {
    const double rounding = bits <= 8 ? 1 / std::sqrt(12.0) : 0.1;
    return std::max(255 * estimate_noise_level(stack, context).combined, rounding);
}

// Empty where nothing can be said.
std::string warning_of_orientation(const Image& image, View<const float> kernel, double sigma,
                                   Context& context) {
    // Of less nothing can be said.
    constexpr Index least = 32, kernels = 4;
    if (image.rows() < std::max(least, kernels * kernel.rows()) ||
        image.columns() < std::max(least, kernels * kernel.columns()))
        return {};
    const Image grey = to_grey(image);
    const OrientationReport report = check_orientation(grey.pixels.view()[0], kernel, sigma / 255, context);
    if (!report.decisive || report.better == KernelOrientation::convolution) return {};
    return report.sentence();
}

// A sigma that is far too large makes every method keep the blur.
std::string warning_of_sigma(View<const float> stack, int bits, double sigma, Context& context) {
    constexpr double tolerated = 5;
    if (sigma < tolerated || std::min(stack.rows(), stack.columns()) < noise_level_patch_image) return {};
    const double estimate = estimated_sigma(stack, bits, context);
    if (sigma < tolerated * estimate) return {};
    return fmt::format(
        "sigma {:g} is far above the noise that the image shows, about {:.2g}: much of the blur will stay",
        sigma, estimate);
}

// What keeps a method from changing anything, as far as can be told from outside.
std::string why_unchanged(View<const float> stack, const NormalisedKernel& kernel, double sigma,
                          const DeblurReport& report) {
    if (kernel.identity) return "the kernel is a single point, and so blurs nothing";
    const double contrast = 255 * standard_deviation(stack);
    if (contrast < 0.5)
        return fmt::format(
            "the image has no structure: the standard deviation of its pixels is {:.2g} of 255", contrast);
    if (report.stopped == to_string(StopReason::discrepancy))
        return fmt::format(
            "blurring the image once more changes it by less than noise of sigma {:g} would, so nothing is "
            "left to "
            "explain: give a smaller sigma, or another kernel",
            sigma);
    return "the image has no detail that this kernel would have blurred: is it the kernel of this image?";
}

}  // namespace

bool is_classical_deblurring(std::string_view method) noexcept {
    const auto names = deconvolver_names();
    return std::find(names.begin(), names.end(), method) != names.end();
}

std::unique_ptr<Deblurrer> make_deblurrer(const std::string& method, const DeblurMethodOptions& options) {
    if (is_classical_deblurring(method)) return std::make_unique<ClassicalDeblurrer>(method, options);
    return make_model_deblurrer(find_model(method), options);
}

DeblurFunction deblur_function(Deblurrer& deblurrer, Deblurrer::ProgressCallback progress) {
    return [&deblurrer, progress = std::move(progress)](View<const float> blurred, View<const float> kernel,
                                                        double sigma) {
        return deblurrer.run(blurred, kernel, sigma, progress);
    };
}

Image deblur(Deblurrer& deblurrer, const Image& image, const std::string& source, View<const float> kernel,
             const std::string& kernel_source, const DeblurOptions& options, DeblurSummary* summary) {
    Context context(make_openmp_runner(options.threads));
    require(
        image.channels() == 1 || options.channels != ChannelRule::refuse, Status::unsupported, source,
        ": has ", image.channels(),
        " channels, deblurring takes one at a time; choose --channels opponent or separate to work on each "
        "plane by itself, or --channels luma to turn the image grey");
    const bool colour = image.channels() == 3;
    const bool to_luma = options.channels == ChannelRule::luma && colour;
    const bool to_opponent = options.channels == ChannelRule::opponent && colour;
    const Image grey = to_luma ? to_grey(image) : Image();
    const Image& input = to_luma ? grey : image;
    const View<const float> stack = input.pixels;

    DeblurSummary done;
    const Array<float> turned = options.rotate_kernel ? rotated(kernel) : Array<float>();
    const NormalisedKernel used =
        normalise_kernel(options.rotate_kernel ? turned.view() : kernel, stack.shape(), kernel_source);
    done.kernel_rows = used.kernel.shape()[0];
    done.kernel_columns = used.kernel.shape()[1];
    for (const std::string& note : used.notes) done.notes.push_back(kernel_source + ": " + note);
    if (stack.size(0) > 1)
        done.notes.push_back(fmt::format("{}: {} {}, each sharpened by itself with the same kernel", source,
                                         stack.size(0), to_opponent ? "opponent colours" : "channels"));
    done.sigma_estimated = options.sigma == 0;
    done.sigma = options.sigma;
    if (done.sigma_estimated) {
        const double estimate = estimated_sigma(stack, image.bits, context);
        done.sigma = std::clamp(estimate, deblurrer.lowest_sigma(), deblurrer.highest_sigma());
        if (done.sigma != estimate)
            done.notes.push_back(
                fmt::format("{}: the noise is estimated as sigma {:.2g}; {:g} is the nearest that the "
                            "method takes",
                            source, estimate, done.sigma));
    }
    const auto add_warning = [&](const std::string& name, const std::string& warning) {
        if (!warning.empty()) done.warnings.push_back(name + ": " + warning);
    };
    const std::string orientation = warning_of_orientation(input, used.kernel, done.sigma, context);
    done.kernel_seems_rotated = !orientation.empty();
    add_warning(kernel_source, orientation);
    if (!done.sigma_estimated) add_warning(source, warning_of_sigma(stack, image.bits, done.sigma, context));

    Image result;
    result.pixels = Array<float>(stack.shape());
    result.bits = image.bits;
    result.format = image.format;
    Array<float> opponent;
    if (to_opponent) {
        opponent = input.pixels.clone();
        to_opponent_colours(opponent);
    }
    const View<const float> planes = to_opponent ? opponent.view() : input.pixels.view();
    const auto begin = Context::Clock::now();
    for (Index channel = 0; channel < stack.size(0); ++channel) {
        const auto progress = [&](const Progress& of_channel) {
            return !options.progress ||
                   options.progress({"deblurring", channel * of_channel.total + of_channel.done,
                                     stack.size(0) * of_channel.total, -1});
        };
        try {
            const Array<float> estimate = deblurrer.run(planes[channel], used.kernel, done.sigma, progress);
            std::copy(estimate.begin(), estimate.end(),
                      result.pixels.begin() + channel * estimate.elements());
        } catch (const Error& error) {
            throw Error(error.status(), sentence(source, ": ", error.what()));
        }
    }
    if (to_opponent) from_opponent_colours(result.pixels);
    done.seconds = std::chrono::duration<double>(Context::Clock::now() - begin).count();
    done.report = deblurrer.report();

    done.change = 255 * root_mean_square_difference(result.pixels, stack);
    constexpr double visible =
        0.25;  // of a level of 8 bits: below, nearly all pixels round to what they were
    if (done.change < visible)
        add_warning(source, fmt::format("deblurring changed next to nothing ({:.2f} of 255 on average): {}",
                                        done.change, why_unchanged(stack, used, done.sigma, done.report)));
    if (summary != nullptr) *summary = std::move(done);
    return result;
}

}  // namespace sonolux

// sonolux/sdk/pipelines/evaluate.cpp
#include <sonolux/sdk/pipelines/evaluate.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>

#include <fmt/format.h>

#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/simulation/degradation/noise.hpp>
#include <sonolux/solvers/metrics.hpp>

namespace sonolux {

Quality measure(View<const float> estimate, View<const float> truth) {
    require(estimate.shape() == truth.shape() && estimate.contiguous() && truth.contiguous(),
            Status::size_mismatch, "the image is ", to_string(estimate.shape()), ", the truth ",
            to_string(truth.shape()));
    const Index rows = truth.rows(), columns = truth.columns(),
                channels = truth.elements() / (rows * columns);
    // All channels one below the other are a plane with the same mean squared error.
    const Shape tall{channels * rows, columns};
    const View<const float> all_estimate(estimate.data(), tall), all_truth(truth.data(), tall);
    Quality quality{psnr(all_estimate, all_truth), clipped_psnr(all_estimate, all_truth),
                    std::numeric_limits<double>::quiet_NaN()};
    if (rows < ssim_window || columns < ssim_window) return quality;
    Array<float> clipped({rows, columns});
    quality.ssim = 0;
    for (Index c = 0; c < channels; ++c) {
        const float* from = estimate.data() + c * rows * columns;
        std::transform(from, from + rows * columns, clipped.begin(),
                       [](float v) { return std::clamp(v, 0.0F, 1.0F); });
        quality.ssim += ssim(clipped, View<const float>(truth.data() + c * rows * columns, {rows, columns}));
    }
    quality.ssim /= static_cast<double>(channels);
    return quality;
}

void add_protocol_noise(View<const float> truth, double sigma, std::uint64_t seed, std::uint64_t index,
                        View<float> noisy) {
    add_gaussian_noise(truth, static_cast<float>(sigma / 255), Philox(seed, streams::noise, index), noisy);
}

ReconstructorPool::ReconstructorPool(const Model& model, double sigma, int threads,
                                     std::shared_ptr<CudaDevice> device)
    : model_(model), sigma_(sigma), threads_(threads), device_(std::move(device)) {}

Reconstructor& ReconstructorPool::of_size(Index rows, Index columns) {
    for (const auto& ready : ready_)
        if (ready->rows() == rows && ready->columns() == columns) return *ready;
    constexpr std::size_t most = 4;  // data sets have few sizes: portrait and landscape
    if (ready_.size() == most) ready_.erase(ready_.begin());
    ReconstructorOptions options;
    options.sigma = static_cast<float>(sigma_);
    options.threads = threads_;
    options.device = device_;
    ready_.push_back(std::make_unique<Reconstructor>(model_, rows, columns, options));
    ready_.back()->bind();
    return *ready_.back();
}

std::vector<std::string> images_in(const std::string& folder) {
    std::error_code error;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        std::string extension = entry.path().extension().string();
        for (char& letter : extension)
            letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
        for (const char* known : {".png", ".tif", ".tiff", ".jpg", ".jpeg"})
            if (extension == known) names.push_back(entry.path().filename().string());
    }
    require(!error, Status::file_error, folder, ": cannot be read as a folder: ", error.message());
    require(!names.empty(), Status::file_error, folder,
            ": holds no image (.png, .tif, .tiff, .jpg or .jpeg)");
    std::sort(names.begin(), names.end());
    return names;
}

namespace {

Image read_truth(const std::string& path, const Model& model, Index model_channels,
                 const EvaluateOptions& options) {
    Image image = read_image(path);
    require_channels(image.channels(), model_channels, options.channels, path, model.name);
    if (image.channels() > model_channels && options.channels == ChannelRule::luma) image = to_grey(image);
    if (options.protocol == "bsd68")
        require(
            std::min(image.rows(), image.columns()) == 321 && std::max(image.rows(), image.columns()) == 481,
            Status::invalid_argument, path,
            ": the protocol bsd68 is for images of 321 x 481 or 481 x 321 pixels, this has ", image.rows(),
            " x ", image.columns());
    return image;
}

}  // namespace

ImageResult mean_of(const std::vector<ImageResult>& images) {
    ImageResult mean;
    mean.name = "mean";
    auto average = [&](auto part) {
        double sum = 0;
        for (const ImageResult& image : images) sum += part(image);
        return sum / static_cast<double>(images.size());
    };
    for (Quality ImageResult::*of : {&ImageResult::noisy, &ImageResult::denoised})
        for (double Quality::*number : {&Quality::psnr, &Quality::clipped_psnr, &Quality::ssim})
            (mean.*of).*number = average([&](const ImageResult& image) { return (image.*of).*number; });
    mean.seconds = average([](const ImageResult& image) { return image.seconds; });
    return mean;
}

Evaluation evaluate(const Model& model, const EvaluateOptions& options) {
    require(options.protocol == "gaussian" || options.protocol == "bsd68", Status::invalid_argument,
            "protocol must be gaussian or bsd68, got \"", options.protocol, "\"");
    const std::vector<std::string> names = images_in(options.data);
    if (options.protocol == "bsd68")
        require(names.size() == 68, Status::invalid_argument, options.data,
                ": the protocol bsd68 needs 68 images, there are ", names.size());

    Evaluation evaluation;
    const Index model_channels = channels(architecture_of(model));
    bool by_rule = false;
    ReconstructorPool pool(model, options.sigma, options.threads, options.device);
    const auto begin = Context::Clock::now();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const Image image = read_truth((std::filesystem::path(options.data) / names[i]).string(), model,
                                       model_channels, options);
        const View<const float> truth = image.pixels.view();
        by_rule = by_rule || image.channels() > model_channels;
        Reconstructor& reconstructor = pool.of_size(image.rows(), image.columns());
        evaluation.sigma = static_cast<double>(reconstructor.sigma());
        evaluation.device = reconstructor.context().description();

        Array<float> noisy(truth.shape()), estimate(truth.shape());
        add_protocol_noise(truth, evaluation.sigma, options.seed, i, noisy);
        const auto start = Context::Clock::now();
        const Status status = run_channels(reconstructor, noisy, estimate, options.channels);
        const std::chrono::duration<double> taken = Context::Clock::now() - start;
        require(status == Status::ok, status, names[i], ": ", to_string(status));
        evaluation.images.push_back({names[i], image.rows(), image.columns(), measure(noisy, truth),
                                     measure(estimate, truth), taken.count(), image.channels()});

        const std::chrono::duration<double> elapsed = Context::Clock::now() - begin;
        const auto done = static_cast<Index>(i + 1), total = static_cast<Index>(names.size());
        const double left = elapsed.count() * static_cast<double>(total - done) / static_cast<double>(done);
        if (options.progress && !options.progress({"evaluating", done, total, left}))
            fail(Status::cancelled, options.data, ": cancelled after ", done, " of ", total, " images");
    }
    evaluation.mean = mean_of(evaluation.images);
    evaluation.protocol = fmt::format(
        "{} images of {}, Gaussian noise of sigma {:g} (white = 255), neither clipped nor quantised, seed "
        "{}; "
        "mean over images{}",
        names.size(), options.protocol == "bsd68" ? "BSD68" : options.data, evaluation.sigma, options.seed,
        !by_rule                                    ? ""
        : options.channels == ChannelRule::opponent ? "; each plane of the opponent colours by itself"
                                                    : "; each channel by itself");
    return evaluation;
}

std::string to_csv(const Evaluation& evaluation) {
    std::string csv = "image,rows,columns,sigma,noisy_psnr_db,psnr_db,clipped_psnr_db,ssim,seconds\n";
    auto number = [](double value) {
        return std::isfinite(value) ? fmt::format("{:.6f}", value) : std::string();
    };
    // A name with a comma or a quote is quoted, RFC 4180.
    auto quoted = [](const std::string& name) {
        if (name.find_first_of(",\"\n") == std::string::npos) return name;
        std::string text = "\"";
        for (char letter : name) text += letter == '"' ? "\"\"" : std::string(1, letter);
        return text + "\"";
    };
    auto put = [&](const ImageResult& image) {
        fmt::format_to(std::back_inserter(csv), "{},{},{},{:g},{},{},{},{},{}\n", quoted(image.name),
                       image.rows, image.columns, evaluation.sigma, number(image.noisy.psnr),
                       number(image.denoised.psnr), number(image.denoised.clipped_psnr),
                       number(image.denoised.ssim), number(image.seconds));
    };
    for (const ImageResult& image : evaluation.images) put(image);
    put(evaluation.mean);
    return csv;
}

}  // namespace sonolux

// sonolux/sdk/pipelines/demo.cpp
#include <sonolux/sdk/pipelines/demo.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include <sonolux/sdk/files/report.hpp>
#include <sonolux/sdk/pipelines/comparison.hpp>
#include <sonolux/sdk/pipelines/model_card.hpp>
#include <sonolux/sdk/pipelines/photographs.hpp>
#include <sonolux/sdk/pipelines/shipped_models.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

namespace sonolux {

namespace fs = std::filesystem;

namespace {

constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

// The shipped models by what they are for.
class ShippedModels {
public:
    ShippedModels(const fs::path& folder, int threads) : folder_(folder), threads_(threads) {
        require(fs::is_directory(folder), Status::file_error, folder.string(),
                ": there is no such folder of models");
    }

    /// The model trained for this level, or else the one that takes the level as an input; null if neither is
    /// there or serves it. Of colour images the one for colour, if it serves.
    [[nodiscard]] const Model* for_level(double sigma, Index channels) {
        if (channels == 3)
            if (const Model* colour = serving("denoise_color_any_sigma", sigma)) return colour;
        const Model* special = load(fmt::format("denoise_sigma{:g}", sigma));
        return special != nullptr ? special : any_level(sigma);
    }

    [[nodiscard]] const Model* any_level(double sigma) { return serving("denoise_any_sigma", sigma); }

    [[nodiscard]] ReconstructorPool& pool(const Model& model, double sigma) {
        auto& pool = pools_[fmt::format("{} {:g}", model.name, sigma)];
        if (!pool) pool = std::make_unique<ReconstructorPool>(model, sigma, threads_);
        return *pool;
    }

    /// Those that were loaded.
    [[nodiscard]] std::vector<const Model*> loaded() const {
        std::vector<const Model*> models;
        for (const auto& [name, model] : models_)
            if (model) models.push_back(&*model);
        return models;
    }

    [[nodiscard]] const fs::path& folder() const { return folder_; }

private:
    const Model* serving(const std::string& name, double sigma) {
        const Model* any = load(name);
        if (any == nullptr || sigma < 255 * any->problem.sigma_min - 1e-3 ||
            sigma > 255 * any->problem.sigma_max + 1e-3)
            return nullptr;
        return any;
    }

    const Model* load(const std::string& name) {
        auto [place, is_new] = models_.try_emplace(name);
        const fs::path path = folder_ / (name + ".safetensors");
        if (is_new && fs::is_regular_file(path)) place->second = open_model(path.string());
        return place->second ? &*place->second : nullptr;
    }

    fs::path folder_;
    int threads_;
    std::map<std::string, std::optional<Model>> models_;
    std::map<std::string, std::unique_ptr<ReconstructorPool>> pools_;
};

struct Subject {
    std::string name, credit;
    Array<float> pixels;  // [channels, rows, columns]
};

Array<float> as_stack(const Array<float>& plane) {
    Array<float> stack({1, plane.shape()[0], plane.shape()[1]});
    std::copy_n(plane.data(), plane.elements(), stack.data());
    return stack;
}

// A stack of one channel as a plane, which is how figures tell grey from colour.
View<const float> for_figure(const Array<float>& pixels) {
    const Shape& shape = pixels.shape();
    if (shape[0] == 1) return {pixels.data(), {shape[1], shape[2]}};
    return pixels;
}

class Demo {
public:
    explicit Demo(const DemoOptions& options)
        : options_(options),
          models_(options.models.empty() ? models_folder() : options.models, options.threads),
          report_(options.image.empty()
                      ? "Sonolux: photographs denoised and deblurred, seen through a lens, and sound mapped"
                      : "Sonolux: an image denoised") {
        std::error_code error;
        fs::create_directories(options.output, error);
        require(!error, Status::file_error, options.output.string(), ": cannot be made: ", error.message());
    }

    DemoSummary run() {
        std::vector<Subject> subjects = options_.image.empty() ? photographs() : own_image();
        std::vector<double> sigmas = options_.sigmas;
        if (sigmas.empty())
            sigmas = options_.image.empty() ? std::vector<double>{15, 25, 50} : std::vector<double>{25};
        const Index channels = subjects.front().pixels.shape()[0];
        std::erase_if(sigmas, [&](double sigma) { return !served(sigma, channels); });
        require(!sigmas.empty(), Status::file_error, models_.folder().string(),
                ": holds no model for these noise levels (denoise_sigma25.safetensors, "
                "denoise_any_sigma.safetensors "
                "and the like)");

        const fs::path deblurring = options_.image.empty() ? deblurring_model(subjects) : fs::path();
        const Model& first = *models_.for_level(sigmas.front(), channels);
        if (options_.say && channels > 1 && sonolux::channels(architecture_of(first)) == 1)
            options_.say(
                fmt::format("{}: a colour image; each plane of its opponent colours is denoised by itself",
                            options_.image));

        total_ = static_cast<Index>(subjects.size() * sigmas.size());
        if (!deblurring.empty()) total_ += static_cast<Index>(subjects.size()) * DeblurringDemo::blurs;
        begin_report(subjects);
        for (double sigma : sigmas)
            for (std::size_t i = 0; i < subjects.size(); ++i) {
                advance("denoising");
                show(subjects[i], sigma, i);
            }
        report_results();
        if (!deblurring.empty()) deblur(deblurring, subjects);
        if (options_.image.empty()) {
            for (const char* lens : {"lens_fresnel", "lens_harmonic"}) recover_through(lens);
            report_lenses();
            map_sound_speed();
        }
        finish_report();
        return std::move(summary_);
    }

private:
    bool served(double sigma, Index channels) {
        if (models_.for_level(sigma, channels) != nullptr) return true;
        if (options_.say)
            options_.say(
                fmt::format("no model in {} serves sigma {:g}: left out", models_.folder().string(), sigma));
        return false;
    }

    // Empty where there is none, or a photograph is too small for it.
    fs::path deblurring_model(const std::vector<Subject>& subjects) {
        fs::path path = models_.folder() / "deblur.safetensors";
        std::string why;
        if (!fs::is_regular_file(path)) why = path.string() + ": is missing";
        for (const Subject& subject : subjects) {
            const Index rows = subject.pixels.shape()[1], columns = subject.pixels.shape()[2];
            if (why.empty() && std::min(rows, columns) < DeblurringDemo::smallest)
                why = fmt::format("{} has {} x {} pixels, blurs need {} x {}", subject.name, rows, columns,
                                  DeblurringDemo::smallest, DeblurringDemo::smallest);
        }
        if (why.empty()) return path;
        if (options_.say) options_.say(why + ": deblurring is left out");
        return {};
    }

    void advance(const char* activity) {
        if (options_.progress && !options_.progress({activity, done_, total_, -1}))
            fail(Status::cancelled, "cancelled after ", done_, " of ", total_, " pictures");
        ++done_;
    }

    std::vector<Subject> photographs() {
        fs::path folder = options_.photographs;
        if (folder.empty()) {
            folder = photograph_cache();
            fetch_photographs(models_.folder() / "photographs.sh", folder, [&](const std::string& text) {
                if (options_.say) options_.say(text);
            });
        }
        std::vector<Subject> subjects;
        for (const Photograph& photograph : photographs_in(folder)) {
            const std::string credit =
                photograph.author.empty() ? "" : fmt::format("{}, {}", photograph.author, photograph.licence);
            if (folder_.empty()) folder_ = photograph.path.parent_path();
            const Image image = read_image(photograph.path.string());
            if (image.channels() == 3)
                largest_in_colour_ = std::max(largest_in_colour_, std::min(image.rows(), image.columns()));
            subjects.push_back({photograph.name, credit, as_stack(clean_crop(image))});
        }
        return subjects;
    }

    std::vector<Subject> own_image() {
        Image image = read_image(options_.image);
        std::vector<Subject> subjects;
        subjects.push_back({fs::path(options_.image).stem().string(), "", std::move(image.pixels)});
        return subjects;
    }

    Array<float> denoise(const Model& model, double sigma, View<const float> noisy, double* seconds) {
        Reconstructor& reconstructor = models_.pool(model, sigma).of_size(noisy.rows(), noisy.columns());
        Array<float> estimate(noisy.shape());
        const auto start = Context::Clock::now();
        const Status status = run_channels(reconstructor, noisy, estimate, ChannelRule::opponent);
        if (seconds != nullptr)
            *seconds = std::chrono::duration<double>(Context::Clock::now() - start).count();
        require(status == Status::ok, status, model.name, ": ", to_string(status));
        summary_.device = reconstructor.context().description();
        return estimate;
    }

    // One image at one level: denoise, measure, draw, write.
    void show(const Subject& subject, double sigma, std::uint64_t index) {
        const bool truth_known = options_.image.empty() || options_.add_noise;
        const Model& model = *models_.for_level(sigma, subject.pixels.shape()[0]);
        DemoResult result;
        result.name = subject.name;
        result.channels = subject.pixels.shape()[0];
        result.rows = subject.pixels.shape()[1];
        result.columns = subject.pixels.shape()[2];
        result.sigma = sigma;
        result.model = model.name;
        result.truth_known = truth_known;

        Array<float> noisy = subject.pixels.clone();
        if (truth_known) add_protocol_noise(subject.pixels, sigma, 0, index, noisy);
        const Array<float> denoised = denoise(model, sigma, noisy, &result.seconds);
        result.any_sigma_psnr = not_measured;
        const std::string title = fmt::format("{}, {}σ = {:g}, {}", subject.name,
                                              truth_known ? "" : "taken to have ", sigma, model.name);
        const std::string stem = fmt::format("{}_sigma{:g}", subject.name, sigma);
        if (truth_known) {
            result.noisy = measure(noisy, subject.pixels);
            result.denoised = measure(denoised, subject.pixels);
            const Model* any = models_.any_level(sigma);
            if (any == &model) result.any_sigma_psnr = result.denoised.psnr;
            if (any != nullptr && any != &model)
                result.any_sigma_psnr = measure(denoise(*any, sigma, noisy, nullptr), subject.pixels).psnr;
        }
        auto draw = [&](Index most) {
            if (truth_known)
                return draw_comparison(for_figure(subject.pixels), for_figure(noisy), for_figure(denoised),
                                       title, most);
            return draw_before_after(for_figure(noisy), for_figure(denoised), title, most);
        };
        constexpr Index detail = 192, page = 1024;
        write_image((options_.output / (stem + ".png")).string(), draw(page).planes());
        if (truth_known) write_image((options_.output / (stem + "_noisy.png")).string(), noisy);
        write_image((options_.output / (stem + "_denoised.png")).string(), denoised);
        details_.push_back({draw(detail), title, stem, subject.credit});
        summary_.results.push_back(std::move(result));
    }

    void begin_report(const std::vector<Subject>& subjects) {
        if (!options_.image.empty()) {
            report_.paragraph(
                options_.add_noise
                    ? "Gaussian noise was added to the image, and the models took it away again."
                    : "The image was taken to hold Gaussian noise of the given level, and denoised.");
            return;
        }
        const bool ours = options_.models.empty() && !subjects.front().credit.empty();
        report_.paragraph(fmt::format(
            "{} photographs were made grey, large ones and JPEG files reduced by a whole factor so that they "
            "hold no noise of their own, and given white Gaussian noise of standard deviation sigma (white "
            "is "
            "255), neither clipped nor quantised.{} PSNR (dB) and SSIM compare with the image before the "
            "noise; SSIM is that of the clipped estimate.",
            subjects.size(), ours ? " None of them was used in training." : ""));
    }

    void deblur(const fs::path& model, const std::vector<Subject>& subjects) {
        DeblurringDemo demo(model, options_.output, options_.threads);
        std::vector<Detail> details;
        for (Index blur = 0; blur < DeblurringDemo::blurs; ++blur)
            for (std::size_t i = 0; i < subjects.size(); ++i) {
                advance("deblurring");
                const Array<float>& scene = subjects[i].pixels;
                const View<const float> plane(scene.data(), {scene.shape()[1], scene.shape()[2]});
                DeblurringDemo::Picture picture = demo.show(subjects[i].name, plane, blur, i);
                details.push_back({std::move(picture.figure), std::move(picture.title),
                                   std::move(picture.stem), subjects[i].credit});
            }
        summary_.deblurred = demo.results();

        report_.heading("Blur");
        report_.paragraph(
            fmt::format("The same photographs, blurred by simulated camera shake and by a lens out of focus, "
                        "with noise of "
                        "standard deviation {:g}, and deblurred with the kernel known: by the network that "
                        "Sonolux ships, by "
                        "total variation, and by a Wiener filter. PSNR and SSIM are over all that was seen "
                        "of the scene; no "
                        "pixel of it was made up beyond its border. Times include setting the method up.",
                        DeblurringDemo::sigma));
        const std::vector<std::vector<std::string>> table = deblurring_table(summary_.deblurred);
        report_.table(table.front(), {table.begin() + 1, table.end()});
        report_details(details);
        deblurring_model_ = open_model(model.string());
    }

    // Pieces of the photographs that are in colour and large enough, in the colours that a camera sees.
    void recover_through(const std::string& lens) {
        constexpr Index size = 192, seam = 16, pieces = 6;
        const fs::path path = models_.folder() / (lens + ".safetensors");
        std::string why;
        if (!fs::is_regular_file(path))
            why = path.string() + ": is missing";
        else if (largest_in_colour_ < size + seam)
            why = fmt::format("no photograph in colour has {0} x {0} pixels", size + seam);
        if (!why.empty()) {
            if (options_.say) options_.say(why + ": recovery through that lens is left out");
            return;
        }
        Canvas figure(1, 1);
        EvaluateLensOptions options;
        options.data = folder_.string();
        options.size = size;
        options.samples = pieces;
        options.reduction = 1;
        options.picture = (options_.output / (lens + ".png")).string();
        options.drawn = &figure;
        options.threads = options_.threads;
        options.progress = [&](const Progress& progress) {
            return !options_.progress ||
                   options_.progress({"recovering through a lens", progress.done, progress.total, -1});
        };
        Model model = open_model(path.string());
        summary_.lenses.push_back(evaluate_lens(model, options));
        lens_figures_.emplace_back(std::move(figure), lens);
        lens_models_.push_back(std::move(model));
    }

    void report_lenses() {
        if (lens_figures_.empty()) return;
        report_.heading("Lens");
        report_.paragraph(
            "Pieces of the same photographs, lifted to spectra and seen through a lens of a single "
            "diffractive surface (f 50 "
            "mm, D 4 mm), which is in focus for one colour alone: as captured, by the linear estimate of "
            "least "
            "mean squared error over all three channels, and by the network that Sonolux ships. PSNR in dB, "
            "linear in light "
            "and of sRGB; the angle between true and recovered colours in degrees; CIEDE2000.");
        const std::vector<std::vector<std::string>> table = lens_table(summary_);
        report_.table(table.front(), {table.begin() + 1, table.end()});
        for (const auto& [figure, name] : lens_figures_) {
            report_.picture(figure, name + ": one piece, and below how far colours are off.");
            report_.link(name + ".png", name + ".png");
        }
    }

    void map_sound_speed() {
        const fs::path path = models_.folder() / "sound_speed_diverging.safetensors";
        if (!fs::is_regular_file(path)) {
            if (options_.say)
                options_.say(path.string() + ": is missing: maps of the speed of sound are left out");
            return;
        }
        summary_.sound_speed =
            run_sound_speed_demo({path, options_.output, options_.threads, options_.progress});
        sound_speed_model_ = open_model(path.string());

        report_.heading("Speed of sound");
        report_.paragraph(
            "Full waves through simulated tissue, of a family that the network has not learned from: nine "
            "elements of a probe of 128 send one after the other, all record. Each recording is beamformed "
            "nine times, echoes are tracked between neighbours, and their delays are inverted by L-BFGS with "
            "total variation and by the network that Sonolux ships. Errors are in m/s, over all pixels that "
            "rays come through; uniform is the one speed that explains the delays best.");
        const std::vector<std::vector<std::string>> table = sound_speed_table(summary_.sound_speed);
        report_.table(table.front(), {table.begin() + 1, table.end()});
        for (const SoundSpeedDemoResult& result : summary_.sound_speed)
            for (const auto& [method, name] :
                 {std::pair(&result.network, "the network"), std::pair(&result.lbfgs, "L-BFGS")}) {
                report_.picture(method->figure,
                                fmt::format("B-mode, true map, and the map by {}: {}.", name, result.name));
                report_.link(method->stem + ".png", method->stem + ".png");
            }
        report_.link("speed", "the recordings (zea), for sonolux reconstruct");
    }

    void report_results() {
        report_.heading("Noise");
        const std::vector<std::vector<std::string>> table = demo_table(summary_);
        report_.table(table.front(), {table.begin() + 1, table.end()});
        report_.paragraph(fmt::format("Times are those of denoising, on {}.", summary_.device));
        report_details(details_);
    }

    struct Detail {
        Canvas figure;
        std::string title, stem, credit;
    };

    void report_details(const std::vector<Detail>& details) {
        report_.heading("Details, pixel by pixel");
        for (const Detail& detail : details) {
            const std::string credit =
                detail.credit.empty() ? "" : fmt::format(" Photograph: {}.", detail.credit);
            report_.picture(detail.figure, fmt::format("The middle of {}.{}", detail.title, credit));
            report_.link(detail.stem + ".png", "whole picture: " + detail.stem + ".png");
        }
    }

    void finish_report() {
        report_.heading("The models");
        for (const Model* model : models_.loaded()) report_.facts(model_card(*model));
        if (deblurring_model_) report_.facts(model_card(*deblurring_model_));
        for (const Model& model : lens_models_) report_.facts(model_card(model));
        if (sound_speed_model_) report_.facts(model_card(*sound_speed_model_));
        summary_.report = options_.output / "report.html";
        report_.write(summary_.report);
    }

    const DemoOptions& options_;
    ShippedModels models_;
    Report report_;
    DemoSummary summary_;
    std::vector<Detail> details_;
    std::optional<Model> deblurring_model_, sound_speed_model_;
    fs::path folder_;              // of the photographs
    Index largest_in_colour_ = 0;  // rows or columns, the fewer, of the largest of them that is in colour
    std::vector<std::pair<Canvas, std::string>> lens_figures_;
    std::vector<Model> lens_models_;
    Index done_ = 0, total_ = 0;
};

}  // namespace

DemoSummary run_demo(const DemoOptions& options) { return Demo(options).run(); }

}  // namespace sonolux

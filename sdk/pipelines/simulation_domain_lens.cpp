// sonolux/sdk/pipelines/simulation_domain_lens.cpp
//
// The lens domain: photographs through a diffractive lens, beside what the sensor would see without it.
//
// Scenes are linear sRGB, lifted to spectra (spectral_lift.hpp): for those the way through the lens is
// exactly a blur of three channels into three. They reach beyond the sample on all sides, as real scenes do.
#include <cmath>
#include <mutex>

#include <fmt/format.h>

#include <sonolux/core/operators/spectral_blur.hpp>
#include <sonolux/core/smooth_size.hpp>
#include <sonolux/core/srgb.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/files/image_set.hpp>
#include <sonolux/sdk/pipelines/lens_recipe.hpp>
#include <sonolux/sdk/pipelines/simulation_domain.hpp>
#include <sonolux/simulation/phantoms/coloured_leaves.hpp>
#include <sonolux/solvers/padded_blur.hpp>

namespace sonolux {

namespace {

struct SceneOptions {
    Index rows = 0, columns = 0;            // of a sample
    double photograph_fraction = 0;         // the others are dead leaves
    std::vector<Array<float>> photographs;  // linear light
    std::string coding;                     // how they were read
};

class LensDomain final : public SimulationDomain {
public:
    LensDomain(const SimulationSetup& setup, LensSystem system, SceneOptions scenes)
        : seed_(setup.seed),
          system_(std::move(system)),
          scenes_(std::move(scenes)),
          rows_(smooth_size(scenes_.rows + system_.bank.size() - 1)),
          columns_(smooth_size(scenes_.columns + system_.bank.size() - 1)),
          leaves_(setup.seed) {
        const std::vector<Index> sizes = {system_.response.channels(), scenes_.rows, scenes_.columns};
        const std::vector<std::string> axes = {"channel", "row", "column"};
        fields_ = {
            {"scene", "1", "what the sensor would see without blur and noise; white is 1", sizes, axes},
            {"capture", "1",
             system_.mosaic ? "the photograph through the lens; 0 where the mosaic has no pixel"
                            : "the photograph through the lens",
             sizes, axes},
            {"full_well", "electrons", "electrons of white in the most sensitive channel", {1}, {"value"}}};
        for (const Array<float>& photograph : scenes_.photographs)
            require(photograph.shape()[1] >= rows_ && photograph.shape()[2] >= columns_,
                    Status::invalid_argument, "scene.photographs: a photograph is ", photograph.shape()[1],
                    " x ", photograph.shape()[2],
                    " pixels after reduction; with the reach of the lens a sample needs ", rows_, " x ",
                    columns_);
    }

    TissueFamily simulate(std::uint64_t index, std::span<float> sample, Context& context) const override {
        Philox random(seed_, streams::sensor, index);
        const Index channels = system_.response.channels();
        Array<float> scene({3, rows_, columns_}), blurred({channels, rows_, columns_});
        if (random.uniform() < scenes_.photograph_fraction)
            cut(random, scene);
        else
            draw(index, scene, context);
        BorrowedBlur blur(*this);
        context.workspace().reserve(blur->workspace_bytes(context));
        blur->apply(scene, blurred, context);

        Sensor sensor = system_.sensor;
        sensor.full_well *= std::pow(system_.most_photons / sensor.full_well, random.uniform());
        const Index top = system_.bank.size() / 2;
        const Array<float> sharp = sharp_image(scene, system_.rgb_matrix);
        const Shape shape{channels, scenes_.rows, scenes_.columns};
        Array<float> clean(shape);
        for (Index c = 0; c < channels; ++c)
            for (Index i = 0; i < scenes_.rows; ++i)
                for (Index j = 0; j < scenes_.columns; ++j) {
                    sample[static_cast<std::size_t>((c * scenes_.rows + i) * scenes_.columns + j)] =
                        sharp(c, top + i, top + j);
                    clean(c, i, j) = std::max(0.0F, blurred(c, top + i, top + j));
                }
        const View<float> capture(sample.data() + shape.elements(), shape);
        take_photograph(clean, sensor, system_.response.white, seed_, index, capture, context);
        if (system_.mosaic) {
            const Array<float> mask = system_.mosaic->mask(scenes_.rows, scenes_.columns);
            for (Index n = 0; n < mask.elements(); ++n) capture.data()[n] *= mask.data()[n];
        }
        sample[static_cast<std::size_t>(2 * shape.elements())] = static_cast<float>(sensor.full_well);
        return TissueFamily{};  // the only family: scenes
    }

    void describe(Hdf5File& shard, Index /*samples*/) const override {
        const auto put = [&](const char* name, const Array<float>& values, const char* description) {
            std::vector<Index> sizes;
            for (int d = 0; d < values.shape().rank(); ++d) sizes.push_back(values.shape()[d]);
            shard.write<float>(name, sizes, std::span(values.begin(), values.end()));
            shard.set_attribute(name, "description", description);
        };
        put("psf/white", system_.white_kernels,
            "kernels of grey scenes [channel, row, column], sum of light");
        put("psf/linear_srgb", system_.rgb_kernels,
            "kernels of lifted linear sRGB [channel, red green blue, row, column]");
        put("psf/linear_srgb_sharp", system_.rgb_matrix, "the same without lens [channel, red green blue]");
        shard.set_attribute("psf/white", "pixel", system_.bank.pixel);
        shard.set_attribute("capture", "read_noise", system_.sensor.read_noise);
        shard.set_attribute("capture", "mosaic", system_.mosaic ? system_.mosaic->pattern() : "none");
        shard.set_attribute("scene", "coding", scenes_.coding);
        std::vector<float> white;
        for (const double value : system_.response.white) white.push_back(static_cast<float>(value));
        shard.write<float>("sensor/white", {static_cast<Index>(white.size())}, white);
        shard.set_attribute("sensor/white", "description",
                            "electrons of white in each channel, relative to the most sensitive");
    }

private:
    /// An operator serves one caller at a time: each caller takes one out of the drawer, or makes it.
    class BorrowedBlur {
    public:
        explicit BorrowedBlur(const LensDomain& domain) : domain_(domain) {
            {
                const std::lock_guard lock(domain.mutex_);
                if (!domain.blurs_.empty()) {
                    blur_ = std::move(domain.blurs_.back());
                    domain.blurs_.pop_back();
                }
            }
            if (blur_) return;
            blur_ = std::make_unique<SpectralBlur>(3, domain.system_.response.channels(), domain.rows_,
                                                   domain.columns_);
            blur_->set_kernels(domain.system_.rgb_kernels);
        }
        ~BorrowedBlur() {
            const std::lock_guard lock(domain_.mutex_);
            domain_.blurs_.push_back(std::move(blur_));
        }
        BorrowedBlur(const BorrowedBlur&) = delete;
        BorrowedBlur& operator=(const BorrowedBlur&) = delete;
        SpectralBlur* operator->() const noexcept { return blur_.get(); }

    private:
        const LensDomain& domain_;
        std::unique_ptr<SpectralBlur> blur_;
    };

    void draw(std::uint64_t index, View<float> scene, Context& context) const {
        context.workspace().reserve(leaves_.workspace_bytes(rows_, columns_, context));
        leaves_.render(index, scene, context);
    }

    void cut(Philox& random, View<float> scene) const {
        const Array<float>& from = scenes_.photographs[static_cast<std::size_t>(
            random.below(static_cast<Index>(scenes_.photographs.size())))];
        const Index i0 = random.below(from.shape()[1] - rows_ + 1),
                    j0 = random.below(from.shape()[2] - columns_ + 1);
        const bool mirrored = random.below(2) == 1;
        for (Index c = 0; c < 3; ++c)
            for (Index i = 0; i < rows_; ++i)
                for (Index j = 0; j < columns_; ++j)
                    scene(c, i, j) = from(c, i0 + i, j0 + (mirrored ? columns_ - 1 - j : j));
    }

    std::uint64_t seed_;
    LensSystem system_;
    SceneOptions scenes_;
    Index rows_, columns_;  // of the scene that reaches into a sample
    ColouredLeaves leaves_;
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<SpectralBlur>> blurs_;
};

SceneOptions read_scenes(RecipeTable& recipe) {
    SceneOptions scenes;
    scenes.rows = recipe.integer("scene.rows", 128, 8, 8192);
    scenes.columns = recipe.integer("scene.columns", scenes.rows, 8, 8192);
    const std::string folder = recipe.text("scene.photographs", "");
    scenes.photograph_fraction = recipe.number("scene.photograph_fraction", folder.empty() ? 0 : 0.7, 0, 1);
    scenes.coding = recipe.one_of("scene.coding", "srgb", {"srgb", "linear"});
    const auto reduction = static_cast<Index>(recipe.integer("scene.reduction", 2, 1, 64));
    require(folder.empty() == (scenes.photograph_fraction == 0), Status::invalid_argument,
            recipe.where("scene.photograph_fraction"), " is ", scenes.photograph_fraction,
            folder.empty() ? " and scene.photographs names none" : ": no photograph would be used");
    if (folder.empty()) return scenes;
    for (const std::string& path : find_images(folder)) {
        const Image image = read_image(path);
        require(image.channels() == 3, Status::invalid_argument, path, ": is grey, a scene has colours");
        // Codes of 8 bits that are linear in light would show bands in the dark: cameras do not write them.
        require(scenes.coding != "linear" || image.bits > 8, Status::invalid_argument, path,
                ": has 8 bits and is to be read as linear light (scene.coding); pictures of 8 bits are sRGB "
                "codes");
        Array<float> light(image.pixels.shape());
        for (Index n = 0; n < light.elements(); ++n)
            light.data()[n] = scenes.coding == "srgb"
                                  ? static_cast<float>(srgb_to_linear(double{image.pixels.data()[n]}))
                                  : image.pixels.data()[n];
        scenes.photographs.push_back(reduce_by_averaging(light, reduction));
    }
    return scenes;
}

}  // namespace

std::unique_ptr<SimulationDomain> make_lens_domain(RecipeTable& recipe, const SimulationSetup& setup) {
    SceneOptions scenes = read_scenes(recipe);
    Context context;
    return std::make_unique<LensDomain>(setup, read_lens_system(recipe, context), std::move(scenes));
}

}  // namespace sonolux

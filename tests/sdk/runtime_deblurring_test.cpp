// tests/sdk/runtime_deblurring_test.cpp
//
// Networks with Fourier steps in a Reconstructor: shrinkage fields that deblur, and such that denoise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <sonolux/core/operators/convolution.hpp>
#include <sonolux/simulation/phantoms/dead_leaves.hpp>

#include "tests/support/data.hpp"
#include "tests/support/reconstruct.hpp"

namespace sonolux {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;
using testing::ThrowsMessage;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

// What the network makes of the image on a domain of its own; the identity where there is no kernel.
Array<float> run_on_domain(const Model& model, View<const float> image, View<const float> kernel) {
    const auto options = std::get<ShrinkageFieldsOptions>(architecture_of(model));
    const bool deblurs = kernel.data() != nullptr;
    const auto blur = make_padded_blur(options, image.rows(), image.columns(),
                                       deblurs ? kernel.rows() / 2 : 0, deblurs ? kernel.columns() / 2 : 0);
    if (deblurs) blur->set_kernel(kernel);
    const auto network = network_from_model(model);
    network->update(25);
    Context context(make_serial_runner());
    const Observation observation{.data = image, .blur = blur.get()};
    context.workspace().reserve(
        network->run_workspace_bytes(blur->domain()[0], blur->domain()[1], context, observation));
    Array<float> result({image.rows(), image.columns()});
    EXPECT_EQ(network->run(observation, result, context), Status::ok);
    return result;
}

std::vector<ShrinkageFieldsOptions> every_kind() {
    std::vector<ShrinkageFieldsOptions> all;
    for (BorderTreatment border : {BorderTreatment::valid, BorderTreatment::taper, BorderTreatment::replicate,
                                   BorderTreatment::circular})
        for (ShrinkageForm form : {ShrinkageForm::residual, ShrinkageForm::direct}) {
            ShrinkageFieldsOptions options = tiny_shrinkage_fields();
            options.border = border;
            options.form = form;
            if (border == BorderTreatment::circular) options.border_width = 0;
            all.push_back(options);
        }
    ShrinkageFieldsOptions convolutional = tiny_shrinkage_fields();
    convolutional.prior = ShrinkagePrior::convolutional_network;
    convolutional.network.layers = 2;
    convolutional.network.features = 4;
    all.push_back(convolutional);
    return all;
}

TEST(ReconstructorDeblurs, AsItsNetworkDoesToTheBit) {
    const Array<float> image = tiny_image({37, 50}), kernel = tiny_kernel(5, 8);
    for (const ShrinkageFieldsOptions& options : every_kind())
        for (const int threads : {1, 3}) {
            const Model blurred = tiny_deblurring_model(options);
            const Array<float> expected = run_on_domain(blurred, image, kernel);
            EXPECT_TRUE(same_bits(run(blurred, image, {.kernel = kernel, .threads = threads}), expected));
            const Model noisy = tiny_model(options);
            EXPECT_TRUE(same_bits(run(noisy, image, {.threads = threads}), run_on_domain(noisy, image, {})));
        }
}

TEST(ReconstructorDeblurs, InPlaceAndPlaneAfterPlane) {
    const Model model = tiny_deblurring_model();
    const Array<float> kernel = tiny_kernel(5, 5), image = tiny_image({3, 20, 31});
    Reconstructor reconstructor(model, 20, 31, {.kernel = kernel});
    reconstructor.bind();
    Array<float> result(image.shape()), in_place = image.clone();
    ASSERT_EQ(reconstructor.run(image, result), Status::ok);
    ASSERT_EQ(reconstructor.run(in_place, in_place), Status::ok);
    for (Index plane = 0; plane < 3; ++plane) {
        EXPECT_TRUE(same_bits(result.view()[plane], run_on_domain(model, image.view()[plane], kernel)));
        EXPECT_TRUE(same_bits(in_place.view()[plane], result.view()[plane]));
    }
}

TEST(ReconstructorDeblurs, WithAnotherKernelBetweenRuns) {
    const Model model = tiny_deblurring_model();
    const Array<float> image = tiny_image({30, 31}), first = tiny_kernel(7, 5, 1),
                       second = tiny_kernel(3, 7, 2);
    Reconstructor reconstructor(model, 30, 31, {.kernel = first});
    EXPECT_TRUE(reconstructor.deblurs());
    EXPECT_EQ(reconstructor.largest_kernel(), (Shape{7, 7}));  // the border is 3 wide at least
    reconstructor.bind();
    Array<float> result(image.shape());
    for (const Array<float>* kernel : {&first, &second, &first}) {
        reconstructor.set_kernel(*kernel);
        ASSERT_EQ(reconstructor.run(image, result), Status::ok);
        EXPECT_TRUE(same_bits(result, run_on_domain(model, image, *kernel)));
    }
    EXPECT_THAT(
        [&] { reconstructor.set_kernel(tiny_kernel(3, 9)); },
        ThrowsMessage<Error>(HasSubstr("the kernel must be at most 7 x 7, what was planned for, got 3 x 9")));
    Array<float> again(image.shape());
    ASSERT_EQ(reconstructor.run(image, again), Status::ok);
    EXPECT_TRUE(same_bits(again, result)) << "a refused kernel changed the plan";
}

TEST(ReconstructorDeblurs, WithARealKernelAndRefusesOthersByName) {
    const Model model = tiny_deblurring_model();
    const auto refuses = [&](const Array<float>& kernel, const std::string& why) {
        EXPECT_THAT([&] { Reconstructor(model, 20, 30, {.kernel = kernel}); },
                    Throws<Error>(AllOf(Property(&Error::status, Status::invalid_argument),
                                        Property(&Error::what, HasSubstr(why)))));
    };
    const auto with = [](Index row, Index column, float value) {
        Array<float> kernel = tiny_kernel(3, 4);
        kernel(row, column) = value;
        return kernel;
    };
    EXPECT_THAT([&] { Reconstructor(model, 20, 30); },
                ThrowsMessage<Error>(HasSubstr("a kernel must be given: model \"tiny\" takes a blur away")));
    EXPECT_THAT(
        [&] { Reconstructor(tiny_model(), 20, 30, {.kernel = tiny_kernel(3, 3)}); },
        ThrowsMessage<Error>(HasSubstr("a kernel must not be given: model \"tiny\" takes noise away")));
    refuses(tiny_kernel(21, 3), "the kernel must be at most 20 x 30, the size of the image, got 21 x 3");
    refuses(with(1, 2, nan), "tap [1, 2] of the kernel must be finite, got nan");
    refuses(with(0, 3, std::numeric_limits<float>::infinity()), "tap [0, 3] of the kernel must be finite");
    refuses(with(2, 1, -0.1f), "tap [2, 1] of the kernel must not be below 0, got -0.1");
    refuses(with(0, 0, 2), "the taps of the kernel must sum to 1, got 2.");
    Array<float> nothing({3, 3});
    std::fill(nothing.begin(), nothing.end(), 0.0f);
    refuses(nothing, "the taps of the kernel must sum to 1, got 0");

    // What interpolation leaves is no reason to refuse a kernel, nor are even sizes or all of the image.
    Array<float> nearly = tiny_kernel(20, 30);
    nearly(0, 0) = -0.005f * *std::max_element(nearly.begin(), nearly.end());
    EXPECT_NO_THROW(Reconstructor(model, 20, 30, {.kernel = nearly}));

    Reconstructor denoiser(tiny_model(tiny_shrinkage_fields()), 20, 30);
    EXPECT_FALSE(denoiser.deblurs());
    EXPECT_EQ(denoiser.largest_kernel(), (Shape{0, 0}));
    EXPECT_THAT([&] { denoiser.set_kernel(tiny_kernel(3, 3)); },
                ThrowsMessage<Error>(HasSubstr("a kernel must not be given")));
}

TEST(ReconstructorDeblurs, TheWholeImageInTheMemoryItSays) {
    const Model model = tiny_deblurring_model();
    const Array<float> image = tiny_image({60, 70}), kernel = tiny_kernel(9, 9);
    const Array<float> expected = run_on_domain(model, image, kernel);
    Reconstructor reconstructor(model, 60, 70, {.kernel = kernel, .tile_rows = 20, .tile_columns = 20});
    EXPECT_EQ(reconstructor.tiles(), 1);  // each pixel sees the whole image
    EXPECT_EQ(reconstructor.tile_rows(), 60);
    reconstructor.bind();
    Array<float> result(image.shape());
    ASSERT_EQ(reconstructor.run(image, result), Status::ok);
    EXPECT_TRUE(same_bits(result, expected));

    const std::size_t needed = reconstructor.workspace_bytes() + reconstructor.plan_bytes();
    EXPECT_NO_THROW(Reconstructor(model, 60, 70, {.kernel = kernel, .memory_limit = needed}));
    EXPECT_THAT([&] { Reconstructor(model, 60, 70, {.kernel = kernel, .memory_limit = needed - 1}); },
                Throws<Error>(AllOf(
                    Property(&Error::status, Status::unsupported),
                    Property(&Error::what, HasSubstr(sentence("memory_limit must be at least ", needed))))));
    EXPECT_THAT(
        [&] { Reconstructor(model, 1 << 24, 1 << 24, {.kernel = kernel, .memory_limit = needed}); },
        Throws<Error>(Property(&Error::status, Status::unsupported)));  // before anything is allocated

    // All of the workspace is used, and no more.
    std::vector<std::byte> memory(reconstructor.workspace_bytes() + 128, std::byte{0x5a});
    void* begin = memory.data();
    std::size_t room = memory.size();
    std::align(64, reconstructor.workspace_bytes(), begin, room);
    reconstructor.bind({static_cast<std::byte*>(begin), reconstructor.workspace_bytes()});
    ASSERT_EQ(reconstructor.run(image, result), Status::ok);
    EXPECT_TRUE(same_bits(result, expected));
    for (auto* byte = static_cast<std::byte*>(begin) + reconstructor.workspace_bytes();
         byte < memory.data() + memory.size(); ++byte)
        EXPECT_EQ(*byte, std::byte{0x5a});

    // Per pixel of the domain: 26 bytes of workspace, 12 of the plan, and tiles of the learned part.
    Reconstructor large(model, 1000, 1000, {.kernel = kernel, .threads = 1});
    EXPECT_LE(static_cast<double>(large.plan_bytes()), 13.0 * 1024 * 1024);
    EXPECT_LE(static_cast<double>(large.workspace_bytes()), 29.0 * 1024 * 1024);
}

TEST(ReconstructorDeblurs, UntilItIsStopped) {
    const Model model = tiny_deblurring_model();
    const Array<float> image = tiny_image({30, 31}), kernel = tiny_kernel(5, 5);
    Index calls = 0;
    Reconstructor reconstructor(model, 30, 31, {.kernel = kernel, .progress = [&](const Progress& progress) {
                                                    EXPECT_EQ(progress.total, 2);
                                                    return ++calls, true;
                                                }});
    reconstructor.bind();
    Array<float> result(image.shape());
    reconstructor.cancel();
    EXPECT_EQ(reconstructor.run(image, result), Status::cancelled);
    EXPECT_EQ(calls, 0);
    EXPECT_TRUE(same_bits(result, image)) << "what was not begun is the input";
    EXPECT_EQ(reconstructor.run(image, result), Status::ok);
    EXPECT_EQ(calls, 2);
    reconstructor.set_time_limit(1e-9);
    EXPECT_EQ(reconstructor.run(image, result), Status::deadline_exceeded);
}

double psnr(View<const float> a, View<const float> b) {
    double square = 0;
    for (Index i = 0; i < a.rows(); ++i)
        for (Index j = 0; j < a.columns(); ++j) square += std::pow(double{a(i, j)} - double{b(i, j)}, 2);
    return -10 * std::log10(square / static_cast<double>(a.elements()));
}

// The one check here of what it is all for, and of which way round a kernel is taken: turned by 180 degrees
// it would make things worse.
TEST(ReconstructorDeblurs, AScene) {
    const Model model = load_model_file((source_folder() / "models/deblur.safetensors").string());
    constexpr Index size = 160, rows = 9, columns = 6;
    Context context(make_serial_runner());
    DeadLeavesOptions options;
    options.smallest_radius_from = options.smallest_radius_to = 4;
    options.contrast_from = 1;
    options.value_scale = 1;
    const DeadLeaves leaves(options, 1);
    Array<float> scene({size, size});
    context.workspace().reserve(leaves.workspace_bytes(size, size, context));
    leaves.render(0, scene, context);
    Array<float> kernel({rows, columns});  // a path that turns
    std::fill(kernel.begin(), kernel.end(), 0.0f);
    for (Index i = 0; i < rows; ++i) kernel(i, i / 3) = 1.0f / 14;
    for (Index j = 1; j < columns; ++j) kernel(0, j) = 1.0f / 14;
    Array<float> blurred({size, size});
    const Convolution camera({size, size}, kernel, BoundaryRule::reflect);
    context.workspace().reserve(camera.workspace_bytes(context));
    camera.apply(scene, blurred, context);
    Philox random(1);
    for (float& value : blurred) value += 1.5f / 255 * random.normal();
    Reconstructor reconstructor(model, size, size, {.sigma = 1.5, .kernel = kernel});
    reconstructor.bind();
    Array<float> sharp({size, size});
    ASSERT_EQ(reconstructor.run(blurred, sharp), Status::ok);
    EXPECT_GT(psnr(sharp, scene), psnr(blurred, scene) + 5);
}

}  // namespace
}  // namespace sonolux

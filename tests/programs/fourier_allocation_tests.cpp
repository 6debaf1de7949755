// tests/programs/fourier_allocation_tests.cpp
//
// As allocation_tests.cpp, for what works in the Fourier domain.
#include <gtest/gtest.h>

#include <sonolux/sdk/runtime/lens_recovery.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/solvers/classical/deconvolution.hpp>

#include "tests/support/counted_allocations.hpp"
#include "tests/support/tiny_lens_model.hpp"
#include "tests/support/tiny_model.hpp"

namespace sonolux {
namespace {

TEST(FourierAllocation, DoesNotHappenInFourierTransformsOfAnySize) {
    for (FftBackend backend : available_fft_backends())
        for (auto [rows, columns] : {std::pair{1, 1},
                                     {16, 27},
                                     {30, 540},
                                     {97, 64},
                                     {321, 481},
                                     {625, 729},
                                     {13 * 13, 7 * 11},
                                     {2, 65536},
                                     {1, 66248},
                                     {1, 4099}}) {
            const auto fft = make_real_fft2(rows, columns, backend);
            Array<float> image(fft->image_shape());
            std::fill(image.begin(), image.end(), 0.5f);
            Array<RealFft2::Complex> spectrum(fft->spectrum_shape());
            const long before = allocations;
            fft->forward(image, spectrum);
            fft->inverse(spectrum, image);
            EXPECT_EQ(allocations, before) << fft->description() << ", " << rows << " x " << columns;
        }
}

TEST(FourierAllocation, DoesNotHappenWhileABlurIsUndone) {
    Array<float> kernel({3, 4});
    for (float& tap : kernel) tap = 1.0f / 12;
    const Array<float> image = tiny_image({30, 41});
    Array<float> result({30, 41});
    for (std::string_view name : deconvolver_names())
        for (DeconvolutionBorder border : {DeconvolutionBorder::taper, DeconvolutionBorder::valid}) {
            if (name == "wiener" && border == DeconvolutionBorder::valid) continue;
            const auto deconvolver = make_deconvolver({.rows = 30,
                                                       .columns = 41,
                                                       .kernel = kernel,
                                                       .sigma = 2,
                                                       .border = border,
                                                       .fft = FftBackend::kiss},
                                                      deconvolution_options(name));
            Context context;
            context.workspace().reserve(deconvolver->workspace_bytes(context));
            ConvergenceLog log(10);
            Status status = deconvolver->run(image, result, context, &log);  // OpenMP starts its threads
            const long before = allocations;
            for (int i = 0; i < 3 && status == Status::ok; ++i)
                status = deconvolver->run(image, result, context, &log);
            EXPECT_EQ(allocations, before) << name << ", " << to_string(border);
            EXPECT_EQ(status, Status::ok);
        }
}

TEST(FourierAllocation, DoesNotHappenWhileACaptureThroughALensIsRecovered) {
    const Model model = tiny_lens_model();
    Context context;
    LensRecovery recovery(model, 30, 41, 4, context);
    recovery.keep_linear();
    const Array<float> capture = tiny_lens_scene(30, 41);
    const std::vector<double> noise(3, 1e-4);
    Array<float> image(capture.shape());
    Status status = recovery.run(capture, noise, image, context);  // OpenMP starts its threads
    const long before = allocations;
    for (int i = 0; i < 3 && status == Status::ok; ++i) status = recovery.run(capture, noise, image, context);
    EXPECT_EQ(allocations, before);
    EXPECT_EQ(status, Status::ok);
}

// A plan with memory; null where one of the two failed.
slx_plan* bound_plan(const slx_model* model, const slx_plan_options& options, slx_error& error) {
    slx_plan* plan = nullptr;
    if (slx_plan_create(model, &options, &plan, &error) == SLX_OK &&
        slx_plan_bind(plan, nullptr, 0, &error) != SLX_OK) {
        slx_plan_destroy(plan);
        plan = nullptr;
    }
    return plan;
}

// The same for captures of 30 x 41 pixels.
slx_plan* bound_lens_plan(const slx_model* model, int threads, slx_error& error) {
    static const Array<float> kernels = gaussian_lens_kernels(5, 0.7, 0.2);
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = 30;
    options.columns = 41;
    options.threads = threads;
    options.electrons = 7000;
    options.lens_kernels = kernels.data();
    options.lens_kernel_size = 5;
    return bound_plan(model, options, error);
}

TEST(FourierAllocation, DoesNotHappenInRunsOfAPlanForALens) {
    const auto bytes = save_model(tiny_lens_model());
    slx_model* model = nullptr;
    slx_error error;
    ASSERT_EQ(slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error), SLX_OK);
    const Array<float> capture = tiny_lens_scene(30, 41);
    Array<float> image(capture.shape());
    std::vector<slx_input> in;
    std::vector<slx_output> out;
    for (Index c = 0; c < 3; ++c) {
        in.push_back({&capture(c, 0, 0), 30, 41, 41});
        out.push_back({&image(c, 0, 0), 30, 41, 41});
    }
    for (const int threads : {1, 2}) {
        slx_plan* plan = bound_lens_plan(model, threads, error);
        ASSERT_NE(plan, nullptr) << error.text;
        int finished = 0, cancelled = 0, late = 0, refused = 0;
        const long before = allocations;
        for (int i = 0; i < 40; ++i) {
            if (i % 4 == 1) slx_plan_cancel(plan);
            slx_plan_set_time_limit(plan, i % 4 == 2 ? 1e-9 : 0, &error);
            if (i % 4 == 3) in[1].columns = 40;
            const slx_status status = slx_plan_run_planes(plan, in.data(), out.data(), 3, &error);
            in[1].columns = 41;
            finished += status == SLX_OK;
            cancelled += status == SLX_CANCELLED;
            late += status == SLX_DEADLINE_EXCEEDED;
            refused += status == SLX_SIZE_MISMATCH;
        }
        EXPECT_EQ(allocations, before) << threads << " threads";
        EXPECT_EQ(finished, 10);
        EXPECT_EQ(cancelled, 10);
        EXPECT_EQ(late, 10);
        EXPECT_EQ(refused, 10);
        slx_plan_destroy(plan);
    }
    slx_model_destroy(model);
}

TEST(FourierAllocation, MayFailWhileAPlanForALensIsCreatedAndBound) {
    if (default_fft_backend() == FftBackend::fftw) GTEST_SKIP() << "FFTW ends the process without memory";
    const auto bytes = save_model(tiny_lens_model());
    slx_model* model = nullptr;
    ASSERT_EQ(slx_model_create_from_memory(bytes.data(), bytes.size(), &model, nullptr), SLX_OK);
    refuse_each_allocation([&](slx_error& error) { return bound_lens_plan(model, 1, error); },
                           slx_plan_destroy);
    slx_model_destroy(model);
}

TEST(FourierAllocation, MayFailWhileAModelForALensIsCreated) {
    const auto bytes = save_model(tiny_lens_model());
    refuse_each_allocation(
        [&](slx_error& error) {
            slx_model* model = nullptr;
            slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error);
            return model;
        },
        slx_model_destroy);
}

std::vector<ShrinkageFieldsOptions> shrinkage_fields_of_every_kind() {
    std::vector<ShrinkageFieldsOptions> all;
    for (BorderTreatment border : {BorderTreatment::valid, BorderTreatment::taper, BorderTreatment::replicate,
                                   BorderTreatment::circular})
        for (ShrinkagePrior prior :
             {ShrinkagePrior::fields_of_experts, ShrinkagePrior::convolutional_network}) {
            ShrinkageFieldsOptions options = tiny_shrinkage_fields();
            options.border = border;
            options.border_width = border == BorderTreatment::circular ? 0 : 3;
            options.prior = prior;
            options.network = {2, 4, 3, Nonlinearity::elu, BoundaryRule::zero};
            options.sigma_degree = 1;
            all.push_back(options);
        }
    return all;
}

TEST(FourierAllocation, DoesNotHappenInRunsOfAReconstructorThatDeblurs) {
    constexpr Index rows = 31, columns = 37;  // primes: of a circular image the domain too
    const Array<float> image = tiny_image({rows, columns});
    const Array<float> kernels[] = {tiny_kernel(7, 5, 1), tiny_kernel(4, 7, 2), tiny_kernel(1, 1)};
    Array<float> result({rows, columns});
    for (const ShrinkageFieldsOptions& options : shrinkage_fields_of_every_kind())
        for (const int threads : {1, 2}) {
            Reconstructor reconstructor(tiny_deblurring_model(options), rows, columns,
                                        {.sigma = 20, .kernel = kernels[0], .threads = threads});
            reconstructor.bind();
            bool all_ok = true;
            const long before = allocations;
            for (int i = 0; i < 30; ++i) {
                reconstructor.set_kernel(kernels[i % 3]);
                reconstructor.set_sigma(static_cast<float>(5 + i));
                all_ok &= reconstructor.run(image, result) == Status::ok;
            }
            EXPECT_EQ(allocations, before) << to_string(options.border) << ", " << threads << " threads";
            EXPECT_TRUE(all_ok);
        }
}

TEST(FourierAllocation, DoesNotHappenInNetworksWithAnyFourierTransform) {
    const Array<float> image = tiny_image({31, 37}), kernel = tiny_kernel(7, 5);
    Array<float> result({31, 37});
    for (FftBackend backend : available_fft_backends())
        for (const ShrinkageFieldsOptions& options : shrinkage_fields_of_every_kind()) {
            const Index border = options.border_width;
            PaddedBlur blur(31, 37, border, border, options.border, DomainSize::exact, backend);
            blur.set_kernel(kernel);
            const auto network = tiny_network(options);
            network->update(25);
            const Observation observation{.data = image, .blur = &blur};
            Context context(make_serial_runner());
            context.workspace().reserve(
                network->run_workspace_bytes(blur.domain()[0], blur.domain()[1], context, observation));
            const long before = allocations;
            EXPECT_EQ(network->run(observation, result, context), Status::ok);
            EXPECT_EQ(allocations, before) << to_string(backend) << ", " << to_string(options.border);
        }
}

TEST(FourierAllocation, MayFailWhileAPlanThatDeblursIsCreatedAndBound) {
    if (default_fft_backend() == FftBackend::fftw) GTEST_SKIP() << "FFTW ends the process without memory";
    const auto bytes = save_model(tiny_deblurring_model());
    const Array<float> kernel = tiny_kernel(5, 4);
    slx_model* model = nullptr;
    ASSERT_EQ(slx_model_create_from_memory(bytes.data(), bytes.size(), &model, nullptr), SLX_OK);
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = options.columns = 30;
    options.threads = 1;
    options.kernel = kernel.data();
    options.kernel_rows = 5;
    options.kernel_columns = 4;
    refuse_each_allocation([&](slx_error& error) { return bound_plan(model, options, error); },
                           slx_plan_destroy);
    slx_model_destroy(model);
}

}  // namespace
}  // namespace sonolux

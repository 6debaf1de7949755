#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include <tests/solvers/classical/deconvolution_cases.hpp>

namespace sonolux {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

template <class Body>
void refuses(const Body& body, const std::string& message) {
    EXPECT_THAT(body, ThrowsMessage<Error>(HasSubstr(message)));
}

/// All four methods, with few iterations and a border that each of them takes.
std::vector<std::unique_ptr<Deconvolver>> all_methods(BlurProblem problem) {
    std::vector<std::unique_ptr<Deconvolver>> all;
    for (std::string_view name : deconvolver_names()) {
        std::vector<std::pair<std::string, std::string>> options;
        if (name != "wiener") options = {{"iterations", "7"}, {"tolerance", "0"}};
        problem.border = name == "wiener" ? DeconvolutionBorder::taper : DeconvolutionBorder::valid;
        all.push_back(make_deconvolver(problem, deconvolution_options(name, options)));
        EXPECT_EQ(all.back()->name(), name);
    }
    return all;
}

TEST(Deconvolution, NamesTheProblemsFieldThatIsWrong) {
    const Array<float> good = random_kernel(3, 3, 1);
    auto make = [](BlurProblem problem) { (void)make_deconvolver(problem, TotalVariationOptions{}); };
    refuses([&] { make({.rows = 0, .columns = 9, .kernel = good, .sigma = 1}); },
            "rows must be at least 1, got 0");
    refuses([&] { make({.rows = 9, .columns = -1, .kernel = good, .sigma = 1}); },
            "columns must be at least 1, got -1");
    for (double sigma : {0.0, -2.0, 256.0})
        refuses([&] { make({.rows = 9, .columns = 9, .kernel = good, .sigma = sigma}); },
                sentence("sigma must be above 0 and at most 255, in units of 1/255, got ", sigma));
    refuses([&] { make({.rows = 9, .columns = 9, .kernel = good, .sigma = std::nan("")}); }, "sigma must be");
    refuses([&] { make({.rows = 2, .columns = 9, .kernel = good, .sigma = 1}); },
            "kernel must not be larger than the image of 2 x 9, got 3 x 3");
    refuses([&] { make({.rows = 9, .columns = 9, .kernel = {}, .sigma = 1}); },
            "kernel must have rows and columns");
    refuses(
        [&] {
            make({.rows = 9, .columns = 9, .kernel = good, .centre = KernelCentre{3, 1}, .sigma = 1});
        },
        "centre");
    Array<float> kernel({2, 2});
    refuses([&] { make({.rows = 9, .columns = 9, .kernel = kernel, .sigma = 1}); },
            "kernel must have sum 1, got zeros only");
    kernel(0, 0) = 255;
    refuses([&] { make({.rows = 9, .columns = 9, .kernel = kernel, .sigma = 1}); },
            "kernel must have sum 1 to within 0.001, got 255");
    kernel(1, 0) = -0.5f;
    refuses([&] { make({.rows = 9, .columns = 9, .kernel = kernel, .sigma = 1}); },
            "kernel must be at least 0, got -0.5 at row 1, column 0");
    kernel(1, 0) = std::numeric_limits<float>::quiet_NaN();
    refuses([&] { make({.rows = 9, .columns = 9, .kernel = kernel, .sigma = 1}); }, "at row 1, column 0");
}

TEST(Deconvolution, NamesTheOptionThatIsWrong) {
    const Array<float> k = single_tap();
    const BlurProblem problem{.rows = 5, .columns = 5, .kernel = k, .sigma = 1};
    auto make = [&](std::string_view name, const std::string& option, const std::string& value) {
        const std::pair<std::string, std::string> options[] = {{option, value}};
        (void)make_deconvolver(problem, deconvolution_options(name, options));
    };
    refuses([&] { make("lucy", "iterations", "3"); },
            "method must be wiener, richardson-lucy, tv or conjugate-gradients, got \"lucy\"");
    refuses([&] { make("tv", "lambda", "3"); },
            "tv: no option \"lambda\"; there are weight, iterations and tolerance");
    refuses([&] { make("tv", "weight", "much"); }, "tv: weight must be a number, got \"much\"");
    refuses([&] { make("tv", "weight", "0"); }, "tv: weight must be above 0, got 0");
    refuses([&] { make("tv", "iterations", "1.5"); }, "tv: iterations must be a whole number, got \"1.5\"");
    refuses([&] { make("tv", "iterations", "0"); }, "tv: iterations must be in 1 to 100000, got 0");
    refuses([&] { make("tv", "tolerance", "-1"); }, "tv: tolerance must be at least 0, got -1");
    refuses([&] { make("richardson-lucy", "total-variation", "0.3"); },
            "richardson-lucy: total-variation must be in 0 to 0.25, got 0.3");
    refuses([&] { make("conjugate-gradients", "weight", "-1"); },
            "conjugate-gradients: weight must be at least 0, got -1");
    refuses([&] { make("conjugate-gradients", "regulariser", "none"); },
            "regulariser must be gradient or identity, got \"none\"");
    refuses([&] { make("wiener", "power", "pink"); },
            "power must be inverse-square or constant, got \"pink\"");
    refuses([] { (void)deconvolution_border_from_string("zero"); },
            "border must be circular, taper or valid, got \"zero\"");
    refuses([] { ConvergenceLog log(0); }, "capacity must be at least 1 iteration, got 0");
}

TEST(Deconvolution, SaysWhatItWasBuiltWith) {
    const Array<float> k = single_tap();
    const BlurProblem problem{.rows = 5, .columns = 5, .kernel = k, .sigma = 1};
    EXPECT_EQ(make_deconvolver(problem, TotalVariationOptions{})->description(),
              "weight 0.00017 from sigma, at most 200 iterations, border valid");
    EXPECT_EQ(make_deconvolver(problem, TotalVariationOptions{.weight = 0.5, .iterations = 3})->description(),
              "weight 0.5, at most 3 iterations, border valid");
}

TEST(Deconvolution, RefusesImagesItWasNotBuiltFor) {
    const Array<float> k = random_kernel(3, 3, 1);
    for (const auto& method : all_methods({.rows = 9, .columns = 8, .kernel = k, .sigma = 1})) {
        Context context;
        Array<float> y = random_image(9, 8, 1), other({8, 9}), x({9, 8});
        EXPECT_EQ(method->run(y, x, context), Status::out_of_memory) << method->name();
        context.workspace().reserve(method->workspace_bytes(context));
        EXPECT_EQ(method->run(other, x, context), Status::size_mismatch) << method->name();
        EXPECT_EQ(method->run(y, other, context), Status::size_mismatch) << method->name();
        y(4, 4) = std::numeric_limits<float>::infinity();
        x(0, 0) = 17;
        EXPECT_EQ(method->run(y, x, context), Status::invalid_argument) << method->name();
        EXPECT_EQ(x(0, 0), 17) << "nothing may be half-written";
    }
}

TEST(Deconvolution, StopsBetweenIterationsWithTheLastImage) {
    const Array<float> k = random_kernel(3, 4, 1), y = random_image(23, 19, 1);
    for (const auto& method : all_methods({.rows = 23, .columns = 19, .kernel = k, .sigma = 1})) {
        if (method->most_iterations() == 0) continue;
        SCOPED_TRACE(std::string(method->name()));
        Context context;
        context.workspace().reserve(method->workspace_bytes(context));
        ConvergenceLog log(method->most_iterations());
        Index reports = 0;
        context.set_progress([&](const Progress& progress) {
            EXPECT_EQ(progress.done, ++reports);
            EXPECT_EQ(progress.total, 7);
            return progress.done < 3;
        });
        Array<float> stopped({23, 19}), three({23, 19});
        EXPECT_EQ(method->run(y, stopped, context, &log), Status::cancelled);
        EXPECT_EQ(log.entries().size(), 3u);
        EXPECT_EQ(log.reason(), StopReason::stopped_by_caller);

        context.set_progress(nullptr);
        context.clear_cancel();
        const std::pair<std::string, std::string> options[] = {{"iterations", "3"}, {"tolerance", "0"}};
        const auto short_method = make_deconvolver({.rows = 23, .columns = 19, .kernel = k, .sigma = 1},
                                                   deconvolution_options(method->name(), options));
        EXPECT_EQ(short_method->run(y, three, context, &log), Status::ok);
        EXPECT_EQ(log.reason(), StopReason::iteration_limit);
        EXPECT_EQ(largest_difference(stopped, three), 0);

        context.set_deadline(Context::Clock::now());
        EXPECT_EQ(method->run(y, stopped, context, &log), Status::deadline_exceeded);
        EXPECT_TRUE(log.entries().empty());
        EXPECT_EQ(largest_difference(stopped, y), 0) << "nothing was done, so the data come back";
    }
}

TEST(Deconvolution, GivesTheSameBitsOnAnyNumberOfThreadsInPlaceAndInTiles) {
    const Array<float> k = random_kernel(4, 3, 1), y = random_image(150, 131, 1);
    for (const auto& method : all_methods({.rows = 150, .columns = 131, .kernel = k, .sigma = 1})) {
        Array<float> serial({150, 131});
        Array<float> in_place = y.clone(), wide({150, 200});
        Context one(make_serial_runner()), three(make_openmp_runner(3));
        for (Context* context : {&one, &three})
            context->workspace().reserve(method->workspace_bytes(*context));
        EXPECT_EQ(method->run(y, serial, one), Status::ok);
        EXPECT_EQ(method->run(in_place, in_place, three), Status::ok);
        EXPECT_EQ(largest_difference(serial, in_place), 0) << method->name();
        const View<float> tile = wide.view().block(0, 40, 150, 131);
        for (Index i = 0; i < 150; ++i) std::copy_n(y.view().row(i), 131, tile.row(i));
        EXPECT_EQ(method->run(tile, tile, one), Status::ok);
        for (Index i = 0; i < 150; ++i)
            for (Index j = 0; j < 131; ++j) ASSERT_EQ(tile(i, j), serial(i, j)) << method->name();
        EXPECT_EQ(wide(10, 39), 0);
        EXPECT_EQ(wide(10, 171), 0);
        EXPECT_GT(largest_difference(serial, y), 0.01) << "something must have been done";
    }
}

TEST(Deconvolution, GivesTheSameWithAndWithoutALog) {
    const Array<float> k = random_kernel(3, 3, 1), y = random_image(24, 25, 1);
    for (const auto& method : all_methods({.rows = 24, .columns = 25, .kernel = k, .sigma = 1})) {
        Context context;
        context.workspace().reserve(method->workspace_bytes(context));
        Array<float> with({24, 25}), without({24, 25});
        ConvergenceLog log(3);
        EXPECT_EQ(method->run(y, with, context, &log), Status::ok);
        EXPECT_EQ(method->run(y, without, context), Status::ok);
        EXPECT_EQ(largest_difference(with, without), 0) << method->name();
        if (method->most_iterations() == 0) continue;
        EXPECT_EQ(log.entries().size(), 3u);
        EXPECT_TRUE(log.truncated());
    }
}

// The kernel turned by 180 degrees undoes nothing: a check that the orientation is the stated one.
TEST(Deconvolution, TakesTheKernelAsATrueConvolution) {
    const Array<float> k = random_kernel(5, 4, 1), scene = drawn_image(54, 53);
    Array<float> turned({5, 4});
    for (Index u = 0; u < 5; ++u)
        for (Index v = 0; v < 4; ++v) turned(u, v) = k(4 - u, 3 - v);
    const Array<float> y = blur_inside(scene, k);  // 50 x 50
    Array<float> truth({50, 50});
    for (Index i = 0; i < 50; ++i)
        for (Index j = 0; j < 50; ++j) truth(i, j) = scene(i + 2, j + 1);  // kernel - 1 - centre (2, 2)
    for (std::string_view name : deconvolver_names()) {
        BlurProblem problem{.rows = 50, .columns = 50, .kernel = k, .sigma = 0.5};
        if (name == "wiener") problem.border = DeconvolutionBorder::taper;
        auto inner_error = [&](const Array<float>& x) {
            double sum = 0;
            for (Index i = 6; i < 44; ++i)
                for (Index j = 6; j < 44; ++j) sum += std::pow(double{x(i, j)} - double{truth(i, j)}, 2);
            return std::sqrt(sum);
        };
        const double right = inner_error(deconvolve(problem, deconvolution_options(name), y));
        problem.kernel = turned;
        problem.centre = KernelCentre{2, 1};
        const double wrong = inner_error(deconvolve(problem, deconvolution_options(name), y));
        EXPECT_LT(right, 0.5 * inner_error(y)) << name;
        EXPECT_LT(right, 0.5 * wrong) << name;
    }
}

TEST(Deconvolution, TapersTheImageTowardsAPeriodicOne) {
    // A ramp, whose ends do not fit together.
    Array<float> y({31, 40}), k({7, 7});
    for (Index i = 0; i < 31; ++i)
        for (Index j = 0; j < 40; ++j) y(i, j) = static_cast<float>(j) / 40;
    for (float& tap : k) tap = 1.0f / 49;
    const DeconvolutionGrid grid(
        {.rows = 31, .columns = 40, .kernel = k, .sigma = 1, .border = DeconvolutionBorder::taper});
    EXPECT_EQ(grid.shape(), (Shape{40, 48}));  // 37 and 46, rounded up to products of 2, 3 and 5
    Context context;
    context.workspace().reserve(grid.enter_workspace_bytes(context));
    Array<float> x(grid.shape()), back({31, 40});
    grid.enter(y, x, context);
    grid.leave(x, back);
    for (Index i = 8; i < 23; ++i)  // what is a kernel's size from the border is as it was
        for (Index j = 8; j < 32; ++j) EXPECT_NEAR(back(i, j), y(i, j), 1e-6);
    double jump = 0, inside = 0;
    for (Index i = 0; i < 40; ++i) {
        jump = std::max(jump, std::abs(double{x(i, 0)} - double{x(i, 47)}));
        for (Index j = 1; j < 48; ++j)
            inside = std::max(inside, std::abs(double{x(i, j)} - double{x(i, j - 1)}));
    }
    EXPECT_LT(jump, 0.25) << "the ends were 1 apart";
    EXPECT_LT(inside, 0.25);
}

}  // namespace
}  // namespace sonolux

// tests/programs/allocation_tests.cpp
//
// A program of its own, because it takes the place of malloc: counts what is allocated while networks run,
// and makes allocations fail while they are set up.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/priors/convolutional_network.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/solvers/classical/deconvolution.hpp>

#include "tests/support/tiny_model.hpp"

namespace {

std::atomic<long> allocations{0};                     // so far
std::atomic<long> live{0};                            // not yet freed
std::atomic<long> first_refused{0}, last_refused{0};  // numbers of the allocations that fail; 0: none
std::atomic<long> refusals{0};

// Counts one allocation; false if it is to fail.
bool allow() {
    const long number = ++allocations;
    const long first = first_refused;
    if (first == 0 || number < first || number > last_refused) return true;
    ++refusals;
    return false;
}

void* counted(void* memory) {
    if (memory != nullptr) ++live;
    return memory;
}

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLX_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLX_SANITIZED
#endif
#endif

#ifdef SLX_SANITIZED

// The sanitizers have taken malloc already: see what C++ allocates.
void* operator new(std::size_t size) {
    void* memory = allow() ? counted(std::malloc(size)) : nullptr;
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return allow() ? counted(std::malloc(size)) : nullptr;
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    void* memory = nullptr;
    if (!allow() || posix_memalign(&memory, static_cast<std::size_t>(alignment), size) != 0) return nullptr;
    return counted(memory);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    void* memory = operator new(size, alignment, std::nothrow);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept {
    if (memory != nullptr) --live;
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { operator delete(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { operator delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { operator delete(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
    operator delete(memory);
}

#else

// Everything that allocates in this process, whatever its language, comes here.
#define SLX_VISIBLE __attribute__((visibility("default")))
extern "C" {
void* __libc_malloc(std::size_t) noexcept;
void* __libc_calloc(std::size_t, std::size_t) noexcept;
void* __libc_realloc(void*, std::size_t) noexcept;
void* __libc_memalign(std::size_t, std::size_t) noexcept;
void __libc_free(void*) noexcept;

SLX_VISIBLE void* malloc(std::size_t size) noexcept {
    if (allow()) return counted(__libc_malloc(size));
    errno = ENOMEM;
    return nullptr;
}
SLX_VISIBLE void* calloc(std::size_t count, std::size_t size) noexcept {
    if (allow()) return counted(__libc_calloc(count, size));
    errno = ENOMEM;
    return nullptr;
}
SLX_VISIBLE void* realloc(void* old, std::size_t size) noexcept {
    if (!allow()) {
        errno = ENOMEM;
        return nullptr;
    }
    void* memory = __libc_realloc(old, size);
    if (old == nullptr) return counted(memory);
    if (memory == nullptr && size == 0) --live;
    return memory;
}
SLX_VISIBLE void* memalign(std::size_t alignment, std::size_t size) noexcept {
    if (allow()) return counted(__libc_memalign(alignment, size));
    errno = ENOMEM;
    return nullptr;
}
SLX_VISIBLE void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    return memalign(alignment, size);
}
SLX_VISIBLE int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
    *memory = memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
SLX_VISIBLE void free(void* memory) noexcept {
    if (memory != nullptr) --live;
    __libc_free(memory);
}
}

#endif

namespace sonolux {
namespace {

constexpr int many_runs = 10000;

// So small that ten thousand runs take seconds, and yet worked on in several pieces by several threads.
VariationalNetworkOptions smallest_architecture() {
    VariationalNetworkOptions options = tiny_architecture();
    options.prior.filters.count = 1;
    options.momentum = true;
    options.sigma_degree = 1;
    return options;
}

struct Case {
    Index rows, columns, tile_rows;
    int threads;
};
constexpr Case cases[] = {{20, 24, 0, 1}, {20, 24, 9, 1}, {20, 24, 9, 2}, {150, 8, 0, 2}};

TEST(Allocation, IsSeenByThisProgram) {
    const long before = allocations;
    const auto image = tiny_image({4, 4});
    EXPECT_GT(allocations, before);
}

TEST(Allocation, DoesNotHappenInTenThousandRunsOfAReconstructor) {
    const Model model = tiny_model(smallest_architecture());
    for (const auto& [rows, columns, tile_rows, threads] : cases) {
        const Array<float> image = tiny_image({rows, columns});
        Array<float> result({rows, columns});
        Reconstructor reconstructor(model, rows, columns,
                                    {.sigma = 20, .tile_rows = tile_rows, .threads = threads});
        reconstructor.bind();
        bool all_ok = true;
        const long before = allocations;
        for (int i = 0; i < many_runs; ++i) all_ok &= reconstructor.run(image, result) == Status::ok;
        EXPECT_EQ(allocations, before) << rows << " x " << columns << ", " << threads << " threads";
        EXPECT_TRUE(all_ok);
    }
}

TEST(Allocation, DoesNotHappenInFourierTransformsOfAnySize) {
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

TEST(Allocation, DoesNotHappenWhileABlurIsUndone) {
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

TEST(Allocation, DoesNotHappenInTenThousandRunsOfThePlanInC) {
    const auto bytes = save_model(tiny_model(smallest_architecture()));
    slx_error error;
    slx_model* model = nullptr;
    ASSERT_EQ(slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error), SLX_OK) << error.text;
    for (const auto& [rows, columns, tile_rows, threads] : cases) {
        const Array<float> image = tiny_image({rows, columns});
        Array<float> result({rows, columns});
        int calls = 0;
        slx_plan_options options{};
        options.size = sizeof options;
        options.rows = static_cast<std::size_t>(rows);
        options.columns = static_cast<std::size_t>(columns);
        options.tile_rows = static_cast<std::size_t>(tile_rows);
        options.sigma = 20;
        options.threads = threads;
        options.progress_host = &calls;
        options.progress = [](void* host, std::ptrdiff_t, std::ptrdiff_t) -> std::int32_t {
            ++*static_cast<int*>(host);
            return 0;
        };
        slx_plan* plan = nullptr;
        ASSERT_EQ(slx_plan_create(model, &options, &plan, &error), SLX_OK) << error.text;
        Array<std::byte> memory({static_cast<Index>(slx_plan_workspace_bytes(plan))});
        ASSERT_EQ(slx_plan_bind(plan, memory.data(), slx_plan_workspace_bytes(plan), &error), SLX_OK);
        const slx_input in{image.data(), options.rows, options.columns, options.columns};
        const slx_output out{result.data(), options.rows, options.columns, options.columns};
        const slx_output wrong{result.data(), options.rows, options.columns + 1, options.columns};
        bool all_right = true;
        const long before = allocations;
        for (int i = 0; i < many_runs; ++i) {
            all_right &= slx_plan_run(plan, &in, &out, &error) == SLX_OK;
            if (i % 100 != 0) continue;  // what a device may also do between frames
            all_right &=
                slx_plan_set_sigma(plan, 5.0f + static_cast<float>(i % 5000) / 100, &error) == SLX_OK;
            all_right &= slx_plan_run(plan, &in, &wrong, &error) == SLX_SIZE_MISMATCH;
            slx_plan_cancel(plan);
            all_right &= slx_plan_run(plan, &in, &out, &error) == SLX_CANCELLED;
        }
        EXPECT_EQ(allocations, before) << rows << " x " << columns << ", " << threads << " threads";
        EXPECT_TRUE(all_right);
        EXPECT_GE(calls, 2 * many_runs);
        slx_plan_destroy(plan);
    }
    slx_model_destroy(model);
}

TEST(Allocation, DoesNotHappenInAConvolutionalNetwork) {
    for (BoundaryRule rule : {BoundaryRule::zero, BoundaryRule::circular, BoundaryRule::symmetric})
        for (int threads : {1, 2}) {
            ConvolutionalNetwork network({3, 5, 3, Nonlinearity::elu, rule});
            const std::vector<float> parameters = network.initial_parameters(1);
            network.update(parameters);
            const Array<float> image = tiny_image({70, 24});
            Array<float> result({70, 24});
            std::vector<float> parameter_bar(parameters.size());
            Context context(make_openmp_runner(threads));
            context.workspace().reserve(network.workspace_bytes(70, 24, context));
            network.gradient(image, result, context);  // OpenMP makes its threads
            const long before = allocations;
            for (int i = 0; i < 100; ++i) {
                network.update(parameters);
                network.gradient(image, result, context);
                network.gradient_vjp(image, image, result, parameter_bar, context);
            }
            EXPECT_EQ(allocations, before) << to_string(rule) << ", " << threads << " threads";
        }
}

// Calls `create` again and again, refusing its first allocation, its second, ... until it needs no more;
// either that one alone, or all from there on. Each time it must say so, create nothing and leave nothing
// behind.
template <class Create, class Destroy>
void refuse_each_allocation(Create create, Destroy destroy, bool may_blame_the_file = false) {
    slx_error error;
    destroy(create(error));  // whatever is allocated once per process
    for (const bool only_one : {true, false}) {
        long needed = 0;
        for (long number = 1; number < 100000; ++number) {
            const long live_before = live;
            refusals = 0;
            last_refused = only_one ? allocations + number : std::numeric_limits<long>::max();
            first_refused = allocations + number;
            auto* handle = create(error);
            first_refused = 0;
            const bool ok = error.status == SLX_OK;
            const bool refused =
                error.status == SLX_OUT_OF_MEMORY || (may_blame_the_file && error.status == SLX_FILE_ERROR);
            ASSERT_TRUE(ok || refused) << "allocation " << number << ": " << error.text;
            ASSERT_EQ(handle != nullptr, ok);
            if (ok) destroy(handle);
            EXPECT_EQ(live, live_before) << "allocation " << number << " fails, and something is not freed";
            if (refusals == 0) {
                EXPECT_TRUE(ok);
                break;
            }
            ++needed;
        }
        EXPECT_GT(needed, 1);
    }
}

TEST(Allocation, MayFailWhileAModelIsCreatedFromMemory) {
    const auto bytes = save_model(tiny_model());
    refuse_each_allocation(
        [&](slx_error& error) {
            slx_model* model = nullptr;
            slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error);
            return model;
        },
        slx_model_destroy);
}

TEST(Allocation, MayFailWhileAModelIsReadFromAFile) {
    const auto bytes = save_model(tiny_model());
    const auto path =
        (std::filesystem::temp_directory_path() / "sonolux_allocation_test.safetensors").string();
    std::FILE* file = std::fopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
    refuse_each_allocation(
        [&](slx_error& error) {
            slx_model* model = nullptr;
            slx_model_create_from_file(path.c_str(), &model, &error);
            return model;
        },
        slx_model_destroy, true);
    std::filesystem::remove(path);
}

TEST(Allocation, MayFailWhileABadModelIsRefused) {
    auto bytes = save_model(tiny_model());
    bytes.back() ^= std::byte{1};
    for (long number = 1; number < 100000; ++number) {
        const long live_before = live;
        slx_error error;
        slx_model* model = nullptr;
        refusals = 0;
        last_refused = std::numeric_limits<long>::max();
        first_refused = allocations + number;
        slx_model_create_from_memory(bytes.data(), bytes.size(), &model, &error);
        first_refused = 0;
        EXPECT_EQ(model, nullptr);
        EXPECT_EQ(live, live_before);
        if (refusals == 0) {
            EXPECT_EQ(error.status, SLX_CORRUPT_DATA);
            break;
        }
        EXPECT_TRUE(error.status == SLX_OUT_OF_MEMORY || error.status == SLX_CORRUPT_DATA) << error.text;
    }
}

TEST(Allocation, MayFailWhileAPlanIsCreatedAndBound) {
    const auto bytes = save_model(tiny_model());
    slx_model* model = nullptr;
    ASSERT_EQ(slx_model_create_from_memory(bytes.data(), bytes.size(), &model, nullptr), SLX_OK);
    slx_thread_runner runner{nullptr, 2, [](void*, std::ptrdiff_t items, slx_task task, void* data) {
                                 for (std::ptrdiff_t i = 0; i < items; ++i) task(data, i, 0);
                             }};
    slx_plan_options options{};
    options.size = sizeof options;
    options.rows = options.columns = 100;
    options.tile_rows = 30;
    options.runner = &runner;
    refuse_each_allocation(
        [&](slx_error& error) {
            slx_plan* plan = nullptr;
            if (slx_plan_create(model, &options, &plan, &error) == SLX_OK &&
                slx_plan_bind(plan, nullptr, 0, &error) != SLX_OK) {
                slx_plan_destroy(plan);
                plan = nullptr;
            }
            return plan;
        },
        slx_plan_destroy);
    slx_model_destroy(model);
}

}  // namespace
}  // namespace sonolux

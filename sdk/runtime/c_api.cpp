// sonolux/sdk/runtime/c_api.cpp
//
// The C interface: checks what C cannot, calls the C++ library, and turns what it throws into status codes.
#include <cmath>
#include <cstdio>
#include <memory>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/sdk/runtime/c_api_checks.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

using namespace sonolux;

namespace {

static_assert(sizeof(slx_error) == 512);
static_assert(SLX_ALIGNMENT == Workspace::alignment);
static_assert(SLX_INTERNAL_ERROR == static_cast<int>(Status::internal_error));

// Empty where nothing was given.
View<const float> to_kernel(const float* kernel, std::size_t rows, std::size_t columns, const char* in) {
    const std::string rows_name = sentence(in, "kernel_rows"), columns_name = sentence(in, "kernel_columns");
    if (kernel == nullptr) {
        require(rows == 0 && columns == 0, Status::invalid_argument, in, "kernel must not be NULL where ",
                rows_name, " x ", columns_name, " are ", rows, " x ", columns);
        return {};
    }
    return {kernel, {to_size(rows, rows_name.c_str()), to_size(columns, columns_name.c_str())}};
}

// Empty where nothing was given: the model's own.
View<const float> to_lens_kernels(const slx_plan_options& given, int channels) {
    if (given.lens_kernels == nullptr) {
        require(given.lens_kernel_size == 0, Status::invalid_argument,
                "options->lens_kernels must not be NULL where lens_kernel_size is ", given.lens_kernel_size);
        return {};
    }
    const Index size = to_size(given.lens_kernel_size, "options->lens_kernel_size");
    require(size % 2 == 1, Status::invalid_argument, "options->lens_kernel_size must be odd, got ", size);
    return {given.lens_kernels, {channels, size, size}};
}

bool recovers_lens(const Model& model) { return model.problem.kind == "lens"; }

bool maps_sound_speed(const Model& model) { return model.problem.kind == "sound_speed"; }

std::unique_ptr<slx_model> checked(Model&& model, std::string_view source) {
    auto handle = std::make_unique<slx_model>();
    handle->model = std::move(model);
    const auto network = network_from_model(handle->model, source);
    handle->parameter_count = static_cast<Index>(network->parameters().size());
    handle->stages = static_cast<int>(network->steps());
    handle->channels = static_cast<int>(network->channels());
    if (maps_sound_speed(handle->model)) {
        const TravelTimeProblem problem = travel_time_problem(handle->model.problem, std::string(source));
        handle->geometry = geometry_hash(problem);
        handle->measurements = problem.geometry.measurements.size();
        handle->rows = static_cast<std::size_t>(problem.geometry.map.rows);
        handle->columns = static_cast<std::size_t>(problem.geometry.map.columns);
    } else if (recovers_lens(handle->model)) {
        const LensProblem lens = lens_problem(handle->model.problem, std::string(source));
        (void)lens_kernels(handle->model);  // has some
        handle->electrons_min = lens.least_full_well;
        handle->electrons_max = lens.most_full_well;
    }
    return handle;
}

// For models that neither denoise nor deblur.
void refuse_image_options(const slx_model& model, const ReconstructorOptions& given, const char* does) {
    require(given.kernel.data() == nullptr && given.sigma == 0, Status::invalid_argument,
            "options->kernel and sigma must not be given: the model ", does);
    require(given.device == nullptr, Status::unsupported, "model \"", model.model.name,
            "\" has no CUDA form: options->device must be NULL or cpu");
}

// For what only plans of images have.
Reconstructor& images_of(slx_plan* plan) {
    require_pointer(plan, "plan");
    require(plan->of_images != nullptr, Status::unsupported,
            plan->of_lens
                ? "the plan recovers captures through a lens: the noise follows from the capture, and "
                  "kernels are those that the plan was created with"
                : "the plan maps the speed of sound: it has no noise level and no kernel");
    return *plan->of_images;
}

float in_grey_levels(double sigma) noexcept { return static_cast<float>(255 * sigma); }

class HostRunner final : public ThreadRunner {
public:
    explicit HostRunner(const slx_thread_runner& host) : host_(host) {}

    int threads() const noexcept override { return host_.threads; }
    void run(Index items, Task task, void* data) noexcept override {
        host_.run(host_.host, items, task, data);
    }

private:
    slx_thread_runner host_;
};

ReconstructorOptions to_options(const slx_plan_options& given) {
    ReconstructorOptions options;
    options.sigma = given.sigma;
    options.tile_rows = to_size(given.tile_rows, "options->tile_rows");
    options.tile_columns = to_size(given.tile_columns, "options->tile_columns");
    options.memory_limit = given.memory_limit;
    options.kernel = to_kernel(given.kernel, given.kernel_rows, given.kernel_columns, "options->");
    options.threads = given.threads;
    if (given.device != nullptr) {
        require(names_device(given.device), Status::invalid_argument,
                "options->device must be NULL, cpu, cuda or cuda:N, got \"", given.device, "\"");
        options.device = open_device(given.device);
    }
    if (given.runner != nullptr) {
        require(given.runner->run != nullptr, Status::invalid_argument,
                "options->runner->run must not be NULL");
        options.runner = std::make_shared<HostRunner>(*given.runner);
    }
    if (given.progress != nullptr)
        options.progress = [call = given.progress, host = given.progress_host](const Progress& progress) {
            return call(host, progress.done, progress.total) == 0;
        };
    return options;
}

}  // namespace

extern "C" {

uint32_t slx_version(void) { return SLX_VERSION_NUMBER; }

const char* slx_status_text(slx_status status) { return to_string(static_cast<Status>(status)); }

slx_status slx_model_create_from_file(const char* path, slx_model** model, slx_error* error) {
    if (model != nullptr) *model = nullptr;
    return guarded(error, [&] {
        require_pointer(path, "path");
        require_pointer(model, "model");
        *model = checked(load_model_file(path), path).release();
    });
}

slx_status slx_model_create_from_memory(const void* bytes, size_t byte_count, slx_model** model,
                                        slx_error* error) {
    if (model != nullptr) *model = nullptr;
    return guarded(error, [&] {
        require_pointer(bytes, "bytes");
        require_pointer(model, "model");
        constexpr const char* source = "model in memory";
        *model =
            checked(load_model({static_cast<const std::byte*>(bytes), byte_count}, source), source).release();
    });
}

void slx_model_destroy(slx_model* model) { delete model; }

slx_status slx_model_get_info(const slx_model* model, slx_model_info* info, slx_error* error) {
    return guarded(error, [&] {
        require_pointer(model, "model");
        require_pointer(info, "info");
        slx_model_info known{};
        known.name = model->model.name.c_str();
        known.problem = model->model.problem.kind.c_str();
        known.licence = model->model.licence.c_str();
        known.sigma_min = in_grey_levels(model->model.problem.sigma_min);
        known.sigma_max = in_grey_levels(model->model.problem.sigma_max);
        known.channels = model->channels;
        known.stages = model->stages;
        known.parameter_count = static_cast<std::size_t>(model->parameter_count);
        const Shape kernel = largest_kernel(model->model.problem);
        known.needs_kernel = model->model.problem.kind == "deblur" ? 1 : 0;
        known.kernel_rows = static_cast<std::size_t>(kernel[0]);
        known.kernel_columns = static_cast<std::size_t>(kernel[1]);
        known.geometry = model->geometry.empty() ? nullptr : model->geometry.c_str();
        known.measurements = model->measurements;
        known.rows = model->rows;
        known.columns = model->columns;
        known.electrons_min = model->electrons_min;
        known.electrons_max = model->electrons_max;
        write_struct(known, info, "info");
    });
}

slx_status slx_plan_create(const slx_model* model, const slx_plan_options* options, slx_plan** plan,
                           slx_error* error) {
    if (plan != nullptr) *plan = nullptr;
    return guarded(error, [&] {
        require_pointer(model, "model");
        require_pointer(plan, "plan");
        const slx_plan_options known = read_struct(options, "options");
        const Index rows = to_size(known.rows, "options->rows"),
                    columns = to_size(known.columns, "options->columns");
        const ReconstructorOptions given = to_options(known);
        auto made = std::make_unique<slx_plan>();
        const bool lens = recovers_lens(model->model);
        require(
            lens || (known.electrons == 0 && known.lens_kernels == nullptr && known.lens_kernel_size == 0),
            Status::invalid_argument, "options->electrons and lens_kernels must not be given: model \"",
            model->model.name, "\" does not recover captures through a lens");
        if (maps_sound_speed(model->model)) {
            require(known.rows == model->rows && known.columns == model->columns, Status::size_mismatch,
                    "options->rows x columns must be those of the model's map, ", model->rows, " x ",
                    model->columns, ", got ", known.rows, " x ", known.columns);
            refuse_image_options(*model, given, "maps the speed of sound");
            SoundSpeedOptions sound;
            sound.threads = given.threads;
            sound.runner = given.runner;
            sound.progress = given.progress;
            made->of_delays = std::make_unique<SoundSpeedReconstructor>(model->model, sound);
        } else if (lens) {
            refuse_image_options(*model, given, "recovers captures through a lens");
            LensOptions captures;
            captures.electrons = known.electrons;
            captures.kernels = to_lens_kernels(known, model->channels);
            captures.memory_limit = given.memory_limit;
            captures.threads = given.threads;
            captures.runner = given.runner;
            captures.progress = given.progress;
            made->of_lens = std::make_unique<LensReconstructor>(model->model, rows, columns, captures);
        } else {
            made->of_images = std::make_unique<Reconstructor>(model->model, rows, columns, given);
        }
        *plan = made.release();
    });
}

void slx_plan_destroy(slx_plan* plan) { delete plan; }

slx_status slx_plan_get_info(const slx_plan* plan, slx_plan_info* info, slx_error* error) {
    return guarded(error, [&] {
        require_pointer(plan, "plan");
        require_pointer(info, "info");
        slx_plan_info known{};
        const auto describe = [&](const Context& context) {
            known.threads = context.threads();
            std::snprintf(known.isa, sizeof known.isa, "%s", to_string(context.isa()));
            std::snprintf(known.device, sizeof known.device, "%s",
                          context.cuda_device() != nullptr ? context.cuda_device()->name().c_str() : "cpu");
        };
        if (plan->of_delays != nullptr) {
            const SoundSpeedReconstructor& maps = *plan->of_delays;
            known.rows = known.tile_rows = static_cast<std::size_t>(maps.rows());
            known.columns = known.tile_columns = static_cast<std::size_t>(maps.columns());
            known.tiles = 1;
            known.workspace_bytes = maps.workspace_bytes();
            known.channels = 1;
            describe(maps.context());
            return write_struct(known, info, "info");
        }
        if (plan->of_lens != nullptr) {
            const LensReconstructor& captures = *plan->of_lens;
            known.rows = known.tile_rows = static_cast<std::size_t>(captures.rows());
            known.columns = known.tile_columns = static_cast<std::size_t>(captures.columns());
            known.tiles = 1;
            known.workspace_bytes = captures.workspace_bytes();
            known.plan_bytes = captures.plan_bytes();
            known.channels = static_cast<int32_t>(captures.channels());
            known.electrons = captures.electrons();
            describe(captures.context());
            return write_struct(known, info, "info");
        }
        const Reconstructor& reconstructor = *plan->of_images;
        known.rows = static_cast<std::size_t>(reconstructor.rows());
        known.columns = static_cast<std::size_t>(reconstructor.columns());
        known.tile_rows = static_cast<std::size_t>(reconstructor.tile_rows());
        known.tile_columns = static_cast<std::size_t>(reconstructor.tile_columns());
        known.tiles = static_cast<std::size_t>(reconstructor.tiles());
        known.workspace_bytes = reconstructor.workspace_bytes();
        known.sigma = reconstructor.sigma();
        describe(reconstructor.context());
        known.plan_bytes = reconstructor.plan_bytes();
        known.channels = static_cast<int32_t>(reconstructor.channels());
        const Shape kernel = reconstructor.largest_kernel();
        known.kernel_rows = static_cast<std::size_t>(kernel[0]);
        known.kernel_columns = static_cast<std::size_t>(kernel[1]);
        write_struct(known, info, "info");
    });
}

size_t slx_plan_workspace_bytes(const slx_plan* plan) {
    if (plan == nullptr) return 0;
    return with_reconstructor(*plan, [](const auto& any) { return any.workspace_bytes(); });
}

slx_status slx_plan_bind(slx_plan* plan, void* memory, size_t byte_count, slx_error* error) {
    return guarded(error, [&] {
        require_pointer(plan, "plan");
        with_reconstructor(*plan, [&](auto& any) {
            if (memory == nullptr && byte_count == 0) return any.bind();
            require_pointer(memory, "memory");
            any.bind({static_cast<std::byte*>(memory), byte_count});
        });
    });
}

slx_status slx_plan_set_sigma(slx_plan* plan, float sigma, slx_error* error) {
    return guarded(error, [&] { images_of(plan).set_sigma(sigma); });
}

slx_status slx_plan_set_kernel(slx_plan* plan, const float* kernel, size_t kernel_rows, size_t kernel_columns,
                               slx_error* error) {
    return guarded(error, [&] {
        require_pointer(plan, "plan");
        require_pointer(kernel, "kernel");
        images_of(plan).set_kernel(
            {kernel, {to_size(kernel_rows, "kernel_rows"), to_size(kernel_columns, "kernel_columns")}});
    });
}

slx_status slx_plan_set_time_limit(slx_plan* plan, double seconds, slx_error* error) {
    return guarded(error, [&] {
        require_pointer(plan, "plan");
        const double limit = seconds == 0 ? HUGE_VAL : seconds;
        with_reconstructor(*plan, [&](auto& any) { any.set_time_limit(limit); });
    });
}

void slx_plan_cancel(slx_plan* plan) {
    if (plan == nullptr) return;
    with_reconstructor(*plan, [](auto& any) { any.cancel(); });
}

}  // extern "C"

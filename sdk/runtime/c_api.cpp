// sonolux/sdk/runtime/c_api.cpp
//
// The C interface: checks what C cannot, calls the C++ library, and turns what it throws into status codes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/sdk/runtime/c_api_handles.hpp>
#include <sonolux/sdk/runtime/model_architecture.hpp>

using namespace sonolux;

namespace {

static_assert(sizeof(slx_error) == 512);
static_assert(SLX_ALIGNMENT == Workspace::alignment);
static_assert(SLX_INTERNAL_ERROR == static_cast<int>(Status::internal_error));

// The one place where exceptions end.
template <class Work>
slx_status guarded(slx_error* error, Work&& work) noexcept {
    try {
        work();
        return report(error, Status::ok);
    } catch (const Error& caught) {
        return report(error, caught.status(), caught.what());
    } catch (const std::bad_alloc&) {
        return report(error, Status::out_of_memory, "out of memory");
    } catch (const std::exception& caught) {
        return report(error, Status::internal_error, caught.what());
    } catch (...) {
        return report(error, Status::internal_error, "an exception of unknown type");
    }
}

template <class T>
void require_pointer(T* pointer, const char* name) {
    require(pointer != nullptr, Status::invalid_argument, name, " must not be NULL");
}

constexpr std::size_t largest_struct = 4096;  // beyond, `size` was never set

// A copy of what the caller, perhaps compiled against another version, knows of the structure.
template <class T>
T read_struct(const T* given, const char* name) {
    require_pointer(given, name);
    const std::size_t size = given->size;
    require(size >= sizeof(std::size_t) && size <= largest_struct, Status::invalid_argument, name,
            "->size must be sizeof the structure, ", sizeof(T), ", got ", size);
    T known{};
    std::memcpy(&known, given, std::min(size, sizeof(T)));
    const auto* bytes = reinterpret_cast<const unsigned char*>(given);
    for (std::size_t i = sizeof(T); i < size; ++i)
        require(bytes[i] == 0, Status::unsupported, name,
                " sets a field that this version of the library does not know, at byte ", i);
    return known;
}

template <class T>
void write_struct(T known, T* asked, const char* name) {
    const std::size_t size = asked->size;
    require(size >= sizeof(std::size_t) && size <= largest_struct, Status::invalid_argument, name,
            "->size must be sizeof the structure, ", sizeof(T), ", got ", size);
    known.size = size;
    std::memcpy(asked, &known, std::min(size, sizeof(T)));
    if (size > sizeof(T))
        std::memset(reinterpret_cast<unsigned char*>(asked) + sizeof(T), 0, size - sizeof(T));
}

Index to_size(std::size_t value, const char* name) {
    require(value <= static_cast<std::size_t>(Reconstructor::largest_size), Status::invalid_argument, name,
            " must be at most ", Reconstructor::largest_size, ", got ", value);
    return static_cast<Index>(value);
}

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
    }
    return handle;
}

// For what only plans of images have.
Reconstructor& images_of(slx_plan* plan) {
    require_pointer(plan, "plan");
    require(plan->of_images != nullptr, Status::unsupported,
            "the plan maps the speed of sound: it has no noise level and no kernel");
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

// Says what is wrong with an image of a run; false if it is fine. Allocates nothing.
template <class Image>
bool refuse_image(const Reconstructor& plan, const Image* image, const char* name, slx_error* error,
                  slx_status& status) noexcept {
    const auto rows = static_cast<std::size_t>(plan.rows());
    const auto columns = static_cast<std::size_t>(plan.columns());
    char text[200];
    if (image == nullptr || image->data == nullptr) {
        std::snprintf(text, sizeof text, "%s%s must not be NULL", name, image == nullptr ? "" : "->data");
        status = report(error, Status::invalid_argument, text);
    } else if (image->rows != rows || image->columns != columns) {
        std::snprintf(text, sizeof text, "%s must be %zu x %zu, the size of the plan, got %zu x %zu", name,
                      rows, columns, image->rows, image->columns);
        status = report(error, Status::size_mismatch, text);
    } else if (image->row_stride > PTRDIFF_MAX / sizeof(float) / rows) {
        std::snprintf(text, sizeof text,
                      "%s->row_stride must be at most %zu, for %zu rows in memory, got %zu", name,
                      static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(float) / rows, rows, image->row_stride);
        status = report(error, Status::size_mismatch, text);
    } else if (image->row_stride < columns) {
        std::snprintf(text, sizeof text,
                      "%s->row_stride must be at least the number of columns, %zu, got %zu", name, columns,
                      image->row_stride);
        status = report(error, Status::size_mismatch, text);
    } else {
        return false;
    }
    return true;
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
        if (maps_sound_speed(model->model)) {
            require(known.rows == model->rows && known.columns == model->columns, Status::size_mismatch,
                    "options->rows x columns must be those of the model's map, ", model->rows, " x ",
                    model->columns, ", got ", known.rows, " x ", known.columns);
            require(given.kernel.data() == nullptr && given.sigma == 0, Status::invalid_argument,
                    "options->kernel and sigma must not be given: the model maps the speed of sound");
            require(given.device == nullptr, Status::unsupported, "model \"", model->model.name,
                    "\" has no CUDA form: options->device must be NULL or cpu");
            SoundSpeedOptions sound;
            sound.threads = given.threads;
            sound.runner = given.runner;
            sound.progress = given.progress;
            made->of_delays = std::make_unique<SoundSpeedReconstructor>(model->model, sound);
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
    return plan->of_delays ? plan->of_delays->workspace_bytes() : plan->of_images->workspace_bytes();
}

slx_status slx_plan_bind(slx_plan* plan, void* memory, size_t byte_count, slx_error* error) {
    return guarded(error, [&] {
        require_pointer(plan, "plan");
        const auto bind = [&](auto& reconstructor) {
            if (memory == nullptr && byte_count == 0) return reconstructor.bind();
            require_pointer(memory, "memory");
            reconstructor.bind({static_cast<std::byte*>(memory), byte_count});
        };
        if (plan->of_delays != nullptr) return bind(*plan->of_delays);
        bind(*plan->of_images);
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
        if (plan->of_delays != nullptr) return plan->of_delays->set_time_limit(limit);
        plan->of_images->set_time_limit(limit);
    });
}

slx_status slx_plan_run(slx_plan* plan, const slx_input* in, const slx_output* out, slx_error* error) {
    return slx_plan_run_planes(plan, in, out, 1, error);
}

slx_status slx_plan_run_planes(slx_plan* plan, const slx_input* in, const slx_output* out, size_t channels,
                               slx_error* error) {
    if (plan == nullptr) return report(error, Status::invalid_argument, "plan must not be NULL");
    if (plan->of_images == nullptr)
        return report(error, Status::unsupported,
                      "the plan maps the speed of sound: call slx_plan_run_delays");
    Reconstructor& reconstructor = *plan->of_images;
    const auto wanted = static_cast<std::size_t>(reconstructor.channels());
    if (channels != wanted) {
        char text[160];
        std::snprintf(text, sizeof text, "the model looks at %zu channel%s together, got %zu%s", wanted,
                      wanted == 1 ? "" : "s", channels,
                      channels == 1 ? ": call slx_plan_run_planes with all of them"
                      : wanted == 1 ? ": run plane by plane"
                                    : "");
        return report(error, Status::size_mismatch, text);
    }
    slx_status refused = SLX_OK;
    constexpr std::size_t most_channels = 4;
    View<const float> from[most_channels];
    View<float> to[most_channels];
    const auto view = [&](const auto& image) {
        return View(image.data, reconstructor.rows(), reconstructor.columns(),
                    static_cast<Index>(image.row_stride));
    };
    for (std::size_t c = 0; c < channels; ++c) {
        char in_name[] = "in[0]", out_name[] = "out[0]";
        in_name[3] = out_name[4] = static_cast<char>('0' + c);
        if (refuse_image(reconstructor, in == nullptr ? nullptr : in + c, channels > 1 && in ? in_name : "in",
                         error, refused) ||
            refuse_image(reconstructor, out == nullptr ? nullptr : out + c,
                         channels > 1 && out ? out_name : "out", error, refused))
            return refused;
        from[c] = view(in[c]);
        to[c] = view(out[c]);
    }
    if (!reconstructor.bound())
        return report(error, Status::invalid_argument,
                      "the plan has no workspace yet: call slx_plan_bind before");
    const Status status = reconstructor.run({from, channels}, {to, channels});
    switch (status) {
        case Status::ok: return report(error, status);
        case Status::invalid_argument:
            return report(error, status,
                          channels > 1
                              ? "planes of out must not overlap each other, nor any of in but, in a plan of "
                                "one tile, the same channel's, whole"
                          : reconstructor.tiles() == 1
                              ? "in and out must be the same image or not overlap"
                              : "in and out must not overlap, since the image is worked on in tiles");
        case Status::cancelled: return report(error, status, "cancelled: the output is not finished");
        case Status::deadline_exceeded:
            return report(error, status, "time is up: the output is not finished");
        case Status::device_error: return report(error, status, reconstructor.device_message());
        default: return report(error, status, to_string(status));
    }
}

void slx_plan_cancel(slx_plan* plan) {
    if (plan == nullptr) return;
    if (plan->of_delays != nullptr)
        plan->of_delays->cancel();
    else
        plan->of_images->cancel();
}

}  // extern "C"

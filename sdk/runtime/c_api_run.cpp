// sonolux/sdk/runtime/c_api_run.cpp
//
// The C interface to runs on images. Nothing here allocates.
#include <cstdio>

#include <sonolux/sdk/runtime/c_api_handles.hpp>

using namespace sonolux;

namespace {

// Says what is wrong with an image of a run; false if it is fine. Allocates nothing.
template <class Image>
bool refuse_image(std::size_t rows, std::size_t columns, const Image* image, const char* name,
                  slx_error* error, slx_status& status) noexcept {
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

// What a run said, in a sentence.
const char* sentence_of(const Reconstructor& images, Status status) noexcept {
    if (status == Status::device_error) return images.device_message();
    if (status != Status::invalid_argument) return to_string(status);
    if (images.channels() > 1)
        return "planes of out must not overlap each other, nor any of in but, in a plan of one tile, the "
               "same "
               "channel's, whole";
    return images.tiles() == 1 ? "in and out must be the same image or not overlap"
                               : "in and out must not overlap, since the image is worked on in tiles";
}

const char* sentence_of(const LensReconstructor& captures, Status) noexcept { return captures.explain(); }

template <class AnyReconstructor>
slx_status run_planes(AnyReconstructor& reconstructor, const slx_input* in, const slx_output* out,
                      std::size_t channels, slx_error* error) noexcept {
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
    constexpr std::size_t most_channels = ChannelSpectrum::most_channels;
    View<const float> from[most_channels];
    View<float> to[most_channels];
    const auto rows = static_cast<std::size_t>(reconstructor.rows());
    const auto columns = static_cast<std::size_t>(reconstructor.columns());
    const auto view = [&](const auto& image) {
        return View(image.data, reconstructor.rows(), reconstructor.columns(),
                    static_cast<Index>(image.row_stride));
    };
    for (std::size_t c = 0; c < channels; ++c) {
        char in_name[] = "in[0]", out_name[] = "out[0]";
        in_name[3] = out_name[4] = static_cast<char>('0' + c);
        if (refuse_image(rows, columns, in == nullptr ? nullptr : in + c, channels > 1 && in ? in_name : "in",
                         error, refused) ||
            refuse_image(rows, columns, out == nullptr ? nullptr : out + c,
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
        case Status::cancelled: return report(error, status, "cancelled: the output is not finished");
        case Status::deadline_exceeded:
            return report(error, status, "time is up: the output is not finished");
        default: return report(error, status, sentence_of(reconstructor, status));
    }
}

}  // namespace

extern "C" {

slx_status slx_plan_run(slx_plan* plan, const slx_input* in, const slx_output* out, slx_error* error) {
    return slx_plan_run_planes(plan, in, out, 1, error);
}

slx_status slx_plan_run_planes(slx_plan* plan, const slx_input* in, const slx_output* out, size_t channels,
                               slx_error* error) {
    if (plan == nullptr) return report(error, Status::invalid_argument, "plan must not be NULL");
    if (plan->of_delays != nullptr)
        return report(error, Status::unsupported,
                      "the plan maps the speed of sound: call slx_plan_run_delays");
    return plan->of_lens ? run_planes(*plan->of_lens, in, out, channels, error)
                         : run_planes(*plan->of_images, in, out, channels, error);
}

}  // extern "C"

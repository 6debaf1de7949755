// sonolux/sdk/runtime/sonolux.hpp
//
// The C interface of Sonolux in C++ clothes: handles that free themselves, and exceptions in place of status
// codes. Header only, C++17, over nothing but sonolux.h, so it works across compilers and versions as the C
// interface does.
//
//     slx::Model model("denoise_sigma25.safetensors");
//     slx::Plan plan(model, 480, 640);
//     plan.bind();
//     while (next_frame(frame)) plan.run(frame, clean);  // std::vector<float> of 480 * 640 values in [0, 1]
//
// A model that deblurs is told the kernel in the plan's options: {.kernel = k, .kernel_rows = 9,
// .kernel_columns = 9} in C++20. One that recovers captures through a lens is told nothing, or {.electrons =
// 8000}, and runs on the camera's channels one after the other, 3 * 480 * 640 values of linear light.
#ifndef SONOLUX_HPP
#define SONOLUX_HPP

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <sonolux/sdk/runtime/sonolux.h>

namespace slx {

/// A failed call: what() is the sentence that the library said.
class Error : public std::runtime_error {
public:
    explicit Error(const slx_error& error) : std::runtime_error(error.text), status_(error.status) {}

    [[nodiscard]] slx_status status() const noexcept { return status_; }

private:
    slx_status status_;
};

namespace detail {

inline void check(slx_status status, const slx_error& error) {
    if (status != SLX_OK) throw Error(error);
}

struct Destroy {
    void operator()(slx_model* model) const noexcept { slx_model_destroy(model); }
    void operator()(slx_plan* plan) const noexcept { slx_plan_destroy(plan); }
};

}  // namespace detail

/// A trained network: slx_model.
class Model {
public:
    /// Reads a model file. Throws slx::Error, as all that follows.
    explicit Model(const std::string& path) {
        slx_error error;
        slx_model* model = nullptr;
        detail::check(slx_model_create_from_file(path.c_str(), &model, &error), error);
        model_.reset(model);
    }

    /// From the bytes of a model file.
    Model(const void* bytes, std::size_t byte_count) {
        slx_error error;
        slx_model* model = nullptr;
        detail::check(slx_model_create_from_memory(bytes, byte_count, &model, &error), error);
        model_.reset(model);
    }

    /// Its texts live as long as the model.
    [[nodiscard]] slx_model_info info() const {
        slx_error error;
        slx_model_info info{};
        info.size = sizeof info;
        detail::check(slx_model_get_info(model_.get(), &info, &error), error);
        return info;
    }

    [[nodiscard]] const slx_model* get() const noexcept { return model_.get(); }

private:
    std::unique_ptr<slx_model, detail::Destroy> model_;
};

/// A model made ready for images of one size: slx_plan.
class Plan {
public:
    /// `options` as in slx_plan_options; its sizes need not be set. The model may go afterwards.
    Plan(const Model& model, std::size_t rows, std::size_t columns, slx_plan_options options = {})
        : rows_(rows), columns_(columns) {
        options.size = sizeof options;
        options.rows = rows;
        options.columns = columns;
        slx_error error;
        slx_plan* plan = nullptr;
        detail::check(slx_plan_create(model.get(), &options, &plan, &error), error);
        plan_.reset(plan);
        channels_ = static_cast<std::size_t>(info().channels);
    }

    [[nodiscard]] slx_plan_info info() const {
        slx_error error;
        slx_plan_info info{};
        info.size = sizeof info;
        detail::check(slx_plan_get_info(plan_.get(), &info, &error), error);
        return info;
    }

    [[nodiscard]] std::size_t workspace_bytes() const noexcept {
        return slx_plan_workspace_bytes(plan_.get());
    }

    /// With memory of the library.
    void bind() { bind(nullptr, 0); }

    /// With memory of yours, aligned to SLX_ALIGNMENT.
    void bind(void* memory, std::size_t byte_count) {
        slx_error error;
        detail::check(slx_plan_bind(plan_.get(), memory, byte_count, &error), error);
    }

    void set_sigma(float sigma) {
        slx_error error;
        detail::check(slx_plan_set_sigma(plan_.get(), sigma, &error), error);
    }

    /// For models that need a kernel: another one, rows * columns taps.
    void set_kernel(const float* kernel, std::size_t rows, std::size_t columns) {
        slx_error error;
        detail::check(slx_plan_set_kernel(plan_.get(), kernel, rows, columns, &error), error);
    }

    /// Seconds for each run from now on; 0: no limit.
    void set_time_limit(double seconds) {
        slx_error error;
        detail::check(slx_plan_set_time_limit(plan_.get(), seconds, &error), error);
    }

    /// From any thread.
    void cancel() noexcept { slx_plan_cancel(plan_.get()); }

    /// Returns true if the reconstruction was finished, and false if it was cancelled or time was up: `out`
    /// then holds what there was. Throws for everything else.
    bool run(const slx_input& in, const slx_output& out) {
        slx_error error;
        const slx_status status = slx_plan_run(plan_.get(), &in, &out, &error);
        if (status == SLX_CANCELLED || status == SLX_DEADLINE_EXCEEDED) return false;
        detail::check(status, error);
        return true;
    }

    /// The same for the channels of one image, which a colour model looks at together.
    bool run(const std::vector<slx_input>& in, const std::vector<slx_output>& out) {
        if (in.size() != out.size())
            throw std::invalid_argument("input and output must have as many channels, got " +
                                        std::to_string(in.size()) + " and " + std::to_string(out.size()));
        slx_error error;
        const slx_status status = slx_plan_run_planes(plan_.get(), in.data(), out.data(), in.size(), &error);
        if (status == SLX_CANCELLED || status == SLX_DEADLINE_EXCEEDED) return false;
        detail::check(status, error);
        return true;
    }

    /// The model's channels one after the other, without gaps: channels * rows * columns values.
    bool run(const std::vector<float>& in, std::vector<float>& out) {
        const std::size_t plane = rows_ * columns_;
        if (in.size() != channels_ * plane || out.size() != channels_ * plane)
            throw std::invalid_argument("images must have " +
                                        (channels_ > 1 ? std::to_string(channels_) + " x " : std::string()) +
                                        std::to_string(plane) + " values, the size of the plan, got " +
                                        std::to_string(in.size()) + " and " + std::to_string(out.size()));
        if (channels_ == 1)
            return run(slx_input{in.data(), rows_, columns_, columns_},
                       slx_output{out.data(), rows_, columns_, columns_});
        std::vector<slx_input> from;
        std::vector<slx_output> to;
        for (std::size_t c = 0; c < channels_; ++c) {
            from.push_back({in.data() + c * plane, rows_, columns_, columns_});
            to.push_back({out.data() + c * plane, rows_, columns_, columns_});
        }
        return run(from, to);
    }

    /// Of models that map the speed of sound (the rows and columns of the plan are those of the map): delays
    /// to a map, and, where they are not null, how far it is to be trusted and what the frame was. Returns as
    /// the others do. The pointers in `in`, `out` and `trust` are as in sonolux.h.
    bool run(const slx_delays& in, const slx_speed_map& out, slx_map_trust* trust = nullptr,
             slx_frame_report* frame = nullptr) {
        slx_error error;
        const slx_status status =
            slx_plan_run_delays_with_trust(plan_.get(), &in, &out, trust, frame, &error);
        if (status == SLX_CANCELLED || status == SLX_DEADLINE_EXCEEDED) return false;
        detail::check(status, error);
        return true;
    }

    /// The same in vectors, without a mask: NaN where nothing was measured. `geometry` is what the model's
    /// info says; `speed` receives rows * columns values in m/s and, if they are not null, so do `deviation`
    /// (m/s) and `frame`. Throws std::invalid_argument for delays that are not measurements * rows * columns.
    bool run_delays(const std::string& geometry, const std::vector<float>& delays, std::vector<float>& speed,
                    std::vector<float>* deviation = nullptr, slx_frame_report* frame = nullptr,
                    double* score = nullptr) {
        const std::size_t pixels = rows_ * columns_;
        if (delays.empty() || delays.size() % pixels != 0)
            throw std::invalid_argument("delays must be measurements * " + std::to_string(pixels) +
                                        " values, got " + std::to_string(delays.size()));
        speed.resize(pixels);
        if (deviation != nullptr) deviation->resize(pixels);
        slx_map_trust trust{deviation != nullptr ? deviation->data() : nullptr, nullptr, 0, 0};
        const bool judge = deviation != nullptr || score != nullptr;
        const bool finished =
            run(slx_delays{geometry.c_str(), delays.data(), nullptr, delays.size() / pixels, rows_, columns_},
                slx_speed_map{speed.data(), nullptr, rows_, columns_}, judge ? &trust : nullptr, frame);
        if (score != nullptr) *score = trust.score;
        return finished;
    }

    [[nodiscard]] slx_plan* get() noexcept { return plan_.get(); }

private:
    std::unique_ptr<slx_plan, detail::Destroy> plan_;
    std::size_t rows_, columns_, channels_ = 1;
};

}  // namespace slx

#endif  // SONOLUX_HPP

// sonolux/sdk/runtime/c_api_sound_speed.cpp
//
// The C interface to models that map the speed of sound.
#include <cstdio>

#include <sonolux/sdk/runtime/c_api_handles.hpp>

using namespace sonolux;

extern "C" {

slx_status slx_plan_run_delays(slx_plan* plan, const slx_delays* in, const slx_speed_map* out,
                               slx_frame_report* frame, slx_error* error) {
    return slx_plan_run_delays_with_trust(plan, in, out, nullptr, frame, error);
}

slx_status slx_plan_run_delays_with_trust(slx_plan* plan, const slx_delays* in, const slx_speed_map* out,
                                          slx_map_trust* trust, slx_frame_report* frame, slx_error* error) {
    const auto refuse = [&](const char* text) { return report(error, Status::invalid_argument, text); };
    if (plan == nullptr) return refuse("plan must not be NULL");
    if (plan->of_delays == nullptr)
        return report(error, Status::unsupported,
                      plan->of_lens ? "the plan recovers captures through a lens: call slx_plan_run_planes"
                                    : "the plan reconstructs images: call slx_plan_run");
    if (in == nullptr || in->delays == nullptr)
        return refuse(in == nullptr ? "in must not be NULL" : "in->delays must not be NULL");
    if (out == nullptr || out->speed == nullptr)
        return refuse(out == nullptr ? "out must not be NULL" : "out->speed must not be NULL");
    SoundSpeedReconstructor& maps = *plan->of_delays;
    const auto measurements = static_cast<std::size_t>(maps.measurements());
    const auto rows = static_cast<std::size_t>(maps.rows()),
               columns = static_cast<std::size_t>(maps.columns());
    char text[400];
    if (in->measurements != measurements || in->rows != rows || in->columns != columns || out->rows != rows ||
        out->columns != columns) {
        std::snprintf(
            text, sizeof text,
            "in must be %zu x %zu x %zu and out %zu x %zu, as the model's geometry, got %zu x %zu x "
            "%zu and %zu x %zu",
            measurements, rows, columns, rows, columns, in->measurements, in->rows, in->columns, out->rows,
            out->columns);
        return report(error, Status::size_mismatch, text);
    }
    if (in->geometry == nullptr)
        return refuse("in->geometry must be the hash of the delays' geometry, got NULL");
    if (std::strcmp(in->geometry, maps.geometry().c_str()) != 0) {
        std::snprintf(
            text, sizeof text,
            "in->geometry must be that of the model, %s: these are delays of another geometry, %.64s",
            maps.geometry().c_str(), in->geometry);
        return report(error, Status::invalid_argument, text);
    }
    const Shape domain{maps.rows(), maps.columns()}, range{maps.measurements(), maps.rows(), maps.columns()};
    MapTrust found;
    if (trust != nullptr && trust->deviation != nullptr) found.deviation = {trust->deviation, domain};
    if (trust != nullptr && trust->residual != nullptr) found.residual = {trust->residual, range};
    const Status status = maps.run(
        {in->delays, range}, in->mask != nullptr ? View<const float>(in->mask, range) : View<const float>(),
        {out->speed, domain}, out->support != nullptr ? View<float>(out->support, domain) : View<float>(),
        trust != nullptr ? &found : nullptr);
    if (trust != nullptr) {
        trust->unexplained = found.unexplained;
        trust->score = found.score;
    }
    if (frame != nullptr) {
        frame->uniform_speed = maps.report().uniform_speed;
        frame->deviation = maps.report().deviation;
        frame->measured = maps.report().measured;
    }
    switch (status) {
        case Status::ok: return report(error, status);
        case Status::cancelled: return report(error, status, "cancelled: the map is not finished");
        case Status::deadline_exceeded: return report(error, status, "time is up: the map is not finished");
        default: maps.explain(text, sizeof text); return report(error, status, text);
    }
}

}  // extern "C"

// sonolux/sdk/runtime/c_api_handles.hpp
//
// What the handles of the C interface hold, and how its functions say what went wrong. Private to the sources
// of the C interface.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include <sonolux/sdk/runtime/sonolux.h>
#include <sonolux/sdk/runtime/lens_reconstructor.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>
#include <sonolux/sdk/runtime/sound_speed_reconstructor.hpp>

struct slx_model {
    sonolux::Model model;
    sonolux::Index parameter_count = 0;
    int stages = 0, channels = 1;
    std::string geometry;  // hash, of models that map the speed of sound
    std::size_t measurements = 0, rows = 0, columns = 0;
    double electrons_min = 0, electrons_max = 0;  // at white, of models that recover captures through a lens
};

// One of them.
struct slx_plan {
    std::unique_ptr<sonolux::Reconstructor> of_images;
    std::unique_ptr<sonolux::SoundSpeedReconstructor> of_delays;
    std::unique_ptr<sonolux::LensReconstructor> of_lens;
};

namespace sonolux {

/// work(reconstructor) of the one that the plan has.
template <class Work>
auto with_reconstructor(const slx_plan& plan, Work&& work) {
    if (plan.of_delays != nullptr) return work(*plan.of_delays);
    if (plan.of_lens != nullptr) return work(*plan.of_lens);
    return work(*plan.of_images);
}

/// Fills `error` without allocating; texts that do not fit end in "...".
inline slx_status report(slx_error* error, Status status, const char* text = "") noexcept {
    const auto code = static_cast<slx_status>(status);
    if (error == nullptr) return code;
    error->status = code;
    constexpr std::size_t room = sizeof error->text;
    const std::size_t length = std::strlen(text);
    std::memcpy(error->text, text, std::min(length + 1, room));
    if (length >= room) {
        std::size_t end = room - 4;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
            --end;  // whole UTF-8 characters
        std::memcpy(error->text + end, "...", 4);
    }
    return code;
}

}  // namespace sonolux

// sound_speed: maps the speed of sound from what an ultrasound probe recorded.
//
//     sound_speed MODEL RECORDING OUTPUT.png
//     sound_speed models/sound_speed_diverging.safetensors recording.hdf5 speed.png
//
// RECORDING is RF in zea HDF5, UFF or MATLAB, of the transmissions that the model compares: single elements,
// virtual sources or plane waves (`sonolux inspect MODEL` lists them). OUTPUT shows the B-mode image beside
// the map in m/s.
#include <algorithm>
#include <cstdio>
#include <exception>

#include <sonolux/sdk/files/channel_data_file.hpp>
#include <sonolux/sdk/files/image.hpp>
#include <sonolux/sdk/pipelines/measured_traces.hpp>
#include <sonolux/sdk/pipelines/sound_speed.hpp>
#include <sonolux/sdk/runtime/model.hpp>

namespace {

void map_sound_speed(const char* model_path, const char* input_path, const char* output_path) {
    // 1. What to run, and what to run it on. Elements that do not hear and samples that are not there are
    // found and left out.
    const sonolux::Model model = sonolux::load_model_file(model_path);
    const sonolux::ChannelDataFile file = sonolux::read_channel_data_file(input_path, {});
    sonolux::MeasuredTraces traces = sonolux::measured_traces(file.data, "sound_speed");
    if (!traces.remark.empty()) std::printf("%s: %s\n", input_path, traces.remark.c_str());

    // 2. A pipeline for this probe: band-pass, an image for each transmission, tracking between pairs of
    // them, and the network. The speed that images are formed with is found in the first frame.
    sonolux::SoundSpeedPipelineOptions options;
    options.method = sonolux::InversionMethod::network;
    options.model = &model;
    options.delays.pairs.beamforming.measured = std::move(traces.ranges);
    sonolux::Context context;
    sonolux::SoundSpeedPipeline pipeline(file.data.acquisition, file.data.frame(0), std::move(options),
                                         context);

    // 3. From here on nothing allocates: a scanner runs this for frame after frame.
    sonolux::SoundSpeedFrame frame = pipeline.make_frame();
    pipeline.explain(pipeline.run(file.data.frame(0), frame, context), frame);

    // 4. What came out. Pixels that no ray of any pair comes through are NaN.
    const auto [lowest, highest] = [&] {
        double low = 1e9, high = 0;
        for (const float speed : frame.sound_speed)
            if (speed == speed) {
                low = std::min<double>(low, speed);
                high = std::max<double>(high, speed);
            }
        return std::pair(low, high);
    }();
    std::printf("%s: %.0f to %.0f m/s, %.1f m/s if it were uniform\n", output_path, lowest, highest,
                1 / frame.record.uniform_slowness);
    std::printf("delays: %.0f %% measured, %.1f ns unexplained by a uniform speed, %.1f ns by the map\n",
                100 * frame.delays.valid_share, 1e9 * frame.record.misfit_before,
                1e9 * frame.record.misfit_after);
    std::printf("one frame: images and tracking %.0f ms, network %.1f ms\n",
                1e3 * (frame.filter_seconds + frame.delay_seconds), 1e3 * frame.inversion_seconds);
    sonolux::write_image(output_path,
                         sonolux::draw_sound_speed(pipeline, frame, input_path, context).planes().view());
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) {
        std::fprintf(stderr, "usage: sound_speed MODEL RECORDING OUTPUT.png\n");
        return 2;
    }
    try {
        map_sound_speed(arguments[1], arguments[2], arguments[3]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sound_speed: %s\n", error.what());
        return 1;
    }
}

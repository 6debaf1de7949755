// sonolux/sdk/pipelines/reconstruct.cpp
#include <sonolux/sdk/pipelines/reconstruct.hpp>

#include <sonolux/sdk/runtime/model_architecture.hpp>
#include <sonolux/sdk/runtime/reconstructor.hpp>

namespace sonolux {

Image reconstruct(const Model& model, const Image& image, const std::string& source,
                  const ReconstructOptions& options, ReconstructSummary* summary) {
    const Index model_channels = channels(architecture_of(model));
    require_channels(image.channels(), model_channels, options.channels, source, model.name);
    const bool to_luma = options.channels == ChannelRule::luma && image.channels() > model_channels;
    Image result;
    if (to_luma) result = to_grey(image);
    const View<const float> input = to_luma ? result.pixels.view() : image.pixels.view();

    ReconstructorOptions plan;
    plan.sigma = static_cast<float>(options.sigma);
    plan.kernel = options.kernel;
    plan.tile_rows = plan.tile_columns = options.tile;
    plan.threads = options.threads;
    plan.progress = options.progress;
    plan.device = options.device;
    Reconstructor reconstructor(model, image.rows(), image.columns(), plan);
    reconstructor.bind();
    Array<float> output(input.shape());
    const auto begin = Context::Clock::now();
    const Status status = run_channels(reconstructor, input, output, options.channels);
    const std::chrono::duration<double> taken = Context::Clock::now() - begin;
    require(status != Status::cancelled, status, source, ": cancelled");
    require(status != Status::device_error, status, source, ": ", reconstructor.device_message());
    require(status == Status::ok, status, source, ": ", reconstructor.explain(input, output));
    if (summary != nullptr)
        *summary = {reconstructor.tiles(),
                    reconstructor.tile_rows(),
                    reconstructor.tile_columns(),
                    reconstructor.workspace_bytes(),
                    taken.count(),
                    static_cast<double>(reconstructor.sigma()),
                    model_channels,
                    reconstructor.context().description()};
    result.pixels = std::move(output);
    result.bits = image.bits;
    result.format = image.format;
    return result;
}

}  // namespace sonolux

// sonolux/solvers/shrinkage_fields.cpp
#include <algorithm>
#include <cmath>

#include <sonolux/solvers/shrinkage_fields.hpp>
#include <sonolux/solvers/shrinkage_stage.hpp>

namespace sonolux {

std::unique_ptr<UnrolledNetwork> make_shrinkage_fields(const ShrinkageFieldsOptions& options) {
    require(options.stages >= 1 && options.stages <= 100, Status::invalid_argument,
            "stages must be 1 to 100, got ", options.stages);
    require(options.border_width >= 0 && options.border_width <= 64, Status::invalid_argument,
            "border_width must be 0 to 64, got ", options.border_width);
    require(options.border != BorderTreatment::circular || options.border_width == 0,
            Status::invalid_argument, "border_width must be 0 for a circular border, got ",
            options.border_width);
    std::vector<std::unique_ptr<Stage>> distinct;
    for (int s = 0; s < (options.shared_parameters ? 1 : options.stages); ++s)
        distinct.push_back(std::make_unique<ShrinkageStage>(options));
    return std::make_unique<UnrolledNetwork>(std::move(distinct), options.stages, options.value_scale,
                                             options.scale_by_sigma, options.sigma_reference);
}

void initialise(UnrolledNetwork& network, const ShrinkageFieldsOptions& options, std::uint64_t seed) {
    const FieldsOfExpertsOptions& experts = options.experts;
    const int size = experts.filters.size;
    const Index taps = Index{size} * size;
    const FilterBank bank(experts.filters), dct({FilterKind::dct, 1, size});
    std::vector<float> activation;
    if (options.prior == ShrinkagePrior::fields_of_experts) {
        const double threshold = 0.05 * experts.activation.table_upper;
        const bool residual = options.form == ShrinkageForm::residual;
        activation = Activation(experts.activation).fit([&](double z) {
            const double removed = threshold * std::tanh(z / threshold);
            return (residual ? removed : z - removed) / experts.scale;
        });
    }
    std::vector<float> convolutions;
    const float* next_convolution = nullptr;

    const std::span<float> all = network.parameters();
    std::fill(all.begin(), all.end(), 0.0f);
    std::uint64_t stage = 0;
    for (const Parameter& parameter : network.layout()) {
        float* values = all.data() + parameter.offset;
        if (parameter.name.ends_with(".filters")) {
            for (Index f = 0; f < experts.filters.count; ++f) {
                const Index atom = f % (taps - 1);
                if (experts.filters.kind == FilterKind::dct) {
                    values[f * bank.coefficients() + atom] = 1;
                } else {
                    std::vector<float> unit(static_cast<std::size_t>(taps - 1));
                    unit[static_cast<std::size_t>(atom)] = 1;
                    dct.realise(unit, View<float>(values + f * taps, {1, size, size}));
                }
            }
            if (options.prior == ShrinkagePrior::convolutional_network) {
                convolutions = ConvolutionalNetwork(options.network).initial_parameters(seed + stage++);
                next_convolution = convolutions.data();
            }
        } else if (parameter.name.ends_with(".activation")) {
            for (Index f = 0; f < experts.filters.count; ++f)
                std::copy(activation.begin(), activation.end(), values + f * experts.activation.nodes);
        } else if (parameter.name.ends_with(".log_data_weight")) {
            // The filters pass about as much of each frequency as there are of them.
            values[0] =
                static_cast<float>(std::log(std::min<double>(experts.filters.count, double(taps - 1))));
        } else {  // weights and biases of a convolutional network, layer after layer
            std::copy_n(next_convolution, parameter.shape.elements(), values);
            next_convolution += parameter.shape.elements();
        }
    }
}

std::unique_ptr<PaddedBlur> make_padded_blur(const ShrinkageFieldsOptions& options, Index rows, Index columns,
                                             Index kernel_radius_rows, Index kernel_radius_columns,
                                             DomainSize size) {
    const bool circular = options.border == BorderTreatment::circular;
    const Index least = circular ? 0 : options.border_width;
    return std::make_unique<PaddedBlur>(rows, columns, circular ? 0 : std::max(kernel_radius_rows, least),
                                        circular ? 0 : std::max(kernel_radius_columns, least), options.border,
                                        size);
}

}  // namespace sonolux

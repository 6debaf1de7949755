// sonolux/simulation/acoustics/kspace_second_order.cpp
//
// The set-up; kspace_second_order_step.cpp holds the steps.
#include <cmath>
#include <numbers>

#include <sonolux/simulation/acoustics/kspace_factors.hpp>
#include <sonolux/simulation/acoustics/kspace_second_order.hpp>
#include <sonolux/simulation/acoustics/power_law_absorption.hpp>

namespace sonolux {
namespace {

const KspaceSetup& checked(const KspaceSetup& setup) {
    require_valid(setup);
    const std::string reason = KspaceSecondOrder::why_not(setup);
    require(reason.empty(), Status::unsupported, "the second-order scheme is not valid: ", reason);
    return setup;
}

/// A scalar density, and none that is said to differ between the points.
bool is_uniform(const KspaceMedium& medium) {
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const ScalarOrField& staggered = medium.staggered_density[axis];
        if (medium.has_staggered_density[axis] &&
            (staggered.varies() ||
             std::abs(staggered.scalar - medium.density.scalar) > 1e-6 * medium.density.scalar))
            return false;
    }
    return !medium.density.varies();
}

/// What a source changes by from one step to the next: in the first-order scheme it feeds the density, whose
/// rate of change the second-order scheme has.
PointSource differences(const PointSource& source) {
    if (source.empty()) return {};
    PointSource result = source;
    const Index width = source.one_for_all ? 1 : static_cast<Index>(source.points.size());
    result.samples = source.samples + 1;
    result.signal.resize(static_cast<std::size_t>(result.samples * width));
    for (Index i = 0; i < result.samples * width; ++i) {
        const double here = i < source.samples * width
                                ? static_cast<double>(source.signal[static_cast<std::size_t>(i)])
                                : 0.0;
        const double before =
            i >= width ? static_cast<double>(source.signal[static_cast<std::size_t>(i - width)]) : 0.0;
        result.signal[static_cast<std::size_t>(i)] = static_cast<float>(here - before);
    }
    return result;
}

}  // namespace

std::string KspaceSecondOrder::why_not(const KspaceSetup& setup) {
    if (setup.grid.size.volume()) return "the grid is three-dimensional";
    if (setup.medium.nonlinear) return "the medium is nonlinear";
    for (const PointSource& source : setup.sources.velocity)
        if (!source.empty()) return "there is a velocity source";
    if (setup.sources.pressure.empty()) return {};
    if (setup.sources.pressure.mode == SourceMode::dirichlet) return "the pressure is prescribed at points";
    if (!setup.sources.initial_pressure.empty())
        return "there are both an initial pressure and a pressure source";
    return {};
}

KspaceSecondOrder::KspaceSecondOrder(const KspaceSetup& setup, Context& context)
    : grid_(checked(setup).grid),
      transform_(grid_.size, context, setup.fft, setup.planning),
      uniform_density_(is_uniform(setup.medium)),
      absorption_(setup.medium.absorption) {
    const KspaceSize& size = grid_.size;
    const Shape shape{size.rows, size.columns};
    const double reference_speed = setup.medium.reference_speed > 0
                                       ? setup.medium.reference_speed
                                       : setup.medium.sound_speed.largest(size.points());
    pressure_ = Array<float>(shape);
    increment_ = Array<float>(shape);
    const bool one_spectrum = uniform_density_ && absorption_ != KspaceAbsorption::power_law;
    for (std::size_t axis = 0; axis < (one_spectrum ? 1 : 2); ++axis)
        spectra_[axis] = transform_.make_spectrum();
    lines_ = Array<float>({context.threads(), 2, strip_rows, (size.columns + 15) / 16 * 16});
    source_ = RowSource(differences(setup.sources.pressure), size);
    if (absorption_ != KspaceAbsorption::none) whole_source_ = RowSource(setup.sources.pressure, size);
    if (!setup.sources.initial_pressure.empty()) {
        initial_pressure_ = Array<float>(shape);
        std::copy_n(setup.sources.initial_pressure.data(), size.points(), initial_pressure_.data());
    }
    set_medium(setup.medium);
    if (absorption_ != KspaceAbsorption::none) set_absorption(setup.medium);
    layer_ = SecondOrderLayer(setup, reference_speed, uniform_density_, context.threads());

    const double half_step = reference_speed * grid_.time_step / 2;
    if (uniform_density_) {
        factors_ = kspace_table(
            transform_, grid_.spacing,
            [](double k, const double* half) { return -std::pow(std::sin(*half * k) / *half, 2); },
            &half_step);
    } else {
        factors_ = kspace_table(
            transform_, grid_.spacing,
            [](double k, const double* half) { return k == 0 ? 1.0 : std::sin(*half * k) / (*half * k); },
            &half_step);
        forward_ = KspaceDerivatives(transform_, grid_.spacing, +1);
        backward_ = KspaceDerivatives(transform_, grid_.spacing, -1);
    }
    if (source_.filtered()) {
        cosines_ = kspace_table(
            transform_, grid_.spacing, [](double k, const double* half) { return std::cos(*half * k); },
            &half_step);
        source_spectrum_ = transform_.make_spectrum();
        source_.prepare(context, transform_, cosines_, source_spectrum_.data());
        whole_source_.prepare(context, transform_, cosines_, source_spectrum_.data());
    }
}

void KspaceSecondOrder::set_medium(const KspaceMedium& medium) {
    const KspaceSize& size = grid_.size;
    const ScalarOrField& speed = medium.sound_speed;
    squared_ = Array<float>({speed.varies() ? size.rows : 1, size.columns});
    squared_stride_ = speed.varies() ? size.columns : 0;
    for (Index i = 0; i < squared_.elements(); ++i)
        squared_.data()[i] = static_cast<float>(std::pow(speed.at(i) * grid_.time_step, 2));
    if (uniform_density_) return;
    rest_density_ = Array<float>({size.rows, size.columns});
    for (Index i = 0; i < size.points(); ++i)
        rest_density_.data()[i] = static_cast<float>(medium.density.at(i));
    for (std::size_t axis = 0; axis < 2; ++axis) {
        per_density_[axis] = Array<float>({size.rows, size.columns});
        for (Index i = 0; i < size.points(); ++i) {
            const bool last =
                axis == 0 ? i % size.columns + 1 == size.columns : i / size.columns + 1 == size.rows;
            const Index next = last ? i : i + (axis == 0 ? 1 : size.columns);
            per_density_[axis].data()[i] =
                static_cast<float>(1 / (medium.has_staggered_density[axis]
                                            ? medium.staggered_density[axis].at(i)
                                            : (medium.density.at(i) + medium.density.at(next)) / 2));
        }
    }
}

void KspaceSecondOrder::set_absorption(const KspaceMedium& medium) {
    const KspaceSize& size = grid_.size;
    const double power = absorption_ == KspaceAbsorption::stokes ? 2 : medium.attenuation_power;
    const bool varies = medium.attenuation.varies() || medium.sound_speed.varies();
    density_ = Array<float>({size.rows, size.columns});
    tau_ = Array<float>({varies ? size.rows : 1, size.columns});
    eta_ = Array<float>({varies ? size.rows : 1, size.columns});
    ones_ = Array<float>({size.columns});
    std::fill(ones_.begin(), ones_.end(), 1.0f);
    absorption_stride_ = varies ? size.columns : 0;
    for (Index i = 0; i < tau_.elements(); ++i) {
        const AbsorptionCoefficients c =
            absorption_coefficients(medium.attenuation.at(i), power, medium.sound_speed.at(i));
        tau_.data()[i] = static_cast<float>(-c.tau / grid_.time_step);
        eta_.data()[i] = static_cast<float>(c.eta);
    }
    if (absorption_ == KspaceAbsorption::stokes) return;
    const auto of = [](double k, const double* exponent) { return k == 0 ? 0.0 : std::pow(k, *exponent); };
    const double of_tau = power - 2, of_eta = power - 1;
    tau_powers_ = kspace_table(transform_, grid_.spacing, of, &of_tau);
    eta_powers_ = kspace_table(transform_, grid_.spacing, of, &of_eta);
    density_spectrum_ = Array<float>({transform_.blocks(), transform_.last_length(), lane_floats});
}

std::size_t KspaceSecondOrder::memory_bytes() const noexcept {
    Index floats = static_cast<Index>(factors_.size() + cosines_.size()) + squared_.elements() +
                   rest_density_.elements() + pressure_.elements() + increment_.elements() +
                   density_.elements() + tau_.elements() + eta_.elements() + density_spectrum_.elements() +
                   static_cast<Index>(tau_powers_.size() + eta_powers_.size()) + lines_.elements() +
                   initial_pressure_.elements() + source_spectrum_.elements();
    for (std::size_t axis = 0; axis < 2; ++axis)
        floats += per_density_[axis].elements() + spectra_[axis].elements();
    return transform_.memory_bytes() + source_.memory_bytes() + whole_source_.memory_bytes() +
           layer_.memory_bytes() + static_cast<std::size_t>(floats) * sizeof(float);
}

std::string KspaceSecondOrder::description() const {
    const int transforms = (uniform_density_ ? 2 : 6) + (absorption_ == KspaceAbsorption::power_law ? 3 : 0);
    return sentence("second-order k-space scheme, ", uniform_density_ ? "constant density, " : "", transforms,
                    " transforms a step",
                    absorption_ == KspaceAbsorption::power_law ? ", power-law absorption"
                    : absorption_ == KspaceAbsorption::stokes  ? ", Stokes absorption"
                                                               : "");
}

}  // namespace sonolux

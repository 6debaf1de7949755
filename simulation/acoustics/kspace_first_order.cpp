// sonolux/simulation/acoustics/kspace_first_order.cpp
//
// The set-up: everything that a step only reads. kspace_first_order_step.cpp holds the steps.
#include <cmath>
#include <numbers>

#include <sonolux/simulation/acoustics/absorbing_layer.hpp>
#include <sonolux/simulation/acoustics/kspace_factors.hpp>
#include <sonolux/simulation/acoustics/kspace_first_order.hpp>
#include <sonolux/simulation/acoustics/power_law_absorption.hpp>

namespace sonolux {
namespace {

const KspaceSetup& checked(const KspaceSetup& setup) {
    require_valid(setup);
    return setup;
}

double sinc(double x) { return x == 0 ? 1.0 : std::sin(x) / x; }

/// Which point follows along an axis; the last plane is its own neighbour.
Index neighbour(const KspaceSize& size, int axis, Index point) {
    const Index step = axis == 0 ? 1 : axis == 1 ? size.columns : size.columns * size.rows;
    const Index place = point / step % size.along(axis);
    return place + 1 < size.along(axis) ? point + step : point;
}

}  // namespace

KspaceFirstOrder::KspaceFirstOrder(const KspaceSetup& setup, Context& context)
    : grid_(checked(setup).grid),
      axes_(grid_.size.axes()),
      transform_(grid_.size, context, setup.fft, setup.planning),
      absorption_(setup.medium.absorption),
      nonlinear_(setup.medium.nonlinear) {
    const KspaceSize& size = grid_.size;
    const Shape shape{size.planes * size.rows, size.columns};
    const double reference_speed = setup.medium.reference_speed > 0
                                       ? setup.medium.reference_speed
                                       : setup.medium.sound_speed.largest(size.points());
    pressure_ = Array<float>(shape);
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(axes_); ++axis) {
        velocity_[axis] = Array<float>(shape);
        density_[axis] = Array<float>(shape);
        spectra_[axis] = transform_.make_spectrum();
        velocity_source_[axis] = RowSource(setup.sources.velocity[axis], size);
    }
    pressure_source_ = RowSource(setup.sources.pressure, size);
    if (!setup.sources.initial_pressure.empty()) {
        initial_pressure_ = Array<float>(shape);
        std::copy_n(setup.sources.initial_pressure.data(), size.points(), initial_pressure_.data());
    }
    lines_ = Array<float>({context.threads(), axes_ + 1, strip_rows, (size.columns + 15) / 16 * 16});
    set_medium(setup.medium);
    set_staggered_density(setup.medium);
    set_factors(setup, reference_speed);

    float* const scratch = spectra_[0].data();
    pressure_source_.prepare(context, transform_, cosines_, scratch);
    for (RowSource& source : velocity_source_) source.prepare(context, transform_, cosines_, scratch);
    for (Array<float>& spectrum : spectra_) std::fill(spectrum.begin(), spectrum.end(), 0.0f);
}

template <class Value>
KspaceFirstOrder::Rows KspaceFirstOrder::rows_of(bool varies, Value value) const {
    const KspaceSize& size = grid_.size;
    Rows rows;
    rows.values = Array<float>({varies ? size.planes * size.rows : 1, size.columns});
    rows.stride = varies ? size.columns : 0;
    Index point = 0;
    for (float& v : rows.values) v = static_cast<float>(value(point++));
    return rows;
}

void KspaceFirstOrder::set_medium(const KspaceMedium& medium) {
    const ScalarOrField &speed = medium.sound_speed, &density = medium.density;
    squared_speed_ = rows_of(speed.varies(), [&](Index i) { return speed.at(i) * speed.at(i); });
    rest_density_ = rows_of(density.varies(), [&](Index i) { return density.at(i); });
    if (nonlinear_)
        nonlinearity_ = rows_of(medium.nonlinearity.varies() || density.varies(),
                                [&](Index i) { return medium.nonlinearity.at(i) / (2 * density.at(i)); });
    if (absorption_ == KspaceAbsorption::none) return;
    const double power = absorption_ == KspaceAbsorption::stokes ? 2 : medium.attenuation_power;
    const bool varies = medium.attenuation.varies() || speed.varies();
    tau_ = rows_of(varies, [&](Index i) {
        return absorption_coefficients(medium.attenuation.at(i), power, speed.at(i)).tau;
    });
    if (absorption_ == KspaceAbsorption::power_law)
        eta_ = rows_of(varies, [&](Index i) {
            return absorption_coefficients(medium.attenuation.at(i), power, speed.at(i)).eta;
        });
}

void KspaceFirstOrder::set_staggered_density(const KspaceMedium& medium) {
    for (int axis = 0; axis < axes_; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const bool given = medium.has_staggered_density[a];
        const ScalarOrField& staggered = medium.staggered_density[a];
        const ScalarOrField& density = medium.density;
        step_over_density_[a] = rows_of(given ? staggered.varies() : density.varies(), [&](Index i) {
            const double here = given ? staggered.at(i)
                                : density.varies()
                                    ? (density.at(i) + density.at(neighbour(grid_.size, axis, i))) / 2
                                    : density.scalar;
            return grid_.time_step / here;
        });
    }
}

void KspaceFirstOrder::set_factors(const KspaceSetup& setup, double reference_speed) {
    const KspaceSize& size = grid_.size;
    for (int axis = 0; axis < axes_; ++axis) {
        const auto a = static_cast<std::size_t>(axis);
        const double spacing = grid_.spacing[a];
        layer_[a] = absorbing_profile(size.along(axis), setup.layer.points[a], setup.layer.strength[a],
                                      spacing, reference_speed, grid_.time_step, false);
        staggered_layer_[a] =
            absorbing_profile(size.along(axis), setup.layer.points[a], setup.layer.strength[a], spacing,
                              reference_speed, grid_.time_step, true);
    }
    forward_ = KspaceDerivatives(transform_, grid_.spacing, +1);
    backward_ = KspaceDerivatives(transform_, grid_.spacing, -1);
    const double half_step = reference_speed * grid_.time_step / 2;
    kappa_ = kspace_table(
        transform_, grid_.spacing, [](double k, const double* half) { return sinc(*half * k); }, &half_step);
    bool any_filtered = pressure_source_.filtered();
    for (const RowSource& source : velocity_source_) any_filtered = any_filtered || source.filtered();
    if (any_filtered)
        cosines_ = kspace_table(
            transform_, grid_.spacing, [](double k, const double* half) { return std::cos(*half * k); },
            &half_step);
    if (absorption_ == KspaceAbsorption::power_law) {
        const auto power = [](double k, const double* exponent) {
            return k == 0 ? 0.0 : std::pow(k, *exponent);
        };
        const double of_tau = setup.medium.attenuation_power - 2, of_eta = setup.medium.attenuation_power - 1;
        tau_powers_ = kspace_table(transform_, grid_.spacing, power, &of_tau);
        eta_powers_ = kspace_table(transform_, grid_.spacing, power, &of_eta);
    }
}

std::size_t KspaceFirstOrder::memory_bytes() const noexcept {
    std::size_t floats = kappa_.size() + cosines_.size() + tau_powers_.size() + eta_powers_.size();
    for (const Array<float>* array :
         {&pressure_, &lines_, &initial_pressure_, &squared_speed_.values, &rest_density_.values,
          &tau_.values, &eta_.values, &nonlinearity_.values})
        floats += static_cast<std::size_t>(array->elements());
    std::size_t bytes = transform_.memory_bytes() + pressure_source_.memory_bytes();
    for (std::size_t axis = 0; axis < 3; ++axis) {
        floats +=
            static_cast<std::size_t>(velocity_[axis].elements() + density_[axis].elements() +
                                     step_over_density_[axis].values.elements() + spectra_[axis].elements());
        bytes += velocity_source_[axis].memory_bytes();
    }
    return bytes + floats * sizeof(float);
}

std::string KspaceFirstOrder::description() const {
    const int transforms = (axes_ == 3 ? 10 : 7) + (absorption_ == KspaceAbsorption::power_law ? 4 : 0);
    return sentence("first-order k-space scheme, ", transforms, " transforms a step",
                    absorption_ == KspaceAbsorption::power_law ? ", power-law absorption"
                    : absorption_ == KspaceAbsorption::stokes  ? ", Stokes absorption"
                                                               : "",
                    nonlinear_ ? ", nonlinear" : "");
}

}  // namespace sonolux

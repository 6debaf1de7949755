// sonolux/simulation/acoustics/kspace_second_order.cpp
//
// The set-up; kspace_second_order_step.cpp holds the steps.
#include <cmath>
#include <numbers>

#include <sonolux/simulation/acoustics/kspace_factors.hpp>
#include <sonolux/simulation/acoustics/kspace_second_order.hpp>

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
    if (setup.medium.absorption != KspaceAbsorption::none) return "the medium absorbs";
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
      uniform_density_(is_uniform(setup.medium)) {
    const KspaceSize& size = grid_.size;
    const Shape shape{size.rows, size.columns};
    const double reference_speed = setup.medium.reference_speed > 0
                                       ? setup.medium.reference_speed
                                       : setup.medium.sound_speed.largest(size.points());
    pressure_ = Array<float>(shape);
    increment_ = Array<float>(shape);
    for (std::size_t axis = 0; axis < (uniform_density_ ? 1 : 2); ++axis)
        spectra_[axis] = transform_.make_spectrum();
    lines_ = Array<float>({context.threads(), strip_rows, (size.columns + 15) / 16 * 16});
    source_ = RowSource(differences(setup.sources.pressure), size);
    if (!setup.sources.initial_pressure.empty()) {
        initial_pressure_ = Array<float>(shape);
        std::copy_n(setup.sources.initial_pressure.data(), size.points(), initial_pressure_.data());
    }
    set_medium(setup.medium);
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

std::size_t KspaceSecondOrder::memory_bytes() const noexcept {
    Index floats = static_cast<Index>(factors_.size() + cosines_.size()) + squared_.elements() +
                   rest_density_.elements() + pressure_.elements() + increment_.elements() +
                   lines_.elements() + initial_pressure_.elements() + source_spectrum_.elements();
    for (std::size_t axis = 0; axis < 2; ++axis)
        floats += per_density_[axis].elements() + spectra_[axis].elements();
    return transform_.memory_bytes() + source_.memory_bytes() + layer_.memory_bytes() +
           static_cast<std::size_t>(floats) * sizeof(float);
}

std::string KspaceSecondOrder::description() const {
    return uniform_density_ ? "second-order k-space scheme, constant density, 2 transforms a step"
                            : "second-order k-space scheme, 6 transforms a step";
}

}  // namespace sonolux

// sonolux/simulation/optics/material.cpp
#include <cmath>

#include <sonolux/core/error.hpp>
#include <sonolux/simulation/optics/material.hpp>

namespace sonolux {

Material::Material(std::string name, Formula formula, std::vector<double> coefficients, double lowest,
                   double highest)
    : name_(std::move(name)),
      formula_(formula),
      coefficients_(std::move(coefficients)),
      lowest_(lowest),
      highest_(highest) {
    require(lowest > 0 && highest > lowest && std::isfinite(highest), Status::invalid_argument, name_,
            ": the range of wavelengths must rise from above 0, got ", lowest, " to ", highest, " m");
    require(!coefficients_.empty() && (formula != Formula::sellmeier || coefficients_.size() % 2 == 0),
            Status::invalid_argument, name_, ": ", coefficients_.size(),
            formula == Formula::sellmeier ? " coefficients are not pairs B, C" : " coefficients are too few");
    for (const double value : coefficients_)
        require(std::isfinite(value), Status::invalid_argument, name_, ": a coefficient is not finite");
}

double Material::refractive_index(double wavelength) const {
    // Half a picometre for bounds that were computed.
    require(wavelength >= lowest_ - 5e-13 && wavelength <= highest_ + 5e-13, Status::invalid_argument, name_,
            ": the refractive index is known from ", lowest_ * 1e9, " to ", highest_ * 1e9, " nm, asked for ",
            wavelength * 1e9, " nm");
    const double micrometres = wavelength * 1e6, square = micrometres * micrometres;
    double sum = 0;
    if (formula_ == Formula::sellmeier) {
        for (std::size_t i = 0; i < coefficients_.size(); i += 2)
            sum += coefficients_[i] * square / (square - coefficients_[i + 1]);
        return std::sqrt(1 + sum);
    }
    double power = 1;
    for (const double coefficient : coefficients_) {
        sum += coefficient * power;
        power /= square;
    }
    return sum;
}

std::span<const Material> known_materials() {
    using enum Material::Formula;
    const auto squared = [](double x) { return x * x; };
    static const std::vector<Material> materials = {
        {"fused-silica",
         sellmeier,
         {0.6961663, squared(0.0684043), 0.4079426, squared(0.1162414), 0.8974794, squared(9.896161)},
         0.21e-6,
         6.7e-6},
        {"pmma", sellmeier, {1.1819, 0.011313}, 0.4368e-6, 1.052e-6},
        {"polycarbonate", sellmeier, {1.4182, 0.021304}, 0.4368e-6, 1.052e-6},
        {"zeonex-e48r", sellmeier, {1.2969, 0.011721}, 0.4368e-6, 1.052e-6},
        {"pdms", sellmeier, {1.0093, 0.013185}, 0.35e-6, 0.7e-6},
        {"n-bk7",
         sellmeier,
         {1.03961212, 0.00600069867, 0.231792344, 0.0200179144, 1.01046945, 103.560653},
         0.3e-6,
         2.5e-6},
        {"noa61", cauchy, {1.5375, 0.00829045, -0.000211046}, 0.45e-6, 1.55e-6},
        {"su8-3000", cauchy, {1.5525, 0.00629, 0.0004}, 0.32e-6, 1.7e-6},
    };
    return materials;
}

const Material& material_by_name(std::string_view name) {
    std::string names;
    for (const Material& material : known_materials()) {
        if (material.name() == name) return material;
        names += (names.empty() ? "" : ", ") + material.name();
    }
    fail(Status::invalid_argument, "no material \"", name, "\"; there are ", names);
}

}  // namespace sonolux

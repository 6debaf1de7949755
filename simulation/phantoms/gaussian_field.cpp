// sonolux/simulation/phantoms/gaussian_field.cpp
#include <sonolux/simulation/phantoms/gaussian_field.hpp>

#include <cmath>

namespace sonolux {

namespace {

constexpr double two_pi = 2 * 3.14159265358979323846;

/// The length of a wave vector, in units of 1 / correlation length, of which a part u of all are longer: the
/// integral of the spectral density over the plane beyond k, inverted.
double wave_number(FieldCovariance covariance, double u) noexcept {
    switch (covariance) {
        case FieldCovariance::gaussian: return std::sqrt(-2 * std::log(u));
        case FieldCovariance::matern: return std::sqrt(3 * (std::pow(u, -2.0 / 3) - 1));
        case FieldCovariance::exponential: break;
    }
    return std::sqrt(1 / (u * u) - 1);
}

}  // namespace

const char* to_string(FieldCovariance covariance) noexcept {
    switch (covariance) {
        case FieldCovariance::gaussian: return "gaussian";
        case FieldCovariance::matern: return "matern";
        case FieldCovariance::exponential: break;
    }
    return "exponential";
}

FieldCovariance field_covariance_from_string(std::string_view name) {
    for (const FieldCovariance covariance :
         {FieldCovariance::gaussian, FieldCovariance::matern, FieldCovariance::exponential})
        if (name == to_string(covariance)) return covariance;
    fail(Status::invalid_argument, "a covariance is \"gaussian\", \"matern\" or \"exponential\", got \"",
         name, "\"");
}

GaussianField::GaussianField(FieldCovariance covariance, double correlation_length, double aspect,
                             Philox random) {
    require(correlation_length >= 1e-6 && correlation_length <= 10, Status::invalid_argument,
            "correlation_length must be from 1e-6 to 10 m, got ", correlation_length);
    require(aspect >= 0.01 && aspect <= 100, Status::invalid_argument,
            "aspect must be from 0.01 to 100, got ", aspect);
    const double scale = 1 / std::sqrt(static_cast<double>(waves));
    for (int n = 0; n < waves; ++n) {
        // One wave number from each of N equally likely intervals; u is above 0.
        const double u = (n + 1 - random.uniform()) / waves;
        const double k = wave_number(covariance, u) / correlation_length;
        const double angle = two_pi * random.uniform();
        right_.push_back(k * std::cos(angle) / aspect);
        down_.push_back(k * std::sin(angle));
        cosine_.push_back(scale * random.normal());
        sine_.push_back(scale * random.normal());
    }
}

double GaussianField::operator()(Point p) const noexcept {
    double sum = 0;
    for (std::size_t n = 0; n < waves; ++n) {
        const double phase = right_[n] * p.x + down_[n] * p.z;
        sum += cosine_[n] * std::cos(phase) + sine_[n] * std::sin(phase);
    }
    return sum;
}

/// Each wave is a complex number that turns by a fixed angle from point to point.
void GaussianField::row(double z, double x, double spacing, Index count, double* values) const noexcept {
    double real[waves], imaginary[waves], turn_real[waves], turn_imaginary[waves];
    for (std::size_t n = 0; n < waves; ++n) {
        const double phase = right_[n] * x + down_[n] * z, turn = right_[n] * spacing;
        // (a - i b) exp(i phase), whose real part is a cos + b sin.
        const double c = std::cos(phase), s = std::sin(phase);
        real[n] = cosine_[n] * c + sine_[n] * s;
        imaginary[n] = cosine_[n] * s - sine_[n] * c;
        turn_real[n] = std::cos(turn);
        turn_imaginary[n] = std::sin(turn);
    }
    for (Index j = 0; j < count; ++j) {
        double sum = 0;
        for (std::size_t n = 0; n < waves; ++n) {
            sum += real[n];
            const double next = real[n] * turn_real[n] - imaginary[n] * turn_imaginary[n];
            imaginary[n] = real[n] * turn_imaginary[n] + imaginary[n] * turn_real[n];
            real[n] = next;
        }
        values[j] = sum;
    }
}

}  // namespace sonolux

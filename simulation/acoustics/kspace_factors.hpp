// sonolux/simulation/acoustics/kspace_factors.hpp
//
// What is multiplied by in Fourier space.
#pragma once

#include <array>
#include <vector>

#include <sonolux/simulation/acoustics/kspace_transform.hpp>

namespace sonolux {

/// i k exp(sign i k spacing / 2) for the bins of an axis: the derivative half a spacing further (+1) or back
/// (-1). At Nyquist's bin of even lengths both signs of k give the same, real value.
[[nodiscard]] std::vector<std::complex<float>> shifted_derivative(Index length, double spacing, double sign);

/// value(|k|) / transform.scale() for all bins, a real and even factor, of which the lower half of both
/// indices of a line is kept: [last_groups / 2 + 1, blocks, last_length / 2 + 1, fft_lanes].
[[nodiscard]] std::vector<float> kspace_table(const KspaceTransform& transform,
                                              const std::array<double, 3>& spacing,
                                              double (*value)(double k, const double* parameters),
                                              const double* parameters);

/// The factors of sixteen lines, [last_length / 2 + 1, fft_lanes].
[[nodiscard]] const float* lines_of(const KspaceTransform& transform, const std::vector<float>& table,
                                    Index group, Index block) noexcept;

/// shifted_derivative() of all axes, as the kernels take them.
class KspaceDerivatives {
public:
    KspaceDerivatives() = default;
    KspaceDerivatives(const KspaceTransform& transform, const std::array<double, 3>& spacing, double sign);

    /// On sixteen lines, times `kappa`, a kspace_table.
    [[nodiscard]] LineDerivatives on(const KspaceTransform& transform, const std::vector<float>& kappa,
                                     Index group, Index block) const noexcept;

private:
    std::vector<float> x_, y_, last_;  // [blocks, 2, lanes], [rows, 2], [last length, 2]
};

}  // namespace sonolux

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <sonolux/core/random.hpp>
#include <sonolux/simulation/acoustics/kspace_transform.hpp>

namespace sonolux {
namespace {

using Complex = std::complex<float>;

std::complex<double> root(Index k, Index n) {
    return std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n));
}

class EveryLineFft : public testing::TestWithParam<FftBackend> {};

INSTANTIATE_TEST_SUITE_P(Backends, EveryLineFft, testing::ValuesIn(available_fft_backends()),
                         [](const auto& backend) { return std::string(to_string(backend.param)); });

TEST_P(EveryLineFft, IsTheDirectSumForwardAndBackOnAnyLength) {
    for (Index length : {1, 2, 7, 16, 30, 101}) {
        const auto line = make_complex_line_fft(length, GetParam());
        Array<float> values({2 * length});
        fill_normal(values, Philox(1));
        Array<Complex> x({length}), in({length}), spectrum({length});
        for (Index j = 0; j < length; ++j) in(j) = x(j) = Complex(values(2 * j), values(2 * j + 1));
        line->forward(in.data(), spectrum.data());
        const double tolerance =
            3e-6 * static_cast<double>(length);  // rounding, of Bluestein's three transforms too
        for (Index k = 0; k < length; ++k) {
            std::complex<double> sum = 0;
            for (Index j = 0; j < length; ++j) sum += std::complex<double>(x(j)) * root(j * k, length);
            EXPECT_LT(std::abs(sum - std::complex<double>(spectrum(k))), tolerance)
                << length << ", bin " << k;
        }
        line->inverse(spectrum.data(), in.data());
        for (Index j = 0; j < length; ++j)
            EXPECT_LT(std::abs(in(j)-x(j) * static_cast<float>(length)), tolerance) << length << ", " << j;
    }
}

/// One way there and back through both kinds of sweeps; what the lines hold in the middle is compared with
/// the sum.
void expect_direct_sum(const KspaceSize& size, FftBackend backend, int threads, Isa isa) {
    Context context(make_openmp_runner(threads));
    context.set_isa(isa);
    KspaceTransform transform(size, context, backend);
    const Index rows = size.planes * size.rows, columns = size.columns;
    Array<float> x({rows, columns}), back({rows, columns});
    fill_normal(x, Philox(2));
    Array<float> spectrum = transform.make_spectrum();
    float* all[] = {spectrum.data()};
    transform.over_rows(context, {}, all, [&](Index first, Index end, int thread) {
        transform.rows_forward(thread, x.view().row(first), columns, end - first, spectrum.data(), first);
    });
    const Index length = transform.last_length();
    Array<Complex> middle({transform.last_groups(), transform.half(), length});
    transform.over_lines(context, all, all, [&](Index group, Index block, float* const* lines) {
        for (Index lane = 0; lane < fft_lanes; ++lane) {
            const Index column = block * fft_lanes + lane;
            if (column >= transform.half()) continue;
            for (Index i = 0; i < length; ++i) {
                const float* place = lines[0] + i * lane_floats + lane;
                middle(group, column, i) = {place[0], place[fft_lanes]};
            }
        }
    });
    transform.over_rows(context, all, {}, [&](Index first, Index end, int thread) {
        transform.rows_inverse(thread, spectrum.data(), first, back.view().row(first), columns, end - first);
    });
    const double points = static_cast<double>(size.points()), tolerance = 2e-6 * std::sqrt(points) * 3;
    for (Index group = 0; group < transform.last_groups(); ++group)
        for (Index l = 0; l < transform.half(); ++l)
            for (Index i = 0; i < length; ++i) {
                std::complex<double> sum = 0;
                for (Index z = 0; z < size.planes; ++z)
                    for (Index y = 0; y < size.rows; ++y)
                        for (Index j = 0; j < columns; ++j) {
                            const auto along_last =
                                size.volume() ? root(y * group, size.rows) * root(z * i, size.planes)
                                              : root(y * i, size.rows);
                            sum += static_cast<double>(x(z * size.rows + y, j)) * root(j * l, columns) *
                                   along_last;
                        }
                // Twice, as scale() says.
                EXPECT_LT(std::abs(2.0 * sum - std::complex<double>(middle(group, l, i))), tolerance)
                    << size.planes << " x " << size.rows << " x " << columns << ", bin " << group << " " << l
                    << " " << i;
            }
    for (Index i = 0; i < size.points(); ++i)
        EXPECT_NEAR(static_cast<double>(back.data()[i]) / transform.scale(), static_cast<double>(x.data()[i]),
                    1e-5);
}

TEST_P(EveryLineFft, MakesPlanesAndVolumesOfAnySize) {
    for (const KspaceSize& size :
         {KspaceSize{1, 6, 8}, KspaceSize{1, 7, 5}, KspaceSize{1, 1, 9}, KspaceSize{1, 35, 18},
          KspaceSize{1, 65, 33}, KspaceSize{1, 34, 40}, KspaceSize{2, 4, 6}, KspaceSize{5, 3, 7},
          KspaceSize{4, 9, 8}, KspaceSize{3, 33, 17}})
        for (int threads : {1, 3})
            for (Isa isa : available_isas()) expect_direct_sum(size, GetParam(), threads, isa);
}

}  // namespace
}  // namespace sonolux

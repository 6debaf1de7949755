// Transforms of sixteen lines side by side against the sum that defines them.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <sonolux/core/random.hpp>
#include <sonolux/simulation/acoustics/lane_fft.hpp>

namespace sonolux {
namespace {

std::vector<float> transformed(Index length, Isa isa, bool inverse, const Array<float>& in) {
    LaneFft fft(length, isa);
    Array<float> out({length * lane_floats}), scratch({fft.scratch_floats()});
    if (inverse)
        fft.inverse(in.data(), lane_floats, out.data(), lane_floats, scratch.data());
    else
        fft.forward(in.data(), lane_floats, out.data(), lane_floats, scratch.data());
    return {out.begin(), out.end()};
}

TEST(LaneFft, IsTheDirectSumOnAnyLengthForwardAndBack) {
    for (Index length : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 30, 32, 64, 77, 101, 128, 600})
        for (Isa isa : available_isas())
            for (bool inverse : {false, true}) {
                Array<float> in({length * lane_floats});
                fill_normal(in, Philox(1));
                const std::vector<float> out = transformed(length, isa, inverse, in);
                // Rounding grows with the passes; for lengths with large primes with Bluestein's transforms.
                const double tolerance = 2e-6 * std::sqrt(static_cast<double>(length)) *
                                         (1 + std::log2(static_cast<double>(length)));
                for (Index lane : {0, 5, 15})
                    for (Index k = 0; k < length; k += 1 + length / 50) {
                        std::complex<double> sum = 0;
                        for (Index j = 0; j < length; ++j) {
                            const double angle = (inverse ? 2 : -2) * std::numbers::pi *
                                                 static_cast<double>(j * k % length) /
                                                 static_cast<double>(length);
                            sum += std::complex<double>(in(j * lane_floats + lane),
                                                        in(j * lane_floats + fft_lanes + lane)) *
                                   std::polar(1.0, angle);
                        }
                        const float* place = &out[static_cast<std::size_t>(k * lane_floats + lane)];
                        EXPECT_LT(std::abs(sum - std::complex<double>(place[0], place[fft_lanes])), tolerance)
                            << length << ", " << to_string(isa) << ", lane " << lane << ", bin " << k;
                    }
            }
}

TEST(LaneFft, HasTheSameBitsOnInstructionSetsThatFuseProductsAndSums) {
    for (Index length : {8, 60, 77, 512, 1001}) {
        Array<float> in({length * lane_floats});
        fill_normal(in, Philox(2));
        std::vector<std::vector<float>> all;
        for (Isa isa : available_isas())
            if (isa != Isa::baseline) all.push_back(transformed(length, isa, false, in));
        for (const std::vector<float>& one : all) EXPECT_EQ(one, all.front()) << length;
    }
}

TEST(LaneFft, WorksInPlaceAndAcrossSteps) {
    for (Index length : {5, 48}) {
        Array<float> in({length * lane_floats}), apart({length * 3 * lane_floats});
        fill_normal(in, Philox(3));
        const std::vector<float> expected = transformed(length, default_isa(), false, in);
        for (Index j = 0; j < length; ++j)
            std::copy_n(in.data() + j * lane_floats, lane_floats, apart.data() + j * 3 * lane_floats);
        LaneFft fft(length);
        Array<float> scratch({fft.scratch_floats()});
        fft.forward(apart.data(), 3 * lane_floats, apart.data(), 3 * lane_floats, scratch.data());
        for (Index j = 0; j < length; ++j)
            for (Index i = 0; i < lane_floats; ++i)
                EXPECT_EQ(apart(j * 3 * lane_floats + i),
                          expected[static_cast<std::size_t>(j * lane_floats + i)]);
    }
}

TEST(LaneFft, RefusesALengthOfNothing) { EXPECT_THROW(LaneFft(0), Error); }

}  // namespace
}  // namespace sonolux

// tests/oracles/fdn_weights_test.cpp
#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include <sonolux/priors/convolutional_network.hpp>

#include "tests/support/data.hpp"
#include "tests/support/fdn_weights.hpp"

namespace sonolux {
namespace {

// Figures from numpy and scipy.fftpack.idct (twice, transposed in between) on the same file, read by h5py.
TEST(FdnWeights, AreReadAsNumpyReadsThem) {
    const auto file = oracle_folder() / "fdn/stages_01-10_finetuned.hdf5";
    SLX_NEEDS(file);
    const std::vector<FdnStage> stages = read_fdn_weights(file);
    ASSERT_EQ(stages.size(), 10u);
    const double lambdas[10][3] = {{545.7260954787955, 284.5112169004487, 95.11422228880801},
                                   {3941.9039231909574, 2394.8655283767953, 1020.8248229546222},
                                   {965.2255325067199, 584.3316866624314, 276.54052399879447},
                                   {2427.506673889793, 1523.2472284225078, 736.11900843883},
                                   {1971.0650546758736, 1192.9445535879463, 498.2157097801584},
                                   {2726.1337320594075, 1693.4368228074873, 734.108543187682},
                                   {2030.1245276305292, 1255.174826791303, 515.2179932600411},
                                   {2830.375781358157, 1783.592109170263, 760.6691515867119},
                                   {2650.130237915789, 1657.3822173671797, 651.1743368097577},
                                   {2965.9314650089173, 1828.8183360915023, 642.8513361732912}};
    const double taps[10] = {-0.25609256963747495, 0.2106275268865678, 0.44583572896615525,
                             0.4585272242146998,   0.4983470965469201, 0.4993578148677034,
                             0.5597450963172261,   0.5536902770579899, 0.5852416164960899,
                             0.6526928328182513};
    const double sigmas[3] = {1, 1.5, 3};
    for (int t = 0; t < 10; ++t) {
        for (int s = 0; s < 3; ++s)
            EXPECT_NEAR(stages[t].lambda(sigmas[s]), lambdas[t][s], 1e-9 * lambdas[t][s]) << t << ", " << s;
        EXPECT_NEAR(stages[t].filters[3][1 * 5 + 2], taps[t], 1e-12) << t;
        for (const auto& filter : stages[t].filters)
            EXPECT_NEAR(std::accumulate(filter.begin(), filter.end(), 0.0), 0, 1e-13);
        EXPECT_EQ(static_cast<Index>(stages[t].network.size()), ConvolutionalNetwork({}).parameter_count());
    }
}

TEST(FdnWeights, OfAnotherFileAreRefusedByName) {
    const auto file = std::filesystem::path(testing::TempDir()) / "sonolux_not_fdn.hdf5";
    std::ofstream(file) << "text";
    try {
        (void)read_fdn_weights(file);
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("sonolux_not_fdn.hdf5: not an HDF5 file"), std::string::npos)
            << error.what();
    }
    std::filesystem::remove(file);
}

}  // namespace
}  // namespace sonolux
